"""Picture -> everything that is drawn in it: places, lines, curves, marks, dots, fills, texts. Knows no TikZ and no model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from got_ocr.geometry.colours import Fill, Palette, fills
from got_ocr.geometry.curves import Arc, find_arcs
from got_ocr.geometry.erase import mark_ink
from got_ocr.geometry.ink import Mask, Seen
from got_ocr.geometry.lines import Peeler, Segment
from got_ocr.geometry.marks import AngleArc, Corner, Head, Ticks, angle_arcs, corners, dots, heads, ticks
from got_ocr.geometry.net import Net, build
from got_ocr.geometry.texts import Text, find_texts

LONG, SHORT = 1.2, 0.34  # centimetres of pieces that are looked for before marks are known, and after
EXTENT = 6.0  # centimetres of the longer side of a figure
SHAKY = 0.009  # centimetres by which a hand leaves its lines, as a rule


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn; pixels with y upwards. unit: pixels of a centimetre."""

    seen: Seen
    net: Net
    unit: float
    loose: float
    corners: tuple[Corner, ...]
    angles: tuple[AngleArc, ...]
    ticks: tuple[Ticks, ...]
    heads: tuple[Head, ...]
    dots: tuple[complex, ...]
    fills: tuple[Fill, ...]
    palette: Palette
    texts: tuple[Text, ...]


def read_scene(seen: Seen) -> Scene | None:
    """Find what is drawn; None where there is nothing of lines and curves."""
    loose = 0.0
    peeler = Peeler(seen)
    long = peeler.peel(LONG * seen.unit)
    shaky = _shakiness(long)
    if shaky > max(0.5, SHAKY * 0.6 * seen.unit):
        loose = min(0.07 * seen.unit, 2.5 * shaky)
        peeler = Peeler(seen, loose)
        long = peeler.peel(LONG * seen.unit)
    arcs = [replace(arc, center=arc.center.conjugate()) for arc in find_arcs(peeler, seen, loose)]
    if not long and not arcs:
        return None
    spots = dots(seen, seen.unit)
    net = build(_upwards(long), arcs, seen.stroke, seen.unit, loose, spots)
    unit = scale(net, spots) or seen.unit
    found = _marks(net, seen, unit, loose)
    peeler.remove(mark_ink(net, seen, unit, loose, [m for kind in found for m in kind], spots))
    short = peeler.peel(SHORT * unit)
    spots = dots(seen, unit)
    net = build(_upwards([*long, *short]), arcs, seen.stroke, unit, loose, spots)
    unit = scale(net, spots) or unit
    spots = [z if (k := net.place_at(z, 1.5 * net.near)) is None else net.places[k] for z in spots]
    found = _marks(net, seen, unit, loose)
    gone = mark_ink(net, seen, unit, loose, [m for kind in found for m in kind], spots)
    left: Mask = ((peeler.left > 44) & ~gone) | (seen.written & ~gone)
    palette = Palette(seen, unit)
    return Scene(seen, net, unit, loose, *(tuple(kind) for kind in found), tuple(spots),
                 tuple(fills(seen, palette, unit)), palette, tuple(find_texts(seen, left, unit)))  # type: ignore[arg-type]


Marks = tuple[list[Corner], list[AngleArc], list[Ticks], list[Head]]


def _marks(net: Net, seen: Seen, unit: float, loose: float) -> Marks:
    crossed = ticks(net, seen, unit, loose)
    return (
        corners(net, seen, unit, loose),
        angle_arcs(net, seen, unit, loose),
        crossed,
        heads(net, seen, unit, crossed),
    )


def _upwards(segments: Sequence[Segment]) -> list[Segment]:
    return [replace(s, p=s.p.conjugate(), q=s.q.conjugate()) for s in segments]


def _shakiness(segments: Sequence[Segment]) -> float:
    """Say how far lines are from straight, as a rule."""
    return float(np.median([s.rough for s in segments])) if segments else 0.0


def reach(net: Net, dots: Sequence[complex]) -> list[complex]:
    """List places that the figure reaches."""
    out = [*net.places, *dots]
    for arc in net.arcs:
        out += arc_reach(arc)
    return out


def arc_reach(arc: Arc) -> list[complex]:
    """List the ends of an arc, and where it is farthest out."""
    turns = [arc.first, arc.last, *(t for t in range(-360, 1081, 90) if arc.first < t < arc.last)]
    return [arc.at(t) for t in turns]


def scale(net: Net, dots: Sequence[complex]) -> float:
    """Find how many pixels a centimetre has: the longer side of what is drawn is known."""
    spots = reach(net, dots)
    if not spots:
        return 0.0
    wide = max(z.real for z in spots) - min(z.real for z in spots)
    tall = max(z.imag for z in spots) - min(z.imag for z in spots)
    return max(wide, tall) / EXTENT
