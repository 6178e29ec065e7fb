"""`got-ocr read --server URL`: what a service reads, in the manners of `GotOcr`, so that the command need not know who reads.

Some pages of a document go in one request, and come back one by one. Knows no model and no output.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Protocol, cast

from got_ocr.client import Client
from got_ocr.errors import GotOcrError, RemoteError
from got_ocr.image import Source
from got_ocr.ocr import Job, Options, plan
from got_ocr.profiles import Profile
from got_ocr.reading import Reading
from got_ocr.task import Task

# Pages of one request: a document is sent again for the next ones, but no request runs for as long as a service allows.
PAGES_AT_ONCE = 5

Planned = tuple[str, int, Job | GotOcrError]


class Reads(Protocol):
    """What the command asks of whoever reads: a `GotOcr`, or a `Remote`."""

    notice: str

    def read_job(self, job: Job, options: Options) -> Reading:
        """Read one page (or several as one)."""

    def stream_job(self, job: Job, options: Options) -> Iterator[str | Reading]:
        """Read so, yielding pieces of text, then the Reading."""

    def read_jobs(
        self, planned: Iterable[Job | GotOcrError], options: Options, at_once: int
    ) -> Iterator[Reading | GotOcrError]:
        """Read many, some at once; give readings in their order, and errors in the places of those that failed."""


@dataclass(slots=True)
class _Run:
    """One request: the documents that it carries, their pages ("1-3,7"), and what has come back so far."""

    source: Source | list[Source]
    pages: str | None
    answer: Iterator[str | Reading | GotOcrError] | None = None
    failed: GotOcrError | None = None


@dataclass(frozen=True, slots=True)
class _Sent(Job):
    """A job with the request that it is part of."""

    run: _Run = field(default_factory=lambda: _Run([], None), repr=False, compare=False)


class Remote:
    """Read jobs by a service, in the order in which `plan` named them. Once it cannot be asked any more, every job fails."""

    def __init__(self, client: Client, profile: str, max_new_tokens: int | None) -> None:
        self.notice = ""
        self._client = client
        self._profile = profile
        self._most = max_new_tokens
        self._gone: RemoteError | None = None

    def plan(self, sources: Sequence[Source], task: Task, rules: Profile, chosen: str | None) -> Iterator[Planned]:
        """Name the jobs as `got_ocr.ocr.plan` does, put together as they are sent."""
        if task.multi_page:
            for source, page, job in plan(sources, task, rules, chosen):
                made = _Sent(job.pages, task, _Run(list(sources), chosen)) if isinstance(job, Job) else job
                yield source, page, made
            return
        for given in sources:
            for path, found in groupby(plan([given], task, rules, chosen), _path):
                while some := list(islice(found, PAGES_AT_ONCE)):
                    yield from _sent(some, given if path is None else path)

    def read_job(self, job: Job, options: Options) -> Reading:
        """Read one page (or several as one). Raises what reading here would raise, and RemoteError."""
        return next(piece for piece in self.stream_job(job, options) if isinstance(piece, Reading))

    def stream_job(self, job: Job, options: Options) -> Iterator[str | Reading]:
        """Read one page (or several as one), yielding pieces of text, then the Reading. Raises as `read_job` does."""
        run = cast(_Sent, job).run
        failed = self._gone or run.failed
        if failed is not None:
            raise failed
        for piece in self._answer(run, job.task):
            if isinstance(piece, GotOcrError):
                raise piece
            if isinstance(piece, Reading):
                yield replace(piece, source=job.pages[0].source)
                return
            yield piece
        raise RemoteError("the server read fewer pages than it was asked for")

    def read_jobs(
        self, planned: Iterable[Job | GotOcrError], options: Options, at_once: int
    ) -> Iterator[Reading | GotOcrError]:
        """Read one after another: how many at once is the service's own affair."""
        for job in planned:
            try:
                yield job if isinstance(job, GotOcrError) else self.read_job(job, options)
            except GotOcrError as error:
                yield error

    def _answer(self, run: _Run, task: Task) -> Iterator[str | Reading | GotOcrError]:
        """Go on with what a request gives; what fails all of it is kept for the pages to come."""
        if run.answer is None:
            run.answer = self._client.each(
                run.source, task=task, pages=run.pages, profile=self._profile, max_new_tokens=self._most
            )
        try:
            while (piece := next(run.answer, None)) is not None:
                yield piece
        except GotOcrError as error:
            run.failed = error
            self._gone = error if isinstance(error, RemoteError) else None
            raise


def _path(planned: Planned) -> Path | None:
    job = planned[2]
    return job.pages[0].path if isinstance(job, Job) else None


def _sent(some: Iterable[Planned], source: Source) -> Iterator[Planned]:
    """Put pages of one document into one request."""
    named = list(some)
    found = [job.pages[0] for _, _, job in named if isinstance(job, Job)]
    numbers = ",".join(str(page.number) for page in found) if found and found[0].of > 1 else None
    run = _Run(source, numbers)
    for name, page, job in named:
        yield name, page, _Sent(job.pages, job.task, run) if isinstance(job, Job) else job
