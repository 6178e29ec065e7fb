"""Lines of a drawing -> its coordinate axes: where the origin is, how long a unit, how far they go. Knows no graph.

Axes end three tenths before the first whole number of their window and four tenths behind the last, where their arrow head is: that
tells the unit without reading a number. Places are pixels with y upwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from got_ocr.geometry.ink import Seen
from got_ocr.geometry.lines import Segment
from got_ocr.geometry.marks import sample

BEFORE, BEHIND = 0.3, 0.4  # centimetres of an axis before and behind its window
LEVEL = 0.012  # slope of a line that is still level
EXACT = 0.12  # centimetres by which ends may be off
BEYOND = 0.8  # units that lines may reach beyond the axes
MOST_UNITS = 7
VECTORS, STEPS, AREA = (0j, 5 + 4j), (0j, 6 + 4j), (0j, 5 + 5j)
LATTICE, POINTS, REGION = (-4 - 3j, 4 + 4j), (-4 - 3j, 4 + 3j), (-3 - 2j, 4 + 4j)
WHOLE = (VECTORS, STEPS, AREA, LATTICE, POINTS)
HALF = 2.4  # the window that is no whole number of units


@dataclass(frozen=True, slots=True)
class Axes:
    """Origin in pixels, pixels to the unit, window in units (low and high corner)."""

    origin: complex
    unit: float
    low: complex
    high: complex

    def move(self, z: complex) -> complex:
        """Turn pixels into units."""
        return (z - self.origin) / self.unit

    def pixel(self, z: complex) -> complex:
        """Turn units into pixels."""
        return self.origin + z * self.unit

    @property
    def whole(self) -> bool:
        """Say whether what stands on such a window has whole coordinates: vectors, polygons on a grid, points, steps, areas."""
        return (self.low, self.high) in WHOLE

    @property
    def ends(self) -> tuple[float, float, float, float]:
        """Give where the axes end: left, right, bottom, top."""
        return (round(self.low.real - BEFORE, 2), round(self.high.real + BEHIND, 2),
                round(self.low.imag - BEFORE, 2), round(self.high.imag + BEHIND, 2))  # fmt: skip


def find_axes(segments: Sequence[Segment], seen: Seen) -> Axes | None:
    """Find two axes with arrow heads."""
    level = [s if s.p.real < s.q.real else Segment(s.q, s.p, s.dash, s.weight) for s in segments
             if abs(s.along.imag) < LEVEL and not s.dash]  # fmt: skip
    upright = [s if s.p.imag < s.q.imag else Segment(s.q, s.p, s.dash, s.weight) for s in segments
               if abs(s.along.real) < LEVEL and not s.dash]  # fmt: skip
    for across in sorted(level, key=lambda s: -s.q.real)[:3]:
        for up in sorted(upright, key=lambda s: -s.q.imag)[:3]:
            found = _pair(across, up, seen)
            if found is not None:
                return found
    return None


def _pair(across: Segment, up: Segment, seen: Seen) -> Axes | None:
    origin = complex((up.p.real + up.q.real) / 2, (across.p.imag + across.q.imag) / 2)
    parts = (origin.real - across.p.real, across.q.real - origin.real, origin.imag - up.p.imag, up.q.imag - origin.imag)
    if min(parts) <= 2:
        return None
    best: tuple[float, float, tuple[float, ...]] | None = None
    for first in range(1, MOST_UNITS):
        unit = parts[1] / (first + BEHIND)
        steps = tuple(part / unit - extra for part, extra in zip(parts, (BEFORE, BEHIND, BEFORE, BEHIND), strict=True))
        window = tuple(max(0.0, float(round(step))) for step in steps)
        fitted = sum(parts) / (sum(window) + 2 * BEFORE + 2 * BEHIND)
        off = max(abs(part / fitted - extra - w)
                  for part, extra, w in zip(parts, (BEFORE, BEHIND, BEFORE, BEHIND), window, strict=True))  # fmt: skip
        if off < EXACT and (best is None or off < best[0]) and _fits(fitted, seen):
            best = off, fitted, window
    if best is None:
        return None
    _, unit, window = best
    half = sum(parts) / (4 * HALF + 2 * BEFORE + 2 * BEHIND)
    if len(set(window)) == 1 and _fits(half, seen) and _circled(origin, 2 * half, seen):
        unit, window = half, (HALF, HALF, HALF, HALF)
    axes = Axes(origin, unit, complex(0 - window[0], 0 - window[2]), complex(window[1], window[3]))
    tips = _head(across.q, 1, unit, seen) and _head(up.q, 1j, unit, seen)
    return axes if tips and _holds(axes, seen) else None


def _holds(axes: Axes, seen: Seen) -> bool:
    """Say whether all lines that are drawn lie within reach of the axes."""
    ys, xs = np.nonzero(seen.drawn)
    left, right, bottom, top = axes.ends
    low, high = axes.pixel(complex(left, bottom)), axes.pixel(complex(right, top))
    spare = BEYOND * axes.unit
    across, down = np.percentile(xs, (0.5, 99.5)), np.percentile(-ys, (0.5, 99.5))
    return bool(low.real - spare < across[0] and across[1] < high.real + spare
                and low.imag - spare < down[0] and down[1] < high.imag + spare)  # fmt: skip


def _circled(origin: complex, radius: float, seen: Seen) -> bool:
    """Say whether a circle is drawn about the origin."""
    turn = np.exp(1j * np.linspace(0, 2 * np.pi, 180, endpoint=False))
    near = max(1.5, 0.03 * radius)
    rings = [sample(seen.ink, origin + (radius + off) * turn) for off in np.linspace(-near, near, 7)]
    return float((np.maximum.reduce(rings) > 70).mean()) > 0.85


def _fits(unit: float, seen: Seen) -> bool:
    """Say whether a unit is likely for the size of the picture."""
    return 0.5 * seen.unit < unit < 1.6 * seen.unit


def _head(tip: complex, way: complex, unit: float, seen: Seen) -> bool:
    """Say whether an arrow head ends here."""
    back = np.array([0.09, 0.11, 0.13]) * unit
    sides = [sample(seen.ink, tip - way * back + 1j * way * s * 0.036 * unit) for s in (1, -1)]
    ahead = sample(seen.ink, tip + way * np.array([0.05, 0.07]) * unit)
    before = [sample(seen.ink, tip - way * 0.25 * unit + 1j * way * s * np.array([0.05, 0.06]) * unit) for s in (1, -1)]
    return all(side.max() > 70 for side in sides) and ahead.max() < 110 and min(b.min() for b in before) < 110
