"""A table -> the gaps between its columns. Knows no row."""

from collections.abc import Iterable

import numpy as np

from got_ocr.columns import runs
from got_ocr.table.rules import Rule, joined
from got_ocr.table.seen import NEAR, Mask, Seen, Span

GAP = 0.7  # of the text height: a narrower strip of paper divides words
FEW, LUCK = 3, 1.05  # in so few rows words may happen to stand below each other: a gap is so wide at least
ALIKE = 0.5  # of the narrower gaps between columns that each has at least
STANDING = 0.25  # of the rows that have text in a column, at least


def inner_rules(seen: Seen) -> list[Rule]:
    """List the vertical rules between texts."""
    return [rule for rule in seen.upright if seen.area[0] < rule.at < seen.area[2]]


def find_gaps(seen: Seen) -> list[Span]:
    """Find where columns part, from left to right: at vertical rules, or without any at strips of bare paper."""
    if inner := inner_rules(seen):
        return joined([(rule.low, rule.high) for rule in inner], NEAR * seen.em)
    return _by_paper(seen)


def _by_paper(seen: Seen) -> list[Span]:
    """Find the strips of bare paper between columns. The first row and the last may hold cells that span some."""
    left, _, right, _ = seen.area
    rows = text_rows(seen.mask, [rule.at for rule in seen.across])
    if len(rows) < 2:
        return []
    covered = np.array([seen.mask[top:bottom, left:right].any(0) for top, bottom in rows])
    found: list[Span] = []
    for left_out in ((), (0,), (-1,), (0, -1)):
        kept = np.delete(covered, left_out, axis=0) if left_out else covered
        if len(kept) >= FEW or not left_out:
            found = _with(found, _bare(kept, left, (GAP if len(kept) > FEW else LUCK) * seen.em))
    found = _standing(covered, left, found)
    narrow = np.percentile([b - a for a, b in found], 20) if found else 0.0
    return [gap for gap in found if gap[1] - gap[0] >= ALIKE * narrow]


def text_rows(mask: Mask, rules: Iterable[float]) -> list[Span]:
    """Find the rows of ink across the whole width, dots joined to what they stand on, and cut at the rules."""
    found = runs(np.any(mask, axis=1))
    tall = np.median([b - a for a, b in found]) if found else 0.0
    spans = joined(found, 0.15 * tall)
    for rule in rules:
        cut = round(rule)
        spans = [part for a, b in spans for part in (((a, cut), (cut, b)) if a < cut < b else ((a, b),))]
    return [(a, b) for a, b in spans if b - a > 0.3 * tall]


def _bare(covered: Mask, left: int, least: float) -> list[Span]:
    """Find the runs of columns that no row covers, between two that some row does."""
    return [
        (left + a, left + b)
        for a, b in runs(~np.any(covered, axis=0))
        if b - a >= least and a > 0 and b < covered.shape[1]
    ]


def _standing(covered: Mask, left: int, gaps: list[Span]) -> list[Span]:
    """Drop gaps until each column has text in several rows: words of a heading stand over nothing."""
    least = max(2, round(STANDING * len(covered))) if len(covered) > 2 else 1
    while gaps:
        edges = [0, *(x - left for gap in gaps for x in gap), covered.shape[1]]
        counts = [covered[:, a:b].any(1).sum() for a, b in zip(edges[::2], edges[1::2], strict=True)]
        thin = min(range(len(counts)), key=counts.__getitem__)
        if counts[thin] >= least:
            break
        beside = [i for i in (thin - 1, thin) if 0 <= i < len(gaps)]
        narrow = min(beside, key=lambda i: gaps[i][1] - gaps[i][0])
        gaps = gaps[:narrow] + gaps[narrow + 1 :]
    return gaps


def _with(found: list[Span], more: Iterable[Span]) -> list[Span]:
    """Add gaps that are not among those found yet."""
    new = [gap for gap in more if not any(gap[0] < b and a < gap[1] for a, b in found)]
    return sorted(found + new)
