"""Build a font file from a table of boxes, so that tests of fonts need none on the machine."""

from collections.abc import Mapping
from pathlib import Path

Shape = tuple[tuple[int, int], ...]


def shapes(text: str) -> dict[str, Shape]:
    """Give every character a shape of its own size: small letters a triangle, all others a rectangle."""
    drawn: dict[str, Shape] = {}
    for rank, char in enumerate(text):
        right, top = 100 + 50 * (rank % 12), 100 + 50 * (rank // 12)
        if char == " ":
            continue
        drawn[char] = ((0, 0), (0, top), (right, 0)) if char.islower() else ((0, 0), (0, top), (right, top), (right, 0))
    return drawn


def build(path: Path, family: str, glyphs: Mapping[str, Shape | None], weight: int = 400) -> Path:
    """Write a TrueType font of such shapes; None draws nothing."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    names = {char: f"u{ord(char):04X}" for char in glyphs}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(char): name for char, name in names.items()})
    drawn = {".notdef": TTGlyphPen(None).glyph()}
    for char, shape in glyphs.items():
        pen = TTGlyphPen(None)
        if shape is not None:
            pen.moveTo(shape[0])
            for point in shape[1:]:
                pen.lineTo(point)
            pen.closePath()
        drawn[names[char]] = pen.glyph()
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics({name: (700, 0) for name in drawn})
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "licenseDescription": "Free for tests\nmore"})
    builder.setupOS2(usWeightClass=weight)
    builder.setupPost()
    builder.save(path)
    return path
