"""Tables on pages: found by their rules, read in their place, the rest of the page by its lines."""

from dataclasses import replace

import pytest
from PIL import Image, ImageDraw
from test_table_cells import PRICES, SPEC, look, sheet

from got_ocr.cut import settle
from got_ocr.data.tables import draw, fill
from got_ocr.table.regions import find_tables
from got_ocr.task import Task

FORMAT = Task(mode="format")


def page(rules: str = "all") -> tuple[Image.Image, tuple[int, int, int, int]]:
    """Draw a page with two lines of text above a table and one below: the page, and where the table's picture stands."""
    paper = Image.new("RGB", (1000, 900), "white")
    pen = ImageDraw.Draw(paper)
    for y in (60, 100, 700):
        pen.text((80, y), "a line of running text that goes over most of the page's width", font_size=24, fill="black")
    table = draw.draw(fill._ruled(replace(PRICES, rules=frozenset(), bars=frozenset()), rules), look())
    paper.paste(table, (250, 250))
    return paper, (250, 250, 250 + table.width, 250 + table.height)


@pytest.mark.parametrize("rules", ["all", "horizontal", "vertical", "booktabs", "outer"])
def test_a_table_is_found_by_its_rules(rules: str) -> None:
    paper, (left, top, right, bottom) = page(rules)
    [(box, cut)] = find_tables(paper)
    assert (cut.grid.rows, cut.grid.columns) == (PRICES.rows, PRICES.columns)
    assert left < box[0] < left + 40
    assert top < box[1] < top + 40
    assert right - 40 < box[2] < right
    assert bottom - 40 < box[3] < bottom


def test_two_tables_below_each_other_stay_two() -> None:
    paper, _ = page()
    paper.paste(draw.draw(PRICES, look()), (250, 560))
    assert [cut.grid.rows for _, cut in find_tables(paper)] == [5, 5]


def test_pages_without_tables_have_none() -> None:
    assert find_tables(sheet()) == []
    assert find_tables(Image.new("RGB", (500, 500), "white")) == []


def test_a_page_is_its_lines_with_the_cells_in_their_place() -> None:
    paper, (left, top, _, _) = page()
    task, [part], together, *_ = settle([paper], FORMAT, replace(SPEC, reads=frozenset({"plain", "formula", "table"})))
    assert (task.mode, together) == ("plain", 1)
    modes = [piece.mode for piece in part]
    assert modes == [None] * 2 + ["format"] * 15 + [None]
    cells = part[2:17]
    assert [piece.place for piece in cells] == [(row, column, 1, 1) for row in range(5) for column in range(3)]
    assert all(piece.box and piece.box[0] > left and piece.box[1] > top for piece in cells)
    assert cells[0].before == "\n\n\\begin{tabular}{|c|c|c|}\n\\hline "
    assert cells[-1].after == " \\\\\n\\hline\n\\end{tabular}\n"
    assert part[-1].before == "\n"


def test_a_model_that_knows_no_tables_gets_lines() -> None:
    task, [part], *_ = settle([page()[0]], FORMAT, replace(SPEC, reads=frozenset({"plain"})))
    assert task.mode == "plain"
    assert all(piece.place is None for piece in part)


def test_a_table_alone_is_asked_for_cell_by_cell() -> None:
    task, [part], together, *_ = settle([draw.draw(PRICES, look())], FORMAT, SPEC)
    assert (task, together, len(part)) == (FORMAT, 1, 15)
    whole = replace(SPEC, reads=frozenset({"plain", "format"}))
    assert len(settle([draw.draw(PRICES, look())], FORMAT, whole).parts[0]) == 1
