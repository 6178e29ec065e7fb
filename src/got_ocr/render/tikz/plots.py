"""TikZ's `plot`: functions sampled by our own arithmetic, lists of coordinates, smooth curves, marks. Bounded samples."""

import re
from collections.abc import Iterator
from dataclasses import replace

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import Source
from got_ocr.render.tikz.coords import closing
from got_ocr.render.tikz.geometry import Point, Segment, add, arc, smooth
from got_ocr.render.tikz.nodes import Nodes
from got_ocr.render.tikz.style import Style

MAX_SAMPLES = 500
MAX_POINTS = 2_000
MAX_REACH = 5_000.0  # points; a curve that runs farther is broken there
_LIST = re.compile(r"\s*coordinates\s*(?=\{)")


def plot(nodes: Nodes, style: Style, source: Source, at: int) -> tuple[list[list[Segment]], int]:
    """Return the curves of a plot and the offset behind it; marks are drawn on the way. Raises RenderFailed."""
    head = _LIST.match(source.text, at)
    if head is not None:
        group = source.group(head.end())
        if group is None:
            raise RenderFailed("a plot of the drawing has no coordinates")
        runs, end = [_listed(nodes, style, group[0])], group[1]
    else:
        start = source.skip_space(at)
        close = closing(source.text, start)
        if close < 0:
            raise RenderFailed("a plot of the drawing is neither a function nor a list")
        runs, end = _sampled(nodes, style, source.text[start + 1 : close]), close + 1
    for run in runs:
        _draw_marks(nodes, style, run)
    if "only marks" in style.extra:
        return [], end
    return [segments for run in runs if (segments := _joined(style, run))], end


def _listed(nodes: Nodes, style: Style, text: str) -> list[Point]:
    points, at = list[Point](), 0
    while (start := text.find("(", at)) >= 0:
        end = closing(text, start)
        if end < 0:
            break
        if len(points) >= MAX_POINTS:
            raise RenderFailed(f"a plot of the drawing has more than {MAX_POINTS} points")
        nodes.canvas.budget.take()
        points.append(nodes.names.place(text[start + 1 : end], style).point)
        at = end + 1
    return points


def _sampled(nodes: Nodes, style: Style, text: str) -> list[list[Point]]:
    """Evaluate `\\x,{expression}` over the domain; the curve breaks where it has no value."""
    look = nodes.names.look
    variable = style.extra.get("variable", "\\x").strip().removeprefix("\\")
    low, high = (look.number(part) for part in [*style.extra.get("domain", "-5:5").split(":"), "0"][:2])
    count = int(look.number(style.extra.get("samples", "25")))
    if not 1 <= count <= MAX_SAMPLES:
        raise RenderFailed(f"a plot of the drawing has more than {MAX_SAMPLES} samples")
    runs: list[list[Point]] = [[]]
    kept = look.names.get(variable)
    for index in range(count):
        look.names[variable] = low + (high - low) * index / max(1, count - 1)
        point = _value(nodes, style, text)
        if point is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    look.names.pop(variable, None)
    if kept is not None:
        look.names[variable] = kept
    return [run for run in runs if run]


def _value(nodes: Nodes, style: Style, text: str) -> Point | None:
    nodes.canvas.budget.take()
    try:
        point = nodes.names.place(text, style).point
    except RenderFailed:
        if nodes.canvas.budget.spent > nodes.canvas.budget.left:
            raise
        return None
    return point if abs(point[0]) < MAX_REACH and abs(point[1]) < MAX_REACH else None


def _joined(style: Style, points: list[Point]) -> list[Segment]:
    extra = style.extra
    if not points:
        return []
    if "smooth cycle" in extra or "smooth" in extra:
        tension = float(extra["tension"]) if re.fullmatch(r"\d?\.?\d+", extra.get("tension", "")) else 0.55
        return smooth(points, tension, closed="smooth cycle" in extra)
    if "ycomb" in extra or "xcomb" in extra or "ybar" in extra:
        return [segment for point in points for segment in _comb(point, style)]
    closed = [Segment("Z")] if "sharp cycle" in extra else []
    return [Segment("M", (points[0],)), *(Segment("L", (point,)) for point in points[1:]), *closed]


def _comb(point: Point, style: Style) -> Iterator[Segment]:
    origin = style.matrix.apply((0.0, 0.0))
    foot = (origin[0], point[1]) if "xcomb" in style.extra else (point[0], origin[1])
    yield Segment("M", (foot,))
    yield Segment("L", (point,))


def _draw_marks(nodes: Nodes, style: Style, points: list[Point]) -> None:
    """Draw `mark=*`, `x`, `+`, `o` and their like at every point."""
    mark = style.extra.get("mark", "*" if "only marks" in style.extra else "").strip()
    if not mark or mark == "none":
        return
    size = nodes.names.look.length(style.extra.get("mark size", "2pt"))
    look = replace(style, dash=(), arrows=("", ""), draw=style.draw or style.color, fill=None)
    for x, y in points:
        nodes.canvas.budget.take()
        if mark in ("*", "o", "otimes", "oplus"):
            ring = [add((x, y), point) for point in arc(0, 360, size, size)]
            curves = [Segment("C", tuple(ring[at : at + 3])) for at in range(1, len(ring), 3)]
            filled = replace(look, fill=look.draw) if mark == "*" else look
            nodes.canvas.path([Segment("M", (ring[0],)), *curves, Segment("Z")], filled)
        elif mark == "x":
            _strokes(
                nodes,
                look,
                [((x - size, y - size), (x + size, y + size)), ((x - size, y + size), (x + size, y - size))],
            )
        elif mark == "|":
            _strokes(nodes, look, [((x, y - size), (x, y + size))])
        elif mark.startswith("square"):
            corners = [(x - size, y - size), (x + size, y - size), (x + size, y + size), (x - size, y + size)]
            outline = [Segment("M", (corners[0],)), *(Segment("L", (c,)) for c in corners[1:]), Segment("Z")]
            nodes.canvas.path(outline, replace(look, fill=look.draw if "*" in mark else None))
        else:
            _strokes(nodes, look, [((x - size, y), (x + size, y)), ((x, y - size), (x, y + size))])


def _strokes(nodes: Nodes, style: Style, lines: list[tuple[Point, Point]]) -> None:
    nodes.canvas.path([part for a, b in lines for part in (Segment("M", (a,)), Segment("L", (b,)))], style)
