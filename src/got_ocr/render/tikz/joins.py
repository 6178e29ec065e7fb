"""How a path gets from one place to the next: lines, corners, rectangles, grids, `to` curves, parabolas. Knows the path's state."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from got_ocr.render.tikz.coords import Place, between
from got_ocr.render.tikz.curves import Track, grid_lines, sine_points, to_points
from got_ocr.render.tikz.geometry import Segment, add, subtract
from got_ocr.render.tikz.style import apply

if TYPE_CHECKING:
    from got_ocr.render.tikz.path import PathReader


def _line_to(reader: "PathReader", place: Place) -> None:
    reader.line(between(reader.here, place))


def _corner_to(reader: "PathReader", place: Place, *, upright_first: bool) -> None:
    a, b = reader.here, place
    corner = (a.point[0], b.point[1]) if upright_first else (b.point[0], a.point[1])
    start = a.shape.border(corner) if a.shape else a.point
    end = b.shape.border(corner) if b.shape else b.point
    reader.line((start, corner, end))


def _rectangle_to(reader: "PathReader", place: Place) -> None:
    matrix = reader.style.matrix
    back = matrix.inverse()
    (x1, y1), (x2, y2) = back.apply(reader.here.point), back.apply(place.point)
    corners = tuple(matrix.apply(point) for point in ((x1, y1), (x2, y1), (x2, y2), (x1, y2)))
    reader.pen = None
    reader.line(corners)
    reader.segments.append(Segment("Z"))
    reader.pen, reader.start = None, place
    reader.track = Track((reader.here.point, place.point))


def _grid_to(reader: "PathReader", place: Place) -> None:
    style = reader.join_style or reader.style
    for start, end in grid_lines(reader.here.point, place.point, style, reader.nodes.names.look):
        reader.nodes.canvas.budget.take()
        reader.pen = None
        reader.line((start, end))
    reader.pen = None


def _to(reader: "PathReader", place: Place) -> None:
    style = reader.join_style or reader.style
    points = to_points(reader.here, place, style, reader.nodes.names.look)
    if len(points) == 2:
        reader.line(points)
    else:
        reader.curve(points)
    for key in style.extra:
        if key.startswith('"'):
            beside = reader.nodes.style(reader.style, "auto")
            text, _, options = key.removeprefix('"').partition('"')
            swapped = apply(beside, "swap" if options.strip().startswith("'") else "", reader.nodes.names.look)
            reader.wait(swapped, text, "")


def _edge(reader: "PathReader", place: Place) -> None:
    """Draw a line of its own from the place where the path stands."""
    style = reader.join_style or reader.style
    kept = (reader.segments, reader.pen)
    reader.segments, reader.pen = [], None
    _to(reader, place)
    reader.nodes.stroke(reader.segments, replace(style, draw=style.draw or style.color, fill=None))
    reader.segments, reader.pen = kept


def _sine_to(reader: "PathReader", place: Place, *, cosine: bool) -> None:
    reader.curve(sine_points(reader.here.point, place.point, cosine=cosine))


def _parabola_to(reader: "PathReader", place: Place) -> None:
    bend = reader.controls[0] if reader.controls else reader.here.point
    for start, end in ((bend, reader.here.point), (bend, place.point)):
        dx, dy = subtract(end, start)
        points = (start, add(start, (dx / 3, 0.0)), add(start, (dx * 2 / 3, dy / 3)), end)
        if end == start:
            continue
        reader.curve(points if end == place.point else tuple(reversed(points)))


JOINS: dict[str, "Callable[[PathReader, Place], None]"] = {
    "--": _line_to,
    "-|": lambda reader, place: _corner_to(reader, place, upright_first=False),
    "|-": lambda reader, place: _corner_to(reader, place, upright_first=True),
    "rectangle": _rectangle_to,
    "grid": _grid_to,
    "to": _to,
    "edge": _edge,
    "sin": lambda reader, place: _sine_to(reader, place, cosine=False),
    "cos": lambda reader, place: _sine_to(reader, place, cosine=True),
    "parabola": _parabola_to,
}
