"""What the columns of a figure are taught to show."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from got_ocr.data.sample import Sample
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.columns import columns
from got_ocr.train.examples import make_examples

SPEC = ModelSpec("small", (96, 1024), (96, 8), "lines", 1, 900, frozenset({"plain", "formula"}), 80, 32)


def sample(label: str, kind: str = "formula") -> Sample:
    picture = Image.new("RGB", (300, 60), "white")
    ImageDraw.Draw(picture).line((20, 10, 270, 50), fill="black", width=4)
    return Sample((picture,), label, kind, Task(mode="format"))


def test_a_formula_shows_its_symbols_from_left_to_right() -> None:
    assert columns(sample(r"\[ x_{1}^{2}+y=4, \]")) == b"x12+y=4,"
    shown = columns(sample(r"\[ \alpha\left(\beta\right)\quad\mathrm{max}\alpha \]"))
    assert bytes(byte for byte in shown if byte < 128) == b"()max"
    first, second, last = (byte for byte in shown if byte >= 128)
    assert first == last != second


@pytest.mark.parametrize("label", [r"\[ \frac{a}{b} \]", r"\[ \begin{cases}a\\b\end{cases} \]", r"\[ \binom{n}{k} \]"])
def test_stacked_rows_have_no_order_of_columns(label: str) -> None:
    assert columns(sample(label)) == b""
    assert columns(sample(r"\[ \fractal \]")) != b""


def test_other_figures_have_no_such_target() -> None:
    assert columns(sample("CCO", "molecule")) == b""


def test_an_example_of_a_formula_is_one_low_tile_with_its_columns(small: Tokenizer) -> None:
    [example] = make_examples(sample(r"\[ x=\pi \]"), SPEC, small)
    [tile] = example.tiles
    assert tile.shape[:2] == (3, 96)
    assert example.columns == (columns(sample(r"\[ x=\pi \]")),)
    assert int((example.ids == small.image).sum()) == SPEC.tokens(96, tile.shape[2])
    assert small.decode(example.labels[example.labels >= 0]).startswith(r"\[ x=\pi \]")


def test_a_picture_of_many_rows_is_taught_as_lines(small: Tokenizer) -> None:
    rows = np.full((240, 300, 3), 255, dtype=np.uint8)
    for top in range(10, 240, 40):
        rows[top : top + 18, 20:280:7] = 0
    page = replace(sample("a\nb\nc\nd\ne\nf", "text"), images=(Image.fromarray(rows),))
    made = make_examples(page, SPEC, small)
    assert [example.columns for example in made] == [(letter,) for letter in (b"a", b"b", b"c", b"d", b"e", b"f")]
    assert all(example.tiles[0].shape[1] == 32 for example in made)
    formula = replace(page, target=r"\[ x \]", kind="formula")
    assert make_examples(formula, SPEC, small) == []
