"""Tables: a grid that is filled at random, its LaTeX or HTML as the label, its drawing as the picture.

Knows no way of filling, writing or drawing: those are in `data.tables`.
"""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from got_ocr.data import fonts
from got_ocr.data.charset import ASCII, LETTERS
from got_ocr.data.latex import faces
from got_ocr.data.latex.tree import Node
from got_ocr.data.sample import Sample
from got_ocr.data.sources import lettering
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.tables import draw, fill, markup
from got_ocr.data.tables import label as notation
from got_ocr.data.tables.grid import Grid
from got_ocr.data.tables.ink import Face
from got_ocr.data.tools import latex, typst
from got_ocr.errors import InvalidValue, MissingDependency, PageRenderFailed
from got_ocr.task import Task

_TYPESET = """#set page(width: auto, height: auto, margin: {margin}pt)
#set text(font: "{family}", fallback: false, size: 10pt)
#set smartquote(enabled: false)
#set table(stroke: none, inset: (x: {across}pt, y: {down}pt))
#show math.equation: set text(font: "{maths}", fallback: false)
#{table}"""
_EMBEDDED = frozenset(ASCII + LETTERS + "€£¥")
# What TeX's text fonts print as other signs: guillemets, curly quotes, dashes.
_OTHER_SIGNS = re.compile(r"[<>|\"'`]|--|[?!]`")
_RULE_SHARES = (0.4, 0.25, 0.08, 0.12, 0.1, 0.05)


