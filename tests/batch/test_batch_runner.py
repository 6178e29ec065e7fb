"""One worker: what is done stays done, what changed is done again, what fails fails alone."""

import hashlib
import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from batch_stand import Script, batch, events, folder, outputs, picture, run_here, tiff

from got_ocr.batch import Batch, Seen, Settings, State, documents, summarise
from got_ocr.batch import outputs as room_of_outputs
from got_ocr.batch import records as room_of_records
from got_ocr.batch.documents import Opened
from got_ocr.batch.files import Disk
from got_ocr.batch.leases import Lease, Leases
from got_ocr.batch.outputs import Finished
from got_ocr.batch.runner import Worker, work
from got_ocr.batch.summary import Summary
from got_ocr.errors import InputChanged, InputNotFound, InvalidWeights, MissingDependency, ModelError, OutputError
from got_ocr.reading import Reading
from got_ocr.task import Task


def summed(job: Batch) -> Summary:
    return summarise(job, Disk(job.out, State(job.out).scratch, "test"))


def rows(job: Batch) -> list[dict]:
    summed(job)
    return [json.loads(line) for line in (job.out / "batch-summary.jsonl").read_text("utf-8").splitlines()]


def test_a_batch_is_read_once_and_then_left_alone(room: Path) -> None:
    source, out = folder(room / "in", 20), room / "out"
    assert len(run_here(batch(source, out)).asked) == 20
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.txt")}
    assert len(before) == 13
    assert (out / "part0" / "page3.png.txt").read_text("utf-8") == (
        "Text of page3.png, page 1: ünïcode 漢字 😀 <b>&amp; $x^2$.\n"
    )
    assert (out / "book0.tif.txt").read_text("utf-8").count("\f") == 7
    made: list[None] = []
    again = batch(source, out)
    work(again, lambda: made.append(None))  # type: ignore[arg-type,return-value]
    assert made == []  # no model is loaded when there is nothing to read
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.txt")} == before
    summary = summed(again)
    assert summary.pages == {"ok": 20}
    assert summary.exit_code == 0


def test_equal_pages_are_read_once_under_all_their_names(room: Path) -> None:
    picture(room / "in" / "a.png", 1)
    shutil.copy(room / "in" / "a.png", room / "in" / "b.png")
    assert len(run_here(batch(room / "in", room / "out")).asked) == 1
    assert set(outputs(room / "out")) == {"a.png.txt", "b.png.txt"}
    (room / "in" / "a.png").rename(room / "in" / "c.png")
    assert run_here(batch(room / "in", room / "out")).asked == []
    assert "c.png.txt" in outputs(room / "out")


def test_a_changed_source_is_read_again_even_if_it_hides_it(room: Path) -> None:
    path = picture(room / "in" / "a.png", 1)
    data = path.read_bytes()
    path.write_bytes(data + b"x")
    other = picture(room / "in" / "b.png", 2)
    tiff(room / "in" / "c.tif", 2)
    run_here(batch(room / "in", room / "out"))
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(data + b"y")  # same size, and the time set back: only the content tells
    os.utime(path, ns=times)
    os.utime(other)  # touched, not changed
    assert run_here(batch(room / "in", room / "out")).asked == [("a.png", 1, Task())]


@pytest.mark.parametrize(
    "changed",
    [
        {"task": Task(mode="format")},
        {"task": Task(crop=True)},
        {"task": Task(max_tiles=3)},
        {"profile": "hf"},
        {"model": "other"},
        {"dtype": "bfloat16"},
        {"max_new_tokens": 17},
        {"dpi": 100.0},
        {"ladder": ()},
    ],
)
def test_changed_settings_read_again_and_the_old_are_kept(room: Path, changed: dict) -> None:
    picture(room / "in" / "a.png", 1)
    old, new = Settings(), replace(Settings(), **changed)
    assert len(run_here(batch(room / "in", room / "out", settings=old)).asked) == 1
    assert len(run_here(batch(room / "in", room / "out", settings=new)).asked) == 1
    assert run_here(batch(room / "in", room / "out", settings=old)).asked == []
    assert len(list((room / "out" / ".got-ocr-batch" / "pages").iterdir())) == 2


