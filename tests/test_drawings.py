"""Drawings are read by their labels: who is asked, how answers come back, how strips find their texts in training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr import drawings
from got_ocr.cut import settle
from got_ocr.data.build import build, recipe
from got_ocr.data.sample import Sample
from got_ocr.drawings import READERS
from got_ocr.labels import Label, label_tile
from got_ocr.lines import ink_of
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.examples import make_examples

SPEC = ModelSpec(
    "strips", (96, 1024), (96, 8), "lines", 1, 2000, frozenset({"plain", "formula", "chart"}), figure_tokens=80, line_height=32
)  # fmt: skip
FORMAT = Task(mode="format")
BOXES = ((20, 20, 90, 40), (20, 100, 90, 120))


@dataclass(frozen=True)
class Named:
    """A drawing of two labels, written as they were read."""

    labels: Sequence[Label]

    def write(self, answers: Sequence[str]) -> str:
        return "<" + "|".join(answers) + ">"


def picture(texts: Sequence[str] = ("north", "south")) -> Image.Image:
    page = Image.new("RGB", (200, 140), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(18)
    for (left, top, _, _), text in zip(BOXES, texts, strict=True):
        pen.text((left, top), text, "black", font)
    return page


def named(page: Image.Image, spec: ModelSpec) -> Named:
    ink = ink_of(page)
    return Named(tuple(Label(label_tile(ink, box, spec), box) for box in BOXES))


def nothing(page: Image.Image, spec: ModelSpec) -> None:
    """See no drawing in any picture."""


def test_the_first_reader_that_sees_a_drawing_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "READERS", {"geometry": named, "chart": nothing, "molecule": named})
    assert drawings.see(picture(), SPEC) is None  # geometry and molecules are not among what this model reads
    all_kinds = replace(SPEC, reads=SPEC.reads | {"molecule"})
    found = drawings.see(picture(), all_kinds)
    assert isinstance(found, Named)
    assert [label.tile.height for label in found.labels] == [32, 32]


def test_answers_go_to_the_drawing_whose_labels_they_are() -> None:
    two, one = named(picture(), SPEC), Named(named(picture(), SPEC).labels[:1])
    assert drawings.write([two, one], ["a", "b", "c"]) == "<a|b>\n<c>"
    assert drawings.write([two, one], ["a"]) == "<a|>\n<>"  # an answer that is missing is an empty one


@dataclass(frozen=True)
class Lost(Named):
    """A drawing that cannot be written down."""

    def write(self, answers: Sequence[str]) -> str:
        raise ZeroDivisionError


def lost(page: Image.Image, spec: ModelSpec) -> None:
    raise IndexError


def test_a_reader_that_loses_its_way_takes_no_page_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "READERS", {"chart": lost})
    assert drawings.see(picture(), SPEC) is None
    monkeypatch.setattr(drawings, "READERS", {"formula": lost, "chart": named})
    assert drawings.see(picture(), SPEC) is not None
    assert (
        drawings.write([Lost(named(picture(), SPEC).labels)], ["a", "b"]) is None
    )  # and is asked for as something else
    assert settle([picture()], FORMAT, SPEC, sure=True).compose is None


def test_a_drawing_is_asked_for_by_its_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "READERS", {"chart": named})
    settled = settle([picture(), picture()], FORMAT, SPEC)
    assert settled.together == 1
    assert [[piece.box for piece in part] for part in settled.parts] == [list(BOXES)] * 2
    assert settled.compose is not None
    assert settled.compose(["a", "b", "c", "d"]) == "<a|b>\n<c|d>"
    assert settle([picture()], Task(), SPEC).compose is None  # plain text is asked for line by line


def test_labels_are_taught_by_where_they_stand(monkeypatch: pytest.MonkeyPatch, small: Tokenizer) -> None:
    monkeypatch.setattr(drawings, "READERS", {"chart": named})
    near = [[22, 21, 91, 41, "north"], [20, 60, 90, 80, "south"]]  # the second one lies where no strip was cut
    sample = Sample((picture(),), "{}", "chart", task=FORMAT, meta={"labels": near})
    lessons = make_examples(sample, SPEC, small)
    assert [lesson.columns for lesson in lessons] == [(b"north",)]
    assert np.array_equal(lessons[0].labels[lessons[0].labels >= 0][:-1], small.encode("north"))


def test_a_drawing_that_is_not_seen_teaches_nothing(monkeypatch: pytest.MonkeyPatch, small: Tokenizer) -> None:
    monkeypatch.setattr(drawings, "READERS", {"chart": nothing})
    meta = {"labels": [[20, 20, 90, 40, "north"]]}
    assert make_examples(Sample((picture(),), "C1CC1", "molecule", task=FORMAT, meta=meta), SPEC, small) == []


@pytest.mark.parametrize("kind", ["formula", "text", "table", "scene"])
def test_what_is_no_drawing_is_seldom_taken_for_one(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"{kind}.toml"
    file.write_text(f'[[mix]]\nsource = "{kind}"\n', "utf-8")
    made = recipe(str(file))
    pictures = [build(made, 8, number).images[0] for number in range(8)]
    alarms = {name: sum(read(picture, SPEC) is not None for picture in pictures) for name, read in READERS.items()}
    limits = {
        "chart": 1,
        "molecule": 0,
        "geometry": 2 if kind == "music" else 1,
    }  # staves are looked for before geometry
    assert {name: count for name, count in alarms.items() if count > limits[name]} == {}
