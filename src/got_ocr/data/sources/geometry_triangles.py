"""Constructions of triangles and quadrilaterals. Each function puts one figure on a board; luck decides its shape and
marks.
"""

import cmath
import math
from collections.abc import Callable

from got_ocr.data.sources.geometry_points import angle_at, between, circumcentre, foot, incentre, meet, polar
from got_ocr.data.sources.geometry_sketch import Sketch

Construction = Callable[[Sketch], None]
_UNKNOWN = (
    "a",
    "b",
    "c",
    "x",
    "y",
    "x+1",
    "2x",
    "h",
    r"\sqrt{2}",
    r"\sqrt{3}",
    r"2\sqrt{3}",
    r"3\sqrt{2}",
    r"\frac{1}{2}",
)
GREEK = (r"\alpha", r"\beta", r"\gamma", r"\theta", r"\varphi", "x", "y", "1", "2")


def measure(s: Sketch) -> str:
    """Choose the text of a length."""
    luck = s.rng.random()
    if luck < 0.55:
        return str(int(s.rng.integers(1, 30)))
    if luck < 0.65:
        return f"{s.rng.integers(1, 12)}.{s.rng.integers(1, 10)}"
    if luck < 0.75:
        return rf"{s.rng.integers(1, 40)}\,\mathrm{{{s.rng.choice(('cm', 'm', 'mm'))}}}"
    return str(s.rng.choice(_UNKNOWN))


def angle_text(s: Sketch, degrees: float) -> str:
    """Choose the text of an angle: its size, a letter, or nothing."""
    luck = s.rng.random()
    if luck < 0.45:
        return rf"{round(degrees)}^\circ"
    return str(s.rng.choice(GREEK)) if luck < 0.85 else ""


def triangle(s: Sketch) -> tuple[complex, complex, complex]:
    """Choose a triangle without very small or very flat angles."""
    while True:
        first, second = float(s.rng.uniform(28, 110)), float(s.rng.uniform(28, 110))
        if 180 - first - second >= 28:
            a, b = 0j, 6 + 0j
            return a, b, meet(a, polar(1, first), b, b + polar(1, 180 - second))


def base(s: Sketch, a: complex, b: complex, c: complex) -> None:
    """Draw and name a triangle."""
    s.points(a, b, c)
    s.polygon(a, b, c)


def general(s: Sketch) -> None:
    """A triangle with some sides measured and some angles marked."""
    a, b, c = triangle(s)
    base(s, a, b, c)
    _measured(s, (a, b, c))


def _measured(s: Sketch, corners: tuple[complex, ...], chance: float = 0.45) -> None:
    middle = sum(corners) / len(corners)
    for i, v in enumerate(corners):
        p, q = corners[i - 1], corners[(i + 1) % len(corners)]
        if s.rng.random() < chance:
            s.side(v, q, measure(s), away=middle)
        if s.rng.random() < chance * 0.7 and abs(angle_at(v, p, q) - 90) > 2:
            s.angle(v, p, q, angle_text(s, angle_at(v, p, q)))


def right_triangle(s: Sketch) -> None:
    """A right triangle with its mark."""
    a, b, c = 0j, complex(s.rng.uniform(3, 6), 0), complex(0, s.rng.uniform(2.2, 6))
    base(s, c, a, b)
    s.right(a, b, c)
    for p, q, r in ((a, b, c), (a, c, b), (b, c, a)):
        if s.rng.random() < 0.6:
            s.side(p, q, measure(s), away=r)
    if s.rng.random() < 0.6:
        s.angle(b, a, c, angle_text(s, angle_at(b, a, c)))


def isosceles(s: Sketch) -> None:
    """An isosceles triangle with ticks, sometimes equilateral, sometimes with its height."""
    height = 6 * math.sqrt(3) / 2 if s.rng.random() < 0.3 else float(s.rng.uniform(2.5, 8))
    a, b, c = 3 + 1j * height, 0j, 6 + 0j
    base(s, a, b, c)
    count = int(s.rng.integers(1, 3))
    s.tick(a, b, count)
    s.tick(a, c, count)
    if abs(height - 5.196) < 0.01:
        s.tick(b, c, count)
    if s.rng.random() < 0.5:
        d = 3 + 0j
        s.point(d)
        s.line(a, d, style=s.aux)
        s.right(d, c, a)
    elif s.rng.random() < 0.6:
        size = angle_at(b, a, c)
        text = angle_text(s, size)
        s.angle(b, a, c, text)
        s.angle(c, a, b, text)


def altitude(s: Sketch) -> None:
    """A triangle with one, two or three heights and their common point."""
    a, b, c = triangle(s)
    base(s, a, b, c)
    count = int(s.rng.choice((1, 1, 2, 3)))
    feet = []
    for p, q, r in ((c, a, b), (a, b, c), (b, c, a))[:count]:
        d = foot(p, q, r)
        if min(abs(d - q), abs(d - r)) < 0.4 or abs(d - q) + abs(d - r) > abs(q - r) + 0.01:
            continue
        feet.append((p, d))
        s.point(d)
        s.line(p, d, style=s.aux)
        s.right(d, p, r)
    if len(feet) > 1:
        s.point(meet(*feet[0], *feet[1]), "H" if "H" not in s.letters[: 3 + len(feet)] else "")


