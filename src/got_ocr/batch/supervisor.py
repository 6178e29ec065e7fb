"""Keep workers alive until a batch is finished: start, watch, replace, stop. Opens no picture and loads no model.

It learns how things stand from the journals alone, as every worker does, and so sees what other machines do as well. A
worker that dies takes one page with it, which is tried again; a page that takes several workers with it is given up.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from got_ocr.batch.files import Disk, told
from got_ocr.batch.job import Batch
from got_ocr.batch.journal import Journal
from got_ocr.batch.leases import Leases, presence
from got_ocr.batch.progress import Counter, Progress
from got_ocr.batch.state import State, document_unit, worker_name
from got_ocr.batch.summary import Summary, summarise
from got_ocr.batch.view import MOST_CRASHES, View
from got_ocr.errors import ChildCrashed, DeadlineExceeded, OutputError

_POLL = 0.2  # seconds
# Killed from outside, for whatever reason, counts less against a page than a crash of the worker's own.
_KILLED = frozenset({-1, -2, -9, -15, 130})
_OWN_CRASH = MOST_CRASHES // 2
_MOST_IDLE = 3  # workers that crash one after another without having begun anything; four times as many killed ones
_GRACE = 10.0  # seconds to stop in
# Exit statuses by which a worker says that no worker can go on; 1 is an error of our own outside of any page.
_FINAL = frozenset({1, 2, 4, 5, 6, 8, 9, 10, 11})


class Process(Protocol):
    """A started worker; `multiprocessing.Process` is one. exitcode: None while it runs, negative for a signal."""

    @property
    def exitcode(self) -> int | None:
        """Say how it ended."""

    def terminate(self) -> None:
        """Ask it to stop."""

    def kill(self) -> None:
        """Stop it."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""


Launch = Callable[[str, int], Process]


@dataclass(slots=True)
class _Seat:
    """A place for one worker. name: of who sits there. idle: weight of those who died there in a row with nothing begun."""

    number: int
    name: str = ""
    process: Process | None = None
    idle: int = 0


def supervise(
    batch: Batch,
    launch: Launch,
    *,
    workers: int = 1,
    note: Callable[[Progress], None] | None = None,
    page_seconds: float | None = None,
) -> tuple[int, Summary | None]:
    """Run a batch to its end with `workers` processes; give (exit status, summary; None where no file can be written).

    launch: starts worker `number` under a name. note: is shown the progress about five times a second. page_seconds: after
    which a page is given up and its worker replaced. The status is a worker's own where it found that none can go on.
    Raises OutputError before anything was begun, ChildCrashed when no worker lives long enough to begin.
    """
    with told("the output folder"):
        supervisor = _Supervisor(batch, launch, page_seconds)
        try:
            status = supervisor.run(workers, note or (lambda progress: None))
            return supervisor.finish(status)
        finally:
            supervisor.stop()


class _Supervisor:
    def __init__(self, batch: Batch, launch: Launch, page_seconds: float | None) -> None:
        self._batch, self._launch, self._page_seconds = batch, launch, page_seconds
        self._state, name = State(batch.out), worker_name()
        self._state.make()
        self._view = View(self._state, batch)
        self._view.refresh()
        self._journal = Journal(self._state.journal, name, self._view.logs)
        self._leases = Leases(self._state.leases, batch.silence)
        self._leases.acquire(presence(name))
        self._leases.start()
        self._disk = Disk(batch.out, self._state.scratch, name)
        self._state.describe(batch.settings, self._disk)
        self._seats: list[_Seat] = []

    def run(self, workers: int, note: Callable[[Progress], None]) -> int:
        """Watch until no worker is left that has something to do, or one says that none can go on."""
        self._sweep()
        counter = Counter(self._batch, self._view)
        self._seats = [_Seat(number) for number in range(workers)]
        for seat in self._seats:
            self._start(seat)
        while any(seat.process for seat in self._seats):
            time.sleep(_POLL)
            self._view.refresh()
            note(counter.look())
            for seat in self._seats:
                status = self._look(seat)
                if status:
                    return status
        return 0

    def finish(self, status: int) -> tuple[int, Summary | None]:
        """Stop whoever still works and sum up."""
        self._stop_workers()
        self._view.refresh()
        self._sweep()
        try:
            summary = summarise(self._batch, self._disk)
        except OutputError as error:
            return status or error.exit_code, None
        return status or summary.exit_code, summary

    def stop(self) -> None:
        """Leave nothing running and nothing held."""
        self._stop_workers()
        self._leases.stop()
        self._journal.close()

    def _start(self, seat: _Seat) -> None:
        seat.name = worker_name()
        seat.process = self._launch(seat.name, seat.number)

    def _look(self, seat: _Seat) -> int:
        """See to one worker; give the status that ends the batch, or 0."""
        if seat.process is None:
            return 0
        status = seat.process.exitcode
        if status is None:
            self._check_time(seat)
            return 0
        if status == 0 or status in _FINAL:
            seat.process = None
            return status
        self._bury(seat, status)
        self._start(seat)
        return 0

    def _bury(self, seat: _Seat, status: int) -> None:
        """Hold a death against what the worker was at."""
        self._view.refresh()
        begun = self._view.running.pop(seat.name, {})
        for unit in begun:
            weight = 1 if status in _KILLED else _OWN_CRASH
            self._journal.append("crash", durable=True, u=unit, worker=seat.name, weight=weight)
        seat.idle = 0 if begun else seat.idle + (1 if status in _KILLED else 4)
        if seat.idle >= 4 * _MOST_IDLE:
            raise ChildCrashed(f"workers died one after another before they began anything (status {status})")

    def _check_time(self, seat: _Seat) -> None:
        """Kill a worker whose page takes too long. Of several read together it is not known which: each gets a second try."""
        begun = self._view.running.get(seat.name, {})
        if self._page_seconds is None or not begun or seat.process is None:
            return
        if time.monotonic() - min(begun.values()) < self._page_seconds * len(begun):
            return
        seat.process.kill()
        seat.process.join(_GRACE)
        for unit in begun if len(begun) == 1 else ():
            message = f"the page took longer than {self._page_seconds:g} seconds"
            self._journal.append("failed", durable=True, u=unit, code=DeadlineExceeded.code, message=message)

    def _stop_workers(self) -> None:
        running = [seat.process for seat in self._seats if seat.process]
        for process in running:
            process.terminate()
        last = time.monotonic() + _GRACE
        for process in running:
            process.join(max(last - time.monotonic(), 0))
            if process.exitcode is None:
                process.kill()
                process.join(_GRACE)
        for seat in self._seats:
            seat.process = None

    def _sweep(self) -> None:
        """Remove what dead workers left: half-written files, leases of what is finished."""
        for path in sorted(self._state.scratch.iterdir()):
            if self._leases.is_given_up(presence(path.name.rpartition(".")[0])):
                path.unlink(missing_ok=True)
        joined = {document_unit("join", source) for source in self._view.joined}
        self._leases.sweep(joined | {unit for unit, told in self._view.pages.items() if told is not None})
        dead = {
            path.name.rpartition(".")[0] for path in self._state.leases.iterdir() if path.name.startswith("worker-")
        }
        self._leases.sweep(dead)
