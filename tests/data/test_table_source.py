"""Tables: labels parse back to the grid they were written from, and pictures show its text, spans and rules."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from got_ocr.data import fonts
from got_ocr.data.latex.tree import Digits, Plain, Row, Script, Symbol
from got_ocr.data.sources.table import TableSource
from got_ocr.data.tables import draw, fill, ink, label, markup
from got_ocr.data.tables.grid import Cell, Grid
from got_ocr.data.tools import typst
from got_ocr.errors import InvalidValue, MissingDependency

CLEAN = TableSource(clean_fraction=1.0, zh=0.0)
ENGLISH = fill.Voice("en", "train")


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def grids(count: int, voice: fill.Voice = ENGLISH) -> list[Grid]:
    chosen = [rng(7, index) for index in range(count)]
    return [
        fill.table(one, voice, int(one.integers(2, 9)), int(one.integers(2, 7)), fill.RULES[index % len(fill.RULES)])
        for index, one in enumerate(chosen)
    ]


def look(size: int = 20) -> draw.Look:
    font = next(font for font in fonts.index() if font.family == "DejaVu Sans" and font.style == "Book")
    face = ink.Face(font, size)
    return draw.Look(face, face, pad=(10, 5), margin=12, limit=240, rule=1, thick=1)


def spans(grid: Grid) -> set[tuple[int, int, int, int, str]]:
    return {(cell.row, cell.column, cell.rows, cell.columns, label.content(cell.content)) for cell in grid.cells}


def read_tabular(text: str) -> tuple[str, set[tuple[int, int, int, int, str]], set[tuple[int, int]]]:
    """Parse a tabular: its column specification, its cells (row, column, rows, columns, text) and its rule pieces."""
    head = re.fullmatch(r"\\begin\{tabular\}\{([|lcr]+)\}\n(.*)\n\\end\{tabular\}", text, re.DOTALL)
    assert head is not None
    width = len(head[1].replace("|", ""))
    rules, cells, covered = set(), set(), set()
    row = 0
    for line in re.split(r"\\\\(?:\n|$)", head[2] + "\n"):
        body = line.strip()
        while mark := re.match(r"\\hline\b ?|\\cline\{(\d+)-(\d+)\} ?", body):
            first, last = (int(mark[1]), int(mark[2])) if mark[1] else (1, width)
            rules |= {(row, column) for column in range(first - 1, last)}
            body = body[mark.end() :]
        if not body:
            continue
        column = 0
        for part in re.split(r"(?<!\\)&", body):
            part, across, down = part.strip(), 1, 1
            if many := re.fullmatch(r"\\multicolumn\{(\d+)\}\{\|?[lcr]\|?\}\{(.*)\}", part):
                across, part = int(many[1]), many[2]
            if many := re.fullmatch(r"\\multirow\{(\d+)\}\{\*\}\{(.*)\}", part):
                down, part = int(many[1]), many[2]
            if (row, column) not in covered:
                cells.add((row, column, down, across, part))
                covered |= {(r, c) for r in range(row, row + down) for c in range(column, column + across)}
            else:
                assert part == "", "a place that a span covers must be empty"
            column += across
        assert column == width, line
        row += 1
    return head[1], cells, rules


class Reader(HTMLParser):
    """Read the cells of an HTML table as browsers place them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.row = -1
        self.cells: list[list[object]] = []
        self.covered: set[tuple[int, int]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        sizes = {name: int(value or 1) for name, value in attrs}
        if tag == "tr":
            self.row += 1
        if tag == "td":
            column = 0
            while (self.row, column) in self.covered:
                column += 1
            down, across = sizes.get("rowspan", 1), sizes.get("colspan", 1)
            self.cells.append([self.row, column, down, across, ""])
            self.covered |= {(r, c) for r in range(self.row, self.row + down) for c in range(column, column + across)}

    def handle_data(self, data: str) -> None:
        self.cells[-1][4] = f"{self.cells[-1][4]}{data}"

    def handle_entityref(self, name: str) -> None:
        self.handle_data(unescape(f"&{name};"))


def test_the_same_seed_gives_the_same_bytes() -> None:
    source = TableSource()
    for seed in range(8):
        first, second = source(rng(seed)), source(rng(seed))
        assert first.target == second.target
        assert first.images[0].tobytes() == second.images[0].tobytes()
    assert len({source(rng(seed)).target for seed in range(12)}) == 12


def test_latex_labels_parse_back_to_their_grid() -> None:
    seen = set()
    for grid in grids(150):
        columns, cells, rules = read_tabular(label.tabular(grid))
        assert columns.replace("|", "") == grid.aligns
        assert cells == spans(grid)
        assert rules == grid.rules
        bars = {len(columns[:place].replace("|", "")) for place, char in enumerate(columns) if char == "|"}
        assert bars == grid.bars
        seen |= {(cell.rows > 1, cell.columns > 1) for cell in grid.cells}
    assert {(False, False), (True, False), (False, True)} <= seen


def test_html_labels_parse_back_to_their_grid() -> None:
    for grid in grids(60):
        reader = Reader()
        reader.feed(label.html(grid))
        plain = {cell[:4] for cell in spans(grid)}
        assert {tuple(cell[:4]) for cell in reader.cells} == plain
        texts = {
            (cell.row, cell.column): " ".join(p for p in cell.content if isinstance(p, str)) for cell in grid.cells
        }
        for row, column, _, _, text in reader.cells:
            assert "\\(" in str(text) or text == texts[row, column]


def test_special_characters_are_escaped_in_either_notation() -> None:
    cells = (Cell(0, 0, ("R&D_50%",)), Cell(0, 1, ("<$#>",)))
    grid = Grid(1, 2, "ll", cells, headers=0)
    assert "R\\&D\\_50\\% & <\\$\\#>" in label.tabular(grid)
    assert "<td>R&amp;D_50%</td><td>&lt;$#&gt;</td>" in label.html(grid)


def test_a_span_of_both_kinds_and_broken_rules_are_written_as_latex_has_them() -> None:
    cells = (Cell(0, 0, ("A",), rows=2, columns=2), Cell(0, 2, ("B",)), Cell(1, 2, ("C",)))
    rules = frozenset({(0, 0), (0, 1), (0, 2), (1, 2), (2, 0), (2, 1), (2, 2)})
    grid = Grid(2, 3, "ccr", cells, frozenset(range(4)), rules)
    assert label.tabular(grid) == "\n".join(
        (
            "\\begin{tabular}{|c|c|r|}",
            "\\hline \\multicolumn{2}{|c|}{\\multirow{2}{*}{A}} & B \\\\",
            "\\cline{3-3} \\multicolumn{2}{|c|}{} & C \\\\",
            "\\hline",
            "\\end{tabular}",
        )
    )


def test_grids_that_overlap_or_gape_are_refused() -> None:
    with pytest.raises(InvalidValue, match="exactly once"):
        Grid(1, 2, "cc", (Cell(0, 0, columns=2), Cell(0, 1)))
    with pytest.raises(InvalidValue, match="exactly once"):
        Grid(1, 2, "cc", (Cell(0, 0),))
    with pytest.raises(InvalidValue, match="alignment"):
        Grid(1, 1, "x", (Cell(0, 0),))
    with pytest.raises(InvalidValue, match="runs through"):
        Grid(2, 1, "c", (Cell(0, 0, rows=2),), rules=frozenset({(1, 0)}))


def test_every_cell_is_in_the_picture() -> None:
    chooser = rng(3)
    for grid in grids(24):
        before = draw.draw(grid, look())
        place = int(chooser.integers(len(grid.cells)))
        cells = list(grid.cells)
        cells[place] = replace(cells[place], content=("Qqqqq8",))
        after = draw.draw(replace(grid, cells=tuple(cells)), look())
        assert before.size != after.size or before.tobytes() != after.tobytes()


def test_text_stays_within_its_cell() -> None:
    for grid in grids(30):
        seen = look()
        layout = draw.arrange(grid, seen)
        for cell in grid.cells:
            wide = layout.xs[cell.column + cell.columns] - layout.xs[cell.column] - 2 * seen.pad[0]
            tall = layout.ys[cell.row + cell.rows] - layout.ys[cell.row]
            texts = layout.texts[cell.row, cell.column]
            assert all(line.width <= wide for line in texts)
            assert len(texts) * seen.body.size * seen.leading <= tall


def test_broken_lines_hold_the_whole_text() -> None:
    words = "one two three four five six seven eight nine ten"
    broken = ink.lines((words,), look().body, 120)
    assert len(broken) > 3
    assert " ".join(line.pieces[0].text for line in broken) == words
    assert all(line.width <= 120 for line in broken)


def test_rules_are_drawn_where_the_grid_has_them_and_nowhere_else() -> None:
    seen = replace(look(), line=(200, 0, 0), ink=(0, 0, 0))
    for grid in grids(18):
        pixels = np.asarray(draw.draw(grid, seen)).astype(int)
        red = (pixels[:, :, 0] > 150) & (pixels[:, :, 1] < 60)
        layout = draw.arrange(grid, seen)
        for line in range(grid.rows + 1):
            for column in range(grid.columns):
                middle = (layout.xs[column] + layout.xs[column + 1]) // 2
                drawn = red[layout.ys[line] - 1 : layout.ys[line] + 2, middle].any()
                assert drawn == ((line, column) in grid.rules), (line, column)
        for bar in range(grid.columns + 1):
            for row in range(grid.rows):
                left, right = grid.at.get((row, bar - 1)), grid.at.get((row, bar))
                open_here = bar in grid.bars and (left is None or left != right)
                quarter = layout.ys[row] + 3
                drawn = red[quarter : quarter + 2, layout.xs[bar] - 1 : layout.xs[bar] + 2].any()
                assert drawn == open_here, (row, bar)


def test_formulas_in_cells_are_raised_lowered_and_complete() -> None:
    exponent = Row((Plain("-"), Digits("3")))
    formula = Row((Digits("4.2"), Symbol("times"), Script(Digits("10"), sup=exponent)))
    line = ink.lines((formula,), look().body, 100)[0]
    assert [piece.text for piece in line.pieces] == ["4.2", "×", "10", "−", "3"]
    assert [piece.y < 0 for piece in line.pieces] == [False, False, False, True, True]
    assert all(one.x < two.x for one, two in zip(line.pieces, line.pieces[1:], strict=False))
    assert label.content((formula,)) == "\\( 4.2\\times10^{-3} \\)"


def ink_on_edge(image: Image.Image, width: int) -> bool:
    pixels = np.asarray(image).astype(int)
    ink_here = np.abs(pixels - pixels[0, 0]).max(axis=2) > 40
    return bool(
        ink_here[:width].any() or ink_here[-width:].any() or ink_here[:, :width].any() or ink_here[:, -width:].any()
    )


def test_ink_keeps_clear_of_the_edges() -> None:
    engines = set()
    for seed in range(40):
        sample = CLEAN(rng(2, seed))
        engines.add(sample.meta["engine"])
        assert not ink_on_edge(sample.images[0], 4), seed
    assert engines == {"pillow", "typst"}


def test_fonts_draw_every_character() -> None:
    source = TableSource(zh=0.4, typeset=0.0, clean_fraction=1.0)
    for seed in range(25):
        sample = source(rng(9, seed))
        facts = sample.meta["fonts"]
        assert isinstance(facts, list)
        font = next(font for font in fonts.index() if font.facts == facts[0])
        needed = frozenset(char for char in re.sub(r"\\\(.*?\\\)", "", sample.target) if not char.isspace())
        assert fonts.covered(font, needed) == needed, facts


PAGE = "#set page(width: auto, height: auto, margin: 5pt)\n#set table(stroke: none)\n#"


def typeset(grid: Grid) -> Image.Image:
    pytest.importorskip("typst", reason="the typst wheel is not installed")
    pages = typst.draw(PAGE + markup.table(grid), 60)
    assert len(pages) == 1
    return pages[0]


def test_every_cell_of_a_typeset_table_is_in_the_picture() -> None:
    for made in grids(12):
        before = typeset(made)
        after = typeset(replace(made, cells=(replace(made.cells[0], content=("Qqqqq8",)), *made.cells[1:])))
        assert before.size != after.size or before.tobytes() != after.tobytes()


def test_typeset_cells_span_columns_and_rows() -> None:
    heading = Cell(0, 0, ("A rather long heading",), columns=2)
    alone = typeset(Grid(1, 1, "l", (replace(heading, columns=1),)))
    spanned = typeset(Grid(2, 2, "ll", (heading, Cell(1, 0, ("a",)), Cell(1, 1, ("b",)))))
    assert spanned.width < alone.width * 1.1
    tall = typeset(Grid(4, 2, "ll", (Cell(0, 0, ("A",), rows=4), *(Cell(row, 1, ("b",)) for row in range(4)))))
    rows = np.flatnonzero((np.asarray(tall.convert("L")) < 128)[:, : tall.width // 2].any(axis=1))
    assert abs(rows.mean() / tall.height - 0.5) < 0.08


def test_headers_take_their_own_font() -> None:
    seen = look()
    bold = next(font for font in fonts.index() if font.family == "DejaVu Sans" and font.style == "Bold")
    grid = grids(1)[0]
    assert draw.draw(grid, replace(seen, head=ink.Face(bold, 20))).tobytes() != draw.draw(grid, seen).tobytes()


def test_groups_of_rows_are_told_from_empty_cells_by_rules() -> None:
    for grid in grids(300):
        for cell in grid.cells:
            if cell.rows > 1 and cell.row > grid.headers:
                assert (cell.row, cell.column) in grid.rules


def test_chinese_tables_are_drawn_in_chinese_fonts() -> None:
    try:
        fonts.pool("zh")
    except MissingDependency:
        pytest.skip("no Chinese font is installed")
    sample = TableSource(zh=1.0, clean_fraction=1.0)(rng(6))
    assert sample.meta["language"] == "zh"
    assert re.search("[\u4e00-\u9fff]", sample.target)


def test_the_html_option_answers_in_html() -> None:
    source = TableSource(label="html", zh=0.0)
    assert source(rng(1)).target.startswith("<table><tr><td")
    assert source(rng(1)).images[0].tobytes() == TableSource(zh=0.0)(rng(1)).images[0].tobytes()


@pytest.mark.parametrize(
    "options",
    [{"label": "csv"}, {"max_rows": 1}, {"max_columns": 0}, {"zh": 1.5}, {"typeset": -1.0}, {"strength": 7.0}],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        TableSource(**options)  # type: ignore[arg-type]
