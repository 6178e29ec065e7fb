"""Glyph outlines and sizes of the labels in figures: TeX mathematics as SVG path data, in centimetres at 10 pt.

Holds the bridge to matplotlib's mathtext, whose fonts lie in its wheel, so that outlines do not depend on the fonts of
the machine. Knows no figure.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from got_ocr.errors import MissingDependency

FONTS: tuple[str, ...] = ("cm", "stix", "dejavuserif", "stixsans", "dejavusans")
_CM = 10 / 100 * 2.54 / 72  # outlines come at 100 units to the em; 10 pt in centimetres
SEP = 0.117  # the inner separation of a TikZ node at 10 pt, in centimetres
_SIGNS = {
    r"\alpha": "α",
    r"\beta": "β",
    r"\gamma": "γ",
    r"\theta": "θ",
    r"\varphi": "φ",
    r"^\circ": "°",
    "^2": "²",
    r"\sqrt": "√",
    r"\frac{1}{2}": "1/2",
    r"\,": " ",
}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Outlines of one label: SVG path data (y upwards) and the ink box in centimetres."""

    path: str
    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """Width of the ink."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height of the ink."""
        return self.top - self.bottom


@lru_cache(maxsize=4096)
def glyphs(text: str, font: str = "cm") -> Glyphs:
    """Outline the text of a node; `$...$` is mathematics, anything else stands upright.

    Raises MissingDependency without matplotlib.
    """
    try:
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import text_to_path
    except ImportError as error:
        raise MissingDependency("figures need the package matplotlib: pip install 'got-ocr[synth]'") from error

    source = text if text.startswith("$") else rf"$\mathrm{{{text}}}$"
    points, codes = text_to_path.get_text_path(FontProperties(math_fontfamily=font), source, ismath=True)
    scaled = [(float(x) * _CM, float(y) * _CM) for x, y in points]
    data = _data(scaled, [int(c) for c in codes])
    inked = [p for p, c in zip(scaled, codes, strict=True) if int(c) != 79]
    xs, ys = [x for x, _ in inked], [y for _, y in inked]
    return Glyphs(data, min(xs), min(ys), max(xs), max(ys))


def spoken(text: str) -> str:
    """Give the text of a node as a plain line of characters, as one would read it: `$60^\\circ$` is 60°, `$B_1$` is B1."""
    for tex, sign in _SIGNS.items():
        text = text.replace(tex, sign)
    return re.sub(r"\\[a-z]+|[${}_]", "", text)


def _data(points: list[tuple[float, float]], codes: list[int]) -> str:
    """Turn matplotlib's vertices and codes (1 move, 2 line, 3 quadratic, 4 cubic, 79 close) into path data."""
    out, i = [], 0
    letters = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3)}
    while i < len(codes):
        if codes[i] == 79:
            out.append("Z")
            i += 1
            continue
        letter, count = letters[codes[i]]
        out.append(letter + " ".join(f"{x:.4f},{y:.4f}" for x, y in points[i : i + count]))
        i += count
    return "".join(out)


def box(x: float, y: float, anchor: str, size: tuple[float, float]) -> tuple[float, float, float, float]:
    """Place a text of (width, height) beside (x, y) as a TikZ node does; give (left, bottom, right, top)."""
    width, height = size
    left = x - width / 2
    bottom = y - height / 2
    if "left" in anchor:
        left = x - SEP - width
    elif "right" in anchor:
        left = x + SEP
    if "above" in anchor:
        bottom = y + SEP
    elif "below" in anchor:
        bottom = y - SEP - height
    return left, bottom, left + width, bottom + height
