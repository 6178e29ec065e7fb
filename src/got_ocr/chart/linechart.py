"""Lines or dots in a plot and the texts around it -> the plan of a line chart or a scatter chart. Knows no flat areas."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.chart import curves, layout
from got_ocr.chart.frame import Frame, refine
from got_ocr.chart.plan import Mark, Plan, Row, Tick
from got_ocr.chart.seen import PALE, Pixels, Seen
from got_ocr.chart.sheet import Sheet
from got_ocr.chart.words import GAP, WORDS, Letters, Text, find_letters, group
from got_ocr.lines import Box

HANDLE = 4.6  # of the letters' height: how far to the left of its name a legend shows a line
GREYISH = 110  # levels between the channels of a colour: less cannot be told from an axis where they are blended
FAINT = 42  # levels by which a thin line stands out from paper
LEAST_TICKS = 3
MOST_BARE, MOST_INSIDE = 400, 80  # letters of a chart without axes, and of its plot
LEAST_PLOT = 120  # pixels
LEAST_SPAN = 0.06  # of the plot's width: what is wider and of one colour is a line and no dot


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A series. name: its text in the legend, where there is one. colour: of its line or dots."""

    name: Text | None
    colour: NDArray[np.float64]


def line_plan(seen: Seen, frame: Frame | None, sheet: Sheet) -> Plan | None:
    """Plan a chart of lines or dots; None where there are none, or no names or numbers along its axes."""
    letters = find_letters(_unframed(seen, frame.box) if frame else seen.ink)
    if letters is None:
        return None
    plot = frame.box if frame else _bare(seen, letters)
    if plot is None:
        return None
    sheet.take(letters)
    around = layout.around(letters, plot)
    over = [k for k in around.others if _over(letters, k, plot)]
    outside = [k for k in around.others if not _over(letters, k, plot)]
    if len(around.left) < LEAST_TICKS or not around.row:
        return None
    shown, used = _shown(seen, letters, plot, outside)
    if not shown:
        return None
    corner, inner = _inner(seen, plot, shown, round(letters.unit))
    paper = np.median(inner.reshape(-1, 3)[::7], axis=0).astype(np.float64)
    share, masks = curves.blends(inner, paper, [one.colour for one in shown])
    masks = [_without_specks(mask) for mask in masks]
    lined = any(_widest(mask) > max(3 * letters.unit, LEAST_SPAN * (plot[2] - plot[0])) for mask in masks)
    ticks = tuple(Tick(refine(seen, plot, t.middle[1], True, 0.6 * letters.unit), sheet.label(t)) for t in around.left)
    names = [sheet.label(one.name) if one.name else None for one in shown]
    if lined:
        keys, rows = _lines(letters, sheet, around.row, shown, names, masks, share, corner, plot, over)
        across: tuple[Tick, ...] = ()
    else:
        keys, rows = (), _dots(names, masks, share, corner)
        across = tuple(
            Tick(refine(seen, plot, t.middle[0], False, 0.6 * letters.unit), sheet.label(t))
            for t in group(letters, around.row)
        )
    if not rows or not any(row.marks for row in rows):
        return None
    heads = sheet.heads(letters, [k for k in outside if k not in used], plot, around.upright)
    return Plan(sheet.labels, heads, keys, rows, ticks, across)


def _over(found: Letters, letter: int, plot: Box) -> bool:
    """Say whether a letter stands so little outside of a plot that it may belong to the value of a point."""
    x0, y0, x1, y1 = (int(edge) for edge in found.boxes[letter])
    unit = found.unit
    return plot[0] - 3 * unit < x0 and x1 < plot[2] + 3 * unit and plot[1] - 0.8 * unit < y1 and y0 < plot[3]


def _bare(seen: Seen, found: Letters) -> Box | None:
    """Find a plot without axes: coloured lines or dots, and next to no words, beside numbers and over names."""
    if found.boxes.any(1).sum() > MOST_BARE:
        return None
    plot = layout.plot_by_words(found)
    if plot is None or plot[2] - plot[0] < LEAST_PLOT or plot[3] - plot[1] < LEAST_PLOT:
        return None
    left, top, right, bottom = plot
    away = seen.pixels[top:bottom, left:right].astype(np.int16)
    coloured = (np.ptp(away, axis=2) > 40) & (seen.far[top:bottom, left:right] > 60)
    return plot if coloured.sum() >= 60 and len(found.inside(left, top, right, bottom)) <= MOST_INSIDE else None