def medians(s: Sketch) -> None:
    """A triangle with its medians and centroid, halves ticked."""
    a, b, c = triangle(s)
    base(s, a, b, c)
    sides = ((a, b, c), (b, c, a), (c, a, b))[: int(s.rng.integers(1, 4))]
    for count, (p, q, r) in enumerate(sides, 1):
        m = between(q, r)
        s.point(m)
        s.line(p, m, style=s.aux)
        s.tick(q, m, count)
        s.tick(m, r, count)
    if len(sides) > 1:
        s.point((a + b + c) / 3, "G" if "G" not in s.letters[:6] else "", dot=True)


def bisector(s: Sketch) -> None:
    """A triangle with the bisector of one angle, equal angles marked."""
    a, b, c = triangle(s)
    base(s, a, b, c)
    d = between(b, c, abs(a - b) / (abs(a - b) + abs(a - c)))
    s.point(d)
    s.line(a, d, style=s.aux)
    text = str(s.rng.choice(GREEK)) if s.rng.random() < 0.5 else ""
    s.angle(a, b, d, text, size=0.6)
    s.angle(a, d, c, text, size=0.7)


def incircle(s: Sketch) -> None:
    """A triangle with its inscribed circle, sometimes the touching points and radii."""
    a, b, c = triangle(s)
    base(s, a, b, c)
    i = incentre(a, b, c)
    s.circle(i, abs(i - foot(i, a, b)), style=s.aux)
    s.point(i, "I" if s.rng.random() < 0.5 else "O", dot=True)
    if s.rng.random() < 0.6:
        for p, q in ((a, b), (b, c), (c, a)):
            d = foot(i, p, q)
            s.point(d)
            if s.rng.random() < 0.6:
                s.line(i, d)
                s.right(d, i, q)


def circumcircle(s: Sketch) -> None:
    """A triangle with the circle through its corners, sometimes radii."""
    a, b, c = triangle(s)
    base(s, a, b, c)
    o = circumcentre(a, b, c)
    s.circle(o, abs(o - a))
    s.point(o, "O", dot=True)
    for p in (a, b, c):
        if s.rng.random() < 0.4:
            s.line(o, p, style=s.aux)


def midline(s: Sketch) -> None:
    """A triangle cut by a parallel to one side, or its midline; similar triangles."""
    a, b, c = triangle(s)
    base(s, c, a, b)
    t = 0.5 if s.rng.random() < 0.5 else float(s.rng.uniform(0.3, 0.7))
    d, e = between(c, a, t), between(c, b, t)
    s.points(d, e)
    s.line(d, e, style=s.aux)
    if t == 0.5:
        for count, (p, m, q) in enumerate(((c, d, a), (c, e, b)), 1):
            s.tick(p, m, count)
            s.tick(m, q, count)
    elif s.rng.random() < 0.6:
        s.chevron(d, e)
        s.chevron(a, b)


def congruent(s: Sketch) -> None:
    """Two congruent or similar triangles side by side."""
    a, b, c = triangle(s)
    k = 1.0 if s.rng.random() < 0.5 else float(s.rng.uniform(0.5, 0.8))
    turn = cmath.exp(1j * s.rng.uniform(-0.6, 0.6)) if s.rng.random() < 0.4 else 1
    shift = max(z.real for z in (a, b, c)) + 1.8 - min((k * turn * z).real for z in (a, b, c))
    other = tuple(k * turn * z + shift for z in (a, b, c))
    base(s, a, b, c)
    base(s, *other)
    for i, count in zip(s.rng.permutation(3)[:2], (1, 2), strict=True):
        j = (int(i) + 1) % 3
        for corners in ((a, b, c), other):
            if k == 1.0:
                s.tick(corners[int(i)], corners[j], count)
            else:
                s.angle(corners[int(i)], corners[j], corners[int(i) - 1], arcs=count)


def pythagoras(s: Sketch) -> None:
    """A right triangle with the squares on its sides."""
    a, b, c = 0j, complex(s.rng.uniform(2, 4), 0), complex(0, s.rng.uniform(2, 4))
    base(s, a, b, c)
    s.right(a, b, c)
    for (p, q), text in zip(((b, a), (c, b), (a, c)), ("b^2", "c^2", "a^2"), strict=True):
        u = (q - p) * 1j
        s.line(p, p + u, q + u, q)
        s.text((p + q + u) / 2, f"${text}$")


def exterior(s: Sketch) -> None:
    """A triangle with one side produced and the exterior angle marked."""
    a, b, c = triangle(s)
    base(s, c, a, b)
    d = b + (b - a) * 0.4
    s.point(d)
    s.line(b, d, style=s.aux)
    s.angle(b, d, c, angle_text(s, angle_at(b, d, c)) or "1")
    for v, p, q in ((a, b, c), (c, a, b)):
        if s.rng.random() < 0.7:
            s.angle(v, p, q, angle_text(s, angle_at(v, p, q)))


