"""Picture + task -> tiles, by the model's spec. The one place that decides how a picture is cut; training and reading share it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image

from got_ocr import drawings, equations, figure, frame, lines, tiles
from got_ocr.labels import Drawing
from got_ocr.music.merge import score
from got_ocr.music.staves import cut_staves
from got_ocr.spec import ModelSpec
from got_ocr.table.regions import find_tables
from got_ocr.table.strips import CellStrip, cut_table, strips_of
from got_ocr.task import Mode, Task


@dataclass(frozen=True, slots=True)
class Piece:
    """A tile, and what is written around the text that is read from it.

    before: a line break, or a space where it goes on with the line of the tile before it, or what stands between two cells of a table.
    after: the end of the table. mode: what it is asked for as, where that is not what was asked for. box: where a text line was found.
    place: the cell that the line stands in: (row, column, rows, columns); of sheet music (system, staff, 1, 1).
    """

    tile: Image.Image
    before: str = "\n"
    after: str = ""
    mode: Mode | None = None
    box: figure.Box | None = None
    place: tuple[int, int, int, int] | None = None


class Settled(NamedTuple):
    """What a model is really asked. parts: the pieces of each picture. together: how many text lines a prompt asks for; 0 where
    a prompt asks for all that there is. compose: makes one text of the answers, one a piece, where they do not follow each other.
    None: they show that it is something else. by: the kind that they show, where a specialist may read it in the model's place.
    """

    task: Task
    parts: list[list[Piece]]
    together: int
    compose: Callable[[Sequence[str]], str | None] | None = None
    by: str = ""


def cut(pictures: Sequence[Image.Image], task: Task, spec: ModelSpec, max_tiles: int = 6) -> list[Image.Image]:
    """Cut upright RGB pictures (pages of one request, in order) into tiles in reading order, as `pieces` does."""
    return [piece.tile for piece in pieces(pictures, task, spec, max_tiles)]


def pieces(pictures: Sequence[Image.Image], task: Task, spec: ModelSpec, max_tiles: int = 6) -> list[Piece]:
    """Cut upright RGB pictures (pages of one request, in order) into tiles in reading order, and say which of them hang together.

    max_tiles: most tiles of one picture under `crop` where the task does not say. Source: paper section 3.3; original crop demo.
    """
    pictures = _narrowed(pictures, task, spec)
    if _as_figure(task, spec):
        return [Piece(tile) for picture in pictures for tile in figure.cut_figure(picture, spec)]
    if spec.tiling == "lines":
        found = [strip for picture in pictures for strip in lines.cut_lines(picture, spec)]
        return [Piece(strip.tile, " " if strip.joins else "\n", box=strip.box) for strip in found]
    if task.crop:
        most = task.max_tiles or max_tiles
        return [Piece(tile) for picture in pictures for tile in tiles.crop_tiles(picture, spec, most)]
    return [Piece(tiles.whole(picture, spec)) for picture in pictures]


def settle(
    pictures: Sequence[Image.Image], task: Task, spec: ModelSpec, max_tiles: int = 6, sure: bool = False
) -> Settled:
    """Say what a model is really asked, and cut each picture for that. sure: leave out what answers may show to be something else.

    One of text lines reads a table cell by cell, also one that rules frame on a page, sheet music staff by staff, and of a drawing the
    texts; what else is formatted than what it knows it reads by its lines, as plain text.
    """
    together = 0 if spec.tiling == "whole" or _as_figure(task, spec) else spec.tiles_per_prompt
    if spec.tiling == "whole" or task.mode == "plain" or "format" in spec.reads:
        return Settled(task, [pieces([picture], task, spec, max_tiles) for picture in pictures], together)
    narrowed = _narrowed(pictures, task, spec)
    if "music" in spec.reads:
        staves = [_staves(picture, spec) for picture in narrowed]
        if all(staves):
            return Settled(task, staves, 1, partial(_score, staves), "music")
    plain = replace(task, mode="plain")
    rows = [pieces([picture], plain, spec) for picture in pictures]
    formula = all(figure.one_formula([row.box for row in part if row.box]) for part in rows)
    if "table" in spec.reads:
        tables = [_cells(picture, spec, framed=formula) for picture in narrowed]
        if all(tables):
            return Settled(task, tables, 1)
    drawn = [] if sure else [drawings.see(picture, spec) for picture in narrowed]
    seen = [drawing for drawing in drawn if drawing is not None]
    if seen and len(seen) == len(drawn):
        return Settled(task, [_labels(drawing) for drawing in seen], 1, partial(drawings.write, seen))
    if "formula" in spec.reads and formula:
        return Settled(task, [pieces([picture], task, spec) for picture in pictures], 0, by="formula")
    if "formula" in spec.reads and not sure and len(pictures) == 1 and (stack := _stack(narrowed[0], rows[0], spec)):
        return Settled(task, [stack], 1, equations.written, "formula")
    if "table" in spec.reads and spec.tiles_per_prompt == 1:
        rows = [_with_tables(page, part, plain, spec) for page, part in zip(narrowed, rows, strict=True)]
    return Settled(plain, rows, spec.tiles_per_prompt)


def _narrowed(pictures: Sequence[Image.Image], task: Task, spec: ModelSpec) -> Sequence[Image.Image]:
    """Cut pictures to the part that is asked for, unless the prompt says it."""
    if spec.tiling == "lines":
        return [frame.narrow(picture, task)[0] for picture in pictures]
    if task.box is not None and task.box_mode == "crop":
        return [tiles.region(picture, task.box) for picture in pictures]
    return pictures


def _cells(picture: Image.Image, spec: ModelSpec, framed: bool) -> list[Piece]:
    """Cut a picture of a table into the lines of its cells; one that shows none, or more than one, into nothing. framed: by rules."""
    return [_cell(strip) for strip in cut_table(picture, spec, framed)]


def _cell(strip: CellStrip) -> Piece:
    return Piece(strip.tile, strip.before, strip.after, "format", strip.box, strip.place)


def _staves(picture: Image.Image, spec: ModelSpec) -> list[Piece]:
    """Cut a picture of sheet music into its staves; one that shows none into nothing."""
    return [Piece(s.tile, mode="format", box=s.box, place=(*s.place, 1, 1)) for s in cut_staves(picture, spec)]


def _stack(picture: Image.Image, rows: Sequence[Piece], spec: ModelSpec) -> list[Piece]:
    """Cut a formula that goes on below itself into its rows; anything else into nothing. rows: its pieces of ink."""
    if any(row.before == " " for row in rows):
        return []  # wider than any formula
    found = equations.rows_of([row.box for row in rows if row.box])
    ends = [0, *((above[3] + below[1]) // 2 for above, below in pairwise(found)), picture.height]
    parts = [
        (box, picture.crop((0, top, picture.width, bottom)))
        for box, (top, bottom) in zip(found, pairwise(ends), strict=False)
    ]
    return [Piece(tile, mode="format", box=box) for box, part in parts for tile in figure.cut_figure(part, spec)]


def _labels(drawing: Drawing) -> list[Piece]:
    return [Piece(label.tile, mode=label.mode, box=label.box) for label in drawing.labels]


def _score(parts: Sequence[Sequence[Piece]], answers: Sequence[str]) -> str:
    """Put what was read of single staves together; the systems of several pictures follow each other."""
    systems: dict[tuple[int, int], list[str]] = {}
    places = [(page, piece.place[0]) for page, part in enumerate(parts) for piece in part if piece.place]
    for place, answer in zip(places, answers, strict=True):
        systems.setdefault(place, []).append(answer)
    return score(list(systems.values()))


def _with_tables(page: Image.Image, rows: list[Piece], plain: Task, spec: ModelSpec) -> list[Piece]:
    """Put the cells of the tables on a page in the place of what was taken for lines there. rows: the lines of the page as it is."""
    found = [(box, strips_of(table, spec, box[:2])) for box, table in find_tables(page)]
    tables = [(box, strips) for box, strips in found if strips]
    if not tables:
        return rows
    page = page.copy()
    for box, _ in tables:
        paper = tuple(int(level) for level in np.median(np.asarray(page.crop(box)), axis=(0, 1)))
        page.paste(paper, box)
    rows = pieces([page], Task(plain.mode), spec)
    for (left, top, right, bottom), strips in tables:
        cells = [_cell(strip) for strip in strips]
        cells[0] = replace(cells[0], before=f"\n{cells[0].before}")
        cells[-1] = replace(cells[-1], after=f"{cells[-1].after}\n")
        below = (
            i
            for i, row in enumerate(rows)
            if row.box and row.box[1] >= (top + bottom) / 2 and row.box[0] < right and left < row.box[2]
        )
        place = next(below, len(rows))
        rows = rows[:place] + cells + rows[place:]
    return rows


def _as_figure(task: Task, spec: ModelSpec) -> bool:
    """Say whether a model of text lines sees the picture whole, and all of it in one prompt."""
    return spec.tiling == "lines" and spec.figure_tokens > 0 and task.mode == "format"
