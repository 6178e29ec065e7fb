"""Picture + task -> tiles, by the model's spec. The one place that decides how a picture is cut; training and reading share it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from got_ocr import figure, frame, lines, tiles
from got_ocr.spec import ModelSpec
from got_ocr.task import Task


@dataclass(frozen=True, slots=True)
class Piece:
    """A tile. joins: it goes on with the text line that the tile before it broke off. box: where a text line was found."""

    tile: Image.Image
    joins: bool = False
    box: figure.Box | None = None


def cut(pictures: Sequence[Image.Image], task: Task, spec: ModelSpec, max_tiles: int = 6) -> list[Image.Image]:
    """Cut upright RGB pictures (pages of one request, in order) into tiles in reading order, as `pieces` does."""
    return [piece.tile for piece in pieces(pictures, task, spec, max_tiles)]


def pieces(pictures: Sequence[Image.Image], task: Task, spec: ModelSpec, max_tiles: int = 6) -> list[Piece]:
    """Cut upright RGB pictures (pages of one request, in order) into tiles in reading order, and say which of them hang together.

    max_tiles: most tiles of one picture under `crop` where the task does not say. Source: paper section 3.3; original crop demo.
    """
    if spec.tiling == "lines":
        pictures = [frame.narrow(picture, task)[0] for picture in pictures]
    elif task.box is not None and task.box_mode == "crop":
        pictures = [tiles.region(picture, task.box) for picture in pictures]
    if as_figure(task, spec):
        return [Piece(tile) for picture in pictures for tile in figure.cut_figure(picture, spec)]
    if spec.tiling == "lines":
        strips = [strip for picture in pictures for strip in lines.cut_lines(picture, spec)]
        return [Piece(strip.tile, strip.joins, strip.box) for strip in strips]
    if task.crop:
        most = task.max_tiles or max_tiles
        return [Piece(tile) for picture in pictures for tile in tiles.crop_tiles(picture, spec, most)]
    return [Piece(tiles.whole(picture, spec)) for picture in pictures]


def settle(
    pictures: Sequence[Image.Image], task: Task, spec: ModelSpec, max_tiles: int = 6
) -> tuple[Task, list[list[Piece]]]:
    """Say what a model is really asked, and cut each picture for that.

    One that knows formulas alone, or plain text alone, reads other formatted pictures by their lines, as plain text.
    """
    if spec.tiling == "whole" or task.mode == "plain" or "format" in spec.reads:
        return task, [pieces([picture], task, spec, max_tiles) for picture in pictures]
    plain = replace(task, mode="plain")
    rows = [pieces([picture], plain, spec) for picture in pictures]
    if "formula" in spec.reads and all(figure.one_formula([row.box for row in part if row.box]) for part in rows):
        return task, [pieces([picture], task, spec) for picture in pictures]
    return plain, rows


def as_figure(task: Task, spec: ModelSpec) -> bool:
    """Say whether a model of text lines sees the picture whole, and all of it in one prompt."""
    return spec.tiling == "lines" and spec.figure_tokens > 0 and task.mode == "format"
