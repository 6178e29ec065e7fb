"""What a loaded model is like, as far as pictures and prompts are concerned.

Holds the sizes that image and prompt need and that belong to the weights. Knows no tensor, file or prompt text: a backend
builds a `ModelSpec` from its checkpoint and everything before the backend takes its numbers from there.
"""

from dataclasses import dataclass
from typing import Literal

Tiling = Literal["whole", "lines"]
FORMATTED = frozenset(
    {"formula", "table", "music", "chart", "molecule", "geometry"}
)  # what format mode may be asked for


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Describe one model to the corridor.

    tile: largest tile, (height, width) in pixels. cell: pixels behind one image token, (height, width): (64, 64) for GOT.
    tiling: `whole` squeezes a picture into one tile (GOT, spec of the paper section 3.1); `lines` cuts it into text lines, one
    tile each, scaled to one height and as wide as the line (at most the tile's width).
    tiles_per_prompt: most tiles that one request may carry. context: most positions, prompt and answer together.
    reads: the kinds of request the weights were trained for, a subset of
    {"plain", "format", "box", "color", "crop", "multi_page"}; others run, with a notice. Some of FORMATTED in place of "format":
    of what is asked for in that mode, these alone.
    figure_tokens: for `lines`: about how many image tokens a picture gets that is asked for in `format` mode, which is then seen
    whole, in one tile of some cells' height; 0 reads it by its lines, as plain text.
    line_height: for `lines`: height of a text line's tile in pixels; 0 is one cell.
    """

    name: str
    tile: tuple[int, int]
    cell: tuple[int, int]
    tiling: Tiling
    tiles_per_prompt: int
    context: int
    reads: frozenset[str]
    figure_tokens: int = 0
    line_height: int = 0

    @property
    def line(self) -> int:
        """Give the height of a text line's tile in pixels."""
        return self.line_height or self.cell[0]

    def tokens(self, height: int, width: int) -> int:
        """Count the image tokens of a tile of `height` x `width` pixels. A cell that is only begun counts."""
        return -(-height // self.cell[0]) * -(-width // self.cell[1])
