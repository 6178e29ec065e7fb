r"""The ink on coordinate axes -> graphs of functions, as PGF writes them. Knows no other line.

School functions have simple coefficients: all of them are held against the ink, and the one that lies on it is taken.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.geometry.axes import Axes
from got_ocr.geometry.ink import Grey, Mask
from got_ocr.geometry.marks import sample
from got_ocr.geometry.spelling import number

Spots = NDArray[np.complexfloating[Any, Any]]
Function = Callable[[float], float]
STEP, OVER, FEWEST = 0.05, 0.2, 24  # units between samples, over the window's edge, and samples of the shortest graph
COVERED = 0.955  # of a graph that is ink
NEW = 0.7  # of it that belongs to no other graph
MOST_PLOTS = 2


@dataclass(frozen=True, slots=True)
class Graph:
    """An expression in \\x over [low, high], and its places in units."""

    text: str
    low: float
    high: float
    points: tuple[complex, ...]


def find_graphs(ink: Grey, axes: Axes, width: float, loose: float) -> list[Graph]:
    """Find the graphs of functions in the ink of strokes. width: of strokes, in pixels. loose: pixels by which a hand strays."""
    left = ink.copy()
    found: list[Graph] = []
    options = [graph for text, f in expressions() if (graph := _cut(text, f, axes)) is not None]
    for _ in range(MOST_PLOTS):
        fresh = [g for g in options if _drawn(g, left, axes, loose) > NEW]
        best = max(fresh, key=lambda g: _score(g, ink, axes, width, loose), default=None)
        if best is None or _score(best, ink, axes, width, loose) < COVERED - (0.06 if loose else 0.0):
            break
        found.append(best)
        _take(left, best, axes, width + 2 * loose)
    return found


def _drawn(graph: Graph, ink: Grey, axes: Axes, loose: float) -> float:
    """Say which share of a graph has ink; by hand, near it."""
    spots, normal = _way(graph, axes)
    shares = []
    for reach in (loose / 3, 2 * loose / 3, loose) if loose else (0.6,):
        steps = np.linspace(-reach, reach, 3 + 2 * int(reach))
        shares.append(float((np.maximum.reduce([sample(ink, spots + normal * o) for o in steps]) > 90).mean()))
    return float(np.mean(shares))


def _way(graph: Graph, axes: Axes) -> tuple[Spots, Spots]:
    spots = axes.origin + np.array(graph.points) * axes.unit
    normal = np.gradient(spots)
    return spots, 1j * normal / np.maximum(np.abs(normal), 1e-6)


def _score(graph: Graph, ink: Grey, axes: Axes, width: float, loose: float) -> float:
    """Say which share of a graph has ink, and prefer long ones and those in the middle of their ink."""
    spots, normal = _way(graph, axes)
    aside = max(1.0, width * 0.5)
    on = _drawn(graph, ink, axes, loose)
    centred = (
        1
        - abs(float(np.mean(sample(ink, spots + normal * aside)) - np.mean(sample(ink, spots - normal * aside)))) / 255
    )
    length = float(np.abs(np.diff(spots)).sum()) / axes.unit
    return on + 0.004 * min(length, 8.0) + 0.02 * centred - 0.05


def _take(ink: Grey, graph: Graph, axes: Axes, width: float) -> None:
    spots = axes.origin + np.array(graph.points) * axes.unit
    points = np.stack([np.round(spots.real * 16), np.round(-spots.imag * 16)], axis=1).astype(np.int32)
    cv2.polylines(ink, [points], False, 0, max(3, round(width + 3)), cv2.LINE_8, 4)


def graph_ink(graph: Graph, axes: Axes, like: Grey, thick: float) -> Mask:
    """Draw a graph."""
    gone = np.full(like.shape, 255, dtype=np.uint8)
    _take(gone, graph, axes, thick)
    mask: Mask = gone == 0
    return mask


def _cut(text: str, f: Function, axes: Axes) -> Graph | None:
    """Cut a function to its longest stretch inside the window."""
    low, high = axes.low, axes.high
    count = round((high.real - low.real) * 20)
    runs: list[list[float]] = [[]]
    for x in (round(low.real + STEP * k, 2) for k in range(count + 1)):
        if low.imag - OVER <= f(x) <= high.imag + OVER:
            runs[-1].append(x)
        elif runs[-1]:
            runs.append([])
    run = max(runs, key=len)
    if len(run) < FEWEST:
        return None
    xs = np.linspace(run[0], run[-1], 160)
    points = tuple(complex(float(x), f(min(max(float(x), run[0]), run[-1]))) for x in xs)
    return Graph(text, run[0], run[-1], points)


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value) if value < 0 else ""


def _factor(value: float) -> str:
    return {1.0: "", -1.0: "-"}.get(value, number(value) + "*")


def _middle(b: float) -> str:
    return rf"{'+' if b > 0 else ''}{_factor(b)}\x" if b else ""


def expressions() -> Iterator[tuple[str, Function]]:
    """Give school functions: text and function."""
    for a in (0.5, 1.0, 1.5, 2.0, -0.5, -1.0, -1.5, -2.0):
        for b in (k / 2 for k in range(-4, 5)):
            yield rf"{_factor(a)}\x{_signed(b)}", partial(_power, 0.0, 0.0, a, b)
        for k, inner in ((1.0, r"\x r"), (2.0, r"2*\x r")):
            yield rf"{_factor(a)}sin({inner})", partial(_wave, math.sin, a, k)
            yield rf"{_factor(a)}cos({inner})", partial(_wave, math.cos, a, k)
    yield from _powers()
    yield from _others()


def _powers() -> Iterator[tuple[str, Function]]:
    halves = [k / 2 for k in range(-3, 4)]
    for a in (0.5, 1.0, -0.5, -1.0, 0.25):
        for b in halves:
            for c in halves:
                yield rf"{_factor(a)}\x*\x{_middle(b)}{_signed(c)}", partial(_power, 0.0, a, b, c)
    for a in (0.25, -0.25, 0.5, -0.5):
        for b in (0.0, -1.0, 1.0):
            yield rf"{_factor(a)}\x*\x*\x{_middle(b)}", partial(_power, a, 0.0, b, 0.0)


def _others() -> Iterator[tuple[str, Function]]:
    for c in (-2.0, -1.0, 0.0, 1.0):
        yield rf"exp(\x){_signed(c)}", partial(_exponential, 1.0, c)
        yield rf"exp(-\x){_signed(c)}", partial(_exponential, -1.0, c)
    for a in (1.0, 1.5, -1.0, -1.5):
        yield rf"{_factor(a)}ln(\x)", partial(_logarithm, a)
    for c in (0.0, 1.0):
        yield rf"sqrt(\x{_signed(c)})", partial(_root, c)
    for a in (1.0, 2.0, -1.0):
        yield rf"{number(a)}/\x", partial(_reciprocal, a)
    for d in (-1.0, 0.0, 1.0):
        for c in (-2.0, -1.0, 0.0, 1.0):
            yield rf"abs(\x{_signed(d)}){_signed(c)}", partial(_absolute, d, c)


def _power(a: float, b: float, c: float, d: float, x: float) -> float:
    return a * x**3 + b * x * x + c * x + d


def _wave(function: Function, a: float, k: float, x: float) -> float:
    return a * function(k * x)


def _exponential(sign: float, c: float, x: float) -> float:
    return math.exp(sign * x) + c


def _logarithm(a: float, x: float) -> float:
    return a * math.log(x) if x > 0 else math.inf


def _root(c: float, x: float) -> float:
    return math.sqrt(x + c) if x + c >= 0 else math.inf


def _reciprocal(a: float, x: float) -> float:
    return a / x if x > 0.05 else math.inf


def _absolute(d: float, c: float, x: float) -> float:
    return abs(x + d) + c
