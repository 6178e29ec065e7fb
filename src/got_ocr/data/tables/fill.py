"""Fill tables with made-up content: what stands in a column, which cells span, where rules run. Knows no notation or
pixels.

Every function takes `rng` first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from got_ocr.data import phrases
from got_ocr.data.latex.tree import Digits, Letter, Node, Plain, Row, Script, Symbol
from got_ocr.data.tables.grid import Cell, Content, Grid

Rng = np.random.Generator
RULES = ("all", "booktabs", "none", "horizontal", "vertical", "outer")


@dataclass(frozen=True, slots=True)
class Voice:
    """Say what the words of a table are taken from: `en` or `zh`, and the corpus split."""

    language: str
    split: str


def _integer(rng: Rng, _voice: Voice) -> Content:
    value = int(rng.integers(0, 10 ** int(rng.integers(1, 7))))
    return (f"{value:,}" if rng.random() < 0.4 else str(value),)


def _decimal(rng: Rng, _voice: Voice) -> Content:
    sign = "-" if rng.random() < 0.15 else ""
    return (f"{sign}{rng.random() * 10 ** int(rng.integers(0, 4)):.{int(rng.integers(1, 4))}f}",)


def _percent(rng: Rng, _voice: Voice) -> Content:
    return (f"{rng.random() * 100:.{int(rng.integers(0, 3))}f}%",)


def _money(rng: Rng, voice: Voice) -> Content:
    mark = "¥" if voice.language == "zh" else phrases.pick(rng, ("$", "€", "£"))
    return (f"{mark}{rng.random() * 10 ** int(rng.integers(1, 6)):,.2f}",)


def _date(rng: Rng, voice: Voice) -> Content:
    year, month, day = int(rng.integers(1950, 2035)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    if voice.language == "zh" and rng.random() < 0.5:
        return (f"{year}年{month}月{day}日",)
    long = f"{day} {phrases.MONTHS[month - 1]} {year}"
    return (phrases.pick(rng, (f"{year}-{month:02d}-{day:02d}", f"{month}/{day}/{year}", long, str(year))),)


def _code(rng: Rng, _voice: Voice) -> Content:
    letters = "".join(phrases.pick(rng, "ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(int(rng.integers(1, 4))))
    return (f"{letters}{phrases.pick(rng, ('-', '', '/', '_'))}{rng.integers(1, 10000)}",)


def _name(rng: Rng, voice: Voice) -> Content:
    return (phrases.zh_word(rng),) if voice.language == "zh" else (phrases.person(rng),)


def _words(rng: Rng, voice: Voice) -> Content:
    if voice.language == "zh":
        return ("".join(phrases.zh_word(rng) for _ in range(int(rng.integers(1, 3)))),)
    return (phrases.phrase(rng, voice.split, 1, 3),)


def _text(rng: Rng, voice: Voice) -> Content:
    if voice.language == "zh":
        return ("，".join(phrases.zh_word(rng) + phrases.zh_word(rng) for _ in range(int(rng.integers(1, 3)))),)
    return (phrases.phrase(rng, voice.split, 4, 10),)


def _range(rng: Rng, _voice: Voice) -> Content:
    low = int(rng.integers(0, 900))
    return (f"{low}-{low + int(rng.integers(1, 100))}",)


def _spread(rng: Rng, _voice: Voice) -> Content:
    digits = int(rng.integers(1, 3))
    value, error = f"{rng.random() * 100:.{digits}f}", f"{rng.random() * 3:.{digits}f}"
    return (Row((Digits(value), Symbol("pm"), Digits(error))),)


def _power(rng: Rng, _voice: Voice) -> Content:
    exponent: Node = Digits(str(int(rng.integers(2, 13))))
    exponent = Row((Plain("-"), exponent)) if rng.random() < 0.6 else exponent
    mantissa = f"{1 + rng.random() * 8.9:.{int(rng.integers(1, 3))}f}"
    return (Row((Digits(mantissa), Symbol("times"), Script(Digits("10"), sup=exponent))),)


def _quantity(rng: Rng, _voice: Voice) -> Content:
    greek = ("alpha", "beta", "gamma", "delta", "lambda", "mu", "sigma", "theta", "rho", "omega", "Delta", "Omega")
    base: Node = Symbol(phrases.pick(rng, greek))
    if rng.random() < 0.5:
        base = Letter(phrases.pick(rng, "abdfghkmnpqrstvxyzEFKLNPRTV"))
    kind = rng.random()
    if kind < 0.4:
        return (Script(base, sub=Digits(str(int(rng.integers(0, 10))))),)
    if kind < 0.6:
        return (Script(base, sup=Digits(str(int(rng.integers(2, 5))))),)
    sign = phrases.pick(rng, (Symbol("leq"), Symbol("geq"), Plain("="), Plain("<"), Plain(">"), Symbol("approx")))
    return (Row((base, sign, Digits(str(int(rng.integers(0, 100)))))),) if kind < 0.8 else (base,)


def _mark(rng: Rng, voice: Voice) -> Content:
    zh = ("是", "否", "有", "无", "-")
    return (phrases.pick(rng, zh if voice.language == "zh" else ("Yes", "No", "-", "N/A", "+", "x")),)


def _measure(rng: Rng, _voice: Voice) -> Content:
    units = (
        "h",
        "min",
        "s",
        "d",
        "kg",
        "g",
        "t",
        "m",
        "km",
        "cm",
        "mm",
        "l",
        "ml",
        "W",
        "kW",
        "V",
        "A",
        "Hz",
        "GB",
        "MB",
        "°C",
        "pcs",
        "%",
    )
    value = str(rng.integers(0, 1000)) if rng.random() < 0.6 else f"{rng.random() * 100:.{int(rng.integers(1, 3))}f}"
    return (f"{value} {phrases.pick(rng, units)}",)


def _time(rng: Rng, _voice: Voice) -> Content:
    hour, minute = int(rng.integers(0, 24)), int(rng.integers(0, 60))
    late = int(rng.integers(hour, 24))
    return (phrases.pick(rng, (f"{hour}:{minute:02d}", f"{hour:02d}:{minute:02d}", f"{hour}:00-{late}:30")),)


def _lower(rng: Rng, voice: Voice) -> Content:
    return (phrases.phrase(rng, voice.split, 1, 5).lower(),)


def _counted(rng: Rng, voice: Voice) -> Content:
    words = phrases.phrase(rng, voice.split, 1, 2)
    number = str(rng.integers(1, 100))
    return (phrases.pick(rng, (f"{words} {number}", f"{number} {words.lower()}", f"{words} ({number})", f"#{number}")),)


KINDS: Mapping[str, tuple[float, str, Callable[[Rng, Voice], Content]]] = MappingProxyType(
    {
        "integer": (3, "r", _integer),
        "decimal": (3, "r", _decimal),
        "percent": (1.5, "r", _percent),
        "money": (1, "r", _money),
        "date": (1, "c", _date),
        "code": (1, "l", _code),
        "name": (1, "l", _name),
        "words": (2.5, "l", _words),
        "text": (0.6, "l", _text),
        "range": (0.5, "c", _range),
        "spread": (0.7, "c", _spread),
        "power": (0.5, "c", _power),
        "quantity": (0.6, "c", _quantity),
        "mark": (0.5, "c", _mark),
    }
)

# What else stands in the tables of everyday life.
EVERYDAY: Mapping[str, tuple[float, str, Callable[[Rng, Voice], Content]]] = MappingProxyType(
    {
        "measure": (1.5, "r", _measure),
        "time": (0.7, "c", _time),
        "lower": (2, "l", _lower),
        "counted": (1, "l", _counted),
    }
)
ALL = MappingProxyType({**KINDS, **EVERYDAY})


def columns(rng: Rng, count: int, everyday: float = 0.0) -> tuple[str, ...]:
    """Choose what stands in each column; the first mostly holds names. everyday: share of columns of that sort."""
    weights = np.array([weight for weight, _, _ in KINDS.values()])
    chosen = [tuple(KINDS)[int(rng.choice(len(KINDS), p=weights / weights.sum()))] for _ in range(count)]
    if rng.random() < 0.7:
        chosen[0] = phrases.pick(rng, ("words", "words", "name", "code", "quantity", "date"))
    if everyday:
        weights = np.array([weight for weight, _, _ in EVERYDAY.values()])
        others = [tuple(EVERYDAY)[int(rng.choice(len(EVERYDAY), p=weights / weights.sum()))] for _ in chosen]
        chosen = [other if rng.random() < everyday else kind for kind, other in zip(chosen, others, strict=True)]
    return tuple(chosen)


def table(rng: Rng, voice: Voice, rows: int, width: int, rules: str, everyday: float = 0.0) -> Grid:
    """Make up a table of `rows` body rows and `width` columns under a heading, ruled as `RULES` names it. everyday: as in `columns`."""
    kinds = columns(rng, width, everyday)
    aligns = "".join(ALL[kind][1] for kind in kinds)
    if rng.random() < 0.35:
        aligns = phrases.pick(rng, "clc") * width
    cells, headers = _heading(rng, voice, width)
    cells += _body(rng, voice, kinds, rows, headers)
    grid = Grid(headers + rows, width, aligns, tuple(sorted(cells, key=lambda c: (c.row, c.column))), headers=headers)
    return _ruled(grid, rules)


def _title(rng: Rng, voice: Voice) -> Content:
    if rng.random() < 0.1:
        return _quantity(rng, voice)
    if voice.language == "zh":
        return (phrases.zh_word(rng),)
    unit = f" ({phrases.pick(rng, ('%', 'kg', 'cm', 'USD', 'ms', 'MB', 'n', 'h'))})" if rng.random() < 0.2 else ""
    return (phrases.phrase(rng, voice.split, 1, 2) + unit,)


def _heading(rng: Rng, voice: Voice, width: int) -> tuple[list[Cell], int]:
    """Make a heading of one row, or of two with groups above their columns."""
    if width < 3 or rng.random() < 0.65:
        return [Cell(0, column, _title(rng, voice)) for column in range(width)], 1
    cells: list[Cell] = []
    column = 0
    while column < width:
        span = int(rng.integers(1, 4))
        span = 1 if column == 0 or column + span > width else span
        if span == 1:
            cells.append(Cell(0, column, _title(rng, voice), rows=2))
        else:
            cells.append(Cell(0, column, _title(rng, voice), columns=span))
            cells += [Cell(1, place, _title(rng, voice)) for place in range(column, column + span)]
        column += span
    flat = all(cell.rows == 2 for cell in cells)
    return ([replace(cell, rows=1) for cell in cells], 1) if flat else (cells, 2)


def _body(rng: Rng, voice: Voice, kinds: tuple[str, ...], rows: int, start: int) -> list[Cell]:
    groups = _groups(rng, rows) if len(kinds) > 2 and rng.random() < 0.25 else [1] * rows
    total = rows > 2 and groups[-1] == 1 and len(kinds) > 2 and rng.random() < 0.15
    blank = float(rng.choice((0.0, 0.0, 0.05, 0.15)))
    cells: list[Cell] = []
    row = start
    for place, size in enumerate(groups):
        if total and place == len(groups) - 1:
            cells += _total(rng, voice, kinds, row)
            break
        cells.append(Cell(row, 0, ALL[kinds[0]][2](rng, voice), rows=size))
        for line in range(row, row + size):
            cells += [_filled(rng, voice, kinds, line, column, blank) for column in range(1, len(kinds))]
        row += size
    return cells


def _filled(rng: Rng, voice: Voice, kinds: tuple[str, ...], row: int, column: int, blank: float) -> Cell:
    return Cell(row, column, () if rng.random() < blank else ALL[kinds[column]][2](rng, voice))


def _groups(rng: Rng, rows: int) -> list[int]:
    sizes: list[int] = []
    while sum(sizes) < rows:
        sizes.append(min(int(rng.integers(1, 4)), rows - sum(sizes)))
    return sizes


def _total(rng: Rng, voice: Voice, kinds: tuple[str, ...], row: int) -> list[Cell]:
    span = int(rng.integers(2, len(kinds)))
    words = ("合计", "总计", "平均") if voice.language == "zh" else ("Total", "Average", "Sum", "All")
    word = phrases.pick(rng, words)
    first = Cell(row, 0, (word,), columns=span, align=phrases.pick(rng, "cl"))
    return [first, *(Cell(row, column, ALL[kinds[column]][2](rng, voice)) for column in range(span, len(kinds)))]


def _ruled(grid: Grid, rules: str) -> Grid:
    """Lay rules of a style on a grid, broken where cells span."""
    every = range(grid.columns)
    lines, bars = _STYLES[rules](grid)
    if any(cell.rows > 1 and cell.row >= grid.headers for cell in grid.cells):
        # Without rules between them, groups of rows could not be told from empty cells.
        lines |= {cell.row for cell in grid.cells if cell.column == 0 and cell.row > grid.headers} | {grid.headers}
    pieces = {(line, column) for line in lines for column in every}
    if rules in ("booktabs", "vertical") and grid.headers == 2:
        groups = (cell for cell in grid.cells if cell.row == 0 and cell.columns > 1)
        pieces |= {(1, column) for cell in groups for column in _under(cell)}
    inside = {(line, column) for cell in grid.cells for line in _crossed(cell) for column in _under(cell)}
    return replace(grid, bars=frozenset(bars), rules=frozenset(pieces - inside))


# Style to the horizontal lines and the columns with a vertical rule on their left.
_STYLES: Mapping[str, Callable[[Grid], tuple[set[int], set[int]]]] = MappingProxyType(
    {
        "all": lambda grid: (set(range(grid.rows + 1)), set(range(grid.columns + 1))),
        "horizontal": lambda grid: (set(range(grid.rows + 1)), set()),
        "booktabs": lambda grid: ({0, grid.headers, grid.rows}, set()),
        "vertical": lambda grid: ({0, grid.headers, grid.rows}, set(range(grid.columns + 1))),
        "outer": lambda grid: ({0, grid.rows}, {0, grid.columns}),
        "none": lambda _grid: (set(), set()),
    }
)


def _under(cell: Cell) -> range:
    return range(cell.column, cell.column + cell.columns)


def _crossed(cell: Cell) -> range:
    return range(cell.row + 1, cell.row + cell.rows)
