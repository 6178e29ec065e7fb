"""The retry ladder: which rungs a page has, when one is taken, what is told."""

from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from got_ocr.batch.job import RUNGS, Batch, Settings
from got_ocr.batch.ladder import Rung, climb, rungs, turned
from got_ocr.batch.records import Failure
from got_ocr.errors import InvalidValue
from got_ocr.image import Picture
from got_ocr.reading import Reading
from got_ocr.task import Task

ALL = {"plain", "format", "crop"}
TURNS = ["turn90", "turn270", "turn180"]


def reading(status: str, text: str = "words " * 20) -> Reading:
    return Reading(text, status, (1,), 1, 0.1, 1, "page", "model")  # type: ignore[arg-type]


def names(**facts: object) -> list[str]:
    settings = {"task": Task(), "reads": ALL, "is_pdf": True, "dpi": None, **facts}
    return [rung.name for rung in rungs(RUNGS, **settings)]  # type: ignore[arg-type]


def every() -> Iterator[Rung]:
    return rungs(RUNGS, Task(), reads=ALL, is_pdf=True, dpi=None)


def answering(answers: dict[str, Reading | Failure]) -> tuple[Callable[[Rung], Reading | Failure], list[str]]:
    asked: list[str] = []

    def attempt(rung: Rung) -> Reading | Failure:
        asked.append(rung.name)
        return answers[rung.name]

    return attempt, asked


def test_a_page_has_the_rungs_that_change_something() -> None:
    assert names() == ["crop", "dpi", *TURNS]
    assert names(is_pdf=False) == ["crop", *TURNS]
    assert names(task=Task(crop=True)) == ["dpi", *TURNS]
    assert names(task=Task(color="red")) == ["dpi", *TURNS]
    assert names(reads={"plain"}) == ["dpi", *TURNS]
    assert names(dpi=300.0) == ["crop", *TURNS]
    assert list(rungs((), Task(), reads=ALL, is_pdf=True, dpi=None)) == []
    with pytest.raises(InvalidValue):
        Settings(ladder=("jump",))


def test_sound_pages_climb_nothing() -> None:
    attempt, asked = answering({})
    for status in ("ok", "empty"):
        first = reading(status)
        assert climb(first, attempt, every()) == (first, "", [])
    assert asked == []


def test_the_first_rung_that_ends_by_itself_is_taken() -> None:
    attempt, asked = answering({"crop": reading("loop"), "dpi": reading("ok")})
    taken, rung, tried = climb(reading("truncated"), attempt, every())
    assert taken.status == "ok"
    assert rung == "dpi"
    assert tried == [("", "truncated"), ("crop", "loop"), ("dpi", "ok")]
    assert asked == ["crop", "dpi"]


def test_where_none_helps_the_first_reading_stands_flagged() -> None:
    answers: dict[str, Reading | Failure] = dict.fromkeys(["crop", *TURNS], reading("loop"))
    answers["dpi"] = Failure("page_render_failed", "words")
    answers["turn90"] = reading("empty", "")
    answers["turn180"] = reading("ok", "three words only")  # turned wrongly: an early end is no success
    attempt, _ = answering(answers)
    first = reading("loop")
    taken, rung, tried = climb(first, attempt, every())
    assert (taken, rung) == (first, "")
    assert [status for _, status in tried] == ["loop", "loop", "page_render_failed", "empty", "loop", "ok"]


def test_turns_are_clockwise() -> None:
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 0, 0))
    corners = {"": (0, 0), "turn90": (1, 0), "turn180": (3, 1), "turn270": (0, 3)}
    for turn, corner in corners.items():
        assert turned(Picture(image), turn).image.getpixel(corner) == (255, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"formats": ("doc",)},
        {"formats": ()},
        {"most_errors": 1.5},
        {"most_errors": float("nan")},
        {"silence": 0.0},
        {"group": 0},
        {"chosen": "3-1"},
        {"chosen": "x"},
    ],
)
def test_a_batch_that_cannot_be_is_refused(wrong: dict[str, object], room: object) -> None:
    with pytest.raises(InvalidValue):
        Batch((), room, **wrong)  # type: ignore[arg-type]


def test_a_box_is_neither_drawn_larger_nor_turned() -> None:
    """Its numbers are pixels of the page as it was read first."""
    boxed = Task(box=(1, 2, 30, 40))
    assert list(rungs(RUNGS, boxed, reads=ALL, is_pdf=True, dpi=None)) == []
    framed = [rung.name for rung in rungs(RUNGS, Task(color="red"), reads=ALL, is_pdf=True, dpi=None)]
    assert framed == ["dpi", "turn90", "turn270", "turn180"]
