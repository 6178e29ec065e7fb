r"""A plan and the names of its places -> TikZ, in the order in which such drawings are written.

Points first, then closed lines, then what was added to them, point after point, with its marks, then dots and labels. Knows no pixel.
"""

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from got_ocr.geometry import board, spelling
from got_ocr.geometry.axes import AREA, LATTICE, POINTS, REGION, STEPS, VECTORS, Axes
from got_ocr.geometry.chains import LATE, chain_key, chained
from got_ocr.geometry.curves import Arc
from got_ocr.geometry.marks import APART, CORNER, TICK, WING, WING_TURN, AngleArc, Corner, Head, Ticks
from got_ocr.geometry.net import along
from got_ocr.geometry.parallels import Cut, find_cut
from got_ocr.geometry.plan import Piece, Plan, Style
from got_ocr.geometry.polygons import Polygon, rest

Key = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of places, their order, the polygons, and whether names stand in italics."""

    names: Mapping[int, str]
    order: Mapping[int, int]
    polygons: Sequence[Polygon]

    def rank(self, place: int) -> int:
        """Give the place's number in the order."""
        return self.order.get(place, LATE)


def at(plan: Plan, naming: Naming, place: int) -> str:
    """Write a place by its name or its coordinates."""
    name = naming.names.get(place)
    return f"({name})" if name else spelling.spot(plan.place(place))


def spot(plan: Plan, naming: Naming, z: complex) -> str:
    """Write a place in pixels by the name of what is there, or its coordinates."""
    number = plan.scene.net.place_at(z)
    return at(plan, naming, number) if number is not None else spelling.spot(plan.move(z))


def drawn(plan: Plan, naming: Naming) -> list[str]:
    """Write all lines, curves and marks in order."""
    if plan.scene.axes is not None:
        return on_axes(plan, naming, plan.scene.axes)
    items: list[tuple[Key, str]] = []
    items += [(_polygon_key(naming, p, n), polygon(plan, naming, p)) for n, p in enumerate(naming.polygons)]
    pieces = [p for p in rest(plan, naming.polygons)]
    webbed = _webbed(plan, naming, pieces)
    lines: list[tuple[Key, set[int]]] = []
    cut = find_cut(plan, naming.order)
    for chain in chained(plan, naming.names, naming.order, pieces):
        key, places = chain_key(plan, naming.names, naming.order, chain, webbed)
        if cut is not None:
            key, places = _cut_key(plan, cut, places)
        lines.append((key, set(places)))
        items.append((key, rf"\draw{styled(chain.style)} {'--'.join(at(plan, naming, k) for k in places)};"))
    for arc, style in plan.arcs:
        items.append((_arc_key(plan, naming, arc, style), curve(plan, naming, arc, style)))
    for corner in plan.scene.corners:
        items.append(((1, _corner_rank(plan, naming, corner), 1), _corner(plan, naming, corner, pieces)))
    for ticks in plan.scene.ticks:
        items += _ticks(plan, naming, ticks)
    for head in plan.scene.heads:
        items.append((_head_key(plan, naming, head, lines), _head(plan, head)))
    for mark in plan.scene.angles:
        v = plan.scene.net.places[mark.place]
        early = any(abs(arc.center - v) < 0.06 * plan.unit and not arc.whole for arc, _ in plan.arcs)
        rank = cut.rank(plan, mark.place) if cut is not None else naming.rank(mark.place)
        items.append(((0.9 if early else 2, rank, mark.radius), _angle(plan, mark)))
    items.sort(key=lambda item: item[0])
    return [text for _, text in items]


def _cut_key(plan: Plan, cut: Cut, places: tuple[int, ...]) -> tuple[Key, tuple[int, ...]]:
    """Say where one of several parallels, or the line that cuts them, stands in the order, and from which end it is written."""
    own = next((i for i in cut.order if set(places) <= set(plan.scene.net.on[i])), cut.order[-1])
    return (1, cut.order.index(own)), places[::-1] if places[-1] == cut.starts[own] else places


def on_axes(plan: Plan, naming: Naming, axes: Axes) -> list[str]:
    """Write what is drawn on axes: areas, the grid, the axes, their numbers, graphs, lines."""
    lines = board.frame(plan, axes)
    if (axes.low, axes.high) == AREA:
        return board.area(plan, naming.names, lines)
    for graph in plan.scene.graphs:
        lines.append(board.graph(plan, axes, graph))
    if (axes.low, axes.high) == STEPS:
        return lines + board.steps(plan)
    lines += [curve(plan, naming, arc, style) for arc, style in plan.arcs]
    if (axes.low, axes.high) == VECTORS:
        return lines + board.vectors(plan)
    row = {k: naming.names[k] for k in sorted(naming.names, key=naming.rank)}
    if (axes.low, axes.high) == REGION and plan.scene.graphs:
        return lines + board.chord(plan, row)
    if (axes.low, axes.high) in (LATTICE, POINTS) or plan.scene.graphs:
        return lines + (board.lattice(plan, row) if (axes.low, axes.high) == LATTICE else [])
    lines += [polygon(plan, naming, p) for p in naming.polygons]
    pieces = sorted(board.free(plan, rest(plan, naming.polygons)), key=lambda p: p.style.dash == "dashed")
    angles = [_angle(plan, arc) for arc in plan.scene.angles]
    for i, piece in enumerate(pieces):
        ends = sorted((piece.places[0], piece.places[-1]), key=lambda k: (naming.rank(k), -plan.place(k).imag))
        if plan.arcs and not piece.style.dash:
            ends = ends[::-1]
        lines.append(rf"\draw{styled(piece.style)} {at(plan, naming, ends[0])}--{at(plan, naming, ends[1])};")
        lines += angles if i == 0 else []
    return lines + (angles if not pieces else [])


