"""A finished document to files: text, Markdown, GFM, HTML, JSON lines, searchable PDF. The same records give the same bytes.

A page that was not read, or not to its end, is marked in every form that has a place for it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from got_ocr import __version__
from got_ocr.batch.files import Disk
from got_ocr.batch.job import Batch
from got_ocr.batch.records import OK, Failure, Record
from got_ocr.batch.sources import Entry
from got_ocr.batch.view import Done
from got_ocr.document import Page
from got_ocr.errors import GotOcrError

SUFFIXES = {"txt": ".txt", "md": ".md", "gfm": ".gfm.md", "html": ".html", "json": ".jsonl", "pdf": ".pdf"}
_NAMED = 10  # pages not in order, in a title


@dataclass(frozen=True, slots=True)
class Finished:
    """A document with all its pages. count: of its pages in all. page: names one for decoding it again."""

    entry: Entry
    kind: str
    count: int
    pages: Mapping[int, Record | Failure]
    page: Callable[[int], Page]


def key(batch: Batch, entry: Entry, pages: Sequence[Done | Failure | None]) -> str:
    """Name all that the outputs of a document are made from: they are written anew when it differs."""
    told = [[p.checksum] if isinstance(p, Done) else [p.code, p.message] if p else [] for p in pages]
    facts = [__version__, entry.source, entry.stem, sorted(batch.formats), batch.chosen, batch.replace_text, told]
    withheld = _is_withheld(batch, [p.status if p else "" for p in pages])
    return hashlib.sha256(json.dumps([facts, withheld, batch.settings.digest]).encode()).hexdigest()


def files(batch: Batch, finished: Finished) -> list[str]:
    """Name the outputs, relative to the output folder; none for a document without pages or with too many bad ones."""
    if _is_withheld(batch, [page.status for page in finished.pages.values()]):
        return []
    return [finished.entry.stem + SUFFIXES[form] for form in _forms(batch, finished)]


def write(batch: Batch, finished: Finished, disk: Disk) -> None:
    """Write the outputs that `files` names. Raises OutputError, MissingDependency."""
    for file, form in zip(files(batch, finished), _forms(batch, finished), strict=False):
        disk.replace(batch.out / Path(file), made(form, finished, batch))


def made(form: str, finished: Finished, batch: Batch) -> bytes:
    """Make one output."""
    if form == "pdf":
        from got_ocr.batch.searchable import searchable

        return searchable(finished, replace_text=batch.replace_text, password=batch.password)
    writers = {"txt": _txt, "md": _md, "gfm": _gfm, "html": _html, "json": _json}
    return writers[form](finished).encode("utf-8", "replace")


def _forms(batch: Batch, finished: Finished) -> list[str]:
    """Leave out the PDF of pictures that could not be decoded: there is nothing to put on its pages."""
    seen = finished.kind == "PDF" or any(isinstance(page, Record) for page in finished.pages.values())
    return [form for form in batch.formats if finished.pages and (form != "pdf" or seen)]


def _is_withheld(batch: Batch, statuses: Sequence[str]) -> bool:
    bad = sum(status not in OK for status in statuses)
    return bad > batch.most_errors * len(statuses)


def _txt(finished: Finished) -> str:
    """Part pages by form feeds, as text of pages is usually parted."""
    return "\f".join(f"{_text(number, page)}\n" for number, page in finished.pages.items())


def _text(number: int, page: Record | Failure) -> str:
    return f"[page {number} was not read: {page.code}]" if isinstance(page, Failure) else page.text


def _md(finished: Finished) -> str:
    return "\n".join(_marked(number, page, _as_is) for number, page in finished.pages.items())


def _gfm(finished: Finished) -> str:
    return "\n".join(_marked(number, page, _as_gfm) for number, page in finished.pages.items())


def _marked(number: int, page: Record | Failure, form: Callable[[str], str]) -> str:
    """Write one page of Markdown; one that is not in order says so in a comment above it."""
    code = page.code if isinstance(page, Failure) else page.status
    mark = "" if code in OK else f"<!-- page {number}: {code} -->\n\n"
    return mark + ("" if isinstance(page, Failure) else form(page.text).strip("\n") + "\n")


def _as_is(text: str) -> str:
    return text


def _as_gfm(text: str) -> str:
    from got_ocr.render import render

    try:
        return str(render(text, to="gfm"))
    except GotOcrError:
        return text  # what cannot be put into another form stays as it was written


def _html(finished: Finished) -> str:
    from got_ocr.render import render_pages

    title = finished.entry.shown
    bad = [f"page {number} {_code(page)}" for number, page in finished.pages.items() if page.status not in OK]
    if bad:
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        title += f" ({', '.join(bad[:_NAMED])}{more})"
    return render_pages([(_text(number, page), None) for number, page in finished.pages.items()], title)


def _code(page: Record | Failure) -> str:
    return page.code if isinstance(page, Failure) else page.status


def _json(finished: Finished) -> str:
    return "".join(
        json.dumps(_row(finished, number, page), ensure_ascii=False) + "\n" for number, page in finished.pages.items()
    )


def _row(finished: Finished, number: int, page: Record | Failure) -> dict[str, object]:
    where: dict[str, object] = {"source": finished.entry.shown, "page": number, "of": finished.count}
    if isinstance(page, Failure):
        return {**where, "status": "failed", "error": {"code": page.code, "message": page.message}}
    return {**where, **asdict(page)}
