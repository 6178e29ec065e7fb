"""Rhythms: how a bar is filled so that it adds up exactly, and how its notes are beamed.

Holds a vocabulary of cells (a beat or several), written as short words: `8` an eighth, `4.` a dotted quarter, `r8` a
rest, `t8` a triplet, `s16` one of six, `q16` one of five. Knows no pitch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from got_ocr.data.sources.music_score import Event, Meter, Pitch, Voice

_TUPLETS = {"t": (3, 2), "s": (6, 4), "q": (5, 4)}
_SOUND = Pitch(35)  # stands for any pitch until the composer chooses one

# (length in quarters, difficulty 0..3, weight, words); every cell is one beam group.
_SIMPLE = (
    (1, 0, 6, "4"), (1, 0, 5, "8 8"), (1, 1, 1, "r4"), (1, 1, 2, "8. 16"), (1, 1, 2, "16 16 16 16"),
    (1, 1, 1, "8 16 16"), (1, 1, 1, "16 16 8"), (1, 1, 0.7, "r8 8"), (1, 1, 0.5, "8 r8"), (1, 2, 0.6, "16 8 16"),
    (1, 2, 0.4, "16 8."), (1, 2, 1, "t8 t8 t8"), (1, 2, 0.4, "t4 t8"), (1, 2, 0.2, "t8 t4"), (1, 2, 0.3, "r8 16 16"),
    (1, 2, 0.3, "8 r16 16"), (1, 2, 0.2, "rt8 t8 t8"), (1, 3, 0.3, "32 32 32 32 32 32 32 32"),
    (1, 3, 0.3, "8 32 32 32 32"), (1, 3, 0.2, "16. 32 16. 32"), (1, 3, 0.2, "8.. 32"),
    (1, 3, 0.3, "s16 s16 s16 s16 s16 s16"), (1, 3, 0.15, "q16 q16 q16 q16 q16"), (1, 3, 0.2, "16 32 32 8"),
    (2, 0, 3, "2"), (2, 0, 2, "4. 8"), (2, 0, 2, "8 8 8 8"), (2, 1, 1, "8 4 8"), (2, 1, 0.6, "8 4."),
    (2, 1, 0.5, "r2"), (2, 2, 0.4, "t4 t4 t4"), (2, 1, 0.4, "4. 16 16"), (2, 3, 0.2, "4.. 16"),
    (2, 2, 0.3, "r8 8 8 8"), (3, 0, 1.5, "2."), (3, 1, 0.4, "4. 4."), (3, 0, 0.8, "8 8 8 8 8 8"), (4, 0, 1.2, "1"),
    (4, 1, 0.5, "2. 4"), (4, 2, 0.3, "4 2 4"), (4, 2, 0.1, "t2 t2 t2"),
)  # fmt: skip
_COMPOUND = (
    (1.5, 0, 5, "4."), (1.5, 0, 6, "8 8 8"), (1.5, 0, 4, "4 8"), (1.5, 1, 1, "8 4"), (1.5, 1, 1.5, "8. 16 8"),
    (1.5, 1, 0.8, "r4."), (1.5, 1, 0.7, "r4 8"), (1.5, 1, 0.6, "8 r8 8"), (1.5, 1, 0.5, "r8 8 8"),
    (1.5, 2, 1, "16 16 16 16 16 16"), (1.5, 1, 0.8, "4 16 16"), (1.5, 1, 0.7, "8 8 16 16"),
    (1.5, 2, 0.5, "8 16 16 8"), (1.5, 2, 0.3, "16 16 8 8"), (1.5, 3, 0.2, "8. 32 32 8"), (3, 0, 2, "2."),
    (3, 1, 0.5, "4. 8 8 8"), (3, 2, 0.2, "2 4"),
)  # fmt: skip


_Beat = tuple[Fraction, Fraction]  # onset and length, in whole notes


@dataclass(frozen=True, slots=True)
class Taste:
    """What a voice likes. level: hardest cells, 0..3. calm: preference for long values, 0..1. rest: chance of a silent
    bar. beams: False writes flags, as old vocal music does.
    """

    level: int = 1
    calm: float = 0.3
    rest: float = 0.03
    beams: bool = True


def fill(rng: np.random.Generator, meter: Meter, length: Fraction, taste: Taste) -> Voice:
    """Fill `length` (a full bar of `meter`, or an upbeat) with events of undecided pitch."""
    whole = silence(length)
    if length == meter.length and whole is not None and rng.random() < taste.rest:
        return (whole,)
    out: list[Event] = []
    done = Fraction(0)
    beats = _beats(rng, meter, length)
    even = len({size for _, size in beats}) == 1
    for beat in beats:
        if beat[0] < done:
            continue
        cell = _choose(rng, beat, length - done, even, taste)
        out += cell
        done += sum((e.duration for e in cell), Fraction(0))
    if not taste.beams:
        out = [replace(e, beam="") for e in out]
    return tuple(out)


def silence(length: Fraction) -> Event | None:
    """Give the one rest of that length; None when no single sign has it."""
    for value in (1, 2, 4, 8, 16):
        for dots in (0, 1):
            rest = Event((), value, dots)
            if rest.duration == length:
                return rest
    return None


def held(length: Fraction) -> Event | None:
    """Give the one note of that length, if a single sign has it."""
    rest = silence(length)
    return None if rest is None else replace(rest, pitches=(_SOUND,))


def _beats(rng: np.random.Generator, meter: Meter, length: Fraction) -> list[_Beat]:
    """Cut a bar into beats (onset, length): quarters, dotted quarters, or a mixture for uneven meters."""
    quarter, dotted = Fraction(1, 4), Fraction(3, 8)
    if meter.unit == 8 and meter.count % 3 == 0:
        sizes = [dotted] * 8
    elif meter.unit == 8:
        sizes = [dotted, quarter] if meter.count == 5 else [quarter, quarter, dotted]
        sizes = [sizes[int(i)] for i in rng.permutation(len(sizes))]
    else:
        sizes = [quarter] * 12
    out, at = [], Fraction(0)
    for size in sizes:
        size = min(size, length - at)
        if size <= 0:
            break
        out.append((at, size))
        at += size
    return out


def _choose(rng: np.random.Generator, beat: _Beat, room: Fraction, even: bool, taste: Taste) -> list[Event]:
    """Choose a cell for a beat; it may run on over further beats where all beats are alike and the bar has room."""
    onset, size = beat
    dotted = size == Fraction(3, 8)
    words, weights = [], []
    for quarters, level, weight, text in _COMPOUND if dotted else _SIMPLE:
        length = Fraction(quarters) / 4
        # Long cells start on strong beats only.
        strong = even and length <= room and (dotted or onset % min(length, Fraction(1, 2)) == 0)
        if level <= taste.level and (length <= size or strong):
            words.append(text)
            weights.append(weight if text.startswith("r") else weight * (1 + taste.calm * (2 * quarters - 1)))
    if not words:
        note = held(size)
        return [note] if note is not None else [Event((_SOUND,), 8)] * int(size * 8)
    return list(_cell(words[int(rng.choice(len(words), p=np.array(weights) / sum(weights)))]))


@lru_cache(maxsize=256)
def _cell(words: str) -> tuple[Event, ...]:
    events = []
    for text in words.split():
        rest = text.startswith("r")
        body = text[1:] if rest else text
        tuplet = _TUPLETS.get(body[0], (1, 1))
        body = body.lstrip("tsq")
        events.append(Event(() if rest else (_SOUND,), int(body.rstrip(".")), body.count("."), tuplet))
    return beamed(tuple(events))


def beamed(events: Sequence[Event]) -> Voice:
    """Beam neighbouring notes shorter than a quarter; each stretch without rests and longer notes is one group."""
    out: list[Event] = []
    run: list[Event] = []
    for event in events:
        if event.rest or _flags(event) == 0:
            out += [*_beam(run), event]
            run = []
        else:
            run.append(event)
    return (*out, *_beam(run))


def _flags(event: Event) -> int:
    return max(0, event.value.bit_length() - 3)


def _beam(run: list[Event]) -> list[Event]:
    """Write kern's beam letters: L opens and J closes one beam, K and k are stubs to the right and to the left."""
    if len(run) < 2:
        return run
    letters = [""] * len(run)
    flags = [_flags(e) for e in run]
    for level in range(1, max(flags) + 1):
        start = None
        for i in range(len(run) + 1):
            inside = i < len(run) and flags[i] >= level
            if inside and start is None:
                start = i
            elif not inside and start is not None:
                if i - start >= 2:
                    letters[start] += "L"
                    letters[i - 1] += "J"
                else:
                    letters[start] += "K" if start == 0 else "k"
                start = None
    return [replace(e, beam=text) for e, text in zip(run, letters, strict=True)]
