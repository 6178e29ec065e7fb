"""A scene and its texts -> beside which place each text may stand. Knows no TikZ and not what the texts say."""

import cmath
import math
from dataclasses import dataclass
from itertools import combinations

from got_ocr.geometry.marks import AngleArc
from got_ocr.geometry.net import Net, along, in_arc, meet, off_line, on_circle
from got_ocr.geometry.scene import Scene
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


def foot_spot(scene: Scene, text: Text) -> Stand | None:
    """Find a place on a line or a curve beside which a text stands, where nothing else marks it."""
    best: Stand | None = None
    for side in SIDES:
        z = text.place(side, scene.unit)
        feet = [s.p + s.along * along(s, z) for s in scene.net.segments if 0 <= along(s, z) <= s.length and off_line(s, z) < 0.2 * scene.unit]
        for arc in scene.net.arcs:
            if arc.round and abs(z - arc.center) > 1 and in_arc(arc, z, 2):
                feet.append(arc.center + (z - arc.center) / abs(z - arc.center) * arc.rx)
        for foot in feet:
            off = abs(foot - z) / scene.unit
            if best is None or off < best.off:
                best = Stand(off, foot, side)
    return best
