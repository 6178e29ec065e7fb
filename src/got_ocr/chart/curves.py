"""Pixels of one colour -> the course of a line, the points at its corners, or the middles of dots. Knows no text and no axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.chart.seen import Pixels

Mask = NDArray[np.bool_]

BLEND = 0.45  # of a colour, the least that a pixel of a thin line has of it
GREY, GREY_BLEND = (
    40.0,
    0.62,
)  # the same for a colour with less between its channels, which the grid may be blended with
OFF = 34.0  # levels by which a pixel may differ from the blend
SHARP = 0.4  # by which the slopes of two pieces differ at a corner that tells its place
STRAY = 5.0  # pixels, at most, from where a corner was expected
MOST_DOTS = 60  # of one colour


def blends(
    pixels: Pixels, paper: NDArray[np.float64], colours: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float32], list[Mask]]:
    """Say for each pixel how much of its nearest colour it has, and for each colour where its pixels are."""
    away = pixels.astype(np.float32) - paper.astype(np.float32)
    best = np.full(away.shape[:2], np.inf, np.float32)
    chosen = np.full(away.shape[:2], -1, np.int32)
    share = np.zeros(away.shape[:2], np.float32)
    for place, colour in enumerate(colours):
        way = (colour - paper).astype(np.float32)
        part = np.clip(away @ way / max(float(way @ way), 1.0), 0, 1)
        left = np.abs(away - part[..., None] * way).max(2)
        # What is blended equally well with two colours has more of the one that needs less of it to be full.
        miss = left + 12 * (1 - part)
        better = (part > (BLEND if float(np.ptp(colour)) > GREY else GREY_BLEND)) & (left < OFF) & (miss < best)
        best[better], chosen[better], share[better] = miss[better], place, part[better]
    return share, [chosen == place for place in range(len(colours))]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The course of a line: for each column of pixels the middle of its ink (not a number where there is none), and its thickness."""

    middle: NDArray[np.float64]
    thick: NDArray[np.float64]

    @property
    def reach(self) -> tuple[float, float]:
        """Give where the line begins and ends, half a marker taken off where its points have markers."""
        drawn = np.flatnonzero(np.isfinite(self.middle))
        if not drawn.size:
            return 0.0, 0.0
        return float(drawn[0]), float(drawn[-1])


def course(mask: Mask, share: NDArray[np.float32]) -> Course:
    """Follow a line from left to right."""
    weight = np.where(mask, share, 0.0)
    total = weight.sum(0)
    rows = np.arange(mask.shape[0], dtype=np.float64)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(total > 0.3, (weight * rows).sum(0) / total, np.nan)
    return Course(middle, mask.sum(0).astype(np.float64))


def _pieces(line: Course, places: Sequence[float], marker: float) -> list[tuple[float, float, int] | None]:
    """Fit the straight piece between each place and the next."""
    pieces = []
    for low, high in pairwise(places):
        trim = min(max(0.12 * (high - low), marker + 1), 0.35 * (high - low))
        pieces.append(_straight(line, low + trim, high - trim))
    return pieces


def refined(lines: Sequence[tuple[Course, float]], places: Sequence[float]) -> list[float]:
    """Move places to where the pieces of lines meet: their ends may be drawn a little longer than they are. lines: with their markers."""
    found = []
    for line, marker in lines:
        pieces = _pieces(line, places, marker)
        for i, (one, two) in enumerate(pairwise(pieces), 1):
            if one and two and abs(one[0] - two[0]) > SHARP:
                meet = (two[1] - one[1]) / (one[0] - two[0])
                if abs(meet - places[i]) < STRAY:
                    found.append((i - (len(places) - 1) / 2, meet - places[i]))
    if len(found) < 2:
        return list(places)
    at, off = np.array(found).T
    # A few places that do not move, so that one corner alone cannot stretch all of them.
    rows = np.stack([np.ones_like(at), at], 1)
    shift, stretch = np.linalg.solve(rows.T @ rows + np.diag([0.5, 1.0]), rows.T @ off)
    return [x + shift + stretch * (i - (len(places) - 1) / 2) for i, x in enumerate(places)]


