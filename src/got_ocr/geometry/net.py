"""Straight pieces and curves -> the places where they meet, and the edges between those. Places are pixels with y upwards.

An end of a piece is not where its ink ends, but where it meets another one, wherever there is one near. Knows no label and no mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from got_ocr.geometry.curves import Arc
from got_ocr.geometry.lines import GAP, Segment

MENDED = 0.55  # centimetres that may be missing in a dashed line
MOST_CROSSED = 24
PARALLEL = 0.1  # sine of an angle under which lines are not made to meet


@dataclass(slots=True)
class Net:
    """Places by number; segments, whose ends are places; which places lie on each segment, from its start. Arcs as they are."""

    places: list[complex]
    segments: list[Segment]
    ends: list[tuple[int, int]]
    arcs: list[Arc]
    near: float
    on: list[list[int]] = field(default_factory=list)

    def place_at(self, z: complex, reach: float | None = None) -> int | None:
        """Find the place next to a spot, within reach."""
        if not self.places:
            return None
        best = min(range(len(self.places)), key=lambda i: abs(self.places[i] - z))
        return best if abs(self.places[best] - z) <= (self.near if reach is None else reach) else None

    def add(self, z: complex) -> int:
        """Give the place at a spot, a new one where there is none."""
        found = self.place_at(z)
        if found is not None:
            return found
        self.places.append(z)
        for i, segment in enumerate(self.segments):
            if off_line(segment, z) <= self.near and -self.near <= along(segment, z) <= segment.length + self.near:
                self.on[i].append(len(self.places) - 1)
                self.on[i].sort(key=lambda k: along(segment, self.places[k]))
        return len(self.places) - 1


def along(segment: Segment, z: complex) -> float:
    """Give how far along a piece the foot of a spot lies."""
    return ((z - segment.p) * segment.along.conjugate()).real


def off_line(segment: Segment, z: complex) -> float:
    """Give how far a spot is from the line of a piece."""
    return abs(((z - segment.p) * segment.along.conjugate()).imag)


def meet(a: Segment, b: Segment) -> complex | None:
    """Intersect the lines of two pieces."""
    sine = (a.along.conjugate() * b.along).imag
    if abs(sine) < PARALLEL:
        return None
    t = ((b.p - a.p).conjugate() * b.along).imag / sine
    return a.p + t * a.along


def on_circle(segment: Segment, arc: Arc) -> list[complex]:
    """Intersect the line of a piece with a level ellipse; one that nearly touches it does so once."""
    scale = arc.rx / arc.ry
    flat = [complex(z.real, z.imag * scale) for z in (segment.p - arc.center, segment.q - arc.center)]
    way = (flat[1] - flat[0]) / (abs(flat[1] - flat[0]) or 1)
    foot = flat[0] - (flat[0] * way.conjugate()).real * way
    rest = arc.rx**2 - abs(foot) ** 2
    if rest < -0.06 * arc.rx**2:
        return []
    half = max(0.0, rest) ** 0.5
    spots = [foot + way * half, foot - way * half] if rest > 0.01 * arc.rx**2 else [foot / abs(foot) * arc.rx]
    return [arc.center + complex(z.real, z.imag / scale) for z in spots]


def in_arc(arc: Arc, z: complex, slack: float) -> bool:
    """Say whether a spot on the curve of an arc belongs to the arc. slack: pixels."""
    if arc.whole:
        return True
    degrees = float(np.degrees(np.arctan2((z - arc.center).imag / arc.ry, (z - arc.center).real / arc.rx)))
    spare = float(np.degrees(slack / max(arc.rx, arc.ry)))
    return (degrees - arc.first + spare) % 360 <= arc.last - arc.first + 2 * spare


def mended(segments: Sequence[Segment], unit: float, near: float) -> list[Segment]:
    """Join dashed pieces that go on with each other, where something lies over a line."""
    out = list(segments)
    joined = True
    while joined:
        joined = False
        for i, a in enumerate(out):
            for j in range(i + 1, len(out)):
                if (one := _one_line(a, out[j], unit, near)) is not None:
                    out[i] = one
                    del out[j]
                    joined = True
                    break
            if joined:
                break
    return out


def _one_line(a: Segment, b: Segment, unit: float, near: float) -> Segment | None:
    """Join two dashed pieces of one line."""
    if not a.dash or a.dash != b.dash or abs((a.along.conjugate() * b.along).imag) > 0.05:
        return None
    long, short = (a, b) if a.length >= b.length else (b, a)
    if max(off_line(long, short.p), off_line(long, short.q)) > near:
        return None
    ends = sorted((along(long, short.p), along(long, short.q)))
    if ends[0] - long.length > MENDED * unit or -ends[1] > MENDED * unit:
        return None
    low, high = min(0.0, ends[0]), max(long.length, ends[1])
    return replace(long, p=long.p + long.along * low, q=long.p + long.along * high)


def build(
    segments: Sequence[Segment], arcs: Sequence[Arc], stroke: float, unit: float, loose: float, dots: Sequence[complex]
) -> Net:
    """Find where the ends of pieces belong, and where pieces cross. dots: in which pieces may end."""
    near = max(2.6, 1.3 * stroke + 1.2) + 1.2 * loose
    segments = mended(segments, unit, near)
    targets: list[tuple[int, bool, complex, list[int]]] = []
    for i, segment in enumerate(segments):
        for start in (True, False):
            end = segment.p if start else segment.q
            spot, others = _target(i, end, segments, arcs, near, unit, dots)
            targets.append((i, start, spot, others))
    groups: list[list[int]] = []
    for k, (_, _, spot, _) in enumerate(targets):
        home = next((g for g in groups if abs(np.mean([targets[j][2] for j in g]) - spot) <= near), None)
        if home is None:
            groups.append([k])
        else:
            home.append(k)
    places: list[complex] = []
    ends = [[-1, -1] for _ in segments]
    for number, group in enumerate(groups):
        carriers = sorted({i for k in group for i in (targets[k][0], *targets[k][3])})
        rough = complex(np.mean([targets[k][2] for k in group]))
        places.append(
            _settled(
                rough,
                [segments[i] for i in carriers if i < len(segments)],
                [arcs[i - len(segments)] for i in carriers if i >= len(segments)],
                near,
            )
        )
        for k in group:
            ends[targets[k][0]][0 if targets[k][1] else 1] = number
    kept = [i for i, (a, b) in enumerate(ends) if a != b]
    moved = [replace(segments[i], p=places[ends[i][0]], q=places[ends[i][1]]) for i in kept]
    net = Net(places, moved, [(ends[i][0], ends[i][1]) for i in kept], [], near)
    net.arcs = [_ended(net, arc, unit) for arc in arcs]
    net.on = [_stations(net, i) for i in range(len(moved))]
    return net


def _through(
    number: int, dot: complex, segments: Sequence[Segment], arcs: Sequence[Arc], near: float, unit: float
) -> list[int]:
    """List what meets a piece in a dot."""
    met = []
    for i, other in enumerate(segments):
        by = i != number and off_line(other, dot) <= near
        if by and -0.15 * unit <= along(other, dot) <= other.length + 0.15 * unit:
            met.append(i)
    return met + [len(segments) + j for j, arc in enumerate(arcs) if _on_curve(arc, dot, near)]


def _on_lines(
    number: int, end: complex, segments: Sequence[Segment], near: float, slack: float, unit: float
) -> list[tuple[float, complex, int]]:
    """List where a piece that ends somewhere meets others near there: how far off, where, which."""
    own = segments[number]
    spots: list[tuple[float, complex, int]] = []
    for i, other in enumerate(segments):
        spot = meet(own, other) if i != number else None
        if spot is None:
            continue
        spare = near + (GAP * unit if other.dash else 0.0)
        sine = abs((own.along.conjugate() * other.along).imag)
        close = abs(spot - end) <= near / max(0.35, sine) ** 0.5 + slack
        if close and -spare <= along(other, spot) <= other.length + spare:
            spots.append((abs(spot - end), spot, i))
    return spots


def _on_arc(
    own: Segment, end: complex, arc: Arc, near: float, slack: float, unit: float
) -> list[tuple[float, complex, bool]]:
    """List where a piece that ends somewhere meets a curve near there: how far off, where, and whether on the curve."""
    found = [(abs(z - end), z, True) for z in on_circle(own, arc) if in_arc(arc, z, near)]
    spots = [one for one in found if one[0] <= near * 1.5 + slack]
    central = off_line(own, arc.center) <= near and abs(arc.center - end) <= near + slack
    if not arc.round:
        sides = [arc.center + s * arc.rx for s in (1, -1)]
        spots += [
            (0.2 * abs(z - end), z, True)
            for z in sides
            if abs(z - end) < 0.3 * unit + near and off_line(own, z) <= near
        ]
        return spots + ([(abs(arc.center - end) + 0.5, arc.center, False)] if central else [])
    foot = own.p + own.along * along(own, arc.center)
    touches = abs(abs(foot - arc.center) - arc.rx) <= near and in_arc(arc, foot, near)
    if touches and abs(foot - end) <= (2 * arc.rx * (near + 0.5)) ** 0.5 + near:
        spots.append((0.4 * abs(foot - end), foot, True))
    if arc.whole and central:
        spots.append((abs(arc.center - end) + 0.5, arc.center, False))
    return spots


def _goes_on(own: Segment, end: complex, other: Segment, near: float, unit: float) -> bool:
    """Say whether another piece, solid where this one is dashed, goes on behind an end."""
    if (
        bool(own.dash) == bool(other.dash)
        or abs((own.along.conjugate() * other.along).imag) > 0.05
        or off_line(own, other.p) > 2 * near
    ):
        return False
    return min(abs(other.p - end), abs(other.q - end)) < 0.16 * unit


def _on_curve(arc: Arc, z: complex, near: float) -> bool:
    """Say whether a spot lies on the curve of an arc."""
    level = float(np.hypot((z - arc.center).real / arc.rx, (z - arc.center).imag / arc.ry))
    return abs(level - 1) * min(arc.rx, arc.ry) <= near


def cross(net: Net) -> Net:
    """Add the places where segments cross."""
    for a, b in combinations(net.segments[:MOST_CROSSED], 2):
        z = meet(a, b)
        if (
            z is not None
            and net.near < along(a, z) < a.length - net.near
            and net.near < along(b, z) < b.length - net.near
        ):
            net.add(z)
    return net


def _target(
    number: int,
    end: complex,
    segments: Sequence[Segment],
    arcs: Sequence[Arc],
    near: float,
    unit: float,
    dots: Sequence[complex],
) -> tuple[complex, list[int]]:
    """Find where an end belongs, and what it meets there: numbers of segments, then of arcs."""
    own = segments[number]
    slack = GAP * 0.95 * unit if own.dash else 0.0
    if any(_goes_on(own, end, other, near, unit) for i, other in enumerate(segments) if i != number):
        slack = 0.26 * unit if own.dash else GAP * unit
    inside = [z for z in dots if abs(z - end) <= 0.15 * unit + near + slack and off_line(own, z) <= near]
    if inside:
        dot = min(inside, key=lambda z: abs(z - end))
        return dot, _through(number, dot, segments, arcs, near, unit)
    spots = _on_lines(number, end, segments, near, slack, unit)
    for j, arc in enumerate(arcs):
        spots += [(off, z, len(segments) + j if on else -1) for off, z, on in _on_arc(own, end, arc, near, slack, unit)]
    if not spots:
        return end, []
    best = min(spots, key=lambda s: s[0])[1]
    return best, [i for _, spot, i in spots if i >= 0 and abs(spot - best) <= 1.3 * near]


def _settled(spot: complex, lines: Sequence[Segment], arcs: Sequence[Arc], near: float) -> complex:
    """Find the spot that is next to all lines and curves that meet there, by least squares."""
    if len(lines) + len(arcs) < 2:
        return spot
    z = spot
    for _ in range(4):
        rows, goals = [], []
        for line in lines:
            normal, weight = line.along * 1j, min(line.length, 200.0) ** 0.5
            rows.append((normal.real * weight, normal.imag * weight))
            goals.append((line.p * normal.conjugate()).real * weight)
        for arc in arcs:
            around = z - arc.center
            normal = complex(around.real / arc.rx**2, around.imag / arc.ry**2)
            normal /= abs(normal) or 1.0
            level = float(np.hypot(around.real / arc.rx, around.imag / arc.ry)) or 1.0
            foot = arc.center + around / level
            rows.append((normal.real * 12, normal.imag * 12))
            goals.append((foot * normal.conjugate()).real * 12)
        matrix = np.array(rows)
        if np.linalg.cond(matrix) > 60:
            return spot
        step, *_ = np.linalg.lstsq(matrix, np.array(goals), rcond=None)
        z = complex(step[0], step[1])
    return z if abs(z - spot) <= 2.5 * near else spot


def _ended(net: Net, arc: Arc, unit: float) -> Arc:
    """Move the ends of an arc to the places where they belong, or to a quarter turn that is near."""
    if arc.whole:
        return arc
    ends = []
    for degrees in (arc.first, arc.last):
        number = net.place_at(arc.at(degrees), max(net.near * 2, 0.14 * unit))
        quarter = round(degrees / 90) * 90.0
        if not arc.round and abs(quarter - degrees) < 6:
            ends.append(quarter)
        elif number is not None:
            z = net.places[number] - arc.center
            exact = float(np.degrees(np.arctan2(z.imag / arc.ry, z.real / arc.rx)))
            ends.append(degrees + (exact - degrees + 180) % 360 - 180)
        elif abs(quarter - degrees) * np.pi / 180 * max(arc.rx, arc.ry) < 0.16 * unit:
            ends.append(quarter)
        else:
            ends.append(degrees)
    return replace(arc, first=ends[0], last=ends[1])


def _stations(net: Net, number: int) -> list[int]:
    """List the places on a segment from its start to its end."""
    segment = net.segments[number]
    found = [
        k
        for k, z in enumerate(net.places)
        if k not in net.ends[number]
        and off_line(segment, z) <= 0.8 * net.near
        and net.near < along(segment, z) < segment.length - net.near
    ]
    found.sort(key=lambda k: along(segment, net.places[k]))
    return [net.ends[number][0], *found, net.ends[number][1]]
