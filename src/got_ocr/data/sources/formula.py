"""Displayed formulas: a tree from the grammar, its LaTeX as the label, its drawing as the picture.

Knows no symbol, grammar rule or writer: those are in `data.latex`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from got_ocr.data.latex import forms, label, markup
from got_ocr.data.latex.tree import Node
from got_ocr.data.sample import Sample
from got_ocr.data.tools import typst
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

_PAGE = """#set page(width: auto, height: auto, margin: {margin}pt, fill: {paper})
#set text(size: {size}pt, fill: {ink})
#show math.equation: set text(font: "New Computer Modern Math", weight: {weight})
$ {body} $"""


@dataclass(frozen=True, slots=True)
class FormulaSource:
    """Draw displayed formulas.

    depth: deepest nesting. max_characters: longest label. max_width: widest picture in pixels; longer formulas are grown anew.
    """

    depth: int = 3
    max_characters: int = 320
    max_width: int = 1600
    attempts: int = 40

    def __post_init__(self) -> None:
        if self.depth < 1 or self.max_characters < 20 or self.max_width < 200 or self.attempts < 1:
            raise InvalidValue("formula source needs depth >= 1, max_characters >= 20, max_width >= 200, attempts >= 1")

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Grow and draw one formula."""
        for _ in range(self.attempts):
            node = forms.formula(rng, int(rng.integers(1, self.depth + 1)))
            text = label.display(node)
            if len(text) > self.max_characters:
                continue
            picture, style = self._draw(node, rng)
            if picture.width <= self.max_width:
                return Sample((picture,), text, "formula", Task(mode="format"), meta=style)
        raise InvalidValue("no formula fitted max_characters and max_width; raise them")

    def _draw(self, node: Node, rng: np.random.Generator) -> tuple[Image.Image, dict[str, object]]:
        dark = bool(rng.random() < 0.05)
        shade = int(rng.integers(0, 70))
        light = int(rng.integers(225, 256))
        ink, paper = (light, shade) if dark else (shade, light if rng.random() < 0.4 else 255)
        page = _PAGE.format(
            margin=round(float(rng.uniform(8, 28)), 1),
            paper=f"rgb({paper}, {paper}, {paper})",
            size=round(float(rng.uniform(10, 14)), 1),
            ink=f"rgb({ink}, {ink}, {ink})",
            weight=450 if rng.random() < 0.4 else 400,
            body=markup.typst(node),
        )
        ppi = float(rng.uniform(110, 220))
        return typst.draw(page, ppi)[0], {"engine": "typst", "ppi": round(ppi)}
