"""Names of outputs: legal everywhere, short enough, never the same for two sources."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr.batch.names import STATE, SUMMARY, stems

LONG = "n" * 255
PARTS = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=40).filter(lambda s: s not in (".", ".."))


def test_plain_names_stay() -> None:
    names = ["a/page 1.png", "a/b/Übersicht.PDF", "漢字.tif", "😀.png", "-rf.png", "scan.png", "scan.jpg"]
    assert stems(names) == names


@pytest.mark.parametrize(
    "name",
    ["two\nlines.png", "bad\udcff.png", "a:b.png", "tab\t.png", "right\u202eleft.png", "con", "AUX.txt", "dot. "],
)
def test_odd_names_become_legal_and_keep_apart(name: str) -> None:
    made, other = stems([name, name + "x"])
    assert made != name
    assert made.isprintable()
    made.encode("utf-8")
    assert made != other
    assert stems([name]) == [made]  # whatever else is in the batch


def test_long_names_are_cut_and_keep_apart() -> None:
    one, two = stems([f"{LONG}1.png", f"{LONG}2.png"])
    assert one != two
    assert all(len(name.encode()) < 240 for name in (one, two))
    (wide,) = stems(["漢" * 85 + ".png"])
    assert len(wide.encode()) < 240


def test_names_that_some_systems_take_for_one_get_tags() -> None:
    for pair in (["Page.png", "page.png"], ["é.png", unicodedata.normalize("NFD", "é.png")], ["A/x", "a/x"]):
        one, two = stems(pair)
        assert unicodedata.normalize("NFC", one).casefold() != unicodedata.normalize("NFC", two).casefold()
    one, two = stems([LONG[:199] + "A", LONG[:199] + "a"])
    assert one.casefold() != two.casefold()


def test_our_own_names_are_left_free() -> None:
    assert not any(
        name.startswith((STATE, SUMMARY)) for name in stems([STATE, f"{STATE}/x", SUMMARY, f"{SUMMARY}.png"])
    )


@given(st.lists(st.lists(PARTS, min_size=1, max_size=3).map("/".join), unique=True, max_size=6))
def test_every_name_lies_below_and_is_its_own(sources: list[str]) -> None:
    made = stems(sources)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in made}) == len(set(sources))
    for name in made:
        assert not Path(name).is_absolute()
        assert ".." not in Path(name).parts
        assert all(len(part.encode()) < 240 for part in Path(name).parts)
