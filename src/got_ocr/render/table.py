"""LaTeX `tabular` and Markdown pipe tables -> a grid of cells with spans, alignment and borders.

Spans are clipped to the grid that the rows really fill, so that a span of 100,000 costs nothing. A cell that LaTeX
leaves empty below a `\\multirow` is dropped; one that is not empty ends the span, so that no text is lost. Knows no
output.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import Source
from got_ocr.render.limits import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from got_ocr.render.tree import Align, Cell, Inline, Table

TABULARS = frozenset(("tabular", "tabular*", "tabularx", "tabulary", "longtable", "tblr"))
_WIDTH_FIRST = frozenset(("tabular*", "tabularx", "tabulary"))
_ALIGN: dict[str, Align] = {"l": "left", "c": "center", "r": "right", "p": "left", "m": "left", "b": "left"}
_ALIGN.update({"X": "left", "S": "right", "L": "left", "C": "center", "R": "right", "J": "justify"})
_TOKEN = re.compile(
    r"""
      (?P<row>\\\\\*?(?:[ \t]*\[-?[\d.]+\s*[a-z]{2}\])?|\\tabularnewline(?![a-zA-Z])|\\cr(?![a-zA-Z]))
    | (?P<rule>\\(?:hline|toprule|midrule|bottomrule|hdashline|specialrule|Xhline|thickhline)(?![a-zA-Z]))
    | (?P<part>\\(?:cline|cmidrule|cdashline)\s*(?:\([a-z.\d]*\))?\s*
        \{\s*(?P<first>\d{1,6})\s*-\s*(?P<last>\d{1,6})\s*\})
    | (?P<silent>\\(?:end(?:first|last)?(?:head|foot)|noalign\s*\{[^{}]{0,99}\}|(?:row|cell)color(?:\[[^\]]{0,99}\])?\{[^{}]{0,99}\}))
    | (?P<begin>\\begin\s*\{)
    | (?P<maths>\\\()
    | (?P<escape>\\.)
    | (?P<cell>&)
    | (?P<brace>\{)
    """,
    re.X | re.S,
)
_MULTI = re.compile(r"\\multi(column|row)\s*(?:\[[a-z]{0,4}\])?\s*(?=\{)")
_ROW_OPTION = re.compile(r"\s*\[-?[\d.]+\s*[a-z]*\]")

InlineReader = Callable[[str], tuple[Inline, ...]]


@dataclass(slots=True)
class _Row:
    """One source row: its cells, and the columns ruled above it, as (first, last); (0, MAX_COLUMNS) for all."""

    cells: list[str] = field(default_factory=list)
    rules: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Placed:
    """One cell while spans are being settled."""

    source: str
    row: int
    column: int
    columns: int
    rows: int
    spec: str


def parse_table(name: str, body: str, inline: InlineReader) -> Table:
    """Read the body of `\\begin{name}`, column specification first. Raises RenderFailed over the caps of limits.py."""
    source = Source(body)
    _, at = source.option(0)
    if name in _WIDTH_FIRST:
        width = source.braced(at)
        at = width[1] if width else at
    spec = source.braced(at)
    aligns, bars = _columns(spec[0] if spec else "")
    rows = _rows(source, spec[1] if spec else at)
    columns = max(len(aligns), *(len(row.cells) for row in rows))
    if not aligns:
        columns = max(columns, min(MAX_COLUMNS, max(_width(row) for row in rows)))
    if len(rows) > MAX_ROWS or columns > MAX_COLUMNS or len(rows) * columns > MAX_CELLS:
        raise RenderFailed(f"the table has more than {MAX_ROWS} rows or {MAX_CELLS} cells")
    placed = _place(rows, columns)
    head = _header(rows, placed)
    return Table(_cells(placed, rows, aligns, bars, inline), columns, head)


def _columns(spec: str, depth: int = 0) -> tuple[list[Align], set[int]]:
    """Read `|l|*{2}{c}p{3cm}|`: the columns' alignment, and the columns with a bar on their left."""
    source, aligns, bars, at = Source(spec), list[Align](), set[int](), 0
    while at < len(spec) and len(aligns) < MAX_COLUMNS:
        char = spec[at]
        at += 1
        if char == "|":
            bars.add(len(aligns))
        elif char in "@!><":
            group = source.braced(at)
            at = group[1] if group else at
        elif char == "*" and depth < 3:
            count, at = source.braced(at) or ("", at)
            part, at = source.braced(at) or ("", at)
            times = int(count) if re.fullmatch(r"\d{1,4}", count.strip()) else 1
            inner, inner_bars = _columns(part, depth + 1)
            for _ in range(min(times, MAX_COLUMNS if inner else 1)):
                bars.update(len(aligns) + bar for bar in inner_bars)
                aligns.extend(inner)
        elif char in _ALIGN:
            aligns.append(_ALIGN[char])
            group = source.braced(at)
            at = group[1] if group else at
    return aligns[:MAX_COLUMNS], bars


def _rows(source: Source, at: int) -> list[_Row]:
    """Cut the body into rows and cells at marks that stand in no group, environment or formula."""
    text, rows, start, close = source.text, [_Row()], at, 0
    while match := _TOKEN.search(text, at):
        kind, at = match.lastgroup, match.end()
        if kind == "brace":
            at = (source.group(match.start()) or ("", at))[1]
        elif kind == "begin":
            environment = source.environment(match.start())
            at = environment.end if environment else at
        elif kind == "maths":
            # A formula that never closes is searched for once.
            close = text.find("\\)", at) if close >= 0 else -1
            at = max(at, close + 2)
        elif kind == "escape":
            continue
        else:
            rows[-1].cells.append(text[start : match.start()])
            start = at
            _end_cell(rows, match)
            if len(rows) > MAX_ROWS + 1:
                raise RenderFailed(f"the table has more than {MAX_ROWS} rows")
    rows[-1].cells.append(text[start:])
    return _trimmed(rows)


def _end_cell(rows: list[_Row], match: re.Match[str]) -> None:
    """Close a cell or row at its mark; a rule is noted and its surroundings stay one cell."""
    if match.lastgroup == "row":
        rows.append(_Row())
    elif match.lastgroup != "cell":
        if match["rule"]:
            rows[-1].rules.append((0, MAX_COLUMNS))
        elif match["part"]:
            rows[-1].rules.append((int(match["first"]) - 1, int(match["last"])))
        before = rows[-1].cells.pop()
        rows[-1].cells.append(before + "\0")


def _trimmed(rows: list[_Row]) -> list[_Row]:
    """Join the cells that a rule had cut, and keep the rules of a last empty row for the table's lower edge."""
    for row in rows:
        joined: list[str] = []
        for cell in row.cells:
            if joined and joined[-1].endswith("\0"):
                joined[-1] = joined[-1][:-1] + cell
            else:
                joined.append(cell)
        row.cells = [cell.replace("\0", "").strip() for cell in joined]
    return rows


def _width(row: _Row) -> int:
    return sum(_spans(cell)[0] for cell in row.cells)


def _spans(cell: str) -> tuple[int, int, str, str]:
    """Take `\\multicolumn` and `\\multirow` off a cell: (columns, rows, column specification, content)."""
    columns, rows, spec = 1, 1, ""
    for _ in range(2):
        match = _MULTI.match(cell)
        source = Source(cell) if match else None
        if match is None or source is None:
            break
        count = source.braced(match.end())
        second = _second(source, count[1]) if count else None
        third = _after_option(source, second[1]) if second else None
        if count is None or second is None or third is None or cell[third[1] :].strip():
            break
        amount = int(count[0]) if re.fullmatch(r"\s*-?\d{1,6}\s*", count[0]) else 1
        if match[1] == "column":
            columns, spec = min(max(1, amount), MAX_COLUMNS), second[0]
        else:
            rows = max(-MAX_ROWS, min(amount or 1, MAX_ROWS))
        cell = third[0].strip()
    return columns, rows, spec, cell


def _second(source: Source, at: int) -> tuple[str, int] | None:
    return source.argument(source.option(at)[1])


def _after_option(source: Source, at: int) -> tuple[str, int] | None:
    return source.braced(source.option(at)[1])


def _place(rows: list[_Row], columns: int) -> list[list[_Placed]]:
    """Give every cell its column; settle spans against each other and against the grid's edges."""
    last = len(rows)
    if rows and not any(rows[-1].cells):
        last -= 1
    grid: list[list[_Placed]] = []
    open_spans: dict[int, _Placed] = {}
    for index in range(last):
        line, column = list[_Placed](), 0
        for behind, cell in zip(range(len(rows[index].cells) - 1, -1, -1), rows[index].cells, strict=True):
            width, height, spec, content = _spans(cell)
            width = max(1, min(width, columns - column - behind))
            above = open_spans.get(column)
            if above is not None and above.row + above.rows > index and not content:
                column += width
                continue
            for place in range(column, column + width):
                _close(open_spans, place, index)
            placed = _Placed(content, index, column, width, min(max(1, height), last - index), spec)
            line.append(placed)
            open_spans.update(dict.fromkeys(range(column, column + width), placed))
            _raise_up(grid, placed, -height if height < 0 else 0)
            column += width
        grid.append(line)
    return grid


def _close(open_spans: dict[int, _Placed], column: int, row: int) -> None:
    above = open_spans.get(column)
    if above is not None:
        above.rows = min(above.rows, row - above.row)


def _raise_up(grid: list[list[_Placed]], placed: _Placed, height: int) -> None:
    """Let a `\\multirow{-n}` start where its empty cells above start."""
    for line in reversed(grid[max(0, placed.row - height + 1) :] if height else []):
        free = next((c for c in line if c.column == placed.column and c.columns == placed.columns), None)
        if free is None or free.source or free.rows != 1:
            break
        line.remove(free)
        placed.row -= 1
        placed.rows += 1


def _header(rows: list[_Row], placed: list[list[_Placed]]) -> int:
    """Count the rows above the first rule that runs across the whole table, if they are few.

    A head takes in the rows that its cells span, since a cell cannot reach from a table's head into its body.
    """
    count = next((at for at in range(1, min(4, len(placed))) if (0, MAX_COLUMNS) in rows[at].rules), 0)
    reach = count
    for at in range(len(placed)):
        if at < reach:
            reach = max([reach, *(cell.row + cell.rows for cell in placed[at])])
    return reach if reach < min(6, len(placed)) else 0


def _cells(
    placed: list[list[_Placed]], rows: list[_Row], aligns: Sequence[Align], bars: set[int], inline: InlineReader
) -> tuple[tuple[Cell, ...], ...]:
    grid: list[list[Cell]] = [[] for _ in placed]
    for item in (cell for line in placed for cell in line):
        below = item.row + item.rows
        own, own_bars = _columns(item.spec)
        align = own[0] if own else aligns[item.column] if item.column < len(aligns) else "left"
        left = 0 in own_bars if item.spec else item.column in bars
        right = len(own) in own_bars if item.spec else item.column + item.columns in bars
        top = _ruled(rows[item.row], item.column)
        bottom = below < len(rows) and _ruled(rows[below], item.column)
        borders = "".join(side for side, on in zip("lrtb", (left, right, top, bottom), strict=True) if on)
        grid[item.row].append(Cell(item.column, item.columns, item.rows, align, borders, inline(item.source)))
    return tuple(tuple(sorted(line, key=lambda cell: cell.column)) for line in grid)


def _ruled(row: _Row, column: int) -> bool:
    return any(first <= column < last for first, last in row.rules)


_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*\Z")


def is_pipe_delimiter(line: str) -> bool:
    """Tell whether the line is `|---|:-:|`, the second line of a Markdown table."""
    return "-" in line and len(line) < 2000 and _DELIMITER.match(line) is not None


def parse_pipe_table(lines: Sequence[str], inline: InlineReader) -> Table:
    """Read a Markdown table: head, delimiter line, rows. Raises RenderFailed over the caps of limits.py."""
    marks = _pipe_cells(lines[1])
    aligns = [_pipe_align(mark) for mark in marks]
    rows = [_pipe_cells(line) for index, line in enumerate(lines) if index != 1]
    columns = max(len(row) for row in rows)
    if len(rows) > MAX_ROWS or columns > MAX_COLUMNS or len(rows) * columns > MAX_CELLS:
        raise RenderFailed(f"the table has more than {MAX_ROWS} rows or {MAX_CELLS} cells")
    grid = tuple(
        tuple(
            Cell(at, 1, 1, aligns[at] if at < len(aligns) else "left", "t" * (row is rows[0]) + "b", inline(text))
            for at, text in enumerate([*row, *[""] * (columns - len(row))])
        )
        for row in rows
    )
    return Table(grid, columns, 1)


def _pipe_cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    cells = re.split(r"(?<!\\)\|", inner)
    if cells and not cells[-1].strip():
        cells.pop()
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _pipe_align(mark: str) -> Align:
    if mark.endswith(":"):
        return "center" if mark.startswith(":") else "right"
    return "left"
