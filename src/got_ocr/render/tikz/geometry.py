"""Points, affine maps and path segments in TeX points, y upwards. Pure numbers; knows no TikZ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The map (x, y) -> (a x + c y + e, b x + d y + f)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def apply(self, point: Point) -> Point:
        """Map a point."""
        x, y = point
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def turn(self, vector: Point) -> Point:
        """Map a direction: no shift."""
        x, y = vector
        return self.a * x + self.c * y, self.b * x + self.d * y

    def then(self, inner: "Matrix") -> "Matrix":
        """Return the map that applies `inner` first."""
        x, y = self.turn((inner.a, inner.b)), self.turn((inner.c, inner.d))
        return Matrix(*x, *y, *self.apply((inner.e, inner.f)))

    def inverse(self) -> "Matrix":
        """Return the map back; the identity where there is none."""
        det = self.a * self.d - self.b * self.c
        if abs(det) < 1e-12:
            return Matrix()
        a, b, c, d = self.d / det, -self.b / det, -self.c / det, self.a / det
        return Matrix(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))

    def scale(self) -> float:
        """Return the mean factor by which lengths grow."""
        return math.sqrt(abs(self.a * self.d - self.b * self.c))


IDENTITY = Matrix()


def rotation(degrees: float) -> Matrix:
    """Return a turn against the clock."""
    turn = math.radians(degrees)
    return Matrix(math.cos(turn), math.sin(turn), -math.sin(turn), math.cos(turn))


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a path: "M" and "L" with one point, "C" with three, "Z" with none."""

    kind: str
    points: tuple[Point, ...] = ()


def add(a: Point, b: Point) -> Point:
    """Return a + b."""
    return a[0] + b[0], a[1] + b[1]


def subtract(a: Point, b: Point) -> Point:
    """Return a - b."""
    return a[0] - b[0], a[1] - b[1]


def along(a: Point, b: Point, t: float) -> Point:
    """Return the point that lies the part t of the way from a to b."""
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def distance(a: Point, b: Point) -> float:
    """Return how far two points lie apart."""
    return math.hypot(a[0] - b[0], a[1] - b[1])


def angle(a: Point, b: Point) -> float:
    """Return the direction from a to b in degrees."""
    return math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))


def polar(degrees: float, radius: float) -> Point:
    """Return the vector of a direction and a length."""
    return radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees))


def arc(start: float, end: float, x_radius: float, y_radius: float) -> list[Point]:
    """Return control points of an elliptic arc around the origin: the start, then three points for each piece."""
    count = max(1, math.ceil(abs(end - start) / 60))
    step = math.radians(end - start) / count
    pull = 4 / 3 * math.tan(step / 4)
    points = [(x_radius * math.cos(math.radians(start)), y_radius * math.sin(math.radians(start)))]
    for at in range(count):
        a = math.radians(start) + at * step
        b = a + step
        points.append((x_radius * (math.cos(a) - pull * math.sin(a)), y_radius * (math.sin(a) + pull * math.cos(a))))
        points.append((x_radius * (math.cos(b) + pull * math.sin(b)), y_radius * (math.sin(b) - pull * math.cos(b))))
        points.append((x_radius * math.cos(b), y_radius * math.sin(b)))
    return points


def bezier(points: Sequence[Point], t: float) -> Point:
    """Return the point of a cubic curve (start, two controls, end) at t."""
    a, b, c, d = points
    s = 1 - t
    weights = (s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t)
    return (
        sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
        sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
    )


def smooth(points: Sequence[Point], tension: float, *, closed: bool) -> list[Segment]:
    """Return a curve through the points, as TikZ's smooth plots."""
    if len(points) < 3:
        return [Segment("M", (points[0],)), *(Segment("L", (p,)) for p in points[1:])] if points else []
    pull = 0.5555 * tension * 0.9
    last = len(points) - 1
    tangents = []
    for at in range(len(points)):
        before = points[at - 1] if at > 0 or closed else points[0]
        behind = points[(at + 1) % len(points)] if at < last or closed else points[last]
        tangents.append(((behind[0] - before[0]) * pull, (behind[1] - before[1]) * pull))
    segments = [Segment("M", (points[0],))]
    for at in range(len(points) if closed else last):
        to = (at + 1) % len(points)
        segments.append(Segment("C", (add(points[at], tangents[at]), subtract(points[to], tangents[to]), points[to])))
    return [*segments, Segment("Z")] if closed else segments


def crossing(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    """Return where the lines a-b and c-d meet, or None for parallels."""
    p, q = subtract(b, a), subtract(d, c)
    cross = p[0] * q[1] - p[1] * q[0]
    if abs(cross) < 1e-9:
        return None
    t = ((c[0] - a[0]) * q[1] - (c[1] - a[1]) * q[0]) / cross
    return along(a, b, t)
