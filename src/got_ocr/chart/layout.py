"""Where texts stand around a plot: numbers along its axes, names of categories, titles, legend. Knows no marks and no words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from got_ocr.chart.words import WORDS, Letters, Text, group, text_of
from got_ocr.columns import runs
from got_ocr.lines import Box

ROOM = 2.0  # of the letters' height: the widest gap between the letters of a turned title
ALIGNED = 0.6  # of the letters' height, by which the ends of names along an axis may differ
TILTED = 1.9  # of the letters' height: higher rows of names are turned


@dataclass(frozen=True, slots=True)
class Around:
    """The texts around a plot. left: along its left axis, from top to bottom. below: the letters of the row under it, and the others."""

    left: tuple[Text, ...]
    upright: Text | None
    row: tuple[int, ...]
    others: tuple[int, ...]


def around(found: Letters, plot: Box) -> Around:
    """Sort the letters outside of a plot."""
    left, top, _, bottom = plot
    unit, strokes = found.unit, ticks_of(found)
    beside = [k for k in found.inside(0, top - unit, left - 1, bottom + 0.6 * unit) if not _tick(found, k, left, None)]
    beside = [k for k in beside if found.boxes[k][2] <= left - 2 and k not in strokes]
    upright = _turned(found, beside, plot)
    taken = set(upright.letters if upright else ())
    texts = _aligned(found, [k for k in beside if k not in taken])
    taken.update(k for text in texts for k in text.letters)
    under = [
        k for k in found.inside(0, bottom + 1, 10**6, 10**6) if k not in taken | strokes and found.boxes[k][1] >= bottom
    ]
    under = [k for k in under if not _tick(found, k, None, bottom)]
    row = _first_row(found, under)
    taken.update(row)
    width = 10**6
    everything = found.inside(0, 0, width, width)
    inner = set(found.inside(left, top, plot[2] + 1, bottom + 1))
    others = [k for k in everything if k not in taken | inner | strokes and not _near_tick(found, k, plot)]
    return Around(tuple(texts), upright, tuple(row), tuple(others))


def ticks_of(found: Letters) -> set[int]:
    """Find the strokes of ticks: short lines of one size in a row or a column, with nothing beside them that they could belong to."""
    boxes, unit = found.boxes, found.unit
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    out = set[int]()
    for axis, thin, long in ((0, tall, wide), (1, wide, tall)):
        some = [
            int(k) for k in np.flatnonzero((thin >= 1) & (thin <= 3) & (long >= 3) & (long <= 9) & (long < 0.75 * unit))
        ]
        for k in some:
            row = [other for other in some if abs(int(boxes[other][axis + 2]) - int(boxes[k][axis + 2])) <= 1]
            if len(row) >= 2 and all(_alone(found, other, axis) for other in row):
                out.update(row)
    return out


def _alone(found: Letters, stroke: int, axis: int) -> bool:
    """Say whether nothing stands close behind a stroke that points to the right, or before one that points down."""
    x0, y0, x1, y1 = (int(edge) for edge in found.boxes[stroke])
    reach = 0.45 * found.unit
    if axis == 0:
        near = found.inside(x1 - 1, y0 - reach, x1 + 2 * reach, y1 + reach)
    else:
        near = [
            *found.inside(x0 - 1.5 * reach, y0 - reach, x0, y1 + reach),
            *found.inside(x1, y0 - reach, x1 + 1.5 * reach, y1 + reach),
        ]
    return all(k == stroke for k in near)


def _tick(found: Letters, letter: int, left: float | None, bottom: float | None) -> bool:
    """Say whether what looks like a letter is the stroke of a tick."""
    x0, y0, x1, y1 = (int(edge) for edge in found.boxes[letter])
    if left is not None:
        return x1 - x0 <= 8 and y1 - y0 <= 3 and x1 >= left - 3
    return bottom is not None and y1 - y0 <= 8 and x1 - x0 <= 3 and y0 <= bottom + 4


def _near_tick(found: Letters, letter: int, plot: Box) -> bool:
    x0, y0, x1, y1 = (int(edge) for edge in found.boxes[letter])
    beside = plot[0] - 12 <= x0 and x1 <= plot[0] + 2
    under = plot[3] - 2 <= y0 and y1 <= plot[3] + 12
    return (beside and _tick(found, letter, plot[0], None)) or (under and _tick(found, letter, None, plot[3]))


def _turned(found: Letters, beside: Sequence[int], plot: Box) -> Text | None:
    """Find the title that runs up along the left edge: a narrow band of letters that follow each other closely."""
    if not beside:
        return None
    unit = found.unit
    columns = np.zeros(int(max(found.boxes[k][2] for k in beside)) + 1, bool)
    for k in beside:
        columns[found.boxes[k][0] : found.boxes[k][2]] = True
    bands = runs(columns)
    start, end = bands[0]
    for low, high in bands[1:]:
        if high - start > 1.9 * unit or low - end > 2:
            break
        end = high
    if end - start > 2.2 * unit:
        return None
    band = found.inside(start - 1, 0, end + 1, 10**6)
    chain = _chain(found, band, (plot[1] + plot[3]) / 2)
    if len(chain) < 2:
        return None
    text = text_of(found, chain, 90)
    return text if text.box[3] - text.box[1] > 1.2 * (text.box[2] - text.box[0]) else None


def _chain(found: Letters, band: Sequence[int], middle: float) -> list[int]:
    """Take the letters that follow each other up and down from the one nearest to a height."""
    order = sorted(band, key=lambda k: int(found.boxes[k][1]))
    spans: list[list[int]] = []
    low = -(10**6)
    for k in order:
        if not spans or found.boxes[k][1] - low > ROOM * found.unit:
            spans.append([])
            low = -(10**6)
        spans[-1].append(k)
        low = max(low, int(found.boxes[k][3]))

    def away(span: list[int]) -> float:
        box = found.around(span)
        return max(box[1] - middle, middle - box[3], 0) + 0.01 * abs((box[1] + box[3]) / 2 - middle)

    return min(spans, key=away, default=[])


def _aligned(found: Letters, letters: Sequence[int]) -> list[Text]:
    """Find the texts that end at one line, at the axis, from top to bottom."""
    rows = group(found, letters, 1.6)
    if not rows:
        return []
    room = ALIGNED * found.unit + 2
    end = max(
        (text.box[2] for text in rows), key=lambda end: (sum(abs(text.box[2] - end) <= room for text in rows), end)
    )
    kept = [text for text in rows if abs(text.box[2] - end) <= room]
    return sorted(kept, key=lambda text: text.middle[1])


def _first_row(found: Letters, letters: Sequence[int]) -> list[int]:
    """Take the letters of the first row, which for turned names is a high one."""
    order = sorted(letters, key=lambda k: int(found.boxes[k][1]))
    row: list[int] = []
    low = 0
    for k in order:
        if row and found.boxes[k][1] > low + 2 and low - min(int(found.boxes[r][1]) for r in row) > 0.5 * found.unit:
            break
        row.append(k)
        low = max(low, int(found.boxes[k][3]))
    return row


def names_at(found: Letters, row: Sequence[int], places: Sequence[float]) -> list[Text | None]:
    """Give each place along the bottom the name that stands under it, whichever way names are turned."""
    if not row or not places:
        return [None] * len(places)
    box = found.around(row)
    tilt = tilt_of(found, row, places)
    if tilt == 45:
        return _tilted(found, row, places, box)
    slots: list[list[int]] = [[] for _ in places]
    for k in row:
        x = (int(found.boxes[k][0]) + int(found.boxes[k][2])) / 2
        slots[min(range(len(places)), key=lambda i: abs(places[i] - x))].append(k)
    return [text_of(found, slot, tilt) if slot else None for slot in slots]


def tilt_of(found: Letters, row: Sequence[int], places: Sequence[float]) -> int:
    """Tell by how many degrees the names of a row are turned: 0, 45 or 90."""
    box = found.around(row)
    if box[3] - box[1] < TILTED * found.unit:
        return 0
    middles = [((int(b[0]) + int(b[2])) / 2, (int(b[1]) + int(b[3])) / 2) for b in (found.boxes[k] for k in row)]
    # Upright names are narrow: their letters stand in columns; tilted ones stand on slopes.
    upright = _sharp([x for x, _ in middles], found.unit)
    sloped = _sharp([(x + y) * 0.7071 for x, y in middles], found.unit)
    return 90 if upright > sloped else 45


def _sharp(places: Sequence[float], unit: float) -> float:
    counts = np.bincount([int(place / (0.35 * unit)) + 2 for place in places])
    return float((counts.astype(np.float64) ** 2).sum())


def _tilted(found: Letters, row: Sequence[int], places: Sequence[float], box: Box) -> list[Text | None]:
    """Give each place the name that ends there and comes up from the lower left: x + y is the same along it."""
    sums = {k: (found.boxes[k][0] + found.boxes[k][2] + found.boxes[k][1] + found.boxes[k][3]) / 2 for k in row}
    starts = [x + box[1] for x in places]
    pitch = abs(starts[-1] - starts[0]) / (len(starts) - 1) if len(starts) > 1 else 10**6

    def miss(shift: float) -> float:
        return float(sum(min(abs(value - start - shift) for start in starts) ** 2 for value in sums.values()))

    tries = [found.unit * part * 0.1 for part in range(-10, 31)]
    shift = min((t for t in tries if abs(t) <= 0.75 * pitch + found.unit), key=miss, default=0.0)
    slots: list[list[int]] = [[] for _ in places]
    for k, value in sums.items():
        slots[min(range(len(starts)), key=lambda i: abs(value - starts[i] - shift))].append(k)
    return [text_of(found, slot, 45) if slot else None for slot in slots]


def beside_swatch(found: Letters, swatch: Box, letters: Sequence[int], stops: Sequence[Box]) -> Text | None:
    """Find the text at the right of a swatch of a legend. stops: the other swatches, where it ends."""
    _, top, right, bottom = swatch
    middle, unit = (top + bottom) / 2, found.unit
    row = [
        k
        for k in letters
        if abs((found.boxes[k][1] + found.boxes[k][3]) / 2 - middle) < 0.95 * unit and found.boxes[k][0] >= right - 1
    ]
    ends = [stop[0] for stop in stops if stop[0] > right and abs((stop[1] + stop[3]) / 2 - middle) < unit]
    limit = min(ends, default=10**6)
    chain: list[int] = []
    reach = float(right) + 1.2 * unit
    for k in sorted(row, key=lambda k: int(found.boxes[k][0])):
        if found.boxes[k][0] > reach + WORDS * unit or found.boxes[k][2] > limit:
            break
        chain.append(k)
        reach = max(reach if len(chain) > 1 else 0.0, float(found.boxes[k][2]))
    return text_of(found, chain) if chain else None


def legend(found: Letters, swatches: Sequence[Box | None], letters: Sequence[int]) -> list[Text | None]:
    """Find the name beside each swatch."""
    stops = [swatch for swatch in swatches if swatch]
    return [beside_swatch(found, swatch, letters, stops) if swatch else None for swatch in swatches]


def stripes(spans: Sequence[tuple[int, int]], room: int) -> list[tuple[int, int]]:
    """Join spans that are no more than `room` apart."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if out and low - out[-1][1] <= room:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def slopes(found: Letters, row: Sequence[int]) -> int:
    """Count the names of a row that are turned by 45 degrees."""
    spans = []
    for k in row:
        x0, y0, x1, y1 = (int(edge) for edge in found.boxes[k])
        middle, half = (x0 + x1 + y0 + y1) / 2, 0.25 * found.unit
        spans.append((round(middle - half), round(middle + half)))
    return len(stripes(spans, round(0.35 * found.unit)))


