"""Make up charts: kinds, titles, categories and numbers that look like somebody's data. Knows no drawing.

Every function takes `rng` first.
"""

from typing import TYPE_CHECKING

import numpy as np

from got_ocr.data import phrases
from got_ocr.data.charts.figure import Chart, Series

if TYPE_CHECKING:
    import numpy.typing as npt

Rng = np.random.Generator

_UNITS = ("%", "USD", "kg", "km", "hours", "tons", "units", "points", "ms", "MW")
_ZH_UNITS = ("%", "万元", "亿元", "吨", "人", "件", "千米", "小时")
_AGENCIES = ("Survey", "Report", "Institute", "Statistics", "Bank", "Agency", "Review", "Census", "Outlook")
_TIMES = ("Year", "Month", "Quarter", "Day", "Week")


def chart(rng: Rng, kind: str, language: str, split: str, valued: bool) -> Chart:
    """Make up a chart; `valued` asks for values beside the marks, which are left out where they would not fit.

    Where they are printed any digits will do; otherwise values are round enough to be read off the axis.
    """
    if kind == "pie":
        series: tuple[Series, ...] = (_pie(rng, language, split),)
        valued = True
    elif kind == "scatter":
        series, valued = _scatter(rng, language, split), False
    else:
        series, valued = _plain(rng, kind, language, split, valued)
    x_title, y_title = _axes(rng, kind, series[0].keys, language, split)
    return Chart(
        kind,
        series,
        title=_title(rng, language, split) if rng.random() < 0.85 else "",
        source=_source(rng, language, split) if rng.random() < 0.3 else "",
        x_title=x_title,
        y_title=y_title,
        valued=valued,
    )


def _title(rng: Rng, language: str, split: str) -> str:
    if language == "zh":
        return "".join(phrases.zh_word(rng) for _ in range(int(rng.integers(2, 5))))
    return phrases.phrase(rng, split, 2, 7)


def _source(rng: Rng, language: str, split: str) -> str:
    if language == "zh":
        return phrases.zh_word(rng) + phrases.zh_word(rng) + "局"
    year = f" {rng.integers(1990, 2030)}" if rng.random() < 0.5 else ""
    return f"{phrases.phrase(rng, split, 1, 2).title()} {phrases.pick(rng, _AGENCIES)}{year}"


def _name(rng: Rng, language: str, split: str) -> str:
    if language == "zh":
        return phrases.zh_word(rng)
    return phrases.pick(rng, phrases.PLACES) if rng.random() < 0.25 else phrases.phrase(rng, split, 1, 2)


def _names(rng: Rng, count: int, language: str, split: str) -> tuple[str, ...]:
    chosen: dict[str, None] = {}
    while len(chosen) < count:
        chosen.setdefault(_name(rng, language, split))
    return tuple(chosen)


def _axes(rng: Rng, kind: str, keys: tuple[str, ...], language: str, split: str) -> tuple[str, str]:
    if kind == "pie":
        return "", ""
    unit = phrases.pick(rng, _ZH_UNITS if language == "zh" else _UNITS)
    value = f"{_name(rng, language, split)} ({unit})" if rng.random() < 0.6 else _name(rng, language, split)
    named = "Year" if keys[0].isdigit() and len(keys[0]) == 4 and kind != "scatter" and language == "en" else ""
    key = named or _name(rng, language, split)
    key, value = key if rng.random() < 0.6 else "", value if rng.random() < 0.75 else ""
    return (value, key) if kind == "barh" else (key, value)


def _keys(rng: Rng, kind: str, language: str, split: str) -> tuple[str, ...]:
    count = int(rng.integers(3, 11))
    style = rng.random()
    if style < (0.6 if kind == "line" else 0.25):
        step, first = int(rng.choice((1, 1, 1, 2, 5))), int(rng.integers(1950, 2025))
        return tuple(str(first + step * place) for place in range(count))
    if language == "zh":
        return _names(rng, min(count, 8), language, split)
    if (style < 0.7 and kind == "line") or style < 0.35:
        return _calendar(rng, count)
    if style < 0.55:
        return tuple(str(place) for place in rng.permutation(np.array(phrases.PLACES))[:count])
    return _names(rng, min(count, 8), language, split)


