"""Fonts: pools never mix, coverage never lies."""

from pathlib import Path

import pytest
from synth_helpers import forget, pool_or_skip
from tiny_font import build, shapes

from got_ocr.data import fonts, inspect_font
from got_ocr.data.charset import ASCII, LATIN
from got_ocr.errors import InvalidValue, MissingDependency


def row(tmp_path: Path, glyphs: dict, **options) -> dict:
    (found,) = inspect_font.faces(build(tmp_path / "tiny.ttf", "Tiny", glyphs, **options))
    return found


def test_a_face_says_family_weight_and_licence(tmp_path):
    found = row(tmp_path, shapes(ASCII) | {" ": None}, weight=700)
    assert (found["family"], found["weight"], found["licence"]) == ("Tiny", 700, "Free for tests")
    assert found["complete"]
    assert found["ranges"] == [(0x20, 0x7E)]


def test_a_glyph_that_draws_nothing_is_not_covered(tmp_path):
    found = row(tmp_path, shapes(ASCII) | {" ": None, "q": None})
    assert not found["complete"]
    assert found["ranges"] == [(0x20, ord("q") - 1), (ord("q") + 1, 0x7E)]


def test_a_mark_that_looks_like_its_plain_spelling_is_not_covered(tmp_path):
    glyphs = shapes(ASCII + "’”—") | {" ": None}
    glyphs |= {"’": glyphs["'"], "—": glyphs["-"]}
    covered = {chr(code) for first, last in row(tmp_path, glyphs)["ranges"] for code in range(first, last + 1)}
    assert "”" in covered
    assert not {"’", "—"} & covered


def test_a_font_of_capitals_only_is_found_out(tmp_path):
    glyphs = shapes(ASCII) | {" ": None}
    assert not row(tmp_path, glyphs)["unicase"]
    small = {char.lower(): glyphs[char] for char in ASCII if char.isupper()}
    assert row(tmp_path, glyphs | small)["unicase"]


def test_a_broken_file_has_no_face(tmp_path):
    path = tmp_path / "broken.ttf"
    path.write_bytes(b"\0\1\0\0 not a font")
    assert inspect_font.faces(path) == []


@pytest.mark.usefixtures("bare")
def test_a_bare_machine_trains_on_dejavu_and_says_what_the_test_pool_needs():
    assert {font.family.split()[0] for font in fonts.pool("train")} <= {"DejaVu", "STIXGeneral"}
    with pytest.raises(MissingDependency, match="Lato"):
        fonts.pool("heldout")


def test_the_index_comes_back_from_the_cache(tmp_path, monkeypatch):
    build(tmp_path / "a.ttf", "Tiny", shapes(ASCII) | {" ": None})
    monkeypatch.setenv("GOT_OCR_FONTS", str(tmp_path))
    monkeypatch.setenv("GOT_OCR_CACHE", str(tmp_path / "cache"))
    try:
        forget()
        first = [(font.path, font.ranges) for font in fonts.index()]
        monkeypatch.setattr(inspect_font, "faces", lambda path: pytest.fail("the file was parsed again"))
        fonts.index.cache_clear()
        assert [(font.path, font.ranges) for font in fonts.index()] == first != []
    finally:
        monkeypatch.undo()
        forget()


def test_training_shares_no_family_with_the_test_pools():
    train = {font.family for font in fonts.pool("train")}
    for name, families in (("heldout", fonts.HELDOUT), ("zh-heldout", fonts.CHINESE_HELDOUT)):
        assert not [family for family in train if family.startswith(families)], name
    handwriting = {font.family for font in fonts.index() if fonts._belongs(font, "handwriting")}
    assert not [family for family in handwriting if fonts.held_out(family)]
    chinese = {font.family for font in fonts.index() if fonts._belongs(font, "zh")}
    assert not [family for family in chinese if family.startswith(fonts.CHINESE_HELDOUT)]


def test_derivatives_go_with_their_origin():
    # Carlito was drawn from Lato; PT Sans, PT Serif and PT Mono are one family in three cuts.
    for family in ("Lato", "Lato Light", "Carlito", "PT Mono", "PT Sans Narrow", "GentiumAlt", "Courier Prime Sans"):
        assert fonts.held_out(family)
    for family in ("DejaVu Sans", "Liberation Serif", "Tinos", "Ptolemy"):
        assert not fonts.held_out(family)


@pytest.mark.parametrize("name", ["train", "heldout", "handwriting"])
def test_whatever_is_covered_is_drawn(name):
    from PIL import Image, ImageDraw

    for family in fonts.families(pool_or_skip(name))[::7]:
        font = fonts.load(family[0], 40)
        for char in fonts.covered(family[0], LATIN) - {" "}:
            picture = Image.new("L", (160, 160))
            ImageDraw.Draw(picture).text((50, 50), char, fill=255, font=font)
            assert picture.getbbox(), (family[0].family, char)


def test_every_font_of_the_text_pools_covers_ascii():
    for font in fonts.pool("all"):
        assert set(ASCII) <= fonts.covered(font, LATIN), font.family
        assert 250 <= font.weight <= 900


def test_unknown_pool():
    with pytest.raises(InvalidValue, match=r"train, heldout.*'nonsense'"):
        fonts.pool("nonsense")


@pytest.mark.usefixtures("bare")
def test_a_machine_without_handwriting_goes_without():
    assert not fonts.available("handwriting")
    assert fonts.available("train")


def test_ligatures_are_drawn_and_only_where_the_font_has_them(tmp_path, monkeypatch):
    build(tmp_path / "with.ttf", "With", shapes(ASCII + "ﬁﬂ") | {" ": None})
    build(tmp_path / "without.ttf", "Without", shapes(ASCII) | {" ": None})
    monkeypatch.setenv("GOT_OCR_FONTS", str(tmp_path))
    monkeypatch.setenv("GOT_OCR_CACHE", str(tmp_path / "cache"))
    try:
        forget()
        has, lacks = fonts.index()
        assert fonts.ligated("office, first flow", has) == "ofﬁce, ﬁrst ﬂow"
        assert fonts.ligated("office, first flow", lacks) == "office, first flow"
    finally:
        monkeypatch.undo()
        forget()


def test_open_faces_are_bounded():
    few = fonts.pool("all")[:60]
    assert fonts.load(few[0], 20) is fonts.load(few[0], 20)
    for size in range(20, 26):
        for font in few:
            fonts.load(font, size)
    small, large = fonts._small.cache_info(), fonts._large.cache_info()
    assert small.currsize <= small.maxsize == 256
    assert large.currsize <= large.maxsize == 24


def test_large_fonts_have_a_cache_of_their_own():
    font = fonts.pool(pool_or_skip("zh"))[0]
    before = fonts._large.cache_info().misses
    fonts.load(font, 91)
    fonts.load(font, 91)
    assert fonts._large.cache_info().misses == before + 1
