"""From lines of text to ink on a canvas, with the place of every line. Knows no colour, paper, corpus or recipe.

Ink is coverage, uint8, 0 bare and 255 full. A line's outline is the top and bottom of its ink in every column, so that
its box is right after any turn of the canvas.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from got_ocr.data import geometry

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.ImageFont import FreeTypeFont

    Pixels = npt.NDArray[np.uint8]
    Points = npt.NDArray[np.float32]

_SEEN = 40  # coverage of 255 from which a pixel counts as ink
Spell = Callable[[str], str]
ALIGNMENTS = ("left", "center", "right", "justified")


@dataclass(frozen=True, slots=True)
class Strip:
    """One drawn line: ink cut to its box; left and top say where the box lies from the pen's start on the base line."""

    ink: "Pixels"  # (H, W)
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class Inked:
    """A drawn block: coverage (H, W) and one outline (N, 2) of x, y per line.

    Outlines hold pixel edges, not centres.
    """

    ink: "Pixels"
    outlines: "tuple[Points, ...]"


def strip(text: str, font: "FreeTypeFont") -> Strip | None:
    """Draw one line; None where nothing of it is visible."""
    raw = _raw(text, font)
    return None if raw is None else _cut(raw)


def _raw(text: str, font: "FreeTypeFont") -> Strip | None:
    """Draw one line, with whatever bare edges its glyphs have."""
    import numpy as np
    from PIL import Image

    mask, (left, top) = font.getmask2(text, mode="L", anchor="ls")
    if not all(mask.size):
        return None
    picture = Image.new("L", mask.size)
    picture.im.paste(mask, (0, 0, *mask.size))
    return Strip(np.asarray(picture), int(left), int(top))


def _cut(raw: Strip) -> Strip | None:
    import numpy as np

    ink = raw.ink
    rows, columns = np.flatnonzero(ink.max(axis=1) > _SEEN), np.flatnonzero(ink.max(axis=0) > _SEEN)
    if not rows.size:
        return None
    first, last, start, end = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return Strip(ink[first:last, start:end], raw.left + start, raw.top + first)


class Case:
    """Hold the glyphs and words of one font at one size that a page has used, so that each is drawn and measured once.

    Drawing a glyph costs several times as much as laying a drawn one. There is no kerning in a case.
    """

    def __init__(self, font: "FreeTypeFont") -> None:
        self._font = font
        self._glyphs: dict[str, tuple[Strip | None, float]] = {}
        self._words: dict[str, tuple[Strip | None, float]] = {}
        self._wide: dict[str, float] = {}

    def length(self, text: str) -> float:
        """Return the width of a text in pixels."""
        wide = self._wide
        try:
            return sum([wide[char] for char in text])
        except KeyError:
            for char in text:
                if char not in wide:
                    wide[char] = float(self._font.getlength(char))
            return sum([wide[char] for char in text])

    def line(self, text: str, width: float | None = None) -> Strip | None:
        """Set a line from its words, its spaces stretched to `width` pixels unless that would look torn."""
        words = text.split(" ")
        gap = self.length(" ")
        if width is not None and len(words) > 2:
            room = (width - self.length(text)) / (len(words) - 1)
            gap += room if 0 < room < 1.6 * gap else 0.0
        pen, drawn = 0.0, []
        for word in words:
            if word not in self._words:
                self._words[word] = self._word(word), self.length(word)
            part, length = self._words[word]
            if part is not None:
                drawn.append((part.ink, part.left + round(pen), part.top))
            pen += length + gap
        joined = _merged(drawn)
        return None if joined is None else _cut(joined)

    def _word(self, word: str) -> Strip | None:
        pen, drawn, glyphs = 0.0, [], self._glyphs
        for char in word:
            if char not in glyphs:
                glyphs[char] = _raw(char, self._font), self.length(char)
            glyph, length = glyphs[char]
            if glyph is not None:
                drawn.append((glyph.ink, glyph.left + round(pen), glyph.top))
            pen += length
        return _merged(drawn)


def _merged(parts: "Sequence[tuple[Pixels, int, int]]") -> Strip | None:
    """Merge pieces (ink, left, top) that share one pen into one strip."""
    import numpy as np

    if not parts:
        return None
    left, top = min([part[1] for part in parts]), min([part[2] for part in parts])
    right = max([start + ink.shape[1] for ink, start, _ in parts])
    bottom = max([start + ink.shape[0] for ink, _, start in parts])
    whole = np.zeros((bottom - top, right - left), dtype=np.uint8)
    for ink, x, y in parts:
        place(whole, ink, x - left, y - top)
    return Strip(whole, left, top)


