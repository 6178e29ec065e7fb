"""The one kern spelling of a score tree.

Holds the normal form: lowest staff first, unnumbered barlines, spines split only while a staff has two voices, every
pitch spelled as it sounds and a natural written exactly where the page shows one. Knows no luck and no picture.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby

from got_ocr.data.sources.music_score import Bar, Event, Meter, Pitch, Score, Voice, key_alters, key_word

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
            lines += _signature(before, bar, split) + ([_all(f"={bar.line}", split)] if bar.line else [])
        else:
            now = [len(s) for s in bar.staves]
            lines += _merged(split, now)
            split = [min(a, b) for a, b in zip(split, now, strict=True)]
            lines += [*_changed_clefs(before, bar, split), _all(f"={bar.line}", split), *_signature(before, bar, split)]
        lines += _split(split, [len(s) for s in bar.staves])
        split = [len(s) for s in bar.staves]
        lines += _rows(bar)
        before = bar
    lines += _merged(split, [1] * staves)
    return "\n".join([*lines, _all(f"={score.end}", [1] * staves), _all("*-", [1] * staves)])


def _all(word: str, split: list[int]) -> str:
    return "\t".join([word] * sum(split))


def _signature(before: Bar | None, bar: Bar, split: list[int]) -> list[str]:
    out = []
    if before is None:
        out.append("\t".join(f"*clef{clef}" for clef in bar.clefs))
    if before is None or before.key != bar.key:
        out.append(_all(key_word(bar.key), split))
    if before is None or before.meter != bar.meter:
        out += [_all(word, split) for word in _meter(bar.meter)]
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


def _split(old: list[int], new: list[int]) -> list[str]:
    """Write the line that opens second voices."""
    if all(a >= b for a, b in zip(old, new, strict=True)):
        return []
    words = []
    for a, b in zip(old, new, strict=True):
        words += ["*^"] if a < b else ["*"] * a
    return ["\t".join(words)]


def _merged(old: list[int], new: list[int]) -> list[str]:
    """Write the lines that close second voices, one staff at a time: neighbours would melt together."""
    out, now = [], list(old)
    for staff, (a, b) in enumerate(zip(old, new, strict=True)):
        if a > b:
            words = []
            for other, count in enumerate(now):
                words += ["*v", "*v"] if other == staff else ["*"] * count
            out.append("\t".join(words))
            now[staff] = 1
    return out


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
