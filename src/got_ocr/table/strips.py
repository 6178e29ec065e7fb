"""Picture of a table -> a strip for each text line of its cells, and the LaTeX that stands between them. Knows no model weights."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from got_ocr.lines import MOST_STRIPS, SOFT_EDGE, Box, even_height, strip_tile
from got_ocr.spec import ModelSpec
from got_ocr.table.cells import Cut, cut_cells
from got_ocr.table.tabular import tabular

_HERE = "\0"  # where the text of a cell goes


@dataclass(frozen=True, slots=True)
class CellStrip:
    """One text line of a cell: an RGB tile, dark on white.

    before, after: what is written around its text; after is not empty for the last one alone. box: (left, top, right, bottom) in the
    picture's pixels. place: (row, column, rows, columns) of its cell.
    """

    tile: Image.Image
    before: str
    after: str
    box: Box
    place: tuple[int, int, int, int]


def cut_table(picture: Image.Image, spec: ModelSpec, framed: bool = False) -> list[CellStrip]:
    """Cut the table that an RGB picture shows. One that shows none, or one with too many lines, has no strips.

    framed: take it for a table only where rules say so.
    """
    found = cut_cells(picture)
    return [] if found is None or (framed and not found.framed) else strips_of(found, spec)


def strips_of(found: Cut, spec: ModelSpec, corner: tuple[int, int] = (0, 0)) -> list[CellStrip]:
    """Cut the cells of a table into strips. corner: where its picture stands on a page, for the boxes."""
    lines = [(cell, line) for cell in found.grid.cells for line in range(len(cell.content))]
    if not 0 < len(lines) <= MOST_STRIPS:
        return []
    usual = float(np.median([box[3] - box[1] for cell, line in lines for box in [cell.content[line]]]))
    between = tabular(found.grid, lambda cell: _HERE if cell.content else "").split(_HERE)
    strips: list[CellStrip] = []
    told = 0
    for cell, line in lines:
        before = " " if line else between[told] if told else f"\n{between[0]}"
        told += not line
        last = (cell, line) == lines[-1]
        place = (cell.row, cell.column, cell.rows, cell.columns)
        strips.append(
            CellStrip(
                _tile(found, cell.content[line], usual, spec),
                before,
                between[-1] if last else "",
                _moved(cell.content[line], found.shrink, corner),
                place,
            )
        )
    return strips


def _tile(found: Cut, box: Box, usual: float, spec: ModelSpec) -> Image.Image:
    left, top, right, bottom = box
    rows = found.ink[max(0, top - SOFT_EDGE) : bottom + SOFT_EDGE]
    return strip_tile(rows, (left, right), even_height(bottom - top, usual), spec)


def _moved(box: Box, shrink: float, corner: tuple[int, int]) -> Box:
    left, top, right, bottom = (round(value * shrink) for value in box)
    return left + corner[0], top + corner[1], right + corner[0], bottom + corner[1]
