"""Formatted pages: a document tree written as Mathpix Markdown for the label and set by typst for the picture.

Knows no way of filling or writing: those are in `data.pages`.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from got_ocr.data import fonts
from got_ocr.data.charset import ASCII, LETTERS, alphabet
from got_ocr.data.latex import faces
from got_ocr.data.pages import fill, label, markup
from got_ocr.data.pages.tree import Abstract, Heading, Page, Paragraph
from got_ocr.data.sample import Sample
from got_ocr.data.sources import lettering
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.tools import typst
from got_ocr.errors import InvalidValue, MissingDependency, PageRenderFailed
from got_ocr.task import Task

_SHEETS = ((595, 842), (612, 792), (420, 595), (499, 709), (540, 405))
_EMBEDDED = frozenset(ASCII + LETTERS + "“”‘’–—…")


@dataclass(frozen=True, slots=True)
class Type:
    """Say what a page is lettered with: family, characters that it draws, files beside the embedded fonts."""

    family: str
    allowed: frozenset[str]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """Draw formatted pages.

    columns: most columns. zh: share of Chinese pages (none where no Chinese font is installed). embedded: share of
    the others in the fonts that the typst wheel carries. longest: most pixels of a sheet's longer side. fill:
    least and most of a sheet that is written on. fonts, corpus: pool and split. clean_fraction, strength, wear: as
    in `finish`.
    """

    columns: int = 2
    zh: float = 0.15
    embedded: float = 0.4
    longest: int = 1700
    fill: tuple[float, float] = (0.25, 1.0)
    fonts: str = "train"
    corpus: str = "train"
    clean_fraction: float = 0.6
    strength: float = 0.5
    wear: str = "mixed"

    def __post_init__(self) -> None:
        if self.columns not in (1, 2) or not 0 <= self.zh <= 1 or not 0 <= self.embedded <= 1:
            raise InvalidValue("a document source needs columns of 1 or 2 and shares zh and embedded between 0 and 1")
        if self.longest < 400 or len(self.fill) != 2 or not 0 < self.fill[0] <= self.fill[1] <= 1.5:
            raise InvalidValue("a document source needs longest of 400 or more and fill within (0, 1.5)")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Write and draw one page."""
        for _ in range(10):
            chinese = lettering.chinese(self.fonts)
            language = "zh" if rng.random() < self.zh and chinese else "en"
            pool = chinese if language == "zh" else "" if rng.random() < self.embedded else self.fonts
            letters = _type(rng, pool, language)
            look = _look(rng, language, letters.family, self.columns)
            ppi = 72 * self.longest * float(rng.uniform(0.6, 1.0)) / max(look.width, look.height or look.width * 1.4)
            room = look.width * (look.height or look.width * 1.2) / (look.size**2 * 0.85)
            brief = fill.Brief(
                language=language,
                split=self.corpus,
                allowed=letters.allowed,
                length=int(room * rng.uniform(*self.fill)),
                display=160,
                word=int(look.column / look.size),  # no letter is wider than an em
                notes=look.columns == 1,
            )
            drawn = _fitted(fill.page(rng, brief), look, ppi, letters.files)
            if drawn is not None:
                page, picture = drawn
                finish = Finish(self.clean_fraction, self.strength, self.wear)
                worn = touch(rng, picture, finish, look.size * ppi / 72)
                meta = {"fonts": [{"family": look.family}], "language": language, "columns": look.columns}
                return Sample((worn,), label.markdown(page), "document", Task(mode="format"), meta=meta)
        raise PageRenderFailed("no page fitted its paper in ten attempts")


def _fitted(page: Page, look: markup.Look, ppi: float, files: tuple[Path, ...]) -> tuple[Page, Image.Image] | None:
    """Drop blocks from the end until all of the page stands on one sheet inside its margins; None if nothing does."""
    blocks = page.blocks
    while blocks:
        page = Page(blocks, page.notes[: _marks(blocks)])
        sheets = typst.draw(markup.typst(page, look), ppi, files)
        if len(sheets) == 1:
            return (page, sheets[0]) if inside(sheets[0], look, ppi) else None
        blocks = blocks[: min(len(blocks) - 1, int(len(blocks) * 0.85))]
        while blocks and isinstance(blocks[-1], Heading):
            blocks = blocks[:-1]
    return None


def _marks(blocks: tuple[object, ...]) -> int:
    """Count the footnote marks of blocks."""
    texts = (block.text for block in blocks if isinstance(block, Paragraph | Abstract))
    return sum(isinstance(part, int) for text in texts for part in text)


def inside(picture: Image.Image, look: markup.Look, ppi: float) -> bool:
    """Say whether there is ink, and none in the outer part of the margins: nothing is cut off."""
    pixels = np.asarray(picture.convert("L"))
    dark = np.abs(pixels.astype(np.int16) - int(pixels[0, 0])) > 24
    edge = max(int(look.margin * 0.6 * ppi / 72), 1)
    bare = not (dark[:edge].any() or dark[-edge:].any() or dark[:, :edge].any() or dark[:, -edge:].any())
    return bare and bool(dark.any())


def _look(rng: np.random.Generator, language: str, family: str, columns: int) -> markup.Look:
    width, height = _SHEETS[int(rng.choice(len(_SHEETS), p=(0.35, 0.2, 0.2, 0.15, 0.1)))]
    two = columns == 2 and width > 480 and rng.random() < 0.35
    shade, light = int(rng.integers(0, 50)), int(rng.integers(235, 256))
    paper = light if rng.random() < 0.4 else 255
    return markup.Look(
        width=width,
        height=0 if not two and rng.random() < 0.4 else height,
        margin=round(float(rng.uniform(24, 64)), 1),
        columns=2 if two else 1,
        gutter=round(float(rng.uniform(14, 26)), 1),
        family=family,
        maths=faces.EMBEDDED,
        size=round(float(rng.uniform(9, 11) if two else rng.uniform(9.5, 15)), 1),
        leading=round(float(rng.uniform(0.55, 0.95)), 2),
        spacing=round(float(rng.uniform(0.9, 1.6)), 2),
        indent=(2.0 if language == "zh" else 1.5) if rng.random() < 0.4 else 0.0,
        justify=bool(rng.random() < 0.65),
        hyphenate=bool(two and rng.random() < 0.5 and language == "en"),
        language=language,
        ink=f"rgb({shade}, {shade}, {shade})",
        paper=f"rgb({paper}, {paper}, {paper})",
        heading="center" if rng.random() < 0.15 else "left",
        nudge=round(float(rng.uniform(0, 1.5)), 1),
        bold="bold" if rng.random() < 0.8 else "regular",
    )


def _type(rng: np.random.Generator, pool: str, language: str) -> Type:
    """Choose a family; an empty pool stands for the embedded fonts."""
    if not pool:
        return Type(typst.EMBEDDED[int(rng.integers(len(typst.EMBEDDED)))], _EMBEDDED, ())
    known = _known(pool)
    for _ in range(200):
        font = fonts.pick(pool, rng)
        if font.family in known and not font.italic and 350 <= font.weight <= 550:
            return Type(font.family, fonts.covered(font, alphabet(language)), _files(pool))
    raise MissingDependency(f"typst found no font of the pool {pool!r}; install DejaVu, Liberation or WenQuanYi fonts")


@lru_cache(maxsize=4)
def _files(pool: str) -> tuple[Path, ...]:
    return tuple(Path(font.path) for font in fonts.pool(pool))


@lru_cache(maxsize=4)
def _known(pool: str) -> frozenset[str]:
    return frozenset(typst.families(_files(pool)))
