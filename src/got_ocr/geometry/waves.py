r"""A smooth curve between two points at one height, which may be joined by a line as well. Knows no other drawing.

A cubic whose inner controls stand over the quarter points of its chord, as such curves are drawn; their heights are fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs
from got_ocr.geometry import spelling
from got_ocr.geometry.colours import Look, Palette, thickness
from got_ocr.geometry.ink import Grey, Seen, longest_piece
from got_ocr.geometry.lines import Peeler, Segment
from got_ocr.geometry.marks import DOT, dots
from got_ocr.geometry.plan import style_of
from got_ocr.geometry.scene import EXTENT, HAND
from got_ocr.geometry.script import styled
from got_ocr.geometry.texts import SIDES, Text, find_texts, is_italic, slant
from got_ocr.labels import Label

LEVEL, ACROSS = 0.03, 0.7  # slope of the chord at most; how much of all ink it reaches over
SEEN = 0.75  # of the curve that is ink
ALIKE = 0.08  # of their height by which the two controls may differ
HIGH = 0.2  # of the chord that the controls stand over it at least
NEAR = 0.3  # centimetres between a point and where its name would stand exactly
EDGE = 0.03  # of the chord at each end that is left out: there the points are

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wave:
    """Places in pixels, y upwards. first, last: the ends, from the left. heights: of the two controls over the chord.

    curve, chord: how they look; no chord is None. dash: of the chord.
    """

    first: complex
    last: complex
    heights: tuple[float, float]
    curve: Look
    chord: Look | None
    dash: str

    @property
    def controls(self) -> tuple[complex, complex]:
        """Give the inner controls."""
        across = self.last - self.first
        return self.first + across / 4 + 1j * self.heights[0], self.last - across / 4 + 1j * self.heights[1]


@dataclass(frozen=True, slots=True)
class WaveDrawing:
    """What was seen of a wave. labels: strips of its texts."""

    labels: tuple[Label, ...]
    wave: Wave
    texts: tuple[Text, ...]

    def write(self, answers: Sequence[str]) -> str:
        """Write it down as TikZ, longer side 6. answers: what was read of each label."""
        wave, answers = self.wave, [*answers, *[""] * len(self.texts)][: len(self.texts)]
        all_of_it = np.array([wave.first, *wave.controls, wave.last])
        low = complex(all_of_it.real.min(), all_of_it.imag.min())
        unit = max(np.ptp(all_of_it.real), np.ptp(all_of_it.imag)) / EXTENT
        spots = [spelling.spot((complex(z) - low) / unit) for z in all_of_it]
        told = {end: found for end in (0, 3) if (found := self._name(complex(all_of_it[end]), unit, answers))}
        ends = sorted((0, 3), key=lambda end: told[end][0] if end in told else "")  # what has no name keeps its place
        at = {end: f"({told[end][0]})" if end in told else spots[end] for end in ends}
        a, b = ends
        c, d = (1, 2) if a == 0 else (2, 1)
        rows = [rf"\coordinate ({told[end][0]}) at {spots[end]};" for end in ends if end in told]
        border = thickness([look.weight for look in (wave.curve, wave.chord) if look is not None])
        rows.append(
            rf"\draw{styled(style_of(wave.curve, border, ''))} {at[a]} .. controls {spots[c]} and {spots[d]} .. {at[b]};"
        )
        if wave.chord is not None:
            rows.append(rf"\draw{styled(style_of(wave.chord, border, wave.dash))} {at[a]}--{at[b]};")
        rows += [rf"\fill {at[end]} circle (1.5pt);" for end in ends]
        italic = is_italic([slant(text) for text in self.texts], answers)
        for name, side in (told[end] for end in ends if end in told):
            text = spelling.formula(name) if italic or len(name) > 1 else name
            rows.append(rf"\node[{side}] at ({name}) {{{text}}};")
        return "\n".join([r"\begin{tikzpicture}", *rows, r"\end{tikzpicture}"])

    def _name(self, end: complex, unit: float, answers: Sequence[str]) -> tuple[str, str] | None:
        """Find the name of an end, and on which side it stands."""
        ways = [
            (abs(text.place(side, unit) - end), spelling.name_of(answer), side)
            for text, answer in zip(self.texts, answers, strict=True)
            for side in SIDES
        ]
        off, name, side = min(ways, default=(unit, "", ""))
        return (name, side) if name and off < NEAR * unit else None


def find_wave(seen: Seen) -> Wave | None:
    """Find a curve between two dots; None where there is none."""
    ends = sorted(dots(seen, seen.unit), key=lambda z: z.real) or _tips(seen)
    if len(ends) != 2:
        return None
    first, last = ends
    wide = last.real - first.real
    xs = np.nonzero((seen.drawn | seen.written).any(axis=0))[0]
    if wide < ACROSS * np.ptp(xs) or abs((last - first).imag) > LEVEL * wide:
        return None
    for loose in (0.0, HAND * seen.unit):
        peeler = Peeler(seen, loose)
        chord = next((s for s in peeler.peel(0.8 * wide) if _joins(s, first, last, 0.1 * wide)), None)
        heights = _heights(_traced(peeler.left, first, last, seen), first, last, 1.5 + 0.3 * seen.stroke + loose)
        if heights is not None:
            return _measured(seen, first, last, heights, chord)
    return None


def wave_texts(seen: Seen, wave: Wave) -> tuple[Text, ...]:
    """Find the texts beside a wave: letters that stand for themselves."""
    unit = abs(wave.last - wave.first) / EXTENT
    return tuple(find_texts(seen, seen.written, unit))


def _tips(seen: Seen) -> list[complex]:
    """Find the ends of the widest piece of ink: the points on a thick curve are hardly wider than it."""
    _, places, stats, _ = cv2.connectedComponentsWithStats((seen.drawn | seen.written).view(np.uint8), connectivity=8)
    piece, left, top = longest_piece(places, stats)
    width = piece.shape[1]
    reach = round(DOT * seen.unit)
    heights = [np.nonzero(part)[0] for part in (piece[:, : 2 * reach + 1], piece[:, -2 * reach - 1 :])]
    return [
        complex(x, -(top + float(ys.mean())))
        for x, ys in zip((left + reach, left + width - 1 - reach), heights, strict=True)
    ]


def _joins(segment: Segment, first: complex, last: complex, near: float) -> bool:
    ends = sorted((segment.p.conjugate(), segment.q.conjugate()), key=lambda z: z.real)
    return abs(ends[0] - first) < near and abs(ends[1] - last) < near


def _traced(left: Grey, first: complex, last: complex, seen: Seen) -> Floats:
    """Find the middle of the ink in each column that has one stroke: rows of (x, y), y upwards."""
    spare = EDGE * (last - first).real
    mask = left > 1.3 * seen.level
    found = []
    for x in range(round(first.real + spare), round(last.real - spare) + 1):
        strokes = runs(mask[:, x])
        if len(strokes) == 1:
            top, bottom = strokes[0]
            found.append((x, -(top + bottom - 1) / 2))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _heights(points: Floats, first: complex, last: complex, near: float) -> tuple[float, float] | None:
    """Fit the heights of the controls over the chord; None where the ink is no such curve."""
    wide = (last - first).real
    if len(points) < SEEN * (1 - 2 * EDGE) * wide:
        return None
    across = (points[:, 0] - first.real) / wide
    over = points[:, 1] - (first.imag + across * (last - first).imag)
    t = _times(across)
    parts = np.stack(_parts(t), axis=1)
    good = np.ones(len(t), dtype=np.bool_)
    found = np.zeros(2)
    for _ in range(4):
        if good.sum() < 12:
            return None
        found = np.asarray(np.linalg.lstsq(parts[good], over[good], rcond=None)[0], dtype=np.float64)
        off = np.abs(over - parts @ found)
        good = off <= max(0.5, 2.5 * float(np.median(off[good])))
    steep = np.hypot(1, np.gradient(over) / np.maximum(np.gradient(points[:, 0]), 1e-6))
    if (off <= near * steep).mean() < SEEN or np.abs(found).min() < HIGH * wide:
        return None
    if abs(abs(found[0]) - abs(found[1])) < ALIKE * np.abs(found).max():
        found = np.sign(found) * np.abs(found).mean()
    return float(found[0]), float(found[1])


def _parts(t: Floats) -> tuple[Floats, Floats]:
    """Give how much of each inner control a cubic has at a time."""
    return 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t)


def _across(t: Floats) -> Floats:
    """Say how far across its chord a cubic with controls over the quarter points is at a time."""
    low, high = _parts(t)
    return low / 4 + high * 3 / 4 + t**3


def _times(across: Floats) -> Floats:
    """Say when a cubic with controls over the quarter points is so far across."""
    t = np.linspace(0, 1, 2001)
    times: Floats = np.interp(across, _across(t), t)
    return times


def _measured(seen: Seen, first: complex, last: complex, heights: tuple[float, float], chord: Segment | None) -> Wave:
    """Tell the colours and widths of curve and chord."""
    palette = Palette(seen, abs(last - first) / EXTENT)
    t = np.linspace(0.06, 0.94, 240)
    low, high = _parts(t)
    spots = first + _across(t) * (last - first) + 1j * (heights[0] * low + heights[1] * high)
    way = np.gradient(spots)
    curve = palette.look(spots, 1j * way / np.abs(way))
    if chord is None:
        return Wave(first, last, heights, curve, None, "")
    straight = first + (last - first) * t
    line = palette.look(straight, np.full(t.shape, 1j * (last - first) / abs(last - first)), chord.dash)
    return Wave(first, last, heights, curve, line, chord.dash)
