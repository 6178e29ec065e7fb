"""Benchmark files as published become examples; broken ones are refused with the row's number."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from got_ocr.errors import InputError, InputNotFound
from got_ocr.eval.benches import Example, read_answers, read_bench, task_of_prompt
from got_ocr.prompt import query
from got_ocr.task import Task


def conversation(
    image: object = "a.png", prompt: str = "<image>\nOCR: ", truth: object = "text", **rest: object
) -> dict:
    turns = [{"from": "human", "value": prompt}, {"from": "gpt", "value": truth}]
    return {"image": image, "conversations": turns, **rest}


def write(path: Path, rows: object) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")  # type: ignore[attr-defined]
    else:
        path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def no_size() -> tuple[int, int]:
    raise AssertionError("the picture's size is asked for a box only")


def test_fox_rows(tmp_path: Path) -> None:
    file = write(
        tmp_path / "en_page_ocr.json", [conversation("en_1.png"), conversation(["p/1.png", "p/2.png"], truth="two")]
    )
    first, second = read_bench(file, images=tmp_path / "en_pdf_png")
    assert first == Example(
        "en_page_ocr/00001/en_1.png", (tmp_path / "en_pdf_png/en_1.png",), Task(), "text", "en_page_ocr"
    )
    assert [p.name for p in second.images] == ["1.png", "2.png"]  # type: ignore[union-attr]
    assert second.reference == "two"


def test_own_folder_of_json_lines(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", [conversation("2.png", kind="table", id="t1"), conversation("3.png")])
    write(tmp_path / "a.jsonl", [conversation("1.png", "OCR with format: ", kind="page")])
    found = list(read_bench(tmp_path, kind="other"))
    assert [(e.kind, e.task.mode) for e in found] == [("page", "format"), ("table", "plain"), ("other", "plain")]
    assert [e.id for e in found] == ["a/00001/1.png", "t1", "b/00002/3.png"]
    assert found[0].images == (tmp_path / "1.png",)


def test_chart_rows(tmp_path: Path) -> None:
    truth = {"title": "t", "values": {"A": 1}}
    (example,) = read_bench(write(tmp_path / "chartqa.json", [{"images": "c.png", "gts": truth}]), kind="chart")
    assert (example.kind, example.task.mode) == ("chart", "format")
    assert json.loads(example.reference) == truth


def test_a_mode_may_be_asked_of_every_row(tmp_path: Path) -> None:
    file = write(tmp_path / "x.json", [conversation(prompt="[red] OCR: ")])
    (example,) = read_bench(file, mode="format")
    assert example.task == Task(mode="format", color="red")


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("OCR: ", Task()),
        ("<image>\nOCR with format: ", Task(mode="format")),
        ("[Red] OCR: ", Task(color="red")),
        ("OCR with format upon the patch reference: ", Task(mode="format", crop=True)),
        ("OCR with format across multi pages: ", Task(mode="format", multi_page=True)),
        ("Read this page.", Task()),
    ],
)
def test_prompts_become_tasks(prompt: str, task: Task) -> None:
    assert task_of_prompt(prompt, no_size) == task


SIDES = st.integers(1000, 4000)


@given(SIDES, SIDES, st.lists(st.integers(0, 1000), min_size=4, max_size=4))
def test_boxes_survive_the_way_into_pixels_and_back(width: int, height: int, numbers: list[int]) -> None:
    x1, x2 = sorted(numbers[:2])
    y1, y2 = sorted(numbers[2:])
    if x1 == x2 or y1 == y2 or 1000 in (x1, y1):
        return
    prompt = f"[{x1}, {y1}, {x2}, {y2}] OCR: "
    task = task_of_prompt(prompt, lambda: (width, height))
    assert task.box_mode == "prompt"
    assert query(task, (width, height)) == prompt


def test_points_and_thin_boxes_stay_valid() -> None:
    assert task_of_prompt("[500, 250] OCR: ", lambda: (2000, 1000)).box == (1000, 250)
    assert task_of_prompt("[1000,1000,1000,1000] OCR: ", lambda: (20, 10)).box == (19, 9, 20, 10)


def test_a_box_is_measured_on_the_upright_picture(tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: upright it is 100 wide and 200 high
    picture.save(tmp_path / "a.png", exif=exif)
    (example,) = read_bench(write(tmp_path / "x.json", [conversation(prompt="[0,0,1000,500] OCR: ")]))
    assert example.task.box == (0, 0, 100, 100)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"image": "a.png"}, "no JSON list"),
        ([conversation(), 3], "row 2 of x.json"),
        ([{"conversations": []}], "row 1 of x"),
        ([conversation([])], "'image'"),
        ([conversation(truth=None)], "'conversations'"),
        ([{"image": "a.png", "conversations": [{"value": "OCR: "}]}], "'conversations'"),
        ([conversation("../secret.png")], "outside"),
        ([conversation("/etc/secret.png")], "outside"),
        ([conversation(prompt="[1,2,3,1001] OCR: ")], "row 1 of x"),
    ],
)
def test_rows_that_do_not_fit_stop_the_reading(tmp_path: Path, rows: object, message: str) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=message):
        list(read_bench(write(tmp_path / "x.json", rows)))


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "nul"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(InputError, match="not valid JSON"):
        list(read_bench(file))


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text("\n" + json.dumps(conversation()) + "\n{\n")
    with pytest.raises(InputError, match=r"line 3 of x\.jsonl"):
        list(read_bench(file))


def test_missing_files_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        list(read_bench(tmp_path / "none.json"))
    with pytest.raises(InputError, match="jsonl"):
        list(read_bench(tmp_path))


def test_keys_tell_questions_apart() -> None:
    example = Example("1", (), Task(), "text", "page")
    others = [
        Example("2", (), Task(), "text", "page"),
        Example("1", (), Task(mode="format"), "text", "page"),
        Example("1", (), Task(), "other", "page"),
    ]
    assert len({example.key(), *(e.key() for e in others)}) == 4
    assert example.key() == Example("1", (), Task(), "text", "page").key()


def test_keys_follow_the_pictures(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    example = Example("1", (file,), Task(), "text", "page")
    missing = example.key()
    file.write_bytes(b"one")
    first = example.key()
    file.write_bytes(b"two")
    made = [
        Example("1", (Image.new("L", size, grey),), Task(), "t", "k").key()
        for size, grey in (((2, 3), 0), ((3, 2), 0), ((2, 3), 1))
    ]
    assert len({missing, first, example.key(), *made}) == 6
    file.write_bytes(b"one")
    assert example.key() == first


def test_two_rows_of_one_id_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "x.json", [conversation(id="a"), conversation("b.png", id="a")])
    with pytest.raises(InputError, match="row 2"):
        list(read_bench(file))


def test_answers_of_another_program(tmp_path: Path) -> None:
    rows = [{"image": "d/a.png", "label": "one", "answer": "1"}, {"image": "a.png", "label": "two", "answer": "2"}]
    file = write(tmp_path / "results_final.json", [*rows, {"imagename": "b.png", "answer": "3"}])
    assert read_answers(file) == {("a.png", "one"): "1", ("a.png", "two"): "2", ("b.png", ""): "3"}


@pytest.mark.parametrize(
    "rows", [[{"image": "a.png"}], [{"image": "a.png", "answer": "1"}, {"image": "x/a.png", "answer": "2"}]]
)
def test_answers_that_nobody_can_assign_are_refused(tmp_path: Path, rows: list[dict]) -> None:
    with pytest.raises(InputError, match="row"):
        read_answers(write(tmp_path / "r.json", rows))