def corners(line: Course, places: Sequence[float], marker: float) -> list[float]:
    """Find the height of a line at places: where the straight pieces on either side of each meet. marker: half the width of one."""
    pieces = _pieces(line, places, marker)
    out = []
    for i, x in enumerate(places):
        sides = [piece for piece in (pieces[i - 1] if i else None, pieces[i] if i < len(pieces) else None) if piece]
        ends = [slope * x + start for slope, start, _ in sides]
        here = _at(line, x)
        if len(ends) == 2 and abs(ends[0] - ends[1]) > 4:
            # One of the pieces is another line's, or hidden: the one nearer to what is drawn there.
            ends = (
                [min(ends, key=lambda end: abs(end - here))]
                if np.isfinite(here)
                else [ends[int(sides[0][2] < sides[1][2])]]
            )
        out.append(float(np.mean(ends)) if ends else here)
    return out


def _at(line: Course, x: float) -> float:
    near = line.middle[max(0, round(x) - 1) : round(x) + 2]
    near = near[np.isfinite(near)]
    return float(np.median(near)) if near.size else float("nan")


def _straight(line: Course, low: float, high: float) -> tuple[float, float, int] | None:
    """Fit the straight piece between two places: slope, height at 0, and how many columns lie on it."""
    columns = np.arange(max(0, int(np.ceil(low))), min(line.middle.size, int(high) + 1))
    columns = columns[np.isfinite(line.middle[columns])] if columns.size else columns
    if columns.size < 4:
        return None
    heights = line.middle[columns]
    slope, start = np.polyfit(columns, heights, 1)
    for _ in range(4):
        away = np.abs(heights - slope * columns - start)
        kept = away <= max(1.0, 1.5 * float(np.median(away)))
        if kept.sum() < 4 or kept.all():
            break
        columns, heights = columns[kept], heights[kept]
        slope, start = np.polyfit(columns, heights, 1)
    return float(slope), float(start), int(columns.size)


def marker_of(mask: Mask) -> float:
    """Measure half the width of a line's markers; 0 for a line without."""
    drawn = np.flatnonzero(mask.any(0))
    if drawn.size < 8:
        return 0.0
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    deepest = distance.max(0)
    thin = float(np.median(deepest[drawn]))
    ends = max(
        float(deepest[drawn[0] : drawn[0] + 14].max()), float(deepest[max(0, drawn[-1] - 13) : drawn[-1] + 1].max())
    )
    return ends if ends > 1.5 * thin + 0.7 else 0.0


def ends_of(mask: Mask, marker: float) -> tuple[float, float]:
    """Give where a line's first and last points are. marker: half the width of one at the points."""
    drawn = np.flatnonzero(mask.any(0))
    if not drawn.size:
        return 0.0, 0.0
    if not marker:
        return float(drawn[0]), float(drawn[-1])
    # The middle of a marker is the middle of its rows and columns, whatever its shape.
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3).max(0)
    reach = round(2 * marker) + 4
    first = drawn[0] + int(distance[drawn[0] : drawn[0] + reach].argmax())
    last = drawn[-1] - int(distance[max(0, drawn[-1] - reach) : drawn[-1] + 1][::-1].argmax())
    return float(first), float(last)


def dots(mask: Mask, share: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Find the middles of dots; those that touch are parted by their area."""
    _, ids, stats, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = stats[1:, 4]
    kept = [i + 1 for i in np.flatnonzero(sizes >= 8)]
    if not kept:
        return []
    usual = float(np.median(stats[kept, 4]))
    out: list[tuple[float, float]] = []
    for i in kept:
        if stats[i, 4] < 0.3 * usual:
            continue
        many = max(1, round(float(stats[i, 4]) / usual))
        if many == 1 or stats[i, 4] < 1.5 * usual:
            out.append((float(middles[i][0]), float(middles[i][1])))
        else:
            out += _parted(ids == i, min(many, 6))
        if len(out) > MOST_DOTS:
            break
    return out


def _parted(mask: Mask, many: int) -> list[tuple[float, float]]:
    spots = np.stack(np.nonzero(mask)[::-1], 1).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.1)
    cv2.setRNGSeed(1)
    _, _, centres = cv2.kmeans(spots, many, np.empty(0, np.int32), stop, 3, cv2.KMEANS_PP_CENTERS)
    return [(float(x), float(y)) for x, y in centres]
