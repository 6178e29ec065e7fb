"""Tables in pictures: the grid that was drawn is the grid that is found, and what is no table is not taken for one."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr.data import fonts
from got_ocr.data.latex.tree import Digits, Row, Script, Symbol
from got_ocr.data.sources.geometry import GeometrySource
from got_ocr.data.tables import draw, fill, ink, label
from got_ocr.data.tables.grid import Cell, Grid
from got_ocr.spec import ModelSpec
from got_ocr.table.cells import cut_cells
from got_ocr.table.strips import cut_table

SPEC = ModelSpec("lines", (96, 1024), (96, 8), "lines", 1, 4096, frozenset({"plain", "table"}), 80, 32)
Places = set[tuple[int, int, int, int]]


def look(size: int = 22) -> draw.Look:
    font = next(font for font in fonts.index() if font.family == "DejaVu Sans" and font.style == "Book")
    face = ink.Face(font, size)
    return draw.Look(face, face, pad=(14, 7), margin=20, limit=300, rule=1, thick=2)


def grid(rows: str, rules: str = "all", **more: object) -> Grid:
    """Make a grid of one-line cells: rows parted by line breaks, cells by `&`."""
    texts = [[text.strip() for text in row.split("&")] for row in rows.split("\n")]
    cells = tuple(Cell(r, c, (text,) if text else ()) for r, row in enumerate(texts) for c, text in enumerate(row))
    made = Grid(len(texts), len(texts[0]), "c" * len(texts[0]), cells, **more)  # type: ignore[arg-type]
    return fill._ruled(made, rules)


def found(picture: Image.Image) -> Places:
    cut = cut_cells(picture)
    return {(c.row, c.column, c.rows, c.columns) for c in cut.grid.cells} if cut else set()


def places(drawn: Grid) -> Places:
    return {(c.row, c.column, c.rows, c.columns) for c in drawn.cells}


PRICES = grid("Item & Price & Stock\nBread & 2.50 & 13\nButter & 11.00 & 7\nMilk & 0.99 & 120\nTea & 5.10 & 4")


@pytest.mark.parametrize("rules", fill.RULES)
def test_every_way_of_ruling(rules: str) -> None:
    drawn = fill._ruled(replace(PRICES, rules=frozenset(), bars=frozenset()), rules)
    cut = cut_cells(draw.draw(drawn, look()))
    assert cut is not None
    assert {(c.row, c.column, c.rows, c.columns) for c in cut.grid.cells} == places(drawn)
    assert (cut.grid.bars, cut.grid.rules) == (drawn.bars, drawn.rules)
    assert all(len(cell.content) == 1 for cell in cut.grid.cells)
    assert cut.framed == (rules != "none")


@pytest.mark.parametrize("aligns", ["lcr", "rrl", "ccc"])
def test_how_columns_are_set(aligns: str) -> None:
    cut = cut_cells(draw.draw(replace(PRICES, aligns=aligns), look()))
    assert cut is not None
    assert cut.grid.aligns == aligns


def test_grids_that_are_made_up_are_found_again() -> None:
    """Most of them: a text on the left of a bare cell cannot be told from one that spans both."""
    right = dict.fromkeys(fill.RULES, 0)
    for index in range(60):
        rng, rules = np.random.default_rng((5, index)), fill.RULES[index % 6]
        drawn = fill.table(rng, fill.Voice("en", "train"), int(rng.integers(3, 8)), int(rng.integers(2, 6)), rules)
        right[rules] += found(draw.draw(drawn, look())) == places(drawn)
    assert right["all"] == 10
    assert min(right["horizontal"], right["vertical"]) >= 8
    assert sum(right.values()) >= 48


def test_dark_headers_and_striped_rows() -> None:
    worn = replace(look(), band=(30, 50, 90), head_ink=(255, 255, 255), zebra=(225, 230, 240), paper=(250, 250, 245))
    for rules in ("all", "horizontal", "booktabs"):
        drawn = fill._ruled(replace(PRICES, rules=frozenset(), bars=frozenset()), rules)
        assert found(draw.draw(drawn, worn)) == places(drawn), rules


def test_light_on_dark() -> None:
    inverted = Image.fromarray(255 - np.asarray(draw.draw(PRICES, look())))
    assert found(inverted) == places(PRICES)


def test_a_slope_is_undone() -> None:
    picture = draw.draw(PRICES, look()).rotate(0.7, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
    assert found(picture) == places(PRICES)


def test_a_broken_text_is_one_cell_of_several_lines() -> None:
    long = "a text that is much too long for one line of its cell"
    drawn = grid(f"Name & About\nfirst & {long}\nsecond & short", "booktabs")
    cut = cut_cells(draw.draw(drawn, look()))
    assert cut is not None
    lines = {(cell.row, cell.column): len(cell.content) for cell in cut.grid.cells}
    assert lines == {(0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 2, (2, 0): 1, (2, 1): 1}


def test_cells_that_span_columns_and_rows() -> None:
    cells = [
        *(Cell(0, 0, ("City",), rows=2), Cell(0, 1, ("Visitors",), columns=2)),
        *(Cell(1, column, (text,)) for column, text in ((1, "2019"), (2, "2020"))),
        *(Cell(2, 0, ("Bern",), rows=2), Cell(2, 1, ("123",)), Cell(2, 2, ("45",)), Cell(3, 1, ("7",)), Cell(3, 2, ())),
    ]
    for rules in ("all", "booktabs", "vertical"):
        drawn = fill._ruled(Grid(4, 3, "lcc", tuple(cells), headers=2), rules)
        assert found(draw.draw(drawn, look())) == places(drawn), rules


def sheet() -> Image.Image:
    """Draw a page of text in two columns."""
    page = Image.new("RGB", (1000, 900), "white")
    pen, font = ImageDraw.Draw(page), look(18).body.load()
    for row in range(24):
        for left in (40, 540):
            pen.text((left, 30 + 34 * row), "running text of a column, full width", font=font, fill="black")
    return page


def drawing() -> Image.Image:
    image = Image.new("RGB", (600, 400), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((90, 110, 490, 270), outline="black", width=3)
    pen.line((90, 110, 490, 270), fill="black", width=3)
    for x, letter in ((70, "A"), (500, "B")):
        pen.text((x, 80), letter, font=look().body.load(), fill="black")
    return image


def square() -> Image.Image:
    """Draw a square with names at its corners."""
    image = Image.new("RGB", (400, 320), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((60, 50, 340, 270), outline="black", width=2)
    for at, name in zip(((36, 24), (350, 24), (36, 276), (350, 276), (200, 276)), "ABDCE", strict=True):
        pen.text(at, name, "black", ImageFont.load_default(22))
    return image


def axes() -> Image.Image:
    """Draw two axes with ticks, numbers and two points, which may be cells for all that is known of their places."""
    return GeometrySource(only=("plotted_points",), plain=1.0, hand=0.0)(np.random.default_rng((5, 3))).images[0]


@pytest.mark.parametrize("make", [sheet, drawing, square, axes])
def test_what_is_no_table(make: object) -> None:
    assert cut_cells(make()) is None  # type: ignore[operator]


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (400, 300)])
@pytest.mark.parametrize("paper", ["white", "black", "grey"])
def test_bare_paper(size: tuple[int, int], paper: str) -> None:
    assert cut_cells(Image.new("RGB", size, paper)) is None


def test_noise_and_patterns_end_soon() -> None:
    noise = Image.effect_noise((1500, 1500), 90).convert("RGB")
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[::6] = stripes[:, ::6] = 255
    for picture in (noise, Image.fromarray(stripes)):
        assert cut_table(picture, SPEC) == []


def test_strips_and_what_stands_between_them_make_the_table() -> None:
    formula = Row((Script(Symbol("alpha"), sup=Digits("2")),))
    cells = tuple(replace(c, content=(formula,)) if (c.row, c.column) == (2, 2) else c for c in PRICES.cells)
    cells = tuple(replace(c, content=()) if (c.row, c.column) in {(0, 0), (4, 2)} else c for c in cells)
    drawn = replace(PRICES, cells=cells)
    strips = cut_table(draw.draw(drawn, look()), SPEC)
    texts = {(c.row, c.column, c.rows, c.columns): label.content(c.content) for c in cells}
    whole = "".join(strip.before + texts[strip.place] for strip in strips) + strips[-1].after
    assert whole.strip() == label.tabular(drawn)
    assert [strip.place for strip in strips] == sorted(place for place, text in texts.items() if text)
    for strip in strips:
        assert strip.tile.height == 32
        assert strip.tile.width % 64 == 0
        assert np.asarray(strip.tile).min() < 60
        left, top, right, bottom = strip.box
        assert np.asarray(draw.draw(drawn, look()).crop((left, top, right, bottom)).convert("L")).min() < 60


def test_boxes_are_those_of_a_large_picture() -> None:
    picture = draw.draw(PRICES, look())
    large = picture.resize((picture.width * 7, picture.height * 7))
    small, big = ({s.place: s.box for s in cut_table(p, SPEC)} for p in (picture, large))
    assert set(small) == set(big)
    for place, box in small.items():
        assert np.allclose(np.array(big[place]) / 7, box, atol=2.5)


def test_a_table_without_rules_is_none_where_rules_are_asked_for() -> None:
    picture = draw.draw(replace(PRICES, rules=frozenset(), bars=frozenset()), look())
    assert cut_table(picture, SPEC)
    assert cut_table(picture, SPEC, framed=True) == []
    assert cut_table(draw.draw(PRICES, look()), SPEC, framed=True)
