"""Sheet music: bars add up, the engraver takes every label, and it engraves exactly what the label says."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from got_ocr.data.sources import music_engrave
from got_ocr.data.sources.music import MusicSource
from got_ocr.data.sources.music_compose import compose, new_style, voice_length
from got_ocr.data.sources.music_kern import kern, signs, spelled
from got_ocr.data.sources.music_rhythm import Taste, beamed, fill
from got_ocr.data.sources.music_score import Bar, Event, Meter, Pitch, Score, key_word
from got_ocr.errors import InvalidValue

pytest.importorskip("verovio", reason="verovio is not installed")


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def score(seed: int, notes: int = 90) -> Score:
    generator = rng(7, seed)
    return compose(generator, new_style(generator, (2, 9), notes))


def test_the_same_seed_gives_the_same_bytes() -> None:
    source = MusicSource(bars=(2, 4))
    for seed in range(4):
        first, second = source(rng(seed)), source(rng(seed))
        assert first.target == second.target
        assert first.images[0].tobytes() == second.images[0].tobytes()
    assert len({source(rng(seed)).target for seed in range(8)}) == 8


def read_bars(text: str) -> list[list[Fraction]]:
    """Add up every spine between barlines, straight from the text (a second opinion on the composer's arithmetic)."""
    bars: list[list[Fraction]] = []
    sums: list[Fraction] = []
    for line in text.split("\n"):
        fields = line.split("\t")
        if line.startswith("**"):
            sums = [Fraction(0)] * len(fields)
        elif line.startswith("="):
            bars.append(sums)
            sums = [Fraction(0)] * len(fields)
        elif "*^" in fields:
            sums = [s for s, f in zip(sums, fields, strict=True) for _ in range(2 if f == "*^" else 1)]
        elif "*v" in fields:
            first = fields.index("*v")
            assert fields.count("*v") == 2
            assert fields[first + 1] == "*v"
            assert sums[first] == sums[first + 1]
            del sums[first + 1]
        elif not line.startswith("*"):
            assert len(fields) == len(sums)
            sums = [s + duration(f) for s, f in zip(sums, fields, strict=True)]
    assert not any(sums)
    return bars


def duration(field: str) -> Fraction:
    if field == "." or "q" in field:
        return Fraction(0)
    number, dots = re.match(r"[(\[]*(\d+)(\.*)", field).groups()  # type: ignore[union-attr]
    return Fraction(1, int(number)) * (2 - Fraction(1, 2 ** len(dots)))


def test_every_bar_of_the_text_adds_up() -> None:
    for seed in range(60):
        music = score(seed)
        bars = [bar for bar in read_bars(kern(music)) if any(bar)]
        assert len(bars) == len(music.bars)
        for index, (sums, bar) in enumerate(zip(bars, music.bars, strict=True)):
            assert len(set(sums)) == 1
            if index or not music.pickup:
                assert sums[0] == bar.meter.length
            else:
                assert sums[0] < bar.meter.length


@pytest.mark.parametrize(
    "meter", [Meter(4, 4), Meter(3, 8), Meter(5, 8), Meter(7, 8), Meter(5, 4), Meter(12, 8), Meter(3, 2)]
)
def test_bars_of_every_meter_are_full(meter: Meter) -> None:
    for seed in range(40):
        voice = fill(rng(seed), meter, meter.length, Taste(level=seed % 4, calm=seed % 3 / 2))
        assert voice_length(voice) == meter.length


def expected(music: Score) -> Counter[str]:
    """Count in the tree what a page should show."""
    out: Counter[str] = Counter(measure=len(music.bars))
    for bar in music.bars:
        out["accid"] += sum(signs(bar).values())
        for voice in (voice for staff in bar.staves for voice in staff):
            out["beam"] += beams([e for e in voice if not e.grace]) + sum("L" in e.beam for e in voice if e.grace)
            for event in voice:
                out["note"] += len(event.pitches)
                out["rest"] += event.rest
                out["tie"] += sum(t in ("]", "_") for t in event.ties)
                out["slur"] += event.slur == "("
                out["trill"] += event.marks in ("t", "T")
                out["fermata"] += event.marks == ";"
                out["artic"] += event.marks in ("'", "^", "~")
                out["grace"] += bool(event.grace)
    return out


def beams(voice: list[Event]) -> int:
    groups = level = 0
    for event in voice:
        groups += level == 0 and "L" in event.beam
        level += event.beam.count("L") - event.beam.count("J")
        assert level >= 0
    assert level == 0
    return groups


def engraved(text: str) -> Counter[str]:
    """Count in the engraver's own encoding what it is about to draw."""
    assert music_engrave.engrave_svg(text, music_engrave.Look()) is not None
    out: Counter[str] = Counter()
    for element in ET.fromstring(str(music_engrave.toolkit().getMEI())).iter():  # noqa: S314 the engraver's own
        tag = element.tag.split("}")[1]
        out["rest" if tag == "mRest" else tag] += tag not in ("accid", "artic")
        out["accid"] += element.get("accid") is not None
        out["artic"] += element.get("artic") is not None
        out["grace"] += element.get("grace") is not None
    return out


def test_the_page_shows_what_the_label_says() -> None:
    for seed in range(60):
        music = score(seed)
        want = expected(music)
        got = engraved(kern(music))
        assert {name: got[name] for name in want} == dict(want), seed


def test_the_engraver_is_silent_and_uses_no_text(capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(25):
        assert music_engrave.engrave_svg(kern(score(seed)), music_engrave.new_look(rng(seed))) is not None
    assert capfd.readouterr() == ("", "")


def test_the_common_time_sign_is_drawn() -> None:
    bar = Bar((((Event((Pitch(35),), 1),),),), ("G2",), 0, Meter(4, 4, "c"))
    text = kern(Score((bar,)))
    assert "*M4/4\n*met(c)\n" in text
    signed = music_engrave.engrave_svg(text, music_engrave.Look())
    without = music_engrave.engrave_svg(text.replace("*M4/4\n", "").replace("*met(c)\n", ""), music_engrave.Look())
    assert signed is not None
    assert without is not None
    assert "E08A" in signed  # the glyph of common time in every music font
    assert "E08A" not in without


def test_pictures_keep_their_ink_inside() -> None:
    for seed in range(8):
        image = MusicSource(bars=(2, 5), clean_fraction=1.0)(rng(1, seed)).images[0]
        dark = np.asarray(image).min(axis=2) < 128
        assert image.mode == "RGB"
        assert 0.002 < dark.mean() < 0.3
        assert not np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]]).any()


