"""Constructions of circles, lines and angles. Each function puts one figure on a board."""

import math
from itertools import pairwise

from got_ocr.data.sources.geometry_points import angle_at, between, foot, meet, polar, tangent_points
from got_ocr.data.sources.geometry_sketch import Sketch
from got_ocr.data.sources.geometry_triangles import GREEK, Construction, angle_text, measure


def spread(s: Sketch, count: int, gap: float = 30.0) -> list[float]:
    """Choose angles around a circle, ascending, at least `gap` degrees apart."""
    room = 360 - count * gap
    cuts = sorted(float(s.rng.uniform(0, room)) for _ in range(count - 1))
    steps = [b - a + gap for a, b in zip([0.0, *cuts], [*cuts, room], strict=True)]
    turn = float(s.rng.uniform(0, 360))
    return [turn + sum(steps[:k]) for k in range(count)]


def centre(s: Sketch) -> complex:
    """Name the centre of a circle at the origin."""
    return s.point(0j, "O", dot=True)


def radius(s: Sketch) -> None:
    """A circle with a radius, a diameter or a chord, measured."""
    r = 3.0
    s.circle(0j, r)
    centre(s)
    a, b, c = (polar(r, t) for t in spread(s, 3, 60))
    s.point(a)
    luck = s.rng.random()
    if luck < 0.35:
        s.line(0j, a)
        s.side(0j, a, "r" if s.rng.random() < 0.5 else measure(s))
    elif luck < 0.65:
        s.point(-a)
        s.line(a, -a)
        if s.rng.random() < 0.6:
            s.point(c if abs(angle_at(0j, a, c) - 90) < 60 else 1j * a)
    else:
        s.point(b)
        s.line(a, b)
        m = between(a, b)
        if abs(m) > 0.7:
            s.point(m)
            s.line(0j, m, style=s.aux)
            s.right(m, 0j, a)
            s.line(0j, a)


def sector(s: Sketch) -> None:
    """A sector or a segment of a circle with its angle."""
    a = float(s.rng.uniform(40, 150))
    p, q = polar(3, 0), polar(3, a)
    s.point(0j, "O")
    s.points(p, q)
    s.line(p, 0j, q)
    s.arc(0j, 3, 0, a)
    s.angle(0j, p, q, angle_text(s, a))
    if s.rng.random() < 0.4:
        s.line(p, q, style=s.aux)
    if s.rng.random() < 0.5:
        s.side(0j, p, measure(s), away=q)


def inscribed_angle(s: Sketch) -> None:
    """An inscribed angle, often with the central angle over the same arc."""
    t = spread(s, 3, 70)
    a, b, c = (polar(3, v) for v in t)
    s.circle(0j, 3)
    centre(s)
    s.points(a, b, c)
    s.line(b, a, c)
    if s.rng.random() < 0.7:
        s.line(b, 0j, c, style=s.aux)
        if angle_at(0j, b, c) < 165:
            s.angle(0j, b, c, angle_text(s, angle_at(0j, b, c)))
    s.angle(a, b, c, angle_text(s, angle_at(a, b, c)))


def thales(s: Sketch) -> None:
    """A triangle over a diameter, in a circle or a half circle."""
    a, b, c = -3 + 0j, 3 + 0j, polar(3, float(s.rng.uniform(40, 140)))
    if s.rng.random() < 0.5:
        s.circle(0j, 3)
    else:
        s.arc(0j, 3, 0, 180)
    s.points(a, b, c)
    s.polygon(a, b, c)
    s.right(c, a, b)
    centre(s)
    if s.rng.random() < 0.5:
        s.line(0j, c, style=s.aux)
    if s.rng.random() < 0.4:
        d = foot(c, a, b)
        if abs(d) > 0.5:
            s.point(d)
            s.line(c, d, style=s.aux)
            s.right(d, c, b)


