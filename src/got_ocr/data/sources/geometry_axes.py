r"""Constructions on coordinate axes: graphs of functions, vectors, polygons on a grid, number lines. One unit is one
centimetre.

Expressions are written for PGF (trigonometry in radians by the postfix `r`) and evaluated here from the same numbers.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from got_ocr.data.sources import geometry_tree as tree
from got_ocr.data.sources.geometry_points import polar
from got_ocr.data.sources.geometry_sketch import Sketch
from got_ocr.data.sources.geometry_tree import number
from got_ocr.data.sources.geometry_triangles import GREEK, Construction

Curve = tuple[str, Callable[[float], float]]


def axes(s: Sketch, low: complex, high: complex, grid: bool = False, ticks: bool = True) -> None:
    """Draw axes through the origin from corner to corner, with a grid and numbered ticks if wanted."""
    s.fixed = True
    if grid:
        s.item(tree.Grid(_at(low), _at(high)), low, high)
    arrow = replace(tree.PLAIN, arrow="->")
    left, below = round(low.real - 0.3, 2), round(low.imag - 0.3, 2)
    right, top = round(high.real + 0.4, 2), round(high.imag + 0.4, 2)
    s.item(tree.Path((tree.At(left, 0), tree.At(right, 0)), style=arrow), complex(right, 0))
    s.item(tree.Path((tree.At(0, below), tree.At(0, top)), style=arrow), complex(0, top))
    s.note(complex(right, 0), "$x$", "below" if s.rng.random() < 0.5 else "right")
    s.note(complex(0, top), "$y$", "left" if s.rng.random() < 0.5 else "above")
    s.note(0j, "$O$" if s.rng.random() < 0.5 else "$0$", "below left")
    if ticks:
        s.item(tree.Ticks("x", _whole(low.real, high.real)))
        s.item(tree.Ticks("y", _whole(low.imag, high.imag)))


def _whole(low: float, high: float) -> tuple[int, ...]:
    return tuple(v for v in range(math.ceil(low), math.floor(high) + 1) if v)


def _at(z: complex) -> tree.At:
    return tree.At(round(z.real, 2) + 0.0, round(z.imag, 2) + 0.0)


def _window(s: Sketch) -> tuple[complex, complex]:
    rng = s.rng
    return complex(-int(rng.integers(1, 5)), -int(rng.integers(1, 4))), complex(
        int(rng.integers(2, 6)), int(rng.integers(2, 5))
    )


def _coefficient(s: Sketch, low: float, high: float) -> float:
    value = round(float(s.rng.uniform(low, high)) * 2) / 2 or 0.5
    return -value if s.rng.random() < 0.4 else value


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value) if value < 0 else ""


def _factor(value: float) -> str:
    return {1.0: "", -1.0: "-"}.get(value, number(value) + "*")


def _linear(s: Sketch) -> Curve:
    a, b = _coefficient(s, 0.5, 2), round(float(s.rng.uniform(-2, 2)) * 2) / 2
    return rf"{_factor(a)}\x{_signed(b)}", lambda x: a * x + b


def _quadratic(s: Sketch) -> Curve:
    a = float(s.rng.choice((0.5, 1.0, -0.5, -1.0, 0.25)))
    b, c = (round(float(s.rng.uniform(-1.5, 1.5)) * 2) / 2 for _ in range(2))
    middle = rf"{'+' if b > 0 else ''}{_factor(b)}\x" if b else ""
    return rf"{_factor(a)}\x*\x{middle}{_signed(c)}", lambda x: a * x * x + b * x + c


def _cubic(s: Sketch) -> Curve:
    a = float(s.rng.choice((0.25, -0.25, 0.5, -0.5)))
    b = float(s.rng.choice((0.0, -1.0, 1.0)))
    middle = rf"{'+' if b > 0 else ''}{_factor(b)}\x" if b else ""
    return rf"{_factor(a)}\x*\x*\x{middle}", lambda x: a * x**3 + b * x


def _wave(s: Sketch) -> Curve:
    a, k = _coefficient(s, 0.5, 2), float(s.rng.choice((1.0, 1.0, 2.0)))
    name = str(s.rng.choice(("sin", "cos")))
    function = math.sin if name == "sin" else math.cos
    inner = r"\x r" if k == 1 else rf"{number(k)}*\x r"
    return rf"{_factor(a)}{name}({inner})", lambda x: a * function(k * x)


def _exponential(s: Sketch) -> Curve:
    sign, c = float(s.rng.choice((1.0, -1.0))), round(float(s.rng.uniform(-2, 1)))
    return rf"exp({'-' if sign < 0 else ''}\x){_signed(c)}", lambda x: math.exp(sign * x) + c


def _logarithm(s: Sketch) -> Curve:
    a = _coefficient(s, 1, 1.5)
    return rf"{_factor(a)}ln(\x)", lambda x: a * math.log(x) if x > 0 else math.inf


def _root(s: Sketch) -> Curve:
    c = int(s.rng.integers(0, 2))
    return rf"sqrt(\x{_signed(c)})", lambda x: math.sqrt(x + c) if x + c >= 0 else math.inf


def _reciprocal(s: Sketch) -> Curve:
    a = float(s.rng.choice((1.0, 2.0, -1.0)))
    return rf"{number(a)}/\x", lambda x: a / x if x > 0.05 else math.inf


def _absolute(s: Sketch) -> Curve:
    a, c = int(s.rng.integers(-1, 2)), int(s.rng.integers(-2, 2))
    return rf"abs(\x{_signed(a)}){_signed(c)}", lambda x: abs(x + a) + c


_CURVES = (
    _linear,
    _quadratic,
    _quadratic,
    _cubic,
    _wave,
    _wave,
    _exponential,
    _logarithm,
    _root,
    _reciprocal,
    _absolute,
)


def _plot(s: Sketch, curve: Curve, low: complex, high: complex, style: tree.Style) -> tree.Plot | None:
    """Cut a curve to its longest stretch inside the window; None when hardly anything of it is inside."""
    text, f = curve
    count = round((high.real - low.real) * 20)
    xs = [round(low.real + 0.05 * k, 2) for k in range(count + 1)]
    runs: list[list[float]] = [[]]
    for x in xs:
        if low.imag - 0.2 <= f(x) <= high.imag + 0.2:
            runs[-1].append(x)
        elif runs[-1]:
            runs.append([])
    run = max(runs, key=len)
    if len(run) < 24:
        return None
    # The samples are those of PGF: one hundred, evenly spread over the domain.
    step = (run[-1] - run[0]) / 99
    points = tuple((run[0] + step * k, f(min(run[0] + step * k, run[-1]))) for k in range(100))
    return tree.Plot(text, run[0], run[-1], points, style)


def function(s: Sketch) -> None:
    """The graph of one or two functions."""
    low, high = _window(s)
    axes(s, low, high, grid=bool(s.rng.random() < 0.35))
    colors = s.rng.permutation(len(tree.COLORS) - 1)
    wanted = 2 if s.rng.random() < 0.35 else 1
    drawn = 0
    for _ in range(8):
        style = replace(tree.PLAIN, thick=True, color=tree.COLORS[int(colors[drawn])] if s.rng.random() < 0.7 else "")
        plot = _plot(s, _CURVES[int(s.rng.integers(len(_CURVES)))](s), low, high, style)
        if plot is not None:
            s.item(plot, *(complex(*p) for p in plot.points))
            drawn += 1
        if drawn == wanted:
            break
    if not drawn:
        s.item(tree.Path((_at(low), _at(high)), style=replace(tree.PLAIN, thick=True)))


def region(s: Sketch) -> None:
    """A parabola with a chord, or a line and its intercepts."""
    low, high = complex(-3, -2), complex(4, 4)
    axes(s, low, high, ticks=bool(s.rng.random() < 0.7))
    a = float(s.rng.choice((0.5, 0.25)))
    c = float(s.rng.choice((0.0, -1.0)))
    plot = _plot(s, (rf"{_factor(a)}\x*\x{_signed(c)}", lambda x: a * x * x + c), low, high, s.main)
    if plot is not None:
        s.item(plot, *(complex(*p) for p in plot.points))
    x1, x2 = -float(s.rng.uniform(1, 2)), float(s.rng.uniform(1.5, 2.6))
    p, q = complex(x1, a * x1 * x1 + c), complex(x2, a * x2 * x2 + c)
    s.point(p, "A", dot=True)
    s.point(q, "B", dot=True)
    s.extended(p, q, 0.15, style=s.aux)


def vectors(s: Sketch) -> None:
    """Two or three vectors from the origin, sometimes their parallelogram."""
    axes(s, 0j, complex(5, 4), grid=bool(s.rng.random() < 0.4))
    s.fixed = True
    u = complex(int(s.rng.integers(2, 5)), int(s.rng.integers(0, 2)))
    v = complex(int(s.rng.integers(0, 2)), int(s.rng.integers(2, 4)))
    arrow = replace(s.main, arrow="->", thick=True)
    names = [rf"\vec{{{c}}}" for c in str(s.rng.choice(("uvw", "abc")))]
    s.line(0j, u, style=arrow)
    s.line(0j, v, style=arrow)
    s.side(0j, u, names[0])
    s.side(0j, v, names[1])
    if s.rng.random() < 0.6 and (u + v).real <= 5 and (u + v).imag <= 4:
        s.line(u, u + v, v, style=replace(s.aux, dash="dashed", arrow=""))
        s.line(0j, u + v, style=arrow)
        s.side(0j, u + v, names[2])


def lattice(s: Sketch) -> None:
    """A polygon with whole coordinates on a grid, sometimes with its mirror image."""
    low, high = complex(-4, -3), complex(4, 4)
    axes(s, low, high, grid=True, ticks=bool(s.rng.random() < 0.6))
    half = [complex(x, y) for x in range(1, 5) for y in range(1, 5)]
    while True:
        a, b, c = (half[int(i)] for i in s.rng.permutation(len(half))[:3])
        if abs(((b - a).conjugate() * (c - a)).imag) >= 3:
            break
    s.points(a, b, c)
    s.polygon(a, b, c)
    if s.rng.random() < 0.5:
        images = [complex(-z.real, z.imag) for z in (a, b, c)]
        for z, letter in zip(images, s.letters, strict=False):
            s.point(z, f"{letter}'")
        s.line(*images, closed=True, style=s.aux)


def plotted_points(s: Sketch) -> None:
    """Points with whole coordinates, named, on axes."""
    low, high = complex(-4, -3), complex(4, 3)
    axes(s, low, high, grid=bool(s.rng.random() < 0.5))
    places = [complex(x, y) for x in range(-4, 5) for y in range(-3, 4) if x and y]
    for i in s.rng.permutation(len(places))[: int(s.rng.integers(2, 6))]:
        s.point(places[int(i)], dot=True)


def axis_circle(s: Sketch) -> None:
    """A circle about the origin with an angle, as in trigonometry, or a circle anywhere on axes."""
    r = 2.0
    axes(s, complex(-2.4, -2.4), complex(2.4, 2.4), ticks=False)
    s.circle(0j, r)
    t = float(s.rng.choice((30, 45, 60, 120, 135, 150, s.rng.uniform(20, 70))))
    p = polar(r, t)
    s.point(p, "P", dot=True)
    s.line(0j, p)
    s.angle(0j, r + 0j, p, str(s.rng.choice((*GREEK[:5], rf"{round(t)}^\circ"))))
    if abs(p.real) > 0.4:
        s.line(p, complex(p.real, 0), style=replace(s.aux, dash="dashed"))


def number_line(s: Sketch) -> None:
    """A number line with points or an interval on it."""
    s.fixed = True
    low, high = -int(s.rng.integers(1, 5)), int(s.rng.integers(2, 6))
    s.item(
        tree.Path((tree.At(low - 0.6, 0), tree.At(high + 0.6, 0)), style=replace(tree.PLAIN, arrow="->")),
        low - 0.6,
        high + 0.6,
    )
    s.item(tree.Ticks("x", tuple(range(low, high + 1))))
    for i in s.rng.permutation(high - low)[: int(s.rng.integers(1, 4))]:
        s.point(complex(low + int(i) + (0.5 if s.rng.random() < 0.3 else 0), 0), dot=True)


def steps(s: Sketch) -> None:
    """A broken line graph over time."""
    axes(s, 0j, complex(6, 4), grid=bool(s.rng.random() < 0.5))
    ys = [int(v) for v in s.rng.integers(0, 5, size=int(s.rng.integers(4, 7)))]
    knots = [complex(x, y) for x, y in enumerate(ys)]
    s.line(*knots, style=replace(s.main, thick=True))
    if s.rng.random() < 0.5:
        for z in knots[1:]:
            s.dot(z)


def linear_programme(s: Sketch) -> None:
    """A feasible region: a tinted polygon cut off by lines."""
    axes(s, 0j, complex(5, 5))
    a, b = int(s.rng.integers(3, 6)), int(s.rng.integers(3, 6))
    p, q, r = complex(0, min(b, 3)), complex(int(s.rng.integers(1, 3)), min(b, 3)), complex(min(a, 4), 0)
    s.line(0j, r, q, p, closed=True, style=replace(s.main, fill=s.tint or "gray"))
    s.point(q, dot=True)
    s.extended(r, q, 0.25, style=s.aux)


CONSTRUCTIONS: tuple[Construction, ...] = (
    function, function, function, region, vectors, lattice, plotted_points, axis_circle, number_line,
    steps, linear_programme,
)  # fmt: skip