def plot_by_words(found: Letters) -> Box | None:
    """Guess where a plot without axes stands: right of a column of numbers, over a row of names. None where there are not both."""
    strokes = ticks_of(found)
    texts = [
        text
        for text in group(found, [k for k in found.inside(0, 0, 10**6, 10**6) if k not in strokes])
        if text.box[3] - text.box[1] > 0.5 * found.unit
    ]
    if not 6 <= len(texts) <= 80:
        return None
    columns = [[t for t in texts if abs(t.box[2] - one.box[2]) <= ALIGNED * found.unit] for one in texts]
    column = max((c for c in columns if len(c) >= 3 and _evenly(c)), key=lambda c: (len(c), -c[0].box[2]), default=None)
    if column is None:
        return None
    column = sorted(column, key=lambda text: text.middle[1])
    left, last = max(text.box[2] for text in column), column[-1]
    pitch = column[1].middle[1] - column[0].middle[1]
    under = [t for t in texts if t.middle[1] > last.middle[1] + 0.8 * found.unit and t.box[2] > left]
    if not under:
        return None
    bottom = min(text.box[1] for text in under)
    row = [t for t in under if t.box[1] < bottom + 1.2 * found.unit]
    if len(row) < 2 or bottom - last.middle[1] > 1.5 * pitch + 2 * found.unit:
        return None
    titles = [t.box[3] for t in texts if t.box[2] > left and t.box[3] < column[0].box[1]]
    top = max([0, round(column[0].middle[1] - 0.95 * pitch), *(edge + 2 for edge in titles)])
    return left + 4, top, max(text.box[2] for text in row), bottom - 5


def _evenly(texts: Sequence[Text]) -> bool:
    """Say whether texts stand at even distances, and far enough from each other to be along an axis."""
    places = sorted(text.middle[1] for text in texts)
    gaps = np.diff(places)
    tall = float(np.median([text.box[3] - text.box[1] for text in texts]))
    return bool(gaps.min() > 2.2 * tall and gaps.max() - gaps.min() < 0.12 * gaps.max() + 3)
