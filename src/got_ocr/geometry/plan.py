"""A scene -> places in centimetres, and lines cut into edges of one style. Knows no TikZ.

Longer side 6, lower left corner at the origin: the normal form of figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from got_ocr.geometry.axes import Axes
from got_ocr.geometry.colours import Look, agreed, thickness
from got_ocr.geometry.curves import Arc
from got_ocr.geometry.scene import Scene, reach

FEW = 30  # spots of a curve that tell its colour
SHORT_EDGE = 0.5  # centimetres: too short to tell its colour


@dataclass(frozen=True, slots=True)
class Style:
    """How a line looks."""

    color: str = ""
    thick: bool = False
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A straight piece of one style: the places on it, from end to end."""

    places: tuple[int, ...]
    style: Style


@dataclass(frozen=True, slots=True)
class Plan:
    """Places in centimetres, straight pieces, and the styles of arcs."""

    scene: Scene
    low: complex
    unit: float
    pieces: tuple[Piece, ...]
    arcs: tuple[tuple[Arc, Style], ...]

    def move(self, z: complex) -> complex:
        """Turn pixels into centimetres, two decimals."""
        w = (z - self.low) / self.unit
        if self.scene.axes is not None and self.scene.axes.whole:
            near = complex(round(w.real * 2) / 2, round(w.imag))
            w = near if abs(w - near) < 0.12 and near.real == round(near.real) else w
        return complex(round(w.real, 2) + 0.0, round(w.imag, 2) + 0.0)

    def place(self, number: int) -> complex:
        """Give a place in centimetres."""
        return self.move(self.scene.net.places[number])


def make_plan(scene: Scene) -> Plan:
    """Measure styles, and put the figure where it belongs."""
    net = scene.net
    spots = reach(net, scene.dots)
    if scene.axes is not None:
        return _on_axes(scene, scene.axes)
    low = complex(min(z.real for z in spots), min(z.imag for z in spots))
    high = complex(max(z.real for z in spots), max(z.imag for z in spots))
    unit = max((high - low).real, (high - low).imag) / 6.0
    looks, arc_looks = _looks(scene)
    border = thickness(
        [look.weight for edges in looks for look in edges] + [look.weight for look in arc_looks] + _mark_weights(scene)
    )
    pieces: list[Piece] = []
    for number, edges in enumerate(looks):
        styles = [style_of(look, border, net.segments[number].dash) for look in edges]
        pieces += _runs(net.on[number], styles)
    arcs = [(arc, style_of(look, border, arc.dash)) for arc, look in zip(net.arcs, arc_looks, strict=True)]
    return Plan(scene, low, unit, tuple(pieces), tuple(arcs))


def _looks(scene: Scene) -> tuple[list[list[Look]], list[Look]]:
    """Measure all lines and curves."""
    edges = [_edge_looks(scene, i) for i in range(len(scene.net.segments))]
    looks = [*(look for some in edges for look in some), *(_arc_look(scene, arc) for arc in scene.net.arcs)]
    told = iter(agreed(looks, _mark_weights(scene)))
    return [[next(told) for _ in some] for some in edges], list(told)


def _on_axes(scene: Scene, axes: Axes) -> Plan:
    net = scene.net
    looks = [_edge_looks(scene, i) for i in range(len(net.segments))]
    border = thickness([look.weight for edges in looks for look in edges if look.color != "gray"])
    pieces: list[Piece] = []
    for number, edges in enumerate(looks):
        pieces += _runs(net.on[number], [style_of(look, border, net.segments[number].dash) for look in edges])
    arcs = [(arc, style_of(_arc_look(scene, arc), border, arc.dash)) for arc in net.arcs]
    return Plan(scene, axes.origin, axes.unit, tuple(pieces), tuple(arcs))


def style_of(look: Look, border: float | None, dash: str) -> Style:
    """Say how a line looks. border: weight of thick lines, at least; None where all are alike."""
    return Style(look.color, border is not None and look.weight > border, dash)


def _edge_looks(scene: Scene, number: int) -> list[Look]:
    """Measure each edge of a segment; short ones look like their longest neighbour."""
    net = scene.net
    places = [net.places[k] for k in net.on[number]]
    lengths = [abs(b - a) for a, b in pairwise(places)]
    looks: list[Look | None] = []
    for a, b in pairwise(places):
        if abs(b - a) < SHORT_EDGE * scene.unit:
            looks.append(None)
            continue
        steps = np.linspace(0.12, 0.88, int(min(240, max(10, abs(b - a) * 0.8))))
        spots = a + (b - a) * steps
        looks.append(
            scene.palette.look(spots, np.full(spots.shape, 1j * (b - a) / abs(b - a)), net.segments[number].dash)
        )
    known = [(lengths[i], look) for i, look in enumerate(looks) if look is not None]
    usual = max(known, key=lambda pair: pair[0])[1] if known else _whole_look(scene, number)
    return [look or usual for look in looks]


def _whole_look(scene: Scene, number: int) -> Look:
    segment = scene.net.segments[number]
    spots = segment.p + (segment.q - segment.p) * np.linspace(0.1, 0.9, 30)
    return scene.palette.look(spots, np.full(spots.shape, 1j * segment.along), segment.dash)


def _arc_look(scene: Scene, arc: Arc) -> Look:
    t = np.radians(np.linspace(arc.first + 1, arc.last - 1, 200))
    spots = arc.center + arc.rx * np.cos(t) + 1j * arc.ry * np.sin(t)
    normal = np.cos(t) / arc.rx + 1j * np.sin(t) / arc.ry
    bare = _clear(scene, spots)
    if bare.sum() >= FEW:
        spots, normal = spots[bare], normal[bare]
    return scene.palette.look(spots, normal / np.abs(normal), arc.dash)


def _clear(scene: Scene, spots: NDArray[np.complex128]) -> NDArray[np.bool_]:
    """Say which spots of a curve no line runs by."""
    clear = np.ones(spots.shape, dtype=np.bool_)
    for segment in scene.net.segments:
        ways = (spots - segment.p) * np.conj(segment.along)
        near = 2.0 * scene.seen.widest + 2
        clear &= ~((np.abs(ways.imag) < near) & (ways.real > -near) & (ways.real < segment.length + near))
    return clear


def _mark_weights(scene: Scene) -> list[float]:
    """Measure marks, which are always thin and black."""
    out: list[float] = []
    for mark in scene.corners[:4]:
        v = scene.net.places[mark.place]
        for a, b in ((mark.first, mark.second), (mark.second, mark.first)):
            spots = v + a * 0.28 * scene.unit + b * 0.28 * scene.unit * np.linspace(0.25, 0.8, 12)
            out.append(scene.palette.look(spots, np.full(spots.shape, a)).weight)
    for arc in scene.angles[:4]:
        turn = np.angle(arc.second / arc.first) % (2 * np.pi)
        way = arc.first * np.exp(1j * turn * np.linspace(0.25, 0.75, 24))
        out.append(scene.palette.look(scene.net.places[arc.place] + way * arc.radius * scene.unit, way).weight)
    return [w for w in out if w > 0.2]


def _runs(stations: Sequence[int], styles: Sequence[Style]) -> list[Piece]:
    """Cut a segment where its style changes."""
    out: list[Piece] = []
    start = 0
    for i in range(1, len(styles) + 1):
        if i == len(styles) or styles[i] != styles[start]:
            out.append(Piece(tuple(stations[start : i + 1]), styles[start]))
            start = i
    return out
