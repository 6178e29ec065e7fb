"""Bars and webs of a drawing -> straight strokes: lines, wedges, rows of hashes and dashed lines. Knows no letters and no atoms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.molecule.page import Mask, Piece
from got_ocr.molecule.skeleton import Web, straightened, traced

Point = tuple[float, float]

BEND = 0.085  # of a bond: a line that strays less from a straight one is straight
ROUGH = 1.5  # stroke widths: the same before bonds are measured
CHAIN = 0.42  # of a bond: bars of dashed and hashed bonds are shorter
LEAST_DASH = 0.3  # of a bond: a dashed line has more ink
STEP = 0.24  # of a bond: and nearer to each other
GROWTH = 0.06  # of a bond: a wedge grows by more along a bond
BROAD = 0.09  # of a bond: the broad end of a wedge is broader
ASIDE = 0.05  # of a bond: the middle of a stroke may lie that far beside the line between its ends
MOST_STROKES = 400
LONGER = 0.82  # of the straight ink belongs to strokes that are no longer than a bond


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight stroke between two nodes. kind: line, wedge and hash (from the narrow end), dash. free: it hangs on nothing."""

    a: int
    b: int
    kind: str = "line"
    free: bool = False


@dataclass(slots=True)
class Sketch:
    """Strokes and the points where they begin and end."""

    nodes: list[Point] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)

    def add(self, a: Point, b: Point, kind: str = "line") -> None:
        """Add a stroke that hangs on nothing."""
        self.nodes += [a, b]
        self.strokes.append(Stroke(len(self.nodes) - 2, len(self.nodes) - 1, kind, True))

    def length(self, stroke: Stroke) -> float:
        """Measure a stroke."""
        return math.dist(self.nodes[stroke.a], self.nodes[stroke.b])


@dataclass(frozen=True, slots=True)
class Row:
    """A row of short bars. kind: hash or dash. start, end: of the bond; a hashed one begins at its narrow end."""

    kind: str
    start: Point
    end: Point
    bars: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """How the straight lines of a drawing are. unit: length of a bond, 0 where there is none. even: part of all length in lines about
    that long; long: in lines that are much longer. drawn: part of the ink that such lines explain.
    """

    unit: float
    even: float
    long: float
    drawn: float


def measured(webs: Sequence[Web], width: float, area: int) -> Measure:
    """Measure how long bonds are: longer than most of the straight ink. area: of the ink of the webs."""
    lengths = []
    for web in webs:
        nodes, pairs = straightened(web, ROUGH * width)
        lengths += [math.dist(nodes[a], nodes[b]) for a, b in pairs]
    if not lengths or sum(lengths) <= 0:
        return Measure(0.0, 0.0, 0.0, 0.0)
    ordered = np.sort(np.array(lengths))
    # Straight chains of several bonds are few, but long.
    total, short = float(ordered.sum()), ordered[ordered <= 1.6 * _share(ordered, 0.55)]
    unit = _share(short if short.sum() > 0.7 * total else ordered, LONGER)
    even = float(ordered[(ordered > 0.5 * unit) & (ordered < 1.3 * unit)].sum()) / total
    return Measure(unit, even, float(ordered[ordered > 1.6 * unit].sum()) / total, total * width / max(1, area))


def _share(ordered: NDArray[np.float64], part: float) -> float:
    """Find the length that this part of all length does not surpass."""
    share = np.cumsum(ordered) / max(1e-6, ordered.sum())
    return float(ordered[int(np.searchsorted(share, part))])


def trace_piece(piece: Piece) -> Web:
    """Follow the lines of a piece; coordinates are the page's."""
    web = traced(piece.mask)
    x, y = piece.box[:2]
    moved = [(a, b, points + np.array([x, y])) for a, b, points in web.paths]
    return Web([(nx + x, ny + y) for nx, ny in web.nodes], moved)


def sketched(
    webs: Sequence[Web], rows: Sequence[Row], bars: Sequence[Piece], mask: Mask, width: float, unit: float
) -> Sketch:
    """Make strokes of webs, rows of short bars and single bars. mask: of the page's ink."""
    sketch = Sketch()
    away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    for web in webs:
        nodes, pairs = straightened(web, BEND * unit)
        start, free = len(sketch.nodes), len(pairs) == 1
        sketch.nodes += nodes
        for a, b in pairs:
            if a != b:
                sketch.strokes.append(_judged(sketch, Stroke(a + start, b + start, "line", free), away, width, unit))
    for row in rows:
        sketch.add(row.start, row.end, row.kind)
    for bar in bars:
        if bar.long >= 1.8 * width:
            inset = min(width / 2, bar.long / 4) / max(1.0, bar.long)
            (x0, y0), (x1, y1) = bar.ends
            dx, dy = (x1 - x0) * inset, (y1 - y0) * inset
            sketch.add((x0 + dx, y0 + dy), (x1 - dx, y1 - dy))
    sketch.strokes = sketch.strokes[:MOST_STROKES]
    return sketch


