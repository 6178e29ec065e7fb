"""Free constructions: a base figure and a few steps of ruler and compass, chosen by luck from what is already drawn.

Gives figures that no textbook function foresaw. A step that would crowd the paper is not taken. Knows no label and no pixel.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from got_ocr.data.sources.geometry_points import angle_at, between, circumcentre, cross, foot, incentre, meet, polar
from got_ocr.data.sources.geometry_sketch import Sketch
from got_ocr.data.sources.geometry_triangles import GREEK, Construction, angle_text, measure, triangle

_NEAR = 0.7  # least distance of two named places on a board about six wide


@dataclass(slots=True)
class _Board:
    """What stands so far: named places, drawn segments, circles."""

    sketch: Sketch
    places: list[complex] = field(default_factory=list)
    segments: list[tuple[complex, complex]] = field(default_factory=list)
    circles: list[tuple[complex, float]] = field(default_factory=list)

    def free(self, z: complex) -> bool:
        """Tell whether a new place is far from all others and on the paper."""
        return abs(z) < 9 and all(abs(z - p) > _NEAR for p in self.places)

    def add(self, z: complex, dot: bool = False) -> complex:
        """Name a place."""
        self.places.append(self.sketch.point(z, dot=dot))
        return z

    def draw(self, p: complex, q: complex) -> None:
        """Draw a new segment in the style of what is added."""
        if not self.has(p, q):
            self.segments.append((p, q))
            self.sketch.line(p, q, style=self.sketch.aux)

    def has(self, p: complex, q: complex) -> bool:
        """Tell whether a segment already runs through both places."""
        return any(_on(p, a, b) and _on(q, a, b) for a, b in self.segments)

    def pick(self, options: list[complex]) -> complex:
        """Choose one place."""
        return options[int(self.sketch.rng.integers(len(options)))]

    def side(self) -> tuple[complex, complex]:
        """Choose one segment."""
        return self.segments[int(self.sketch.rng.integers(len(self.segments)))]

    def away(self, a: complex, b: complex) -> list[complex]:
        """List the places that do not lie on the line ab."""
        return [p for p in self.places if abs(cross(b - a, p - a)) > 0.5 * abs(b - a)]


def _on(z: complex, a: complex, b: complex) -> bool:
    return abs(abs(z - a) + abs(z - b) - abs(a - b)) < 1e-6


def _cevian(b: _Board) -> bool:
    """Join a place with a point on a segment."""
    p, q = b.side()
    t = 0.5 if b.sketch.rng.random() < 0.5 else float(b.sketch.rng.uniform(0.25, 0.75))
    others, new = b.away(p, q), between(p, q, t)
    if not others or not b.free(new):
        return False
    b.add(new)
    b.draw(b.pick(others), new)
    if t == 0.5:
        count = int(b.sketch.rng.integers(1, 3))
        b.sketch.tick(p, new, count)
        b.sketch.tick(new, q, count)
    return True


def _perpendicular(b: _Board) -> bool:
    """Drop a perpendicular from a place on a segment."""
    p, q = b.side()
    others = [z for z in b.away(p, q) if _on(foot(z, p, q), p, q) and b.free(foot(z, p, q))]
    if not others:
        return False
    top = b.pick(others)
    new = b.add(foot(top, p, q))
    b.draw(top, new)
    b.sketch.right(new, top, q)
    return True


def _parallel(b: _Board) -> bool:
    """Draw a parallel to one segment through a place, up to another segment."""
    p, q = b.side()
    r, t = b.side()
    others = [z for z in b.away(p, q) if not _on(z, r, t)]
    if not others or abs(cross(q - p, t - r)) < 0.2 * abs(q - p) * abs(t - r):
        return False
    start = b.pick(others)
    new = meet(start, start + q - p, r, t)
    if not _on(new, r, t) or not b.free(new):
        return False
    b.add(new)
    b.draw(start, new)
    if b.sketch.rng.random() < 0.5:
        b.sketch.chevron(start, new)
        b.sketch.chevron(p, q)
    return True


def _crossing(b: _Board) -> bool:
    """Name the place where two drawn segments cross."""
    for _ in range(6):
        (p, q), (r, t) = b.side(), b.side()
        if abs(cross(q - p, t - r)) < 0.2 * abs(q - p) * abs(t - r):
            continue
        new = meet(p, q, r, t)
        if _on(new, p, q) and _on(new, r, t) and b.free(new):
            b.add(new)
            return True
    return False


def _join(b: _Board) -> bool:
    """Join two places."""
    p, q = b.pick(b.places), b.pick(b.places)
    if (
        abs(p - q) < 1
        or b.has(p, q)
        or any(z not in (p, q) and abs(z - foot(z, p, q)) < 0.3 and _on(foot(z, p, q), p, q) for z in b.places)
    ):
        return False
    b.draw(p, q)
    return True


def _extend(b: _Board) -> bool:
    """Produce a segment beyond its end and join the new end with a place."""
    p, q = b.side()
    new = q + (q - p) * float(b.sketch.rng.uniform(0.3, 0.6))
    if not b.free(new) or abs(new) > 8:
        return False
    b.add(new)
    b.draw(q, new)
    others = b.away(p, q)
    if others and b.sketch.rng.random() < 0.6:
        b.draw(b.pick(others), new)
    return True


def _circle(b: _Board) -> bool:
    """Draw the circle through three places, or about one through another."""
    if b.circles or len(b.places) < 3:
        return False
    chosen = [b.places[int(i)] for i in b.sketch.rng.permutation(len(b.places))[:3]]
    p, q, r = chosen
    if abs(cross(q - p, r - p)) < 0.3 * abs(q - p) * abs(r - p):
        return False
    center = circumcentre(p, q, r) if b.sketch.rng.random() < 0.6 else incentre(p, q, r)
    inner = center != circumcentre(p, q, r)
    radius = abs(center - foot(center, p, q)) if inner else abs(center - p)
    if radius > 4.5 or abs(center) > 6 or not b.free(center):
        return False
    b.circles.append((center, radius))
    b.sketch.circle(center, radius, style=replace(b.sketch.aux, arrow=""))
    if b.sketch.rng.random() < 0.6:
        b.add(center, dot=True)
    return True


def _square(b: _Board) -> bool:
    """Erect a square or an equilateral triangle on a segment."""
    p, q = b.side()
    if not 1.2 < abs(q - p) < 4.5:
        return False
    inside = sum(b.places) / len(b.places)
    turn = -1j if cross(q - p, inside - p) > 0 else 1j
    square = [q + (q - p) * turn, p + (q - p) * turn]
    new = square if b.sketch.rng.random() < 0.5 else [p + (q - p) * polar(1, 60 if turn == 1j else -60)]
    if not all(b.free(z) for z in new):
        return False
    b.sketch.line(p, *reversed(new), q, style=b.sketch.aux)
    for z in new:
        b.add(z)
    return True


def _angle(b: _Board) -> bool:
    """Mark the angle between two segments that share an end."""
    for _ in range(8):
        (p, q), (r, t) = b.side(), b.side()
        shared = next((z for z in (p, q) if z in (r, t)), None)
        if shared is None or (p, q) == (r, t):
            continue
        u, v = (q if shared == p else p), (t if shared == r else r)
        size = angle_at(shared, u, v)
        if 20 < size < 170 and abs(size - 90) > 1:
            b.sketch.angle(shared, u, v, angle_text(b.sketch, size) or str(b.sketch.rng.choice(GREEK)))
            return True
    return False


def _measure(b: _Board) -> bool:
    """Measure a segment."""
    p, q = b.side()
    if abs(p - q) < 1.5 or any(_on(z, p, q) and z not in (p, q) for z in b.places):
        return False
    b.sketch.side(p, q, measure(b.sketch))
    return True


_STEPS: tuple[Callable[[_Board], bool], ...] = (
    _cevian, _cevian, _perpendicular, _perpendicular, _parallel, _crossing, _crossing, _join, _extend, _circle, _square,
)  # fmt: skip


def _grow(s: Sketch, corners: tuple[complex, ...]) -> None:
    board = _Board(s)
    s.polygon(*corners)
    for z in corners:
        board.add(z)
    board.segments = [(corners[i - 1], corners[i]) for i in range(len(corners))]
    steps = int(s.rng.integers(1, 5))
    for _ in range(40):
        if steps <= 0:
            break
        steps -= _STEPS[int(s.rng.integers(len(_STEPS)))](board)
    for finish, chance in ((_angle, 0.4), (_measure, 0.3)):
        if s.rng.random() < chance:
            finish(board)


def on_triangle(s: Sketch) -> None:
    """Free steps on a triangle."""
    _grow(s, triangle(s))


def on_quadrilateral(s: Sketch) -> None:
    """Free steps on a parallelogram, rectangle, square or any convex quadrilateral."""
    if s.rng.random() < 0.5:
        w, lift = 5 + 0j, polar(float(s.rng.uniform(2.5, 5)), float(s.rng.choice((90.0, 90.0, s.rng.uniform(55, 80)))))
        _grow(s, (0j, w, w + lift, lift))
        return
    _grow(s, tuple(3 + 3j + polar(3.2, 45 + 90 * k + float(s.rng.uniform(-28, 28))) for k in range(4)))


def on_circle(s: Sketch) -> None:
    """Free steps on an inscribed polygon."""
    count = int(s.rng.integers(3, 5))
    turn = float(s.rng.uniform(0, 360))
    gaps = [1 + float(s.rng.uniform(0, 1)) for _ in range(count)]
    angles = [turn + 360 * math.fsum(gaps[:k]) / math.fsum(gaps) for k in range(count)]
    s.circle(0j, 3)
    if s.rng.random() < 0.5:
        s.point(0j, "O", dot=True)
    _grow(s, tuple(polar(3, a) for a in angles))


CONSTRUCTIONS: tuple[Construction, ...] = (
    on_triangle,
    on_triangle,
    on_triangle,
    on_quadrilateral,
    on_quadrilateral,
    on_circle,
)
