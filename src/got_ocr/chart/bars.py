"""Flat areas -> bars: beside each other, lying or stacked, and the swatches of their legend. Knows no text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from got_ocr.chart.patches import Patch, Patches
from got_ocr.lines import Box

CLOSE = 4  # pixels by which edges on one line may differ
FULL = 0.86  # of its box that a bar fills
LEAST, SMALL = 3, 40  # pixels that a bar is wide at least, and its area
COVERED = 26  # pixels of a bar that the number on it covers
LONG, AREA = 0.12, 0.004  # of the picture, that the longest bar and all bars have at least
LEAST_LONG = 30  # pixels


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar. box: as drawn. column: which category it belongs to. series: which colour."""

    box: Box
    column: int
    series: int


@dataclass(frozen=True, slots=True)
class Bars:
    """All bars. base: where they begin. upright: they stand. middles: of the categories. swatches: of each series, or none.

    places: the areas (`Patches.owner`) that belong to them.
    """

    bars: tuple[Bar, ...]
    base: float
    upright: bool
    stacked: bool
    middles: tuple[float, ...]
    swatches: tuple[Box | None, ...]
    places: frozenset[int]


def find_bars(found: Patches, plot: Box | None) -> Bars | None:
    """Find the bars of a chart; None where there are fewer than two that begin at one line. plot: which they stand in, if it is known."""
    solid = [
        p
        for p in found.found
        if p.area >= SMALL and p.fill > FULL and min(p.wide, p.tall) >= LEAST and _inside(p.box, plot)
    ]
    if sum(p.area for p in solid) < AREA * found.owner.size:
        return None
    stacked = _stack(found, solid, plot)
    if stacked is not None:
        return stacked
    upright, base, members = _best_base(solid)
    kept = _alike_bars(members, upright)
    long = max((p.tall if upright else p.wide for p in kept), default=0)
    least = max(LONG * found.owner.shape[0 if upright else 1], float(LEAST_LONG))
    if len(kept) < 2 or long < least or sum(p.area for p in kept) < AREA * found.owner.size:
        return None
    return _bars(found, kept, base, upright)


def _inside(box: Box, plot: Box | None) -> bool:
    if plot is None:
        return True
    return plot[0] - 3 <= box[0] and box[2] <= plot[2] + 3 and plot[1] - 3 <= box[1] and box[3] <= plot[3] + 3


def _best_base(solid: Sequence[Patch]) -> tuple[bool, float, list[Patch]]:
    """Find the line at which most bars begin."""
    best: tuple[float, bool, float, list[Patch]] = (0.0, True, 0.0, [])
    for upright in (True, False):
        ends = [(p.box[1], p.box[3]) if upright else (p.box[0], p.box[2]) for p in solid]
        for at in {end for pair in ends for end in pair}:
            touching = [p for p, pair in zip(solid, ends, strict=True) if min(abs(end - at) for end in pair) <= CLOSE]
            votes = sum(min(p.area, 4000) for p in touching) ** 0.5 * _apart(touching, upright)
            if votes > best[0]:
                best = votes, upright, float(at), touching
    _, upright, base, members = best
    near = [
        end
        for p in members
        for end in ((p.box[1], p.box[3]) if upright else (p.box[0], p.box[2]))
        if abs(end - base) <= CLOSE
    ]
    return upright, float(np.median(near)) if near else base, members


def _apart(touching: Sequence[Patch], upright: bool) -> int:
    """Count bars that stand beside each other; a swatch in a row of its own is far smaller than they are."""
    long = [p.tall if upright else p.wide for p in touching]
    return len(touching) if len(set(long)) > 1 or len(long) < 3 else len(touching) - 1


def _alike_bars(members: Sequence[Patch], upright: bool) -> list[Patch]:
    """Keep the areas of one thickness, of colours that have about as many bars each."""
    if not members:
        return []
    thick = _thick(members, upright)
    kept = [p for p in members if abs((p.wide if upright else p.tall) - thick) <= max(2.0, 0.3 * thick)]
    counts = {p.colour: sum(other.colour == p.colour for other in kept) for p in kept}
    return [p for p in kept if counts[p.colour] >= 0.6 * max(counts.values())]


