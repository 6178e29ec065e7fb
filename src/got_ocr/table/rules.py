"""Ink of a table -> its ruled lines, and the ink without them. Knows no cell and no text."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs

Ink = NDArray[np.uint8]  # (height, width), 0 paper .. 255 ink
Mask = NDArray[np.bool_]

FAINT, ABOVE = (
    40,
    30,
)  # of 255: thin and grey rules are weaker than letters, but so much stronger than most of the paper
THICK = 10  # pixels; a thicker bar is a filled band, no rule
SHORTEST = 32  # pixels of a horizontal rule, or this share of the width
SHARE = 0.03
STEM = 24  # pixels of one piece of a vertical rule: letters are mostly shorter
UPRIGHT = (
    0.4  # of the height between the first and the last horizontal rule that a vertical one covers, all pieces together
)
BROKEN = 4  # pixels missing in a rule that still is one
BESIDE, INKED = 2, 0.25  # pixels beside a rule, and which share of them may be ink
EDGE = 1  # rows and columns beside a rule that hold its soft edge


@dataclass(frozen=True, slots=True)
class Rule:
    """One ruled line: rows [low, high) (columns, of a vertical one) and the pieces (start, end) that are drawn."""

    low: int
    high: int
    pieces: tuple[tuple[int, int], ...]

    @property
    def at(self) -> float:
        """Give its middle."""
        return (self.low + self.high) / 2

    def cover(self, start: float, end: float) -> float:
        """Say which share of a stretch is drawn."""
        drawn = sum(max(0.0, min(b, end) - max(a, start)) for a, b in self.pieces)
        return drawn / max(1.0, end - start)


@dataclass(frozen=True, slots=True)
class Ruled:
    """Horizontal rules from the top, vertical ones from the left, and the ink of the text alone."""

    across: tuple[Rule, ...]
    upright: tuple[Rule, ...]
    text: Ink


def ruled(ink: Ink) -> Ruled:
    """Tell rules from text in level ink."""
    faint = ink > max(FAINT, float(np.median(ink)) + ABOVE)
    height, width = ink.shape
    across = _long(faint, max(SHORTEST, int(SHARE * width)))
    text = ink.copy()
    _erase(text, across)
    top, bottom = (across[0].at, across[-1].at) if len(across) > 1 else (0.0, float(height))
    upright = tuple(rule for rule in _long(faint.T, STEM) if _tall(rule, top, bottom))
    _erase(text.T, upright)
    return Ruled(across, upright, text)


def _tall(rule: Rule, top: float, bottom: float) -> bool:
    drawn = sum(b - a for a, b in rule.pieces)
    return drawn >= max(1.5 * STEM, UPRIGHT * (bottom - top))


def _long(mask: Mask, least: int) -> tuple[Rule, ...]:
    """Find thin rows of long runs with hardly any ink above and below."""
    kept = long_runs(mask, least)
    found = []
    for low, high in runs(np.any(kept, axis=1)):
        pieces = joined(runs(np.any(kept[low:high], axis=0)), BROKEN)
        alone = tuple((a, b) for a, b in pieces if _bare(mask[:, a:b], low, high))
        if high - low <= THICK and alone:
            found.append(Rule(low, high, alone))
    return tuple(found)


def _bare(columns: Mask, low: int, high: int) -> bool:
    """Say whether both sides of a piece are paper: feet of letters make long runs as well."""
    sides = columns[max(0, low - BESIDE - 2) : max(0, low - BESIDE)], columns[high + BESIDE : high + BESIDE + 2]
    return all(side.mean() < INKED for side in sides if side.size)


def long_runs(mask: Mask, least: int) -> Mask:
    """Keep the runs of a mask's rows that are `least` long or longer."""
    if mask.shape[1] < least:
        return np.zeros_like(mask)
    bar = np.ones((1, least), np.uint8)
    inked = np.ascontiguousarray(mask).view(np.uint8)
    starts = cv2.erode(inked, bar, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    kept: NDArray[np.uint8] = cv2.dilate(
        starts, bar, anchor=(least - 1, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return kept > 0


def _erase(ink: Ink, found: Sequence[Rule]) -> None:
    for rule in found:
        for start, end in rule.pieces:
            ink[max(0, rule.low - EDGE) : rule.high + EDGE, max(0, start - 2) : end + 2] = 0


def joined(spans: Sequence[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    """Join spans in order that are at most `gap` apart."""
    out: list[tuple[int, int]] = []
    for start, end in spans:
        if out and start - out[-1][1] <= gap:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out
