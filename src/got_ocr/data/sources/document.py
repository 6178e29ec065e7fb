"""Formatted pages: a document tree written as Mathpix Markdown for the label and set by typst for the picture.

Knows no way of filling or writing: those are in `data.pages`.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from got_ocr.data import fonts
from got_ocr.data.charset import ASCII, LATIN, LETTERS
from got_ocr.data.pages import fill, label, markup
from got_ocr.data.pages.tree import Heading, Page
from got_ocr.data.sample import Sample
from got_ocr.data.tools import typst
from got_ocr.errors import InvalidValue, MissingDependency, PageRenderFailed
from got_ocr.task import Task

_SIZES = ((595, 842), (612, 792), (420, 595), (499, 709), (540, 405))


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """Draw formatted pages.

    columns: most columns. zh: share of Chinese pages (none where no Chinese font is installed). embedded: share of
    pages in the fonts that the typst wheel carries. longest: most pixels of a side. fonts, corpus: pool and split.
    """

    columns: int = 2
    zh: float = 0.15
    embedded: float = 0.4
    longest: int = 1700
    fonts: str = "train"
    corpus: str = "train"

    def __post_init__(self) -> None:
        if self.columns not in (1, 2) or not 0 <= self.zh <= 1 or not 0 <= self.embedded <= 1:
            raise InvalidValue("a document source needs columns of 1 or 2 and shares zh and embedded between 0 and 1")
        if self.longest < 400:
            raise InvalidValue("the longest side of a page is at least 400 pixels")

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Write and draw one page."""
        for _ in range(10):
            language = "zh" if rng.random() < self.zh and _chinese() else "en"
            pool = "zh" if language == "zh" else "" if rng.random() < self.embedded else self.fonts
            look, allowed, files = _look(rng, language, pool, self.columns)
            room = look.width * (look.height or look.width * 1.2) / (look.size**2 * 0.85)
            brief = fill.Brief(
                language, self.corpus, allowed, int(room * rng.uniform(0.2, 0.85)), 160, look.columns == 1
            )
            ppi = float(rng.uniform(0.6, 1.0)) * self.longest / max(look.width, look.height or look.width * 1.5) * 72
            drawn = _fitted(fill.page(rng, brief), look, ppi, files)
            if drawn is not None:
                page, picture = drawn
                meta = {"font": look.family, "language": language, "columns": look.columns}
                return Sample((picture,), label.markdown(page), "document", Task(mode="format"), meta=meta)
        raise PageRenderFailed("no page fitted its paper in ten attempts")


def _fitted(page: Page, look: markup.Look, ppi: float, files: tuple[Path, ...]) -> tuple[Page, Image.Image] | None:
    """Drop blocks from the end until all of the page stands on one sheet inside its margins; None if nothing does."""
    blocks = page.blocks
    while blocks:
        used = sum(isinstance(part, int) for block in blocks for part in getattr(block, "text", ()))
        page = Page(blocks, page.notes[:used])
        sheets = typst.draw(markup.typst(page, look), ppi, files)
        if len(sheets) == 1:
            return (page, sheets[0]) if inside(sheets[0], look, ppi) else None
        blocks = blocks[: min(len(blocks) - 1, int(len(blocks) * 0.85))]
        while blocks and isinstance(blocks[-1], Heading):
            blocks = blocks[:-1]
    return None


def inside(picture: Image.Image, look: markup.Look, ppi: float) -> bool:
    """Say whether the margins and the gap between columns are bare, so that nothing is cut off or covered."""
    pixels = np.asarray(picture.convert("L")).astype(int)
    ink = np.abs(pixels - pixels[0, 0]) > 24
    edge = max(int(look.margin * 0.6 * ppi / 72), 1)
    bare = not (ink[:edge].any() or ink[-edge:].any() or ink[:, :edge].any() or ink[:, -edge:].any())
    if look.columns == 2:
        middle, half = picture.width // 2, max(int(look.gutter * 0.25 * ppi / 72), 1)
        bare = bare and not ink[:, middle - half : middle + half].any()
    return bare and bool(ink.any())


def _look(
    rng: np.random.Generator, language: str, pool: str, columns: int
) -> tuple[markup.Look, frozenset[str], tuple[Path, ...]]:
    family, allowed, files = _family(rng, pool)
    width, height = _SIZES[int(rng.choice(len(_SIZES), p=(0.35, 0.2, 0.2, 0.15, 0.1)))]
    two = columns == 2 and width > 480 and rng.random() < 0.35
    indent = 1.5 if rng.random() < 0.4 else 0.0
    shade, light = int(rng.integers(0, 50)), int(rng.integers(235, 256))
    paper = light if rng.random() < 0.4 else 255
    look = markup.Look(
        width=width,
        height=0 if not two and rng.random() < 0.4 else height,
        margin=round(float(rng.uniform(24, 64)), 1),
        columns=2 if two else 1,
        gutter=round(float(rng.uniform(14, 26)), 1),
        family=family,
        maths="New Computer Modern Math",
        size=round(float(rng.uniform(9, 11) if two else rng.uniform(9.5, 15)), 1),
        leading=round(float(rng.uniform(0.55, 0.95)), 2),
        spacing=round(float(rng.uniform(0.9, 1.6)), 2),
        indent=indent,
        justify=bool(rng.random() < 0.65),
        hyphenate=bool(two and rng.random() < 0.5 and language == "en"),
        language=language,
        ink=f"rgb({shade}, {shade}, {shade})",
        paper=f"rgb({paper}, {paper}, {paper})",
        heading="center" if rng.random() < 0.15 else "left",
        nudge=round(float(rng.uniform(0, 1.5)), 1),
        bold="bold" if rng.random() < 0.8 else "regular",
    )
    return look, allowed, files


def _family(rng: np.random.Generator, pool: str) -> tuple[str, frozenset[str], tuple[Path, ...]]:
    """Choose a family and say which characters it draws; an empty pool stands for the embedded fonts."""
    if not pool:
        return typst.EMBEDDED[int(rng.integers(len(typst.EMBEDDED)))], frozenset(ASCII + LETTERS + "“”‘’–—…"), ()
    known = _known(pool)
    for _ in range(200):
        font = fonts.pick(pool, rng)
        if font.family in known and not font.italic and 350 <= font.weight <= 550:
            return font.family, fonts.covered(font, LATIN), _files(pool)
    raise MissingDependency(f"typst found no font of the pool {pool!r}; install DejaVu, Liberation or WenQuanYi fonts")


@lru_cache(maxsize=4)
def _files(pool: str) -> tuple[Path, ...]:
    return tuple(Path(font.path) for font in fonts.pool(pool))


@lru_cache(maxsize=4)
def _known(pool: str) -> frozenset[str]:
    return frozenset(typst.families(_files(pool)))


def _chinese() -> bool:
    try:
        return bool(fonts.pool("zh"))
    except MissingDependency:
        return False
