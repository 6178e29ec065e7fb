"""Read claimed pages: decode, ask the engine, climb the ladder. Whatever fails, fails its own page. Writes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from got_ocr.batch import ladder
from got_ocr.batch.documents import Opened
from got_ocr.batch.engine import Engine, Seen
from got_ocr.batch.job import Settings
from got_ocr.batch.ladder import Rung
from got_ocr.batch.leases import Lease
from got_ocr.batch.records import Failure, Record, record
from got_ocr.batch.sources import Entry
from got_ocr.batch.view import Plan
from got_ocr.document import Page
from got_ocr.errors import GotOcrError, MissingDependency, ModelError, OutOfMemory, OutputError
from got_ocr.reading import Reading
from got_ocr.task import Task

T = TypeVar("T")

# With these no page can be read any more.
FATAL = (ModelError, MissingDependency, OutputError)


@dataclass(frozen=True, slots=True)
class Claim:
    """One page that this worker holds the lease of."""

    entry: Entry
    plan: Plan
    page: Page
    unit: str
    lease: Lease


class Reader:
    """Turn claims into records. The engine is made when the first page is read: a run with nothing to do loads no model."""

    def __init__(self, settings: Settings, opened: Opened, make: Callable[[], Engine]) -> None:
        self._settings = settings
        self._opened = opened
        self._make = make
        self._engine: Engine | None = None

    def prepare(self) -> Engine:
        """Make the engine, unless that has been done. Raises what opening a model raises; ModelError for unreadable files."""
        if self._engine is None:
            try:
                self._engine = self._make()
            except OSError as error:
                raise ModelError(f"the model cannot be opened (system error {error.errno})") from None
        return self._engine

    def read(self, claims: Sequence[Claim]) -> list[Record | Failure]:
        """Read pages side by side; one answer for each. Raises what FATAL lists, and whatever making the engine raises."""
        seen = [guarded(lambda claim=claim: Seen(claim.page, claim.page.load())) for claim in claims]  # type: ignore[misc]
        asked = [one for one in seen if isinstance(one, Seen)]
        readings = iter(self._readings(asked, self._settings.task))
        return [
            one if isinstance(one, Failure) else self._record(claim, one, next(readings))
            for claim, one in zip(claims, seen, strict=True)
        ]

    def _readings(self, seen: Sequence[Seen], task: Task) -> list[Reading | Failure]:
        """Ask the engine; where it fails with several pages, ask it for each."""
        if not seen:
            return []
        engine = self.prepare()
        answers = guarded(lambda: list(engine(seen, task)))
        if not isinstance(answers, Failure):
            return list(answers)
        if len(seen) == 1:
            return [answers]
        return [answer for one in seen for answer in self._readings([one], task)]

    def _record(self, claim: Claim, seen: Seen, first: Reading | Failure) -> Record | Failure:
        if isinstance(first, Failure):
            return first
        settings, is_pdf = self._settings, claim.plan.kind == "PDF"
        reads = self.prepare().reads
        rungs = ladder.rungs(settings.ladder, settings.task, reads=reads, is_pdf=is_pdf, dpi=settings.dpi)
        reading, rung, tried = ladder.climb(first, lambda rung: self._attempt(claim, seen, rung), rungs)
        return record(reading, seen.picture.notices, rung, tried)

    def _attempt(self, claim: Claim, seen: Seen, rung: Rung) -> Reading | Failure:
        def again() -> Seen:
            page = seen.page if rung.dpi is None else self._opened.again(claim.entry, seen.page.number, rung.dpi)
            picture = seen.picture if rung.dpi is None else page.load()
            return Seen(page, ladder.turned(picture, rung.turn))

        seen_again = guarded(again)
        return seen_again if isinstance(seen_again, Failure) else self._readings([seen_again], rung.task)[0]


def failure(error: Exception) -> Failure:
    """Put an error into our words; a library's own are never passed on."""
    if isinstance(error, GotOcrError):
        return Failure(error.code, str(error))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's own
        return Failure(OutOfMemory.code, "the page needs more memory than there is")
    return Failure(GotOcrError.code, f"an unexpected failure of kind {type(error).__name__}")


def guarded(step: Callable[[], T]) -> T | Failure:
    """Give what a step gives, or why it failed; what FATAL lists passes."""
    try:
        return step()
    except FATAL:
        raise
    except Exception as error:  # one page must never take the others with it
        return failure(error)
