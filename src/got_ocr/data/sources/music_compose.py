"""Composing: a random score tree in a random style.

Holds staves, keys, melodies, chords, ties, slurs, ornaments and barlines. Every bar adds up because `music_rhythm`
fills it. Knows no kern text and no picture.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

import numpy as np

from got_ocr.data.sources.music_rhythm import Taste, beamed, fill, held
from got_ocr.data.sources.music_score import Bar, Event, Meter, Pitch, Score, Voice, key_alters

# Clef -> diatonic position of the bottom line (C4 is 28).
CLEFS: dict[str, int] = {"G2": 30, "F4": 18, "C3": 24, "C4": 22, "Gv2": 23, "C1": 28}
_METERS = (
    (Meter(4, 4), 8), (Meter(3, 4), 6), (Meter(2, 4), 5), (Meter(6, 8), 4), (Meter(3, 8), 2), (Meter(2, 2), 1.5),
    (Meter(9, 8), 1), (Meter(12, 8), 1), (Meter(5, 4), 0.6), (Meter(6, 4), 0.5), (Meter(3, 2), 0.7), (Meter(5, 8), 0.4),
    (Meter(7, 8), 0.4), (Meter(4, 4, "c"), 1.2), (Meter(2, 2, "c|"), 0.8),
)  # fmt: skip
_LAYOUTS = (
    (("G2",), 4), (("F4",), 1), (("C3",), 0.4), (("C4",), 0.2), (("Gv2",), 0.4), (("C1",), 0.1), (("F4", "G2"), 9),
    (("G2", "G2"), 1), (("F4", "F4"), 0.3), (("F4", "G2", "G2"), 0.8), (("F4", "C3", "G2"), 0.3),
    (("F4", "Gv2", "G2", "G2"), 0.6), (("F4", "C3", "G2", "G2"), 0.3),
)  # fmt: skip


_STEPS = (0, 0, 0, *[1] * 11, *[2] * 5, *[3] * 3, 4, 4, 5, 7)  # of a melody, in staff places
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Style:
    """The habits of one score; every number is a chance unless said otherwise."""

    clefs: tuple[str, ...]
    key: int
    meter: Meter
    bars: int
    level: int
    chords: float
    chromatic: float
    second_voice: float
    ties: float
    slurs: float
    marks: float
    graces: float
    changes: float
    repeats: float
    pickup: bool
    beams: bool


def new_style(rng: np.random.Generator, bars: tuple[int, int], notes: int) -> Style:
    """Choose a style. bars: least and most bars. notes: about how many events the whole score may have."""
    meter = _weighted(rng, _METERS)
    clefs = _weighted(rng, _LAYOUTS)
    level = int(rng.choice(4, p=(0.2, 0.4, 0.25, 0.15)))
    busy = float(meter.length) * 4 * (1 + 0.5 * level) * len(clefs) * 1.3
    most = max(bars[0], min(bars[1], int(notes / busy)))
    return Style(
        clefs=clefs,
        key=int(rng.choice(np.arange(-7, 8), p=_bell())),
        meter=meter,
        bars=int(rng.integers(bars[0], most + 1)),
        level=level,
        chords=float(rng.choice((0.0, 0.05, 0.25, 0.6), p=(0.35, 0.25, 0.25, 0.15))),
        chromatic=float(rng.choice((0.0, 0.03, 0.1), p=(0.3, 0.5, 0.2))),
        second_voice=float(rng.choice((0.0, 0.2, 0.7), p=(0.7, 0.2, 0.1))),
        ties=float(rng.choice((0.0, 0.04, 0.12), p=(0.3, 0.5, 0.2))),
        slurs=float(rng.choice((0.0, 0.08, 0.2), p=(0.4, 0.4, 0.2))),
        marks=float(rng.choice((0.0, 0.06, 0.25), p=(0.5, 0.35, 0.15))),
        graces=float(rng.choice((0.0, 0.04), p=(0.8, 0.2))),
        changes=float(rng.choice((0.0, 0.08), p=(0.8, 0.2))),
        repeats=float(rng.choice((0.0, 0.15), p=(0.7, 0.3))),
        pickup=bool(rng.random() < 0.12),
        beams=bool(rng.random() < 0.95),
    )


def compose(rng: np.random.Generator, style: Style) -> Score:
    """Compose a score in a style."""
    frames = _frames(rng, style)
    parts = []
    for staff in range(len(style.clefs)):
        voices = _rhythms(rng, style, frames, staff)
        parts.append(_pitched(rng, style, frames, staff, voices))
    bars = tuple(
        replace(frame, staves=tuple(tuple(tuple(voice) for voice in parts[s][b]) for s in range(len(style.clefs))))
        for b, frame in enumerate(frames)
    )
    return Score(bars, _end(rng, style, bars), style.pickup)


def _weighted(rng: np.random.Generator, options: tuple[tuple[_T, float], ...]) -> _T:
    chance = np.array([w for _, w in options])
    return options[int(rng.choice(len(options), p=chance / chance.sum()))][0]


def _bell() -> list[float]:
    weights = [math.exp(-abs(key) / 2.6) for key in range(-7, 8)]
    return [weight / sum(weights) for weight in weights]


# -- frames: bars without notes


def _frames(rng: np.random.Generator, style: Style) -> list[Bar]:
    """Lay out bars with their keys, meters, clefs and barlines."""
    key, meter, clefs = style.key, style.meter, style.clefs
    bars: list[Bar] = []
    opened = rng.random() < style.repeats / 2 and not style.pickup
    for index in range(style.bars):
        line = "!|:" if index == 0 and opened else ""
        if index > (1 if style.pickup else 0):
            if rng.random() < style.changes:
                key, meter, clefs = _change(rng, key, meter, clefs)
            line = _barline(rng, style, opened)
            opened = line == "!|:" or (opened and line != ":|!")
        bars.append(Bar((), clefs, key, meter, line))
    return bars


def _barline(rng: np.random.Generator, style: Style, opened: bool) -> str:
    if rng.random() < style.repeats:
        return ":|!" if opened else str(rng.choice(("!|:", ":|!", "||")))
    return ""


def _change(
    rng: np.random.Generator, key: int, meter: Meter, clefs: tuple[str, ...]
) -> tuple[int, Meter, tuple[str, ...]]:
    """Change the key, the meter or one clef."""
    kind = int(rng.integers(3))
    if kind == 0:
        return int(np.clip(key + rng.choice((-3, -2, -1, 1, 2, 3)), -6, 6)), meter, clefs
    if kind == 1:
        return key, _weighted(rng, _METERS[:7]), clefs
    staff = int(rng.integers(len(clefs)))
    others = {"G2": ("F4",), "F4": ("G2", "C4"), "C3": ("G2",), "C4": ("F4",)}.get(clefs[staff], (clefs[staff],))
    return key, meter, (*clefs[:staff], str(rng.choice(others)), *clefs[staff + 1 :])


def _end(rng: np.random.Generator, style: Style, bars: tuple[Bar, ...]) -> str:
    repeats = [bar.line for bar in bars if bar.line in ("!|:", ":|!")]
    if repeats[-1:] == ["!|:"] or rng.random() < style.repeats / 3:
        return ":|!"
    return str(rng.choice(("=", "", "||"), p=(0.75, 0.2, 0.05)))


# -- rhythm

Part = list[list[list[Event]]]  # bars of voices of events


def _rhythms(rng: np.random.Generator, style: Style, frames: list[Bar], staff: int) -> Part:
    """Fill every bar of a staff; sometimes a bar repeats the rhythm of the one before."""
    melody = staff == len(style.clefs) - 1
    calm = float(rng.uniform(0, 0.5) if melody else rng.uniform(0.2, 1))
    level = style.level if melody else max(0, style.level - int(rng.integers(0, 2)))
    taste = Taste(level, calm, 0.02 if melody else 0.06, style.beams)
    quiet = Taste(min(level, 1), 1.0, 0.0, style.beams)  # of the second voice
    out: Part = []
    for index, frame in enumerate(frames):
        length = frame.meter.length
        if style.pickup and index == 0:
            length = _upbeat(frame.meter)
        # Two silent bars in a row would be engraved as one long rest with a number.
        silent = bool(out) and all(event.rest for voice in out[-1] for event in voice)
        if index > 1 and not silent and rng.random() < 0.35 and frame.meter == frames[index - 1].meter:
            out.append([list(voice) for voice in out[-1]])
            continue
        voices = [list(fill(rng, frame.meter, length, replace(taste, rest=0.0) if silent else taste))]
        if length == frame.meter.length and rng.random() < style.second_voice:
            voices.append(list(fill(rng, frame.meter, length, quiet)))
        out.append(voices)
    last = held(frames[-1].meter.length)
    if last is not None and rng.random() < 0.3:
        out[-1] = [[last]]
    return out


def _upbeat(meter: Meter) -> Fraction:
    return Fraction(3, 8) if meter.unit == 8 and meter.count > 3 else Fraction(1, max(4, meter.unit))


# -- pitches and signs


def _pitched(rng: np.random.Generator, style: Style, frames: list[Bar], staff: int, part: Part) -> Part:
    """Give every note a pitch, then ties, slurs, marks and grace notes along each voice."""
    for voice in range(2):
        walk: int | None = None
        for bar, frame in zip(part, frames, strict=True):
            if voice >= len(bar):
                continue
            low = CLEFS[frame.clefs[staff]]
            span = (low - 3, low + 11) if len(bar) == 1 else (low + 3, low + 12) if voice == 0 else (low - 4, low + 5)
            chords = style.chords if len(bar) == 1 else style.chords * 0.3
            walk = _walk(rng, bar[voice], span, walk, chords, style.chromatic, key_alters(frame.key))
        for stretch in _stretches(part, voice):
            _tie(rng, part, voice, stretch, style.ties)
            _slur(rng, part, voice, stretch, style.slurs)
        for bar, frame in zip(part, frames, strict=True):
            if voice < len(bar):
                bar[voice] = _adorned(rng, bar[voice], style, key_alters(frame.key))
    return part


def _walk(
    rng: np.random.Generator,
    events: list[Event],
    span: tuple[int, int],
    at: int | None,
    chords: float,
    chromatic: float,
    key: tuple[int, ...],
) -> int:
    """Walk a melody through a bar in small steps, turning at the edges of the staff; give the last position."""
    place = at if at is not None else int(rng.integers(span[0] + 3, span[1] - 2))
    for i, event in enumerate(events):
        if event.rest:
            continue
        place += int(rng.choice(_STEPS)) * int(rng.choice((1, -1)))
        place = min(max(place, span[0]), span[1])
        places = {place}
        if rng.random() < chords:
            gaps = ((2,), (3,), (4,), (5,), (7,), (2, 4), (3, 5), (2, 5), (2, 4, 7), (3, 5, 7))
            # The last gaps are triads and octaves; a chord hangs below its melody note.
            places |= {place - g for g in gaps[int(rng.integers(len(gaps)))] if place - g >= span[0] - 2}
        events[i] = replace(event, pitches=tuple(sorted(_altered(rng, p, key, chromatic) for p in places)))
    return place


def _altered(rng: np.random.Generator, position: int, key: tuple[int, ...], chromatic: float) -> Pitch:
    alter = key[position % 7]
    if rng.random() < chromatic:
        alter += int(rng.choice((-1, 1)))
        # Double signs are rare in print; most of those that luck proposes are taken back.
        if abs(alter) > 1 and rng.random() < 0.8:
            alter = 0
    return Pitch(position, alter)


def _stretches(part: Part, voice: int) -> list[list[tuple[int, int]]]:
    """List the events (bar, index) of a voice, cut where the voice pauses for a bar."""
    out: list[list[tuple[int, int]]] = [[]]
    for b, bar in enumerate(part):
        if voice < len(bar) and (not out[-1] or len(part[b - 1]) == len(bar)):
            out[-1] += [(b, i) for i in range(len(bar[voice]))]
        elif voice < len(bar):
            out.append([(b, i) for i in range(len(bar[voice]))])
        elif out[-1]:
            out.append([])
    return [stretch for stretch in out if stretch]


def _tie(rng: np.random.Generator, part: Part, voice: int, places: list[tuple[int, int]], chance: float) -> None:
    """Tie some notes or chords to the next event, which takes over their pitches."""
    for (b, i), (c, j) in pairwise(places):
        first, second = part[b][voice][i], part[c][voice][j]
        # Ties over the barline are the common ones.
        if first.rest or second.rest or rng.random() > chance * (3 if b != c else 1):
            continue
        count = len(first.pitches)
        part[b][voice][i] = replace(first, ties=tuple("_" if t else "[" for t in first.ties or ("",) * count))
        part[c][voice][j] = replace(second, pitches=first.pitches, ties=("]",) * count)


def _slur(rng: np.random.Generator, part: Part, voice: int, places: list[tuple[int, int]], chance: float) -> None:
    """Slur some stretches of two to eight notes; they do not overlap."""
    k = 0
    while k < len(places):
        length = int(rng.choice((2, 2, 3, 4, 4, 6, 8)))
        events = [part[b][voice][i] for b, i in places[k : k + length]]
        bad = len(events) < length or any(e.rest for e in events) or events[0].ties or events[-1].ties
        if bad or rng.random() > chance:
            k += 1
            continue
        for (b, i), word in ((places[k], "("), (places[k + length - 1], ")")):
            part[b][voice][i] = replace(part[b][voice][i], slur=word)
        k += length


def _adorned(rng: np.random.Generator, events: list[Event], style: Style, key: tuple[int, ...]) -> list[Event]:
    """Add articulation, trills, fermatas and grace notes."""
    out: list[Event] = []
    for event in events:
        if event.rest or any(t in ("_", "]") for t in event.ties):
            out.append(event)
            continue
        marks = str(rng.choice(("'", "'", "^", "~", ";", "T"))) if rng.random() < style.marks else ""
        if marks == "T":
            marks = _trill(event, key)
        if rng.random() < style.graces:
            out += _graces(rng, event, key)
        out.append(replace(event, marks=marks))
    return out


def _trill(event: Event, key: tuple[int, ...]) -> str:
    """Write T for a whole-tone trill and t for a half-tone one, as the key has it; none where that would need a sign."""
    if len(event.pitches) > 1 or event.value > 8:
        return ""
    top = event.pitches[-1]
    natural = (0, 2, 4, 5, 7, 9, 11)
    upper = natural[(top.step + 1) % 7] + 12 * (top.step == 6) + key[(top.step + 1) % 7]
    return {1: "t", 2: "T"}.get(upper - natural[top.step] - top.alter, "")


def _graces(rng: np.random.Generator, event: Event, key: tuple[int, ...]) -> list[Event]:
    top = event.pitches[-1].position
    if rng.random() < 0.7:
        place = top + int(rng.choice((1, -1, 2)))
        return [Event((Pitch(place, key[place % 7]),), 8, grace=str(rng.choice(("q", "qq"))))]
    pair = [Event((Pitch(p, key[p % 7]),), 16, grace="qq") for p in (top - 1, top + 1)]
    return list(beamed(pair))


def voice_length(voice: Voice) -> Fraction:
    """Add up the durations of a voice in whole notes."""
    return sum((event.duration for event in voice), Fraction(0))
