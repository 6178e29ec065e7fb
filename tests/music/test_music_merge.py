"""Staves put together are the score that they were taken from, and broken kern raises nothing."""

import numpy as np
import pytest

from got_ocr.data.sources.music_compose import compose, new_style
from got_ocr.data.sources.music_kern import kern, parts
from got_ocr.data.sources.music_score import Score
from got_ocr.music.merge import read_staff, score


def composed(seed: int) -> tuple[Score, list[int]]:
    """Compose a score and break it into systems."""
    rng = np.random.default_rng(seed)
    made, counts = compose(rng, new_style(rng, (2, 14), 200)), list[int]()
    while (left := len(made.bars) - sum(counts)) > 0:
        counts.append(min(int(rng.integers(1, 6)), left))
    return made, counts


@pytest.mark.parametrize("seed", range(80))
def test_every_score_comes_back_from_its_staves(seed: int) -> None:
    made, counts = composed(seed)
    assert score(parts(made, counts)) == kern(made)


def test_a_part_is_what_is_drawn_of_a_staff() -> None:
    made, counts = next(
        (m, c) for m, c in map(composed, range(99)) if len(c) > 1 and len({b.meter for b in m.bars}) == 1
    )
    first, second = parts(made, counts)[:2]
    assert len(first) == len(made.bars[0].staves)
    assert all("*M" in text and text.startswith("*clef") for text in first)
    assert all("*M" not in text and text.startswith("*clef") for text in second)
    assert all("**kern" not in text and "*-" not in text for text in first + second)


def test_staves_are_laid_side_by_side_in_time() -> None:
    upper, lower = "*clefG2\n*M2/4\n8c\n8d\n4e\n=\n2f\n==", "*clefF4\n*M2/4\n4C\n8Dq\n4D\n=\n4E\n4F\n=="
    assert score([[upper, lower]]).split("\n") == [
        *("**kern\t**kern", "*clefF4\t*clefG2", "*M2/4\t*M2/4", "4C\t8c", ".\t8d", "8Dq\t.", "4D\t4e", "=\t="),
        *("4E\t2f", "4F\t.", "==\t==", "*-\t*-"),
    ]


def test_signs_that_stand_at_each_system_are_told_once() -> None:
    system = ["*clefG2\n*k[f#]\n1g\n="]
    assert score([system, system]).count("*clefG2") == 1
    changed = score([system, ["*clefC3\n*k[b-]\n1g\n=="]]).split("\n")
    assert changed[4:8] == ["*clefC3", "=", "*k[b-]", "1g"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "=",
        "==\n==",
        "*^\n*v",
        "4c\t4d\t4e",
        "*^\n4c",
        "abc",
        "0c\n99999c",
        "*clef",
        "*^\n*^\n4c\t.\n=\n*v",
        "q\nq",
        "\t\t",
    ],
)
def test_what_is_no_kern_raises_nothing(text: str) -> None:
    for systems in ([[text]], [[text, "*clefG2\n4c\n="]], [["*clefG2\n4c\n="], [text]]):
        whole = score(systems)
        assert whole.startswith("**kern")
        assert whole.endswith("*-")
    assert isinstance(read_staff(text).measures, list)


def test_nothing_is_no_score() -> None:
    assert score([]) == ""
    assert score([[]]) == ""


def test_a_system_with_a_staff_too_many_keeps_all() -> None:
    one, two = ["*clefG2\n1c\n="], ["*clefG2\n1d\n==", "*clefF4\n1D\n=="]
    assert "1D\t1d" in score([one, two])
