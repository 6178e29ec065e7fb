"""Ink of one text line -> the same on a level, straight base line. Knows no picture, row or model.

Lines of signs rise, fall and bow. Of many slopes and bows (parabolas) the one is right under which rows of ink are sharpest.
"""

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.uint8]  # (height, width), 0 paper .. 255 ink

DRAWN = 100  # of 255: what counts as drawn
POINTS = 1500  # of the ink that are looked at
BINS = 40.0  # rows, at most, that the height of the ink is divided into; none is finer than a pixel, or level ink would seem sharper
STEEPEST = 0.24  # pixels down per pixel right
DEEPEST = 0.6  # of the ink's height that the middle of a line may lie off its ends
SLOPES, BOWS = 13, 7  # that are tried first
LEVEL = 1.5  # width of the ink, of its height, below which its slope cannot be told
LONG = 2.5  # the same of its bow
GAIN = 1.01  # how much sharper it must become


def straightened(ink: Ink) -> Ink:
    """Move each column up or down so that the line lies level; ink that is level or too short to tell is returned as it is."""
    down, right = np.nonzero(ink > DRAWN)
    if down.size < 50:
        return ink
    some = slice(None, None, max(1, down.size // POINTS))
    y, x = down[some].astype(np.float32), right[some].astype(np.float32)
    (start, end), (top, bottom) = np.percentile(x, (1, 99)), np.percentile(y, (2, 98))
    width, height = max(float(end - start), 1.0), max(float(bottom - top), 1.0)
    if width < LEVEL * height:
        return ink
    middle = float(start + end) / 2
    bins = min(BINS, height)
    found = _shape((y - top) * (bins / height), (x - middle) / (width / 2), bins, width / height)
    if found is None:
        return ink
    along = np.clip((np.arange(ink.shape[1]) - middle) / (width / 2), -1.2, 1.2)
    rise, bow = (value * height / bins for value in found)
    return _moved(ink, rise * along + bow * (along**2 - 1 / 3))  # the mean over the line is 0


def _shape(y: NDArray[np.float32], x: NDArray[np.float32], bins: float, ratio: float) -> tuple[float, float] | None:
    """Find rise and bow, in bins, of ink at y (bins) and x (-1..1 along the line); None where it is level.

    bins: of its height. ratio: width by height.
    """
    squared = x * x

    def score(rise: float, bow: float) -> float:
        rows = y - rise * x - bow * squared
        counts = np.bincount((rows - rows.min()).astype(np.int64)).astype(np.float64)
        # Steep and bowed lines are rare: they must be that much sharper.
        return float(counts @ counts) * (1 - 0.25 * STEEPEST * abs(rise) / steepest) * (1 - 0.1 * abs(bow) / bins)

    steepest = min(STEEPEST * ratio / 2, 1.0) * bins
    deepest = DEEPEST * bins if ratio > LONG else 0.0
    level = score(0.0, 0.0)
    rise_step, bow_step = 2 * steepest / (SLOPES - 1), 2 * deepest / (BOWS - 1)
    rises = [i * rise_step - steepest for i in range(SLOPES)]
    bows = [i * bow_step - deepest for i in range(BOWS)] if deepest else [0.0]
    best = max((score(rise, bow), rise, bow) for rise in rises for bow in bows)
    for _ in range(4):
        rise_step, bow_step = rise_step / 2, bow_step / 2
        rises = [best[1] + i * rise_step for i in (-1, 0, 1)]
        bows = [best[2] + i * bow_step for i in (-1, 0, 1)] if deepest else [0.0]
        best = max((score(rise, bow), rise, bow) for rise in rises for bow in bows)
    return (best[1], best[2]) if best[0] > GAIN * level else None


def _moved(ink: Ink, shift: NDArray[np.float64]) -> Ink:
    """Take each column from `shift` pixels further down, between pixels where it must; beyond the edge is paper."""
    pad = int(np.abs(shift).max()) + 2
    padded = np.pad(ink, ((pad, pad), (0, 0))).astype(np.float32)
    whole = np.floor(shift).astype(np.int64)
    part = (shift - whole).astype(np.float32)
    rows = np.arange(ink.shape[0])[:, None] + pad + whole[None]
    upper, lower = np.take_along_axis(padded, rows, 0), np.take_along_axis(padded, rows + 1, 0)
    moved: Ink = (upper + (lower - upper) * part).astype(np.uint8)
    return moved
