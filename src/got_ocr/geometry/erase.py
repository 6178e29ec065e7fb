"""Takes the ink of marks away, so that what is left may be read as short lines and letters. Knows no name."""

from collections.abc import Sequence

import cv2
import numpy as np

from got_ocr.geometry.axes import Axes
from got_ocr.geometry.curves import Arc
from got_ocr.geometry.ink import Mask, Seen
from got_ocr.geometry.lines import Segment
from got_ocr.geometry.marks import CORNER, DOT, TICK, WING, WING_TURN, AngleArc, Corner, Head, Ticks
from got_ocr.geometry.net import Net


def mark_ink(
    net: Net,
    seen: Seen,
    unit: float,
    loose: float,
    marks: Sequence[Corner | AngleArc | Ticks | Head],
    dots: Sequence[complex],
) -> Mask:
    """Draw marks a little thicker than they are."""
    gone = np.zeros(seen.ink.shape, dtype=np.uint8)
    thick = max(3, round(seen.stroke + 2.4 + 2 * loose))
    for mark in marks:
        for line in _lines(mark, net, unit):
            points = np.stack([np.round(line.real * 16), np.round(-line.imag * 16)], axis=1).astype(np.int32)
            cv2.polylines(gone, [points], False, 255, thick, cv2.LINE_8, 4)
    for z in dots:
        cv2.circle(gone, (round(z.real), round(-z.imag)), round(DOT * 1.8 * unit + 2), 255, -1)
    return gone > 0


def stroke_ink(segments: Sequence[Segment], arcs: Sequence[Arc], seen: Seen, loose: float) -> Mask:
    """Draw lines, with y downwards, and curves, with y upwards, a little thicker than they are."""
    gone = np.zeros(seen.ink.shape, dtype=np.uint8)
    for s in segments:
        thick = max(3, round(max(seen.stroke, s.weight) + 2.2 + 2 * loose))
        ends = [(round(z.real * 16), round(z.imag * 16)) for z in (s.p, s.q)]
        cv2.line(gone, ends[0], ends[1], 255, thick, cv2.LINE_8, 4)
    for arc in arcs:
        line = np.array([arc.at(t) for t in np.linspace(arc.first, arc.last, 181)])
        points = np.stack([np.round(line.real * 16), np.round(-line.imag * 16)], axis=1).astype(np.int32)
        thick = max(3, round(max(seen.stroke, arc.weight) + 2.4 + 2 * loose))
        cv2.polylines(gone, [points], False, 255, thick, cv2.LINE_8, 4)
    return gone > 0


def number_strokes(axes: Axes, seen: Seen, loose: float) -> Mask:
    """Draw the strokes across axes at whole numbers."""
    gone = np.zeros(seen.ink.shape, dtype=np.uint8)
    thick = max(3, round(seen.stroke + 2.4 + 2 * loose))
    for value in range(-6, 8):
        for place, way in ((complex(value, 0), 0.12j), (complex(0, value), 0.12)):
            a, b = axes.pixel(place - way), axes.pixel(place + way)
            if (
                value
                and axes.low.real <= place.real <= axes.high.real
                and axes.low.imag <= place.imag <= axes.high.imag
            ):
                cv2.line(gone, (round(a.real), round(-a.imag)), (round(b.real), round(-b.imag)), 255, thick)
    _, right, _, top = axes.ends
    for tip, way in ((complex(right, 0), 1.0), (complex(0, top), 1j)):
        a, b = axes.pixel(tip - 0.02 * way), axes.pixel(tip - 0.2 * way)
        cv2.line(
            gone, (round(a.real), round(-a.imag)), (round(b.real), round(-b.imag)), 255, max(3, round(0.15 * axes.unit))
        )
    return gone > 0


def _lines(mark: Corner | AngleArc | Ticks | Head, net: Net, unit: float) -> list[np.ndarray]:
    if isinstance(mark, Corner):
        v, a, b = net.places[mark.place], mark.first * CORNER * unit, mark.second * CORNER * unit
        return [np.array([v + a, v + a + b, v + b])]
    if isinstance(mark, AngleArc):
        turn = np.angle(mark.second / mark.first) % (2 * np.pi)
        return [net.places[mark.place] + mark.radius * unit * mark.first * np.exp(1j * np.linspace(0, turn, 24))]
    segment = net.segments[mark.segment]
    if isinstance(mark, Ticks):
        spots = [mark.at + 0.09 * unit * (k - (mark.count - 1) / 2) for k in range(mark.count)]
        across = 1j * segment.along * TICK * unit
        return [
            np.array([segment.p + segment.along * t + across, segment.p + segment.along * t - across]) for t in spots
        ]
    tip, way = segment.p + segment.along * mark.tip, segment.along * mark.way * WING * unit
    return [np.array([tip + way * np.exp(1j * WING_TURN), tip, tip + way * np.exp(-1j * WING_TURN)])]
