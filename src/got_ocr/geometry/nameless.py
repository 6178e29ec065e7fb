r"""Figures whose places have no names, but which are drawn in a known order: sets in a frame, nets of boxes. Knows no ink.

Each gives its TikZ line by line, or nothing where the figure is none of its kind.
"""

from collections.abc import Sequence
from itertools import pairwise

from got_ocr.geometry import spelling
from got_ocr.geometry.curves import Arc
from got_ocr.geometry.net import along, off_line
from got_ocr.geometry.plan import Plan, Style
from got_ocr.geometry.script import styled

LEVEL = 0.02  # slope of a side of a box
ALIKE = 0.06  # centimetres by which equal lengths differ
CELLS = 6  # of the net of a box
ROW = 4  # of them lie beside each other

Told = Sequence[tuple[complex, str]]  # where each text is (pixels, y upwards), and what was read of it


def sets(plan: Plan, told: Told) -> list[str]:
    """Write circles of one size with letters in them, in the order of the letters, then the frame around them, if there is one."""
    circles = [(arc, style) for arc, style in plan.arcs if arc.whole and arc.round]
    if (
        not 2 <= len(circles) == len(plan.arcs)
        or max(a.rx for a, _ in circles) - min(a.rx for a, _ in circles) > ALIKE * plan.unit
    ):
        return []
    letters = {answer.strip(): z for z, answer in told if len(answer.strip()) == 1 and answer.strip().isupper()}
    if len(letters) != len(circles):
        return []
    ranked = [min(circles, key=lambda one: abs(one[0].center - letters[name])) for name in sorted(letters)]
    frame = _frame(plan, [arc for arc, _ in circles])
    if len({arc.center for arc, _ in ranked}) != len(circles) or frame is None:
        return []
    a, b = (letters[name].real for name in sorted(letters)[:2])
    corners = frame if a < b or not frame else [frame[1], frame[0], frame[3], frame[2]]
    lines = [_circle(plan, arc, style) for arc, style in ranked]
    if corners:
        style = plan.pieces[0].style
        lines.append(rf"\draw{styled(style)} {'--'.join(spelling.spot(z) for z in corners)}--cycle;")
    return lines


def _frame(plan: Plan, arcs: Sequence[Arc]) -> list[complex] | None:
    """Find the level frame around all circles, from its lower left corner on; an empty one where nothing else is drawn."""
    if not plan.pieces:
        return []
    spots = [plan.place(k) for piece in plan.pieces for k in piece.places]
    low = complex(min(z.real for z in spots), min(z.imag for z in spots))
    high = complex(max(z.real for z in spots), max(z.imag for z in spots))
    corners = [low, complex(high.real, low.imag), high, complex(low.real, high.imag)]
    at_corners = all(min(abs(z - corner) for corner in corners) < ALIKE for z in spots)
    inside = all(
        low.real < plan.move(arc.center).real < high.real and low.imag < plan.move(arc.center).imag < high.imag
        for arc in arcs
    )
    return corners if at_corners and inside and len(plan.pieces) == len(corners) else None


def _circle(plan: Plan, arc: Arc, style: Style) -> str:
    radius = spelling.number(round(arc.rx / plan.unit, 2))
    return rf"\draw{styled(style)} {spelling.spot(plan.move(arc.center))} circle ({radius});"


def box_net(plan: Plan) -> list[str]:
    """Write the net of a box cell by cell: a row of four, and one above and one below the first of them."""
    segments = plan.scene.net.segments
    if plan.arcs or not plan.pieces or any(min(abs(s.along.real), abs(s.along.imag)) > LEVEL for s in segments):
        return []
    spots = [plan.place(k) for k in range(len(plan.scene.net.places))]
    xs, ys = _steps([z.real for z in spots]), _steps([z.imag for z in spots])
    if len(xs) != ROW + 1 or len(ys) != ROW:
        return []
    cells = {(i, j) for i in range(ROW) for j in range(3) if _bounded(plan, xs[i : i + 2], ys[j : j + 2])}
    row = [(i, 1) for i in range(ROW)]
    first = next((i for i in (0, ROW - 1) if {(i, 0), (i, 2)} <= cells), None)
    if first is None or len(cells) != CELLS or not set(row) <= cells:
        return []
    order = [*(row if first == 0 else row[::-1]), (first, 2), (first, 0)]
    style = styled(plan.pieces[0].style)
    return [
        rf"\draw{style} {'--'.join(spelling.spot(z) for z in _cell(xs, ys, i, j, first == 0))}--cycle;"
        for i, j in order
    ]


def _steps(values: Sequence[float]) -> list[float]:
    """List different values, from the least."""
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > ALIKE:
            out.append(value)
    return out


def _bounded(plan: Plan, xs: Sequence[float], ys: Sequence[float]) -> bool:
    """Say whether lines run along all four sides of a cell."""
    (left, right), (low, high) = xs, ys
    corners = [complex(left, low), complex(right, low), complex(right, high), complex(left, high)]
    return all(_joined(plan, a, b) for a, b in pairwise([*corners, corners[0]]))


def _joined(plan: Plan, a: complex, b: complex) -> bool:
    """Say whether a line runs from one place to another, in centimetres."""
    p, q = (plan.low + z * plan.unit for z in (a, b))
    near = ALIKE * plan.unit
    return any(
        max(off_line(s, p), off_line(s, q)) < near and all(-near < along(s, z) < s.length + near for z in (p, q))
        for s in plan.scene.net.segments
    )


def _cell(xs: Sequence[float], ys: Sequence[float], i: int, j: int, rightwards: bool) -> list[complex]:
    a, b = (xs[i], xs[i + 1]) if rightwards else (xs[i + 1], xs[i])
    return [complex(a, ys[j]), complex(b, ys[j]), complex(b, ys[j + 1]), complex(a, ys[j + 1])]