def test_spelling() -> None:
    assert [spelled(Pitch(28 + 7 * k), False) for k in (-2, -1, 0, 1, 2)] == ["CC", "C", "c", "cc", "ccc"]
    assert [spelled(Pitch(31, a), True) for a in (-2, -1, 0, 1, 2)] == ["f--", "f-", "fn", "f#", "f##"]
    assert [key_word(k) for k in (0, 2, -3)] == ["*k[]", "*k[f#c#]", "*k[b-e-a-]"]


def test_beams_follow_the_flags() -> None:
    def letters(*values: tuple[int, int]) -> list[str]:
        return [e.beam for e in beamed([Event((Pitch(30),), value, dots) for value, dots in values])]

    assert letters((8, 0), (8, 0)) == ["L", "J"]
    assert letters((8, 1), (16, 0)) == ["L", "Jk"]
    assert letters((16, 0), (8, 1)) == ["LK", "J"]
    assert letters((8, 0), (16, 0), (16, 0)) == ["L", "L", "JJ"]
    assert letters((8, 0), (4, 0), (8, 0)) == ["", "", ""]


def test_a_natural_is_written_where_the_page_shows_one() -> None:
    def bar(*alters: int) -> Bar:
        return Bar((((*(Event((Pitch(31, a),), 4) for a in alters),),),), ("G2",), 1, Meter(4, 4))

    assert list(signs(bar(1, 0, 0, 1)).values()) == [False, True, False, True]


def test_options_are_checked() -> None:
    with pytest.raises(InvalidValue):
        MusicSource(bars=(5, 2))
    with pytest.raises(InvalidValue):
        MusicSource(max_chars=10)(rng(0))


@pytest.mark.slow
def test_thousands_of_pages_show_what_their_labels_say() -> None:
    for seed in range(100, 1600):
        music = score(seed)
        want = expected(music)
        got = engraved(kern(music))
        assert {name: got[name] for name in want} == dict(want), seed
