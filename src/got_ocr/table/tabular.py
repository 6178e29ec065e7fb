"""A grid of cells -> LaTeX `tabular`. Knows no pixels and not what a cell holds."""

import re
from collections.abc import Callable
from typing import TypeVar

from got_ocr.table.grid import Cell, Grid

Part = TypeVar("Part")
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}&\n]|[^\\{}&\n]+|\\", re.S)


def tabular(grid: Grid[Part], write: Callable[[Cell[Part]], str]) -> str:
    """Write a grid as a LaTeX tabular; a piece of a rule becomes `\\cline`, a whole one `\\hline` before its row.

    write: turns a cell that holds something, or nothing, into what stands between `&` and `&`.
    """
    lines = [f"\\begin{{tabular}}{{{_columns(grid)}}}"]
    for row in range(grid.rows):
        lines.append(f"{_rules(grid, row)} {' & '.join(_row(grid, row, write))} \\\\".strip())
    return "\n".join([*lines, *filter(None, [_rules(grid, grid.rows)]), "\\end{tabular}"])


def _columns(grid: Grid[Part]) -> str:
    parts = [("|" if column in grid.bars else "") + align for column, align in enumerate(grid.aligns)]
    return "".join(parts) + ("|" if grid.columns in grid.bars else "")


def _rules(grid: Grid[Part], line: int) -> str:
    pieces = grid.pieces(line)
    if pieces == [(0, grid.columns - 1)]:
        return "\\hline"
    return " ".join(f"\\cline{{{first + 1}-{last + 1}}}" for first, last in pieces)


def _row(grid: Grid[Part], row: int, write: Callable[[Cell[Part]], str]) -> list[str]:
    out: list[str] = []
    column = 0
    while column < grid.columns:
        cell = grid.at[row, column]
        out.append(_cell(grid, cell, write(cell) if cell.row == row else None))
        column += cell.columns
    return out


def _cell(grid: Grid[Part], cell: Cell[Part], text: str | None) -> str:
    """Write a cell in one of its rows. text: None below the first, where a span leaves its place empty."""
    if cell.rows > 1 and text is not None:
        text = f"\\multirow{{{cell.rows}}}{{*}}{{{text}}}"
    text = text or ""
    if cell.columns == 1:
        return text
    left = "|" if cell.column == 0 and 0 in grid.bars else ""
    right = "|" if cell.column + cell.columns in grid.bars else ""
    return f"\\multicolumn{{{cell.columns}}}{{{left}{cell.align}{right}}}{{{text}}}"


def sound(text: str) -> str:
    """Mend what was read of a cell so that it cannot break its table: no row or cell ends in it, braces and formulas are closed."""
    out: list[str] = []
    opened: list[str] = []
    for part in _TOKEN.findall(text):
        if part in ("\\\\", "\\", "\\begin", "\\end", "\\hline", "\\cline"):
            continue
        if part in ("{", "\\("):
            opened.append("}" if part == "{" else "\\)")
        elif part in ("}", "\\)"):
            if part not in opened:
                continue
            while opened[-1] != part:
                out.append(opened.pop())
            opened.pop()
        out.append({"&": "\\&", "\n": " "}.get(part, part))
    return "".join([*out, *reversed(opened)]).strip()
