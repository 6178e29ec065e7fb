"""Places and what is printed at them -> a scale of numbers; misread numbers are told by their not lying on it. Knows no picture."""

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OFF = 2.5  # pixels by which a number may stand off its place
MOST_POINTS = 80
_LOOKALIKES = str.maketrans(
    {"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8", "−": "-", "–": "-", "—": "-", "Z": "2"}
)
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
    text = re.sub(r"(?<=\d) (?=\d{1,2}$)", ".", text.strip())  # a point is easily overlooked
    text = re.sub(r"[\s,%$€£]", "", text).translate(_LOOKALIKES)
    text = re.sub(r"\.+", ".", text).strip(".") or text
    if not _NUMBER.fullmatch(text) or len(text) > 15:
        return None
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, part = digits.partition(".")
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def fit(
    ticks: Sequence[tuple[float, str]], points: Sequence[tuple[float, float]], sign: int, zero: float | None = None
) -> Scale | None:
    """Fit a scale to what was read at ticks, and to other (place, number) that lie on it; as many as can be shall agree.

    sign: of its slope. zero: the place of 0, where it is known.
    """
    read = [(at, float(value)) for at, text in ticks if (value := number(text)) is not None]
    known = [point for point in (*read, *points) if abs(point[1]) < 1e12][:MOST_POINTS]
    places, values = np.array([p for p, _ in known], float), np.array([v for _, v in known], float)
    others = np.array([p for p, _ in points], float), np.array([v for _, v in points], float)
    at = np.array(sorted(place for place, _ in ticks), float)
    best: tuple[float, Scale] | None = None
    for slope, offset in _tries(places, values, zero):
        if slope * sign <= 0:
            continue
        step = _step(slope, at)
        votes = sum(_agreement(text, slope * place + offset, step) for place, text in ticks) + (
            0.5 if step and _nice(step) else 0.0
        )
        votes += float((np.abs(others[0] - (others[1] - offset) / slope) <= OFF).sum())
        if best is None or votes > best[0] + 1e-9:
            on = np.abs(places - (values - offset) / slope) <= OFF
            best = votes, _exact(places[on], values[on], zero, Scale(slope, offset, int(on.sum())))
    return best[1] if best else None


def _step(slope: float, places: Floats) -> float:
    """Give what neighbouring ticks are apart; 0 where that cannot be said."""
    gaps = np.diff(places)
    gaps = gaps[gaps > 4 * OFF]
    return abs(slope) * float(np.median(gaps)) if gaps.size else 0.0


def _agreement(text: str, value: float, step: float) -> float:
    """Say how well what was read at a tick agrees with the number that a scale has there, from 0 to 1.

    Repeated zeros are read too few rather than too many, a point is overlooked rather than made up.
    """
    unit = (
        10.0 ** (math.floor(math.log10(step)) - 1)
        if step > 0
        else 10.0 ** (math.floor(math.log10(abs(value) or 1.0)) - 2)
    )
    expected = f"{round(value / unit) * unit:.6f}".rstrip("0").rstrip(".") if abs(value) < 1e12 else ""
    expected = "0" if expected in ("", "-0") else expected
    if step and abs(float(expected) - value) > 0.06 * step:
        return 0.0
    read = number(text)
    if expected == "0":
        return 0.5 if read == "0" else 0.0
    if read is not None and float(read) == float(expected):
        return 1.0
    plain = (read or text).replace(".", "")
    digits = expected.replace(".", "")
    if plain == digits.lstrip("0") or (plain.rstrip("0") == digits.rstrip("0") and len(plain) < len(digits)):
        return 0.8
    if plain.rstrip("0") == digits.rstrip("0"):
        return 0.2
    return max(0.0, difflib.SequenceMatcher(None, plain, digits, autojunk=False).ratio() - 0.4)


def _tries(places: Floats, values: Floats, zero: float | None) -> list[tuple[float, float]]:
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


def _exact(places: Floats, values: Floats, zero: float | None, rough: Scale) -> Scale:
    """Fit the points that lie on a rough scale by least squares."""
    if zero is not None:
        away = places - zero
        slope = float((away * values).sum() / (away * away).sum()) if away.any() else rough.slope
        return Scale(slope, -slope * zero, rough.sure)
    if len(places) < 2:
        return rough
    slope, offset = np.polyfit(places, values, 1)
    return Scale(float(slope), float(offset), rough.sure)


def _nice(step: float) -> bool:
    """Say whether a step is a round number."""
    lead = step / 10 ** math.floor(math.log10(step))
    return any(abs(lead - even) < 0.04 * even for even in (1, 2, 2.5, 5, 10))


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
