"""Who works on what: a lease is a file that one worker alone can create, kept fresh while it lives. Knows no page.

Each lease carries a fencing number. A worker that finds the lease of a dead one does not remove it: it creates the file of
the next number, which again one alone can do, and from then on the older number is void. Silence is measured by the clock
of whoever waits, so that machines need not agree on the time; on one Linux machine a dead process is known at once.
"""

import errno
import json
import os
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from got_ocr.batch.files import told

BEATS = 4  # renewals within the silence after which a lease counts as given up


@dataclass(slots=True)
class Lease:
    """One unit of work that is ours. number: of the fence, greater than that of every earlier holder."""

    unit: str
    number: int
    path: Path
    lost: bool = False


@dataclass(slots=True)
class Leases:
    """Take, keep and give back leases in `folder`.

    silence: seconds without a sign of life after which another worker may take over. Renewal runs in a thread of its own
    between `start` and `stop`.
    """

    folder: Path
    silence: float
    _held: dict[str, Lease] = field(default_factory=dict)
    _seen: dict[Path, tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to renew what is held."""
        self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End renewing and give everything back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for lease in list(self._held.values()):
            self.release(lease)

    def acquire(self, unit: str) -> Lease | None:
        """Take a unit of work; None while another worker holds it."""
        number = 1
        while True:
            path = self._path(unit, number)
            if self._create(path):
                if not self._path(unit, number + 1).exists():
                    break
                path.unlink(missing_ok=True)  # its holder has just gone, or was overtaken before: look further up
            elif not self._is_silent(path):
                return None
            number += 1
        lease = Lease(unit, number, path)
        with self._lock:
            self._held[unit] = lease
        return lease

    def is_held(self, lease: Lease) -> bool:
        """Ask the folder whether a lease still stands: nobody has overtaken it."""
        standing = lease.path.exists() and not self._path(lease.unit, lease.number + 1).exists()
        lease.lost = lease.lost or not standing
        return not lease.lost

    def release(self, lease: Lease) -> None:
        """Give a lease back. One that was overtaken is left alone: its files belong to the overtaker."""
        with self._lock:
            self._held.pop(lease.unit, None)
        if self.is_held(lease):
            # The highest first: without it the next one down still looks taken, and silent, to everyone.
            for number in range(lease.number, 0, -1):
                self._path(lease.unit, number).unlink(missing_ok=True)

    def is_given_up(self, unit: str) -> bool:
        """Say whether nobody holds a unit any more; a holder elsewhere has to be watched for `silence` seconds first."""
        number = 1
        while (path := self._path(unit, number)).exists():
            if not self._is_silent(path):
                return False
            number += 1
        return True

    def sweep(self, finished: Collection[str]) -> None:
        """Remove what dead workers left of units that nobody will ask for again."""
        for path in sorted(self.folder.iterdir()):
            if path.name.rpartition(".")[0] in finished and self._is_silent(path):
                path.unlink(missing_ok=True)

    def _path(self, unit: str, number: int) -> Path:
        return self.folder / f"{unit}.{number}"

    def _create(self, path: Path) -> bool:
        with told("a lease"):
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                return False
            try:
                os.write(handle, _holder(os.getpid()))
            finally:
                os.close(handle)
        return True

    def _is_silent(self, path: Path) -> bool:
        """Say whether a lease is given up: its process is known to be dead, or it was not renewed for too long."""
        try:
            with path.open("rb") as file:
                beat, body = os.fstat(file.fileno()).st_mtime_ns, file.read(1000)
        except OSError:
            return False  # given back this moment
        if _is_dead(body):
            return True
        now = time.monotonic()
        known, since = self._seen.get(path, (None, now))
        if known != beat:
            self._seen[path] = (beat, now)
            return False
        return now - since >= self.silence

    def _beat(self) -> None:
        while not self._stop.wait(self.silence / BEATS):
            with self._lock:
                held = list(self._held.values())
            for lease in held:
                self._renew(lease)

    def _renew(self, lease: Lease) -> None:
        try:
            if self.is_held(lease):
                os.utime(lease.path)
        except OSError as error:
            lease.lost = lease.lost or error.errno == errno.ENOENT


def presence(worker: str) -> str:
    """Name the unit that a worker holds as long as it lives."""
    return f"worker-{worker}"


@lru_cache(maxsize=1)
def _place() -> str:
    """Name where process numbers mean the same: this boot of this machine, this container. Empty where that is unknown."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    return ""


def _born(pid: int) -> str:
    """Give the tick in which a process began, "" when there is none; process numbers are used again, ticks are not."""
    with suppress(OSError, IndexError):
        facts = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if facts[0] in "ZX" else facts[19]
    return ""


@lru_cache(maxsize=1)
def _holder(pid: int) -> bytes:
    return json.dumps({"place": _place(), "pid": pid, "born": _born(pid)}).encode("ascii")


def _is_dead(body: bytes) -> bool:
    """Say whether the process that wrote `body` is known to be gone; False where that cannot be known."""
    try:
        holder = json.loads(body)
        place, pid, born = holder["place"], holder["pid"], holder["born"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(place) and place == _place() and isinstance(pid, int) and _born(pid) != born
