"""Rules told from text, filled bands turned into paper."""

import numpy as np
import pytest

from got_ocr.table.bands import without_bands
from got_ocr.table.rules import joined, ruled


def paper() -> np.ndarray:
    return np.zeros((200, 400), np.uint8)


def test_rules_of_both_kinds_with_their_pieces() -> None:
    ink = paper()
    ink[20:22, 10:390] = ink[180:182, 10:390] = 255
    ink[100, 10:150] = ink[100, 200:390] = 200
    ink[20:182, 150:152] = 255
    seen = ruled(ink)
    assert [(rule.low, rule.high, rule.pieces) for rule in seen.across] == [
        (20, 22, ((10, 390),)),
        (100, 101, ((10, 152), (200, 390))),
        (180, 182, ((10, 390),)),
    ]
    assert [(rule.low, rule.high) for rule in seen.upright] == [(150, 152)]
    assert seen.text.max() == 0
    assert seen.across[1].cover(0, 152) == pytest.approx(142 / 152)


def test_faint_rules_count_and_short_strokes_do_not() -> None:
    ink = paper()
    ink[50, 20:300] = 60
    ink[120:140, 30:34] = ink[130, 100:120] = 255
    seen = ruled(ink)
    assert [rule.at for rule in seen.across] == [50.5]
    assert seen.upright == ()
    assert seen.text.sum() == ink.sum() - 60 * 280


def test_feet_of_letters_are_no_rule() -> None:
    ink = paper()
    ink[120:122, 100:180] = 255
    ink[100:120, 100:180:4] = ink[100:120, 101:180:4] = 255
    assert ruled(ink).across == ()


def test_a_thick_bar_is_no_rule() -> None:
    ink = paper()
    ink[40:70, 10:390] = 255
    assert ruled(ink).across == ()


def test_bands_become_paper_and_what_is_written_stays() -> None:
    grey = np.full((120, 300), 250, np.uint8)
    grey[20:50, 10:290] = 40
    grey[30:36, 100:110] = 240
    grey[80:110, 10:290] = 225
    grey[90:96, 50:60] = 20
    flat = without_bands(grey)
    assert (flat[20:50, 10:95] > 230).all()
    assert (flat[30:36, 100:110] < 80).all()
    assert (flat[82:108, 200:280] > 240).all()
    assert (flat[90:96, 50:60] < 60).all()


def test_paper_without_bands_is_left_alone() -> None:
    grey = np.full((120, 300), 250, np.uint8)
    grey[40:60:2, 20:280:3] = 10
    grey[70] = 0
    assert (without_bands(grey) == grey).all()


def test_spans_are_joined_over_small_gaps() -> None:
    assert joined([(0, 4), (6, 9), (20, 30)], 2) == [(0, 9), (20, 30)]
    assert joined([], 3) == []
