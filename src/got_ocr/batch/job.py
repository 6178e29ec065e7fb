"""What a batch is: its documents, its settings, its outputs. Frozen values that travel to every worker."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from got_ocr.batch.sources import Entry
from got_ocr.document import parse_pages
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

FORMATS = ("txt", "md", "gfm", "html", "json", "pdf")
RUNGS = ("crop", "dpi", "turn")
_MOST_PAGES = 100_000  # that a range may name


@dataclass(frozen=True, slots=True)
class Settings:
    """All that changes what is read from a page; a page is read again when any of it changes.

    model: names the weights (a checksum of them). dpi: of PDF pages, 200 at most when None. ladder: what is tried on a page
    that ran in circles or was cut off, out of crop, dpi, turn.
    """

    task: Task = field(default_factory=Task)
    profile: str = "safe"
    model: str = ""
    dtype: str = "auto"
    max_new_tokens: int = 4096
    dpi: float | None = None
    ladder: tuple[str, ...] = RUNGS
    reference: bool = False  # decode pictures as other ports do

    def __post_init__(self) -> None:
        wrong = [name for name in self.ladder if name not in RUNGS]
        if wrong:
            raise InvalidValue(f"the ladder is made of {', '.join(RUNGS)}; not {wrong[0][:20]!r}")

    @property
    def facts(self) -> dict[str, object]:
        """The settings as they are hashed and written down."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Name these settings in twelve hexadecimal digits."""
        return _digest(self)


@dataclass(frozen=True, slots=True)
class Batch:
    """One run over a list of documents.

    formats: of the outputs, out of FORMATS. chosen: pages of each document that are read, such as "1-3,7"; those that a
    document does not have are passed over. group: pages read side by side. retry_failed: read pages again that an earlier
    run failed on. most_errors: share of pages not ok above which a document's outputs are withheld. replace_text: in a
    searchable PDF draw pages anew that have text, instead of leaving them. silence: seconds without a sign of life after
    which a worker's page goes to another. since: lengths of the journals when the run began. password: of PDFs that need one;
    it is written nowhere.
    """

    entries: tuple[Entry, ...]
    out: Path
    settings: Settings = field(default_factory=Settings)
    formats: tuple[str, ...] = ("txt",)
    chosen: str | None = None
    group: int = 1
    retry_failed: bool = False
    most_errors: float = 1.0
    replace_text: bool = False
    silence: float = 20.0
    since: dict[str, int] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        wrong = [name for name in self.formats if name not in FORMATS]
        if wrong or not self.formats:
            raise InvalidValue(f"an output is one of {', '.join(FORMATS)}")
        if not 0 <= self.most_errors <= 1:
            raise InvalidValue("the share of pages that may fail lies between 0 and 1")
        if not 0.1 <= self.silence <= 3600:
            raise InvalidValue("the seconds of a lease lie between 0.1 and 3600")
        if not 1 <= self.group <= 1024:
            raise InvalidValue("pages read side by side are between 1 and 1024")
        if self.chosen is not None:
            _chosen(self.chosen)

    def numbers(self, count: int) -> tuple[int, ...]:
        """Give the page numbers to read of a document with `count` pages."""
        if self.chosen is None:
            return tuple(range(1, count + 1))
        return tuple(sorted(n for n in _chosen(self.chosen) if n <= count))


@lru_cache(maxsize=8)
def _digest(settings: Settings) -> str:
    return hashlib.sha256(json.dumps(settings.facts, sort_keys=True).encode()).hexdigest()[:12]


@lru_cache(maxsize=8)
def _chosen(text: str) -> frozenset[int]:
    return frozenset(parse_pages(text, _MOST_PAGES))
