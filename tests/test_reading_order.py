"""Text columns are read one after another; what is no column stays whole."""

import numpy as np
import pytest

from got_ocr.columns import reading_order


def rows(mask: np.ndarray, left: int, right: int, top: int, count: int, pitch: int = 24, ragged: int = 0) -> None:
    """Draw rows of words of 12 pixels height, with a bare last quarter in every `ragged`-th row."""
    for i in range(count):
        end = right - (right - left) // 4 if ragged and i % ragged == 0 else right
        for word in range(left, end, 40):
            mask[top + i * pitch : top + i * pitch + 12, word : min(word + 34 - 3 * (i % 3), end)] = True


@pytest.fixture
def page() -> np.ndarray:
    return np.zeros((1200, 900), dtype=bool)


def test_two_columns_between_a_title_and_a_footer(page: np.ndarray) -> None:
    rows(page, 100, 800, 60, 1)
    rows(page, 60, 420, 120, 40, ragged=5)
    rows(page, 460, 840, 126, 40, ragged=4)
    rows(page, 300, 600, 1150, 1)
    parts = reading_order(page)
    assert len(parts) == 4
    title, left, right, footer = parts
    assert title[3] <= 126 <= left[3]
    assert left[2] == right[0]
    assert 420 <= left[2] <= 460
    assert footer[1] >= 1080


def test_three_columns(page: np.ndarray) -> None:
    for left in (30, 330, 630):
        rows(page, left, left + 240, 100, 40)
    assert [part[0] < x < part[2] for part, x in zip(reading_order(page), (150, 450, 750), strict=True)] == [True] * 3


def test_one_column_stays_whole(page: np.ndarray) -> None:
    rows(page, 60, 840, 100, 40, ragged=3)
    assert reading_order(page) == [(0, 0, 900, 1200)]


def test_prices_beside_their_goods_stay_in_their_rows(page: np.ndarray) -> None:
    for i in range(20):
        rows(page, 60, 200 + 11 * (i * 7 % 20), 100 + 40 * i, 1)
        rows(page, 800, 840, 100 + 40 * i, 1)
    assert reading_order(page) == [(0, 0, 900, 1200)]


def test_every_ink_is_in_just_one_part(page: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    page |= rng.random(page.shape) < 0.0005
    rows(page, 60, 420, 120, 40)
    rows(page, 470, 840, 126, 40)
    covered = np.zeros(page.shape, dtype=int)
    for left, top, right, bottom in reading_order(page):
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1
    assert covered[page].min() == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (61, 61)])
def test_odd_shapes(shape: tuple[int, int]) -> None:
    full = np.ones(shape, dtype=bool)
    assert reading_order(full) == [(0, 0, shape[1], shape[0])]
