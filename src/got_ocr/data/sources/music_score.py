"""The score tree of the music source: pitches, events, voices, bars. Durations are exact fractions of a whole note.

Holds values and the two facts that writer and composer share: how long an event lasts and which accidentals a key
writes before the first note. Knows no luck, no kern text and no picture.
"""

from dataclasses import dataclass
from fractions import Fraction

# Sharps in the order in which keys take them (F C G D A E B); flats go the other way.
_FIFTHS = (3, 0, 4, 1, 5, 2, 6)


@dataclass(frozen=True, slots=True, order=True)
class Pitch:
    """A sounding pitch. position: octave * 7 + step, with C4 (middle C) at 28. alter: -2 .. 2 half tones."""

    position: int
    alter: int = 0

    @property
    def step(self) -> int:
        """Number of the letter, C = 0 .. B = 6."""
        return self.position % 7

    @property
    def octave(self) -> int:
        """Octave number, middle C begins octave 4."""
        return self.position // 7


@dataclass(frozen=True, slots=True)
class Event:
    """A note, chord or rest (no pitches) of one voice.

    value: 1 whole, 2 half, 4 quarter ... dots: 0..2. tuplet: (3, 2) for three in the time of two. ties: one of "", "[",
    "_", "]" per pitch. beam: kern letters. slur: of "(" and ")". marks: kern letters of articulation. grace: "", "q"
    (struck through) or "qq"; grace notes take no time.
    """

    pitches: tuple[Pitch, ...]
    value: int
    dots: int = 0
    tuplet: tuple[int, int] = (1, 1)
    ties: tuple[str, ...] = ()
    beam: str = ""
    slur: str = ""
    marks: str = ""
    grace: str = ""

    @property
    def duration(self) -> Fraction:
        """Length in whole notes; zero for grace notes."""
        if self.grace:
            return Fraction(0)
        plain = Fraction(1, self.value)
        dotted = plain * (2 - Fraction(1, 2**self.dots))
        return dotted * Fraction(self.tuplet[1], self.tuplet[0])

    @property
    def rest(self) -> bool:
        """Whether it is silent."""
        return not self.pitches


Voice = tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature. sign: "" for figures, "c" or "c|" for the common signs."""

    count: int
    unit: int
    sign: str = ""

    @property
    def length(self) -> Fraction:
        """Length of a full bar in whole notes."""
        return Fraction(self.count, self.unit)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. staves: from the lowest staff up, each of one or two voices (upper voice first). clefs, key, meter: what
    stands at its start (of all staves). line: the barline before it, a kern word after the equals sign.
    """

    staves: tuple[tuple[Voice, ...], ...]
    clefs: tuple[str, ...]
    key: int
    meter: Meter
    line: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """A whole score. end: the last barline. pickup: whether the first bar is an upbeat."""

    bars: tuple[Bar, ...]
    end: str = "="
    pickup: bool = False


def key_alters(fifths: int) -> tuple[int, ...]:
    """Give the alteration of each letter C..B in a key of that many sharps (or flats, when negative)."""
    alters = [0] * 7
    for step in _FIFTHS[:fifths] if fifths >= 0 else _FIFTHS[fifths:]:
        alters[step] = 1 if fifths > 0 else -1
    return tuple(alters)


def key_word(fifths: int) -> str:
    """Write a key signature as kern does, such as *k[f#c#]."""
    steps = _FIFTHS[:fifths] if fifths >= 0 else _FIFTHS[::-1][:-fifths]
    return "*k[" + "".join("cdefgab"[s] + ("#" if fifths > 0 else "-") for s in steps) + "]"
