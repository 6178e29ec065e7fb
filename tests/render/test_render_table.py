"""`tabular` -> a grid: spans, borders, alignment; hostile spans cost nothing."""

import pytest

from got_ocr.errors import RenderFailed
from got_ocr.render import render
from got_ocr.render.inline import parse_inline
from got_ocr.render.limits import MAX_COLUMNS, MAX_ROWS
from got_ocr.render.table import parse_pipe_table, parse_table
from got_ocr.render.tree import Nested, Table, Text


def table(body: str, name: str = "tabular") -> Table:
    return parse_table(name, body, parse_inline)


def texts(made: Table) -> list[list[str]]:
    return [
        ["".join(part.text for part in cell.children if isinstance(part, Text)) for cell in row] for row in made.rows
    ]


def test_rows_and_cells() -> None:
    made = table("{lcr}a & b & c \\\\ d & e\\&f & {g & h}")
    assert texts(made) == [["a", "b", "c"], ["d", "e&f", "{g & h}"]]
    assert [cell.align for cell in made.rows[0]] == ["left", "center", "right"]


@pytest.mark.parametrize(
    ("spec", "aligns"),
    [
        ("|l|c|r|", ["left", "center", "right"]),
        ("*{3}{c}", ["center"] * 3),
        ("p{3cm}m{2cm}X", ["left"] * 3),
        ("@{}l@{\\quad}r@{}", ["left", "right"]),
        (">{\\bfseries}c<{x}r", ["center", "right"]),
        ("", ["left"] * 2),
    ],
)
def test_column_specifications(spec: str, aligns: list[str]) -> None:
    cells = " & ".join("abc"[: len(aligns)])
    assert [cell.align for cell in table(f"{{{spec}}}{cells}").rows[0]] == aligns


def test_multicolumn_and_multirow() -> None:
    made = table("{|c|c|c|}\\hline \\multicolumn{2}{|c|}{A} & \\multirow{2}{*}{R} \\\\ \\hline a & b & \\\\ \\hline")
    assert texts(made) == [["A", "R"], ["a", "b"]]
    assert [(c.column, c.columns, c.rows) for c in made.rows[0]] == [(0, 2, 1), (2, 1, 2)]
    assert all("t" in cell.borders and "b" in cell.borders for row in made.rows for cell in row)


def test_a_filled_cell_below_a_multirow_is_not_lost() -> None:
    made = table("{cc}\\multirow{3}{*}{R} & 1 \\\\ & 2 \\\\ kept & 3")
    assert texts(made) == [["R", "1"], ["2"], ["kept", "3"]]
    assert made.rows[0][0].rows == 2


def test_a_multirow_written_at_its_end() -> None:
    made = table("{cc} & 1 \\\\ \\multirow{-2}{*}{R} & 2")
    assert texts(made) == [["R", "1"], ["2"]] or texts(made) == [["1"], ["R", "2"]]
    assert next(cell for row in made.rows for cell in row if cell.rows == 2)


def test_partial_rules() -> None:
    made = table("{ccc}a & b & c \\\\ \\cline{2-3} d & e & f \\\\ \\cmidrule(lr){1-1}")
    assert ["t" in cell.borders for cell in made.rows[1]] == [False, True, True]
    assert ["b" in cell.borders for cell in made.rows[1]] == [True, False, False]


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("{c}\\hline a \\\\ \\hline b \\\\ c", 1),
        ("{c}\\toprule a \\\\ \\midrule b \\\\ \\bottomrule", 1),
        ("{c}a \\\\ b \\\\ c", 0),
        ("{cc}\\hline \\multirow{2}{*}{A} & B \\\\ \\hline & C \\\\ \\hline 1 & 2 \\\\ 3 & 4", 2),
        ("{c}a \\\\ \\hline", 0),
    ],
)
def test_heads(body: str, head: int) -> None:
    assert table(body).header == head


def test_formulas_and_tables_inside_cells() -> None:
    made = table("{cc}\\( \\begin{array}{c}x & y \\\\ z\\end{array} \\) & \\begin{tabular}{c}i \\\\ j\\end{tabular}")
    assert len(made.rows) == 1
    assert isinstance(made.rows[0][1].children[0], Nested)
    drawn = str(render("\\begin{tabular}{c}\\begin{tabular}{c}in\\end{tabular}\\end{tabular}", to="fragment"))
    assert drawn.count("<table>") == 2


def test_line_ends_inside_a_cell() -> None:
    assert "a<br>b" in str(render("\\begin{tabular}{c}\\makecell{a \\\\ b} \\\\ c\\end{tabular}", to="fragment"))


def test_wide_environments() -> None:
    assert texts(table("{\\textwidth}{lX}a & b", "tabularx")) == [["a", "b"]]
    assert texts(table("[t]{c}a")) == [["a"]]
    assert texts(table("{c}a \\\\[2pt] b \\\\*[1ex] c \\tabularnewline d")) == [["a"], ["b"], ["c"], ["d"]]


def test_huge_spans_are_clipped_to_the_table() -> None:
    made = table(
        "{cc}\\multicolumn{100000}{c}{x} \\\\ \\multirow{100000}{*}{y} & \\multicolumn{100000}{c}{\\multirow{100000}{*}{z}}"
    )
    assert [(c.columns, c.rows) for row in made.rows for c in row] == [(2, 1), (1, 1), (1, 1)]


@pytest.mark.parametrize(
    "body", ["{c}" + "a\\\\" * (MAX_ROWS + 2), "{c}" + "&" * (MAX_COLUMNS + 2), "{c}" + ("a&" * 100 + "\\\\") * 300]
)
def test_too_large_tables_are_refused_and_shown_as_source(body: str) -> None:
    with pytest.raises(RenderFailed):
        table(body)
    shown = str(render(f"\\begin{{tabular}}{body}\\end{{tabular}}", to="fragment"))
    assert "<table" not in shown
    assert "\\begin{tabular}" in shown


def test_no_cell_is_lost_to_a_wrong_specification() -> None:
    assert texts(table("{c}a & b & c \\\\ \\multicolumn{9}{c}{d} & e")) == [["a", "b", "c"], ["d", "e"]]


def test_pipe_tables() -> None:
    made = parse_pipe_table(["| a | b \\| c |", "|:-:|---|", "| 1 |", "2 | 3 | 4"], parse_inline)
    assert texts(made) == [["a", "b | c", ""], ["1", "", ""], ["2", "3", "4"]]
    assert made.header == 1


def test_spans_reach_html() -> None:
    drawn = str(
        render(
            "\\begin{tabular}{cc}\\multicolumn{2}{c}{x} \\\\ \\multirow{2}{*}{y} & a \\\\ & b\\end{tabular}",
            to="fragment",
        )
    )
    assert 'colspan="2"' in drawn
    assert 'rowspan="2"' in drawn
    assert drawn.count("<td") == 4
