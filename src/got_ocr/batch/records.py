"""The record of one page: what was read and how, as the bytes of a file that prove themselves whole."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from got_ocr.reading import Reading

OK = ("ok", "empty")  # a blank page is read rightly as nothing


@dataclass(frozen=True, slots=True)
class Record:
    """A page's reading, without its name, so that the same page elsewhere is not read again, and without times.

    status: as of `Reading`. rung: of the ladder that gave it, "" for the first reading. tried: (rung, status) of every attempt.
    """

    text: str
    status: str
    tokens: int
    model: str
    notices: tuple[str, ...] = ()
    rung: str = ""
    tried: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that was not read, and why."""

    code: str
    message: str

    @property
    def status(self) -> str:
        """The word that stands where a record has its own."""
        return "failed"


def record(reading: Reading, notices: tuple[str, ...], rung: str, tried: list[tuple[str, str]]) -> Record:
    """Make the record of a reading; letters that no file can hold become question marks."""
    text = reading.text.encode("utf-8", "replace").decode("utf-8")
    every = dict.fromkeys((*notices, *reading.notices))
    return Record(text, reading.status, reading.tokens, reading.model, tuple(every), rung, tuple(tried))


def to_bytes(made: Record) -> bytes:
    """Write a record: its checksum on the first line, then JSON."""
    body = json.dumps(asdict(made), ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8") + b"\n"
    return hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body


def digest(data: bytes) -> str:
    """Give the checksum that a record's bytes carry."""
    return data[:64].decode("ascii", "replace")


def read(path: Path) -> tuple[Record, str] | None:
    """Read (record, checksum); None where there is none or where it is not whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode("ascii") != head:
        return None
    try:
        facts = json.loads(body)
        facts["notices"] = tuple(facts["notices"])
        facts["tried"] = tuple((rung, status) for rung, status in facts["tried"])
        return Record(**facts), digest(data)
    except (KeyError, TypeError):  # whole, but of another version's making
        return None
