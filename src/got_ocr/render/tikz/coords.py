"""Coordinates as TikZ writes them -> points of the canvas: cartesian, polar, named, perpendicular, computed.

Knows the picture's names, no path.
"""

import re
from dataclasses import dataclass, field

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import split_top
from got_ocr.render.tikz.arith import CM, evaluate
from got_ocr.render.tikz.geometry import Point, add, along, crossing, distance, polar, rotation, subtract
from got_ocr.render.tikz.shapes import Shape
from got_ocr.render.tikz.style import Look, Style, apply

MAX_NESTING = 12
_COMPASS = {
    "right": 0.0,
    "up": 90.0,
    "left": 180.0,
    "down": 270.0,
    "north": 90.0,
    "south": 270.0,
    "east": 0.0,
    "west": 180.0,
}
_COMPASS |= {"north east": 45.0, "north west": 135.0, "south west": 225.0, "south east": 315.0}
_THIRD = (-0.385, -0.385)  # where TikZ's z axis points
_END = r"([^-]{1,80})"
_INTERSECTION = re.compile(rf"intersection\s+of\s+{_END}--{_END}\sand\s{_END}--{_END}")


@dataclass(slots=True)
class Place:
    """A resolved coordinate; `shape` where it names a whole node, whose border lines stop at."""

    point: Point
    shape: Shape | None = None


@dataclass(slots=True)
class Names:
    """Nodes and coordinates that the picture has named so far."""

    look: Look
    shapes: dict[str, Shape] = field(default_factory=dict)

    def place(self, text: str, style: Style, depth: int = 0) -> Place:
        """Resolve what stands between a coordinate's parentheses. Raises RenderFailed."""
        text = text.strip()
        if depth > MAX_NESTING or len(text) > 2_000:
            raise RenderFailed("a coordinate of the drawing nests too deep")
        if text.startswith("["):
            options, _, rest = text[1:].partition("]")
            return self.place(rest, apply(style, options, self.look), depth + 1)
        if text.startswith("$"):
            return Place(_Calculation(self, text.strip("$ "), style, depth).run())
        for mark in ("|-", "-|"):
            first, found, second = text.partition(mark)
            if found:
                return Place(self._corner(first, second, mark, style, depth))
        match = _INTERSECTION.fullmatch(text)
        if match is not None:
            return Place(self._crossing(match, style, depth))
        return self._simple(text, style)

    def _corner(self, first: str, second: str, mark: str, style: Style, depth: int) -> Point:
        a = self.place(first.strip().removeprefix("(").removesuffix(")"), style, depth + 1).point
        b = self.place(second.strip().removeprefix("(").removesuffix(")"), style, depth + 1).point
        return (a[0], b[1]) if mark == "|-" else (b[0], a[1])

    def _crossing(self, match: re.Match[str], style: Style, depth: int) -> Point:
        points = [
            self.place(part.strip().removeprefix("(").removesuffix(")"), style, depth + 1).point
            for part in match.groups()
        ]
        found = crossing(points[0], points[1], points[2], points[3])
        if found is None:
            raise RenderFailed("two lines of the drawing never meet")
        return found

    def _simple(self, text: str, style: Style) -> Place:
        if " cs:" in text:
            return Place(self._system(text, style))
        parts = split_top(text, ",")
        if len(parts) in (2, 3):
            return Place(style.matrix.apply(self.vector(parts, style)))
        around = split_top(text, ":")
        if len(around) == 2:
            return Place(style.matrix.apply(self._polar(around[0], around[1], style)))
        return self._named(text)

    def vector(self, parts: list[str], style: Style) -> Point:
        """Return the vector of `x, y` or `x, y, z` before the style's map."""
        axes = ((1.0, 0.0), (0.0, 1.0), _THIRD)
        units = (style.x_unit, style.y_unit, (_THIRD[0] * CM, _THIRD[1] * CM))
        total = (0.0, 0.0)
        for part, axis, unit in zip(parts, axes, units, strict=False):
            value = evaluate(part, self.look.names)
            way = axis if value.length else unit
            total = add(total, (value.number * way[0], value.number * way[1]))
        return total

    def _polar(self, direction: str, radius: str, style: Style) -> Point:
        degrees = _COMPASS.get(direction.strip())
        degrees = self.look.number(direction) if degrees is None else degrees
        radii = [evaluate(part, self.look.names) for part in radius.split(" and ")]
        sizes = [(value.number, value.number) if value.length else _scaled(value.number, style) for value in radii]
        x, y = polar(degrees, 1.0)
        return x * sizes[0][0], y * sizes[-1][1]

    def _system(self, text: str, style: Style) -> Point:
        """Read explicit systems: polar ones and barycentric."""
        system, _, rest = text.partition(" cs:")
        pairs = dict(part.partition("=")[::2] for part in split_top(rest, ","))
        pairs = {key.strip(): value.strip() for key, value in pairs.items()}
        if system.strip() == "barycentric" and pairs:
            weights = {name: self.look.number(value) for name, value in pairs.items()}
            whole = sum(weights.values()) or 1.0
            points = [(self._named(name).point, weight / whole) for name, weight in weights.items()]
            return sum(p[0] * w for p, w in points), sum(p[1] * w for p, w in points)
        if system.strip().endswith("polar") and "angle" in pairs and "radius" in pairs:
            return style.matrix.apply(self._polar(pairs["angle"], pairs["radius"], style))
        if system.strip() in ("canvas", "xyz") and pairs:
            return style.matrix.apply(self.vector([pairs.get("x", "0"), pairs.get("y", "0")], style))
        if system.strip() == "node" and "name" in pairs:
            anchor = pairs.get("anchor") or pairs.get("angle")
            return self._named(pairs["name"] + (f".{anchor}" if anchor else "")).point
        raise RenderFailed("the drawing uses a coordinate system that is not known")

    def _named(self, text: str) -> Place:
        name = " ".join(text.split())
        if name in self.shapes:
            shape = self.shapes[name]
            return Place(shape.center, None if shape.kind == "point" else shape)
        name, dot, anchor = name.rpartition(".")
        if dot and name in self.shapes:
            return Place(self.shapes[name].anchor(anchor.strip()))
        raise RenderFailed("the drawing names a point that it does not define")


