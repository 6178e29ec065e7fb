"""Draw typst markup as pictures, offline.

Holds the one call into the typst wheel: fonts are those the wheel carries plus the font files given, never
whatever else the machine has, so that equal markup and equal font files give equal pixels. Knows no formula, page
or label.
"""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from got_ocr.errors import MissingDependency, PageRenderFailed

if TYPE_CHECKING:
    import typst

EMBEDDED = ("Libertinus Serif", "New Computer Modern")


def draw(markup: str, ppi: float, fonts: tuple[Path, ...] = ()) -> list[Image.Image]:
    """Compile markup and return its pages as RGB pictures.

    ppi: pixels per inch. fonts: font files; the markup may name any family in their folders besides the embedded
    ones. Raises MissingDependency without the typst wheel and PageRenderFailed when the markup does not compile.
    """
    try:
        import typst
    except ImportError as error:
        raise MissingDependency("drawing formulas and pages needs the typst wheel: pip install typst") from error
    try:
        pages = typst.compile(markup.encode(), format="png", ppi=ppi, font_paths=_fonts(_folders(fonts)))
    except typst.TypstError as error:
        raise PageRenderFailed("typst refused the markup of a page; report its seed") from error
    return [_rgb(page) for page in (pages if isinstance(pages, list) else [pages])]


def families(fonts: tuple[Path, ...] = ()) -> tuple[str, ...]:
    """Name the font families that `draw` finds with these files."""
    return tuple(_fonts(_folders(fonts)).families())


@lru_cache(maxsize=16)
def _folders(fonts: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders of font files: typst reads folders and passes over files without a word."""
    return tuple(sorted({path.parent for path in fonts}))


@lru_cache(maxsize=16)
def _fonts(paths: tuple[Path, ...]) -> "typst.Fonts":
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=list(paths))


def _rgb(page: bytes) -> Image.Image:
    with Image.open(BytesIO(page)) as picture:
        return picture.convert("RGB")
