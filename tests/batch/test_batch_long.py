"""The long set: a hundred kills, four processes, workers shot at random under their supervisor."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from batch_stand import folder
from test_batch_processes import check_tidy, check_whole, finish, kill_often, read_log, start

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("workers", [0, 4])
def test_a_hundred_kills_lose_nothing_and_do_nothing_twice(room: Path, workers: int) -> None:
    source, out, log = folder(room / "in", 200), room / "out", room / "log"
    struck = kill_often(source, out, 100, 6, 7 + workers, workers=workers, delay=0.01, log=str(log), forked=True)
    print(f"{struck} of 100 kills struck; {len(read_log(log)) - 200} readings more")
    assert struck >= 30
    check_whole(source, room, out, 200)
    assert len(read_log(log)) - 200 <= struck * max(workers, 1)
    assert len(set(read_log(log))) == 200


def test_four_processes_write_no_page_twice(room: Path) -> None:
    source, out = folder(room / "in", 200), room / "out"
    logs = [room / f"log{number}" for number in range(4)]
    assert finish(*(start(source, out, workers=0, delay=0.01, log=str(log)) for log in logs)) == [0] * 4
    check_whole(source, room, out, 200)
    assert sum(len(read_log(log)) for log in logs) == 200


def test_shot_workers_are_replaced(room: Path) -> None:
    """Each shot costs its worker's page one more reading; no page is given up for it."""
    source, out, log = folder(room / "in", 200), room / "out", room / "log"
    process, rng, shots, seen = start(source, out, workers=4, delay=0.05, log=str(log)), random.Random(3), 0, 0
    while process.poll() is None and shots < 50:
        time.sleep(rng.random() * 0.05)
        victims = [pid for pid in children(process.pid) if "spawn_main" in command(pid)]
        if victims and len(read_log(log)) > seen + 2:  # somebody reads: not all are still starting
            os.kill(rng.choice(victims), signal.SIGKILL)
            seen = len(read_log(log))
            shots += 1
    told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert shots >= 20
    check_whole(source, room, out, 200)
    check_tidy(out)
    print(f"{shots} workers shot; {len(read_log(log)) - 200} readings more")
    assert len(read_log(log)) - 200 <= shots


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