def _webbed(plan: Plan, naming: Naming, pieces: Sequence[Piece]) -> bool:
    """Say whether this is a graph of dots and edges that is no tree."""
    dotted = {plan.scene.net.place_at(z) for z in plan.scene.dots}
    return bool(naming.names) and set(naming.names) <= dotted and len(pieces) >= len(naming.names) > 3


def styled(style: Style, fill: str = "") -> str:
    """Write the options of a path."""
    return spelling.style(style.color, style.thick, style.dash, "", fill)


def _polygon_key(naming: Naming, p: Polygon, number: int) -> Key:
    return (-1 if p.fill else 0, number)


def polygon(plan: Plan, naming: Naming, p: Polygon) -> str:
    """Write a closed line."""
    return rf"\draw{styled(p.style, p.fill)} {'--'.join(at(plan, naming, k) for k in p.places)}--cycle;"


def _arc_key(plan: Plan, naming: Naming, arc: Arc, style: Style) -> Key:
    """Circles through the corners of a polygon come before it, others, and those that were added to it, after it."""
    corners = [plan.scene.net.places[k] for p in naming.polygons for k in p.places]
    if not arc.round:
        halves = [a for a, _ in plan.arcs if not a.round and not a.whole]
        like = any(abs(a.rx - arc.rx) < 0.03 * plan.unit for a in halves)
        return (-0.5, 0 if arc.whole and like else 2 if arc.whole else 1, 1 if arc.first % 360 < 90 else 0)
    around = corners and all(abs(abs(z - arc.center) - arc.rx) < 0.06 * plan.unit for z in corners)
    added = style.dash and not any(p.style.dash for p in naming.polygons)
    first = not naming.polygons or (
        around and not added and len(corners) <= 5 and any(p.fill == "" for p in naming.polygons)
    )
    return (-0.3 if first else 0.5, 0 if arc.whole else 1, -arc.rx)


def curve(plan: Plan, naming: Naming, arc: Arc, style: Style) -> str:
    """Write a circle, an ellipse, or an arc of one of them."""
    rx, ry = (round(r / plan.unit, 2) for r in (arc.rx, arc.ry))
    told = styled(style)
    if arc.whole and arc.round:
        return rf"\draw{told} {spot(plan, naming, arc.center)} circle ({spelling.number(rx)});"
    both = spelling.number(rx) if arc.round else f"{spelling.number(rx)} and {spelling.number(ry)}"
    if arc.whole:
        return rf"\draw{told} {spot(plan, naming, arc.center)} ellipse ({both});"
    centre, begin = plan.scene.net.place_at(arc.center), plan.scene.net.place_at(arc.at(arc.first))
    if arc.round and centre is not None and begin is not None:
        both = spelling.number(round(abs(plan.place(centre) - plan.place(begin)), 2))
    turn = arc.last - arc.first
    low = round(arc.first % 360, 1) % 360
    ends = f"{spelling.number(low)}:{spelling.number(round(low + turn, 1))}"
    return rf"\draw{told} {spot(plan, naming, arc.at(arc.first))} arc ({ends}:{both});"


def _corner_rank(plan: Plan, naming: Naming, corner: Corner) -> float:
    """A right angle is marked once its place is there; one at the corner of a polygon at once."""
    if any(corner.place in p.places for p in naming.polygons):
        return -0.5
    return naming.rank(corner.place)


def _corner(plan: Plan, naming: Naming, corner: Corner, pieces: Sequence[Piece]) -> str:
    """Write a right-angle mark: first along the line that ends here, then along the one that it stands on."""
    v = plan.place(corner.place)
    a, b = corner.first, corner.second
    if any(not arc.round for arc in plan.scene.net.arcs):
        a, b = sorted((a, b), key=lambda way: abs(way.imag))  # first along the radius of a solid
    elif _goes_on(plan, corner.place, a) and not _goes_on(plan, corner.place, b):
        a, b = b, a
    elif _goes_on(plan, corner.place, a) == _goes_on(plan, corner.place, b):
        ends = [_far(plan, naming, corner.place, u) for u in (a, b)]
        if ends[1] < ends[0]:
            a, b = b, a
    a, b = a * CORNER, b * CORNER
    return rf"\draw {'--'.join(spelling.spot(_two(z)) for z in (v + a, v + a + b, v + b))};"


def _two(z: complex) -> complex:
    return complex(round(z.real, 2) + 0.0, round(z.imag, 2) + 0.0)


