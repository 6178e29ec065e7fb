"""The one kern spelling of a score tree.

Holds the normal form: lowest staff first, unnumbered barlines, spines split only while a staff has two voices, every
pitch spelled as it sounds and a natural written exactly where the page shows one. Knows no luck and no picture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

from got_ocr.data.sources.music_score import Bar, Event, Meter, Pitch, Score, Voice, key_alters, key_word
from got_ocr.music.spines import every, merged
from got_ocr.music.spines import split as opened

_BEGIN = "!|:"
_Signs = dict[tuple[int, int, int, int], bool]  # (staff, voice, event, pitch) of one bar -> the page shows a sign
_Timed = tuple[tuple[Fraction, int], int, int, Event]  # (onset, 0 for graces), voice, index, event


def kern(score: Score) -> str:
    """Write a score as Humdrum **kern, one line for each moment, ending without a newline."""
    staves = len(score.bars[0].staves)
    lines = ["\t".join(["**kern"] * staves)]
    before: Bar | None = None
    split = [1] * staves
    for bar in score.bars:
        if before is None:
            lines += _signature(before, bar, split) + ([every(f"={bar.line}", split)] if bar.line else [])
        else:
            now = [len(s) for s in bar.staves]
            lines += merged(split, now)
            split = [min(a, b) for a, b in zip(split, now, strict=True)]
            lines += [
                *_changed_clefs(before, bar, split),
                every(f"={bar.line}", split),
                *_signature(before, bar, split),
            ]
        lines += opened(split, [len(s) for s in bar.staves])
        split = [len(s) for s in bar.staves]
        lines += _rows(bar)
        before = bar
    lines += merged(split, [1] * staves)
    return "\n".join([*lines, every(f"={score.end}", [1] * staves), every("*-", [1] * staves)])


def parts(score: Score, systems: Sequence[int]) -> list[list[str]]:
    """Write each staff of each system by itself, from the top. systems: how many bars each has.

    What is drawn is written: clef and key at the start of each system, the meter where it is new, a repeat that begins at the start of
    its system and any other barline at the end of the one before.
    """
    out, first = [], 0
    for count in systems:
        bars, following = score.bars[first : first + count], score.bars[first + count : first + count + 1]
        end = ("" if following[0].line == _BEGIN else following[0].line) if following else score.end
        line = bars[0].line if first == 0 or bars[0].line == _BEGIN else ""
        told = first == 0 or score.bars[first - 1].meter != bars[0].meter
        out.append([_part(bars, staff, line, end, told) for staff in reversed(range(len(bars[0].staves)))])
        first += count
    return out


def _part(bars: Sequence[Bar], staff: int, line: str, end: str, told: bool) -> str:
    """Write one staff of some bars. told: the meter is drawn at their start."""
    alone = [replace(bar, staves=(bar.staves[staff],), clefs=(bar.clefs[staff],)) for bar in bars]
    alone[0] = replace(alone[0], line=line)
    lines = kern(Score(tuple(alone), end)).split("\n")[1:-1]
    meter = _meter(bars[0].meter)
    return "\n".join(lines[:2] + lines[2 + (0 if told else len(meter)) :])


def _signature(before: Bar | None, bar: Bar, split: list[int]) -> list[str]:
    out = []
    if before is None:
        out.append("\t".join(f"*clef{clef}" for clef in bar.clefs))
    if before is None or before.key != bar.key:
        out.append(every(key_word(bar.key), split))
    if before is None or before.meter != bar.meter:
        out += [every(word, split) for word in _meter(bar.meter)]
    return out


def _meter(meter: Meter) -> list[str]:
    return [f"*M{meter.count}/{meter.unit}", *([f"*met({meter.sign})"] if meter.sign else [])]


def _changed_clefs(before: Bar, bar: Bar, split: list[int]) -> list[str]:
    if before.clefs == bar.clefs:
        return []
    words = []
    for old, new, count in zip(before.clefs, bar.clefs, split, strict=True):
        words += [f"*clef{new}" if old != new else "*"] * count
    return ["\t".join(words)]


def _rows(bar: Bar) -> Iterator[str]:
    """Write the notes: a row for each moment, grace notes in rows of their own before it."""
    shown = signs(bar)
    columns = []
    for s, voices in enumerate(bar.staves):
        for v, voice in enumerate(voices):
            columns.append(_column(voice, shown, (s, v)))
    moments = sorted({moment for column in columns for moment in column})
    for moment in moments:
        yield "\t".join(column.get(moment, ".") for column in columns)


def _column(voice: Voice, shown: _Signs, at: tuple[int, int]) -> dict[tuple[Fraction, int], str]:
    """Place the words of a voice in time: (onset, order), where graces count up to -1 and notes are 0."""
    out: dict[tuple[Fraction, int], str] = {}
    onset, graces = Fraction(0), 0
    for index, event in enumerate(voice):
        if event.grace:
            graces += 1
            continue
        for k in range(graces + 1):
            place = index - graces + k
            told = voice[place]
            out[onset, k - graces] = word(told, [shown[(*at, place, p)] for p in range(len(told.pitches))])
        graces = 0
        onset += event.duration
    return out


def word(event: Event, shown: list[bool]) -> str:
    """Write one event; slurs, beams and marks go with the first note of a chord."""
    number = str(event.value * event.tuplet[0] // event.tuplet[1]) + "." * event.dots
    if event.rest:
        return f"{number}r{event.marks}"
    ties = event.ties or ("",) * len(event.pitches)
    notes = []
    for i, (pitch, tie, sign) in enumerate(zip(event.pitches, ties, shown, strict=True)):
        head = event.slur.count("(") * "(" if i == 0 else ""
        tail = event.slur.count(")") * ")" if i == 0 else ""
        extra = event.marks + event.beam if i == 0 else ""
        opened, closed = (tie, "") if tie == "[" else ("", tie)
        notes.append(f"{head}{opened}{number}{spelled(pitch, sign)}{event.grace}{extra}{closed}{tail}")
    return " ".join(notes)


def spelled(pitch: Pitch, sign: bool) -> str:
    """Write a pitch: c is middle C, cc an octave up, C an octave down; n only where the page shows a natural."""
    letter = "cdefgab"[pitch.step]
    name = letter * (pitch.octave - 3) if pitch.octave >= 4 else letter.upper() * (4 - pitch.octave)
    return name + ("#" * pitch.alter if pitch.alter > 0 else "-" * -pitch.alter or ("n" if sign else ""))


def signs(bar: Bar) -> _Signs:
    """Tell for every pitch of a bar whether the page shows an accidental before it.

    A sign holds for its line or space until the bar ends, in all voices of the staff. A note tied over from the last bar
    shows none, and leaves doubt: the next note on its line says what it is.
    """
    shown: _Signs = {}
    key = key_alters(bar.key)
    for s, voices in enumerate(bar.staves):
        before: dict[int, int | None] = {}
        # Unisons of two voices both show their sign, so a note also looks at what stood before its moment.
        for _, moment in groupby(sorted(_timed(voices), key=lambda row: row[:3]), key=lambda row: row[0]):
            after = dict(before)
            for _, v, e, event in moment:
                ties = event.ties or ("",) * len(event.pitches)
                for p, (pitch, tie) in enumerate(zip(event.pitches, ties, strict=True)):
                    place, plain = pitch.position, key[pitch.step]
                    differs = pitch.alter != before.get(place, plain) or pitch.alter != after.get(place, plain)
                    held = tie in ("_", "]")
                    shown[s, v, e, p] = differs and not held
                    if differs:
                        after[place] = None if held else pitch.alter
            before = after
    return shown


def _timed(voices: tuple[Voice, ...]) -> Iterator[_Timed]:
    for v, voice in enumerate(voices):
        onset = Fraction(0)
        for e, event in enumerate(voice):
            yield (onset, 0 if event.grace else 1), v, e, event
            onset += event.duration
