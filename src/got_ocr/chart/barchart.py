"""Bars and the texts around them -> the plan of a bar chart. Knows no pixels but letters."""

from collections.abc import Sequence

import cv2
import numpy as np

from got_ocr.chart import layout
from got_ocr.chart.bars import Bar, Bars
from got_ocr.chart.frame import Frame, refine
from got_ocr.chart.patches import Patches
from got_ocr.chart.plan import Mark, Plan, Row, Tick
from got_ocr.chart.seen import Seen
from got_ocr.chart.sheet import Sheet
from got_ocr.chart.words import Letters, Text, find_letters, group, text_of
from got_ocr.lines import Box

NEAR = 1.4  # of the letters' height: from the end of a bar to its value


def bar_plan(seen: Seen, patches: Patches, bars: Bars, frame: Frame | None, sheet: Sheet) -> Plan | None:
    """Plan a chart of bars; None where no names or numbers stand along its axes."""
    own = np.isin(patches.owner, np.fromiter(bars.places, np.int32)).astype(np.uint8)
    own = cv2.dilate(own, np.ones((3, 3), np.uint8))
    letters = find_letters(np.where(own > 0, 0, seen.ink).astype(np.uint8))
    if letters is None:
        return None
    sheet.take(letters)
    plot = _plot(bars, frame)
    around = layout.around(letters, plot)
    values = _values(letters, bars)
    used = {k for text in values.values() for k in text.letters}
    row = [k for k in around.row if k not in used]
    if bars.upright:
        names: Sequence[Text | None] = layout.names_at(letters, row, bars.middles)
        numbers = list(around.left)
    else:
        names = _beside(around.left, bars.middles)
        numbers = group(letters, row)
    if not any(names) or len(numbers) < 1:
        return None
    legend = layout.legend(letters, bars.swatches, [k for k in around.others if k not in used])
    free = [k for k in around.others if k not in used and not any(text and k in text.letters for text in legend)]
    heads = sheet.heads(letters, free, plot, around.upright)
    frame_box = frame.box if frame else plot
    ticks = tuple(
        Tick(_place(seen, frame_box, text, bars.upright, letters.unit), sheet.label(text)) for text in numbers
    )
    keys = tuple(sheet.label(text) if text else None for text in names)
    rows = tuple(_row(bars, series, sheet, legend, values) for series in range(len(bars.swatches)))
    return Plan(sheet.labels, heads, keys, rows, ticks, upright=bars.upright, bars=True)


def _place(seen: Seen, frame: Box, text: Text, upright: bool, unit: float) -> float:
    at = text.middle[1 if upright else 0]
    return refine(seen, frame, at, upright, 0.6 * unit)


def _row(bars: Bars, series: int, sheet: Sheet, legend: Sequence[Text | None], values: dict[Bar, Text]) -> Row:
    name = legend[series]
    marks = []
    for bar in sorted((bar for bar in bars.bars if bar.series == series), key=lambda bar: bar.column):
        start, end = ends(bars, bar)
        text = values.get(bar)
        marks.append(Mark(end, start, bar.column, printed=sheet.label(text) if text else None))
    return Row(sheet.label(name) if name and len(bars.swatches) > 1 else None, tuple(marks))


def ends(bars: Bars, bar: Bar) -> tuple[float, float]:
    """Give where a bar begins and where it ends, along the value axis."""
    left, top, right, bottom = bar.box
    low, high = (bottom, top) if bars.upright else (left, right)
    if bars.stacked:
        return float(low), float(high)
    end = high if abs(low - bars.base) <= abs(high - bars.base) else low
    return bars.base, float(end)


def _plot(bars: Bars, frame: Frame | None) -> Box:
    boxes = np.array([bar.box for bar in bars.bars])
    box = (int(boxes[:, 0].min()), int(boxes[:, 1].min()), int(boxes[:, 2].max()), int(boxes[:, 3].max()))
    if frame is None:
        return box
    left, top, right, bottom = frame.box
    inside = left - 4 <= box[0] and box[2] <= right + 4 and top - 4 <= box[1] and box[3] <= bottom + 4
    if frame.sure and inside:
        return frame.box
    return min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])


