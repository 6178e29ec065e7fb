"""Where the lines of a figure run: every item as polylines in centimetres.

One walk over the tree that serves label placement, the canvas size and hand-drawn inking. Knows no pixels.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from got_ocr.data.sources import geometry_tree as tree

Line = NDArray[np.float64]  # (N, 2), centimetres, y upwards


def strokes(item: tree.Item) -> list[Line]:
    """Trace an item; labels and named points leave no stroke."""
    match item:
        case tree.Path(points, closed):
            ends = [(p.x, p.y) for p in points]
            return [np.array(ends + ends[:1] if closed else ends)]
        case tree.Rectangle(low, high):
            return [np.array([(low.x, low.y), (high.x, low.y), (high.x, high.y), (low.x, high.y), (low.x, low.y)])]
        case tree.Circle(center, radius):
            return [_ellipse(center.x, center.y, radius, radius, 0, 360)]
        case tree.Ellipse(center, rx, ry):
            return [_ellipse(center.x, center.y, rx, ry, 0, 360)]
        case tree.Arc(start, first, last, rx, ry):
            x = start.x - rx * math.cos(math.radians(first))
            y = start.y - ry * math.sin(math.radians(first))
            return [_ellipse(x, y, rx, ry, first, last)]
        case tree.Bezier(a, b, c, d):
            return [_cubic(a, b, c, d)]
        case tree.Plot(points=points):
            return [np.array(points)]
        case tree.Grid(low, high):
            return _grid(low, high)
        case tree.Ticks(axis, at):
            across = [np.array([(v, 0.1), (v, -0.1)], dtype=float) for v in at]
            return across if axis == "x" else [line[:, ::-1].copy() for line in across]
        case _:
            return []


def dense(lines: list[Line], step: float) -> Line:
    """Resample polylines to points at most `step` apart, all in one array (N, 2)."""
    out = [np.zeros((0, 2))]
    for line in lines:
        for a, b in pairwise(line):
            count = max(2, math.ceil(float(np.hypot(*(b - a))) / step) + 1)
            out.append(a + (b - a) * np.linspace(0, 1, count)[:, None])
    return np.concatenate(out)


def _ellipse(x: float, y: float, rx: float, ry: float, first: float, last: float) -> Line:
    count = max(3, int(abs(last - first) / 3) + 2)
    angle = np.radians(np.linspace(first, last, count))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def _cubic(a: tree.At, b: tree.At, c: tree.At, d: tree.At) -> Line:
    t = np.linspace(0, 1, 40)[:, None]
    p = [np.array([q.x, q.y]) for q in (a, b, c, d)]
    out: Line = (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t**2 * p[2] + t**3 * p[3]
    return out


def _grid(low: tree.At, high: tree.At) -> list[Line]:
    xs = range(math.ceil(low.x), math.floor(high.x) + 1)
    ys = range(math.ceil(low.y), math.floor(high.y) + 1)
    upright = [np.array([(x, low.y), (x, high.y)]) for x in xs]
    return upright + [np.array([(low.x, y), (high.x, y)]) for y in ys]
