"""Where the words of an SVG chart stand: written into it as attributes, which nothing draws, and read back. Knows no chart."""

import html
import math
import re

from got_ocr.data.charts.figure import Label
from got_ocr.data.fonts import Font
from got_ocr.data.tools import outlines

ABOVE, BELOW = 0.75, 0.2  # of the size: how far letters mostly reach from the base line


def attributes(font: Font, words: str, size: float, spot: tuple[float, float], align: str, turn: float) -> str:
    """Note words and their box; all as in `outlines.text`."""
    wide = outlines.width(font, words, size)
    start = {"left": 0.0, "center": -wide / 2, "right": -wide}[align]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    corners = [(x, y) for x in (start, start + wide) for y in (-ABOVE * size, BELOW * size)]
    xs = [spot[0] + x * cos + y * sin for x, y in corners]
    ys = [spot[1] - x * sin + y * cos for x, y in corners]
    box = " ".join(f"{edge:.0f}" for edge in (min(xs), min(ys), max(xs), max(ys)))
    return f' data-words="{html.escape(words)}" data-box="{box}"'


def labels(drawing: str) -> list[Label]:
    """List the lines of text of a drawing that notes them, with their boxes in its pixels."""
    found = []
    for words, box in re.findall(r' data-words="([^"]*)" data-box="([^"]*)"', drawing):
        left, top, right, bottom = (int(edge) for edge in box.split())
        found.append(Label(html.unescape(words), left, top, right, bottom))
    return found
