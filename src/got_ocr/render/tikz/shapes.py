"""A placed node: its outline, its anchors and where a line from outside meets it. Knows geometry, no text."""

import math
from dataclasses import dataclass

from got_ocr.errors import RenderFailed
from got_ocr.render.tikz.geometry import IDENTITY, Matrix, Point, Segment, arc, polar, rotation, subtract

_DIRECTIONS = {
    "north": (0, 1),
    "south": (0, -1),
    "east": (1, 0),
    "west": (-1, 0),
    "center": (0, 0),
    "mid": (0, 0),
    "base": (0, 0),
}
_WORDS = {"above": "north", "below": "south", "left": "west", "right": "east", "text": "center", "centered": "center"}


@dataclass(frozen=True, slots=True)
class Shape:
    """center: canvas points. half: half width and half height. turn: degrees. kind: rectangle, circle, ellipse, diamond, point."""

    kind: str
    center: Point
    half: Point = (0.0, 0.0)
    turn: float = 0.0

    @property
    def matrix(self) -> Matrix:
        """Return the map from the shape's own coordinates to the canvas."""
        turned = rotation(self.turn) if self.turn else IDENTITY
        return Matrix(turned.a, turned.b, turned.c, turned.d, *self.center)

    def anchor(self, name: str) -> Point:
        """Return an anchor: `north`, `south east`, `30`. Raises RenderFailed for another name."""
        return self.matrix.apply(self.local_anchor(name))

    def local_anchor(self, name: str) -> Point:
        """Return an anchor relative to the unturned centre."""
        words = name.replace("-", " ").split()
        if all(word in _DIRECTIONS or word in _WORDS for word in words) and words:
            steps = [_DIRECTIONS[_WORDS.get(word, word)] for word in words]
            x, y = float(sum(step[0] for step in steps)), float(sum(step[1] for step in steps))
            if x and y and self.kind in ("circle", "ellipse"):
                x, y = x * math.sqrt(0.5), y * math.sqrt(0.5)
            elif x and y and self.kind == "diamond":
                x, y = x / 2, y / 2
            return x * self.half[0], y * self.half[1]
        try:
            return self._edge(polar(float(name), 1.0))
        except ValueError as error:
            raise RenderFailed("the drawing names an anchor that is not known") from error

    def border(self, toward: Point) -> Point:
        """Return where the line from the centre to `toward` leaves the shape."""
        away = subtract(toward, self.center)
        if self.kind == "point" or away == (0.0, 0.0):
            return self.center
        local = rotation(-self.turn).turn(away) if self.turn else away
        return self.matrix.apply(self._edge(local))

    def _edge(self, direction: Point) -> Point:
        x, y = direction
        w, h = self.half
        if self.kind in ("circle", "ellipse"):
            grow = math.hypot(x / w if w else 0.0, y / h if h else 0.0)
        elif self.kind == "diamond":
            grow = (abs(x) / w if w else 0.0) + (abs(y) / h if h else 0.0)
        else:
            grow = max(abs(x) / w if w else 0.0, abs(y) / h if h else 0.0)
        return (x / grow, y / grow) if grow > 1e-9 else (0.0, 0.0)

    def outline(self) -> list[Segment]:
        """Return the closed outline."""
        w, h = self.half
        if self.kind in ("circle", "ellipse"):
            points = [self.matrix.apply(point) for point in arc(0, 360, w, h)]
            curves = [Segment("C", tuple(points[at : at + 3])) for at in range(1, len(points), 3)]
            return [Segment("M", (points[0],)), *curves, Segment("Z")]
        corners = (
            [(w, 0.0), (0.0, h), (-w, 0.0), (0.0, -h)]
            if self.kind == "diamond"
            else [(w, h), (-w, h), (-w, -h), (w, -h)]
        )
        mapped = [self.matrix.apply(corner) for corner in corners]
        return [Segment("M", (mapped[0],)), *(Segment("L", (point,)) for point in mapped[1:]), Segment("Z")]

    def corners(self) -> list[Point]:
        """Return the corners of the box around the unturned shape, on the canvas."""
        w, h = self.half
        return [self.matrix.apply(corner) for corner in ((w, h), (-w, h), (-w, -h), (w, -h))]
