"""Formulas that go on below themselves: their rows, how they are written, and headings that only look like them."""

from typing import Any

import pytest
from PIL import Image, ImageDraw

from got_ocr.equations import rows_of, written
from got_ocr.ocr import GotOcr
from got_ocr.reading import Reading
from got_ocr.spec import ModelSpec
from got_ocr.tokenizer import Tokenizer

FORMULAS = ModelSpec("tall", (96, 1024), (96, 8), "lines", 1, 2000, frozenset({"plain", "formula"}), 80, 32)


def test_rows_begin_below_each_other() -> None:
    rows = [(10, 10, 300, 40), (80, 60, 250, 90), (81, 110, 200, 140)]
    assert rows_of(rows) == rows


def test_limits_belong_to_the_nearest_row() -> None:
    limits = [(90, 2, 110, 9), (130, 92, 150, 99)]
    rows = [(10, 10, 300, 40), (80, 60, 250, 90)]
    assert rows_of([limits[0], *rows, limits[1]]) == [(10, 2, 300, 40), (80, 60, 250, 99)]


@pytest.mark.parametrize(
    "boxes",
    [
        [(10, 10, 300, 40)],
        [(10, 10, 300, 40), (10, 60, 250, 90)],  # a paragraph
        [(40, 10, 300, 40), (10, 60, 250, 90), (10, 110, 250, 140)],  # with an indented first line
        [(10, 10, 300, 40), (80, 60, 250, 90), (10, 110, 250, 140)],
        [(10, 30 * k, 300, 30 * k + 20) for k in range(30)],
    ],
)
def test_other_rows_are_none(boxes: list[tuple[int, int, int, int]]) -> None:
    assert rows_of(boxes) == []


def test_rows_are_written_as_one() -> None:
    assert written([r"\[ f(x=1)\leq\frac{a=b}{c} \]", r"\[ =2 \]", r"\[ \neq d \]"]) == (
        r"\[ \begin{aligned} f(x=1) & \leq\frac{a=b}{c} \\  & =2 \\  & \neq d \end{aligned} \]"
    )


@pytest.mark.parametrize(
    "answers",
    [
        [r"\[ a \]", r"\[ =b \]"],
        [r"\[ a=b \]", r"\[ c \]"],
        [r"\[ =b \]", r"\[ =c \]"],
        [r"\[ a=b \]", "=c"],
        [r"\[ a=b \]", r"\[ \leftarrowtail c \]"],
        [],
    ],
)
def test_what_has_no_relations_is_no_formula(answers: list[str]) -> None:
    assert written(answers) is None


@pytest.fixture
def heading() -> Image.Image:
    image = Image.new("RGB", (420, 160), "white")
    pen = ImageDraw.Draw(image)
    for left, right, top in ((20, 400, 30), (110, 310, 90)):
        for x in range(left, right, 24):
            pen.rectangle((x, top, x + 16, top + 24), fill="black")
    return image


def test_what_was_read_says_what_it_is(heading: Image.Image, line_script: Any, small: Tokenizer) -> None:
    line_script.spec = FORMULAS
    model = GotOcr(line_script, small)

    def read(*answers: str) -> Reading:
        line_script.answers = [small.encode(answer) for answer in answers]
        (reading,) = model.read_many([heading], mode="format")
        return reading

    assert read(r"\[ a=b \]", r"\[ =c \]").text == r"\[ \begin{aligned} a & =b \\  & =c \end{aligned} \]"
    assert read("nonsense", "nonsense", "the first", "and the second").text == "the first\nand the second"
    line_script.answers = [small.encode(answer) for answer in ("nonsense", "nonsense", "the first", "and the second")]
    *pieces, last = model.stream(heading, mode="format")
    assert isinstance(last, Reading)
    assert "".join(map(str, pieces)) == last.text == "the first\nand the second"
