"""Several pages of one document, asked for together. Knows no model; the layout is in data.printed_page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from got_ocr.data import printed_page
from got_ocr.data.sample import Sample
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class MultipageSource(printed_page.PageStyle):
    """Write documents of several pages: the options are those of data.printed_page.PageStyle, and their number.

    pages: (least, most). The label is the pages' labels in order, one after another. The default end of the text keeps
    a page below 650 tokens (paper section 3.3).
    """

    pages: tuple[int, int] = (2, 8)
    most_chars: int = 1800

    def __post_init__(self) -> None:
        printed_page.PageStyle.__post_init__(self)
        if not 1 <= self.pages[0] <= self.pages[1]:
            raise InvalidValue(f"pages is (least, most) with 1 <= least <= most; not {self.pages}")

    def __call__(self, rng: "np.random.Generator") -> Sample:
        """Write one document. Line boxes are left out, for they would not say on which page they lie."""
        from PIL import Image

        count = int(rng.integers(self.pages[0], self.pages[1] + 1))
        written = printed_page.write_many(self, rng, count)
        target = "\n".join(printed_page.label(page.lines, self.breaks, self.language) for page in written)
        facts: dict[str, object] = {"fonts": [font.facts for font in written[0].fonts], "language": self.language}
        pictures = tuple(Image.fromarray(page.pixels) for page in written)
        return Sample(pictures, target, "multipage", task=Task(multi_page=True), meta=facts)