def _beside(texts: Sequence[Text], middles: Sequence[float]) -> list[Text | None]:
    """Give each category of lying bars the name nearest to its middle."""
    room = abs(middles[1] - middles[0]) / 2 if len(middles) > 1 else 10**6
    out: list[Text | None] = []
    for middle in middles:
        best = min(texts, key=lambda text: abs(text.middle[1] - middle), default=None)
        out.append(best if best and abs(best.middle[1] - middle) < room else None)
    return out


def _values(found: Letters, bars: Bars) -> dict[Bar, Text]:
    """Find the number that is printed in or beside each bar."""
    if bars.stacked:
        texts = {bar: _inside(found, bar) for bar in bars.bars}
    elif bars.upright:
        texts = {bar: _over(found, bar, bars) for bar in bars.bars}
        turned = sum(1 for text in texts.values() if text and _stands(found, text))
        if turned > 0.5 * sum(1 for text in texts.values() if text):
            texts = {bar: text_of(found, text.letters, 90) if text else None for bar, text in texts.items()}
    else:
        texts = {bar: _behind(found, bar) for bar in bars.bars}
    return {bar: text for bar, text in texts.items() if text}


def _stands(found: Letters, text: Text) -> bool:
    left, top, right, bottom = text.box
    return bottom - top > 1.35 * found.unit and bottom - top > right - left


def _inside(found: Letters, bar: Bar) -> Text | None:
    left, top, right, bottom = bar.box
    letters = [
        k
        for k in found.inside(left - 1, top, right + 1, bottom)
        if found.boxes[k][3] - found.boxes[k][1] > 0.12 * found.unit
    ]
    return text_of(found, letters) if letters else None


def _slot(bar: Bar, bars: Bars) -> float:
    """Give half the width that a bar's number may have: to the middle of the next bar."""
    middles = sorted((other.box[0] + other.box[2]) / 2 for other in bars.bars)
    own = (bar.box[0] + bar.box[2]) / 2
    return min((abs(own - middle) for middle in middles if abs(own - middle) > 2), default=200.0) / 2


def _over(found: Letters, bar: Bar, bars: Bars) -> Text | None:
    """Take the letters that stand over a bar, or under it where it hangs, up to the first gap."""
    left, top, right, bottom = bar.box
    middle, half = (left + right) / 2, max(_slot(bar, bars), (right - left) / 2)
    if abs(top - bars.base) < abs(bottom - bars.base):
        near = found.inside(middle - half, bottom - 1, middle + half, 10**6)
        return _chain(found, [(int(found.boxes[k][1]) - bottom, int(found.boxes[k][3]) - bottom, k) for k in near], 0.6)
    near = found.inside(middle - half, 0, middle + half, top + 1)
    return _chain(found, [(top - int(found.boxes[k][3]), top - int(found.boxes[k][1]), k) for k in near], 0.6)


def _behind(found: Letters, bar: Bar) -> Text | None:
    """Take the letters that follow a lying bar, up to the first wide gap."""
    _, top, right, bottom = bar.box
    middle, half = (top + bottom) / 2, max(0.5 * (bottom - top), 0.5 * found.unit)
    near = found.inside(right - 1, middle - half, 10**6, middle + half)
    return _chain(found, [(int(found.boxes[k][0]) - right, int(found.boxes[k][2]) - right, k) for k in near], 0.8)


def _chain(found: Letters, spans: Sequence[tuple[int, int, int]], room: float) -> Text | None:
    """Join letters that follow each other away from the end of a bar. spans: from where to where each reaches. room: between them."""
    reach = 0
    chain: list[int] = []
    for low, high, letter in sorted(spans):
        if low - reach > (room if chain else NEAR) * found.unit:
            break
        chain.append(letter)
        reach = max(reach, high)
    return text_of(found, chain) if chain else None
