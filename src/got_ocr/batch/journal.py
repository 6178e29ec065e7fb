"""The journal: what happened, one line an event, appended and never changed. It decides what is done; files do not.

Every worker appends to a file of its own, since appending to one file from several machines is safe on no network share. A
line carries its checksum: one that a kill or a power cut tore counts as never written. Knows no page and no picture.
"""

import json
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from got_ocr.batch.files import sync_folder, told
from got_ocr.errors import UsageError

VERSION = 1
_CACHED = 3.0  # seconds for which the length of a file elsewhere may be out of date
Event = dict[str, object]


class Journal:
    """Append events under the name of one worker.

    Each carries a number greater than that of every event its worker knew of, which tells what came last where one event
    was written because of another: no two machines agree on the time.
    """

    def __init__(self, folder: Path, name: str, logs: "Logs") -> None:
        self._logs = logs
        with told("the journal"):
            self._handle = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            sync_folder(folder)
        self.append("run", version=VERSION, pid=os.getpid(), time=int(time.time()))

    def append(self, kind: str, /, *, durable: bool = False, **facts: object) -> None:
        """Append one event; `durable` returns only when it is on the disk. Raises OutputError."""
        self._logs.latest += 1
        line = _line({"e": kind, "n": self._logs.latest, **facts})
        with told("the journal"):
            while line:
                line = line[os.write(self._handle, line) :]
            if durable:
                os.fsync(self._handle)

    def close(self) -> None:
        """Close the file; the journal stays."""
        os.close(self._handle)


@dataclass(frozen=True, slots=True)
class Told:
    """One event as read. number: see `Journal`. log: the worker's name. fresh: written since this run began."""

    kind: str
    number: int
    facts: Event
    log: str
    fresh: bool


class Logs:
    """Read every worker's journal, each from where it was left."""

    def __init__(self, folder: Path, since: dict[str, int] | None = None) -> None:
        self._folder = folder
        self._since = since or {}
        self._read: dict[str, int] = {}
        self._looked = -_CACHED
        self.latest = 0
        self.damaged = 0

    def news(self) -> Iterator[Told]:
        """Yield what was appended since the last call, a worker's events in their order."""
        # Network file systems may tell an old length until a file is opened, which is too dear to do each time for all.
        thorough = time.monotonic() - self._looked >= _CACHED
        self._looked = time.monotonic() if thorough else self._looked
        for name, length in sorted(lengths(self._folder).items()):
            if thorough or length > self._read.get(name, 0):
                yield from self._unread(name)

    def _unread(self, name: str) -> Iterator[Told]:
        at = self._read.get(name, 0)
        with (self._folder / name).open("rb") as file:
            file.seek(at)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # still being written, or torn for good
                fresh = at >= self._since.get(name, 0)
                at += len(line)
                yield from self._event(line, name.removesuffix(".log"), fresh)
        self._read[name] = at

    def _event(self, line: bytes, log: str, fresh: bool) -> Iterator[Told]:
        event = _parsed(line)
        if event is None:
            self.damaged += 1
            return
        if event["e"] == "run" and event.get("version") != VERSION:
            raise UsageError("the output folder was begun by another version of got-ocr: name another folder")
        number = event["n"]
        assert isinstance(number, int)  # noqa: S101  # the checksum held: we wrote it
        self.latest = max(self.latest, number)
        yield Told(str(event["e"]), number, event, log, fresh)


def lengths(folder: Path) -> dict[str, int]:
    """Give the length of every journal: what comes after it is this run's."""
    with os.scandir(folder) as entries:
        return {entry.name: entry.stat().st_size for entry in entries if entry.name.endswith(".log")}


def _line(event: Event) -> bytes:
    body = json.dumps(event, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _parsed(line: bytes) -> Event | None:
    """Read one line; None for a damaged one."""
    body = line[9:-1]
    if line[:9] != b"%08x " % zlib.crc32(body):
        return None
    event: Event = json.loads(body)
    return event
