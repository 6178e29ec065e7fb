"""The table tree: cells, spans and rules on a grid, before any notation.

Holds frozen values and their checks. Knows no LaTeX, HTML, font or pixels, nor what a cell holds: words that are to be drawn, or the
boxes of the lines that were found. Every writer walks the same grid.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from got_ocr.errors import InvalidValue

Part = TypeVar("Part", covariant=True)


@dataclass(frozen=True)
class Cell(Generic[Part]):
    """Fill `rows` x `columns` places from (row, column) on with parts that stand side by side with a space between."""

    row: int
    column: int
    content: tuple[Part, ...] = ()
    rows: int = 1
    columns: int = 1
    align: str = "c"

    @property
    def places(self) -> list[tuple[int, int]]:
        """List the places that the cell covers."""
        return [
            (row, column)
            for row in range(self.row, self.row + self.rows)
            for column in range(self.column, self.column + self.columns)
        ]


@dataclass(frozen=True)
class Grid(Generic[Part]):
    """Hold a whole table.

    aligns: one of l, c, r per column. cells: cover every place once, in reading order. bars: columns that have a
    vertical rule on their left (`columns` for the right edge). rules: horizontal pieces (line, column), line 0 on
    top. headers: rows of the header. Raises InvalidValue where cells overlap or a place is bare.
    """

    rows: int
    columns: int
    aligns: str
    cells: tuple[Cell[Part], ...]
    bars: frozenset[int] = frozenset()
    rules: frozenset[tuple[int, int]] = frozenset()
    headers: int = 1

    def __post_init__(self) -> None:
        covered = sorted(place for cell in self.cells for place in cell.places)
        if covered != [(row, column) for row in range(self.rows) for column in range(self.columns)]:
            raise InvalidValue("the cells of a table must cover every place of its grid exactly once")
        if len(self.aligns) != self.columns or set(self.aligns) - set("lcr"):
            raise InvalidValue("a table needs one alignment of l, c, r for each column")
        if self.rules & self._inside_spans():
            raise InvalidValue("a horizontal rule of a table runs through a cell")

    def _inside_spans(self) -> set[tuple[int, int]]:
        return {
            (line, column)
            for cell in self.cells
            for line in range(cell.row + 1, cell.row + cell.rows)
            for column in range(cell.column, cell.column + cell.columns)
        }

    @cached_property
    def at(self) -> dict[tuple[int, int], Cell[Part]]:
        """Map each place to the cell that covers it."""
        return {place: cell for cell in self.cells for place in cell.places}

    def pieces(self, line: int) -> list[tuple[int, int]]:
        """List the unbroken pieces of one horizontal line as (first column, last column)."""
        out: list[tuple[int, int]] = []
        for column in range(self.columns):
            if (line, column) not in self.rules:
                continue
            if out and out[-1][1] == column - 1:
                out[-1] = (out[-1][0], column)
            else:
                out.append((column, column))
        return out
