"""Write a table as typst markup, for tables that are typeset like those of papers. Knows no page, font or pixels."""

import json

from got_ocr.data.latex import markup as maths
from got_ocr.data.latex.tree import Node
from got_ocr.data.tables.grid import Cell, Grid


def table(grid: Grid) -> str:
    """Write a grid as a typst table expression."""
    names = {"l": "left", "c": "center", "r": "right"}
    aligns = ", ".join(names[align] for align in grid.aligns)
    parts = [f"columns: {grid.columns}", f"align: ({aligns},)"]
    for line in range(grid.rows + 1):
        stroke = "0.9pt" if line in (0, grid.rows) else "0.5pt"
        for first, last in grid.pieces(line):
            parts.append(f"table.hline(y: {line}, start: {first}, end: {last + 1}, stroke: {stroke})")
    parts += [f"table.vline(x: {bar}, stroke: 0.5pt)" for bar in sorted(grid.bars)]
    return f"table({', '.join([*parts, *(_cell(cell, names) for cell in grid.cells)])})"


def _cell(cell: Cell, names: dict[str, str]) -> str:
    spans = f"rowspan: {cell.rows}, colspan: {cell.columns}, x: {cell.column}, y: {cell.row}"
    align = f", align: {names[cell.align]} + horizon" if cell.columns > 1 else ", align: horizon"
    text = " ".join(_part(part) for part in cell.content)
    return f"table.cell({spans}{align})[{text}]"


def _part(part: str | Node) -> str:
    return f"${maths.typst(part)}$" if isinstance(part, Node) else f"#{json.dumps(part, ensure_ascii=False)};"
