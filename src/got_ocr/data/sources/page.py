"""Full pages of printed text, one or more columns, English or Chinese. Knows no model.

The layout is in data.printed_page.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from got_ocr.data import printed_page as pages
from got_ocr.data.sample import Line, Sample

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class PageSource(pages.PageStyle):
    """Write page samples: the options are those of data.printed_page.PageStyle."""

    def __call__(self, rng: "np.random.Generator") -> Sample:
        """Write one page in natural reading order."""
        return sample(pages.write(self, rng), self, "page")


def sample(page: pages.Page, style: pages.PageStyle, kind: str) -> Sample:
    """Wrap a finished page as a sample with its lines."""
    from PIL import Image

    target = pages.label(page.lines, style.breaks, style.language)
    rows = tuple(Line(line.text, line.box) for line in page.lines)
    facts: dict[str, object] = {"fonts": [font.facts for font in page.fonts], "language": style.language}
    return Sample((Image.fromarray(page.pixels),), target, kind, lines=rows, meta=facts)
