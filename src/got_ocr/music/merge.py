"""The kern of single staves, system by system -> the kern of the score. Knows no picture.

Each staff of a system is one text: clef and key as drawn at its start, the meter where it is drawn, notes in rows (two voices side by
side between `*^` and `*v`), barlines. Staves are laid beside each other by the time at which their notes begin. Text that is no kern
is kept as far as it goes; nothing raises.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from got_ocr.music.spines import every, merged, split

Moment = tuple[Fraction, int]  # when, in whole notes from the barline; below 0: so many grace notes before that

_LENGTH = re.compile(r"(\d+)(\.*)")


@dataclass(slots=True)
class Measure:
    """One bar of one staff. signs: clef, key, meter that stand at its start. line: the barline behind it, without the sign =."""

    signs: list[str] = field(default_factory=list)
    rows: dict[Moment, list[str]] = field(default_factory=dict)
    voices: int = 1
    line: str | None = None


@dataclass(slots=True)
class Staff:
    """The bars of one staff of one system. start: the barline that it begins with, if any is drawn."""

    measures: list[Measure]
    start: str = ""


def score(systems: Sequence[Sequence[str]]) -> str:
    """Put staves together. systems: from the top, each with the texts of its staves from the top. No system gives no text."""
    count = max((len(system) for system in systems), default=0)
    if not count:
        return ""
    bars: list[list[Measure]] = []  # each of all staves, the lowest first
    starts: list[str] = []  # what the barline before each says beyond the one behind the bar before
    for system in systems:
        staves = [read_staff(text) for text in reversed(system)]
        staves += [Staff([])] * (count - len(staves))
        for index in range(max(len(staff.measures) for staff in staves)):
            bars.append([s.measures[index] if index < len(s.measures) else Measure() for s in staves])
            starts.append(_common([s.start for s in staves]) if index == 0 else "")
    return "\n".join(_write(bars, starts, count))


def _write(bars: Sequence[Sequence[Measure]], starts: Sequence[str], count: int) -> list[str]:
    lines = [every("**kern", [1] * count)]
    voices, clefs, told = [1] * count, [""] * count, {"*k": "", "*M": "", "*met": ""}
    for index, bar in enumerate(bars):
        now = [measure.voices for measure in bar]
        changed = [_sign(measure, "*clef") or clef for measure, clef in zip(bar, clefs, strict=True)]
        if index:
            lines += merged(voices, now)
            voices = [min(a, b) for a, b in zip(voices, now, strict=True)]
            lines += _clefs(clefs, changed, voices)
            behind = _common([m.line for m in bars[index - 1] if m.line is not None])
            lines.append(every("=" + (behind or starts[index]), voices))
        else:
            lines.append("\t".join(clef or "*" for clef in changed))
        clefs = changed
        for kind in told:
            sign = _common([_sign(measure, kind) for measure in bar])
            if sign and sign != told[kind]:
                lines.append(every(sign, voices))
                told[kind] = sign
        if not index and starts[0]:
            lines.append(every("=" + starts[0], voices))
        lines += split(voices, now)
        voices = now
        lines += _rows(bar)
    lines += merged(voices, [1] * count)
    end = _common([m.line for m in bars[-1] if m.line is not None]) if bars else ""
    return [*lines, every("=" + end, [1] * count), every("*-", [1] * count)]


def _clefs(old: Sequence[str], new: Sequence[str], voices: Sequence[int]) -> list[str]:
    if list(old) == list(new):
        return []
    return ["\t".join(b if a != b else "*" for a, b, n in zip(old, new, voices, strict=True) for _ in range(n))]


def _rows(bar: Sequence[Measure]) -> list[str]:
    """Lay the staves of a bar beside each other."""
    moments = sorted({moment for measure in bar for moment in measure.rows})
    return ["\t".join("\t".join(m.rows.get(moment, ["."] * m.voices)) for m in bar) for moment in moments]


def _sign(measure: Measure, kind: str) -> str:
    """Find the last sign of a kind (`*k` also begins no other word; `*M` is not `*met`)."""
    return next((sign for sign in reversed(measure.signs) if sign.startswith(kind)), "")


def _common(words: Sequence[str]) -> str:
    """Take what most staves say; of several the longest, and the first in the alphabet."""
    return max(sorted(set(words)), key=lambda word: (words.count(word), len(word)), default="")


def read_staff(text: str) -> Staff:
    """Read the kern of one staff of one system."""
    staff, measure, signs = Staff([]), Measure(), list[str]()
    clocks, graces, voices = [Fraction(0)], list[list[str]](), 1
    for line in text.split("\n"):
        words = line.rstrip("\t").split("\t")
        if line.startswith("="):
            _put(measure, max(clocks), graces)
            if measure.rows or staff.measures:
                measure.line = words[0][1:]
                staff.measures.append(measure)
                measure, signs = Measure(signs, voices=voices), []
            else:
                staff.start = words[0][1:]
            clocks, graces = [Fraction(0)] * voices, []
        elif "*^" in words or "*v" in words:
            voices = 1 + ("*^" in words)
            measure.voices = max(measure.voices, voices) if measure.rows else voices
            clocks = [max(clocks)] * voices
        elif line.startswith("*"):
            # A clef that changes is written before the barline behind which it counts.
            (signs if measure.rows else measure.signs).extend(word for word in words if word not in ("*", "*-"))
        elif line.strip():
            words = (words + ["."] * voices)[:voices]
            if all("q" in word for word in words if word != "."):
                graces.append(words)
                continue
            onset = max((clock for word, clock in zip(words, clocks, strict=True) if word != "."), default=max(clocks))
            _put(measure, onset, graces)
            measure.rows[onset, 0] = words
            graces = []
            clocks = [clock if w == "." else onset + _length(w) for w, clock in zip(words, clocks, strict=True)]
    if measure.rows:
        staff.measures.append(measure)
    return staff


def _put(measure: Measure, onset: Fraction, graces: Sequence[list[str]]) -> None:
    """Place the grace notes before a moment."""
    for place, grace in enumerate(graces):
        measure.rows[onset, place - len(graces)] = grace


def _length(word: str) -> Fraction:
    """Read how long the first note of a word lasts, in whole notes; none where it says no number."""
    found = _LENGTH.search(word)
    if found is None or int(found[1]) == 0:
        return Fraction(0)
    return Fraction(1, int(found[1])) * (2 - Fraction(1, 2 ** min(len(found[2]), 3)))
