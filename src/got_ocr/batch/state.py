"""The state folder inside the output folder: where journal, leases and page records lie, and what they are called."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from got_ocr.batch.files import Disk, make_folder, told
from got_ocr.batch.job import Settings
from got_ocr.batch.names import STATE

_TAIL = 16  # hexadecimal digits of a worker's random part


@dataclass(frozen=True, slots=True)
class State:
    """Paths below the output folder `out`."""

    out: Path

    @property
    def root(self) -> Path:
        """The state folder."""
        return self.out / STATE

    @property
    def journal(self) -> Path:
        """One file a worker, appended."""
        return self.root / "journal"

    @property
    def leases(self) -> Path:
        """One file a unit of work under way."""
        return self.root / "leases"

    @property
    def scratch(self) -> Path:
        """Files being written."""
        return self.root / "scratch"

    def record(self, unit: str) -> Path:
        """Give the file that a page's reading lies in."""
        settings, _, page = unit.partition("-")
        return self.root / "pages" / settings / page[:2] / f"{page[2:]}.json"

    def make(self) -> None:
        """Make the folders. Raises OutputError."""
        with told("the output folder"):
            for folder in (self.journal, self.leases, self.scratch):
                make_folder(folder)

    def describe(self, settings: Settings, disk: Disk) -> None:
        """Write settings down beside what is read under them. Raises OutputError."""
        body = json.dumps(settings.facts, sort_keys=True, indent=1).encode() + b"\n"
        disk.create(self.root / "settings" / f"{settings.digest}.json", body)

    @property
    def is_begun(self) -> bool:
        """Whether a run has been begun here."""
        return self.journal.is_dir() and any(self.journal.iterdir())


def worker_name() -> str:
    """Make up a name that no other worker has."""
    return f"{os.getpid()}-{os.urandom(_TAIL // 2).hex()}"


def page_unit(settings: str, sha256: str, page: int) -> str:
    """Name one page under some settings: by what it holds, not by what it is called."""
    return f"{settings}-{sha256}-{page:06d}"


def document_unit(kind: str, source: str) -> str:
    """Name a piece of work on a document (`plan`, `join`)."""
    return f"{kind}-{hashlib.sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
