"""Displayed formulas: a tree from the grammar, its LaTeX as the label, its drawing as the picture.

Knows no symbol, grammar rule or writer: those are in `data.latex`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from got_ocr.data.latex import faces, forms, label, markup
from got_ocr.data.latex.tree import Node
from got_ocr.data.sample import Sample
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.tools import latex, typst
from got_ocr.errors import InvalidValue, MissingDependency, PageRenderFailed
from got_ocr.task import Task

_PAGE = """#set page(width: auto, height: auto, margin: {margin}pt, fill: {paper})
#set text(size: {size}pt, fill: {ink})
#show math.equation: set text(font: "{family}", fallback: false, weight: {weight})
$ {body} $"""


@dataclass(frozen=True, slots=True)
class FormulaSource:
    """Draw displayed formulas.

    depth: deepest nesting. max_characters: longest label. max_width: widest picture in pixels; longer formulas are
    grown anew, `attempts` times at most. installed: share drawn in a mathematics font of the machine, where it has
    one. latex: share drawn by LaTeX where it is installed and knows every command; the rest by typst. sizes: least and
    most font size in pixels. continued: share that are a later row of a longer formula by itself, so that they begin with a
    relation. clean_fraction, strength, wear: as in `finish`.
    """

    depth: int = 3
    max_characters: int = 320
    max_width: int = 1600
    attempts: int = 40
    installed: float = 0.4
    latex: float = 0.0
    sizes: tuple[float, float] = (16.0, 42.0)
    continued: float = 0.0
    clean_fraction: float = 0.5
    strength: float = 0.6
    wear: str = "light"

    def __post_init__(self) -> None:
        if self.depth < 1 or self.max_characters < 20 or self.max_width < 200 or self.attempts < 1:
            raise InvalidValue(
                "a formula source needs depth >= 1, max_characters >= 20, max_width >= 200, attempts >= 1"
            )
        if len(self.sizes) != 2 or not 8 <= self.sizes[0] <= self.sizes[1]:
            raise InvalidValue("sizes of formulas are (least, most) pixels, 8 or more")
        if not (0 <= self.latex <= 1 and 0 <= self.continued <= 1):
            raise InvalidValue("latex and continued of a formula source lie between 0 and 1")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Grow and draw one formula."""
        for _ in range(self.attempts):
            grow = forms.continued if self.continued and rng.random() < self.continued else forms.formula
            node = grow(rng, int(rng.integers(1, self.depth + 1)))
            text = label.display(node)
            if len(text) > self.max_characters:
                continue
            size = float(np.exp(rng.uniform(np.log(self.sizes[0]), np.log(self.sizes[1]))))
            drawn = _by_latex(rng, node, size) if self.latex and rng.random() < self.latex else None
            engine = "typst" if drawn is None else "latex"
            picture, family = drawn or _draw(rng, node, size, self.installed)
            if picture.width <= self.max_width:
                finish = Finish(self.clean_fraction, self.strength, self.wear)
                worn = touch(rng, picture, finish, size)
                meta = {"engine": engine, "fonts": [{"family": family}], "size": round(size)}
                return Sample((worn,), text, "formula", Task(mode="format"), meta=meta)
        raise InvalidValue("no formula fitted max_characters and max_width; raise them")


def _by_latex(rng: np.random.Generator, node: Node, size: float) -> tuple[Image.Image, str] | None:
    """Let LaTeX set the label itself; None where it is not installed or lacks a command."""
    shade, light = int(rng.integers(0, 70)), int(rng.integers(225, 256))
    margin = int(rng.integers(6, 28))
    try:
        return latex.draw([f"$\\displaystyle {label.latex(node)}$"], size, margin, shade, light)[0], "Computer Modern"
    except (MissingDependency, PageRenderFailed):
        return None


def _draw(rng: np.random.Generator, node: Node, size: float, installed: float) -> tuple[Image.Image, str]:
    dark = bool(rng.random() < 0.05)
    shade, light = int(rng.integers(0, 70)), int(rng.integers(225, 256))
    ink, paper = (light, shade) if dark else (shade, light if rng.random() < 0.4 else 255)
    family, files = faces.choose(rng, node, installed)
    points = 12
    page = _PAGE.format(
        margin=round(float(rng.uniform(5, 20)), 1),
        paper=f"rgb({paper}, {paper}, {paper})",
        size=points,
        ink=f"rgb({ink}, {ink}, {ink})",
        family=family,
        weight=450 if rng.random() < 0.4 else 400,
        body=markup.typst(node),
    )
    return typst.draw(page, 72 * size / points, files)[0], family
