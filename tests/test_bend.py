"""A line that rises, falls or bows comes out level; level ink and what is too short to tell stay as they are."""

import numpy as np
import pytest

from got_ocr.bend import straightened


def line(rise: float = 0, bow: float = 0, width: int = 300, height: int = 90) -> np.ndarray:
    """Draw bars of letters' height, some with a foot or a head, on a base line that rises and bows (pixels, at its ends)."""
    ink = np.zeros((height, width), dtype=np.uint8)
    for i, left in enumerate(range(20, width - 24, 14)):
        at = (left + 4) / width * 2 - 1
        middle = round(height / 2 + rise * at + bow * (at * at - 0.33))
        ink[middle - 10 - 6 * (i % 4 == 1) : middle + 10 + 6 * (i % 5 == 2), left : left + 8] = 255
    return ink


def reach(ink: np.ndarray) -> int:
    rows = np.flatnonzero((ink > 100).any(1))
    return int(rows[-1] - rows[0] + 1)


@pytest.mark.parametrize(("rise", "bow"), [(18, 0), (-18, 0), (0, 22), (0, -22), (10, 12), (-10, 12)])
def test_what_rises_and_bows_comes_out_level(rise: float, bow: float) -> None:
    bent = line(rise, bow)
    level = straightened(bent)
    assert level.shape == bent.shape
    assert reach(bent) > 42
    assert reach(level) <= 38  # 32 and what steps between columns leave
    assert abs(int(level.sum(dtype=np.int64)) / int(bent.sum(dtype=np.int64)) - 1) < 0.02


@pytest.mark.parametrize("ink", [line(), line(width=60), np.zeros((40, 300), dtype=np.uint8), line(5)[:, :30]])
def test_level_and_short_ink_stays(ink: np.ndarray) -> None:
    assert np.array_equal(straightened(ink), ink)


def test_the_argument_is_not_changed() -> None:
    ink = line(18)
    before = ink.copy()
    straightened(ink)
    assert np.array_equal(ink, before)