def cyclic(s: Sketch) -> None:
    """A quadrilateral or pentagon in a circle, with diagonals."""
    count = int(s.rng.integers(4, 6))
    corners = [polar(3, t) for t in spread(s, count, 45)]
    s.circle(0j, 3)
    s.points(*corners)
    s.polygon(*corners)
    if s.rng.random() < 0.6:
        s.line(corners[0], corners[2], style=s.aux)
        s.line(corners[1], corners[3], style=s.aux)
        if s.rng.random() < 0.5:
            s.point(meet(corners[0], corners[2], corners[1], corners[3]))


def tangent(s: Sketch) -> None:
    """A circle with one or two tangents from an outer point."""
    r = 2.0
    p = polar(float(s.rng.uniform(3.6, 5.5)), 0)
    t, u = tangent_points(p, 0j, r)
    s.circle(0j, r)
    centre(s)
    s.points(p, t)
    s.line(p, t)
    s.line(0j, t, style=s.aux)
    s.right(t, 0j, p)
    if s.rng.random() < 0.6:
        s.point(u)
        s.line(p, u)
        s.line(0j, u, style=s.aux)
        s.right(u, 0j, p)
        if s.rng.random() < 0.5:
            s.line(t, u, style=s.aux)
    if s.rng.random() < 0.6:
        s.line(p, 0j, style=s.aux)


def tangent_chord(s: Sketch) -> None:
    """A tangent line at a point of a circle, with a chord or a triangle."""
    a = -3j
    b, c = polar(3, float(s.rng.uniform(10, 60))), polar(3, float(s.rng.uniform(110, 170)))
    s.circle(0j, 3)
    d, e = s.extended(a - 1.5, a + 1.5, 0.6)
    s.points(a, b, c)
    if s.rng.random() < 0.6:
        s.point(e)
    s.polygon(a, b, c)
    s.angle(a, e, b, angle_text(s, angle_at(a, e, b)))
    if s.rng.random() < 0.5:
        s.angle(c, a, b, angle_text(s, angle_at(c, a, b)))
    if s.rng.random() < 0.4:
        s.point(d)


def secants(s: Sketch) -> None:
    """Two secants, or two chords, that meet."""
    t = spread(s, 4, 50)
    a, b, c, d = (polar(3, v) for v in t)
    s.circle(0j, 3)
    s.points(a, b, c, d)
    crossing = meet(a, c, b, d)
    s.line(a, c)
    s.line(b, d)
    s.point(crossing)
    if s.rng.random() < 0.5:
        s.line(a, b, style=s.aux)
        s.line(c, d, style=s.aux)


def outer_secants(s: Sketch) -> None:
    """Two secants from an outer point."""
    p = -6 + 0j
    s.circle(0j, 3)
    s.point(p)
    for angle in (float(s.rng.uniform(8, 22)), -float(s.rng.uniform(8, 22))):
        way = polar(1, angle)
        m = foot(0j, p, p + way)
        half = math.sqrt(9 - abs(m) ** 2)
        near, far = m - way * half, m + way * half
        s.points(near, far)
        s.line(p, far)
    if s.rng.random() < 0.5:
        centre(s)


def two_circles(s: Sketch) -> None:
    """Two circles: crossing, touching or apart, with the line of centres."""
    r, q = 2.2, float(s.rng.uniform(1.3, 2.2))
    kind = int(s.rng.integers(3))
    d = {0: r + q * 0.35, 1: r + q, 2: r + q + 0.8}[kind] + 0j
    s.circle(0j, r)
    s.circle(d, q)
    s.point(0j, "O_1", dot=True)
    s.point(d, "O_2", dot=True)
    s.line(0j, d, style=s.aux)
    if kind == 0:
        x = (d.real**2 + r * r - q * q) / (2 * d.real)
        y = math.sqrt(r * r - x * x)
        a, b = complex(x, y), complex(x, -y)
        s.points(a, b)
        s.line(a, b)
    elif kind == 1:
        s.point(r + 0j, dot=True)


