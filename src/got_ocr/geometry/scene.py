"""Picture -> everything that is drawn in it: places, lines, curves, marks, dots, fills, texts. Knows no TikZ and no model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from got_ocr.geometry.axes import HALF, Axes, find_axes
from got_ocr.geometry.colours import Fill, Palette, fills
from got_ocr.geometry.curves import Arc, find_arcs, take_arc
from got_ocr.geometry.erase import mark_ink, number_strokes, stroke_ink
from got_ocr.geometry.ink import Mask, Seen
from got_ocr.geometry.lines import Peeler, Segment
from got_ocr.geometry.marks import AngleArc, Corner, Head, Ticks, angle_arcs, corners, dots, heads, ticks
from got_ocr.geometry.mend import in_wedge, mended
from got_ocr.geometry.net import Net, along, build, cross, off_line
from got_ocr.geometry.plots import Graph, find_graphs, graph_ink
from got_ocr.geometry.texts import Text, find_texts

LONG, SHORT = 1.2, 0.34  # centimetres of pieces that are looked for before marks are known, and after
MOST_LONG, MOST_PAIRS = 40, 6
EXTENT = 6.0  # centimetres of the longer side of a figure
SHAKY = 0.0018  # centimetres by which lines by hand stray within a narrow strip, as a rule
CRUMB = 0.15  # units: what is lower beside axes is left of a tick, where it crosses a grid, or of a graph
HAND = 0.055  # centimetres by which they stray altogether


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn; pixels with y upwards. unit: pixels of a centimetre. axes, graphs, numbers: what stands on coordinate axes."""

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
    axes: Axes | None = None
    graphs: tuple[Graph, ...] = ()
    numbers: bool = False


def read_scene(seen: Seen) -> Scene | None:
    """Find what is drawn; None where there is nothing of lines and curves."""
    loose, first = 0.0, list[Arc]()
    peeler = Peeler(seen)
    long = peeler.peel(LONG * seen.unit)
    shaky = _shakiness(long)
    if shaky > SHAKY * seen.unit:
        loose = HAND * seen.unit
        peeler = Peeler(seen, loose)
        first = find_arcs(peeler, seen, loose, closed=True)
        long = peeler.peel(LONG * seen.unit)
    if crowded(long, seen.unit):
        return None
    axes = find_axes(_upwards(long), seen)
    if axes is not None:
        return _on_axes(seen, axes, loose)
    arcs = [*first, *find_arcs(peeler, seen, loose)]
    arcs = [replace(arc, center=arc.center.conjugate()) for arc in arcs]
    if not long and not arcs:
        return None
    spots = [z for z in dots(seen, seen.unit) if not in_wedge(z, long, seen)]
    long = [mended(segment, long, spots, seen) for segment in long]
    net = cross(build(_upwards(long), arcs, seen.stroke, seen.unit, loose, spots))
    unit = scale(net, spots) or seen.unit
    found = _marks(net, seen, unit, loose)
    peeler.remove(mark_ink(net, seen, unit, loose, [m for kind in found for m in kind], spots))
    short = attached(peeler.peel(SHORT * unit), long, arcs, unit, seen.stroke)
    spots = [z for z in dots(seen, unit) if not in_wedge(z, long, seen)]
    net = cross(build(_upwards([*long, *short]), arcs, seen.stroke, unit, loose, spots))
    unit = scale(net, spots) or unit
    spots = [z if (k := net.place_at(z, 1.5 * net.near)) is None else net.places[k] for z in spots]
    found = _marks(net, seen, unit, loose)
    gone = mark_ink(net, seen, unit, loose, [m for kind in found for m in kind], spots)
    gone |= stroke_ink([*long, *short], arcs, seen, loose)
    left: Mask = (seen.drawn | seen.written) & ~gone
    palette = Palette(seen, unit)
    return Scene(
        seen,
        net,
        unit,
        loose,
        tuple(found[0]),
        tuple(found[1]),
        tuple(found[2]),
        tuple(found[3]),
        tuple(spots),
        tuple(fills(seen, palette, unit)),
        palette,
        tuple(find_texts(seen, left, unit)),
    )


