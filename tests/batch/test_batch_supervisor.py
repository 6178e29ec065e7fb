"""The supervisor with workers that follow a script: who is replaced, what is given up, what ends a batch, what is told."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from batch_stand import Script, batch, events, picture, run_here, tiff

from got_ocr.batch import Batch, Entry, Progress, State, documents, supervise, supervisor, work
from got_ocr.batch.journal import Journal, Logs
from got_ocr.batch.leases import Leases
from got_ocr.batch.progress import Counter
from got_ocr.batch.state import document_unit, page_unit
from got_ocr.batch.view import Plan, View
from got_ocr.errors import ChildCrashed, GotOcrError

Act = Callable[[Batch, str], int]


class Actor:
    """A worker in a thread: it does what it is told and ends with a status; it hears no request to stop, but a kill."""

    def __init__(self, act: Act, job: Batch, name: str) -> None:
        self.exitcode: int | None = None
        self.asked = False
        self._thread = threading.Thread(target=self._run, args=(act, job, name), daemon=True)
        self._thread.start()

    def _run(self, act: Act, job: Batch, name: str) -> None:
        try:
            code = act(job, name)
        except GotOcrError as error:
            code = error.exit_code
        self.exitcode = code if self.exitcode is None else self.exitcode

    def terminate(self) -> None:
        self.asked = True

    def kill(self) -> None:
        self.exitcode = -9

    def join(self, timeout: float | None = None) -> None:
        until = time.monotonic() + min(timeout or 0.0, 0.05)
        while self.exitcode is None and time.monotonic() < until:
            time.sleep(0.005)


class Troupe:
    """Start actors: the first acts one after another, then the last of them again and again."""

    def __init__(self, job: Batch, *acts: Act) -> None:
        self.job, self.acts, self.actors = job, list(acts), []  # type: ignore[var-annotated]

    def __call__(self, name: str, number: int) -> Actor:
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        self.actors.append(Actor(act, self.job, name))
        return self.actors[-1]


def honest(job: Batch, name: str) -> int:
    work(job, Script, name)
    return 0


def dying(*units: str, status: int) -> Act:
    """Begin some units and die."""

    def act(job: Batch, name: str) -> int:
        state = State(job.out)
        logs = Logs(state.journal)
        list(logs.news())
        journal = Journal(state.journal, name, logs)
        for unit in units:
            journal.append("start", u=unit)
        return status

    return act


def hanging(unit: str) -> Act:
    def act(job: Batch, name: str) -> int:
        dying(unit, status=0)(job, name)
        time.sleep(30)
        return 0

    return act


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_POLL", 0.01)
    monkeypatch.setattr(supervisor, "_GRACE", 0.1)


@pytest.fixture
def job(room: Path) -> Batch:
    for number in range(4):
        picture(room / "in" / f"{number}.png", number)
    return batch(room / "in", room / "out")


def unit_of(room: Path, job: Batch, name: str) -> str:
    return page_unit(job.settings.digest, hashlib.sha256((room / "in" / name).read_bytes()).hexdigest(), 1)


def test_an_honest_worker_ends_a_batch(job: Batch) -> None:
    looks: list[Progress] = []
    status, summary = supervise(job, Troupe(job, honest), workers=3, note=looks.append)
    assert status == 0
    assert summary is not None
    assert summary.pages == {"ok": 4}
    assert (looks[-1].done, looks[-1].pages, looks[-1].exact) == (4, 4, True)
    assert all(look.done <= look.pages for look in looks)


@pytest.mark.parametrize(("status", "lives"), [(-11, 2), (-6, 2), (-9, 4), (-15, 4)])
def test_a_page_is_given_up_after_so_many_deaths(room: Path, job: Batch, status: int, lives: int) -> None:
    """A crash of its own counts for more than a kill from outside, which the page may have no part in."""
    unit = unit_of(room, job, "2.png")
    troupe = Troupe(job, *[dying(unit, status=status)] * lives, honest)
    code, summary = supervise(job, troupe)
    assert code == 3
    assert summary is not None
    assert summary.pages == {"ok": 3, "failed": 1}
    assert [row["code"] for row in summary.bad] == ["worker_crash"]
    assert len(troupe.actors) == lives + 1


@pytest.mark.parametrize(("status", "lives"), [(-11, 1), (-9, 3)])
def test_fewer_deaths_cost_nothing(room: Path, job: Batch, status: int, lives: int) -> None:
    troupe = Troupe(job, *[dying(unit_of(room, job, "2.png"), status=status)] * lives, honest)
    code, summary = supervise(job, troupe)
    assert code == 0
    assert summary is not None
    assert summary.pages == {"ok": 4}


def test_deaths_of_an_earlier_run_are_forgotten(room: Path, job: Batch) -> None:
    unit = unit_of(room, job, "2.png")
    assert supervise(job, Troupe(job, *[dying(unit, status=-11)] * 2, honest))[0] == 3
    again = batch(room / "in", room / "out", retry_failed=True)
    assert supervise(again, Troupe(again, honest))[0] == 0


@pytest.mark.parametrize("kind", ["plan", "join"])
def test_a_document_that_kills_whoever_opens_or_writes_it_is_given_up(room: Path, job: Batch, kind: str) -> None:
    unit = document_unit(kind, "1.png")
    code, summary = supervise(job, Troupe(job, *[dying(unit, status=-11)] * 2, honest))
    assert summary is not None
    assert code == {"plan": 3, "join": 5}[kind]
    assert [(row["source"], row["code"]) for row in summary.bad] == [("1.png", "worker_crash")]


@pytest.mark.parametrize("status", [1, 2, 5, 6, 9])
def test_a_worker_that_says_nobody_can_go_on_ends_the_batch(job: Batch, status: int) -> None:
    troupe = Troupe(job, hanging("x"), dying(status=status))
    code, summary = supervise(job, troupe, workers=2)
    assert code == status
    assert summary is not None
    assert summary.exit_code == 3
    assert {row["status"] for row in summary.bad} == {"pending"}
    assert troupe.actors[0].asked  # the other was asked to stop, and killed when it did not
    assert troupe.actors[0].exitcode == -9
    assert len(troupe.actors) == 2


@pytest.mark.parametrize(("status", "lives"), [(-11, 3), (-9, 12)])
def test_workers_that_never_begin_end_the_batch(job: Batch, status: int, lives: int) -> None:
    troupe = Troupe(job, dying(status=status))
    with pytest.raises(ChildCrashed) as caught:
        supervise(job, troupe)
    assert caught.value.exit_code == 7
    assert len(troupe.actors) == lives


def test_a_page_over_its_time_is_failed_and_its_worker_replaced(room: Path, job: Batch) -> None:
    unit = unit_of(room, job, "3.png")
    code, summary = supervise(job, Troupe(job, hanging(unit), honest), page_seconds=0.1)
    assert code == 3
    assert summary is not None
    assert [(row["source"], row["code"]) for row in summary.bad] == [("3.png", "deadline")]


def test_of_several_pages_over_their_time_none_is_failed_at_once(room: Path, job: Batch) -> None:
    units = [unit_of(room, job, "2.png"), unit_of(room, job, "3.png")]

    def both(job: Batch, name: str) -> int:
        dying(*units, status=0)(job, name)
        time.sleep(30)
        return 0

    code, summary = supervise(job, Troupe(job, both, honest), page_seconds=0.05)
    assert code == 0
    assert summary is not None
    assert len(events(room / "out", "crash")) == 2


def test_a_disk_that_takes_not_even_the_summary(job: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = os.fsync, threading.Event()

    def fsync(handle: int) -> None:
        if full.is_set():
            raise OSError(28, "full")
        real(handle)

    def fill(job: Batch, name: str) -> int:
        full.set()
        return 5

    monkeypatch.setattr(os, "fsync", fsync)
    assert supervise(job, Troupe(job, fill)) == (5, None)


def test_a_summary_that_cannot_be_written_is_told_even_after_success(job: Batch) -> None:
    def block(job: Batch, name: str) -> int:
        honest(job, name)
        (job.out / "batch-summary.jsonl").mkdir()
        return 0

    assert supervise(job, Troupe(job, block)) == (5, None)


def test_what_the_dead_left_is_swept(room: Path, job: Batch) -> None:
    state = State(job.out)
    state.make()
    (state.scratch / "4-gone.0").write_bytes(b"half")
    here = Leases(state.leases, job.silence)
    here.acquire("worker-5-here")
    (state.scratch / "5-here.0").write_bytes(b"half")
    supervise(job, Troupe(job, honest))
    assert [path.name for path in state.scratch.iterdir()] == ["5-here.0"]


def test_settings_are_written_down(job: Batch) -> None:
    supervise(job, Troupe(job, honest))
    (file,) = (job.out / ".got-ocr-batch" / "settings").iterdir()
    assert file.stem == job.settings.digest
    assert json.loads(file.read_text())["task"]["mode"] == "plain"


class Clock:
    """Stand in for the clock of the progress."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_progress_counts_what_was_done_before_and_guesses_what_it_has_not_seen(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("got_ocr.batch.progress.time", clock)
    (room / "in").mkdir()
    for number in range(3):
        tiff(room / "in" / f"corrupt{number}.tif", 4, 10 * number)
    run_here(batch([str(room / "in" / "corrupt0.tif"), str(room / "in" / "corrupt1.tif")], room / "out"))
    job = batch(room / "in", room / "out")
    view = View(State(job.out), job)
    counter = Counter(job, view)
    view.refresh()
    assert counter.look() == Progress(0, 3, False, 0, 0.0, None)  # one page a document, as long as nothing is known

    state = State(job.out)
    logs = Logs(state.journal)
    list(logs.news())
    journal = Journal(state.journal, "other", logs)
    plans = [event for event in events(room / "out", "plan") if event["source"] == "corrupt0.tif"]
    tell_plan(journal, plans[0], "corrupt0.tif")
    view.refresh()
    assert counter.look() == Progress(4, 12, False, 2, 0.0, None)

    tell_plan(journal, plans[0], "corrupt2.tif", sha256="0" * 64)
    journal.append("start", u=page_unit(job.settings.digest, "0" * 64, 1))
    view.refresh()
    counter.look()
    clock.now += 4.0
    facts = {"rung": "", "checksum": "x", "seconds": 1.0}
    for number in (1, 2):
        journal.append("done", u=page_unit(job.settings.digest, "0" * 64, number), status="loop", **facts)
    view.refresh()
    assert counter.look() == Progress(6, 12, False, 4, 0.5, 12.0)


def tell_plan(journal: Journal, plan: dict, source: str, **changes: object) -> None:
    facts = {key: value for key, value in plan.items() if key not in ("e", "n", "source")}
    journal.append("plan", source=source, **{**facts, **changes})


def test_a_second_worker_believes_what_the_first_has_seen(
    room: Path, job: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document is hashed once a run, not once a worker."""
    (room / "in" / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    job = batch(room / "in", room / "out")
    seen: list[str] = []
    real = documents.plan

    def plan(entry: Entry, password: str | None = None) -> Plan:
        seen.append(entry.source)
        return real(entry, password)

    monkeypatch.setattr("got_ocr.batch.documents.plan", plan)
    run_here(job)
    run_here(job)
    assert sorted(seen) == ["0.png", "1.png", "2.png", "3.png", "broken.pdf"]
