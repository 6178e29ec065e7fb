"""What became of every page: rows for a file, counts for a line, and the exit status that follows from them."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from got_ocr.batch.files import Disk
from got_ocr.batch.job import Batch
from got_ocr.batch.names import SUMMARY
from got_ocr.batch.records import OK, Failure
from got_ocr.batch.sources import Entry
from got_ocr.batch.state import State, page_unit
from got_ocr.batch.view import Done, Plan, View
from got_ocr.errors import InputNotFound, OutputError

SOME_NOT_OK = 3
_PROBLEMS = {
    "not_regular": "no regular file: links, pipes and devices are not read",
    InputNotFound.code: "no such file, or not readable",
}

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished batch.

    pages: how many by status (`ok`, `empty`, `loop`, `truncated`, `failed`, and `pending` after a stop). failed: documents that
    could not be opened. skipped: files that are none. withheld: documents with too many bad pages. unwritten: outputs
    that could not be written. bad: the rows of all that is not in order.
    """

    documents: int
    pages: dict[str, int]
    failed: int
    skipped: int
    withheld: int
    unwritten: int
    bad: tuple[Row, ...]

    @property
    def exit_code(self) -> int:
        """0, 3 when a page or a document is not in order, 5 when an output could not be written."""
        if self.unwritten:
            return OutputError.exit_code
        return SOME_NOT_OK if self.bad else 0


def summarise(batch: Batch, disk: Disk) -> Summary:
    """Write every page's status to batch-summary.jsonl and count them. Raises OutputError."""
    view = View(State(batch.out), batch)
    view.refresh()
    rows = [row for entry in batch.entries for row in _rows(batch, view, entry)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    disk.replace(batch.out / SUMMARY, lines.encode("utf-8", "replace"))
    of_pages = Counter(str(row["status"]) for row in rows if "page" in row)
    others = Counter(str(row["status"]) for row in rows if "page" not in row)
    return Summary(
        documents=len(batch.entries),
        pages=dict(of_pages),
        failed=others["failed"],
        skipped=others["skipped"],
        withheld=others["withheld"],
        unwritten=others["unwritten"],
        bad=tuple(row for row in rows if row["status"] not in (*OK, "no_pages")),
    )


def _rows(batch: Batch, view: View, entry: Entry) -> Iterator[Row]:
    source = entry.shown
    if entry.problem:
        status = "skipped" if entry.skipped else "failed"
        yield {"source": source, "status": status, "code": entry.problem, "message": _PROBLEMS[entry.problem]}
        return
    failure, plan = view.unreadable.get(entry.source), view.plans.get(entry.source)
    if failure is not None:
        yield {"source": source, "status": "failed", "code": failure.code, "message": failure.message}
        return
    if plan is None:
        yield {"source": source, "status": "pending"}
        return
    yield from _page_rows(batch, view, source, plan)
    unwritten, joined = view.unwritten.get(entry.source), view.joined.get(entry.source)
    if unwritten is not None:
        yield {"source": source, "status": "unwritten", "code": unwritten.code, "message": unwritten.message}
    elif joined is not None and not joined.files:
        yield {"source": source, "status": "withheld" if batch.numbers(plan.count) else "no_pages"}


def _page_rows(batch: Batch, view: View, source: str, plan: Plan) -> Iterator[Row]:
    for number in batch.numbers(plan.count):
        told = view.pages.get(page_unit(batch.settings.digest, plan.sha256, number))
        where: Row = {"source": source, "page": number, "of": plan.count}
        if isinstance(told, Done):
            yield {**where, "status": told.status, **({"rung": told.rung} if told.rung else {})}
        elif isinstance(told, Failure):
            yield {**where, "status": "failed", "code": told.code, "message": told.message}
        else:
            yield {**where, "status": "pending"}