def _thick(members: Sequence[Patch], upright: bool) -> float:
    """Give the thickness that half of the area has at most; pieces of an axis between bars have little of it."""
    order = sorted(members, key=lambda p: p.wide if upright else p.tall)
    half = np.searchsorted(np.cumsum([p.area for p in order]), sum(p.area for p in order) / 2)
    middle = order[int(half)]
    return float(middle.wide if upright else middle.tall)


def _bars(found: Patches, kept: Sequence[Patch], base: float, upright: bool) -> Bars:
    """Sort bars that begin at one line by category and series."""
    thick = _thick(kept, upright)
    colours = sorted({p.colour for p in kept}, key=lambda colour: _first(kept, colour, upright))
    columns = _columns(kept, thick, upright, len(colours))
    bars = [Bar(p.box, columns[i], colours.index(p.colour)) for i, p in enumerate(kept)]
    count = max(columns) + 1
    middles = [_middle([bar for bar in bars if bar.column == column], upright) for column in range(count)]
    middles = _even(middles)
    swatches = _swatches(found, kept, colours)
    places = frozenset(p.place for p in kept) | frozenset(p.place for p in found.found if p.box in swatches)
    return Bars(tuple(bars), base, upright, False, tuple(middles), swatches, places)


def _first(kept: Sequence[Patch], colour: int, upright: bool) -> float:
    return min(p.middle[0 if upright else 1] for p in kept if p.colour == colour)


def _columns(kept: Sequence[Patch], thick: float, upright: bool, series: int) -> list[int]:
    """Number the category of each bar: its place among those of its colour, or else by the gaps between categories."""
    axis = 0 if upright else 1
    rows: dict[int, list[int]] = {}
    for i in sorted(range(len(kept)), key=lambda i: kept[i].middle[axis]):
        rows.setdefault(kept[i].colour, []).append(i)
    if len({len(row) for row in rows.values()}) == 1:
        places = {i: place for row in rows.values() for place, i in enumerate(row)}
        return [places[i] for i in range(len(kept))]
    order = sorted(range(len(kept)), key=lambda i: kept[i].middle[axis])
    columns = [0] * len(kept)
    column, seen = 0, set[int]()
    for place, i in enumerate(order):
        if place:
            gap = kept[i].box[axis] - kept[order[place - 1]].box[axis + 2]
            wide = series > 1 and gap > 0.14 * thick + 1.5 and gap > 2
            if series == 1 or wide or kept[i].colour in seen:
                column, seen = column + 1, set()
        seen.add(kept[i].colour)
        columns[i] = column
    return columns


def _middle(bars: Sequence[Bar], upright: bool) -> float:
    low = min(bar.box[0 if upright else 1] for bar in bars)
    high = max(bar.box[2 if upright else 3] for bar in bars)
    return (low + high) / 2


def _even(middles: Sequence[float]) -> list[float]:
    """Set middles evenly where a missing bar moved some of them."""
    if len(middles) < 3:
        return list(middles)
    places = np.arange(len(middles))
    slope, start = np.polyfit(places, middles, 1)
    line = start + slope * places
    return [float(v) for v in (line if np.abs(line - middles).max() < 0.3 * abs(slope) else middles)]


def _swatches(found: Patches, kept: Sequence[Patch], colours: Sequence[int]) -> tuple[Box | None, ...]:
    """Find each colour's swatch: areas of one size, one of each colour, that are no bars."""
    bars = {p.place for p in kept}
    spare = [[p for p in found.found if p.colour == c and p.place not in bars and p.fill > 0.8] for c in colours]
    sizes = [(p.wide, p.tall) for group in spare for p in group if p.wide <= 80 and p.tall <= 40]
    if not sizes:
        return (None,) * len(colours)

    def votes(size: tuple[int, int]) -> tuple[int, int]:
        return sum(any(_alike(p, size) for p in group) for group in spare), size[0]

    size = max(sizes, key=votes)
    return tuple(next((p.box for p in group if _alike(p, size)), None) for group in spare)


