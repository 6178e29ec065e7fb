"""What ink alone gets wrong about straight pieces: dashed ones that end too soon, sharp corners that look like dots.

Pieces have y downwards, dots upwards. Knows no net of places.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from got_ocr.columns import runs
from got_ocr.geometry.ink import Seen
from got_ocr.geometry.lines import GAP, Segment, strip
from got_ocr.geometry.net import along, meet, off_line

MOST_MENDED, DASHES = 1.2, 0.25  # centimetres by which a dashed piece is lengthened at most; how much of them has ink
WEDGE = 0.2  # centimetres from the tip of a sharp corner to where its sides part


def in_wedge(dot: complex, segments: Sequence[Segment], seen: Seen) -> bool:
    """Say whether what looks like a dot is where two lines under a sharp angle part. The dot has y upwards, lines downwards."""
    z = dot.conjugate()
    near = [s for s in segments if min(abs(s.p - z), abs(s.q - z)) < WEDGE * seen.unit]
    for a, b in combinations(near, 2):
        tip = meet(a, b)
        if tip is None or not max(1.5, 0.35 * seen.stroke) < abs(z - tip) < WEDGE * seen.unit:
            continue
        ways = [(far - tip) / abs(far - tip) for s in (a, b) for far in [max(s.p, s.q, key=lambda end: abs(end - tip))]]
        middle = (ways[0] + ways[1]) / max(abs(ways[0] + ways[1]), 1e-9)
        if (ways[0] * ways[1].conjugate()).real > 0.2 and ((z - tip) / abs(z - tip) * middle.conjugate()).real > 0.8:
            return True
    return False


def mended(segment: Segment, others: Sequence[Segment], dots: Sequence[complex], seen: Seen) -> Segment:
    """Lengthen a dashed piece to what it leads to, where a dash that sticks to a mark was taken for a letter. Dots have y upwards."""
    if not segment.dash:
        return segment
    most = MOST_MENDED * seen.unit
    goals = [z for other in others if other is not segment and (z := _led_to(segment, other, most)) is not None]
    goals += [z.conjugate() for z in dots if off_line(segment, z.conjugate()) <= 3 + seen.stroke]
    ends = [segment.p, segment.q]
    for which, way in ((0, -segment.along), (1, segment.along)):
        end = ends[which]
        ahead = [(((z - end) * way.conjugate()).real, z) for z in goals]
        near = [(far, z) for far, z in ahead if GAP * seen.unit < far < most]
        if near and _dashed_on(end, min(near, key=lambda one: one[0])[1], seen):
            ends[which] = end + way * min(near, key=lambda one: one[0])[0]
    return replace(segment, p=ends[0], q=ends[1])


def _led_to(segment: Segment, other: Segment, most: float) -> complex | None:
    """Find where a piece would meet another if it went on, and the other as well where it is dashed."""
    z = meet(segment, other)
    spare = most if other.dash else 3.0
    return z if z is not None and -spare <= along(other, z) <= other.length + spare else None


def _dashed_on(a: complex, b: complex, seen: Seen) -> bool:
    """Say whether dashes, of whatever ink, lead from a to b."""
    on = strip(seen.ink, a, b, 2.0).max(0) > 1.3 * seen.level
    gaps = [last - first for first, last in runs(~on)]
    return bool(on.mean() > DASHES and max(gaps, default=0) <= 1.3 * GAP * seen.unit)
