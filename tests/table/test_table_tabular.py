"""What is read of a cell cannot break its table."""

import pytest

from got_ocr.eval.tables import find_tables
from got_ocr.table.tabular import sound


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("Rye & wheat", r"Rye \& wheat"),
        (r"4.5\%", r"4.5\%"),
        (r"A \& B", r"A \& B"),
        (r"\( x_{2} \)", r"\( x_{2} \)"),
        (r"\( \omegaing & i", r"\( \omegaing \& i\)"),
        (r"\frac{-", r"\frac{-}"),
        (r"a}b{c", "ab{c}"),
        (r"\( x_{2 \) y", r"\( x_{2 }\) y"),
        ("up\\\\\ndown", "up down"),
        (r"x \hline y", "x  y"),
        ("\\", ""),
        ("", ""),
    ],
)
def test_cells_are_mended(read: str, written: str) -> None:
    assert sound(read) == written
    assert sound(written) == written
    table = find_tables(f"\\begin{{tabular}}{{ll}}\nbefore & {sound(read)} \\\\\nnext & row \\\\\n\\end{{tabular}}")
    assert [len(row) for row in table[0].rows] == [2, 2]
