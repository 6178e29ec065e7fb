"""What a font file says of itself and what its glyphs look like. Knows no pool, text or recipe.

Coverage comes from the character map, corrected by a drawing of the label alphabet: glyphs that draw nothing do not
count.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from got_ocr.data.charset import ASCII, LATIN

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_PROBE_SIZE = 40
_CASED = "abdeghmnqrt"
_TWINS = (("’", "'"), ("‘", "'"), ("”", '"'), ("“", '"'), ("–", "-"), ("—", "-"), ("—", "–"), ("·", "."), ("•", "·"))


def faces(path: Path) -> list[dict[str, Any]]:
    """Describe each face of a file as a JSON-able row; a file that cannot be read has none."""
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    # Odd time stamps of old fonts are nothing to tell a user about.
    logging.getLogger("fontTools").setLevel(logging.CRITICAL)
    try:
        packed = path.suffix.lower() == ".ttc"
        fonts = list(TTCollection(path, lazy=True).fonts) if packed else [TTFont(path, lazy=True)]
        rows = [_row(path, face, font) for face, font in enumerate(fonts)]
    except (TTLibError, OSError, KeyError, ValueError, AssertionError, AttributeError):
        return []
    return [row for row in rows if row is not None]


def _row(path: Path, face: int, font: Any) -> dict[str, Any] | None:
    from PIL import ImageFont

    names = font["name"]
    family = names.getDebugName(16) or names.getDebugName(1)
    style = names.getDebugName(17) or names.getDebugName(2) or "Regular"
    cmap = font.getBestCmap()
    if not family or not cmap:
        return None
    drawn = ImageFont.truetype(str(path), _PROBE_SIZE, index=face, layout_engine=ImageFont.Layout.BASIC)
    blank = {ord(char) for char in LATIN | set("ﬀﬁﬂﬃﬄ") if ord(char) in cmap and char != " " and not _mask(drawn, char)}
    codes = sorted(set(cmap) - blank - _twins(drawn, cmap))
    weight = int(font["OS/2"].usWeightClass) if "OS/2" in font else 400
    return {
        "path": str(path),
        "face": face,
        "family": family.strip(),
        "style": style.strip(),
        "weight": weight if weight >= 100 else weight * 100,
        "italic": bool(font["head"].macStyle & 2) or any(word in style for word in ("Italic", "Oblique")),
        "unicase": _unicase(drawn),
        "complete": set(map(ord, ASCII)) <= set(codes) and _distinct(drawn),
        "licence": _licence(names),
        "ranges": _ranges(codes),
    }


def _licence(names: Any) -> str:
    lines = (names.getDebugName(13) or names.getDebugName(14) or names.getDebugName(0) or "").strip().splitlines()
    return lines[0][:200] if lines else ""


def _ranges(codes: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def _mask(drawn: "FreeTypeFont", char: str) -> bytes:
    """Draw one character and return its ink as bytes, empty where there is none."""
    mask = drawn.getmask(char, mode="L")
    data = bytes(mask)
    return data if any(data) else b""


def _distinct(drawn: "FreeTypeFont") -> bool:
    """Say whether letters and digits look different from each other: fonts that map all to one box do not."""
    chars = "abcdefghkmnopqrstuvwxyz23456789"
    return len({_mask(drawn, char) for char in chars}) == len(chars)


def _twins(drawn: "FreeTypeFont", cmap: Any) -> set[int]:
    """List marks that look exactly like their plain spelling:

    no reader could tell them apart, so labels hold the plain one.
    """
    return {
        ord(mark)
        for mark, simple in _TWINS
        if ord(mark) in cmap
        and _mask(drawn, mark) == _mask(drawn, simple)
        and drawn.getlength(mark) == drawn.getlength(simple)
    }


def _unicase(drawn: "FreeTypeFont") -> bool:
    """Say whether small letters are drawn as capitals, so that nobody could tell the case of a word."""
    alike = sum(_similar(drawn, char, char.upper()) for char in _CASED)
    return alike * 2 > len(_CASED)


def _similar(drawn: "FreeTypeFont", first: str, second: str) -> bool:
    import numpy as np
    from PIL import Image, ImageDraw

    shapes = []
    for char in (first, second):
        picture = Image.new("L", (_PROBE_SIZE * 3, _PROBE_SIZE * 3))
        ImageDraw.Draw(picture).text((_PROBE_SIZE, _PROBE_SIZE), char, fill=255, font=drawn)
        shapes.append(np.asarray(picture.crop(picture.getbbox()).resize((24, 24)), dtype=np.float32) / 255)
    low, high = np.minimum(*shapes).sum(), np.maximum(*shapes).sum()
    return bool(high > 0 and low / high > 0.75)
