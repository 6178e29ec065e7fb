"""A table and the gaps between its columns -> the borders of its rows. Knows no span across columns."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from got_ocr.table.rows import share
from got_ocr.table.rules import joined
from got_ocr.table.seen import NEAR, Seen, Span

Lines = list[list[Span]]  # of each column
Places = list[tuple[int, int]]  # (row, column)

MIDDLE = 0.4  # of the text height: how far a text beside several rows may be from their middle
RULED = 0.75  # of the parts between rules that hold one row, so that the others are taken to hold one as well


class _Band(NamedTuple):
    """What stands between two horizontal rules. rows: found in it. beside: its first column holds one text, beside all rows."""

    bottom: float
    lines: Lines
    rows: list[Span]
    beside: bool


def find_rows(seen: Seen, gaps: Sequence[Span], barred: bool) -> tuple[list[float], Places]:
    """Find the borders of the rows: rules, and the middle between lines of text where none is drawn.

    barred: rules stand between the columns, so that a part between two rules is a row even where it is bare. Returns beside the
    borders the places of the first column that hang together with the one below: a text beside several rows.
    """
    bands = [_band(seen, gaps, top, bottom) for top, bottom in pairwise(_edges(seen))]
    single = sum(len(band.rows) <= 1 for band in bands)
    ruled = len(bands) >= 3 and single >= RULED * len(bands)
    beside: Places = []
    ys: list[float] = [seen.area[1] - 2.0]
    for band in bands:
        rows = band.rows
        if ruled and len(rows) > 1 and not _agree(band.lines):
            rows = [(rows[0][0], rows[-1][1])]
        if not rows and not (barred and band.bottom - ys[-1] > seen.em):
            ys[-1] = band.bottom if len(ys) > 1 else ys[-1]
            continue
        if band.beside and len(bands) > 1:
            beside += [(len(ys) - 1 + row, 0) for row in range(len(rows) - 1)]
        ys += [(a[1] + b[0]) / 2 for a, b in pairwise(rows)]
        ys.append(band.bottom)
    return ys, beside


def _edges(seen: Seen) -> list[float]:
    """Cut the height at every horizontal rule, whole or not."""
    _, top, _, bottom = seen.area
    rules = joined([(rule.low, rule.high) for rule in seen.across], NEAR * seen.em)
    return [top - 2.0, *(sum(rule) / 2 for rule in rules if top < sum(rule) / 2 < bottom), bottom + 2.0]


def _band(seen: Seen, gaps: Sequence[Span], top: float, bottom: float) -> _Band:
    """Find the lines of each column between two rules, and the rows that they make."""
    edges = [seen.area[0], *(x for gap in gaps for x in gap), seen.area[2]]
    columns = zip(edges[::2], edges[1::2], strict=True)
    lines = [seen.lines(left, top, right, bottom) for left, right in columns]
    if seen.across:  # what reaches over a rule that is missing there belongs to no one row
        first, last = max(0, round(top)) + 1, round(bottom) - 1
        lines = [[line for line in column if line[0] > first and line[1] < last] for column in lines]
    beside = _in_the_middle(lines[0], top, bottom, seen.em)
    rows = share(lines[1:] if beside else lines, seen.em)
    return _Band(bottom, lines, rows or lines[0][:1], beside)


def _in_the_middle(first: Sequence[Span], top: float, bottom: float, em: float) -> bool:
    """Say whether a column holds one text, in lines one below the other, in the middle between two rules."""
    off = abs(first[0][0] + first[-1][1] - top - bottom) / 2 if first else 0.0
    return off < MIDDLE * em and len(joined(sorted(first), 0.6 * em)) == 1


def _agree(columns: Iterable[Sequence[Span]]) -> bool:
    """Say whether most columns but the first have several lines."""
    counts = [len(lines) for lines in list(columns)[1:] if lines]
    return sum(count > 1 for count in counts) > 0.5 * len(counts)