def _judged(sketch: Sketch, stroke: Stroke, away: NDArray[np.float32], width: float, unit: float) -> Stroke:
    """Say whether a stroke is a wedge: it grows steadily from its narrow end."""
    length = sketch.length(stroke)
    if length < 0.3 * unit:
        return stroke
    (x0, y0), (x1, y1) = sketch.nodes[stroke.a], sketch.nodes[stroke.b]
    places = np.linspace(0.15, 0.85, 15)
    reach = max(2, round(ASIDE * unit))
    widths = np.array([2 * _deepest(away, x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, reach) - 1 for t in places])
    growth, start = np.polyfit(places, widths, 1)
    rough = float(np.abs(widths - (start + growth * places)).mean())
    grown = abs(float(growth)) * unit / max(length, 0.6 * unit)
    broad = max(float(start), float(start + growth))
    if grown < max(GROWTH * unit, 0.5 * width) or broad < max(1.35 * width, BROAD * unit) or rough > 0.16 * abs(growth):
        return stroke
    ends = (stroke.a, stroke.b) if growth > 0 else (stroke.b, stroke.a)
    return Stroke(*ends, "wedge", stroke.free)


def _deepest(away: NDArray[np.float32], x: float, y: float, reach: int) -> float:
    """Measure half the width of a stroke near a point."""
    row, column = round(y), round(x)
    part = away[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return float(part.max(initial=0))


def bar_rows(bars: Sequence[Piece], unit: float) -> tuple[list[Row], list[Piece]]:
    """Find rows of short bars that lie across (a hashed wedge) or along (a dashed line) their row; give what is left over."""
    short = [i for i, bar in enumerate(bars) if bar.long <= CHAIN * unit]
    across, along = {i: i for i in short}, {i: i for i in short}
    for place, i in enumerate(short):
        for j in short[:place]:
            kind = _link(bars[i], bars[j], unit)
            if kind:
                group = across if kind == "hash" else along
                group[_root(group, i)] = _root(group, j)
    found: list[Row] = []
    used: set[int] = set()
    for kind, group, least in (("hash", across, 3), ("dash", along, 2)):
        members: dict[int, list[int]] = {}
        for i in short:
            if i not in used:
                members.setdefault(_root(group, i), []).append(i)
        for row in members.values():
            if len(row) >= least and (kind == "hash" or sum(bars[i].long for i in row) > LEAST_DASH * unit):
                own = tuple(bars[i] for i in row)
                found.append(Row(kind, *_row_ends(kind, list(own)), own))
                used.update(row)
    return found, [bar for i, bar in enumerate(bars) if i not in used]


def _root(group: dict[int, int], index: int) -> int:
    while group[index] != index:
        index = group[index]
    return index


def _middle(bar: Piece) -> Point:
    return (bar.ends[0][0] + bar.ends[1][0]) / 2, (bar.ends[0][1] + bar.ends[1][1]) / 2


def _turn(a: Point, b: Point) -> float:
    return math.atan2(b[1] - a[1], b[0] - a[0])


def _apart(one: float, two: float) -> float:
    """Measure the angle between two lines, 0 to a right angle."""
    angle = abs(one - two) % math.pi
    return min(angle, math.pi - angle)


def _link(one: Piece, two: Piece, unit: float) -> str:
    """Say whether two bars follow each other in a hashed or dashed bond."""
    if abs(one.box[0] - two.box[0]) > unit or abs(one.box[1] - two.box[1]) > unit:
        return ""
    a, b = _middle(one), _middle(two)
    between = math.dist(a, b)
    row = _turn(a, b)
    turned = [_turn(*bar.ends) for bar in (one, two) if bar.long >= 1.8 * bar.thin]
    if between <= STEP * unit and all(_apart(row, angle) > 0.95 for angle in turned):
        return "hash"
    if between - (one.long + two.long) / 2 <= STEP * unit * 0.8 and all(_apart(row, angle) < 0.3 for angle in turned):
        return "dash" if turned else ""
    return ""


def _row_ends(kind: str, bars: list[Piece]) -> tuple[Point, Point]:
    """Find where a row of bars begins and ends; a hashed wedge begins where its bars are short."""
    middles = np.array([_middle(bar) for bar in bars])
    centre = middles.mean(0)
    axis = np.linalg.svd(middles - centre)[2][0]
    places = (middles - centre) @ axis
    order = np.argsort(places)
    bars, places = [bars[i] for i in order], places[order]
    more = (bars[0].long / 2, bars[-1].long / 2) if kind == "dash" else (0.0, 0.0)
    start, end = centre + axis * (places[0] - more[0]), centre + axis * (places[-1] + more[1])
    if kind == "hash":
        half = max(1, len(bars) // 2)
        if sum(bar.long for bar in bars[:half]) > sum(bar.long for bar in bars[-half:]):
            start, end = end, start
    return (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))