def parallelogram(s: Sketch) -> None:
    """A parallelogram, rhombus, rectangle or square with diagonals, ticks and marks."""
    kind = int(s.rng.integers(4))
    w, slant = float(s.rng.uniform(4, 6)), 90.0 if kind >= 2 else float(s.rng.uniform(50, 75))
    side = w if kind in (1, 3) else float(s.rng.uniform(2.2, 3.6))
    a, b = 0j, complex(w, 0)
    d = polar(side, slant)
    c = b + d
    s.points(a, b, c, d)
    s.polygon(a, b, c, d)
    if s.rng.random() < 0.6:
        s.line(a, c, style=s.aux)
        if s.rng.random() < 0.6:
            s.line(b, d, style=s.aux)
            s.point(between(a, c), "O" if s.rng.random() < 0.5 and "O" not in s.letters[:5] else "")
    elif kind >= 2:
        s.right(a, b, d)
    if kind in (1, 3):
        for p, q in ((a, b), (b, c), (c, d), (d, a)):
            s.tick(p, q)
    elif s.rng.random() < 0.5:
        s.side(a, b, measure(s), away=c)
        s.side(b, c, measure(s), away=a)


def trapezoid(s: Sketch) -> None:
    """A trapezium: general, isosceles or right, with height, midline or diagonals."""
    w, top, h = 6.0, float(s.rng.uniform(2, 4.2)), float(s.rng.uniform(2, 4))
    left = float(s.rng.choice((0.0, (w - top) / 2, s.rng.uniform(0.4, w - top - 0.2))))
    a, b, c, d = 0j, complex(w, 0), complex(left + top, h), complex(left, h)
    s.points(a, b, c, d)
    s.polygon(a, b, c, d)
    luck = s.rng.random()
    if luck < 0.35 and left > 0.5:
        e = complex(left, 0)
        s.point(e)
        s.line(d, e, style=s.aux)
        s.right(e, d, b)
    elif luck < 0.6:
        e, f = between(a, d), between(b, c)
        s.points(e, f)
        s.line(e, f, style=s.aux)
    elif luck < 0.8:
        s.line(a, c, style=s.aux)
        s.line(b, d, style=s.aux)
        s.point(meet(a, c, b, d))
    if left == 0.0:
        s.right(a, b, d)
    if s.rng.random() < 0.5:
        s.side(a, b, measure(s), away=c)
        s.side(c, d, measure(s), away=a)


def kite(s: Sketch) -> None:
    """A kite with its diagonals."""
    w, up, down = (float(s.rng.uniform(*r)) for r in ((1.6, 2.6), (1.2, 2.2), (2.8, 4.4)))
    a, b, c, d = 1j * up, complex(-w, 0), -1j * down, complex(w, 0)
    s.points(a, b, c, d)
    s.polygon(a, b, c, d)
    s.line(a, c, style=s.aux)
    s.line(b, d, style=s.aux)
    s.point(0j, "O" if "O" not in s.letters[:5] else "")
    s.right(0j, d, a)
    if s.rng.random() < 0.6:
        for p, q, n in ((a, b, 1), (a, d, 1), (c, b, 2), (c, d, 2)):
            s.tick(p, q, n)


def quadrilateral(s: Sketch) -> None:
    """Any convex quadrilateral, measured."""
    corners = tuple(
        polar(float(s.rng.uniform(2.5, 3.5)), 45 + 90 * k + float(s.rng.uniform(-25, 25))) for k in range(4)
    )
    s.points(*corners)
    s.polygon(*corners)
    if s.rng.random() < 0.5:
        s.line(corners[0], corners[2], style=s.aux)
    else:
        _measured(s, corners, 0.35)


def folded(s: Sketch) -> None:
    """A rectangle with a point on a side joined to the opposite corners, or a folded corner."""
    w, h = 6.0, float(s.rng.uniform(3, 4.5))
    a, b, c, d = 0j, complex(w, 0), complex(w, h), complex(0, h)
    s.points(a, b, c, d)
    s.polygon(a, b, c, d)
    e = complex(w * float(s.rng.uniform(0.25, 0.75)), h)
    s.point(e)
    s.line(a, e, style=s.aux)
    s.line(b, e, style=s.aux)
    if s.rng.random() < 0.5:
        f = foot(a, b, e)
        if 0.3 < abs(f - b) < abs(e - b) - 0.3:
            s.point(f)
            s.line(a, f)
            s.right(f, a, b)


CONSTRUCTIONS: tuple[Construction, ...] = (
    general, right_triangle, isosceles, altitude, medians, bisector, incircle, circumcircle, midline, congruent,
    pythagoras, exterior, parallelogram, trapezoid, kite, quadrilateral, folded,
)  # fmt: skip
