"""A document as it lies there: its size and time, its checksum, its pages. Notices when it changes under the reader."""

import hashlib
import os
import stat
from dataclasses import dataclass

from got_ocr import document, formats
from got_ocr.batch.job import Batch
from got_ocr.batch.sources import Entry
from got_ocr.batch.view import Plan
from got_ocr.document import Page
from got_ocr.errors import InputChanged, InputNotFound
from got_ocr.image import display_name

_BLOCK = 1 << 20
_HEAD = 1024  # bytes; a PDF may carry that much before its first line


def plan(entry: Entry, password: str | None = None) -> Plan:
    """Hash a document and count its pages. Raises InputError classes; InputChanged where it changed meanwhile."""
    before = stamp(entry)
    sha256, head = _hashed(entry)
    kind = formats.sniff(head) or ""
    count = document.count(entry.path, password=password)
    if stamp(entry) != before:
        raise InputChanged("the file changed while it was read: it is taken up when it stays the same")
    return Plan(entry.source, *before, sha256, kind, count)


def stamp(entry: Entry) -> tuple[int, int]:
    """Give (size, time of change) of the file. Raises InputNotFound."""
    try:
        facts = os.stat(entry.path)
    except (OSError, ValueError):
        raise _missing(entry) from None
    return facts.st_size, facts.st_mtime_ns


def is_same(entry: Entry, made: Plan) -> bool:
    """Say whether a document is still as it was planned."""
    try:
        return stamp(entry) == (made.size, made.mtime_ns)
    except InputNotFound:
        return False


@dataclass(slots=True)
class Opened:
    """Keep the pages of the document that was opened last: they are asked for one after another."""

    batch: Batch
    _source: str = ""
    _sha256: str = ""
    _pages: tuple[Page, ...] = ()

    def page(self, entry: Entry, made: Plan, number: int) -> Page:
        """Name one page, not decoded yet. Raises InputError classes; InputChanged for a document with fewer pages by now."""
        if (self._source, self._sha256) != (entry.source, made.sha256):
            self._pages = self._named(entry, None, self.batch.settings.dpi)
            self._source, self._sha256 = entry.source, made.sha256
        if number > len(self._pages):
            raise InputChanged("the document has fewer pages than a moment ago")
        return self._pages[number - 1]

    def again(self, entry: Entry, number: int, dpi: float) -> Page:
        """Name one page of a PDF at another resolution."""
        return self._named(entry, str(number), dpi)[0]

    def _named(self, entry: Entry, pages: str | None, dpi: float | None) -> tuple[Page, ...]:
        batch = self.batch
        found = document.pages(
            entry.path, pages=pages, dpi=dpi, password=batch.password, reference=batch.settings.reference
        )
        return tuple(found)


def _hashed(entry: Entry) -> tuple[str, bytes]:
    """Give (sha256, first bytes) of a file. A pipe that took its place meanwhile is not waited for."""
    total, head = hashlib.sha256(), b""
    try:
        handle = os.open(entry.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise _missing(entry)
            while block := file.read(_BLOCK):
                head = head or block[:_HEAD]
                total.update(block)
    except (OSError, ValueError):
        raise _missing(entry) from None
    return total.hexdigest(), head


def _missing(entry: Entry) -> InputNotFound:
    return InputNotFound(f"no such file, or not readable: {display_name(entry.source)}")
