"""Set the content of a table cell with Pillow: pieces of text with their font, place and width.

Holds the third writer of formula trees, for the simple ones that cells hold (letters, digits, signs, scripts of
one level). Knows no grid, rule or colour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from got_ocr.data import fonts
from got_ocr.data.latex import symbols, tree
from got_ocr.data.tables.grid import Content
from got_ocr.errors import InvalidValue

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_MATHS_FAMILIES = ("STIXGeneral", "STIX", "DejaVu Serif", "DejaVu Sans")
_SPACED = frozenset("+-=<>") | set(symbols.RELATIONS.values()) | set(symbols.ARROWS.values()) | set("×±∓÷⋅")


@dataclass(frozen=True, slots=True)
class Face:
    """Say how text is set: a font and its size in pixels."""

    font: fonts.Font
    size: int

    def load(self, scale: float = 1.0) -> "FreeTypeFont":
        """Open the font, scaled for scripts."""
        return fonts.load(self.font, max(round(self.size * scale), 6))


@dataclass(frozen=True, slots=True)
class Piece:
    """One run of text in one font; x and y from the line's start and baseline, pixels."""

    text: str
    font: "FreeTypeFont"
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cell with its width in pixels."""

    pieces: tuple[Piece, ...]
    width: float


def lines(content: Content, face: Face, limit: float) -> tuple[Line, ...]:
    """Set a cell's content; text alone is broken at spaces into lines of at most `limit` pixels where words allow
    it.
    """
    if any(isinstance(part, tree.Node) for part in content):
        return (_mixed(content, face),)
    font = face.load()
    out: list[str] = []
    for word in " ".join(str(part) for part in content).split(" "):
        if out and font.getlength(f"{out[-1]} {word}") <= limit:
            out[-1] = f"{out[-1]} {word}"
        else:
            out.append(word)
    return tuple(Line((Piece(text, font, 0.0, 0.0),), font.getlength(text)) for text in out if text)


def _mixed(content: Content, face: Face) -> Line:
    pieces: list[Piece] = []
    x = 0.0
    for place, part in enumerate(content):
        x += face.size * 0.28 if place else 0.0
        runs = _formula(part, 1.0, 0.0) if isinstance(part, tree.Node) else iter([(part, "text", 1.0, 0.0)])
        for text, role, scale, rise in runs:
            font = _face(face, role, text).load(scale)
            gap = face.size * 0.2 if role == "sign" and text in _SPACED and scale == 1.0 else 0.0
            pieces.append(Piece(text, font, x + gap, -rise * face.size))
            x += font.getlength(text) + 2 * gap
    return Line(tuple(pieces), x)


_Run = tuple[str, str, float, float]


def _formula(node: tree.Node, scale: float, rise: float) -> Iterator[_Run]:
    """Yield (text, role, scale, rise) for a simple formula; roles are text, letter and sign."""
    if isinstance(node, tree.Row):
        for item in node.items:
            yield from _formula(item, scale, rise)
    elif isinstance(node, tree.Script):
        yield from _formula(node.base, scale, rise)
        for part, shift in ((node.sub, -0.2), (node.sup, 0.38)):
            if part is not None:
                yield from _formula(part, scale * 0.68, rise + shift * scale)
    else:
        yield _leaf(node, scale, rise)


def _leaf(node: tree.Node, scale: float, rise: float) -> _Run:
    if isinstance(node, tree.Letter):
        return node.char, "letter", scale, rise
    if isinstance(node, tree.Digits):
        return node.text, "text", scale, rise
    if isinstance(node, tree.Plain):
        return "−" if node.char == "-" else node.char, "sign", scale, rise
    if isinstance(node, tree.Symbol):
        char = symbols.SYMBOLS[node.command]
        return char, "letter" if char in "αβγδϵεζηθϑικλμνξπϖρϱσςτυϕφχψω" else "sign", scale, rise
    raise InvalidValue(f"a table cell cannot draw a {type(node).__name__} node")


def _face(face: Face, role: str, text: str) -> Face:
    if role == "text":
        return face
    if role == "sign" and all(_draws(face.font, char) for char in text):
        return face
    return Face(_maths_font(role == "letter", text), face.size)


def _draws(font: fonts.Font, char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in font.ranges)


@lru_cache(maxsize=512)
def _maths_font(italic: bool, text: str) -> fonts.Font:
    for family in _MATHS_FAMILIES:
        for font in fonts.index():
            fits = font.family == family and font.italic == italic and font.weight == 400
            if fits and all(_draws(font, char) for char in text):
                return font
    if italic:
        return _maths_font(False, text)
    raise InvalidValue(f"no installed font draws the sign {text!r}; install matplotlib or the DejaVu fonts")