def test_other_outputs_read_nothing_again(room: Path) -> None:
    picture(room / "in" / "a.png", 1)
    run_here(batch(room / "in", room / "out"))
    assert run_here(batch(room / "in", room / "out", formats=("md", "json"))).asked == []
    assert set(outputs(room / "out")) == {"a.png.txt", "a.png.md", "a.png.jsonl"}


def test_what_a_source_was_last_decides_its_outputs(room: Path) -> None:
    """From one content to another and back: the last one stands in the output although its page was not read again."""
    path = picture(room / "in" / "a.png", 1)
    first = path.read_bytes()
    run_here(batch(room / "in", room / "out"), Numbered(1))
    picture(path, 2)
    run_here(batch(room / "in", room / "out"), Numbered(2))
    path.write_bytes(first)
    assert run_here(batch(room / "in", room / "out"), Numbered(3)).asked == []
    assert (room / "out" / "a.png.txt").read_text("utf-8") == "reading 1\n"


class Numbered(Script):
    """Tell in the text who read it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def one(self, seen: Seen, task: Task) -> Reading:
        return replace(super().one(seen, task), text=f"reading {self.number}")


def test_lost_outputs_come_back_without_reading(room: Path) -> None:
    source, out = folder(room / "in", 10), room / "out"
    run_here(batch(source, out))
    before = outputs(out)
    (out / "part0" / "page0.png.txt").unlink()
    assert run_here(batch(source, out)).asked == []
    assert outputs(out) == before


def test_a_record_that_is_gone_or_damaged_is_read_again(room: Path) -> None:
    source, out = folder(room / "in", 10), room / "out"
    run_here(batch(source, out))
    before = outputs(out)
    found = sorted((out / ".got-ocr-batch" / "pages").rglob("*.json"))
    found[0].unlink()
    found[1].write_bytes(found[1].read_bytes()[:-3])
    found[2].write_bytes(b"")
    shutil.rmtree(out / "part0"), [path.unlink() for path in out.glob("*.txt")]
    shutil.rmtree(out / "part1"), shutil.rmtree(out / "part2")
    assert len(run_here(batch(source, out)).asked) == 3
    assert outputs(out) == before


def test_a_record_without_a_word_in_the_journal_is_taken_up(room: Path) -> None:
    source, out = folder(room / "in", 10), room / "out"
    run_here(batch(source, out))
    before = outputs(out)
    shutil.rmtree(State(out).journal)
    for name in ("part0", "part1", "part2"):
        shutil.rmtree(out / name)
    (out / "book0.tif.txt").unlink()
    assert run_here(batch(source, out)).asked == []
    assert outputs(out) == before


def test_a_lost_journal_does_not_make_foreign_files_ours(room: Path) -> None:
    picture(room / "in" / "a.png", 1)
    picture(room / "in" / "b.png", 2)
    (room / "out").mkdir()
    (room / "out" / "a.png.txt").write_text("mine")
    job = batch(room / "in", room / "out")
    run_here(job)
    assert (room / "out" / "a.png.txt").read_text() == "mine"
    assert (room / "out" / "b.png.txt").exists()
    summary = summed(job)
    assert (summary.unwritten, summary.exit_code) == (1, 5)
    (room / "out" / "a.png.txt").unlink()
    assert run_here(batch(room / "in", room / "out")).asked == []
    assert (room / "out" / "a.png.txt").read_text("utf-8").startswith("Text of a.png")


def test_every_kind_of_trouble_stays_with_its_page(room: Path) -> None:
    for number, name in enumerate(("fine", "loop", "cut", "sideways", "blank", "bug")):
        size = (60, 20) if name == "sideways" else (30, 40)
        picture(room / "in" / f"{name}.png", number, size)
    tiff(room / "in" / "corrupt.tif", 3)
    (room / "in" / "torn.png").write_bytes((room / "in" / "fine.png").read_bytes()[:60])
    (room / "in" / "empty.png").write_bytes(b"")
    (room / "in" / "lies.pdf").write_bytes(b"%PDF-1.7\nnothing")
    job = batch(room / "in", room / "out", formats=("txt", "md", "json", "html"))
    run_here(job)
    told = {(row["source"], row.get("page")): (row["status"], row.get("code"), row.get("rung")) for row in rows(job)}
    assert told == {
        ("fine.png", 1): ("ok", None, None),
        ("loop.png", 1): ("ok", None, "crop"),
        ("cut.png", 1): ("truncated", None, None),
        ("sideways.png", 1): ("ok", None, "turn90"),
        ("blank.png", 1): ("empty", None, None),
        ("bug.png", 1): ("failed", "internal", None),
        ("corrupt.tif", 1): ("ok", None, None),
        ("corrupt.tif", 2): ("failed", "image_corrupt", None),
        ("corrupt.tif", 3): ("ok", None, None),
        ("torn.png", 1): ("failed", "image_truncated", None),
        ("empty.png", 1): ("failed", "image_truncated", None),
        ("lies.pdf", None): ("failed", "pdf_corrupt", None),
    }
    summary = summed(job)
    assert (summary.exit_code, summary.failed, summary.pages["failed"]) == (3, 1, 4)
    assert len(summary.bad) == 6
    everything = b"".join(path.read_bytes() for path in (room / "out").rglob("*") if path.is_file())
    assert b"secret" not in everything
    assert b"deadbeef" not in everything


def test_a_page_that_is_not_in_order_is_marked_in_every_form(room: Path) -> None:
    tiff(room / "in" / "corrupt.tif", 2) if (room / "in").mkdir() is None else None
    picture(room / "in" / "cut.png", 1)
    run_here(batch(room / "in", room / "out", formats=("txt", "md", "gfm", "html", "json")))
    made = {name: data.decode("utf-8") for name, data in outputs(room / "out").items()}
    assert "[page 2 was not read: image_corrupt]" in made["corrupt.tif.txt"]
    for form in ("md", "gfm.md"):
        assert "<!-- page 2: image_corrupt -->" in made[f"corrupt.tif.{form}"]
        assert made[f"cut.png.{form}"].startswith("<!-- page 1: truncated -->")
    assert "page 2 image_corrupt" in made["corrupt.tif.html"]
    assert "page 1 truncated" in made["cut.png.html"]
    lines = [json.loads(line) for line in made["corrupt.tif.jsonl"].splitlines()]
    assert [line["status"] for line in lines] == ["ok", "failed"]
    assert lines[1] == {
        "source": "corrupt.tif",
        "page": 2,
        "of": 2,
        "status": "failed",
        "error": {"code": "image_corrupt", "message": "broken by script"},
    }
    (line,) = made["cut.png.jsonl"].splitlines()
    assert json.loads(line)["tried"] == [["", "truncated"], ["crop", "truncated"]] + [
        [turn, "truncated"] for turn in ("turn90", "turn270", "turn180")
    ]


def test_failed_pages_are_read_again_only_when_asked(room: Path) -> None:
    (room / "in").mkdir()
    tiff(room / "in" / "corrupt.tif", 3)
    run_here(batch(room / "in", room / "out"))
    job = batch(room / "in", room / "out")
    assert run_here(job).asked == []
    assert summed(job).exit_code == 3
    again = Script()
    again.trouble = lambda name, number: None  # type: ignore[method-assign]
    job = batch(room / "in", room / "out", retry_failed=True)
    run_here(job, again)
    assert again.asked == [("corrupt.tif", 2, Task())]
    assert b"not read" not in outputs(room / "out")["corrupt.tif.txt"]
    assert summed(job).exit_code == 0


def test_a_page_that_fails_again_is_tried_once_a_run(room: Path) -> None:
    (room / "in").mkdir()
    tiff(room / "in" / "corrupt.tif", 3)
    run_here(batch(room / "in", room / "out"))
    job = batch(room / "in", room / "out", retry_failed=True)
    assert len(run_here(job).asked) == 1
    assert run_here(job).asked == []  # a second worker of the same run


def test_pages_are_chosen_and_those_that_are_not_there_passed_over(room: Path) -> None:
    (room / "in").mkdir()
    tiff(room / "in" / "long.tif", 6)
    picture(room / "in" / "short.png", 1)
    job = batch(room / "in", room / "out", chosen="2-3,5-")
    assert [number for _, number, _ in run_here(job).asked] == [2, 3, 5, 6]
    assert set(outputs(room / "out")) == {"long.tif.txt"}
    assert [row["status"] for row in rows(job)] == ["ok"] * 4 + ["no_pages"]
    assert summed(job).exit_code == 0
    assert [number for _, number, _ in run_here(batch(room / "in", room / "out")).asked] == [1, 4, 1]


def test_documents_with_too_many_bad_pages_are_withheld(room: Path) -> None:
    (room / "in").mkdir()
    tiff(room / "in" / "corrupt.tif", 4)
    picture(room / "in" / "fine.png", 1)
    job = batch(room / "in", room / "out", most_errors=0.4)
    run_here(job)
    assert set(outputs(room / "out")) == {"fine.png.txt"}
    assert rows(job)[-2]["status"] == "withheld" or rows(job)[0]["status"] == "withheld"
    assert (summed(job).withheld, summed(job).exit_code) == (1, 3)
    assert run_here(batch(room / "in", room / "out", most_errors=0.5)).asked == []
    assert set(outputs(room / "out")) == {"fine.png.txt", "corrupt.tif.txt", "batch-summary.jsonl"}


def test_pages_are_read_side_by_side_and_one_bad_one_costs_itself(room: Path) -> None:
    class Together(Script):
        def __init__(self) -> None:
            super().__init__()
            self.sizes: list[int] = []

        def __call__(self, pages: list, task: Task) -> list[Reading]:
            self.sizes.append(len(pages))
            return super().__call__(pages, task)

    (room / "in").mkdir()
    tiff(room / "in" / "a.tif", 5)
    picture(room / "in" / "bug.png", 1)
    picture(room / "in" / "fine.png", 2)
    engine = Together()
    run_here(batch(room / "in", room / "out", group=4, settings=Settings(ladder=())), engine)
    assert engine.sizes == [4, 3, 1, 1, 1]
    assert b"internal" in outputs(room / "out")["bug.png.txt"]
    assert b"Text of fine.png" in outputs(room / "out")["fine.png.txt"]


@pytest.mark.parametrize("error", [InvalidWeights("bad"), MissingDependency("bad"), OutputError("bad")])
def test_what_no_page_can_survive_stops_the_run_and_loses_nothing(room: Path, error: Exception) -> None:
    source = folder(room / "in", 10)

    class Failing(Script):
        def trouble(self, name: str, number: int) -> None:
            if len(self.asked) > 4:
                raise error

    with pytest.raises(type(error)):
        run_here(batch(source, room / "out"), Failing())
    assert list(State(room / "out").leases.iterdir()) == []
    assert len(run_here(batch(source, room / "out")).asked) == 6


def test_a_disk_that_fills_up_loses_nothing(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses the nth write, for every n there is."""
    source = folder(room / "in", 4)
    run_here(batch(source, room / "whole"))
    expected, real = outputs(room / "whole"), os.fsync
    refused = 0
    for most in range(1, 200):
        out, left = room / f"out{most}", [most]

        def full(handle: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(28, "full")
            real(handle)

        job = batch(source, out)
        State(out).make()
        monkeypatch.setattr(os, "fsync", full)
        try:
            work(job, Script)
            break
        except OutputError:
            refused += 1
        finally:
            monkeypatch.setattr(os, "fsync", real)
        run_here(batch(source, out))
        assert outputs(out) == expected
        shutil.rmtree(out)
    assert refused > 12


def test_a_file_that_changes_while_it_is_read_is_read_as_it_is_then(room: Path) -> None:
    path = picture(room / "in" / "a.png", 1)

    class Meddling(Script):
        def trouble(self, name: str, number: int) -> None:
            if len(self.asked) == 1:
                picture(path, 2, (50, 60))

    engine = Meddling()
    run_here(batch(room / "in", room / "out"), engine)
    assert len(engine.asked) == 2
    assert run_here(batch(room / "in", room / "out")).asked == []


def test_a_file_that_never_stays_the_same_is_given_up(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(room / "in" / "grows.png", 1)
    picture(room / "in" / "fine.png", 2)

    class Growing(Script):
        def trouble(self, name: str, number: int) -> None:
            if name == "grows.png":
                with path.open("ab") as file:
                    file.write(b"more")

    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    job = batch(room / "in", room / "out")
    run_here(job, Growing())
    assert {row["source"]: row.get("code") for row in rows(job)} == {"fine.png": None, "grows.png": "input_changed"}
    assert len(run_here(batch(room / "in", room / "out")).asked) == 1


def test_a_file_that_goes_away_fails_alone(room: Path) -> None:
    paths = [picture(room / "in" / f"{number}.png", number) for number in range(3)]

    class Deleting(Script):
        def trouble(self, name: str, number: int) -> None:
            paths[1].unlink(missing_ok=True)

    job = batch(room / "in", room / "out")
    run_here(job, Deleting())
    assert {row["source"]: row.get("code") for row in rows(job)} == {
        "0.png": None,
        "1.png": "input_not_found",
        "2.png": None,
    }


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(room: Path) -> None:
    path = picture(room / "in" / "a.png", 1)
    picture(room / "in" / "b.png", 2)
    job = batch(room / "in", room / "out")
    path.unlink()
    os.mkfifo(path)
    run_here(job)
    assert rows(job)[0]["code"] == "input_not_found"


def test_odd_names_stay_below_the_output_folder(room: Path) -> None:
    data, odd = (
        picture(room / "p.png").read_bytes(),
        [b"bad\xff.png", b"two\nlines.png", b"n" * 251 + b".png", b"x\\..\\..\\up.png"],
    )
    os.makedirs(room / "in" / "same" / "deep")
    for number, name in enumerate(odd):
        (Path(os.fsdecode(os.path.join(os.fsencode(room / "in"), name)))).write_bytes(data + bytes([number]))
    for place in ("same", "same/deep"):
        (room / "in" / place / "stem.png").write_bytes(data + place.encode())
    before = sorted(room.iterdir())
    job = batch(room / "in", room / "out", formats=("txt", "json", "html"))
    assert len(run_here(job).asked) == 6
    assert sorted(room.iterdir()) == sorted([*before, room / "out"])
    assert len(outputs(room / "out")) == 18
    assert summed(job).pages == {"ok": 6}
    assert run_here(batch(room / "in", room / "out", formats=("txt", "json", "html"))).asked == []


def test_an_overtaken_worker_writes_nothing(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker falls asleep over a page, a second takes it over and finishes; then the first wakes."""
    monkeypatch.setattr("got_ocr.batch.leases._is_dead", lambda body: False)
    picture(room / "in" / "a.png", 1)
    job = batch(room / "in", room / "out", silence=0.2)
    State(job.out).make()
    asleep, awake = threading.Event(), threading.Event()

    class Sleeper(Numbered):
        def trouble(self, name: str, number: int) -> None:
            asleep.set()
            awake.wait(30)

    first = Worker(job, lambda: Sleeper(1), "first")
    first._leases._stop.set()  # its renewal sleeps with it
    thread = threading.Thread(target=first.run)
    thread.start()
    asleep.wait(30)
    run_here(job, Numbered(2))
    record = next((room / "out" / ".got-ocr-batch" / "pages").rglob("*.json"))
    before, text = record.stat(), outputs(room / "out")
    awake.set()
    thread.join(30)
    first.close()
    assert text["a.png.txt"] == b"reading 2\n"
    assert outputs(room / "out") == text
    assert record.stat() == before
    assert len(events(room / "out", "done")) == 1
    assert len(events(room / "out", "joined")) == 1


def test_a_record_that_came_first_stands_even_if_no_lease_kept_it(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both believe that they hold the page, as on a network share that lies: there is one record, and all agree on it."""
    monkeypatch.setattr("got_ocr.batch.leases.Leases._is_silent", lambda self, path: True)
    monkeypatch.setattr("got_ocr.batch.leases.Leases.is_held", lambda self, lease: True)
    picture(room / "in" / "a.png", 1)
    job = batch(room / "in", room / "out")
    State(job.out).make()
    both = threading.Barrier(2)

    class Meeting(Numbered):
        def trouble(self, name: str, number: int) -> None:
            both.wait(30)

    threads = [threading.Thread(target=work, args=(job, lambda n=n: Meeting(n))) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (record,) = (room / "out" / ".got-ocr-batch" / "pages").rglob("*.json")
    found = room_of_records.read(record)
    assert found is not None
    assert outputs(room / "out")["a.png.txt"].decode() == found[0].text + "\n"
    assert {event["checksum"] for event in events(room / "out", "done")} == {found[1]}


def test_a_pdf_page_is_drawn_larger_on_its_rung(room: Path) -> None:
    class Far(Script):
        def one(self, seen: Seen, task: Task) -> Reading:
            told = super().one(seen, task)
            return replace(told, status="ok" if seen.picture.image.width > 700 else "truncated")

    (room / "in").mkdir()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(200, 200))
        pdf.add_blank_page(page_size=(180, 200))
        pdf.save(room / "in" / "a.pdf")
    job = batch(room / "in", room / "out", settings=Settings(ladder=("dpi", "crop")))
    run_here(job, Far())
    assert [(row["page"], row["status"], row.get("rung")) for row in rows(job)] == [(1, "ok", "dpi"), (2, "ok", "dpi")]


def test_a_rung_that_cannot_be_drawn_is_one_that_failed(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(room / "in" / "cut.png", 1)

    def fail(image: object, turn: str) -> None:
        raise MemoryError

    monkeypatch.setattr("got_ocr.batch.ladder.turned", fail)
    run_here(batch(room / "in", room / "out", formats=("json",), settings=Settings(ladder=("turn",))))
    line = json.loads(outputs(room / "out")["cut.png.jsonl"])
    assert line["status"] == "truncated"
    assert line["tried"][1:] == [[turn, "out_of_memory"] for turn in ("turn90", "turn270", "turn180")]


def test_a_file_that_changes_under_the_planning_is_waited_for(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(room / "in" / "a.png", 1)
    real, left = documents.document.count, [2]

    def count(source: str, password: str | None = None) -> int:
        left[0] -= 1
        if left[0] >= 0:
            with path.open("ab") as file:
                file.write(b"more")
        return real(source, password=password)

    monkeypatch.setattr(documents.document, "count", count)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    job = batch(room / "in", room / "out")
    assert len(run_here(job).asked) == 1
    left[0] = 100
    path.write_bytes(path.read_bytes() + b"more")
    job = batch(room / "in", room / "out")
    assert run_here(job).asked == []
    assert rows(job)[0]["code"] == "input_changed"


def test_a_document_that_lost_pages_since_it_was_looked_over(room: Path) -> None:
    (room / "in").mkdir()
    path = tiff(room / "in" / "a.tif", 3)
    job = batch(room / "in", room / "out")
    first = Opened(job)
    plan = documents.plan(job.entries[0])
    tiff(path, 1)
    with pytest.raises(InputChanged):
        first.page(job.entries[0], plan, 2)


def test_a_device_in_the_place_of_a_file(room: Path) -> None:
    path = picture(room / "in" / "a.png", 1)
    job = batch(room / "in", room / "out")
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(InputNotFound):
        documents.plan(job.entries[0])


def test_trouble_with_an_output_stays_with_its_document(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(room / "in" / "a.png", 1)
    picture(room / "in" / "b.png", 2)
    real = room_of_outputs.made

    def made(form: str, finished: Finished, job: Batch) -> bytes:
        if finished.entry.source == "a.png":
            raise RuntimeError("secret")
        return real(form, finished, job)

    monkeypatch.setattr(room_of_outputs, "made", made)
    job = batch(room / "in", room / "out")
    run_here(job)
    told = {row["source"]: row for row in rows(job) if row["status"] != "ok"}
    assert told["a.png"]["status"] == "unwritten"
    assert "secret" not in json.dumps(told)
    assert "b.png.txt" in outputs(room / "out")
    monkeypatch.undo()
    again = batch(room / "in", room / "out")
    assert run_here(again).asked == []
    assert summed(again).exit_code == 0


def test_a_joiner_that_was_overtaken_leaves_a_doubt_that_is_cleared(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(room / "in" / "a.png", 1)
    real, lost = Leases.is_held, [True]

    def is_held(self: Leases, lease: Lease) -> bool:
        if lease.unit.startswith("join") and lost[0]:
            lost[0] = False
            return False
        return real(self, lease)

    monkeypatch.setattr(Leases, "is_held", is_held)
    job = batch(room / "in", room / "out", silence=0.2)
    run_here(job)
    assert len(events(room / "out", "doubt")) == 1
    assert len(events(room / "out", "joined")) == 1


def test_text_that_cannot_be_put_into_gfm_stays_as_it_was(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str, to: str) -> str:
        raise InvalidWeights("no")

    picture(room / "in" / "a.png", 1)
    monkeypatch.setattr("got_ocr.render.render", fail)
    run_here(batch(room / "in", room / "out", formats=("gfm",)))
    assert outputs(room / "out")["a.png.gfm.md"].startswith(b"Text of a.png")


def test_a_stopped_batch_tells_what_is_pending(room: Path) -> None:
    (room / "in").mkdir()
    tiff(room / "in" / "a.tif", 3)
    picture(room / "in" / "b.png", 1)
    (room / "in" / "link.png").symlink_to(room / "in" / "b.png")

    class Stopping(Script):
        def trouble(self, name: str, number: int) -> None:
            if number == 2:
                raise KeyboardInterrupt

    job = batch(room / "in", room / "out")
    with pytest.raises(KeyboardInterrupt):
        run_here(job, Stopping())
    told = [(row["source"], row.get("page"), row["status"], row.get("code")) for row in rows(job)]
    assert told == [
        ("a.tif", 1, "ok", None),
        ("a.tif", 2, "pending", None),
        ("a.tif", 3, "pending", None),
        ("b.png", None, "pending", None),
        ("link.png", None, "skipped", "not_regular"),
    ]
    summary = summed(job)
    assert (summary.skipped, summary.exit_code) == (1, 3)
    assert list(State(room / "out").leases.iterdir()) == []


def test_a_file_that_may_not_be_read(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, *rules: int) -> int:
        if str(path).endswith("in/a.png"):
            raise PermissionError(13, "secret")
        return real(path, *rules)

    picture(room / "in" / "a.png", 1)
    picture(room / "in" / "b.png", 2)
    monkeypatch.setattr(os, "open", refuse)
    job = batch(room / "in", room / "out")
    run_here(job)
    assert [(row["source"], row.get("code")) for row in rows(job)] == [("a.png", "input_not_found"), ("b.png", None)]


def test_a_folder_that_goes_away_is_an_output_error(room: Path) -> None:
    """As a network share does, in the middle of a page."""
    source = folder(room / "in", 5)

    class Unmounting(Script):
        def trouble(self, name: str, number: int) -> None:
            shutil.rmtree(State(room / "out").journal)

    with pytest.raises(OutputError) as caught:
        run_here(batch(source, room / "out"), Unmounting())
    assert caught.value.exit_code == 5


def test_a_record_of_another_make_is_read_again(room: Path) -> None:
    picture(room / "in" / "a.png", 1)
    run_here(batch(room / "in", room / "out"))
    (record,) = (room / "out" / ".got-ocr-batch" / "pages").rglob("*.json")
    body = b'{"words": "other"}\n'
    record.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    (room / "out" / "a.png.txt").unlink()
    assert len(run_here(batch(room / "in", room / "out")).asked) == 1
    assert "a.png.txt" in outputs(room / "out")


def test_a_model_that_cannot_be_opened_is_no_trouble_of_the_output_folder(room: Path) -> None:
    def make() -> Script:
        raise PermissionError(13, "secret")

    picture(room / "in" / "a.png", 1)
    job = batch(room / "in", room / "out")
    State(job.out).make()
    with pytest.raises(ModelError) as caught:
        work(job, make)
    assert "secret" not in str(caught.value)
