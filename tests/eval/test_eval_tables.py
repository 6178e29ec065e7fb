"""Tables of LaTeX and HTML as trees, and TEDS on cases whose edits can be counted by hand."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr.eval.tables import Cell, Table, find_tables
from got_ocr.eval.teds import MAX_NODES, compare, score_tables


def latex(body: str, columns: str = "{|c|c|}") -> str:
    return f"\\begin{{tabular}}{columns}{body}\\end{{tabular}}"


def cells(text: str) -> list[list[str]]:
    (table,) = find_tables(text)
    return [[cell.text for cell in row] for row in table.rows]


def grid(rows: int, columns: int) -> Table:
    return Table(tuple(tuple(Cell(f"{r}.{c}") for c in range(columns)) for r in range(rows)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"\hline a & b \\ \hline c & d \\ \hline", [["a", "b"], ["c", "d"]]),
        (r"a & b \\[2pt] c & d", [["a", "b"], ["c", "d"]]),
        (r"a & b \\ [c] & d", [["a", "b"], ["[c]", "d"]]),
        (r"R\&D & {a & b} \\", [["R&D", "{a & b}"]]),
        (r"a & \\ & b \\ \cline{1-2}\cmidrule(lr){1-2}", [["a", ""], ["", "b"]]),
        (r"\toprule x & \(\begin{array}{c} 1 & 2 \\ 3 \end{array}\) \\ \bottomrule", None),
        (r"a \tabularnewline b", [["a"], ["b"]]),
        ("", []),
    ],
)
def test_latex_rows_and_cells(body: str, expected: list[list[str]] | None) -> None:
    expected = expected or ([["x", r"\(\begin{array}{c} 1 & 2 \\ 3 \end{array}\)"]] if body else [])
    assert cells(latex(body)) == expected


def test_column_specifications_of_every_kind_are_skipped() -> None:
    assert cells(latex("a & b", "[t]{|p{2cm}|@{}c|}")) == [["a", "b"]]
    assert cells("\\begin{tabularx}{\\textwidth}{XX}a & b\\end{tabularx}") == [["a", "b"]]
    assert cells("\\begin{tabular} {c} a") == [["a"]]  # never closed


def test_spans_of_latex_and_html_agree() -> None:
    tex = latex(
        r"\multirow{2}{*}{A} & \multicolumn{2}{c|}{B} \\ \cline{2-3} & c & d \\ \multirow[t]{2}*{x} & y & z \\ & p & q"
    )
    html = (
        "<table><thead><tr><th rowspan=2>A</th><th colspan='2'>B</th></tr></thead><tbody><tr><td>c</td><td>d</td></tr>"
        '<tr><td rowspan="2">x<td>y<td>z<tr><td>p</td><td>q</td></tr></table>'
    )
    (ours,), (theirs,) = find_tables(tex), find_tables(html)
    assert ours == theirs
    assert ours.rows[0] == (Cell("A", 1, 2), Cell("B", 2, 1))
    assert ours.rows[1] == (Cell("c"), Cell("d"))


def test_html_entities_line_breaks_and_inner_tables() -> None:
    assert cells("<TABLE><tr><td>a &amp; b<br>1 < 2</td></tr></TABLE>") == [["a & b 1 < 2"]]
    assert cells("<table><tr><td>x<table><tr><td>in</td></tr></table></td><td>y</td></tr></table>") == [["xin", "y"]]
    assert cells("<table><td>no row") == [["no row"]]


def test_tables_are_found_in_order_and_formulas_are_none() -> None:
    text = latex("a") + " text " + latex("b & c") + r"\begin{array}{c} 1 \end{array}"
    assert [[c.text for c in t.rows[0]] for t in find_tables(text)] == [["a"], ["b", "c"]]
    assert find_tables("plain") == ()


@settings(max_examples=200)
@given(st.text(alphabet="&{}\\[]<>/tdr2 x", max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    find_tables(latex(text))
    find_tables(f"<table>{text}")
    find_tables(text)


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<![", '<td a="', "&", "</", "\\begin{tabular}", "{", "\\multirow{", "\\cline(", "\\multirow{2}{*}{a}&"],
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    start = time.process_time()
    find_tables("<table>" + piece * (200_000 // len(piece)))
    find_tables("\\begin{tabular}{c}" + piece * (200_000 // len(piece)))
    assert time.process_time() - start < 5  # 0.3 s at most when measured; the standard parser needed 18 s for one


def test_teds_of_equal_tables_is_one() -> None:
    text = latex(r"a & b \\ c & d")
    assert score_tables(text, text) == (1.0, 1.0)


def test_teds_of_one_changed_cell() -> None:
    # 2 rows + 4 cells; "cat" -> "cut" costs a third of one node
    score = score_tables(latex(r"cat & b \\ c & d"), latex(r"cut & b \\ c & d"))
    assert score is not None
    assert score.teds == pytest.approx(1 - (1 / 3) / 6)
    assert score.structure == 1.0


def test_teds_of_a_missing_row_and_of_a_lost_span() -> None:
    score = compare(grid(1, 2), grid(2, 2))
    assert score == (pytest.approx(0.5), pytest.approx(0.5))  # one row and its two cells of six nodes
    span = compare(Table(((Cell("a"),),)), Table(((Cell("a", columns=2),),)))
    assert span == (0.5, 0.5)  # one of two nodes


def test_teds_counts_missing_and_surplus_tables() -> None:
    one, two = latex("a"), latex("a") + latex("b")
    assert score_tables(one, two) == (0.5, 0.5)
    assert score_tables(two, one) == (0.5, 0.5)
    assert score_tables("no table", one) == (0.0, 0.0)
    assert score_tables(one, "no table") is None


def test_teds_guards_against_large_tables() -> None:
    large = latex(r"x \\" * (MAX_NODES + 1))
    assert score_tables(large, latex("x")) == (0.0, 0.0)  # a runaway answer costs the reader
    assert score_tables(latex("x"), large) is None  # a reference over the limit costs nobody


TABLES = st.lists(st.lists(st.sampled_from(["", "a", "ab", "c"]), max_size=3), max_size=3).map(
    lambda rows: Table(tuple(tuple(Cell(c) for c in row) for row in rows))
)


@settings(max_examples=60, deadline=None)
@given(TABLES, TABLES)
def test_teds_is_symmetric_and_bounded(first: Table, second: Table) -> None:
    score, mirrored = compare(first, second), compare(second, first)
    assert score == pytest.approx(mirrored)
    assert 0 <= score.teds <= score.structure + 1e-9
    assert score.structure <= 1
    assert (score.teds == 1) == (first == second)


def test_escaped_signs_are_the_signs_that_they_print() -> None:
    (table,) = find_tables("\\begin{tabular}{cc}\n50\\% \\& \\$3 & a\\_b \\#1 \\( x\\_y \\) \\\\\n\\end{tabular}")
    assert [cell.text for cell in table.rows[0]] == ["50% & $3", "a_b #1 \\( x\\_y \\)"]
