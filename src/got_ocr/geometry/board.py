r"""Coordinate axes and what stands on them -> TikZ: grid, axes, numbers, graphs, broken lines, vectors, areas. Knows no pixel of ink.

One unit is one centimetre here, and the origin stays where it is.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from got_ocr.geometry import spelling
from got_ocr.geometry.axes import REGION, Axes
from got_ocr.geometry.plan import Piece, Plan, Style
from got_ocr.geometry.plots import Graph
from got_ocr.geometry.polygons import side_style
from got_ocr.geometry.scene import Scene
from got_ocr.geometry.texts import Text

NEAR = 0.16  # units by which a text may be off from its place
NUMBER = 0.25  # units that a number may be off from its axis: its tick may stick to it
GRID_LINES = 3  # at least
STRAIGHT = 0.05
Note = tuple[int, str, complex]


def is_number(scene: Scene, text: Text) -> bool:
    """Say whether a text is a number on an axis."""
    if scene.axes is None:
        return False
    for side, at in (("below", -0.1j), ("left", -0.1)):
        z = scene.axes.move(text.place(side, scene.unit)) - at
        value, off = (z.real, z.imag) if side == "below" else (z.imag, z.real)
        if round(value) and abs(value - round(value)) < NEAR and abs(off) < NUMBER:
            return True
    return False


def note_of(scene: Scene, text: Text) -> Note | None:
    """Say whether a text names an axis or the origin: its place in the order, its side, and where, in units."""
    if scene.axes is None:
        return None
    _, right, _, top = scene.axes.ends
    goals = (
        (0, complex(right, 0), ("below", "right")),
        (1, complex(0, top), ("left", "above")),
        (2, 0j, ("below left", "below right", "above left", "above right")),
    )
    for rank, goal, sides in goals:
        offs = {side: abs(scene.axes.move(text.place(side, scene.unit)) - goal) for side in sides}
        best = min(offs, key=lambda side: offs[side])
        if offs[best] < NEAR:
            return rank, best, goal
    return None


def frame(plan: Plan, axes: Axes) -> list[str]:
    """Write the grid, the axes and their numbers."""
    left, right, bottom, top = axes.ends
    out = (
        [rf"\draw[gray,very thin] {spelling.spot(axes.low)} grid {spelling.spot(axes.high)};"] if has_grid(plan) else []
    )
    n = spelling.number
    out += [rf"\draw[->] ({n(left)},0)--({n(right)},0);", rf"\draw[->] (0,{n(bottom)})--(0,{n(top)});"]
    if plan.scene.numbers:
        xs = ",".join(str(v) for v in range(round(axes.low.real), round(axes.high.real) + 1) if v)
        ys = ",".join(str(v) for v in range(round(axes.low.imag), round(axes.high.imag) + 1) if v)
        out.append(rf"\foreach \x in {{{xs}}} \draw (\x,0.1)--(\x,-0.1) node[below] {{$\x$}};")
        out.append(rf"\foreach \y in {{{ys}}} \draw (0.1,\y)--(-0.1,\y) node[left] {{$\y$}};")
    return out


def _ruled(plan: Plan, piece: Piece) -> bool:
    """Say whether a piece lies on a whole coordinate, level or upright."""
    a, b = (plan.scene.axes.move(plan.scene.net.places[k]) for k in (piece.places[0], piece.places[-1]))  # type: ignore[union-attr]
    for p, q in ((a.real, b.real), (a.imag, b.imag)):
        near = STRAIGHT + 2 * plan.scene.loose / plan.unit
        if abs(p - q) < near and abs(p - round(p)) < near:
            return True
    return False


def _axial(plan: Plan, piece: Piece) -> bool:
    a, b = (plan.scene.axes.move(plan.scene.net.places[k]) for k in (piece.places[0], piece.places[-1]))  # type: ignore[union-attr]
    near = STRAIGHT + 2 * plan.scene.loose / plan.unit
    return bool(max(abs(a.real), abs(b.real)) < near or max(abs(a.imag), abs(b.imag)) < near)


def has_grid(plan: Plan) -> bool:
    """Say whether there are long lines on whole coordinates beside the axes."""
    axes = plan.scene.axes
    if axes is None:
        return False
    wide, tall = (axes.high - axes.low).real, (axes.high - axes.low).imag
    level = [s for s in plan.scene.net.segments if abs(s.along.imag) < 0.02 and not s.dash]
    upright = [s for s in plan.scene.net.segments if abs(s.along.real) < 0.02 and not s.dash]
    long = [s for s in level if s.length > 0.8 * wide * axes.unit] + [
        s for s in upright if s.length > 0.8 * tall * axes.unit
    ]
    return len(long) >= 2 + GRID_LINES


def free(plan: Plan, pieces: Sequence[Piece]) -> list[Piece]:
    """Drop axes and grid."""
    grid = has_grid(plan)
    thin = [p for p in pieces if not _axial(plan, p) or p.style.dash]
    return [p for p in thin if not (grid and _ruled(plan, p) and p.style.color == "gray" and not p.style.thick)]


def lattice(plan: Plan, names: Mapping[int, str]) -> list[str]:
    """Write a polygon with whole corners, and its mirror image."""
    out: list[str] = []
    for row in ([k for k in names if len(names[k]) == 1], [k for k in names if len(names[k]) > 1]):
        if len(row) == 3:
            style = next(
                (s for a, b in zip(row, row[1:] + row[:1], strict=True) if (s := side_style(plan, a, b))), Style()
            )
            fill = plan.scene.fills[0].color if plan.scene.fills and not out else ""
            out.append(rf"\draw{_told(style, '', fill)} {'--'.join(f'({names[k]})' for k in row)}--cycle;")
    return out


def chord(plan: Plan, names: Mapping[int, str]) -> list[str]:
    """Write the line through two points of a graph, longer by a share at both ends."""
    row = [plan.place(k) for k in names]
    slant = [p for p in plan.pieces if not _axial(plan, p)]
    if len(row) != 2 or not slant:
        return []
    p, q = row
    long = max(slant, key=lambda piece: abs(plan.place(piece.places[0]) - plan.place(piece.places[-1])))
    ends = p + (p - q) * 0.15, q + (q - p) * 0.15
    return [rf"\draw{_told(long.style)} {spelling.spot(ends[0])}--{spelling.spot(ends[1])};"]


def graph(plan: Plan, axes: Axes, one: Graph) -> str:
    """Write the graph of a function."""
    spots = axes.origin + np.array(one.points[8:-8]) * axes.unit
    way = np.gradient(spots)
    look = plan.scene.palette.look(spots, 1j * way / np.maximum(np.abs(way), 1e-6))
    region = (axes.low, axes.high) == REGION
    thin = region and look.weight < THICKER * axis_weight(plan, axes)
    words = [w for w in (look.color, "" if thin else "thick") if w]
    words += [f"domain={spelling.number(one.low)}:{spelling.number(one.high)}", "samples=100"]
    return rf"\draw[{','.join(words)}] plot (\x,{{{one.text}}});"


THICKER = 1.5


def axis_weight(plan: Plan, axes: Axes) -> float:
    """Measure the ink across the axes."""
    spots = axes.origin + np.linspace(0.2, axes.high.real, 60) * axes.unit
    return plan.scene.palette.look(spots, np.full(spots.shape, 1j)).weight


def _told(style: Style, arrow: str = "", fill: str = "") -> str:
    return spelling.style(style.color, style.thick, style.dash, arrow, fill)


def _whole(z: complex) -> complex:
    return complex(round(z.real), round(z.imag))


def steps(plan: Plan) -> list[str]:
    """Write a broken line over whole numbers, and its dots."""
    knots: list[complex] = []
    style = Style(thick=True)
    lines = [p for p in plan.pieces if p.style.thick]
    for x in range(7):
        for piece in lines:
            a, b = sorted((plan.place(piece.places[0]), plan.place(piece.places[-1])), key=lambda z: z.real)
            if b.real - a.real > 0.3 and a.real - 0.1 <= x <= b.real + 0.1:
                knots.append(complex(x, round(a.imag + (b.imag - a.imag) * (x - a.real) / (b.real - a.real))))
                style = piece.style
                break
    out = [rf"\draw{_told(style)} {'--'.join(spelling.spot(z) for z in knots)};"] if len(knots) > 1 else []
    if len(plan.scene.dots) >= len(knots) - 2 > 0:
        out += [rf"\fill {spelling.spot(z)} circle (1.5pt);" for z in knots[1:]]
    return out


def vectors(plan: Plan) -> list[str]:
    """Write arrows from the origin, and the sides of their parallelogram."""
    tips: list[tuple[complex, Style]] = []
    for piece in plan.pieces:
        ends = sorted((_whole(plan.place(k)) for k in (piece.places[0], piece.places[-1])), key=abs)
        if piece.style.thick and not piece.style.dash and ends[0] == 0 and ends[1] != 0:
            tips.append((ends[1], piece.style))
    tips = list({z: (z, style) for z, style in tips}.values())
    tips.sort(key=lambda pair: np.angle(pair[0]))
    outer = [tips[0], tips[-1]] if len(tips) > 2 else tips
    arrow = [rf"\draw{_told(style, '->')} (0,0)--{spelling.spot(z)};" for z, style in outer]
    if len(tips) > 2:
        u, v = outer[0][0], outer[1][0]
        sides = [p.style for p in plan.pieces if p.style.dash]
        style = sides[0] if sides else Style(dash="dashed")
        arrow.append(rf"\draw{_told(style)} {'--'.join(spelling.spot(z) for z in (u, u + v, v))};")
        arrow.append(rf"\draw{_told(tips[1][1], '->')} (0,0)--{spelling.spot(u + v)};")
    return arrow


def area(plan: Plan, names: Mapping[int, str], lines: list[str]) -> list[str]:
    """Write a tinted area under lines, before the axes, and the line that cuts it off."""
    corner = next(iter(names), None)
    fill = plan.scene.fills[0] if plan.scene.fills else None
    slant = max((p for p in plan.pieces if not _axial(plan, p) and not _ruled(plan, p)),
                key=lambda p: abs(plan.place(p.places[0]) - plan.place(p.places[-1])), default=None)  # fmt: skip
    if slant is None:
        return lines
    a, b = sorted((plan.place(slant.places[0]), plan.place(slant.places[-1])), key=lambda z: z.imag)
    r, q = _whole(a + (b - a) / 6), _whole(b - (b - a) / 6)
    sides = [p.style for p in plan.pieces if _ruled(plan, p) and not _axial(plan, p)]
    name = f"({names[corner]})" if corner is not None else spelling.spot(q)
    ring = ["(0,0)", spelling.spot(r), name, spelling.spot(complex(0, q.imag))]
    told = _told(sides[0] if sides else Style(), "", fill.color if fill else "gray")
    ends = r - (q - r) * 0.25, q + (q - r) * 0.25
    return [
        rf"\draw{told} {'--'.join(ring)}--cycle;",
        *lines,
        rf"\draw{_told(slant.style)} {spelling.spot(ends[0])}--{spelling.spot(ends[1])};",
    ]
