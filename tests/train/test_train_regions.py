"""Regions as lessons for a model of text lines: what the frame or the box holds is cut out, and each strip is asked for as a line."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr import prompt
from got_ocr.data.sample import Sample
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.examples import make_examples

SPEC = ModelSpec("strips", (32, 1024), (32, 8), "lines", 1, 2000, frozenset({"plain"}))
BOX = (40, 82, 360, 152)


@pytest.mark.parametrize("task", [Task(color="red"), Task(box=BOX, box_mode="prompt"), Task(box=BOX)])
def test_only_the_region_is_taught_and_it_is_asked_for_as_lines(small: Tokenizer, task: Task) -> None:
    page = Image.new("RGB", (460, 260), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for row, text in enumerate(("one above", "the first line of it", "and the second one", "one below")):
        pen.text((50, 40 + 34 * row + 16 * (row > 0) + 16 * (row > 2)), text, "black", font)
    if task.color:
        pen.rectangle((BOX[0] - 3, BOX[1] - 3, BOX[2] + 2, BOX[3] + 2), outline=(220, 30, 30), width=3)
    sample = Sample((page,), "the first line of it\nand the second one", "region", task=task)
    lessons = make_examples(sample, SPEC, small)
    assert [lesson.columns for lesson in lessons] == [(b"the first line of it",), (b"and the second one",)]
    for lesson in lessons:
        asked = prompt.build(small, Task(), SPEC.tokens(*lesson.tiles[0].shape[1:]), page.size)
        assert np.array_equal(lesson.ids[: len(asked.ids)], asked.ids)
