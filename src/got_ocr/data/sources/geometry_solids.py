"""Constructions of solids, sets, graphs and conics. Each function puts one figure on a board."""

import math
from dataclasses import replace

from got_ocr.data.sources.geometry_points import between, polar
from got_ocr.data.sources.geometry_sketch import Sketch
from got_ocr.data.sources.geometry_tree import Style
from got_ocr.data.sources.geometry_triangles import Construction, measure


def hidden(s: Sketch) -> Style:
    """Give the style of edges behind the solid."""
    return replace(s.main, dash="dashed", thick=False)


def cuboid(s: Sketch) -> None:
    """A cube or cuboid in oblique view, hidden edges dashed, sometimes a diagonal or a section."""
    s.upright = True
    w = float(s.rng.uniform(2.5, 4.5))
    h = w if s.rng.random() < 0.4 else float(s.rng.uniform(2, 4))
    depth = complex(float(s.rng.uniform(0.9, 1.6)), float(s.rng.uniform(0.7, 1.3)))
    a, b, c, d = 0j, complex(w, 0), complex(w, 0) + depth, depth
    up = 1j * h
    low, high = (a, b, c, d), tuple(z + up for z in (a, b, c, d))
    s.line(a, b, c, high[2], high[3], high[0], a)
    s.line(high[0], high[1], high[2])
    s.line(b, high[1])
    for p in (a, c, high[3]):
        s.line(p, d, style=hidden(s))
    _lettered(s, low, high)
    luck = s.rng.random()
    if luck < 0.25:
        s.line(high[0], c, style=s.aux)
    elif luck < 0.45:
        s.line(high[0], b, style=s.aux)
        s.line(high[0], high[2], b, style=s.aux)
    elif luck < 0.6:
        s.side(a, b, measure(s), away=up)


def _lettered(s: Sketch, low: tuple[complex, ...], high: tuple[complex, ...]) -> None:
    """Name bottom and top: A B C D with primes, with subscripts, or with further letters."""
    letters = s.letters[: len(low)]
    style = int(s.rng.integers(3))
    s.points(*low)
    for letter, z in zip(letters, high, strict=True):
        s.point(z, {0: f"{letter}'", 1: f"{letter}_1", 2: ""}[style])


def prism(s: Sketch) -> None:
    """A prism on a triangle."""
    s.upright = True
    a, b, c = 0j, 4 + 0j, complex(float(s.rng.uniform(1.2, 2.8)), float(s.rng.uniform(1.0, 1.5)))
    up = 1j * float(s.rng.uniform(2.5, 4.5))
    s.line(a, b, b + up, a + up, a)
    s.line(a + up, c + up, b + up)
    s.line(a, c, b, style=hidden(s))
    s.line(c, c + up, style=hidden(s))
    _lettered(s, (a, b, c), (a + up, b + up, c + up))


def pyramid(s: Sketch) -> None:
    """A pyramid on a parallelogram or a triangle, with its height."""
    s.upright = True
    four = s.rng.random() < 0.6
    depth = complex(float(s.rng.uniform(1.0, 1.8)), float(s.rng.uniform(0.9, 1.4)))
    a, b = 0j, 4 + 0j
    c, d = b + depth, depth
    if four:
        o = between(a, c)
        tip = o + 1j * float(s.rng.uniform(3.2, 4.6))
        s.points(a, b, c, d)
        s.line(a, b, c)
        s.line(c, d, a, style=hidden(s))
        s.line(d, tip, style=hidden(s))
        s.line(b, tip)
    else:
        c = complex(float(s.rng.uniform(2.6, 3.4)), -1.4)
        o = (a + b + c) / 3
        tip = o + 1j * float(s.rng.uniform(3.2, 4.6))
        s.points(a, c, b)
        s.line(a, c, b)
        s.line(a, b, style=hidden(s))
    s.line(a, tip, c)
    if not four:
        s.line(b, tip)
    s.point(tip, str(s.rng.choice(("P", "S", "V"))) if s.letters[0] == "A" else "")
    if s.rng.random() < 0.5:
        s.point(o, "O")
        s.line(tip, o, style=hidden(s))
        if four and s.rng.random() < 0.6:
            s.line(a, c, style=hidden(s))
            s.line(b, d, style=hidden(s))


def cylinder(s: Sketch) -> None:
    """A cylinder with radius and height."""
    s.upright = True
    r, h = float(s.rng.uniform(1.2, 2.2)), float(s.rng.uniform(2.5, 4.5))
    k = r * float(s.rng.uniform(0.25, 0.35))
    s.ellipse(1j * h, r, k)
    s.arc(0j, r, 180, 360, ry=k)
    s.arc(0j, r, 0, 180, ry=k, style=hidden(s))
    s.line(-r + 0j, complex(-r, h))
    s.line(r + 0j, complex(r, h))
    if s.rng.random() < 0.7:
        s.point(0j, "O", dot=True)
        s.line(0j, r + 0j, style=hidden(s))
        s.side(0j, r + 0j, "r")
    if s.rng.random() < 0.6:
        s.side(r + 0j, complex(r, h), "h" if s.rng.random() < 0.5 else measure(s), away=0j)