def _inner(seen: Seen, plot: Box, shown: Sequence[Shown], unit: int) -> tuple[tuple[int, int], Pixels]:
    """Cut the plot out: its corner and its pixels. Marks may stand over its edge, where they can be told from the axis by colour."""
    left, top, right, bottom = plot
    out = unit // 2 if all(float(np.ptp(one.colour)) > GREYISH for one in shown) else -3
    corner = (max(0, left - out), max(0, top - out))
    return corner, seen.pixels[corner[1] : bottom + out + 1, corner[0] : right + out + 1]


def _unframed(seen: Seen, plot: Box) -> NDArray[np.uint8]:
    """Take the axes out of the ink."""
    ink = seen.ink.copy()
    left, top, right, bottom = plot
    for low, high, across in ((left, left, False), (right, right, False), (top, top, True), (bottom, bottom, True)):
        part = slice(max(0, low - 2), high + 3)
        if across:
            ink[part, max(0, left - 2) : right + 3] = 0
        else:
            ink[max(0, top - 2) : bottom + 3, part] = 0
    return ink


def _shown(seen: Seen, found: Letters, plot: Box, others: Sequence[int]) -> tuple[list[Shown], set[int]]:
    """Find the series by the legend, or the one that there is without a legend."""
    out, used = [], set[int]()
    taken = np.isin(found.ids, list(others)).astype(np.uint8)
    taken = cv2.dilate(taken, np.ones((3, 3), np.uint8))
    texts = sorted(
        group(found, others, WORDS), key=lambda text: (round(text.middle[1] / (0.8 * found.unit)), text.box[0])
    )
    for text in texts:
        high = text.box[3] - text.box[1] > 0.6 * found.unit
        colour = _handle(seen, found, text, taken, plot) if high else None
        if colour is not None:
            out.append(Shown(text, colour))
            used.update(text.letters)
    if out:
        return out, used
    colour = _single(seen, plot)
    return ([Shown(None, colour)] if colour is not None else []), used


def _handle(seen: Seen, found: Letters, text: Text, taken: NDArray[np.uint8], plot: Box) -> NDArray[np.float64] | None:
    """Read the colour of the line or dot that stands before a name; None where nothing does."""
    unit, middle = found.unit, text.middle[1]
    left, right = max(0, round(text.box[0] - HANDLE * unit)), max(0, round(text.box[0] - 0.35 * unit))
    if plot[1] <= middle <= plot[3] and text.box[0] > plot[2]:
        left = max(left, plot[2] + 3)
    top, bottom = max(0, round(middle - 0.5 * unit)), round(middle + 0.5 * unit) + 1
    part = (slice(top, bottom), slice(left, right))
    far = np.where(taken[part] > 0, 0, seen.far[part])
    if far.size == 0 or (far > FAINT).sum() < 6:
        return None
    near = far[:, max(0, far.shape[1] - round(3.6 * unit)) :]
    if (near > FAINT).sum() < 6:
        return None
    return _core(seen.pixels[part][far > FAINT], far[far > FAINT])


