"""Words for lines: lengths, spaces, characters."""

import numpy as np
import pytest

from got_ocr.data import charset, wording


@pytest.mark.parametrize("prose", [0.0, 1.0])
def test_lines_keep_their_limits(prose):
    allowed = frozenset(charset.ASCII)
    for seed in range(150):
        rows = wording.lines(np.random.default_rng(seed), "train", 4, (3, 30), allowed, prose)
        assert len(rows) <= 4
        for row in rows:
            assert 1 <= len(row) <= 34  # folding may spell a mark with two or three characters
            assert row == " ".join(row.split())
            assert allowed.issuperset(row)


def test_every_ascii_character_occurs():
    rng = np.random.default_rng(1)
    text = "".join("".join(wording.lines(rng, "train", 8, (20, 60), charset.LATIN, 0.3)) for _ in range(120))
    assert not set(charset.ASCII) - set(text) - {" "}


def test_wrap_breaks_at_spaces_only():
    text = "one two three four five sixsixsix seven"
    rows = wording.wrap(text, 9, 9)
    assert " ".join(rows) == text
    assert max(map(len, rows)) <= 9
    assert wording.wrap("a verylongword b", 4, 6) == ["a b"]
    assert wording.wrap("a verylongword b", 4, 20) == ["a", "verylongword", "b"]
