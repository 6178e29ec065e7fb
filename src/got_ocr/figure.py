"""A picture that is no text line (a formula, a table, a molecule) -> one tile for a model of text lines.

The whole picture is seen: its ink is cut out and scaled to a few times the height of a text line, so that it becomes about
`ModelSpec.figure_tokens` image tokens. Training and reading share it. Knows no task and no tensor.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from got_ocr.lines import INK, WIDTH_STEP, WORKING_SIDE, ink_of
from got_ocr.shrink import shrunk
from got_ocr.spec import ModelSpec

MARGIN = 0.04  # of the ink's longer side, left around it
# Rows of ink in one formula (limits of a sum, a fraction): how many there are at most; which gap between them, in heights of the
# tallest, is none; which gap they have at most where one is so many times as tall as another. Lines of text stand farther apart.
FORMULA_ROWS, TOUCHING, CLOSE, UNEVEN = 5, 0.12, 0.26, 1.45

Box = tuple[int, int, int, int]


def cut_figure(picture: Image.Image, spec: ModelSpec) -> list[Image.Image]:
    """Cut an RGB picture to its ink and scale it: one tile, dark or coloured on white. A blank picture has none."""
    whole = _on_white(shrunk(picture, max(picture.size), WORKING_SIDE)[0])
    box = _ink_box(np.asarray(whole))
    if box is None:
        return []
    rows, width = layout(box[2] - box[0], box[3] - box[1], spec)
    figure = _cut(whole, box, (width, rows * spec.cell[0]))
    step = max(WIDTH_STEP, spec.cell[1])
    tile = Image.new("RGB", (min(spec.tile[1], -(-width // step) * step), figure.height), (255, 255, 255))
    tile.paste(figure, (0, 0))
    return [tile]


def one_formula(rows: Sequence[Box]) -> bool:
    """Say whether rows of ink, from top to bottom, look like one formula or one line, not like lines of text."""
    if not 0 < len(rows) <= FORMULA_ROWS:
        return False
    heights = [bottom - top for _, top, _, bottom in rows]
    gap = max((below[1] - above[3] for above, below in pairwise(rows)), default=0) / max(heights)
    return gap < TOUCHING or (gap < CLOSE and max(heights) >= UNEVEN * min(heights))


def layout(width: int, height: int, spec: ModelSpec) -> tuple[int, int]:
    """Say how many cells high and how many pixels wide a figure of such proportions becomes."""
    (down, across), ratio = spec.cell, width / height
    # n cells high and as wide as the shape asks for, it holds n * (n * down * ratio / across) tokens.
    rows = round((spec.figure_tokens * across / (down * ratio)) ** 0.5)
    rows = max(1, min(spec.tile[0] // down, rows))
    return rows, max(across, min(spec.tile[1], round(rows * down * ratio)))


def _on_white(picture: Image.Image) -> Image.Image:
    """Turn each colour into its distance from the paper: shading goes, and light on dark becomes dark on light."""
    bands = [ImageOps.invert(Image.fromarray(ink_of(band))) for band in picture.split()]
    return Image.merge("RGB", bands)


def _ink_box(pixels: NDArray[np.uint8]) -> Box | None:
    """Find what is drawn: (left, top, right, bottom) with a margin; it may reach over the edge."""
    mask = pixels.min(axis=2) < 255 - INK
    rows, columns = (np.flatnonzero(mask.sum(axis) > 1) for axis in (1, 0))
    if rows.size == 0 or columns.size == 0:
        return None
    left, right, top, bottom = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    margin = max(2, round(MARGIN * max(right - left, bottom - top)))
    return left - margin, top - margin, right + margin, bottom + margin


def _cut(whole: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    """Resample an area that may reach over the edge (there is paper) to `size`."""
    area = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), (255, 255, 255))
    area.paste(whole, (-box[0], -box[1]))
    return area.resize(size, Image.Resampling.BICUBIC)
