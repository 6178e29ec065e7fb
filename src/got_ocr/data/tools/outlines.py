"""Turn text into SVG outlines with fontTools, so that a drawing needs no font of the machine when it is rasterised.

Knows no drawing: a string, a font and a place give path data.
"""

import logging
from functools import lru_cache
from typing import Any

from got_ocr.data.fonts import Font
from got_ocr.errors import InvalidValue, MissingDependency


def text(font: Font, words: str, size: float, x: float, y: float, align: str = "left", turn: float = 0.0) -> str:
    """Outline words as an SVG group without colour.

    x, y: pixels of the baseline's left end, middle or right end, as `align` (left, center, right) says; turn: degrees
    against the clock about that point.
    """
    wide = width(font, words, size)
    start = {"left": 0.0, "center": -wide / 2, "right": -wide}[align]
    parts, at = [], 0.0
    for char in words:
        path, advance = _glyph(font.path, font.face, char)
        if path:
            parts.append(f'<path transform="translate({at:.4f} 0)" d="{path}"/>')
        at += advance
    place = f"translate({x:.2f} {y:.2f}) rotate({-turn:g}) translate({start:.2f} 0) scale({size:g} {-size:g})"
    return f'<g transform="{place}">{"".join(parts)}</g>'


def width(font: Font, words: str, size: float) -> float:
    """Measure words in pixels."""
    return size * sum(_glyph(font.path, font.face, char)[1] for char in words)


@lru_cache(maxsize=20000)
def _glyph(path: str, face: int, char: str) -> tuple[str, float]:
    """Outline one character: path data and advance, in ems with y upwards. Raises InvalidValue for one the font
    lacks.
    """
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    names, shapes, em = _open(path, face)
    name = names.get(ord(char))
    if name is None:
        raise InvalidValue(f"the font does not draw U+{ord(char):04X}; choose one that covers the text")
    pen = SVGPathPen(shapes, ntos=lambda value: f"{value:.4f}".rstrip("0").rstrip("."))
    shapes[name].draw(TransformPen(pen, (em, 0, 0, em, 0, 0)))
    return pen.getCommands(), shapes[name].width * em


@lru_cache(maxsize=32)
def _open(path: str, face: int) -> tuple[dict[int, str], Any, float]:
    """Open a face: glyph names by code point, glyph shapes, and the em of one font unit."""
    try:
        from fontTools.ttLib import TTFont
    except ImportError as error:
        raise MissingDependency("outlines need fontTools: pip install 'got-ocr[synth]'") from error
    # Some fonts carry a few stray bytes; fontTools reports that on every table it opens.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = TTFont(path, fontNumber=face, lazy=True)
    return font.getBestCmap(), font.getGlyphSet(), 1 / font["head"].unitsPerEm
