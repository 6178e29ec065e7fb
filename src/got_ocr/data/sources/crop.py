"""Pictures too large or too long for one tile: spreads, strips and posters. Knows no model and cuts nothing itself."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from got_ocr.data import printed_page
from got_ocr.data.sample import Line, Sample
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

if TYPE_CHECKING:
    import numpy as np

    from got_ocr.data.ink import Pixels

SHAPES = ("wide", "tall", "large", "spread")


@dataclass(frozen=True, slots=True)
class CropSource(printed_page.PageStyle):
    """Write large samples: the options are those of data.printed_page.PageStyle, and the shapes.

    shapes: any of wide (several columns), tall (one column), large (both sides long) and spread (two pages side by
    side). scale: least and most factor on the long side. width, height, columns: of the page before it is stretched.
    """

    shapes: tuple[str, ...] = SHAPES
    scale: tuple[float, float] = (1.8, 2.6)
    most_chars: int = 6000

    def __post_init__(self) -> None:
        printed_page.PageStyle.__post_init__(self)
        if not self.shapes or not set(self.shapes) <= set(SHAPES):
            raise InvalidValue(f"shapes are any of {', '.join(SHAPES)}; not {self.shapes}")

    def __call__(self, rng: "np.random.Generator") -> Sample:
        """Write one picture whose text is too small to read at a glance."""
        from PIL import Image

        shape = self.shapes[int(rng.integers(len(self.shapes)))]
        pixels, lines, page = self._spread(rng) if shape == "spread" else self._stretched(rng, shape)
        target = printed_page.label(lines, self.breaks, self.language)
        rows = tuple(Line(line.text, line.box) for line in lines)
        facts: dict[str, object] = {"fonts": [font.facts for font in page.fonts], "language": self.language}
        return Sample((Image.fromarray(pixels),), target, "crop", task=Task(crop=True), lines=rows, meta=facts)

    def _stretched(
        self, rng: "np.random.Generator", shape: str
    ) -> "tuple[Pixels, tuple[printed_page.PageLine, ...], printed_page.Page]":
        factor = float(rng.uniform(*self.scale))
        width, height = self.width, self.height
        if shape in ("wide", "large"):
            width = (int(width[0] * factor), int(width[1] * factor))
        if shape in ("tall", "large"):
            height = (int(height[0] * factor), int(height[1] * factor))
        columns = {"wide": (3, 5), "tall": (1, 1), "large": (2, 4)}[shape]
        page = printed_page.write(replace(self, width=width, height=height, columns=columns), rng)
        return page.pixels, page.lines, page

    def _spread(
        self, rng: "np.random.Generator"
    ) -> "tuple[Pixels, tuple[printed_page.PageLine, ...], printed_page.Page]":
        import numpy as np

        left, right = printed_page.write_many(replace(self, most_chars=self.most_chars // 2), rng, 2)
        offset, blocks = left.pixels.shape[1], 1 + max((line.block for line in left.lines), default=0)
        moved = tuple(
            replace(
                line,
                box=(line.box[0] + offset, line.box[1], line.box[2] + offset, line.box[3]),
                block=line.block + blocks,
            )
            for line in right.lines
        )
        return np.hstack([left.pixels, right.pixels]), left.lines + moved, left


def _moved(line: printed_page.PageLine, offset: int, blocks: int) -> printed_page.PageLine:
    left, top, right, bottom = line.box
    return replace(line, box=(left + offset, top, right + offset, bottom), block=line.block + blocks)
