"""A path's operations -> segments and nodes: lines, curves, arcs, rectangles, circles, grids, plots.

Reads one statement with its macros already put in. Raises RenderFailed at what it does not know; what was built up to
there is lost with the statement, not with the picture.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import Source
from got_ocr.render.tikz.coords import Place, closing
from got_ocr.render.tikz.curves import Track, arc_points, circle_points
from got_ocr.render.tikz.geometry import Point, Segment, add, subtract
from got_ocr.render.tikz.joins import JOINS
from got_ocr.render.tikz.nodes import Nodes, facing
from got_ocr.render.tikz.pathtext import write_out_let, write_out_loop
from got_ocr.render.tikz.plots import plot
from got_ocr.render.tikz.shapes import Shape
from got_ocr.render.tikz.style import Style, apply

_OPERATION = re.compile(
    r"""\s*(?:
      (?P<options>\[)
    | (?P<relative>\+\+?)\s*(?=\()
    | (?P<place>\()
    | (?P<join>--|-\||\|-)
    | (?P<curve>\.\.)
    | (?P<name>node|coordinate|cycle|rectangle|circle|ellipse|arc|grid|plot|to|edge|parabola|sin|cos|pic|foreach|let)
      (?![a-zA-Z])
    | (?P<loop>\\foreach)(?![a-zA-Z])
    )""",
    re.X,
)
_MORE = re.compile(r"\s*\S")
_WORD_JOINS = frozenset(("rectangle", "grid", "to", "edge", "parabola", "sin", "cos"))


@dataclass(slots=True)
class _Waiting:
    """A node met while a line is under way; it is placed when the line is known."""

    style: Style
    text: str
    name: str


@dataclass(slots=True)
class PathReader:
    """Read one path: `segments` and what `nodes` drew are the outcome; `style` may have changed on the way."""

    nodes: Nodes
    style: Style
    text: str
    segments: list[Segment] = field(default_factory=list)
    source: Source = field(default_factory=lambda: Source(""))
    at: int = 0
    here: Place = field(default_factory=lambda: Place((0.0, 0.0)))
    base: Point = (0.0, 0.0)
    start: Place | None = None
    pen: Point | None = None
    join: str = ""
    join_style: Style | None = None
    controls: tuple[Point, Point] | None = None
    waiting: list[_Waiting] = field(default_factory=list)
    track: Track = field(default_factory=lambda: Track(()))

    def run(self) -> None:
        """Read the whole statement. Raises RenderFailed."""
        self.source = Source(self.text)
        while _MORE.match(self.text, self.at):
            match = _OPERATION.match(self.text, self.at)
            if match is None:
                raise RenderFailed("a path of the drawing has an operation that is not known")
            self.at = match.end()
            self.nodes.canvas.budget.take()
            kind = match.lastgroup or ""
            name = match[kind].strip() if kind == "name" else kind
            _OPERATIONS.get(name, PathReader.open_join)(self, match)
        self._place_waiting()

    # Reading

    def bracketed(self) -> str:
        """Take `[options]` if they come next."""
        option, self.at = self.source.option(self.at)
        if option is None and self.text.startswith("[", self.source.skip_space(self.at)):
            raise RenderFailed("options of the drawing are not closed")
        return option or ""

    def parenthesised(self) -> str | None:
        """Take `(...)` if it comes next, without its parentheses. Raises RenderFailed where it never closes."""
        at = self.source.skip_space(self.at)
        end = closing(self.text, at)
        if end < 0 and self.text.startswith("(", at):
            raise RenderFailed("a coordinate of the drawing is not closed")
        if end < 0:
            return None
        self.at = end + 1
        return self.text[at + 1 : end]

    def apply(self, options: str) -> Style:
        return apply(self.style, options, self.nodes.names.look)

    def options(self, match: re.Match[str]) -> None:
        self.at = match.end() - 1
        self.style = self.apply(self.bracketed())

    def coordinate(self, match: re.Match[str]) -> None:
        self.at = match.end() - 1
        place = self.nodes.names.place(self.parenthesised() or "", self.style)
        self.base = place.point
        self.go(place)

    def relative(self, match: re.Match[str]) -> None:
        """Read `++(..)`, which moves on, and `+(..)`, which the next relative coordinate does not start from."""
        inner = self.parenthesised() or ""
        straight = replace(self.style, matrix=replace(self.style.matrix, e=0.0, f=0.0))
        place = Place(add(self.base, self.nodes.names.place(inner, straight).point))
        if match["relative"] == "++":
            self.base = place.point
        self.go(place)

    # Going

    def go(self, place: Place) -> None:
        """Move or draw to a place, by the operation that waits."""
        join, self.join = self.join, ""
        if join == "..":
            self._curve_to(place)
        elif join:
            JOINS[join](self, place)
        else:
            self.start, self.pen = place, None
            self.track = Track((place.point,))
        if join != "edge":
            self.here = place
        self._place_waiting()
        self.join_style, self.controls = None, None

    def line(self, points: tuple[Point, ...]) -> None:
        """Draw straight lines; the pen moves first where it is elsewhere."""
        self._pen_to(points[0])
        self.segments.extend(Segment("L", (point,)) for point in points[1:])
        self.pen = points[-1]
        self.track = Track(points)

    def curve(self, points: tuple[Point, ...]) -> None:
        """Draw cubic curves: a start and three points for each."""
        self._pen_to(points[0])
        self.segments.extend(Segment("C", points[at : at + 3]) for at in range(1, len(points) - 2, 3))
        self.pen = points[-1]
        self.track = Track(points, curved=True)

    def closed_curve(self, points: tuple[Point, ...]) -> None:
        """Draw a closed curve of its own."""
        self.pen = None
        self.curve(points)
        self.segments.append(Segment("Z"))
        self.pen = None

    def _pen_to(self, point: Point) -> None:
        if self.pen != point:
            self.segments.append(Segment("M", (point,)))

    def open_join(self, match: re.Match[str]) -> None:
        """Remember an operation that needs a place to go to: `--`, `rectangle`, `to[bend left]`."""
        self._place_waiting()
        self.join = match.group().strip()
        if self.join in _WORD_JOINS:
            self.join_style = self.apply(self.bracketed())
            if self.join == "parabola":
                self._bend()

    def _bend(self) -> None:
        bend = re.compile(r"\s*bend\s*").match(self.text, self.at)
        if bend is not None:
            self.at = bend.end()
            inner = self.parenthesised() or "0,0"
            self.controls = (self.nodes.names.place(inner, self.style).point,) * 2

    def curve_mark(self, match: re.Match[str]) -> None:
        """Read `.. controls (a) and (b) ..`."""
        head = re.compile(r"\s*controls\s*").match(self.text, self.at)
        if head is None:
            raise RenderFailed("a curve of the drawing has no controls")
        self.at = head.end()
        first = self._control(self.here.point)
        both = re.compile(r"\s*and\s*").match(self.text, self.at)
        self.at = both.end() if both else self.at
        second = self._control(None) if both else first
        tail = re.compile(r"\s*\.\.").match(self.text, self.at)
        self.at = tail.end() if tail else self.at
        self.controls = (first, second)
        self.join = ".."

    def _control(self, start: Point | None) -> Point:
        """Read a control point; a relative second one counts from the curve's end, which is not known yet."""
        plus = re.compile(r"\s*\+\+?").match(self.text, self.at)
        self.at = plus.end() if plus else self.at
        inner = self.parenthesised()
        if inner is None:
            raise RenderFailed("a curve of the drawing has no controls")
        if plus is None:
            return self.nodes.names.place(inner, self.style).point
        straight = replace(self.style, matrix=replace(self.style.matrix, e=0.0, f=0.0))
        way = self.nodes.names.place(inner, straight).point
        return add(start, way) if start is not None else add(self._ahead(), way)

    def _ahead(self) -> Point:
        """Look at the coordinate behind the controls."""
        ahead = re.compile(r"\s*\.\.\s*(?=\()").match(self.text, self.at)
        end = closing(self.text, ahead.end()) if ahead else -1
        if ahead is None or end < 0:
            return self.here.point
        return self.nodes.names.place(self.text[ahead.end() + 1 : end], self.style).point

    def _curve_to(self, place: Place) -> None:
        first, second = self.controls or (self.here.point, place.point)
        start = self.here.shape.border(first) if self.here.shape else self.here.point
        end = place.shape.border(second) if place.shape else place.point
        self.curve((start, first, second, end))

    def cycle(self, match: re.Match[str]) -> None:
        """Go back to the subpath's start."""
        if self.start is None:
            raise RenderFailed("a path of the drawing closes before it starts")
        if self.join == "..":
            self._curve_to(self.start)
        elif self.join not in ("", "--"):
            JOINS[self.join](self, self.start)
        self.track = Track((self.here.point, self.start.point))
        self.join = ""
        self.segments.append(Segment("Z"))
        self.here, self.pen, self.base = self.start, None, self.start.point
        self._place_waiting()

    # Shapes

    def circle(self, match: re.Match[str]) -> None:
        options = self.apply(self.bracketed())
        inner = self.parenthesised()
        points = circle_points(inner, options, self.nodes.names.look)
        center = self.here.point
        self.closed_curve(tuple(add(center, options.matrix.turn(point)) for point in points))
        self.track = Track((center,))

    def arc(self, match: re.Match[str]) -> None:
        options = self.apply(self.bracketed())
        points = arc_points(self.parenthesised(), options, self.nodes.names.look)
        turned = [options.matrix.turn(subtract(point, points[0])) for point in points]
        placed = tuple(add(self.here.point, point) for point in turned)
        self.curve(placed)
        self.here, self.base = Place(placed[-1]), placed[-1]

    def plot(self, match: re.Match[str]) -> None:
        style = self.apply(self.bracketed())
        pieces, self.at = plot(self.nodes, style, self.source, self.at)
        joined = self.join == "--"
        self.join = ""
        for segments in pieces:
            if not segments:
                continue
            first = segments[0].points[0]
            if joined and self.pen is not None:
                self.segments.append(Segment("L", (first,)))
                segments = segments[1:]
            self.segments.extend(segments)
            joined = False
            ends = [segment.points[-1] for segment in segments if segment.points]
            self.here = Place(ends[-1] if ends else first)
            self.pen = self.base = self.here.point
            self.start = self.start or Place(first)
            self.track = Track(tuple(ends[-2:]) or (first,))

    # Nodes

    def node(self, match: re.Match[str]) -> None:
        point = match["name"].strip() == "coordinate"
        options, name, place = "", "", None
        while True:
            at = self.source.skip_space(self.at)
            if self.text.startswith("[", at):
                options += "," + self.bracketed()
            elif self.text.startswith("(", at):
                name = " ".join((self.parenthesised() or "").split())
            elif re.compile(r"at\s*(?=\()").match(self.text, at):
                self.at = self.text.index("(", at)
                place = self.nodes.names.place(self.parenthesised() or "", self.style).point
            else:
                break
        group = None if point else self.source.braced(self.at)
        text, self.at = group if group else ("", self.at)
        style = self.nodes.style(self.style, options)
        name = style.extra.get("name", name) or name
        style = replace(style, shape="point", inner=(0.0, 0.0)) if point else style
        if place is not None:
            self._put(style, place, text, name)
        elif self.join:
            self.wait(style, text, name)
        else:
            at_point = self.track.at(style.position) if style.position is not None else self.here.point
            self._put(self._directed(style), at_point, text, name)

    def wait(self, style: Style, text: str, name: str) -> None:
        """Keep a node until the line under way is known."""
        self.waiting.append(_Waiting(style, text, name))

    def _put(self, style: Style, at: Point, text: str, name: str) -> None:
        if style.shape == "point" and not text:
            moved = add(add(at, style.offset), (style.matrix.e, style.matrix.f))
            shape = Shape("point", moved)
            if name:
                self.nodes.names.shapes[name] = shape
            self.nodes.canvas.cover([moved])
            self.nodes.label_point(style, shape)
        else:
            shape = self.nodes.place(style, at, text, name)
        if not self.segments and not self.join and self.start is None:
            self.here = Place(shape.center, shape if shape.kind != "point" else None)
            self.base = shape.center

    def _place_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        for node in waiting:
            position = 0.5 if node.style.position is None else node.style.position
            style = self._directed(replace(node.style, position=position))
            self._put(style, self.track.at(position), node.text, node.name)

    def _directed(self, style: Style) -> Style:
        """Turn a node along its line (`sloped`) or set it beside the line (`auto`)."""
        if style.position is None:
            return style
        direction = self.track.direction(style.position)
        if style.sloped:
            upright = (direction + 90) % 180 - 90
            style = replace(style, turn=style.turn + upright)
        if ("auto" in style.extra or "swap" in style.extra) and style.anchor == "center":
            swapped = "swap" in style.extra or style.extra.get("auto") == "right"
            style = replace(style, anchor=facing(direction + (-90 if swapped else 90)))
        return style

    def pic(self, match: re.Match[str]) -> None:
        options = self.bracketed()
        group = self.source.braced(self.at)
        if group is None:
            raise RenderFailed("the drawing uses a small picture that is not known")
        self.at = group[1]
        self.nodes.mark_angle(self.style, group[0], options)

    def continue_with(self, text: str) -> None:
        """Go on with another text in place of what is left."""
        self.text, self.at = text, 0
        self.source = Source(text)


_OPERATIONS: dict[str, Callable[[PathReader, re.Match[str]], None]] = {
    "options": PathReader.options,
    "relative": PathReader.relative,
    "place": PathReader.coordinate,
    "node": PathReader.node,
    "coordinate": PathReader.node,
    "curve": PathReader.curve_mark,
    "cycle": PathReader.cycle,
    "circle": PathReader.circle,
    "ellipse": PathReader.circle,
    "arc": PathReader.arc,
    "plot": PathReader.plot,
    "pic": PathReader.pic,
    "loop": write_out_loop,
    "foreach": write_out_loop,
    "let": write_out_let,
}
