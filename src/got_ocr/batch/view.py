"""What a worker knows: the journals of all workers, read into tables. Nothing here is remembered anywhere else."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from got_ocr.batch.job import Batch
from got_ocr.batch.journal import Logs, Told
from got_ocr.batch.records import Failure
from got_ocr.batch.state import State

# A worker may be killed by hand or for the memory that the machine lacks: such deaths weigh less than a crash of its own.
MOST_CRASHES = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """A document as it was found. kind: by its bytes, as `formats.sniff` names it. count: of all its pages."""

    source: str
    size: int
    mtime_ns: int
    sha256: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Done:
    """A page that has its record. checksum: of the record. rung: of the ladder that it was read on, "" for none."""

    status: str
    checksum: str
    rung: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A document whose outputs are written, or withheld when `files` is empty. key: of all that they were made from."""

    key: str
    files: tuple[str, ...]


class View:
    """Tables of a batch; `refresh` brings them up to date.

    pages: what became of each page unit, None for one that is to be read again. plans, unreadable, unwritten, crashes: of this
    run alone, by source (crashes: by unit). fresh: the status of what was read in this run. running: what each worker has begun
    and not ended, with the time when that was seen.
    """

    def __init__(self, state: State, batch: Batch) -> None:
        self.logs = Logs(state.journal, batch.since)
        self.pages: dict[str, Done | Failure | None] = {}
        self.plans: dict[str, Plan] = {}
        self.unreadable: dict[str, Failure] = {}
        self.unwritten: dict[str, Failure] = {}
        self.joined: dict[str, Joined] = {}
        self.ours: set[str] = set()
        self.crashes: Counter[str] = Counter()
        self.running: dict[str, dict[str, float]] = {}
        self.fresh: dict[str, str] = {}
        self._retry_failed = batch.retry_failed
        self._numbers: dict[str, int] = {}
        self._steps: dict[str, Callable[[Told], None]] = {
            "start": self._start,
            "left": lambda told: None,
            "plan": self._plan,
            "unreadable": self._unreadable,
            "done": self._done,
            "failed": self._failed,
            "lost": self._lost,
            "crash": self._crash,
            "joining": self._joining,
            "joined": self._joined,
            "doubt": self._doubt,
            "unwritten": self._unwritten,
        }

    def refresh(self) -> None:
        """Read what the journals have gained. Raises UsageError for a journal of another version."""
        for told in self.logs.news():
            step = self._steps.get(told.kind)
            if step is None:
                continue
            if told.kind not in ("start", "crash", "joining"):
                self.running.get(told.log, {}).pop(str(told.facts.get("u")), None)
            step(told)

    def is_final(self, unit: str) -> bool:
        """Say whether a page needs no further reading in this run."""
        return self.pages.get(unit) is not None

    def is_given_up(self, unit: str) -> bool:
        """Say whether a unit has cost too many workers their lives."""
        return self.crashes[unit] >= MOST_CRASHES

    def _is_newer(self, name: str, told: Told) -> bool:
        if told.number < self._numbers.get(name, 0):
            return False
        self._numbers[name] = told.number
        return True

    def _start(self, told: Told) -> None:
        self.running.setdefault(told.log, {})[str(told.facts["u"])] = time.monotonic()

    def _plan(self, told: Told) -> None:
        if told.fresh:
            source, kind, sha256 = (str(told.facts[name]) for name in ("source", "kind", "sha256"))
            size, mtime_ns, count = (_whole(told.facts[name]) for name in ("size", "mtime_ns", "count"))
            self.plans[source] = Plan(source, size, mtime_ns, sha256, kind, count)

    def _unreadable(self, told: Told) -> None:
        if told.fresh:
            self.unreadable[str(told.facts["source"])] = _failure(told)

    def _done(self, told: Told) -> None:
        unit = str(told.facts["u"])
        if told.fresh:
            self.fresh[unit] = str(told.facts["status"])
        if self._is_newer(unit, told):
            self.pages[unit] = Done(*(str(told.facts[name]) for name in ("status", "checksum", "rung")))

    def _failed(self, told: Told) -> None:
        unit = str(told.facts["u"])
        if told.fresh:
            self.fresh[unit] = "failed"
        if self._is_newer(unit, told):
            self.pages[unit] = None if self._retry_failed and not told.fresh else _failure(told)

    def _lost(self, told: Told) -> None:
        unit = str(told.facts["u"])
        if self._is_newer(unit, told):
            self.pages[unit] = None

    def _crash(self, told: Told) -> None:
        if told.fresh:
            self.crashes[str(told.facts["u"])] += _whole(told.facts["weight"])
            self.running.get(str(told.facts["worker"]), {}).pop(str(told.facts["u"]), None)

    def _joining(self, told: Told) -> None:
        self.ours |= set(_texts(told.facts["files"]))

    def _joined(self, told: Told) -> None:
        source = str(told.facts["source"])
        if self._is_newer(f"joined/{source}", told):
            self.joined[source] = Joined(str(told.facts["key"]), _texts(told.facts["files"]))

    def _doubt(self, told: Told) -> None:
        source = str(told.facts["source"])
        if self._is_newer(f"joined/{source}", told):
            self.joined.pop(source, None)

    def _unwritten(self, told: Told) -> None:
        if told.fresh:
            self.unwritten[str(told.facts["source"])] = _failure(told)


def _failure(told: Told) -> Failure:
    return Failure(str(told.facts["code"]), str(told.facts["message"]))


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101  # the line's checksum held: we wrote it
    return value


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, list)  # noqa: S101  # the line's checksum held: we wrote it
    return tuple(str(item) for item in value)
