"""Places and what is printed at them -> a scale of numbers; misread numbers are told by their not lying on it. Knows no picture."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

OFF = 2.5  # pixels by which a number may stand off its place
MOST_POINTS = 80
_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8", "−": "-", "–": "-", "—": "-", "Z": "2"})
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, slots=True)
class Scale:
    """value = slope * place + offset. sure: how many points lie on it."""

    slope: float
    offset: float
    sure: int = 2

    def value(self, place: float) -> float:
        """Give the number at a place."""
        return self.slope * place + self.offset


def number(text: str) -> str | None:
    """Clean a printed number up; None where it is none."""
    text = re.sub(r"[\s,%$€£]", "", text).translate(_LOOKALIKES)
    text = re.sub(r"\.+", ".", text).strip(".") or text
    if not _NUMBER.fullmatch(text) or len(text) > 15:
        return None
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, part = digits.partition(".")
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def fit(points: Sequence[tuple[float, float]], sign: int, zero: float | None = None) -> Scale | None:
    """Fit a scale through (place, number) that as many as can be lie on. sign: of its slope. zero: the place of 0, where it is known."""
    points = [point for point in points if abs(point[1]) < 1e12][:MOST_POINTS]
    places, values = np.array([p for p, _ in points], float), np.array([v for _, v in points], float)
    best: tuple[float, Scale] | None = None
    for slope, offset in _tries(places, values, zero):
        if slope * sign <= 0:
            continue
        on = np.abs(places - (values - offset) / slope) <= OFF
        # A 0 at its known place lies on every scale.
        votes = float((on & (values != 0)).sum() if zero is not None else on.sum()) + 0.5 * _nice(slope, places)
        if best is None or votes > best[0]:
            best = votes, _exact(places[on], values[on], zero, Scale(slope, offset, int(on.sum())))
    return best[1] if best else None


def _tries(places: "np.ndarray[tuple[int], np.dtype[np.float64]]", values: "np.ndarray[tuple[int], np.dtype[np.float64]]", zero: float | None) -> list[tuple[float, float]]:
    tries = []
    for i in range(len(places)):
        if zero is not None:
            if abs(places[i] - zero) > 2 * OFF and values[i] != 0:
                slope = values[i] / (places[i] - zero)
                tries.append((slope, -slope * zero))
            continue
        for j in range(i):
            if abs(places[i] - places[j]) > 4 * OFF and values[i] != values[j]:
                slope = (values[i] - values[j]) / (places[i] - places[j])
                tries.append((slope, values[i] - slope * places[i]))
    return tries


def _exact(places: "np.ndarray[tuple[int], np.dtype[np.float64]]", values: "np.ndarray[tuple[int], np.dtype[np.float64]]", zero: float | None, rough: Scale) -> Scale:
    """Fit the points that lie on a rough scale by least squares."""
    if zero is not None:
        away = places - zero
        slope = float((away * values).sum() / (away * away).sum()) if away.any() else rough.slope
        return Scale(slope, -slope * zero, rough.sure)
    if len(places) < 2:
        return rough
    slope, offset = np.polyfit(places, values, 1)
    return Scale(float(slope), float(offset), rough.sure)


def _nice(slope: float, places: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bool:
    """Say whether neighbouring places are a round number apart."""
    if len(places) < 2:
        return False
    gaps = np.diff(np.sort(places))
    step = abs(slope) * float(np.median(gaps[gaps > 4 * OFF])) if (gaps > 4 * OFF).any() else 0.0
    if step <= 0:
        return False
    lead = step / 10 ** math.floor(math.log10(step))
    return any(abs(lead - round_) < 0.04 * round_ for round_ in (1, 2, 2.5, 5, 10))


def quantum(most: float) -> float:
    """Choose how round numbers are written that are measured in pixels: two digits of the largest one."""
    return 10.0 ** (math.ceil(math.log10(max(abs(most), 1e-9) * 0.985)) - 2)


def written(value: float, step: float) -> str:
    """Write a number rounded to a power of ten."""
    text = f"{round(value / step) * step:.{max(0, -round(math.log10(step)))}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def agreed(printed: str | None, measured: float | None, span: float) -> str | None:
    """Take a printed number where it agrees with what was measured, also with its point put elsewhere. span: of all that is measured."""
    if printed is None or measured is None:
        return printed
    room = max(0.02 * span, 0.05 * abs(measured))
    if abs(float(printed) - measured) <= room:
        return printed
    digits = printed.replace(".", "").lstrip("-")
    tries = [f"{digits[:i]}.{digits[i:]}" for i in range(1, len(digits))] + [digits]
    tries = [sign + text for text in tries for sign in ("", "-")]
    best = min(tries, key=lambda text: abs(float(text) - measured))
    return number(best) if abs(float(best) - measured) <= room else None
