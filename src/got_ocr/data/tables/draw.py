"""Draw a table with Pillow straight from its grid: measure, share out widths, fill, rule, write. Knows no label."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from got_ocr.data.tables.grid import Cell, Grid
from got_ocr.data.tables.ink import Face, Line, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """Say how a table is drawn; lengths in pixels.

    head: face of the header rows. pad: (across, down) inside a cell. limit: width at which text is broken. rule:
    thickness of thin rules; thick: of the first and last. zebra, band: fill of every second row and of the header
    (None for none).
    """

    body: Face
    head: Face
    pad: tuple[int, int]
    margin: int
    limit: int
    rule: int
    thick: int
    leading: float = 1.25
    ink: Colour = (0, 0, 0)
    paper: Colour = (255, 255, 255)
    line: Colour = (0, 0, 0)
    zebra: Colour | None = None
    band: Colour | None = None
    head_ink: Colour = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """Hold where everything goes: edges of columns and rows in pixels, and each cell's lines."""

    xs: tuple[int, ...]
    ys: tuple[int, ...]
    texts: dict[tuple[int, int], tuple[Line, ...]]


def draw(grid: Grid, look: Look) -> Image.Image:
    """Draw a grid on paper just large enough for it and its margin."""
    layout = arrange(grid, look)
    size = (layout.xs[-1] + look.margin + 1, layout.ys[-1] + look.margin + 1)
    picture = Image.new("RGB", size, look.paper)
    canvas = ImageDraw.Draw(picture)
    _fill(canvas, grid, look, layout)
    _rule(canvas, grid, look, layout)
    for cell in grid.cells:
        _write(canvas, grid, look, layout, cell)
    return picture


def arrange(grid: Grid, look: Look) -> Layout:
    """Find the edges of all columns and rows so that every cell holds its text and padding."""
    texts = {(c.row, c.column): lines(c.content, _face(grid, look, c), look.limit * c.columns) for c in grid.cells}
    widths = [2 * look.pad[0] + look.body.size] * grid.columns
    heights = [2 * look.pad[1] + round(look.body.size * look.leading)] * grid.rows
    for cell in sorted(grid.cells, key=lambda cell: cell.columns):
        wide = max((line.width for line in texts[cell.row, cell.column]), default=0.0)
        _stretch(widths, cell.column, cell.columns, int(wide) + 2 * look.pad[0] + 1)
    for cell in sorted(grid.cells, key=lambda cell: cell.rows):
        tall = len(texts[cell.row, cell.column]) * look.leading * _face(grid, look, cell).size
        _stretch(heights, cell.row, cell.rows, int(tall) + 2 * look.pad[1] + 1)
    return Layout(_edges(widths, look.margin), _edges(heights, look.margin), texts)


def _stretch(sizes: list[int], start: int, count: int, needed: int) -> None:
    """Widen the tracks that a cell spans, in equal parts, until it fits."""
    missing = needed - sum(sizes[start : start + count])
    for place in range(start, start + count):
        sizes[place] += max(-(-missing // count), 0)


def _edges(sizes: "Sequence[int]", start: int) -> tuple[int, ...]:
    edges = [start]
    for size in sizes:
        edges.append(edges[-1] + size)
    return tuple(edges)


def _face(grid: Grid, look: Look, cell: Cell) -> Face:
    return look.head if cell.row < grid.headers else look.body


def _fill(canvas: ImageDraw.ImageDraw, grid: Grid, look: Look, layout: Layout) -> None:
    for row, (top, bottom) in enumerate(pairwise(layout.ys)):
        colour = look.band if row < grid.headers else look.zebra if (row - grid.headers) % 2 else None
        if colour is not None:
            canvas.rectangle((layout.xs[0], top, layout.xs[-1], bottom), fill=colour)


def _rule(canvas: ImageDraw.ImageDraw, grid: Grid, look: Look, layout: Layout) -> None:
    for line in range(grid.rows + 1):
        width = look.thick if line in (0, grid.rows) else look.rule
        for first, last in grid.pieces(line):
            # A free-standing piece (under a group heading) stays clear of its neighbours.
            trim = look.pad[0] // 3 if not grid.bars and (first, last) != (0, grid.columns - 1) else 0
            ends = (layout.xs[first] + trim, layout.ys[line], layout.xs[last + 1] - trim, layout.ys[line])
            canvas.line(ends, fill=look.line, width=width)
    for bar in sorted(grid.bars):
        for row, (top, bottom) in enumerate(pairwise(layout.ys)):
            left, right = grid.at.get((row, bar - 1)), grid.at.get((row, bar))
            if left is None or right is None or left != right:
                canvas.line((layout.xs[bar], top, layout.xs[bar], bottom), fill=look.line, width=look.rule)


def _write(canvas: ImageDraw.ImageDraw, grid: Grid, look: Look, layout: Layout, cell: Cell) -> None:
    face = _face(grid, look, cell)
    texts = layout.texts[cell.row, cell.column]
    left, right = layout.xs[cell.column] + look.pad[0], layout.xs[cell.column + cell.columns] - look.pad[0]
    top, bottom = layout.ys[cell.row], layout.ys[cell.row + cell.rows]
    step = face.size * look.leading
    ascent, descent = face.load().getmetrics()
    baseline = (top + bottom - step * (len(texts) - 1) + ascent - descent) / 2
    align = cell.align if cell.columns > 1 else grid.aligns[cell.column]
    for line in texts:
        start = {"l": left, "r": right - line.width, "c": (left + right - line.width) / 2}[align]
        for piece in line.pieces:
            place = (start + piece.x, baseline + piece.y)
            colour = look.head_ink if cell.row < grid.headers else look.ink
            canvas.text(place, piece.text, font=piece.font, fill=colour, anchor="ls")
        baseline += step
