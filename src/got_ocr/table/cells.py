"""Picture of a table -> the grid of its cells, each with the text lines that stand in it. Knows no model and no notation.

Rules cut it where they are drawn; elsewhere columns are told by strips of bare paper and rows by the lines of text. The road: filled
bands (`bands.py`), rules (`rules.py`), gaps between columns (`gaps.py`), borders of rows (`borders.py`), spans (`spans.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

from got_ocr.columns import without_specks
from got_ocr.lines import INK, WORKING_SIDE, Box, Ink, ink_of, level
from got_ocr.shrink import shrunk
from got_ocr.table.bands import without_bands
from got_ocr.table.borders import find_rows
from got_ocr.table.gaps import find_gaps, inner_rules
from got_ocr.table.gate import drawn, even, framed, plausible
from got_ocr.table.grid import Cell, Grid
from got_ocr.table.rules import ruled
from got_ocr.table.seen import Seen, reach, text_height
from got_ocr.table.spans import Area, Net

REACH = 0.3  # of the text height by which a line may stand over the border of its cell
PADDING = 2.5  # of the text height, between text and the rules around a table on a page at most
MOST_CELLS = 2500


@dataclass(frozen=True, slots=True)
class Cut:
    """A table: its grid, whose cells hold the boxes of their lines (of the levelled ink), and the ink without rules.

    shrink: how many times smaller the ink is than the picture. framed: rules stand around it or divide it, so that it can be nothing
    else.
    """

    grid: Grid[Box]
    ink: Ink
    shrink: float
    framed: bool


def cut_cells(picture: Image.Image, inside: bool = False) -> Cut | None:
    """Find the one table that an RGB picture shows; None where it shows none, or more than a table.

    One in large letters with thick rules is found on a smaller copy. inside: what stands above the first rule and below the last one
    is no part of it.
    """
    for side in (WORKING_SIDE, WORKING_SIDE // 2, WORKING_SIDE // 4):
        found = _cut(*shrunk(picture, max(picture.size), side), inside)
        if found is not None or max(picture.size) <= side // 2:
            return found
    return None


def _cut(picture: Image.Image, shrink: float, inside: bool) -> Cut | None:
    """Find the table at one size. shrink: how many times smaller that is than the picture's own."""
    grey = without_bands(np.asarray(picture.convert("L")))
    lines = ruled(level(ink_of(Image.fromarray(grey)))[0])
    mask = without_specks(lines.text > INK)
    if inside and lines.across:
        mask[: lines.across[0].low] = mask[lines.across[-1].high :] = False
    if not mask.any():
        return None
    seen = Seen(mask, text_height(mask), reach(mask), lines.across, lines.upright)
    gaps = [] if drawn(seen, lines.text > INK) else find_gaps(seen)
    if not gaps or (inside and not _close(seen)):
        return None
    barred = bool(inner_rules(seen))
    ys, beside = find_rows(seen, gaps, barred)
    if len(ys) < 3 or len(ys) * len(gaps) > MOST_CELLS:
        return None
    xs = [seen.area[0] - 2, *(round(sum(gap) / 2) for gap in gaps), seen.area[2] + 2]
    net = Net(seen, xs, ys, gaps, barred)
    grid = _grid(net, net.areas(beside))
    sure = framed(seen)
    if not plausible(grid, seen) or not (sure or even(grid, gaps, seen.em)):
        return None
    return Cut(grid, lines.text, shrink, sure)


def _close(seen: Seen) -> bool:
    """Say whether the first and the last rule stand by the text, and not beyond bare paper, where another table begins."""
    far = PADDING * seen.em
    return bool(seen.across) and seen.area[1] - seen.across[0].at < far and seen.across[-1].at - seen.area[3] < far


def _grid(net: Net, areas: Sequence[Area]) -> Grid[Box]:
    """Fill cells, tell how columns are set and where rules are drawn."""
    seen, rows, columns = net.seen, len(net.ys) - 1, len(net.xs) - 1
    cells = [_cell(net, area) for area in areas]
    aligns = "".join(_align([c for c in cells if c.column == column and c.columns == 1]) for column in range(columns))
    bars = {bar for rule in seen.upright if (bar := _nearest(net.xs, rule.at, 2 * seen.em)) is not None}
    inside = {(line, column) for cell in cells for line, column in cell.places if line > cell.row}
    pieces = {
        (line, column)
        for rule in seen.across
        if (line := _nearest(net.ys, rule.at, seen.em)) is not None
        for column, (left, right) in enumerate(pairwise(net.xs))
        if rule.cover(left, right) > 0.5
    }
    return Grid(rows, columns, aligns, tuple(cells), frozenset(bars), frozenset(pieces - inside))


def _cell(net: Net, area: Area) -> Cell[Box]:
    """Gather the lines whose middle lies in a cell."""
    row, column, rows, columns = area
    top, bottom = net.ys[row], net.ys[row + rows]
    starts = net.border(column - 1, top, bottom) if column else None
    ends = net.border(column + columns - 1, top, bottom) if column + columns < len(net.xs) - 1 else None
    left = max(0, round(net.xs[column] if starts is None else starts))
    right = round(net.xs[column + columns] if ends is None else ends)
    reached = REACH * net.seen.em
    boxes = []
    for a, b in net.seen.lines(left, top - reached, right, bottom + reached):
        if top <= (a + b) / 2 < bottom:
            inked = np.flatnonzero(net.seen.part(left, a, right, b).any(0))
            boxes.append((left + int(inked[0]), a, left + int(inked[-1]) + 1, b))
    return Cell(row, column, tuple(boxes), rows, columns)


def _align(cells: Sequence[Cell[Box]]) -> str:
    """Tell left, centre or right by what varies least."""
    boxes = [box for cell in cells for box in cell.content]
    if len(boxes) < 2:
        return "c"
    spread = {"c": [b[0] + b[2] for b in boxes], "l": [2 * b[0] for b in boxes], "r": [2 * b[2] for b in boxes]}
    return min(spread, key=lambda key: float(np.std(spread[key])))


def _nearest(edges: Sequence[float], at: float, most: float) -> int | None:
    """Find the edge that a rule is drawn at; what lies outside belongs to the first or the last."""
    at = min(max(at, edges[0]), edges[-1])
    best = min(range(len(edges)), key=lambda i: abs(edges[i] - at))
    return best if abs(edges[best] - at) <= most else None