def concentric(s: Sketch) -> None:
    """Rings: circles about one centre, with a chord that touches the inner one."""
    inner = float(s.rng.uniform(1.1, 2.1))
    s.circle(0j, 3)
    s.circle(0j, inner, style=s.aux)
    centre(s)
    half = math.sqrt(9 - inner**2)
    a, b, m = complex(-half, -inner), complex(half, -inner), complex(0, -inner)
    s.points(a, b)
    s.line(a, b)
    if s.rng.random() < 0.6:
        s.point(m)
        s.line(0j, m)
        s.right(m, 0j, b)
    if s.rng.random() < 0.5:
        s.line(0j, b)


def regular(s: Sketch) -> None:
    """A regular polygon, alone, in its circle, with diagonals or as a star."""
    n = int(s.rng.integers(5, 9))
    corners = [polar(3, 90 + 360 * k / n) for k in range(n)]
    luck = s.rng.random()
    s.points(*corners)
    if luck < 0.3 and n != 6:
        step = 2 if n < 7 or s.rng.random() < 0.5 else 3
        paths = [
            [corners[(start + step * k) % n] for k in range(n // math.gcd(n, step))]
            for start in range(math.gcd(n, step))
        ]
        for path in paths:
            s.line(*path, closed=True)
        return
    s.polygon(*corners)
    if luck < 0.6:
        s.circle(0j, 3, style=s.aux)
    if luck > 0.5:
        s.point(0j, "O", dot=True)
        for c in corners if s.rng.random() < 0.5 else corners[:2]:
            s.line(0j, c, style=s.aux)


def round_in_square(s: Sketch) -> None:
    """A square with an inscribed circle, quarter arcs or half circles."""
    a, b, c, d = 0j, 4 + 0j, 4 + 4j, 4j
    s.points(a, b, c, d)
    s.polygon(a, b, c, d)
    kind = int(s.rng.integers(4))
    if kind == 0:
        s.circle(2 + 2j, 2)
        s.point(2 + 2j, "O", dot=True)
    elif kind == 1:
        s.arc(a, 4, 0, 90)
        if s.rng.random() < 0.5:
            s.arc(c, 4, 180, 270)
    elif kind == 2:
        s.arc(2 + 0j, 2, 0, 180)
        if s.rng.random() < 0.5:
            s.arc(4 + 2j, 2, 90, 270)
    else:
        for corner, turn in ((a, 0), (b, 90), (c, 180), (d, 270)):
            s.arc(corner, 2, turn, turn + 90)
    if s.rng.random() < 0.5:
        s.side(a, b, measure(s), away=c)


def tangent_polygon(s: Sketch) -> None:
    """A quadrilateral around a circle."""
    t = spread(s, 4, 62)
    corners = []
    for k in range(4):
        first, second = t[k], t[(k + 1) % 4] + (360 if k == 3 else 0)
        half = (second - first) / 2
        if half > 75:
            half = 75.0
        corners.append(polar(2 / math.cos(math.radians(half)), (first + second) / 2))
    if max(abs(c) for c in corners) > 5.5:
        corners = [polar(2 * math.sqrt(2), 45 + 90 * k) for k in range(4)]
    s.points(*corners)
    s.polygon(*corners)
    s.circle(0j, min(abs(foot(0j, p, q)) for p, q in zip(corners, corners[1:] + corners[:1], strict=True)))
    centre(s)


def parallels(s: Sketch) -> None:
    """Two or three parallels cut by a transversal, angles numbered or measured."""
    count = 2 if s.rng.random() < 0.7 else 3
    slope = float(s.rng.uniform(50, 130))
    crossings = [between(polar(2, slope), polar(2, slope + 180), k / (count - 1)) for k in range(count)]
    ends = []
    for c in crossings:
        a, b = c - 3, c + 3
        ends.append((a, b))
        s.line(a, b)
        if s.rng.random() < 0.7:
            s.chevron(c + 1.2, c + 2.4)
    s.extended(crossings[0], crossings[-1], 0.35)
    if s.rng.random() < 0.6:
        for a, b in ends:
            s.points(a, b)
    top, low = crossings[0], crossings[-1]
    size = angle_at(top, top + 1, low)
    for v, p, q in ((top, top + 1, low), (low, low - 1, top)):
        s.angle(v, p, q, angle_text(s, size) or str(s.rng.choice(GREEK)))


def crossing_lines(s: Sketch) -> None:
    """Two or three lines through one point, the angles marked."""
    t = sorted(v % 180 for v in spread(s, 3, 40))[: int(s.rng.integers(2, 4))]
    if min((b - a) % 180 for a, b in zip(t, [*t[1:], t[0] + 180], strict=True)) < 30:
        t = [10.0, 75.0]
    ends = [polar(3, v) for v in t]
    for e in ends:
        s.line(-e, e)
        if s.rng.random() < 0.9:
            s.points(-e, e)
    s.point(0j, "O")
    rays = [*ends, *(-e for e in ends)]
    for i in range(len(rays) - 1):
        if s.rng.random() < 0.6:
            s.angle(
                0j, rays[i], rays[i + 1], angle_text(s, angle_at(0j, rays[i], rays[i + 1])), size=0.4 + 0.08 * (i % 3)
            )


def rays(s: Sketch) -> None:
    """An angle with inner rays or its bisector."""
    total = float(s.rng.uniform(60, 160))
    inner = total / 2 if s.rng.random() < 0.5 else total * float(s.rng.uniform(0.3, 0.7))
    o = s.point(0j, "O")
    ends = [polar(4, v) for v in (0, inner, total)]
    s.points(*ends)
    for k, e in enumerate(ends):
        s.line(o, e, style=s.aux if k == 1 else None)
    if inner == total / 2:
        s.angle(o, ends[0], ends[1], angle_text(s, inner), size=0.6)
        s.angle(o, ends[1], ends[2], size=0.7)
    else:
        s.angle(o, ends[0], ends[1], angle_text(s, inner), size=0.5)
        s.angle(o, ends[1], ends[2], angle_text(s, total - inner), size=0.7)


def segment(s: Sketch) -> None:
    """Points on a line, distances between them, or a perpendicular bisector."""
    a, b = 0j, 6 + 0j
    if s.rng.random() < 0.5:
        m = 3 + 0j
        up = 1j * float(s.rng.uniform(1.5, 3))
        s.points(a, b, m)
        s.line(a, b)
        s.line(m - up, m + up, style=s.aux)
        s.right(m, b, m + up)
        s.tick(a, m)
        s.tick(m, b)
        if s.rng.random() < 0.6:
            s.point(m + up)
            s.line(a, m + up, b)
        return
    cuts = [complex(x, 0) for x in (1.4, 2.6, 4.2)[: int(s.rng.integers(1, 4))]]
    for z in (a, *cuts, b):
        s.point(z, dot=True)
    s.line(a, b)
    stops = [a, *cuts, b]
    for p, q in pairwise(stops):
        if s.rng.random() < 0.6:
            s.side(p, q, measure(s))


def distance(s: Sketch) -> None:
    """A point and a line: the perpendicular and slanted ways."""
    a, b = -3 + 0j, 3 + 0j
    p = complex(float(s.rng.uniform(-1, 1)), float(s.rng.uniform(2, 4)))
    h = foot(p, a, b)
    s.extended(a, b, 0.05)
    s.points(p, h)
    s.line(p, h, style=s.aux)
    s.right(h, p, b)
    s.line(p, a)
    s.point(a)
    if s.rng.random() < 0.6:
        s.line(p, b)
        s.point(b)
    if s.rng.random() < 0.5:
        s.side(p, h, "d")


CONSTRUCTIONS: tuple[Construction, ...] = (
    radius, sector, inscribed_angle, thales, cyclic, tangent, tangent_chord, secants,
    outer_secants, two_circles, concentric, regular, round_in_square, tangent_polygon, parallels, crossing_lines, rays, segment, distance,
)  # fmt: skip
