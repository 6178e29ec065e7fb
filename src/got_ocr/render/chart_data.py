"""A chart's dictionary as the model writes it -> titles, labels and series.

Parsed as data only, JSON or Python literals. Knows the keys that chart readers write ("title", "x_title",
"values", ...), nothing of drawing.
"""

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from got_ocr.errors import RenderFailed

MAX_SOURCE = 100_000
MAX_NESTING = 16
MAX_POINTS = 2_000
MAX_SERIES = 64
_KEYS = frozenset(
    (
        *("title", "source", "x_title", "y_title", "values", "x-axis title", "y-axis title", "chart_type", "type"),
        *("data", "series", "labels", "legend", "x_axis", "y_axis", "xlabel", "ylabel", "chart title"),
    )
)
_TITLES = ("title", "chart_title", "chart title")
_X_TITLES = ("x_title", "x-axis title", "xlabel", "x_label", "x_axis", "x_axis_title", "x axis")
_Y_TITLES = ("y_title", "y-axis title", "ylabel", "y_label", "y_axis", "y_axis_title", "y axis")
_TYPES = ("chart_type", "type", "kind")
_VALUES = ("values", "data", "series", "underlying_data")
_NUMBER = re.compile(r"[-+−]?(?:\d[\d, ]*\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Series:
    """One run of values; `texts` are as written, `numbers` what they mean (None where nothing can be plotted)."""

    name: str
    texts: tuple[str, ...]
    numbers: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Labels along the first axis and the series over them."""

    title: str
    source: str
    x_title: str
    y_title: str
    form: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


def is_chart(text: str) -> bool:
    """Tell whether the text is a dictionary with a chart's keys, as a whole or cut off."""
    stripped = text.strip()
    if not stripped.startswith("{") or ":" not in stripped:
        return False
    try:
        found = read_mapping(stripped)
    except RenderFailed:
        return False
    return bool(_KEYS & {str(key).strip().lower() for key in found})


def read_mapping(text: str) -> Mapping[object, object]:
    """Parse one dictionary, closing what a cut-off text left open. Raises RenderFailed."""
    text = text.strip()
    if len(text) > MAX_SOURCE:
        raise RenderFailed(f"a chart's data is longer than {MAX_SOURCE} characters")
    _check_nesting(text)
    for candidate in (text, _closed(text)):
        for read in (_json, _literal):
            found = read(candidate)
            if isinstance(found, dict):
                return found
    raise RenderFailed("a chart's data is one dictionary, in JSON or as Python writes it")


def _bare(text: str) -> str:
    """Return the text with the inside of every string blanked, character for character."""
    out, quote, skip = [], "", False
    for char in text:
        if skip:
            skip = False
        elif quote and char == "\\":
            skip = True
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        elif not quote:
            out.append(char)
            continue
        out.append("\0")
    return "".join(out)


def _check_nesting(text: str) -> None:
    depth = 0
    for char in _bare(text):
        depth += (char in "{[(") - (char in "}])")
        if depth > MAX_NESTING:
            raise RenderFailed(f"a chart's data nests deeper than {MAX_NESTING}")


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _closed(text: str) -> str:
    """Cut a text that ends in the middle back to its last whole entry and close its brackets."""
    bare = _bare(text)
    end = max(bare.rfind(mark) for mark in ",}]")
    if end < 0:
        return text
    end += bare[end] in "}]"
    closers: list[str] = []
    for char in bare[:end]:
        if char in "{[(":
            closers.append({"{": "}", "[": "]", "(": ")"}[char])
        elif char in "}])" and closers:
            closers.pop()
    return text[:end] + "".join(reversed(closers))


def parse_chart(text: str) -> Chart:
    """Read a chart's dictionary. Raises RenderFailed where it holds no values."""
    found = {str(key).strip().lower(): value for key, value in read_mapping(text).items()}
    values = _first(found, _VALUES)
    if values is None:
        known = {*_TITLES, *_X_TITLES, *_Y_TITLES, *_TYPES, "source"}
        values = {key: value for key, value in found.items() if key not in known}
    labels, series = _series(values, _texts(found.get("labels") or found.get("x") or ()))
    if not labels or not series:
        raise RenderFailed("a chart's data holds no values")
    points = len(labels) * len(series)
    if points > MAX_POINTS or len(series) > MAX_SERIES:
        raise RenderFailed(f"a chart has more than {MAX_POINTS} values or {MAX_SERIES} series")
    titles = (_word(_first(found, keys)) for keys in (_TITLES, ("source",), _X_TITLES, _Y_TITLES, _TYPES))
    title, source, x_title, y_title, form = titles
    return Chart(title, source, x_title, y_title, form.lower(), labels, series)


def _first(found: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((found[key] for key in keys if key in found), None)


def _word(value: object) -> str:
    text = "" if isinstance(value, dict | list) else _text(value)
    return "" if text.lower() in ("none", "null", "nan") else text


def _text(value: object) -> str:
    if isinstance(value, dict | list | tuple | set):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in value) if isinstance(value, list | tuple) else ()


def _series(values: object, labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Series, ...]]:
    """Read values in any of the shapes in use: {label: value}, {series: {label: value}}, {series: [..]}, [{..}, ..]."""
    if isinstance(values, list | tuple):
        values = _from_list(values)
    if not isinstance(values, dict):
        return (), ()
    if all(isinstance(value, dict) for value in values.values()) and values:
        return _from_nested({_text(key): value for key, value in values.items()})
    if any(isinstance(value, list | tuple) for value in values.values()):
        return _from_lists({_text(key): value for key, value in values.items()}, labels)
    return tuple(_text(key) for key in values), (_made("", [_text(value) for value in values.values()]),)


def _from_list(values: Sequence[object]) -> object:
    """Turn a list of records or numbers into a mapping."""
    if values and all(isinstance(item, dict) for item in values):
        records = [{_text(k): v for k, v in item.items()} for item in values if isinstance(item, dict)]
        named = {
            _text(r.get("name", r.get("label", at + 1))): r.get("data", r.get("values", r))
            for at, r in enumerate(records)
        }
        return {key: value.get("value", value) if isinstance(value, dict) else value for key, value in named.items()}
    return {str(at + 1): value for at, value in enumerate(values)}


def _from_nested(values: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[Series, ...]]:
    labels: dict[str, None] = {}
    rows: dict[str, dict[str, str]] = {}
    for name, row in values.items():
        if isinstance(row, dict):
            rows[name] = {_text(key): _text(value) for key, value in row.items()}
            labels.update(dict.fromkeys(rows[name]))
    return tuple(labels), tuple(_made(name, [row.get(key, "") for key in labels]) for name, row in rows.items())


def _from_lists(values: Mapping[str, object], labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Series, ...]]:
    runs = {name: _texts(value) for name, value in values.items() if isinstance(value, list | tuple)}
    for name in ("labels", "x", "categories", "category"):
        if not labels and name in runs and len(runs) > 1:
            labels = runs.pop(name)
    longest = max(len(run) for run in runs.values())
    labels = labels[:longest] + tuple(str(at + 1) for at in range(len(labels), longest))
    return labels, tuple(_made(name, [*run, *[""] * (longest - len(run))]) for name, run in runs.items())


def _made(name: str, texts: Sequence[str]) -> Series:
    return Series(name, tuple(texts), tuple(number_in(text) for text in texts))


def number_in(text: str) -> float | None:
    """Return the number that a value as `1,234.5 %` or `$12` means, or None."""
    match = _NUMBER.search(text[:200])
    if match is None:
        return None
    try:
        value = float(match.group().replace(",", "").replace(" ", "").replace("−", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e15 else None
