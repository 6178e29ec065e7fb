"""What is seen of a table before it is cut: its text, its rules, how high its letters are. Knows no cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs
from got_ocr.lines import Box
from got_ocr.table.rules import Rule, joined

Mask = NDArray[np.bool_]
Span = tuple[int, int]  # first, behind the last

NEAR = 0.4  # of the text height by which a rule may miss the edge of a cell
SLICES = 24  # of the width, to measure the height of text in
APART = 0.15  # of the text height, between the lines of a cell
LOW, MARK = 0.25, 0.35  # of the text height: lower ink is no line; so near to a line it is part of it


@dataclass(frozen=True, slots=True)
class Seen:
    """Text and rules of a levelled picture, in its pixels.

    mask: where there is text. em: usual height of a line. area: what the text takes up. across, upright: rules.
    """

    mask: Mask
    em: float
    area: Box
    across: tuple[Rule, ...]
    upright: tuple[Rule, ...]

    def part(self, left: float, top: float, right: float, bottom: float) -> Mask:
        """Cut the text of an area out, as far as it lies in the picture."""
        return self.mask[max(0, round(top)) : max(0, round(bottom)), max(0, round(left)) : max(0, round(right))]

    def lines(self, left: float, top: float, right: float, bottom: float) -> list[Span]:
        """Find the text lines of an area: (top, bottom), dots and underscores with them."""
        part, start = self.part(left, top, right, bottom), max(0, round(top))
        spans = _with_marks(joined(runs(np.any(part, axis=1)), APART * self.em), self.em)
        # A minus sign is low as well, but no speck.
        return [
            (start + a, start + b) for a, b in spans if b - a >= LOW * self.em or part[a:b].sum() >= 0.04 * self.em**2
        ]

    def across_at(self, y: float) -> list[Rule]:
        """List the horizontal rules at a height."""
        return [rule for rule in self.across if abs(rule.at - y) <= NEAR * self.em]

    def upright_at(self, x: float) -> list[Rule]:
        """List the vertical rules at a place."""
        return [rule for rule in self.upright if abs(rule.at - x) <= NEAR * self.em]


def text_height(mask: Mask) -> float:
    """Measure the usual height of a line in narrow slices, where lines of cells side by side seldom run into each other."""
    width = mask.shape[1]
    slices = (mask[:, a : a + width // SLICES + 1] for a in range(0, width, width // SLICES + 1))
    heights = [b - a for part in slices for a, b in runs(np.any(part, axis=1)) if b - a > 4]
    return float(np.percentile(heights, 60)) if heights else 12.0


def reach(mask: Mask) -> Box:
    """Box all ink: (left, top, right, bottom)."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _with_marks(spans: Sequence[Span], em: float) -> list[Span]:
    """Join low runs of ink (underscores, accents, dots) to the line that they are near to."""
    out: list[Span] = []
    for start, end in spans:
        low = out and min(end - start, out[-1][1] - out[-1][0]) < LOW * em
        if low and start - out[-1][1] <= MARK * em:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out