def cone(s: Sketch) -> None:
    """A cone or a truncated cone."""
    s.upright = True
    r, h = float(s.rng.uniform(1.5, 2.3)), float(s.rng.uniform(3, 4.6))
    k = r * 0.3
    s.arc(0j, r, 180, 360, ry=k)
    s.arc(0j, r, 0, 180, ry=k, style=hidden(s))
    if s.rng.random() < 0.3:
        t = 0.45
        s.ellipse(1j * h * t * 1.4, r * t, k * t)
        s.line(-r + 0j, complex(-r * t, h * t * 1.4))
        s.line(r + 0j, complex(r * t, h * t * 1.4))
        return
    tip = s.point(1j * h, str(s.rng.choice(("S", "P", "V"))))
    s.line(-r + 0j, tip, r + 0j)
    if s.rng.random() < 0.7:
        s.point(0j, "O")
        s.line(tip, 0j, r + 0j, style=hidden(s))
        s.right(0j, r + 0j, tip)
        if s.rng.random() < 0.6:
            s.side(0j, tip, "h")
            s.side(tip, r + 0j, "l", away=0j)


def sphere(s: Sketch) -> None:
    """A sphere or a half sphere with its equator."""
    s.upright = True
    half = s.rng.random() < 0.3
    s.arc(0j, 3, 180, 360, ry=0.9)
    s.arc(0j, 3, 0, 180, ry=0.9, style=hidden(s))
    if half:
        s.arc(0j, 3, 0, 180)
    else:
        s.circle(0j, 3)
    s.point(0j, "O", dot=True)
    if s.rng.random() < 0.7:
        s.line(0j, 3 + 0j, style=s.aux)
        s.side(0j, 3 + 0j, str(s.rng.choice(("r", "R"))))


def venn(s: Sketch) -> None:
    """Two or three overlapping sets."""
    s.upright = True
    r, d = 1.8, 2.2
    s.circle(0j, r)
    s.circle(d + 0j, r)
    s.text(-0.8 + 0j, "$A$")
    s.text(d + 0.8 + 0j, "$B$")
    if s.rng.random() < 0.5:
        c = complex(d / 2, -1.9)
        s.circle(c, r)
        s.text(c - 0.8j, "$C$")
    elif s.rng.random() < 0.6:
        s.text(d / 2 + 0j, rf"${int(s.rng.integers(2, 30))}$")
    if s.rng.random() < 0.4:
        s.line(-2.3 - 4.2j, d + 2.3 - 4.2j, d + 2.3 + 2.3j, -2.3 + 2.3j, closed=True)


def graph(s: Sketch) -> None:
    """A graph of nodes and edges, weighted or directed."""
    n = int(s.rng.integers(4, 7))
    nodes = [
        polar(3 * float(s.rng.uniform(0.75, 1)), 90 + 360 * k / n + float(s.rng.uniform(-12, 12))) for k in range(n)
    ]
    for z in nodes:
        s.point(z, dot=True)
    weighted = s.rng.random() < 0.5
    for i in range(n):
        for j in range(i):
            if i - j == 1 or (i - j == n - 1) or s.rng.random() < 0.3:
                s.line(nodes[i], nodes[j])
                if weighted and i - j in (1, n - 1):
                    s.side(nodes[i], nodes[j], str(int(s.rng.integers(1, 10))), away=0j)


def tree_graph(s: Sketch) -> None:
    """A rooted tree of two or three levels."""
    s.upright = True
    s.named = True
    root = s.point(0j, dot=True)
    count = int(s.rng.integers(2, 4))
    for k in range(count):
        child = s.point(complex((k - (count - 1) / 2) * 3, -1.6), dot=True)
        s.line(root, child)
        for m in range(int(s.rng.integers(0, 3))):
            leaf = s.point(child + complex((m - 0.5) * 1.4, -1.6), dot=True)
            s.line(child, leaf)


def ellipse_foci(s: Sketch) -> None:
    """An ellipse with axes, foci and a point on it."""
    s.upright = True
    rx, ry = 3.0, float(s.rng.uniform(1.5, 2.5))
    focus = math.sqrt(rx * rx - ry * ry)
    s.ellipse(0j, rx, ry)
    s.point(-focus + 0j, "F_1", dot=True)
    s.point(focus + 0j, "F_2", dot=True)
    t = math.radians(float(s.rng.uniform(30, 150)))
    p = s.point(complex(rx * math.cos(t), ry * math.sin(t)), "P", dot=True)
    s.line(-focus + 0j, p, focus + 0j, style=s.aux)
    if s.rng.random() < 0.5:
        s.line(-rx + 0j, rx + 0j)
        s.line(-1j * ry, 1j * ry)


def wave(s: Sketch) -> None:
    """Smooth curves through named points."""
    s.upright = True
    a, b = 0j, 6 + 0j
    lift = 1j * float(s.rng.uniform(1.5, 3.5))
    s.bezier(a, a + 1.5 + lift, b - 1.5 + (lift if s.rng.random() < 0.5 else -lift), b)
    s.point(a, dot=True)
    s.point(b, dot=True)
    if s.rng.random() < 0.6:
        s.line(a, b, style=s.aux)


def net(s: Sketch) -> None:
    """The net of a cuboid, or a shape of squares."""
    s.upright = True
    w, h, d = (float(s.rng.uniform(1, 1.9)) for _ in range(3))
    if s.rng.random() < 0.4:
        w = h = d
    for x, y, a, b in ((0, 0, w, h), (w, 0, d, h), (w + d, 0, w, h), (2 * w + d, 0, d, h), (0, h, w, d), (0, -d, w, d)):
        z = complex(x, y)
        s.line(z, z + a, z + complex(a, b), z + 1j * b, closed=True)


CONSTRUCTIONS: tuple[Construction, ...] = (
    cuboid, prism, pyramid, cylinder, cone, sphere, venn, graph, tree_graph, ellipse_foci, wave, net,
)  # fmt: skip