@dataclass(frozen=True, slots=True)
class TableSource:
    """Draw tables.

    label: notation of the answer. max_rows, max_columns: largest body. zh: share of Chinese tables (none where no
    Chinese font is installed). latex: share of the others set by LaTeX itself, where it is installed and all is ASCII.
    typeset: share of the others set by typst like those of papers, where no cell is
    long. everyday: share of English columns that hold measures, times, words without capitals and the like. fonts,
    corpus: pool and split. clean_fraction, strength, wear: as in `finish`.
    """

    label: Literal["latex", "html"] = "latex"
    max_rows: int = 12
    max_columns: int = 8
    zh: float = 0.2
    typeset: float = 0.15
    latex: float = 0.0
    everyday: float = 0.0
    fonts: str = "train"
    corpus: str = "train"
    clean_fraction: float = 0.6
    strength: float = 0.5
    wear: str = "light"

    def __post_init__(self) -> None:
        if self.label not in ("latex", "html"):
            raise InvalidValue(f"label of a table is latex or html; not {self.label!r}")
        if self.max_rows < 2 or self.max_columns < 2:
            raise InvalidValue("a table source needs max_rows and max_columns of 2 or more")
        if not all(0 <= share <= 1 for share in (self.zh, self.typeset, self.latex, self.everyday)):
            raise InvalidValue("zh, typeset, latex and everyday of a table source lie between 0 and 1")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Fill and draw one table."""
        chinese = lettering.chinese(self.fonts)
        language = "zh" if rng.random() < self.zh and chinese else "en"
        rows, width = int(rng.integers(2, self.max_rows + 1)), int(rng.integers(2, self.max_columns + 1))
        rules = str(rng.choice(fill.RULES, p=_RULE_SHARES))
        grid = fill.table(
            rng, fill.Voice(language, self.corpus), rows, width, rules, self.everyday * (language == "en")
        )
        cells = [[c.row, c.column, c.rows, c.columns, notation.content(c.content)] for c in grid.cells if c.content]
        meta: dict[str, object] = {"language": language, "rules": rules, "cells": cells}
        drawn = _by_latex(rng, grid) if language == "en" and self.latex and rng.random() < self.latex else None
        if drawn is not None:
            picture, size = drawn
            meta |= {"engine": "latex"}
        elif language == "en" and rng.random() < self.typeset and _short(grid):
            picture, size = _typeset(rng, grid)
            meta |= {"engine": "typst"}
        else:
            pool = chinese if language == "zh" else self.fonts
            font = lettering.covering(rng, pool, "".join(_texts(grid)))
            look = _look(rng, font)
            picture, size = draw.draw(grid, look), float(look.body.size)
            meta |= {"engine": "pillow", "fonts": [font.facts]}
        text = notation.tabular(grid) if self.label == "latex" else notation.html(grid)
        worn = touch(rng, picture, Finish(self.clean_fraction, self.strength, self.wear), size)
        return Sample((worn,), text, "table", Task(mode="format"), meta=meta)


def _texts(grid: Grid) -> list[str]:
    """List the texts of a grid, formulas left out."""
    return [part for cell in grid.cells for part in cell.content if not isinstance(part, Node)]


def _short(grid: Grid) -> bool:
    return all(len(text) <= 36 and _EMBEDDED.issuperset(text) for text in _texts(grid))


def _typeset(rng: np.random.Generator, grid: Grid) -> tuple[Image.Image, float]:
    size = float(rng.uniform(15, 30))
    page = _TYPESET.format(
        margin=round(float(rng.uniform(4, 16)), 1),
        family=typst.EMBEDDED[int(rng.integers(len(typst.EMBEDDED)))],
        maths=faces.EMBEDDED,
        across=round(float(rng.uniform(3, 9)), 1),
        down=round(float(rng.uniform(2.5, 6)), 1),
        table=markup.table(grid),
    )
    return typst.draw(page, 72 * size / 10)[0], size


def _by_latex(rng: np.random.Generator, grid: Grid) -> tuple[Image.Image, float] | None:
    """Let LaTeX set the label itself; None where a cell is long or not ASCII, or LaTeX is missing or lacks a command."""
    size, margin = float(rng.uniform(15, 30)), int(rng.integers(6, 28))
    text = notation.tabular(grid)
    if not (text.isascii() and _short(grid)) or _OTHER_SIGNS.search(" ".join(_texts(grid))):
        return None
    try:
        return latex.draw([text], size, margin)[0], size
    except (MissingDependency, PageRenderFailed):
        return None


def _tint(rng: np.random.Generator, low: int, high: int) -> draw.Colour:
    red, green, blue = (int(value) for value in rng.integers(low, high, size=3))
    return red, green, blue


def _look(rng: np.random.Generator, font: fonts.Font) -> draw.Look:
    size = int(rng.integers(15, 29))
    shade = int(rng.integers(0, 60))
    ink = (shade, shade, shade) if rng.random() < 0.8 else _tint(rng, 0, 90)
    dark = rng.random() < 0.12
    band = _tint(rng, 20, 110) if dark else _tint(rng, 205, 245) if rng.random() < 0.3 else None
    rule = int(rng.choice((1, 1, 1, 2)))
    return draw.Look(
        body=Face(font, size),
        head=Face(_bold(font) if rng.random() < 0.5 else font, size),
        pad=(int(rng.integers(6, 18)), int(rng.integers(2, 10))),
        margin=int(rng.integers(8, 40)),
        limit=int(rng.integers(9, 16)) * size,
        rule=rule,
        thick=rule + int(rng.random() < 0.4),
        leading=float(rng.uniform(1.15, 1.35)),
        ink=ink,
        paper=(255, 255, 255) if rng.random() < 0.6 else _tint(rng, 238, 256),
        line=ink if rng.random() < 0.7 else _tint(rng, 90, 180),
        zebra=_tint(rng, 222, 248) if rng.random() < 0.2 else None,
        band=band,
        head_ink=(255, 255, 255) if dark else ink,
    )


def _bold(font: fonts.Font) -> fonts.Font:
    """Find the bold face of a font's family that draws as much; the font itself where there is none."""
    for other in fonts.index():
        if other.family == font.family and other.weight >= 600 and not other.italic and other.ranges == font.ranges:
            return other
    return font
