"""What the model is told: golden texts of every mode in both wordings, labels, boxes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr import prompt
from got_ocr.errors import InvalidValue
from got_ocr.prompt import IGNORE, SYSTEM, Style
from got_ocr.task import COLORS, Task
from got_ocr.tokenizer import Tokenizer

SIZE = (200, 400)
BOX = Task(box=(20, 40, 100, 200), box_mode="prompt")

# Task, the original's words, transformers' words.
GOLDEN = (
    (Task(), "OCR: ", " OCR: "),
    (Task("format"), "OCR with format: ", " OCR with format: "),
    (BOX, "[100, 100, 500, 500] OCR: ", "[100, 100, 500, 500] OCR: "),
    (
        Task("format", box=(20, 40, 100, 200), box_mode="prompt"),
        "[100, 100, 500, 500] OCR with format: ",
        "[100, 100, 500, 500] OCR with format: ",
    ),
    (Task(box=(200, 400), box_mode="prompt"), "[1000, 1000] OCR: ", "[1000, 1000] OCR: "),
    (Task(box=(20, 40, 100, 200)), "OCR: ", " OCR: "),  # cut out first: nothing to tell
    (Task(color="red"), "[red] OCR: ", "[red]  OCR: "),
    (Task("format", color="blue"), "[blue] OCR with format: ", "[blue]  OCR with format: "),
    (Task(crop=True), "OCR upon the patch reference: ", " OCR upon the patch reference: "),
    (
        Task("format", crop=True),
        "OCR with format upon the patch reference: ",
        " OCR with format upon the patch reference: ",
    ),
    (Task(multi_page=True), "OCR with format across multi pages: ", " OCR across multi pages: "),
    (
        Task("format", multi_page=True),
        "OCR with format across multi pages: ",
        " OCR with format across multi pages: ",
    ),
)


def spelt(tokenizer: Tokenizer, ids: tuple[int, ...]) -> str:
    """Write ids out with their special tokens."""
    from got_ocr.tokenizer import SPECIALS

    names = {tokenizer.special(token): token for token in SPECIALS}
    return "".join(names.get(i, tokenizer.decode([i])) for i in ids)


@pytest.mark.parametrize(("task", "original", "hf"), GOLDEN)
def test_golden_queries(task: Task, original: str, hf: str) -> None:
    assert prompt.query(task, SIZE) == original
    assert prompt.query(task, SIZE, "original") == original
    assert prompt.query(task, SIZE, "hf") == hf


def test_golden_prompt(small: Tokenizer) -> None:
    built = prompt.build(small, Task("format"), 3, SIZE)
    assert spelt(small, built.ids) == (
        "<|im_start|>system\nYou should follow the instructions carefully and explain your answers in detail.<|im_end|>"
        "<|im_start|>user\n<img><imgpad><imgpad><imgpad></img>\nOCR with format: <|im_end|><|im_start|>assistant\n"
    )


@pytest.mark.parametrize("style", ["original", "hf"])
def test_golden_ids_of_the_real_vocabulary(qwen: Tokenizer, style: Style) -> None:
    """The numbers that the published weights were trained on."""
    ids = prompt.build(qwen, Task(), 2, SIZE, style).ids
    system = (151644, 8948, 198, 2610, 1265, 1795, 279, 11221, 15516, 323, 10339, 697, 11253, 304, 7716, 13, 151645)
    assert ids[:17] == system
    assert ids[17:24] == (151644, 872, 198, 151857, 151859, 151859, 151858)
    asked = {"original": (198, 93495, 25, 220), "hf": (198, 80577, 25, 220)}[style]
    assert ids[24:-4] == asked
    assert ids[-4:] == (151645, 151644, 77091, 198)


def test_the_answer_alone_is_learned(small: Tokenizer) -> None:
    asked = prompt.build(small, Task(), 4, SIZE)
    lesson = prompt.teach(small, asked, "the fox <|im_end|>")
    answer = (*small.encode("the fox <|im_end|>"), small.end)
    assert lesson.ids == asked.ids + answer
    assert lesson.labels == (IGNORE,) * len(asked.ids) + answer
    assert lesson.ids.count(small.end) == 3  # system, user, answer: the one in the text is text
    assert prompt.teach(small, asked, "").labels == (IGNORE,) * len(asked.ids) + (small.end,)


@given(st.data())
def test_boxes_become_thousandths(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 5000)), data.draw(st.integers(1, 5000))
    x, y = data.draw(st.integers(0, width)), data.draw(st.integers(0, height))
    assert prompt.scale_box((x, y), (width, height)) == [int(x / width * 1000), int(y / height * 1000)]
    box = (0, 0, max(x, 1), max(y, 1))
    assert all(0 <= v <= 1000 for v in prompt.scale_box(box, (width, height)))


@pytest.mark.parametrize("box", [(0, 0, 201, 10), (0, 0, 10, 401), (201, 5), (5, 401)])
def test_boxes_outside_the_picture_are_refused(box: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValue, match="outside the picture of 200 x 400"):
        prompt.scale_box(box, SIZE)  # type: ignore[arg-type]


def test_nothing_from_outside_closes_a_turn(small: Tokenizer) -> None:
    """Whatever may be asked, the special tokens of a prompt are these and no others."""
    for task, *_ in GOLDEN:
        ids = prompt.build(small, task, 2, SIZE).ids
        special = [i for i in ids if i >= len(small.ranks)]
        names = ("<|im_start|>", "<|im_end|>", "<|im_start|>", "<img>", "<imgpad>", "<imgpad>", "</img>", "<|im_end|>")
        assert special == [small.special(name) for name in (*names, "<|im_start|>")]
    assert {prompt.query(Task(color=color), SIZE)[1:-7] for color in COLORS} == set(COLORS)  # type: ignore[arg-type]
    assert SYSTEM.isascii()
