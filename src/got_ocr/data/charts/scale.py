"""Choose round ticks for an axis of numbers. Knows no chart and no renderer."""

import math


def ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """List round numbers that reach from at most `low` to at least `high`, about `count` of them."""
    span = (high - low) or abs(high) or 1.0
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(part * power for part in (1, 2, 2.5, 5, 10) if part * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if first == last:
        first, last = first - 1, last + 1
    return tuple(place * step for place in range(first, last + 1))


def printed(value: float) -> str:
    """Write a tick in full, without a tail of zeros."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