def _scaled(value: float, style: Style) -> Point:
    return value * _size(style.x_unit), value * _size(style.y_unit)


def _size(unit: Point) -> float:
    return distance((0.0, 0.0), unit)


class _Calculation:
    """Read `(A)!0.5!90:(B) + 2*(1,0)`, points of the canvas throughout."""

    def __init__(self, names: Names, text: str, style: Style, depth: int) -> None:
        self.names = names
        self.text = text
        self.style = style
        self.depth = depth
        self.at = 0

    def run(self) -> Point:
        total: Point | None = None
        while self.at < len(self.text):
            sign, factor = self._factor()
            literal = self._is_literal()
            point = self._modified(self._coordinate())
            scale = sign * factor
            if total is not None and literal:
                # A literal added to a point is a way to go: the map's shift is already in the first one.
                origin = self.style.matrix.apply((0.0, 0.0))
                point = subtract(point, origin)
            total = (
                (point[0] * scale, point[1] * scale)
                if total is None
                else add(total, (point[0] * scale, point[1] * scale))
            )
            self._blank()
        if total is None:
            raise RenderFailed("a computed coordinate of the drawing is empty")
        return total

    def _blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _factor(self) -> tuple[float, float]:
        """Read a sign and `expr*` before a coordinate."""
        self._blank()
        sign = 1.0
        while self.text[self.at : self.at + 1] in ("+", "-"):
            sign = -sign if self.text[self.at] == "-" else sign
            self.at += 1
            self._blank()
        star = re.compile(r"\s*([\d.]+|\{[^{}]*\}|[\d.]+\s*/\s*[\d.]+|[a-z]+\([^()]*\))\s*\*\s*(?=\()").match(
            self.text, self.at
        )
        if star is None:
            return sign, 1.0
        self.at = star.end()
        return sign, self.names.look.number(star[1])

    def _is_literal(self) -> bool:
        inner = re.compile(r"\(\s*[-+.\d]").match(self.text, self.at)
        return inner is not None

    def _coordinate(self) -> Point:
        self._blank()
        end = closing(self.text, self.at)
        if end < 0:
            raise RenderFailed("a computed coordinate of the drawing cannot be read")
        inner = self.text[self.at + 1 : end]
        self.at = end + 1
        return self.names.place(inner, self.style, self.depth + 1).point

    def _modified(self, point: Point) -> Point:
        """Apply `!part!turn:(B)` and `!(C)!(B)` as often as they come."""
        self._blank()
        while self.text[self.at : self.at + 1] == "!":
            self.at += 1
            self._blank()
            if self.text[self.at : self.at + 1] == "(":
                onto = self._coordinate()
                self._mark()
                point = _projected(point, self._coordinate(), onto)
            else:
                part = self._until_mark()
                degrees = self._turn()
                point = self._part(point, self._coordinate(), part, degrees)
            self._blank()
        return point

    def _mark(self) -> None:
        self._blank()
        if self.text[self.at : self.at + 1] != "!":
            raise RenderFailed("a computed coordinate of the drawing cannot be read")
        self.at += 1

    def _until_mark(self) -> str:
        end = self.text.find("!", self.at)
        if end < 0:
            raise RenderFailed("a computed coordinate of the drawing cannot be read")
        part = self.text[self.at : end]
        self.at = end + 1
        return part

    def _turn(self) -> float:
        turn = re.compile(r"\s*([^:()]{1,60}):\s*(?=\()").match(self.text, self.at)
        if turn is None:
            return 0.0
        self.at = turn.end()
        return self.names.look.number(turn[1])

    def _part(self, start: Point, end: Point, part: str, degrees: float) -> Point:
        value = evaluate(part, self.names.look.names)
        away = distance(start, end)
        share = value.number / away if value.length and away else value.number
        way = subtract(along(start, end, share), start)
        turned = rotation(degrees).turn(way) if degrees else way
        return add(start, turned)


def closing(text: str, at: int) -> int:
    """Return where the parenthesis that opens at `at` closes, -1 if nowhere."""
    if not text.startswith("(", at):
        return -1
    depth = 0
    for index in range(at, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return index
    return -1


def _projected(start: Point, end: Point, point: Point) -> Point:
    way = subtract(end, start)
    size = way[0] ** 2 + way[1] ** 2
    if size < 1e-12:
        return start
    to = subtract(point, start)
    return along(start, end, (to[0] * way[0] + to[1] * way[1]) / size)


def between(a: Place, b: Place) -> tuple[Point, Point]:
    """Return where a line between two places starts and ends: at the borders of nodes."""
    start = a.shape.border(b.point) if a.shape else a.point
    return start, b.shape.border(a.point) if b.shape else b.point
