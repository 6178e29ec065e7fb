"""What readings to make: sources -> pages -> jobs, named before any of them is decoded. Knows no model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from got_ocr import document
from got_ocr.document import Page
from got_ocr.errors import GotOcrError, InputError, InvalidValue
from got_ocr.image import Source, display_name
from got_ocr.profiles import Profile
from got_ocr.reading import Reading
from got_ocr.task import Task


@dataclass(frozen=True, slots=True)
class Job:
    """One reading to make: the pages that it reads as one (decoded when it is read), and what is asked of them."""

    pages: tuple[Page, ...]
    task: Task


def jobs(source: Source | Sequence[Source], task: Task, rules: Profile, chosen: str | None) -> list[Job]:
    """Turn a source into the readings to make: one a page, or one in all under `multi_page`. Raises InputError classes."""
    several = isinstance(source, list | tuple)
    if several and not task.multi_page:
        raise InvalidValue("a list of pictures is one text only with multi_page; use read_many to read each by itself")
    sources = cast(Sequence[Source], source) if several else [cast(Source, source)]
    if not sources:
        raise InvalidValue("the list of pictures is empty")
    made: list[Job] = []
    for _, _, job in plan(sources, task, rules, chosen):
        if isinstance(job, GotOcrError):
            raise job
        made.append(job)
    return made


def plan(
    sources: Sequence[Source], task: Task, rules: Profile, chosen: str | None
) -> Iterator[tuple[str, int, Job | GotOcrError]]:
    """Name (source, page, reading to make) in order; a source that cannot be opened stands there as its error.

    Under `multi_page` all pages of all sources are one reading, and one that cannot be opened fails it.
    """
    every: list[Page] = []
    for source in sources:
        try:
            named = document.pages(source, pages=chosen, reference=rules.ports_pixels)
        except InputError as error:
            yield _name(source), 1, error
            if task.multi_page:
                return
            continue
        if task.multi_page:
            every += named
        else:
            yield from ((page.source, page.number, Job((page,), task)) for page in named)
    if every:
        yield every[0].source, every[0].number, Job(tuple(every), task)


def _name(source: Source) -> str:
    """Name a source as its pages would, had it been opened."""
    return display_name(Path(source).name or str(source)) if isinstance(source, str | Path) else "picture"


def sound(readings: Iterable[Reading | GotOcrError]) -> Iterator[Reading]:
    """Pass readings on; raise the first error among them."""
    for reading in readings:
        if isinstance(reading, GotOcrError):
            raise reading
        yield reading
