"""How tests look at a drawing: its paths as points in centimetres, its words, its nodes."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest

from got_ocr.render.limits import Budget
from got_ocr.render.tikz import to_svg
from got_ocr.render.tikz.arith import CM
from got_ocr.render.tikz.picture import MAX_STEPS, Picture
from got_ocr.render.tikz.style import Style

NUMBERS = re.compile(r"-?\d+\.?\d*")
Points = Sequence[tuple[float, float]]


def picture(source: str) -> Picture:
    made = Picture("", Budget(MAX_STEPS))
    made.run(source, Style())
    return made


def paths(source: str) -> list[str]:
    root = ET.fromstring(to_svg(source))  # noqa: S314 - our own output
    return [str(node.get("d")) for node in root.iter("{http://www.w3.org/2000/svg}path")]


def points(data: str) -> list[tuple[float, float]]:
    """The points of a path in centimetres, y upwards."""
    found = [float(text) for text in NUMBERS.findall(data)]
    return [(round(x / CM, 2), round(-y / CM, 2) + 0.0) for x, y in zip(found[::2], found[1::2], strict=True)]


def near(found: Points, expected: Points, by: float = 0.02) -> bool:
    flat = [value for point in found for value in point]
    return flat == pytest.approx([value for point in expected for value in point], abs=by)


def ends(source: str) -> list[tuple[float, float]]:
    return points(paths(source)[0])


def words(source: str) -> str:
    return re.sub(r"<[^>]+>", "", to_svg(source))
