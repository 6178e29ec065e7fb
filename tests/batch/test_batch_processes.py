"""Workers as processes: killed at any moment, several at once, crashing, hanging, on a full disk, told to stop."""

import faulthandler
import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from batch_stand import HERE, batch, events, folder, main, outputs, picture, run_here

from got_ocr.batch import Settings

PLAIN = Settings(ladder=())


class Forked:
    """A program forked from here: it starts at once, since everything is loaded."""

    def __init__(self, source: Path, out: Path, how: dict) -> None:
        self.returncode: int | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other threads of ours hold no lock that the child needs
            self.pid = os.fork()
        if self.pid == 0:
            os._exit(self._run(source, out, how))

    def _run(self, source: Path, out: Path, how: dict) -> int:
        try:
            os.setsid()
            faulthandler.disable()
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            sys.stderr = open(how.get("errors", os.devnull), "a", buffering=1)  # noqa: SIM115
            return main(str(source), str(out), how)
        except BaseException:
            return 1

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        until = time.monotonic() + timeout
        while self.poll() is None:
            assert time.monotonic() < until, "a worker does not end"
            time.sleep(0.005)
        return "", ""


Program = subprocess.Popen[str] | Forked


def start(source: Path, out: Path, **how: object) -> Program:
    """Start a batch as a program of its own, in a process group of its own; `workers` 0 is one worker alone."""
    if how.get("workers") == 0 or how.get("forked"):
        return Forked(source, out, how)
    return subprocess.Popen(
        [sys.executable, str(HERE), str(source), str(out), json.dumps(how)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(*running: Program, seconds: float = 120) -> list[int | None]:
    """Wait for programs to end by themselves."""
    ended = [process.communicate(timeout=seconds) for process in running]
    codes = [process.returncode for process in running]
    assert all(code != 1 for code in codes), ended
    return codes


def kill(process: Program) -> None:
    """Kill a program with all its workers, as a power cut would."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended, or has not yet made its group
        os.kill(process.pid, signal.SIGKILL) if process.poll() is None else None
    process.communicate()


def is_alive(group: int) -> bool:
    """Say whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def read_log(log: Path) -> list[str]:
    return log.read_text("utf-8").splitlines() if log.exists() else []


def kill_often(source: Path, out: Path, kills: int, most: int, seed: int, **how: object) -> int:
    """Kill a batch `kills` times after random numbers of further pages, then let it end; give the kills that struck."""
    rng, struck, log = random.Random(seed), 0, Path(str(how["log"]))
    for _ in range(kills):
        process = start(source, out, **how)
        until = len(read_log(log)) + rng.randint(0, most)
        limit = time.monotonic() + 60
        while process.poll() is None and len(read_log(log)) < until and time.monotonic() < limit:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.02)
        struck += process.poll() is None
        kill(process)
    assert finish(start(source, out, **how)) == [0]
    return struck


def check_whole(source: Path, room: Path, out: Path, pages: int) -> None:
    """Hold the outputs of a broken run against those of an unbroken one."""
    unbroken = batch(source, room / "unbroken", settings=PLAIN)
    run_here(unbroken)
    made = outputs(out)
    made.pop("batch-summary.jsonl", None)
    assert made == outputs(room / "unbroken")
    done = Counter(str(event["u"]) for event in events(out, "done"))
    assert len(done) == pages
    assert max(done.values()) == 1
    records = list((out / ".got-ocr-batch" / "pages").rglob("*.json"))
    assert len(records) == pages


def check_tidy(out: Path) -> None:
    for name in ("scratch", "leases"):
        assert list((out / ".got-ocr-batch" / name).iterdir()) == []


def test_ten_kills_lose_nothing_and_do_nothing_twice(room: Path) -> None:
    source, out, log = folder(room / "in", 50), room / "out", room / "log"
    struck = kill_often(source, out, 10, 8, 1, workers=0, delay=0.003, log=str(log))
    assert struck >= 5
    check_whole(source, room, out, 50)
    assert len(read_log(log)) - 50 <= struck  # a page at most that was under way
    assert len(set(read_log(log))) == 50


def test_killed_supervisors_leave_no_worker_behind(room: Path) -> None:
    """The supervisor alone is killed: its workers notice, and the next run ends the batch and tidies up."""
    source, out, log = folder(room / "in", 20), room / "out", room / "log"
    process = start(source, out, workers=2, delay=0.1, log=str(log), forked=True)
    while len(read_log(log)) < 4:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    until = time.monotonic() + 10
    while is_alive(process.pid):
        assert time.monotonic() < until, "orphans go on"
        time.sleep(0.01)
    assert finish(start(source, out, workers=2, log=str(log), forked=True)) == [0]
    check_whole(source, room, out, 20)
    check_tidy(out)
    assert len(read_log(log)) - 20 <= 2


def test_two_workers_that_know_nothing_of_each_other_share_a_folder(room: Path) -> None:
    source, out = folder(room / "in", 30), room / "out"
    logs = [room / "log1", room / "log2"]
    codes = finish(*(start(source, out, workers=0, delay=0.03, log=str(log)) for log in logs))
    assert codes == [0, 0]
    check_whole(source, room, out, 30)
    read = [read_log(log) for log in logs]
    assert len(read[0]) + len(read[1]) == 30
    assert all(read)  # both had a part in it


def test_supervised_workers_share_the_work(room: Path) -> None:
    source, out, log = folder(room / "in", 30), room / "out", room / "log"
    process = start(source, out, workers=2, delay=0.03, log=str(log))
    stdout, _ = process.communicate(timeout=120)
    assert (process.returncode, json.loads(stdout)) == (0, {"ok": 30})
    check_whole(source, room, out, 30)
    check_tidy(out)
    assert len(read_log(log)) == 30


def test_a_page_that_kills_its_worker_fails_alone(room: Path) -> None:
    for number in range(6):
        picture(room / "in" / f"page{number}.png", number)
    picture(room / "in" / "crash.png", 100)
    log = room / "log"
    process = start(room / "in", room / "out", workers=1, log=str(log), group=3, forked=True)
    process.communicate(timeout=120)
    assert process.returncode == 3
    summary = {row["source"]: row for row in read_summary(room / "out")}
    assert (summary["crash.png"]["status"], summary["crash.png"]["code"]) == ("failed", "worker_crash")
    assert {row["status"] for name, row in summary.items() if name != "crash.png"} == {"ok"}
    assert read_log(log).count("crash.png 1") == 2


def test_a_page_that_hangs_is_given_up(room: Path) -> None:
    picture(room / "in" / "hang.png", 1)
    picture(room / "in" / "page.png", 2)
    process = start(room / "in", room / "out", workers=1, page_seconds=1.0, forked=True)
    process.communicate(timeout=120)
    assert process.returncode == 3
    summary = {row["source"]: (row["status"], row.get("code")) for row in read_summary(room / "out")}
    assert summary == {"hang.png": ("failed", "deadline"), "page.png": ("ok", None)}


def test_a_full_disk_stops_with_five_and_goes_on_later(room: Path) -> None:
    source, out = folder(room / "in", 20), room / "out"
    process = start(source, out, workers=2, most_bytes=1500, forked=True, errors=str(room / "errors"))
    process.communicate(timeout=120)
    assert process.returncode == 5
    stderr = (room / "errors").read_text()
    assert "output_failed" in stderr
    assert "Traceback" not in stderr
    assert finish(start(source, out, workers=2, forked=True)) == [0]
    made = outputs(out)
    made.pop("batch-summary.jsonl")
    run_here(batch(source, room / "unbroken", settings=PLAIN))
    assert made == outputs(room / "unbroken")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_gives_everything_back(room: Path, number: int) -> None:
    source, out, log = folder(room / "in", 20), room / "out", room / "log"
    process = start(source, out, workers=2, delay=0.2, log=str(log), forked=number == signal.SIGTERM)
    while len(read_log(log)) < 3:
        time.sleep(0.01)
    began = time.monotonic()
    os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(process.pid, number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    assert "Traceback" not in stderr
    check_tidy(out)
    assert finish(start(source, out, workers=2, log=str(log), forked=True)) == [0]
    assert len(read_log(log)) - 20 <= 2


def read_summary(out: Path) -> Sequence[dict]:
    return [json.loads(line) for line in (out / "batch-summary.jsonl").read_text("utf-8").splitlines()]
