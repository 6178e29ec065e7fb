"""How sure a mean is: bootstrap intervals over pictures. Randomness comes in; knows no metric or report."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from got_ocr.errors import InvalidValue

# Resampled indices held at once: 8 MB of int64, whatever the size of the benchmark.
_CHUNK = 1_000_000


class Interval(NamedTuple):
    """The range that holds the central share of the resampled values."""

    low: float
    high: float


def mean_interval(
    values: Sequence[float], rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> Interval | None:
    """Bound the mean of `values`; None below two values, which say nothing about spread."""
    return ratio_interval(values, [1.0] * len(values), rng, draws, level)


def ratio_interval(
    numerators: Sequence[float],
    denominators: Sequence[float],
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
) -> Interval | None:
    """Bound sum(numerators) / sum(denominators) when pictures are drawn again with replacement.

    Both sequences hold one number a picture. A draw whose denominators sum to 0 is left out. Percentile bootstrap.
    """
    if len(numerators) != len(denominators):
        raise InvalidValue("a ratio needs as many numerators as denominators")
    if draws < 1 or not 0 < level < 1:
        raise InvalidValue("draws is at least 1 and level lies between 0 and 1")
    if len(numerators) < 2:
        return None
    top, bottom = _resampled_sums(np.asarray([numerators, denominators], dtype=np.float64), rng, draws)
    kept = bottom > 0
    if not kept.any():
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(top[kept] / bottom[kept], [tail, 1 - tail])
    return Interval(float(low), float(high))


def _resampled_sums(columns: npt.NDArray[np.float64], rng: np.random.Generator, draws: int) -> npt.NDArray[np.float64]:
    """Sum each row of `columns` (2, pictures) over `draws` resamples; returns (2, draws)."""
    pictures = columns.shape[1]
    step = max(1, _CHUNK // pictures)
    parts = []
    for start in range(0, draws, step):
        picked = rng.integers(0, pictures, size=(min(step, draws - start), pictures))
        parts.append(columns[:, picked].sum(axis=2))
    return np.concatenate(parts, axis=1)