def _calendar(rng: Rng, count: int) -> tuple[str, ...]:
    kind = rng.random()
    if kind < 0.4:
        return tuple(month[:3] for month in phrases.MONTHS[:count])
    if kind < 0.6:
        return tuple(day[:3] for day in phrases.DAYS[:count])
    if kind < 0.8:
        year = int(rng.integers(2000, 2026))
        return tuple(f"Q{place % 4 + 1} {year + place // 4}" for place in range(min(count, 8)))
    return tuple(f"{10 * place}-{10 * place + 9}" for place in range(1, count + 1))


def _plain(rng: Rng, kind: str, language: str, split: str, valued: bool) -> tuple[tuple[Series, ...], bool]:
    keys = _keys(rng, kind, language, split)
    single = kind != "stacked" and rng.random() < 0.45
    count = 1 if single else int(rng.integers(2, 5))
    valued = valued and count * len(keys) <= {"line": 9, "stacked": 18}.get(kind, 14)
    valued = valued and (kind != "line" or single)  # numbers of crossing lines would cover each other
    scale = 10.0 ** int(rng.integers(0, 5))
    signed = kind in ("bar", "line") and rng.random() < 0.06
    digits = int(rng.integers(0, 3)) if valued and scale < 1000 else 0
    rows = []
    for name in _names(rng, count, language, split):
        level = _level(rng, len(keys), 0.2 if kind == "stacked" else 0.05)
        level = level * rng.choice((-1, 1), len(keys)) if signed else level
        rows.append(Series(name, keys, tuple(_value(float(part), scale, digits, valued) for part in level)))
    return tuple(rows), valued


def _level(rng: Rng, count: int, least: float) -> "npt.NDArray[np.float64]":
    """Draw a walk, a trend or independent values between `least` and 1."""
    kind = rng.random()
    if kind < 0.4:
        level = np.cumsum(rng.normal(0, 0.18, count)) + rng.uniform(0.3, 0.7)
    elif kind < 0.7:
        level = np.linspace(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), count) + rng.normal(0, 0.06, count)
    else:
        level = rng.uniform(0.08, 1.0, count)
    # Fold what runs out of range back into it: clipping would make many values equal.
    level = least + np.abs(level - least) % (2 * (1 - least))
    return np.where(level > 1, 2 - level, level)


def _value(level: float, scale: float, digits: int, valued: bool) -> str:
    """Print a level of -1 to 1 in units of `10 * scale`; two digits are what an eye reads off an axis."""
    if valued:
        return _printed(level * 10 * scale, digits)
    return _printed(round(level * 100) * scale / 10, 1 if scale < 10 else 0)


def _printed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def _pie(rng: Rng, language: str, split: str) -> Series:
    count = int(rng.integers(2, 8))
    digits = int(rng.integers(0, 3))
    unit = 10**digits
    # Whole units that sum to 100 exactly, each at least 3 in 100 so that its label has room.
    free = 100 * unit - count * 3 * unit
    shares = rng.dirichlet(np.full(count, 1.3)) * free
    parts = [3 * unit + int(share) for share in shares]
    parts[int(rng.integers(count))] += 100 * unit - sum(parts)
    return Series("share", _names(rng, count, language, split), tuple(f"{part / unit:.{digits}f}" for part in parts))


def _scatter(rng: Rng, language: str, split: str) -> tuple[Series, ...]:
    count = 1 if rng.random() < 0.6 else int(rng.integers(2, 4))
    across, up = 10.0 ** int(rng.integers(0, 4)), 10.0 ** int(rng.integers(0, 4))
    slope = float(rng.choice((-1, 1))) * float(rng.uniform(0.3, 1.0))
    return tuple(_cloud(rng, name, across, up, slope) for name in _names(rng, count, language, split))


def _cloud(rng: Rng, name: str, across: float, up: float, slope: float) -> Series:
    xs = np.sort(rng.permutation(np.arange(4, 101))[: int(rng.integers(5, 15))])
    ys = 50 + slope * (xs - 50) + rng.normal(0, 12, len(xs)) + float(rng.uniform(-15, 15))
    ys = np.clip(np.round(ys), 3, 100)
    keys = tuple(_printed(float(x) * across / 10, 1 if across == 1 else 0) for x in xs)
    return Series(name, keys, tuple(_printed(float(y) * up / 10, 1 if up == 1 else 0) for y in ys))
