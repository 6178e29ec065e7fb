"""Leases: one holder at a time, taken over in time and not before, and an overtaken holder knows it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from got_ocr.batch import leases as room_of_leases
from got_ocr.batch.leases import Lease, Leases

SILENCE = 1.0


def waited(step: Callable[[], Lease | None], most: float = 10.0) -> tuple[Lease, float]:
    """Try until it succeeds; give what came and how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < most:
        found = step()
        if found is not None:
            return found, time.monotonic() - began
        time.sleep(SILENCE / 8)
    raise AssertionError("never taken over")


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make holders unknown, as those of another machine are: only silence can tell."""
    monkeypatch.setattr(room_of_leases, "_is_dead", lambda body: False)


def test_one_unit_has_one_holder(room: Path) -> None:
    one, two = Leases(room, SILENCE), Leases(room, SILENCE)
    lease = one.acquire("page")
    assert lease is not None
    assert two.acquire("page") is None
    assert one.acquire("page") is None  # not even the same worker twice
    assert two.acquire("other") is not None
    one.release(lease)
    assert two.acquire("page") is not None


def test_a_renewed_lease_is_kept_however_long(room: Path, foreign: None) -> None:
    one, two = Leases(room, SILENCE), Leases(room, SILENCE)
    lease = one.acquire("page")
    one.start()
    until = time.monotonic() + 3 * SILENCE
    while time.monotonic() < until:
        assert two.acquire("page") is None
        time.sleep(SILENCE / 8)
    assert lease is not None
    assert one.is_held(lease)
    one.stop()
    assert two.acquire("page") is not None


def test_a_silent_holder_is_overtaken_within_two_heartbeats_and_fenced(room: Path, foreign: None) -> None:
    one, two, three = (Leases(room, SILENCE) for _ in range(3))
    lost = one.acquire("page")
    assert lost is not None
    taken, seconds = waited(lambda: two.acquire("page"))
    assert SILENCE <= seconds <= 2 * SILENCE
    assert taken.number > lost.number
    assert not one.is_held(lost)
    assert two.is_held(taken)
    one.release(lost)  # must not take away what is another's now
    assert two.is_held(taken)
    assert three.acquire("page") is None
    two.release(taken)
    assert list(room.iterdir()) == []
    assert not one.is_held(lost)  # not even when nobody holds it any more
    assert three.acquire("page") is not None


def test_a_holder_that_comes_back_after_the_silence_has_lost(room: Path, foreign: None) -> None:
    one, two = Leases(room, SILENCE), Leases(room, SILENCE)
    lost = one.acquire("page")
    taken, _ = waited(lambda: two.acquire("page"))
    one.start()  # its thread was asleep with the machine, and wakes
    time.sleep(SILENCE)
    assert lost is not None
    assert lost.lost
    assert two.is_held(taken)
    one.stop()
    assert two.is_held(taken)


def test_a_dead_process_of_this_machine_is_known_at_once(room: Path) -> None:
    if not room_of_leases._place():
        pytest.skip("needs /proc")
    code = f"from pathlib import Path; from got_ocr.batch.leases import Leases; Leases(Path({str(room)!r}), 60).acquire('page')"
    subprocess.run([sys.executable, "-c", code], check=True)
    began = time.monotonic()
    lease = Leases(room, 60).acquire("page")
    assert lease is not None
    assert lease.number == 2
    assert time.monotonic() - began < 1


def test_a_process_number_used_again_is_not_taken_for_its_holder(room: Path) -> None:
    if not room_of_leases._place():
        pytest.skip("needs /proc")
    holder = {"place": room_of_leases._place(), "pid": os.getpid(), "born": "1"}
    assert room_of_leases._is_dead(json.dumps(holder).encode())
    holder["born"] = room_of_leases._born(os.getpid())
    assert not room_of_leases._is_dead(json.dumps(holder).encode())
    holder["place"] = "another machine"
    holder["born"] = "1"
    assert not room_of_leases._is_dead(json.dumps(holder).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"place": 1, "pid": "x", "born": 2}', b"\xff"])
def test_a_lease_that_says_nothing_is_judged_by_its_silence(body: bytes) -> None:
    assert not room_of_leases._is_dead(body)


def test_of_many_that_would_overtake_one_does(room: Path, foreign: None) -> None:
    """Twenty waiters see the same silence at the same moment, ten times over."""
    for turn in range(10):
        Leases(room, SILENCE).acquire(f"page{turn}")
    waiters = [Leases(room, 0.05) for _ in range(20)]
    for turn in range(10):
        for waiter in waiters:
            assert waiter.acquire(f"page{turn}") is None
    time.sleep(0.1)
    taken: list[tuple[int, Lease]] = []
    gate = threading.Barrier(len(waiters))

    def race(number: int) -> None:
        for turn in range(10):
            gate.wait()
            lease = waiters[number].acquire(f"page{turn}")
            taken.extend([(number, lease)] if lease else [])

    threads = [threading.Thread(target=race, args=(number,)) for number in range(len(waiters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lease.unit for _, lease in taken) == [f"page{turn}" for turn in range(10)]
    assert all(waiters[number].is_held(lease) for number, lease in taken)


def test_a_low_number_given_back_late_makes_no_second_holder(room: Path, foreign: None) -> None:
    """The holder of the second number gives back in the middle of another's look: the first number is free, it is not."""
    one, two = Leases(room, SILENCE), Leases(room, SILENCE)
    one.acquire("page")
    taken, _ = waited(lambda: two.acquire("page"))
    (room / "page.1").unlink()
    assert Leases(room, SILENCE).acquire("page") is None
    assert two.is_held(taken)
    assert [path.name for path in room.iterdir()] == ["page.2"]


def test_sweeping_takes_the_dead_of_finished_units_alone(room: Path) -> None:
    if not room_of_leases._place():
        pytest.skip("needs /proc")
    code = (
        "from pathlib import Path; from got_ocr.batch.leases import Leases\n"
        f"leases = Leases(Path({str(room)!r}), 60)\nleases.acquire('done'), leases.acquire('open')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    here = Leases(room, 60)
    here.acquire("held")
    here.sweep({"done", "held"})
    assert sorted(path.name for path in room.iterdir()) == ["held.1", "open.1"]
    assert not here.is_given_up("held")
    assert here.is_given_up("open")
    assert here.is_given_up("never heard of")
