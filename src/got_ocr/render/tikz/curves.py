"""Points of curves that path operations ask for, and a track to find places along what was drawn last. Knows options."""

import math
from dataclasses import dataclass

from got_ocr.errors import RenderFailed
from got_ocr.render.tikz.arith import CM
from got_ocr.render.tikz.coords import Place, between
from got_ocr.render.tikz.geometry import Point, add, along, angle, arc, bezier, distance, polar
from got_ocr.render.tikz.style import Look, Style

MAX_GRID = 400  # lines of one grid
MAX_TURNS = 7_200  # degrees of one arc


@dataclass(frozen=True, slots=True)
class Track:
    """What was drawn last: a chain of points, or of cubic curves (a start and three points for each)."""

    points: tuple[Point, ...]
    curved: bool = False

    def at(self, t: float) -> Point:
        """Return the place at the part t of the way."""
        if len(self.points) < 2:
            return self.points[0] if self.points else (0.0, 0.0)
        piece, rest = self._piece(t)
        return bezier(piece, rest) if self.curved else along(piece[0], piece[1], rest)

    def direction(self, t: float) -> float:
        """Return where the way leads there, in degrees."""
        before, behind = self.at(max(0.0, t - 0.01)), self.at(min(1.0, t + 0.01))
        return angle(before, behind) if before != behind else 0.0

    def _piece(self, t: float) -> tuple[tuple[Point, ...], float]:
        step = 3 if self.curved else 1
        count = (len(self.points) - 1) // step
        place = min(max(t, 0.0), 1.0) * count
        index = min(int(place), count - 1)
        return self.points[index * step : index * step + step + 1], place - index


def circle_points(text: str | None, style: Style, look: Look) -> list[Point]:
    """Return a circle or ellipse around the origin, given as `(r)`, `(a and b)` or by options."""
    if text is not None:
        radii = [_radius(part, style, look, upright=at > 0) for at, part in enumerate(text.split(" and "))]
    else:
        both = style.extra.get("radius", "")
        parts = [style.extra.get("x radius", both), style.extra.get("y radius", both)]
        if not all(parts):
            raise RenderFailed("a circle of the drawing has no radius")
        radii = [_radius(part, style, look, upright=at > 0) for at, part in enumerate(parts)]
    return arc(0, 360, abs(radii[0]), abs(radii[-1]))


def _radius(text: str, style: Style, look: Look, *, upright: bool = False) -> float:
    unit = style.y_unit if upright else style.x_unit
    return look.length(text, distance((0.0, 0.0), unit))


def arc_points(text: str | None, style: Style, look: Look) -> list[Point]:
    """Return an arc around the origin, given as `(start:end:r)` or by options."""
    if text is not None:
        parts = text.split(":")
        if len(parts) != 3:
            raise RenderFailed("an arc of the drawing needs two angles and a radius")
        start, end = look.number(parts[0]), look.number(parts[1])
        radii = [_radius(part, style, look, upright=at > 0) for at, part in enumerate(parts[2].split(" and "))]
    else:
        extra = style.extra
        start = look.number(extra.get("start angle", "0"))
        delta = extra.get("delta angle")
        end = start + look.number(delta) if delta else look.number(extra.get("end angle", "0"))
        both = extra.get("radius", "1")
        radii = [_radius(extra.get(f"{axis} radius", both), style, look, upright=axis == "y") for axis in "xy"]
    if abs(end - start) > MAX_TURNS:
        raise RenderFailed("an arc of the drawing turns too often")
    return arc(start, end, radii[0], radii[-1])


def grid_lines(a: Point, b: Point, style: Style, look: Look) -> list[tuple[Point, Point]]:
    """Return the lines of a grid between two corners, at multiples of its step."""
    back = style.matrix.inverse()
    (x1, y1), (x2, y2) = back.apply(a), back.apply(b)
    x1, x2, y1, y2 = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    both = style.extra.get("step", "1")
    lines = []
    for name, low, high, far, near, upright in (("xstep", x1, x2, y2, y1, True), ("ystep", y1, y2, x2, x1, False)):
        step = _radius(style.extra.get(name, both), style, look, upright=not upright)
        if step <= 0 or (high - low) / step > MAX_GRID:
            raise RenderFailed(f"a grid of the drawing has more than {MAX_GRID} lines")
        for at in range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1):
            ends = ((at * step, near), (at * step, far)) if upright else ((near, at * step), (far, at * step))
            lines.append((style.matrix.apply(ends[0]), style.matrix.apply(ends[1])))
    return lines


def to_points(a: Place, b: Place, style: Style, look: Look) -> tuple[Point, ...]:
    """Return `to`'s line or curve between two places: straight, bent, or by the angles it leaves and comes in with."""
    extra = style.extra
    straight = angle(a.point, b.point)
    leave, come = extra.get("out"), extra.get("in")
    out, into = straight, straight + 180
    for key, sign in (("bend left", 1), ("bend right", -1)):
        if key in extra:
            bend = sign * look.number(extra[key] or "30")
            out, into = straight + bend, straight + 180 - bend
    if leave is None and come is None and out == straight:
        return between(a, b)
    out = look.number(leave) if leave is not None else out
    into = look.number(come) if come is not None else into
    start = a.shape.border(add(a.point, polar(out, 1.0))) if a.shape else a.point
    end = b.shape.border(add(b.point, polar(into, 1.0))) if b.shape else b.point
    pull = 0.3915 * look.number(extra.get("looseness", "1")) * (distance(start, end) or 2.0 * CM)
    return start, add(start, polar(out, pull)), add(end, polar(into, pull)), end


def sine_points(a: Point, b: Point, *, cosine: bool) -> tuple[Point, ...]:
    """Return a quarter of a sine between two points."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    if cosine:
        return a, add(a, (0.3620 * dx, 0.0)), add(a, (0.6740 * dx, 0.488 * dy)), b
    return a, add(a, (0.3260 * dx, 0.512 * dy)), add(a, (0.6380 * dx, dy)), b