def _core(pixels: NDArray[np.uint8], far: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Take the colour of what is least blended with paper."""
    full = far >= 0.9 * np.percentile(far, 90)
    return np.asarray(np.median(pixels[full], axis=0), np.float64)


def _single(seen: Seen, plot: Box) -> NDArray[np.float64] | None:
    """Take the colour of what is drawn in the plot: coloured, or else what makes its largest piece."""
    left, top, right, bottom = plot
    part = (slice(top + 4, bottom - 3), slice(left + 4, right - 3))
    pixels, far = seen.pixels[part], seen.far[part]
    if far.size == 0:
        return None
    away = pixels.astype(np.int16)
    strong = far > 60
    coloured = strong & (seen.dark[part] > 0) & (away.max(2) - away.min(2) > 40)
    if coloured.sum() >= 40:
        return _core(pixels[coloured], far[coloured])
    dark = (seen.dark[part] > PALE * 255).astype(np.uint8)
    count, ids, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    if count < 2:
        return None
    largest = ids == int(stats[1:, 4].argmax()) + 1
    return _core(pixels[largest], far[largest]) if largest.sum() >= 8 else None


def _without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, ids, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = stats[:, 4] >= 4
    kept[0] = False
    return np.asarray(kept[ids])


def _widest(mask: NDArray[np.bool_]) -> int:
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int(stats[1:, 2].max()) if count > 1 else 0


def _lines(
    found: Letters,
    sheet: Sheet,
    row: Sequence[int],
    shown: Sequence[Shown],
    names: Sequence[int | None],
    masks: Sequence[NDArray[np.bool_]],
    share: NDArray[np.float32],
    corner: tuple[int, int],
    plot: Box,
    over: Sequence[int],
) -> tuple[tuple[int | None, ...], tuple[Row, ...]]:
    markers = [curves.marker_of(mask) for mask in masks]
    spans = [curves.ends_of(mask, marker) for mask, marker in zip(masks, markers, strict=True)]
    start, end = float(np.median([a for a, _ in spans])), float(np.median([b for _, b in spans]))
    places = _places(found, row, start + corner[0], end + corner[0])
    courses = [curves.course(mask, share) for mask in masks]
    inner = [x - corner[0] for x in places]
    places = [x + corner[0] for x in curves.refined(list(zip(courses, markers, strict=True)), inner)]
    texts = layout.names_at(found, row, places)
    keys = tuple(sheet.label(text) if text else None for text in texts)
    inside = (
        group(found, [*found.inside(plot[0], plot[1], plot[2] + 1, plot[3] + 1), *over], 0.8) if len(masks) == 1 else []
    )
    rows = []
    for name, line, marker in zip(names, courses, markers, strict=True):
        heights = curves.corners(line, [x - corner[0] for x in places], marker)
        marks = []
        for key, (x, y) in enumerate(zip(places, heights, strict=True)):
            if np.isfinite(y):
                text = _value(found, inside, (x, y + corner[1]), places)
                marks.append(Mark(y + corner[1], None, key, x, sheet.label(text) if text else None))
        rows.append(Row(name if len(masks) > 1 else None, tuple(marks)))
    return keys, tuple(rows)


def _places(found: Letters, row: Sequence[int], start: float, end: float) -> list[float]:
    """Say where categories stand: evenly from the first to the last point of the lines, as many as there are names."""
    if layout.tilt_of(found, row, [start, end]) == 0:
        counts = {gap: group(found, row, gap) for gap in (GAP, WORDS, 0.7)}
        count = len(min(counts.values(), key=lambda texts: _unevenness(texts, start, end)))
    elif layout.tilt_of(found, row, [start, end]) == 90:
        count = len(layout.stripes([(int(found.boxes[k][0]), int(found.boxes[k][2])) for k in row], 2))
    else:
        count = layout.slopes(found, row)
    count = min(max(count, 2), 40)
    return [start + (end - start) * i / (count - 1) for i in range(count)]


def _unevenness(texts: Sequence[Text], start: float, end: float) -> float:
    """Say how far names stand from even places between the first and the last point."""
    if len(texts) < 2:
        return float("inf")
    places = np.linspace(start, end, len(texts))
    return float(np.abs(np.sort([text.middle[0] for text in texts]) - places).max())


def _value(found: Letters, texts: Sequence[Text], point: tuple[float, float], places: Sequence[float]) -> Text | None:
    """Find the number that is printed over or under a point."""
    slot = (places[1] - places[0]) / 2
    near = [
        text
        for text in texts
        if abs(text.middle[0] - point[0]) < min(slot, 2.5 * found.unit)
        and abs(text.middle[1] - point[1]) < 2.6 * found.unit
        and text.box[3] - text.box[1] > 0.6 * found.unit
    ]
    return min(near, key=lambda text: abs(text.middle[0] - point[0]) + abs(text.middle[1] - point[1]), default=None)


def _dots(
    names: Sequence[int | None], masks: Sequence[NDArray[np.bool_]], share: NDArray[np.float32], corner: tuple[int, int]
) -> tuple[Row, ...]:
    rows = []
    for name, mask in zip(names, masks, strict=True):
        spots = sorted(curves.dots(mask, share))
        rows.append(
            Row(name if len(masks) > 1 else None, tuple(Mark(y + corner[1], across=x + corner[0]) for x, y in spots))
        )
    return tuple(rows)
