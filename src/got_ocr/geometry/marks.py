"""Marks of one size whatever the drawing's: right angles, arcs of angles, ticks of equal lengths, arrow heads of parallels, dots.

Their sizes are known, so they are looked for where they may be, and not traced. Places are pixels with y upwards.
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs
from got_ocr.geometry.ink import Grey, Mask, Seen
from got_ocr.geometry.lines import Segment
from got_ocr.geometry.net import Net

CORNER = 0.28  # centimetres: side of a right-angle mark
RADII = (0.4, 0.45, 0.48, 0.5, 0.55, 0.56, 0.6, 0.7)  # of arcs of angles
TICK, APART = 0.12, 0.09  # half a tick, and from one to the next
WING, WING_TURN = 0.13, 2.5  # of an arrow head: length, and turn in radians
DOT = 0.053  # least radius of a dot
DRAWN = 60  # of 255
WHOLE = 0.86  # of a mark that is ink


@dataclass(frozen=True, slots=True)
class Corner:
    """A right-angle mark: its place, and the two directions."""

    place: int
    first: complex
    second: complex


@dataclass(frozen=True, slots=True)
class AngleArc:
    """An arc from one direction to another, counter-clockwise. radius: centimetres."""

    place: int
    first: complex
    second: complex
    radius: float


@dataclass(frozen=True, slots=True)
class Ticks:
    """Strokes across a segment. at: their middle, pixels from its start."""

    segment: int
    at: float
    count: int


@dataclass(frozen=True, slots=True)
class Head:
    """An arrow head on a segment. tip: pixels from its start. way: 1 with it, -1 against it."""

    segment: int
    tip: float
    way: int


def sample(ink: Grey, spots: NDArray[np.complexfloating[Any, Any]]) -> NDArray[np.float32]:
    """Read the ink at places."""
    x, y = spots.real.astype(np.float32), (-spots.imag).astype(np.float32)
    read: NDArray[np.float32] = (
        cv2.remap(ink, np.atleast_2d(x), np.atleast_2d(y), cv2.INTER_LINEAR).reshape(spots.shape).astype(np.float32)
    )
    return read


def rays(net: Net, place: int) -> list[complex]:
    """List the directions in which segments leave a place, counter-clockwise from the right."""
    out: list[complex] = []
    for number, segment in enumerate(net.segments):
        if place not in net.on[number]:
            continue
        for way, end in ((-1, net.ends[number][0]), (1, net.ends[number][1])):
            if place != end and all(abs(way * segment.along - other) > 0.04 for other in out):
                out.append(way * segment.along)
    return sorted(out, key=lambda u: cmath.phase(u) % (2 * math.pi))


def _inked(ink: Grey, a: complex, b: complex, reach: float) -> float:
    """Say which share of the way from a to b has ink beside it, within reach."""
    steps = np.linspace(0, 1, max(4, int(abs(b - a) * 1.5)))
    way = a + (b - a) * steps
    aside = 1j * (b - a) / abs(b - a) * np.arange(-reach, reach + 0.1, 0.5)[:, None]
    return float((sample(ink, way[None, :] + aside).max(0) > DRAWN).mean())


def corners(net: Net, seen: Seen, unit: float, loose: float) -> list[Corner]:
    """Find the right-angle marks."""
    side, reach = CORNER * unit, 1.0 + 0.8 * loose
    found = []
    for place in range(len(net.places)):
        v, ways = net.places[place], rays(net, place)
        best: tuple[float, Corner] | None = None
        for a, b in combinations(ways, 2):
            if abs((a * b.conjugate()).real) > 0.03 + 0.04 * loose:
                continue
            tip = v + (a + b) * side
            if any(_beside(net, (tip - w * side * 0.75, tip - w * side * 0.2), 2.0 + seen.stroke / 2) for w in (a, b)):
                continue
            inked = min(_inked(seen.ink, v + z * side + (a + b - z) * side * 0.2, tip, reach) for z in (a, b))
            if inked >= WHOLE - 0.05 * (loose > 0) and (best is None or inked > best[0]):
                best = inked, Corner(place, a, b)
        if best:
            found.append(best[1])
    return found


def _beside(net: Net, spots: Sequence[complex], near: float) -> bool:
    """Say whether a segment runs through all of some spots."""
    for segment in net.segments:
        ways = [(z - segment.p) * segment.along.conjugate() for z in spots]
        if all(abs(w.imag) <= near and -near <= w.real <= segment.length + near for w in ways):
            return True
    return False


def angle_arcs(net: Net, seen: Seen, unit: float, loose: float) -> list[AngleArc]:
    """Find the arcs of angles."""
    found: list[AngleArc] = []
    for place in range(len(net.places)):
        ways = rays(net, place)
        if len(ways) >= 2:
            found += _arcs_at(place, net.places[place], ways, seen, unit, loose)
    return found


def _arcs_at(place: int, v: complex, ways: Sequence[complex], seen: Seen, unit: float, loose: float) -> list[AngleArc]:
    """Look for arcs in each sector between two neighbouring directions, and join those that go on."""
    radii = np.arange(0.33 * unit, 0.78 * unit, 0.5)
    sectors: list[list[float]] = []
    turns = [(cmath.phase(b / a)) % (2 * math.pi) for a, b in zip(ways, [*ways[1:], ways[0]], strict=True)]
    for a, turn in zip(ways, turns, strict=True):
        sectors.append(_radii_in(v, a, turn, radii, seen, unit, loose) if turn < 3.1 else [])
    out: list[AngleArc] = []
    for radius in sorted({r for sector in sectors for r in sector}):
        has = [radius in sector for sector in sectors]
        n = len(ways)
        for start in range(n):
            if not has[start] or (has[start - 1] and not all(has) and n > 1):
                continue
            total, stop = 0.0, start
            while has[stop % n] and stop - start < n and total + turns[stop % n] < 3.12:
                total += turns[stop % n]
                stop += 1
            if stop > start:
                out.append(AngleArc(place, ways[start], ways[stop % n], radius))
            if all(has):
                break
    return out


def _radii_in(
    v: complex, a: complex, turn: float, radii: NDArray[np.float64], seen: Seen, unit: float, loose: float
) -> list[float]:
    """List the radii, in centimetres, of the arcs that fill a sector."""
    margin = (seen.stroke / 2 + 1.6 + loose) / (0.45 * unit)
    if turn - 2 * margin < 4 / (0.45 * unit):
        return []
    steps = np.linspace(margin, turn - margin, max(5, int((turn - 2 * margin) * 0.5 * unit)))
    spots = v + radii[:, None] * a * np.exp(1j * steps[None, :])
    ink = sample(seen.ink, spots)
    wide = max(1, round(1.0 + 2 * loose))
    grown = cv2.dilate(ink, np.ones((2 * wide + 1, 1), np.uint8))
    filled = (grown > DRAWN).mean(1)
    level = ink.mean(1)
    out: list[float] = []
    for first, last in runs(filled >= WHOLE):
        if (last - first) * 0.5 > 2 * seen.stroke + 2 * wide + 3 + 0.02 * unit:
            continue
        best = first + int(level[first:last].argmax())
        away = round(0.06 * unit / 0.5) + wide
        if min(filled[max(0, best - away)], filled[min(len(filled) - 1, best + away)]) > 0.7 and turn < 1.0:
            continue
        radius = float(radii[best]) / unit
        known = min(RADII, key=lambda r: abs(r - radius))
        if abs(known - radius) < 0.035 + 0.03 * loose and known not in out:
            out.append(known)
    return out


def _across(net: Net, segment: Segment, seen: Seen, offsets: Sequence[float]) -> list[NDArray[np.float32]]:
    """Read the ink beside a segment at offsets, pixels to its left, step by step."""
    way = segment.p + segment.along * np.arange(int(segment.length) + 1)
    return [sample(seen.ink, way + 1j * segment.along * offset) for offset in offsets]


def ticks(net: Net, seen: Seen, unit: float, loose: float) -> list[Ticks]:
    """Find the ticks across segments."""
    found: list[Ticks] = []
    inner, outer, clear = 0.06 * unit, 0.098 * unit, 0.175 * unit + seen.stroke / 2
    for number, segment in enumerate(net.segments):
        reads = _across(net, segment, seen, [s * d for d in (inner, outer, clear) for s in (1, -1)])
        on = [np.asarray(r > DRAWN) for r in reads]
        wide = np.ones(2 * round(1 + loose) + 1)
        both = [np.convolve(o, wide, "same") > 0 for o in on[:4]]
        free = ~(on[4] | on[5])
        spots = runs(both[0] & both[1] & both[2] & both[3])
        most = 2.2 * seen.stroke + 2 * len(wide) + 2
        at = [(a + b - 1) / 2 for a, b in spots if b - a <= most and free[max(0, a) : b].mean() > 0.6]
        at = [
            t
            for t in at
            if all(abs(t - abs(net.places[k] - segment.p)) > 0.06 * unit for k in net.on[number])
            and 0.2 * unit < t < segment.length - 0.2 * unit
        ]
        groups: list[list[float]] = []
        for t in at:
            if groups and t - groups[-1][-1] <= 1.5 * APART * unit:
                groups[-1].append(t)
            else:
                groups.append([t])
        found += [Ticks(number, float(np.mean(g)), len(g)) for g in groups if len(g) <= 3]
    return found


def heads(net: Net, seen: Seen, unit: float, crossed: Sequence[Ticks]) -> list[Head]:
    """Find arrow heads on segments, where no ticks are."""
    found: list[Head] = []
    back, side = WING * math.cos(WING_TURN) * unit, WING * math.sin(WING_TURN) * unit
    for number, segment in enumerate(net.segments):
        shares = (0.45, 0.7, 0.92)
        reads = _across(net, segment, seen, [s * side * f for f in shares for s in (1, -1)] + [side * 1.5, -side * 1.5])
        on = [np.convolve(r > DRAWN, np.ones(3), "same") > 0 for r in reads]
        for way in (1, -1):
            fits = np.ones(len(on[0]), dtype=np.bool_)
            for k, share in enumerate(shares):
                shift = round(back * share * way)
                fits &= _shifted(on[2 * k], shift) & _shifted(on[2 * k + 1], shift)
            bare = ~(
                _shifted(on[0], round(back * way))
                | _shifted(on[6], round(back * way))
                | _shifted(on[7], round(back * way))
            )
            for a, b in runs(fits & bare):
                tip = (a + b - 1) / 2
                alone = all(t.segment != number or abs(t.at - tip) > 0.25 * unit for t in crossed)
                alone = alone and not _crossed(net, number, segment.p + segment.along * tip, 0.14 * unit)
                alone = alone and all(abs(abs(net.places[k] - segment.p) - tip) > 0.25 * unit for k in net.on[number])
                if b - a <= 2 * seen.stroke + 5 and alone:
                    found.append(Head(number, tip, way))
    return found


def _crossed(net: Net, number: int, z: complex, near: float) -> bool:
    """Say whether another segment, or a curve, runs by a spot."""
    if any(abs(abs(z - arc.center) - arc.rx) < near for arc in net.arcs if arc.round):
        return True
    others = [s for i, s in enumerate(net.segments) if i != number]
    return any(abs(((z - s.p) * s.along.conjugate()).imag) < near
               and -near < ((z - s.p) * s.along.conjugate()).real < s.length + near for s in others)  # fmt: skip


def _shifted(on: Mask, by: int) -> Mask:
    """Give at t what is at t + by."""
    out = np.zeros_like(on)
    if by >= 0:
        out[: len(on) - by] = on[by:]
    else:
        out[-by:] = on[:by]
    return out


def dots(seen: Seen, unit: float) -> list[complex]:
    """Find filled discs."""
    thick = 0.5 * seen.widest
    solid = (seen.ink > 110).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(solid, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    least = max(0.036 * unit, 0.75 * seen.stroke + 0.5, 1.5 * thick)
    peaks = (depth >= least) & (depth >= cv2.dilate(depth, np.ones((5, 5), np.uint8)))
    _, _, _, middles = cv2.connectedComponentsWithStats(cv2.dilate(peaks.astype(np.uint8), np.ones((3, 3), np.uint8)))
    found: list[complex] = []
    turn = np.exp(1j * np.linspace(0, 2 * np.pi, 24, endpoint=False))
    for x, y in middles[1:60]:
        z = complex(x, -y)
        inner = max(0.8 * DOT * unit, 0.85 * float(depth[round(y), round(x)]))
        full = sample(seen.ink, z + inner * turn)
        around = sample(seen.ink, z + (0.11 * unit + 2) * turn)
        close = sample(seen.ink, z + (1.35 * float(depth[round(y), round(x)]) + 1) * turn)
        if (full > 110).mean() > 0.93 and (close > 110).mean() < 0.64 and (around > 110).mean() < 0.75:
            found.append(z)
    return found