def _on_axes(seen: Seen, axes: Axes, loose: float) -> Scene:
    """Find what is drawn on axes: graphs first, since pieces of them look like lines."""
    unit = axes.unit
    ink = np.where(seen.drawn, seen.ink, 0).astype(np.uint8)
    graphs = find_graphs(ink, axes, seen.stroke, loose) if not axes.whole else []
    peeler = Peeler(seen, loose)
    for graph in graphs:
        peeler.remove(graph_ink(graph, axes, ink, max(seen.widest, 3.0) + 2 * loose))
    arcs: list[Arc] = []
    if axes.high.real == HALF:
        arcs = [Arc(axes.origin, 2.0 * unit, 2.0 * unit, 0.0, 360.0, "", 1.0)]
        take_arc(peeler, replace(arcs[0], center=axes.origin.conjugate()), seen, loose)
    segments = peeler.peel(0.6 * unit)
    spots = [z for z in dots(seen, unit) if not _at_end(axes.move(z), axes)]
    net = build(_upwards(segments), arcs, seen.stroke, unit, loose, spots)
    spots = [z if (k := net.place_at(z, 1.5 * net.near)) is None else net.places[k] for z in spots]
    origin = net.add(axes.origin)
    angles = [arc for arc in angle_arcs(net, seen, unit, loose) if arc.place == origin] if arcs else []
    gone = mark_ink(net, seen, unit, loose, angles, spots) | number_strokes(axes, seen, loose)
    left: Mask = ((peeler.left > seen.level) & ~gone) | (seen.written & ~gone)
    palette = Palette(seen, unit)
    texts = [text for text in find_texts(seen, left, unit) if text.box[3] - text.box[1] > CRUMB * unit]
    return Scene(seen, net, unit, loose, (), tuple(angles), (), (), tuple(spots), tuple(fills(seen, palette, unit)), palette,
                 tuple(texts), axes, tuple(graphs))  # fmt: skip


def _at_end(z: complex, axes: Axes) -> bool:
    """Say whether an arrow head of an axis is taken for a dot."""
    _, right, _, top = axes.ends
    return abs(z - right) < 0.25 or abs(z - top * 1j) < 0.25


Marks = tuple[list[Corner], list[AngleArc], list[Ticks], list[Head]]


def _marks(net: Net, seen: Seen, unit: float, loose: float) -> Marks:
    arcs = angle_arcs(net, seen, unit, loose)
    crossed = [t for t in ticks(net, seen, unit, loose) if not any(_cuts(net, t, arc, unit) for arc in arcs)]
    return (
        corners(net, seen, unit, loose),
        arcs,
        crossed,
        heads(net, seen, unit, crossed),
    )


def _cuts(net: Net, tick: Ticks, arc: AngleArc, unit: float) -> bool:
    """Say whether what looks like a tick is the arc of an angle that goes on over a side."""
    segment = net.segments[tick.segment]
    return abs(abs(segment.p + segment.along * tick.at - net.places[arc.place]) - arc.radius * unit) < 0.08 * unit


def attached(
    short: Sequence[Segment], long: Sequence[Segment], arcs: Sequence[Arc], unit: float, stroke: float
) -> list[Segment]:
    """Drop short pieces that hang in the air: strokes of letters that touch a line. Pieces have y downwards, arcs upwards."""
    near = 4.0 + 1.5 * stroke

    def held(z: complex, own: Segment, others: Sequence[Segment]) -> bool:
        on_line = any(
            s is not own and off_line(s, z) <= near and -near <= along(s, z) <= s.length + near for s in others
        )
        w = z.conjugate()
        return on_line or any(
            abs(float(np.hypot((w - a.center).real / a.rx, (w - a.center).imag / a.ry)) - 1) * a.ry <= near
            or abs(w - a.center) <= near
            for a in arcs
        )

    kept = [s for s in short if s.length > 0.75 * unit]
    kept += [s for s in short if s.length <= 0.75 * unit and not (s.dash and s.length < 0.5 * unit)
             and all(held(z, s, [*long, *kept]) for z in (s.p, s.q))]  # fmt: skip
    return kept


def crowded(segments: Sequence[Segment], unit: float) -> bool:
    """Say whether there are too many lines, or several close beside each other, as in sheet music and tables."""
    pairs = 0
    for a, b in combinations(segments, 2):
        if abs((a.along.conjugate() * b.along).imag) < 0.03 and 0.03 * unit < off_line(a, (b.p + b.q) / 2) < 0.3 * unit:
            pairs += 1
    return len(segments) > MOST_LONG or pairs > MOST_PAIRS


def _upwards(segments: Sequence[Segment]) -> list[Segment]:
    return [replace(s, p=s.p.conjugate(), q=s.q.conjugate()) for s in segments]


def _shakiness(segments: Sequence[Segment]) -> float:
    """Say how far lines are from straight, as a rule."""
    return float(np.mean([s.rough for s in segments])) if segments else 0.0


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
