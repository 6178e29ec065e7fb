"""A scene and its texts -> beside which place each text may stand. Knows no TikZ and not what the texts say."""

import cmath
import math
from dataclasses import dataclass, replace
from itertools import combinations

from got_ocr.geometry.marks import AngleArc
from got_ocr.geometry.net import Net, along, in_arc, meet, on_circle
from got_ocr.geometry.scene import Scene, scale
from got_ocr.geometry.texts import SIDES, Text

SLIDES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)  # centimetres by which the text of an angle moves out
MOST_SPOTS = 400


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a text stands: off by so many centimetres from a place, on a side of it ("" is centred).

    spot: pixels with y upwards. arc: number of the angle it belongs to, -1 for none.
    """

    off: float
    spot: complex
    side: str
    arc: int = -1


@dataclass(frozen=True, slots=True)
class Stands:
    """The best stand of a text for each thing it may be: name of a point, measure of a line, size of an angle."""

    point: Stand | None
    measure: Stand | None
    angle: Stand | None


def spots(scene: Scene) -> list[complex]:
    """List where a named point may be: ends, crossings, centres, dots."""
    net, near = scene.net, scene.net.near
    out = [*net.places, *scene.dots]
    for a, b in combinations(net.segments, 2):
        z = meet(a, b)
        if z is not None and -near <= along(a, z) <= a.length + near and -near <= along(b, z) <= b.length + near:
            out.append(z)
    for arc in net.arcs:
        out.append(arc.center)
        for segment in net.segments:
            out += [z for z in on_circle(segment, arc)
                    if in_arc(arc, z, near) and -near <= along(segment, z) <= segment.length + near]  # fmt: skip
    kept: list[complex] = []
    for z in out:
        if all(abs(z - other) > near for other in kept) and len(kept) < MOST_SPOTS:
            kept.append(z)
    return kept


def stands(scene: Scene, text: Text, points: list[complex]) -> Stands:
    """Find the best stands of a text. points: where a named point may be."""
    beside = [(text.place(side, scene.unit), side) for side in SIDES]
    return Stands(
        _nearest(points, beside, scene.unit),
        _nearest(_middles(scene.net), beside, scene.unit),
        _angle(scene, text),
    )


def _nearest(spots: list[complex], beside: list[tuple[complex, str]], unit: float) -> Stand | None:
    options = [Stand(abs(z - goal) / unit, z, side) for z in spots for goal, side in beside]
    return min(options, key=lambda s: s.off, default=None)


def _middles(net: Net) -> list[complex]:
    out: list[complex] = []
    for stations in net.on:
        out += [(net.places[a] + net.places[b]) / 2 for a, b in combinations(stations[:12], 2)]
    return out


def _angle(scene: Scene, text: Text) -> Stand | None:
    options = [
        Stand(abs(text.middle - spot) / scene.unit, spot, "", number)
        for number, arc in enumerate(scene.angles)
        for spot in angle_spots(scene, arc)
    ]
    return min(options, key=lambda s: s.off, default=None)


def angle_spots(scene: Scene, arc: AngleArc) -> list[complex]:
    """List where the text of an angle may be centred: where it fits between the sides, or farther out."""
    turn = cmath.phase(arc.second / arc.first) % (2 * math.pi)
    middle = arc.first * cmath.exp(0.5j * turn)
    away = arc.radius + 0.22 + min(0.9, 0.16 / max(0.1, math.sin(turn / 2)))
    return [scene.net.places[arc.place] + middle * (away + slide) * scene.unit for slide in SLIDES]


def lengthened(scene: Scene) -> Scene:
    """Move free ends of dashed lines, which may end in a gap, to where a text says that its place is."""
    net = scene.net
    for number, segment in enumerate(net.segments):
        for which in (0, 1):
            place = net.ends[number][which]
            free = segment.dash and sum(place in stations for stations in net.on) == 1
            if not free:
                continue
            end, out = net.places[place], -segment.along if which == 0 else segment.along
            goals = [text.place(side, scene.unit) for text in scene.texts for side in SIDES]
            ways = [(z - end) * out.conjugate() for z in goals]
            good = [w.real for w in ways if abs(w.imag) < 0.05 * scene.unit and 0 < w.real < 0.14 * scene.unit]
            if good:
                net.places[place] = end + out * min(good)
                spot = net.places[place]
                net.segments[number] = replace(segment, p=spot) if which == 0 else replace(segment, q=spot)
                segment = net.segments[number]
    return replace(scene, unit=scale(net, scene.dots) or scene.unit)
