"""Lines of text shared out among the rows of a table."""

import pytest

from got_ocr.table.rows import Span, share

EM = 20.0


def column(*middles: float) -> list[Span]:
    return [(round(middle - 10), round(middle + 10)) for middle in middles]


def count(*columns: list[Span]) -> int:
    return len(share(columns, EM))


def test_lines_side_by_side_are_a_row() -> None:
    assert share([column(10, 60, 110), column(12, 59, 111)], EM) == [(0, 22), (49, 70), (100, 121)]


def test_nothing_has_no_rows() -> None:
    assert share([], EM) == []
    assert share([[], []], EM) == []


@pytest.mark.parametrize("lines", [2, 3, 4])
def test_a_broken_text_stands_centred_beside_the_others(lines: int) -> None:
    broken = [100 + 28 * (i - (lines - 1) / 2) for i in range(lines)]
    assert count(column(30, 100, 170), column(30, *broken, 170), column(30, 100, 170)) == 3


def test_bare_cells_hold_no_row_up() -> None:
    assert count(column(10, 60, 110, 160), column(10, 110), column(60, 160)) == 4


def test_lines_far_apart_are_no_broken_text() -> None:
    assert count(column(10, 80, 150), column(80)) == 3


def test_marks_off_the_middle_do_not_matter() -> None:
    """A letter without ascenders stands lower than the digits beside it."""
    assert count(column(10, 65, 110), column(10, 60, 110), column(10, 60, 110)) == 3
