"""Predictions survive kills, errors and second runs."""

import json
from pathlib import Path

import pytest

from got_ocr.errors import ImageCorrupt, InputError, InvalidValue, ModelNotFound, OutputError
from got_ocr.eval.benches import Example
from got_ocr.eval.predict import Prediction, given, predict, read_predictions, recorded
from got_ocr.task import Task


def examples(count: int = 4) -> list[Example]:
    return [Example(f"e{i}", (Path(f"{i}.png"),), Task(), f"text {i}", "page") for i in range(count)]


class Scripted:
    """Answer with the picture's name; fail on the pictures named."""

    def __init__(self, **failures: Exception) -> None:
        self.failures = failures
        self.asked: list[str] = []

    def __call__(self, images: tuple, task: Task) -> tuple[str, str, float]:
        name = images[0].stem
        self.asked.append(name)
        if f"p{name}" in self.failures:
            raise self.failures[f"p{name}"]
        return f"read {name} 好\n", "ok", 0.123456


def run(file: Path, reader: Scripted, count: int = 4, **rest) -> list[Prediction]:
    return [p for _, p in predict(examples(count), lambda: reader, file, "model", **rest)]


def test_a_second_run_asks_nothing_and_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "p.jsonl"
    first = run(file, Scripted())
    again = Scripted()
    assert run(file, again) == first
    assert again.asked == []
    assert first[1].text == "read 1 好\n"
    assert first[1].seconds == 0.1235
    assert file.read_text(encoding="utf-8").count("\n") == 4


@pytest.mark.parametrize("cut", [1, 2, 30, 60])
def test_a_torn_last_line_is_done_again_and_the_file_ends_equal(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "p.jsonl"
    expected = run(file, Scripted())
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    assert len(list(read_predictions(file))) == 3
    reader = Scripted()
    assert run(file, reader) == expected
    assert reader.asked == ["3"]
    assert file.read_bytes() == whole


def test_a_killed_run_loses_only_the_picture_it_was_at(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    reader = Scripted(p2=KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        run(file, reader)
    assert [p.id for p in read_predictions(file)] == ["e0", "e1"]
    rest = Scripted()
    assert len(run(file, rest)) == 4
    assert rest.asked == ["2", "3"]


def test_errors_are_recorded_and_do_not_stop_the_run(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    found = run(file, Scripted(p1=ImageCorrupt("broken"), p2=ZeroDivisionError("secret /path")))
    assert [(p.status, p.error, p.text) for p in found[1:3]] == [
        ("failed", "image_corrupt", ""),
        ("failed", "internal", ""),
    ]
    assert "secret" not in file.read_text()
    kept, asked = Scripted(), Scripted()
    assert run(file, kept) == found
    assert kept.asked == []
    assert all(p.status == "ok" for p in run(file, asked, retry_failed=True))
    assert asked.asked == ["1", "2"]
    assert all(p.status == "ok" for p in run(file, Scripted()))  # the newer row counts


def test_a_reader_without_its_model_stops_the_run_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        run(tmp_path / "p.jsonl", Scripted(p0=ModelNotFound("no such model")))
    assert not (tmp_path / "p.jsonl").exists()


def test_a_reader_is_opened_once_and_only_for_an_open_question(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    opened = []

    def opener() -> Scripted:
        opened.append(1)
        return Scripted()

    list(predict(examples(), opener, file, "model"))
    list(predict(examples(), opener, file, "model"))
    assert opened == [1]


def test_a_reader_that_cannot_be_opened_stops_the_run(tmp_path: Path) -> None:
    def opener() -> Scripted:
        raise InvalidValue("no such device")

    with pytest.raises(InvalidValue):
        list(predict(examples(), opener, tmp_path / "p.jsonl", "model"))
    assert not (tmp_path / "p.jsonl").exists()


def test_readers_and_settings_share_a_file_without_mixing(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    run(file, Scripted(), settings="a")
    other = Scripted()
    run(file, other, settings="b")
    assert len(other.asked) == 4
    peer = Scripted()
    list(predict(examples(), lambda: peer, file, "peer", "a"))
    assert len(peer.asked) == 4
    assert len(list(read_predictions(file))) == 12


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id":"","key":"","reader":"","settings":"","text":"","status":"","seconds":NaN}',
        '{"id": "x"}',
        '{"id":1,"key":"","reader":"","settings":"","text":"","status":"","seconds":0}',
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(InputError, match="line 1"):
        run(file, Scripted())


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        run(tmp_path / "file" / "p.jsonl", Scripted())


def test_lone_surrogates_do_not_break_the_file(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    list(predict(examples(1), lambda: lambda images, task: ("a\ud800", "ok", 0.0), file, "model"))
    assert next(read_predictions(file)).text == "a?"


def test_recorded_answers_are_paired_without_a_reader(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    run(file, Scripted(), 2, settings="s")
    found = [p for _, p in recorded(examples(3), read_predictions(file), "renamed")]
    assert [(p.reader, p.status, p.error) for p in found] == [
        ("renamed", "ok", ""),
        ("renamed", "ok", ""),
        ("renamed", "failed", "input_not_found"),
    ]


def test_answers_given_by_another_program() -> None:
    answers = {("0.png", "text 0"): "by label", ("1.png", ""): "by name"}
    found = [p for _, p in given(examples(3), answers, "other")]
    assert [(p.text, p.status) for p in found] == [("by label", "given"), ("by name", "given"), ("", "failed")]


def test_rows_hold_what_a_reader_of_the_file_needs(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    run(file, Scripted(), 1)
    row = json.loads(file.read_text(encoding="utf-8"))
    assert list(row) == ["id", "key", "reader", "settings", "text", "status", "seconds", "error"]
    assert row["key"] == examples(1)[0].key()