def _goes_on(plan: Plan, place: int, way: complex) -> bool:
    """Say whether a line in a direction goes through a place."""
    return any(
        place in stations[1:-1] and abs((way * segment.along.conjugate()).imag) < 0.1
        for stations, segment in zip(plan.scene.net.on, plan.scene.net.segments, strict=True)
    )


def _far(plan: Plan, naming: Naming, place: int, way: complex) -> float:
    """Give the first rank of the places in a direction."""
    best = float(LATE)
    net = plan.scene.net
    for stations in net.on:
        if place in stations:
            for k in stations:
                z = net.places[k] - net.places[place]
                if k != place and abs(z) > 0 and abs(z / abs(z) - way) < 0.1:
                    best = min(best, naming.rank(k))
    return best


def _ticks(plan: Plan, naming: Naming, ticks: Ticks) -> list[tuple[Key, str]]:
    """Write the strokes across a side, in the middle between two places on it."""
    net = plan.scene.net
    segment = net.segments[ticks.segment]
    stations = net.on[ticks.segment]
    pairs = [(a, b) for i, a in enumerate(stations) for b in stations[i + 1 :]]

    def off(pair: tuple[int, int]) -> float:
        return abs(along(segment, (net.places[pair[0]] + net.places[pair[1]]) / 2) - ticks.at)

    a, b = min(
        pairs, key=lambda pair: (round(off(pair) / (0.05 * plan.unit)), abs(net.places[pair[0]] - net.places[pair[1]]))
    )
    corners = {k for p in naming.polygons for k in p.places}
    middle_of = next((k for k in (a, b) if k not in corners and k in naming.names), None)
    if naming.rank(b) < naming.rank(a):
        a, b = b, a
    if middle_of is not None:
        whole = [k for k in stations if k in corners and k not in (a, b)]
        other = b if a == middle_of else a
        if whole and _before(plan, naming, whole[0], other):
            a, b = middle_of, other
        elif whole:
            a, b = other, middle_of
    p, q = plan.place(a), plan.place(b)
    good = off((a, b)) < 0.09 * plan.unit
    middle = (p + q) / 2 if good else plan.move(segment.p + segment.along * ticks.at)
    way = (q - p) / (abs(q - p) or 1)
    starts = [middle + way * APART * (k - (ticks.count - 1) / 2) for k in range(ticks.count)]
    rank = float(naming.rank(middle_of)) if middle_of is not None else -0.4
    key = (1, rank, 2, naming.rank(a) if middle_of is None else (1 if a == middle_of else 0), naming.rank(b))
    return [
        ((*key, k), rf"\draw {spelling.spot(_two(s + TICK * 1j * way))}--{spelling.spot(_two(s - TICK * 1j * way))};")
        for k, s in enumerate(starts)
    ]


def _before(plan: Plan, naming: Naming, a: int, b: int) -> bool:
    """Say whether the side of a polygon goes from a to b."""
    for p in naming.polygons:
        if a in p.places and b in p.places:
            i, j = p.places.index(a), p.places.index(b)
            return (j - i) % len(p.places) == 1
    return naming.rank(a) < naming.rank(b)


def _head_key(plan: Plan, naming: Naming, head: Head, lines: Sequence[tuple[Key, set[int]]]) -> Key:
    """An arrow head follows its line; one on the side of a polygon comes when all lines are there."""
    on = set(plan.scene.net.on[head.segment])
    side = any(len(on & set(p.places)) > 1 for p in naming.polygons)
    own = next((key for key, places in lines if len(on & places) > 1), None)
    return (1, LATE - 1, 3) if side or own is None else (*own, 1)


def _head(plan: Plan, head: Head) -> str:
    segment = plan.scene.net.segments[head.segment]
    tip, way = plan.move(segment.p + segment.along * head.tip), segment.along * head.way * WING
    wings = (tip + way * cmath.exp(1j * WING_TURN), tip, tip + way * cmath.exp(-1j * WING_TURN))
    return rf"\draw {'--'.join(spelling.spot(_two(z)) for z in wings)};"


def _ray(plan: Plan, place: int, way: complex) -> complex:
    """Give a direction as the places on it, which have two decimals, tell it."""
    net, v = plan.scene.net, plan.place(place)
    far = [plan.place(k) - v for stations in net.on if place in stations for k in stations if k != place]
    good = [z for z in far if abs(z) > 0.5 and abs(z / abs(z) - way) < 0.03 + 0.05 * (plan.scene.loose > 0)]
    best = max(good, key=abs, default=way)
    return best / abs(best)


def _angle(plan: Plan, arc: AngleArc) -> str:
    v = plan.place(arc.place)
    a, b = _ray(plan, arc.place, arc.first), _ray(plan, arc.place, arc.second)
    first = math.degrees(cmath.phase(a)) % 360
    first -= 360 if round(first, 1) >= 360 else 0
    last = first + math.degrees(cmath.phase(b / a)) % 360
    angles = ":".join(spelling.number(round(x, 1)) for x in (first, last))
    return rf"\draw {spelling.spot(_two(v + arc.radius * a))} arc ({angles}:{spelling.number(arc.radius)});"