def place(canvas: "Pixels", ink: "Pixels", left: int, top: int) -> None:
    """Lay ink onto a canvas that is large enough; where both have ink, the darker stays."""
    import numpy as np

    height, width = ink.shape
    view = canvas[top : top + height, left : left + width]
    np.maximum(view, ink, out=view)


def block(
    texts: Sequence[str], font: "FreeTypeFont", pitch: float, align: str, spell: Spell = str
) -> tuple[Inked, tuple[str, ...]]:
    """Draw lines one below another, base lines `pitch` pixels apart and never so close that their ink meets.

    spell: label -> what is drawn for it. Returns the ink, cut to its edges, and the texts that have any ink.
    """
    import numpy as np

    case = Case(font)
    spelled = [spell(text) for text in texts]
    widths = [font.getlength(text) for text in spelled]
    full = max(widths, default=0.0)
    drawn: list[tuple[str, Strip]] = []
    for rank, text in enumerate(texts):
        justify = align == "justified" and rank + 1 < len(texts)
        part = case.line(spelled[rank], full) if justify else strip(spelled[rank], font)
        if part is not None:
            shift = {"center": 0.5, "right": 1.0}.get(align, 0.0) * (full - widths[rank])
            drawn.append((text, Strip(part.ink, part.left + round(shift), part.top)))
    if not drawn:
        return Inked(np.zeros((1, 1), dtype=np.uint8), ()), ()
    parts = _stack([part for _, part in drawn], pitch)
    left, top = min(part.left for part in parts), min(part.top for part in parts)
    bottom = max(part.top + part.ink.shape[0] for part in parts)
    ink = np.zeros((bottom - top, max(part.left + part.ink.shape[1] for part in parts) - left), dtype=np.uint8)
    for part in parts:
        place(ink, part.ink, part.left - left, part.top - top)
    outlines = tuple(outline(part.ink, part.left - left, part.top - top) for part in parts)
    return Inked(ink, outlines), tuple(text for text, _ in drawn)


def _stack(parts: Sequence[Strip], pitch: float) -> list[Strip]:
    base, end, placed = 0.0, None, []
    for part in parts:
        if end is not None:
            base = max(base + pitch, end + 1 - part.top)
        placed.append(Strip(part.ink, part.left, round(base) + part.top))
        end = placed[-1].top + part.ink.shape[0]
    return placed


def outline(ink: "Pixels", left: int, top: int) -> "Points":
    """List the corners of the ink's extent in every column, (4 * columns, 2) as x, y."""
    import numpy as np

    solid, height = ink > _SEEN, ink.shape[0]
    # Greatest ranks are found several times faster than first places.
    rank = np.arange(1, height + 1, dtype=np.int32)[:, None]
    lowest, highest = (solid * rank).max(axis=0), (solid * rank[::-1]).max(axis=0)
    columns = np.flatnonzero(lowest)
    first, last = height - highest[columns] + top, lowest[columns] + top
    x = columns + left
    return np.stack([np.concatenate([x, x + 1, x, x + 1]), np.concatenate([first, first, last, last])], axis=1).astype(
        np.float32
    )


def turned(inked: Inked, matrix: "geometry.Matrix", margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Inked:
    """Turn or bend a block and cut it to its new edges, with bare margins (left, top, right, bottom) in pixels."""
    import numpy as np

    left, top, right, bottom = margins
    low_x, low_y, high_x, high_y = bounds(geometry.move(np.concatenate(inked.outlines), matrix))
    matrix = geometry.shift(left - math.floor(low_x), top - math.floor(low_y)) @ matrix
    width, height = math.ceil(high_x - math.floor(low_x)), math.ceil(high_y - math.floor(low_y))
    warped = geometry.warp(inked.ink, matrix, (width + left + right, height + top + bottom), 0)
    return Inked(warped, tuple(geometry.move(points, matrix) for points in inked.outlines))


def bounds(points: "Points") -> tuple[float, float, float, float]:
    """Return the least left, top and the greatest right, bottom of points."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def box(points: "Points", width: int, height: int) -> tuple[int, int, int, int]:
    """Round the bounds outwards to whole pixels inside the picture."""
    left, top, right, bottom = bounds(points)
    return (
        max(0, math.floor(left)),
        max(0, math.floor(top)),
        min(width, math.ceil(right)),
        min(height, math.ceil(bottom)),
    )


@lru_cache(maxsize=64)
def curve(power: float) -> "Pixels":
    """Tabulate coverage to a power: below 1 makes strokes heavier, above 1 lighter."""
    import numpy as np

    return (255 * (np.arange(256) / 255) ** power).round().astype(np.uint8)
