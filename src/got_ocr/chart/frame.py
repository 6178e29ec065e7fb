"""Picture -> where the plot stands: the edges of its panel by the lines drawn along them, and its grid. Knows no marks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from got_ocr.chart.seen import GROUND, PALE, Seen, open_by
from got_ocr.columns import runs
from got_ocr.lines import Box

LONG = 0.3  # of the picture's side: the least length of an axis
THICK = 5  # pixels, at most, of an axis or a line of the grid
MEET = 10  # pixels within which two axes meet
APART = 0.03  # of the picture's side, that lines of the grid are apart at least
FAINT = 16  # levels of a channel by which a line of the grid stands out


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line. at: its place across. low, high: from where to where it runs."""

    at: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Frame:
    """box: of the plot. across, upright: its axes and the lines of its grid. sure: axes are drawn, and not only a grid."""

    box: Box
    sure: bool


def lines_of(mask: NDArray[np.uint8], share: float) -> list[Line]:
    """Find the level lines that are at least this share of the picture's width long."""
    found = []
    opened = open_by(mask, max(20, int(share * mask.shape[1])), 1)
    for top, bottom in runs(np.asarray(opened.any(1))):
        if bottom - top <= THICK:
            drawn = np.flatnonzero(opened[top:bottom].any(0))
            found.append(Line((top + bottom - 1) / 2, int(drawn[0]), int(drawn[-1]) + 1))
    return found


def find_frame(seen: Seen) -> Frame | None:
    """Find the plot by its axes: the largest pair of lines that meet at their lower left ends; without one by its grid."""
    strong = (seen.dark > PALE * 255).astype(np.uint8)
    level, upright = lines_of(strong, LONG), lines_of(np.ascontiguousarray(strong.T), LONG)
    best: Box | None = None
    for line in level:
        for side in upright:
            if abs(side.at - line.low) <= MEET and abs(side.high - line.at) <= MEET:
                box = (round(side.at), side.low, line.high, round(line.at))
                if best is None or _area(box) > _area(best):
                    best = box
    if best is not None:
        return Frame(best, True)
    return _by_grid(seen, strong)


def _by_grid(seen: Seen, strong: NDArray[np.uint8]) -> Frame | None:
    faint = ((seen.far > FAINT) & (strong == 0)).astype(np.uint8)
    level, upright = lines_of(faint, 0.06), lines_of(np.ascontiguousarray(faint.T), 0.06)
    level = [line for line in level if line.high - line.low > LONG * seen.size[0]]
    upright = [line for line in upright if line.high - line.low > LONG * seen.size[1]]
    if len(level) >= 3 and _even(level, seen.size[1]):
        left, right = min(line.low for line in level), max(line.high for line in level)
        ends = [end for line in upright for end in (line.low, line.high)] or [int(line.at) for line in level]
        return Frame((left, min(ends), right, max(ends)), False)
    if len(upright) >= 3 and _even(upright, seen.size[0]):
        top, bottom = min(line.low for line in upright), max(line.high for line in upright)
        return Frame((int(upright[0].at), top, int(upright[-1].at), bottom), False)
    return None


def _even(lines: list[Line], side: int) -> bool:
    """Say whether lines stand as evenly, and as far from each other, as those of a grid; those of a staff do not."""
    gaps = np.diff(sorted(line.at for line in lines))
    return bool(gaps.min() > APART * side and gaps.max() - gaps.min() < 0.1 * gaps.max() + 3)


def refine(seen: Seen, frame: Box, at: float, upright: bool, reach: float) -> float:
    """Move the place of a number along an axis to the tick or the line of the grid that is drawn there, if one is.

    upright: along the left axis, else along the bottom. reach: how far to look, in pixels.
    """
    left, top, right, bottom = frame
    far = seen.far if upright else seen.far.T
    before, start, end = (left, left + 2, right - 2) if upright else (bottom, top + 2, bottom - 2)
    low, high = max(0, int(at - reach)), int(at + reach) + 2
    ticks = far[low:high, max(0, before - 5) : before - 1] if upright else far[low:high, before + 2 : before + 6]
    grid = far[low:high, start:end]
    for area in (ticks, grid):
        if area.shape[0] < 3 or area.shape[1] < 3:
            continue
        profile = np.median(area, axis=1).astype(np.float64)
        profile = np.clip(profile - np.median(profile), 0, None)
        peak = int(profile.argmax())
        near = profile[max(0, peak - 2) : peak + 3]
        if profile[peak] > GROUND * 0.6 and near.sum() > 0.8 * profile.sum():
            return low + max(0, peak - 2) + float((near * np.arange(near.size)).sum() / near.sum())
    return at


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