def _alike(patch: Patch, size: tuple[int, int]) -> bool:
    return abs(patch.wide - size[0]) <= 2 and abs(patch.tall - size[1]) <= 2


def _stack(found: Patches, solid: Sequence[Patch], plot: Box | None) -> Bars | None:
    """Find stacked bars: areas of several colours of one width that lie upon each other, in two columns at least."""
    wide = [p for p in found.found if p.wide >= 8 and p.fill > 0.3 and _inside(p.box, plot)]
    touching = [
        (one, two)
        for one in wide
        for two in wide
        if one.colour != two.colour
        and abs(one.box[0] - two.box[0]) <= CLOSE
        and abs(one.box[2] - two.box[2]) <= CLOSE
        and abs(one.box[3] - two.box[1]) <= 4
    ]
    lefts = sorted({one.box[0] for one, _ in touching})
    columns: list[tuple[int, int]] = []
    for left in lefts:
        if not columns or left - columns[-1][0] > 2 * CLOSE:
            pair = next(one for one, _ in touching if one.box[0] == left)
            columns.append((left, pair.box[2]))
    width = float(np.median([right - left for left, right in columns])) if columns else 0.0
    columns = [column for column in columns if abs(column[1] - column[0] - width) <= 4]
    members = [p for pair in touching for p in pair]
    if len(columns) < 2 or len(touching) < 0.5 * len(columns) * 1.0:
        return None
    lows = [max(p.box[3] for p in members if abs(p.box[0] - left) <= 2 * CLOSE) for left, _ in columns]
    if max(lows) - min(lows) > 2 * CLOSE + 1:
        return None
    base = float(np.median(lows))
    columns = _all_columns(solid, columns, base)
    inside = [_column(found, column, base) for column in columns]
    colours = [
        c
        for c in range(len(found.colours))
        if sum(any(p.colour == c and p.wide > 0.85 * width for p in column) for column in inside) >= 0.5 * len(columns)
    ]
    if len(colours) < 2:
        return None
    # From the base upwards, as the legend has them.
    colours.sort(key=lambda c: -np.median([p.middle[1] for column in inside for p in column if p.colour == c]))
    bars = []
    for place, column in enumerate(inside):
        for series, colour in enumerate(colours):
            boxes = [p.box for p in column if p.colour == colour]
            if boxes:
                box = (columns[place][0], min(b[1] for b in boxes), columns[place][1], max(b[3] for b in boxes))
                bars.append(Bar(box, place, series))
    kept = [p for column in inside for p in column if p.colour in colours]
    swatches = _swatches(found, kept, colours)
    places = frozenset(p.place for p in kept) | frozenset(p.place for p in found.found if p.box in swatches)
    middles = tuple((left + right) / 2 for left, right in columns)
    return Bars(tuple(bars), base, True, True, middles, swatches, places)


def _column(found: Patches, column: tuple[int, int], base: float) -> list[Patch]:
    """Take the areas that stand upon each other in a column, up to the first gap that no number could cover."""
    left, right = column
    over = [p for p in found.found if left - 3 <= p.box[0] and p.box[2] <= right + 3 and p.box[3] <= base + CLOSE]
    top, out = float(base), list[Patch]()
    for p in sorted(over, key=lambda p: -p.box[3]):
        if top - p.box[3] > COVERED:
            break
        out.append(p)
        top = min(top, p.box[1])
    return out


def _all_columns(solid: Sequence[Patch], columns: Sequence[tuple[int, int]], base: float) -> list[tuple[int, int]]:
    """Add columns that stand on the base and whose areas are not seen to touch."""
    width = float(np.median([right - left for left, right in columns]))
    out = list(columns)
    for p in solid:
        new = all(abs(p.box[0] - left) > width / 2 for left, _ in out)
        if new and abs(p.box[3] - base) <= CLOSE and abs(p.wide - width) <= 4:
            out.append((p.box[0], p.box[2]))
    return sorted(out)
