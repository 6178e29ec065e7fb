"""The texts inside a drawing (names of atoms and points, numbers along an axis) -> strips for a model of text lines.

Holds what every reader of drawings gives: strips to be read, and a way to write the drawing down once they are. Knows no drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from got_ocr.lines import SOFT_EDGE, Box, Ink, strip_tile
from got_ocr.spec import ModelSpec
from got_ocr.task import Mode


@dataclass(frozen=True, slots=True)
class Label:
    """One text line of a drawing.

    tile: RGB strip, dark on white. box: (left, top, right, bottom) in the picture's pixels. mode: what it is asked for as.
    """

    tile: Image.Image
    box: Box
    mode: Mode = "plain"


class Drawing(Protocol):
    """What was seen of a drawing: all but its texts."""

    @property
    def labels(self) -> Sequence[Label]:
        """Give the strips to be read, in a fixed order; there may be none."""

    def write(self, answers: Sequence[str]) -> str:
        """Write the drawing down. answers: what was read of each label, which may be wrong or empty."""


def label_tile(ink: Ink, box: Box, spec: ModelSpec, height: int = 0) -> Image.Image:
    """Make the strip of a text. ink: 0 paper .. 255 ink. box: in its pixels. height: of its line, where only low letters stand in it."""
    left, top, right, bottom = box
    rows = ink[max(0, top - SOFT_EDGE) : bottom + SOFT_EDGE]
    return strip_tile(rows, (left, right), max(height, bottom - top), spec)
