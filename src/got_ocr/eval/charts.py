"""Chart answers: a dictionary written by a model becomes triples (series, category, value).

Reads JSON or a Python literal, nothing is evaluated, and size and nesting are capped before a parser sees the text.
Knows no score.
"""

import ast
import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

MAX_CHARS = 50_000
MAX_DEPTH = 8
MAX_TRIPLES = 1000

# The published scorer reads these four before the values and drops an answer that lacks one.
TITLES = ("title", "source", "x_title", "y_title")

# The name that a flat dictionary's values get in place of a category (published scorer).
FLAT = "value"


@dataclass(frozen=True, slots=True)
class Triple:
    """One point: two names in lower case and a value, a number where it can be read as one."""

    first: str
    second: str
    value: float | str


@dataclass(frozen=True, slots=True)
class Chart:
    """A parsed answer. points: (name, name or FLAT, raw value) in writing order. titled: all of `TITLES` are there."""

    points: tuple[tuple[str, str, object], ...]
    titled: bool

    def triples(self) -> list[Triple]:
        """Read values as numbers where the text around the digits is only a unit (`$`, `%`, `,`, blanks)."""
        return [Triple(a.lower(), b.lower(), _number(raw)) for a, b, raw in self.points]

    def published_triples(self) -> list[Triple]:
        """Read values as the published scorer does: strip all but digits, dots and minus signs, then try a number.

        So "1e+22" becomes 122, and a list becomes its digits in a row.
        """
        return [Triple(a.lower(), b.lower(), _digits(raw)) for a, b, raw in self.points]


def parse_chart(text: str) -> Chart | None:
    """Read a chart answer or reference; None when it is no dictionary of values, or over a cap.

    Missing closing braces at the end are added, as the published scorer does. Values stand under `values` or `data`, as
    {name: value} or {series: {name: value}}.
    """
    loaded = _load(text)
    if not isinstance(loaded, dict):
        return None
    values = loaded.get("values", loaded.get("data"))
    if not isinstance(values, dict):
        return None
    points = _points(values)
    if not points or len(points) > MAX_TRIPLES:
        return None
    return Chart(points, titled=all(name in loaded for name in TITLES))


def _points(values: Mapping[object, object]) -> tuple[tuple[str, str, object], ...]:
    points: list[tuple[str, str, object]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            points.extend((_text(name), _text(inner), point) for inner, point in value.items())
        else:
            points.append((_text(name), FLAT, value))
    return tuple(points)


def _load(text: str) -> object:
    text = text.strip()
    if len(text) > MAX_CHARS or _nesting(text) > MAX_DEPTH:
        return None
    text += "}" * max(0, text.count("{") - text.count("}"))
    for read in (json.loads, ast.literal_eval):
        try:
            with warnings.catch_warnings():  # Python warns of unknown escapes such as \\d in a literal
                warnings.simplefilter("ignore")
                return read(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return None


def _nesting(text: str) -> int:
    """Count how deep brackets stand open at once, those in strings too: an upper bound is enough."""
    depth = deepest = 0
    for char in text:
        if char in "{[(":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}])":
            depth -= 1
    return deepest


def _text(raw: object) -> str:
    try:
        return str(raw)
    except ValueError:  # an integer of thousands of digits, written in hexadecimal, has no decimal text
        return ""


def _number(raw: object) -> float | str:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        # an integer of hundreds of digits has no float; such a number compares as text
        return float(raw) if abs(raw) < 1e300 else _text(raw)
    text = re.sub(r"[\s,$€£¥%]", "", _text(raw))
    return float(text) if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", text) else _text(raw).lower()


def _digits(raw: object) -> float | str:
    text = re.sub(r"[^\d.-]", "", _text(raw))
    try:
        number = float(text)
    except ValueError:
        return text.lower()
    return number if math.isfinite(number) else text
