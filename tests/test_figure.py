"""Figures: all of the ink in one tile, of the right proportions, dark on white, as many tokens as the model wants."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from got_ocr.cut import cut, settle
from got_ocr.figure import cut_figure, layout, one_formula
from got_ocr.spec import ModelSpec
from got_ocr.task import Task

SPEC = ModelSpec("small", (256, 1024), (32, 8), "lines", 1, 4096, frozenset({"plain", "format"}), 96)


def drawing(width: int = 400, height: int = 160) -> Image.Image:
    image = Image.new("RGB", (600, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((90, 110, 90 + width, 110 + height), outline="black", width=5)
    draw.line((90, 110, 90 + width, 110 + height), fill="black", width=5)
    return image


def ink(tile: Image.Image) -> np.ndarray:
    return np.asarray(tile.convert("L")) < 128


def test_a_figure_is_one_tile_that_holds_all_ink() -> None:
    [tile] = cut_figure(drawing(), SPEC)
    assert tile.height % 32 == 0
    assert tile.width % 64 == 0
    rows, columns = np.flatnonzero(ink(tile).any(1)), np.flatnonzero(ink(tile).any(0))
    wide, high = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    assert wide / high == pytest.approx(400 / 160, rel=0.1)
    assert columns[0] > 0
    assert rows[0] > 0
    assert rows[-1] < tile.height - 1
    assert high > 0.7 * tile.height


def test_where_a_figure_stands_on_the_paper_changes_little() -> None:
    moved = ImageOps.expand(drawing(), 120, "white")
    first, second = (np.asarray(cut_figure(image, SPEC)[0], dtype=int) for image in (drawing(), moved))
    assert first.shape == second.shape
    assert np.abs(first - second).mean() < 2


def test_light_on_dark_is_read_as_dark_on_light() -> None:
    [plain], [dark] = cut_figure(drawing(), SPEC), cut_figure(ImageOps.invert(drawing()), SPEC)
    assert plain.size == dark.size
    assert (ink(plain) != ink(dark)).mean() < 0.02


def test_colours_stay() -> None:
    image = drawing()
    ImageDraw.Draw(image).rectangle((200, 150, 300, 250), fill=(255, 0, 0))
    [tile] = cut_figure(image, SPEC)
    red, green, blue = (np.asarray(band) for band in tile.split())
    assert ((red > 180) & (green < 90) & (blue < 90)).sum() > 100


@pytest.mark.parametrize("ratio", [0.01, 0.1, 0.5, 1, 2.5, 6, 30, 1000])
def test_tokens_are_about_as_many_as_wanted(ratio: float) -> None:
    width, height = (round(1000 * ratio), 1000) if ratio < 1 else (1000, max(1, round(1000 / ratio)))
    rows, wide = layout(width, height, SPEC)
    assert 1 <= rows <= 8
    assert 8 <= wide <= 1024
    if 0.5 <= ratio <= 6:
        assert 0.6 * 96 <= rows * wide / 8 <= 1.5 * 96


def test_blank_paper_is_no_figure() -> None:
    assert cut_figure(Image.new("RGB", (300, 200), (240, 235, 220)), SPEC) == []


def test_only_format_is_read_as_a_figure_and_only_where_the_model_wants_it() -> None:
    pages = [drawing()]
    assert [tile.height for tile in cut(pages, Task(mode="format"), SPEC)] == [cut_figure(pages[0], SPEC)[0].height]
    assert all(tile.height == 32 for tile in cut(pages, Task(), SPEC))
    assert all(tile.height == 32 for tile in cut(pages, Task(mode="format"), replace(SPEC, figure_tokens=0)))


def test_a_large_picture_is_cut_soon() -> None:
    [tile] = cut_figure(drawing().resize((6000, 4000)), SPEC)
    assert tile.size == cut_figure(drawing(), SPEC)[0].size


def rows(count: int) -> Image.Image:
    image = Image.new("RGB", (300, 40 * count + 20), "white")
    for row in range(count):
        for x in range(20, 280, 9):
            ImageDraw.Draw(image).rectangle((x, 40 * row + 12, x + 4, 40 * row + 30), fill="black")
    return image


def test_who_knows_formulas_alone_reads_a_page_by_its_lines() -> None:
    task, formulas = Task(mode="format"), replace(SPEC, reads=frozenset({"plain", "formula"}))
    assert settle([rows(1)], task, formulas)[0] == task
    assert settle([rows(2)], task, formulas)[0] == Task()
    assert settle([rows(1), rows(5)], Task(mode="format", multi_page=True), formulas)[0].mode == "plain"
    assert settle([rows(2)], Task(mode="format", box=(0, 0, 300, 40)), formulas)[0].mode == "format"
    assert settle([rows(5)], task, SPEC)[0] == task
    assert settle([rows(1)], task, replace(SPEC, reads=frozenset({"plain"})))[0] == Task()
    assert settle([rows(9)], task, replace(SPEC, tiling="whole", reads=frozenset({"plain"})))[0] == task


def test_rows_of_a_formula_touch_or_are_uneven_and_close() -> None:
    assert one_formula([(0, 0, 200, 20)])
    assert not one_formula([])
    assert one_formula([(10, 0, 90, 20), (0, 21, 100, 41)])  # a fraction
    assert one_formula([(30, 0, 40, 8), (0, 12, 100, 32), (25, 36, 45, 44)])  # a sum with its limits
    assert not one_formula([(0, 0, 200, 20), (0, 26, 200, 46)])  # two lines of text
    assert not one_formula([(0, 0, 200, 20), (0, 46, 200, 58)])  # the second without ascenders
    assert one_formula([(0, 20 * row, 100, 20 * row + 20) for row in range(4)])  # fractions beside a sum
    assert not one_formula([(0, 20 * row, 100, 20 * row + 20) for row in range(9)])
