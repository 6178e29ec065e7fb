r"""Tables as trees: LaTeX `tabular` and HTML tables become the same `Table` of rows of cells.

Small readers for scoring only: they keep a cell's text and spans, drop rules and section tags, never fail, and are
linear in the length of the text. Knows no score.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

MAX_CHARS = 200_000
_MAX_SPAN = 200

_TABULAR = re.compile(r"\\(begin|end)\s*\{(tabular[*x]?|array)\}")
# A cell break, a row break (with its optional height), an escaped character or other command, or a brace.
_PIECE = re.compile(
    r"\\\\\*?(?:\s*\[\s*-?[0-9.]{1,8}\s*(?:pt|ex|em|mm|cm|in|bp|pc|sp)\s*\])?|\\tabularnewline\b|\\[a-zA-Z]+\*?|\\.|[{}&]",
    re.S,
)
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfoot|(?:cline|cmidrule|hhline)\s*(?:\([^()]*\))?\s*\{[^{}]*\})"
)
_FORMULA = re.compile(r"(\\\(.*?\\\))", re.S)
_ESCAPED = re.compile(r"\\([%$&_#])")
_SPACE = re.compile(r"\s+")
# Own scanning in linear time: the standard parser takes quadratic time on, or stops at, broken markup that a model
# may write.
_TAG = re.compile(r"<(/?)([a-zA-Z!][a-zA-Z0-9]*)([^<>]*)>")
_SPAN = re.compile(r"""\b(colspan|rowspan)\s*=\s*["']?\s*([0-9]+)""", re.I)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, white space collapsed, and how many columns and rows it covers."""

    text: str
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells in reading order; cells hidden under a span are absent, as in HTML."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def size(self) -> int:
        """Count rows and cells: the nodes of the tree below its root."""
        return len(self.rows) + sum(len(row) for row in self.rows)


def find_tables(text: str) -> tuple[Table, ...]:
    """Read every table of `text` in order: HTML ones if there are any, else LaTeX. Cuts text at `MAX_CHARS`."""
    text = text[:MAX_CHARS]
    if re.search(r"<table\b", text, re.I):
        return tuple(_HtmlTables().read(text))
    return tuple(_latex_table(body) for body in _tabular_bodies(text))


def _tabular_bodies(text: str) -> Iterator[str]:
    """Yield the inside of each outermost tabular, column specification removed; an unclosed one runs to the end."""
    depth, start = 0, 0
    for match in _TABULAR.finditer(text):
        if match[1] == "begin":
            if match[2] == "array" and depth == 0:
                continue  # an array outside a table is a formula
            if depth == 0:
                start = _after_arguments(text, match.end(), 2 if match[2] in ("tabular*", "tabularx") else 1)
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield text[start : match.start()]
    if depth:
        yield text[start:]


def _after_arguments(text: str, position: int, count: int) -> int:
    """Skip an optional [..] and up to `count` {..}; returns the index behind them."""
    optional = re.compile(r"\s*\[[^\]]*\]").match(text, position)
    position = optional.end() if optional else position
    for _ in range(count):
        found = _argument(text, position)
        if found is None:
            break
        position = found[1]
    return position


def _argument(text: str, position: int) -> tuple[str, int] | None:
    """Read one balanced {..} after white space; returns its inside and the index behind it."""
    while position < len(text) and text[position].isspace():
        position += 1
    if position >= len(text) or text[position] != "{":
        return None
    depth, index = 0, position
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        index += 1
        if depth == 0:
            return text[position + 1 : index - 1], index
    return None


def _latex_table(body: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    covered: dict[int, int] = {}  # column -> rows still hidden under a \multirow from above
    for raw in _latex_rows(_RULES.sub(" ", body)):
        rows.append(_place(raw, covered))
    return Table(tuple(rows))


def _latex_rows(body: str) -> Iterator[list[str]]:
    """Cut at `&` and `\\\\` outside braces and inner environments; an empty last row is dropped."""
    cells, start, depth = [""], 0, 0
    for match in _PIECE.finditer(body):
        piece = match[0]
        if piece in ("{", "\\begin"):
            depth += 1
        elif piece in ("}", "\\end"):
            depth = max(0, depth - 1)
        elif depth == 0 and piece == "&":
            cells[-1] = body[start : match.start()]
            cells.append("")
            start = match.end()
        elif depth == 0 and (piece.startswith("\\\\") or piece == "\\tabularnewline"):
            cells[-1] = body[start : match.start()]
            yield cells
            cells, start = [""], match.end()
    cells[-1] = body[start:]
    if len(cells) > 1 or cells[0].strip():
        yield cells


def _place(raw: list[str], covered: dict[int, int]) -> tuple[Cell, ...]:
    """Turn raw cells into `Cell`s; an empty one under a multirow is what LaTeX needs and HTML has not, so it goes."""
    row: list[Cell] = []
    column = 0
    for text in raw:
        cell = _latex_cell(text)
        hidden = covered.get(column, 0) > 0
        for c in range(column, column + cell.columns):
            covered[c] = covered.get(c, 0) - 1 if hidden else cell.rows - 1
        if not (hidden and not cell.text):
            row.append(cell)
        column += cell.columns
    return tuple(row)


def _latex_cell(text: str) -> Cell:
    columns = rows = 1
    text = text.strip()
    for _ in range(3):  # \multicolumn around \multirow or the other way round
        if text.startswith("\\multicolumn"):
            first, inside = _span(text, len("\\multicolumn"))
            columns, text = first or columns, inside
        elif text.startswith("\\multirow"):
            first, inside = _span(re.sub(r"^\\multirow\s*\[[^\]]*\]", r"\\multirow", text), len("\\multirow"))
            rows, text = first or rows, inside
    return Cell(_plain(_unescaped(text)), columns, rows)


def _span(text: str, position: int) -> tuple[int, str]:
    """Read {count}{..}{content} from `position`; returns (0, rest) when it is not that."""
    arguments: list[str] = []
    for _ in range(3):
        found = _argument(text, position)
        if found is None:
            star = re.compile(r"\s*\*").match(text, position)  # \multirow{2}*{..} is accepted by LaTeX
            if star is None or len(arguments) != 1:
                return 0, text[position:]
            arguments.append("*")
            position = star.end()
            continue
        arguments.append(found[0])
        position = found[1]
    return _count(arguments[0]), (arguments[2] + text[position:]).strip()


def _count(text: str) -> int:
    digits = text.strip()
    return min(max(int(digits), 1), _MAX_SPAN) if re.fullmatch(r"[0-9]{1,6}", digits) else 1


def _unescaped(text: str) -> str:
    r"""Write `\%`, `\$`, `\&`, `\_` and `\#` as the signs that they print, outside formulas."""
    return "".join(part if part.startswith("\\(") else _ESCAPED.sub(r"\1", part) for part in _FORMULA.split(text))


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


class _HtmlTables:
    """Collect outermost tables; an inner table gives its text to the cell around it."""

    def __init__(self) -> None:
        self._done: list[Table] = []
        self._depth = 0
        self._rows: list[list[Cell]] = []
        self._text: list[str] = []
        self._spans: tuple[int, int] | None = None

    def read(self, text: str) -> list[Table]:
        """Return the tables of `text`, an unclosed one included."""
        position = 0
        for match in _TAG.finditer(text):
            self._data(text[position : match.start()])
            (self._end if match[1] else self._start)(match[2].lower(), match[3])
            position = match.end()
        self._data(text[position:])
        if self._depth:
            self._close_cell()
            self._close_table()
        return self._done

    def _start(self, tag: str, attributes: str) -> None:
        if tag == "table":
            self._depth += 1
        elif self._depth == 1 and tag in ("tr", "td", "th"):
            self._close_cell()
            if tag == "tr" or not self._rows:
                self._rows.append([])
            if tag != "tr":
                named = {name.lower(): value for name, value in _SPAN.findall(attributes)}
                self._spans = (_count(named.get("colspan", "1")), _count(named.get("rowspan", "1")))
        elif tag == "br":
            self._data(" ")

    def _end(self, tag: str, _attributes: str) -> None:
        if self._depth == 1 and tag in ("tr", "td", "th", "table"):
            self._close_cell()
        if tag == "table" and self._depth:
            self._depth -= 1
            if self._depth == 0:
                self._close_table()

    def _data(self, text: str) -> None:
        if self._spans is not None:
            self._text.append(unescape(text))

    def _close_cell(self) -> None:
        if self._spans is not None:
            self._rows[-1].append(Cell(_plain("".join(self._text)), *self._spans))
        self._spans, self._text = None, []

    def _close_table(self) -> None:
        self._done.append(Table(tuple(tuple(row) for row in self._rows)))
        self._rows = []
