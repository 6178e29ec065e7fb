"""Bootstrap intervals: seeds, bounds, coverage of a known case."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr.errors import InvalidValue
from got_ocr.eval import intervals
from got_ocr.eval.intervals import mean_interval, ratio_interval


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = list(np.linspace(0, 1, 25) ** 2)
    assert mean_interval(values, rng(1)) == mean_interval(values, rng(1))
    assert mean_interval(values, rng(1)) != mean_interval(values, rng(2))


def test_the_size_of_a_chunk_changes_nothing_but_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = list(np.linspace(0, 1, 40))
    whole = mean_interval(values, rng(), draws=500)
    monkeypatch.setattr(intervals, "_CHUNK", 100)
    assert mean_interval(values, rng(), draws=500) == whole


def test_an_interval_of_a_known_spread() -> None:
    # the mean of 400 coins has a standard deviation of 0.025: two of them on either side
    found = mean_interval([0.0, 1.0] * 200, rng(), draws=4000)
    assert found is not None
    assert found.low == pytest.approx(0.451, abs=0.006)
    assert found.high == pytest.approx(0.549, abs=0.006)


def test_a_ratio_weighs_by_its_denominators() -> None:
    found = ratio_interval([0, 100], [1, 1000], rng())
    assert found is not None
    assert (found.low, found.high) == (0.0, 0.1)


def test_too_few_values_have_no_interval() -> None:
    assert mean_interval([], rng()) is None
    assert mean_interval([1.0], rng()) is None
    assert ratio_interval([1, 2], [0, 0], rng()) is None


@pytest.mark.parametrize(("draws", "level", "lengths"), [(0, 0.95, 2), (10, 1.0, 2), (10, 0.95, 3)])
def test_wrong_arguments_are_refused(draws: int, level: float, lengths: int) -> None:
    with pytest.raises(InvalidValue):
        ratio_interval([1, 2], [1] * lengths, rng(), draws, level)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    found = mean_interval(values, rng(), draws=50)
    assert found is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
