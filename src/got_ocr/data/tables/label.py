"""Write a table as LaTeX `tabular` or as HTML, the label of its picture. Knows no font and no pixels."""

from html import escape

from got_ocr.data.latex import label as latex
from got_ocr.data.latex.tree import Node
from got_ocr.data.tables.grid import Cell, Content, Grid

_SPECIAL = {"&": "\\&", "%": "\\%", "#": "\\#", "_": "\\_", "$": "\\$", "{": "\\{", "}": "\\}"}


def escaped(text: str) -> str:
    """Escape the characters that LaTeX gives a meaning to."""
    return "".join(_SPECIAL.get(char, char) for char in text)


def content(parts: Content) -> str:
    """Write what a cell holds, formulas as `\\( ... \\)`."""
    return " ".join(latex.inline(part) if isinstance(part, Node) else escaped(part) for part in parts)


def tabular(grid: Grid) -> str:
    """Write a grid as a LaTeX tabular; a piece of a rule becomes `\\cline`, a whole one `\\hline` before its row."""
    lines = [f"\\begin{{tabular}}{{{_columns(grid)}}}"]
    for row in range(grid.rows):
        lines.append(f"{_rules(grid, row)} {' & '.join(_row(grid, row))} \\\\".strip())
    return "\n".join([*lines, *filter(None, [_rules(grid, grid.rows)]), "\\end{tabular}"])


def _columns(grid: Grid) -> str:
    parts = [("|" if column in grid.bars else "") + align for column, align in enumerate(grid.aligns)]
    return "".join(parts) + ("|" if grid.columns in grid.bars else "")


def _rules(grid: Grid, line: int) -> str:
    pieces = grid.pieces(line)
    if pieces == [(0, grid.columns - 1)]:
        return "\\hline"
    return " ".join(f"\\cline{{{first + 1}-{last + 1}}}" for first, last in pieces)


def _row(grid: Grid, row: int) -> list[str]:
    out: list[str] = []
    column = 0
    while column < grid.columns:
        cell = grid.at[row, column]
        out.append(_cell(grid, cell, first=cell.row == row))
        column += cell.columns
    return out


def _cell(grid: Grid, cell: Cell, first: bool) -> str:
    text = content(cell.content) if first else ""
    if cell.rows > 1 and first:
        text = f"\\multirow{{{cell.rows}}}{{*}}{{{text}}}"
    if cell.columns == 1:
        return text
    left = "|" if cell.column == 0 and 0 in grid.bars else ""
    right = "|" if cell.column + cell.columns in grid.bars else ""
    return f"\\multicolumn{{{cell.columns}}}{{{left}{cell.align}{right}}}{{{text}}}"


def html(grid: Grid) -> str:
    """Write a grid as an HTML table on one line: cells and spans, no style."""
    rows = []
    for row in range(grid.rows):
        cells = [cell for cell in grid.cells if cell.row == row]
        rows.append(
            "<tr>" + "".join(_html_cell(cell) for cell in sorted(cells, key=lambda cell: cell.column)) + "</tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _html_cell(cell: Cell) -> str:
    down = f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
    across = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
    parts = [latex.inline(part) if isinstance(part, Node) else part for part in cell.content]
    return f"<td{down}{across}>{escape(' '.join(parts), quote=False)}</td>"
