"""Write a table as LaTeX `tabular` or as HTML, the label of its picture. Knows no font and no pixels."""

from html import escape

from got_ocr.data.latex import label as latex
from got_ocr.data.latex.tree import Node
from got_ocr.data.tables.grid import Cell, Content, Grid
from got_ocr.table import tabular as latex_table

_SPECIAL = {"&": "\\&", "%": "\\%", "#": "\\#", "_": "\\_", "$": "\\$", "{": "\\{", "}": "\\}"}


def escaped(text: str) -> str:
    """Escape the characters that LaTeX gives a meaning to."""
    return "".join(_SPECIAL.get(char, char) for char in text)


def content(parts: Content) -> str:
    """Write what a cell holds, formulas as `\\( ... \\)`."""
    return " ".join(latex.inline(part) if isinstance(part, Node) else escaped(part) for part in parts)


def tabular(grid: Grid) -> str:
    """Write a grid as a LaTeX tabular."""
    return latex_table.tabular(grid, lambda cell: content(cell.content))


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
