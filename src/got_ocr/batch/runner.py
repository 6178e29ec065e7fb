"""One worker: take a page that nobody holds, read it, record it, journal it; join a document when its last page is there.

Any number of these run on one output folder and know of each other only through it. What keeps them from doing a page
twice is the lease; what keeps a page right even where a lease fails is that a record, once there, is never replaced.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from got_ocr.batch import documents, outputs, records
from got_ocr.batch.documents import Opened
from got_ocr.batch.engine import Engine
from got_ocr.batch.files import Disk, told
from got_ocr.batch.job import Batch
from got_ocr.batch.journal import Journal
from got_ocr.batch.leases import BEATS, Lease, Leases, presence
from got_ocr.batch.outputs import Finished
from got_ocr.batch.pages import FATAL, Claim, Reader, failure, guarded
from got_ocr.batch.records import Failure, Record
from got_ocr.batch.sources import Entry
from got_ocr.batch.state import State, document_unit, page_unit, worker_name
from got_ocr.batch.view import Done, Plan, View
from got_ocr.document import Page
from got_ocr.errors import ChildCrashed, InputChanged, OutputRefused

_MOST_CHANGES = 5  # of a file under our hands, before it is given up for this run
_CRASHED = Failure(ChildCrashed.code, "the workers that read it died")


def work(batch: Batch, make: Callable[[], Engine], name: str | None = None) -> None:
    """Work until every document of the batch is finished, by whomever.

    make: gives the engine, asked once and only when there is a page to read. name: of this worker, unique.
    Raises OutputError for a disk that takes no more, ModelError and MissingDependency from the engine; what was done stays done.
    """
    with told(
        "the output folder"
    ):  # whatever else goes wrong with it: a share that went away, a lease that cannot be read
        worker = Worker(batch, make, name or worker_name())
        try:
            worker.run()
        finally:
            worker.close()


class Worker:
    """Keep what one worker holds: see `work`."""

    def __init__(self, batch: Batch, make: Callable[[], Engine], name: str) -> None:
        self._batch = batch
        self._state = State(batch.out)
        self._view = View(self._state, batch)
        self._disk = Disk(batch.out, self._state.scratch, name)
        self._journal = Journal(self._state.journal, name, self._view.logs)
        self._leases = Leases(self._state.leases, batch.silence)
        self._opened = Opened(batch)
        self._reader = Reader(batch.settings, self._opened, make)
        self._open = {entry.source: entry for entry in batch.entries if not entry.problem}
        self._changes: Counter[str] = Counter()
        self._named: tuple[Plan, list[tuple[int, str]]] | None = None  # units of the document asked for last
        self._leases.acquire(presence(name))
        self._leases.start()

    def close(self) -> None:
        """Give all leases back."""
        self._leases.stop()
        self._journal.close()

    def run(self) -> None:
        """Pass over the documents until all are finished; wait between passes for pages that others hold."""
        while self._open:
            worked = False
            for group in self._groups():
                self._read(group)
                worked = True
            if self._open and not worked:
                time.sleep(min(1.0, self._batch.silence / BEATS))

    def _groups(self) -> Iterator[list[Claim]]:
        """Put claims together as they are read side by side."""
        group: list[Claim] = []
        for claim in self._claims():
            group += [claim] if claim is not None else []
            if group and (claim is None or len(group) >= self._batch.group or self._view.crashes[claim.unit]):
                yield group
                group = []
        if group:
            yield group

    def _claims(self) -> Iterator[Claim | None]:
        """Claim what can be claimed, document after document; finish those that have all their pages.

        None stands before a page that may have killed a worker: nothing else may be under way beside it.
        """
        for entry in list(self._open.values()):
            self._view.refresh()
            plan = self._planned(entry)
            if plan is None:
                continue
            for number, unit in self._units(plan):
                if self._view.crashes[unit]:
                    yield None
                claim = self._claimed(entry, plan, number, unit)
                if claim is not None:
                    yield claim
            self._settle(entry, plan)

    def _planned(self, entry: Entry) -> Plan | None:
        """Look a document over, unless that was done since; None when it cannot be read, now or at all."""
        source, unit = entry.source, document_unit("plan", entry.source)
        made = self._view.plans.get(source)
        if made is not None and documents.is_same(entry, made):
            return made
        if source in self._view.unreadable:
            del self._open[source]
            return None
        self._journal.append("start", u=unit)
        found = self._looked_over(entry, unit)
        if isinstance(found, Plan):
            self._journal.append("plan", u=unit, **asdict(found))
            return found
        if found is None:
            self._journal.append("left", u=unit)
        else:
            self._journal.append("unreadable", u=unit, source=source, **asdict(found))
            del self._open[source]
        return None

    def _looked_over(self, entry: Entry, unit: str) -> Plan | Failure | None:
        """Plan a document; None while its file is changing, which is waited for but not for ever."""
        if self._view.is_given_up(unit):
            return _CRASHED
        found = guarded(partial(documents.plan, entry, self._batch.password))
        if not isinstance(found, Failure):
            if self._changes[entry.source] < _MOST_CHANGES:
                return found
            found = failure(InputChanged("the file kept changing while it was read"))
        elif found.code == InputChanged.code and self._changes[entry.source] < _MOST_CHANGES:
            self._changes[entry.source] += 1
            return None
        return found

    def _units(self, plan: Plan) -> list[tuple[int, str]]:
        if self._named is None or self._named[0] != plan:
            settings, numbers = self._batch.settings.digest, self._batch.numbers(plan.count)
            self._named = plan, [(number, page_unit(settings, plan.sha256, number)) for number in numbers]
        return self._named[1]

    def _claimed(self, entry: Entry, plan: Plan, number: int, unit: str) -> Claim | None:
        """Take a page's lease; None when it is another's, done, or not to be read."""
        if not self._view.is_final(unit):
            self._view.refresh()
        if self._view.is_final(unit):
            return None
        lease = self._leases.acquire(unit)
        if lease is None:
            return None
        self._view.refresh()  # its last holder may have finished it just before giving it back
        if self._view.is_final(unit) or self._adopted(unit) or not self._is_unchanged(entry, plan):
            self._leases.release(lease)
            return None
        page: Page | Failure = _CRASHED
        if not self._view.is_given_up(unit):
            self._reader.prepare()
            self._journal.append("start", u=unit, fence=lease.number)
            page = guarded(partial(self._opened.page, entry, plan, number))
        if isinstance(page, Failure):
            self._fail(unit, lease, page)
            return None
        return Claim(entry, plan, page, unit, lease)

    def _adopted(self, unit: str) -> bool:
        """Take up a record that stands there without a word in the journal: its writer died between the two."""
        path = self._state.record(unit)
        found = records.read(path)
        if found is None:
            path.unlink(missing_ok=True)  # what is there is not whole
            return False
        self._done(unit, found[0], found[1], 0.0)
        return True

    def _is_unchanged(self, entry: Entry, plan: Plan) -> bool:
        if documents.is_same(entry, plan):
            return True
        if self._view.plans.pop(entry.source, None) is not None:  # noticed for the first time
            self._changes[entry.source] += 1
        return False

    def _read(self, group: list[Claim]) -> None:
        began = time.perf_counter()
        answers = self._reader.read(group)
        seconds = (time.perf_counter() - began) / len(group)
        for claim, answer in zip(group, answers, strict=True):
            self._commit(claim, answer, seconds)
        self._view.refresh()
        for entry, plan in {claim.entry.source: (claim.entry, claim.plan) for claim in group}.values():
            self._settle(entry, plan)

    def _commit(self, claim: Claim, answer: Record | Failure, seconds: float) -> None:
        """Let a page's reading stand, unless its file changed, another has overtaken us, or a record stands already."""
        if not self._is_unchanged(claim.entry, claim.plan) or not self._leases.is_held(claim.lease):
            self._journal.append("left", u=claim.unit)
        elif isinstance(answer, Failure):
            self._fail(claim.unit, claim.lease, answer)
            return
        elif self._disk.create(self._state.record(claim.unit), data := records.to_bytes(answer)):
            self._done(claim.unit, answer, records.digest(data), seconds)
        elif not (self._leases.is_held(claim.lease) and self._adopted(claim.unit)):
            self._journal.append("left", u=claim.unit)
        self._leases.release(claim.lease)

    def _done(self, unit: str, made: Record, checksum: str, seconds: float) -> None:
        facts = {"status": made.status, "rung": made.rung, "checksum": checksum, "seconds": round(seconds, 3)}
        self._journal.append("done", durable=True, u=unit, **facts)

    def _fail(self, unit: str, lease: Lease, why: Failure) -> None:
        self._journal.append("failed", durable=True, u=unit, **asdict(why))
        self._leases.release(lease)

    def _settle(self, entry: Entry, plan: Plan) -> None:
        """Finish a document when it has all its pages, unless another worker is at it."""
        if entry.source not in self._open:
            return
        units = self._units(plan)
        if not all(self._view.is_final(unit) for _, unit in reversed(units)):  # the last ones are read last
            return
        key = outputs.key(self._batch, entry, [self._view.pages[unit] for _, unit in units])
        if self._is_joined(entry, key):
            del self._open[entry.source]
            return
        lease = self._leases.acquire(document_unit("join", entry.source))
        if lease is None:
            return
        try:
            self._view.refresh()
            if not self._is_joined(entry, key):
                self._join(entry, plan, key, lease)
                self._view.refresh()
            if self._is_joined(entry, key):
                del self._open[entry.source]
        finally:
            self._leases.release(lease)

    def _is_joined(self, entry: Entry, key: str) -> bool:
        joined = self._view.joined.get(entry.source)
        if joined is not None and joined.key == key:
            return all((self._batch.out / file).exists() for file in joined.files)
        return entry.source in self._view.unwritten

    def _join(self, entry: Entry, plan: Plan, key: str, lease: Lease) -> None:
        """Write a document's outputs. A page whose record is gone or not whole is read again first."""
        if "pdf" in self._batch.formats and not self._is_unchanged(entry, plan):
            return  # its pages are shown, so they must still be the ones that were read
        finished = self._finished(entry, plan)
        if finished is None:
            return
        source, unit, files = entry.source, lease.unit, outputs.files(self._batch, finished)
        try:
            if self._view.is_given_up(unit):
                raise ChildCrashed("the workers that wrote its outputs died")
            self._check_ours(files)
            self._journal.append("joining", durable=True, source=source, files=files)
            self._journal.append("start", u=unit)
            outputs.write(self._batch, finished, self._disk)
        except Exception as error:
            if isinstance(error, FATAL) and not isinstance(error, OutputRefused):
                raise
            self._journal.append("unwritten", durable=True, u=unit, source=source, **asdict(failure(error)))
            return
        if self._leases.is_held(lease):
            self._journal.append("joined", u=unit, source=source, key=key, files=files)
        else:
            self._journal.append("doubt", durable=True, u=unit, source=source)  # which outputs lie there now?

    def _finished(self, entry: Entry, plan: Plan) -> Finished | None:
        pages: dict[int, Record | Failure] = {}
        for number, unit in self._units(plan):
            known = self._view.pages[unit]
            found = records.read(self._state.record(unit)) if isinstance(known, Done) else None
            if isinstance(known, Failure):
                pages[number] = known
            elif isinstance(known, Done) and found is not None and found[1] == known.checksum:
                pages[number] = found[0]
            else:
                self._journal.append("lost", u=unit)
        if len(pages) < len(self._units(plan)):
            return None
        return Finished(entry, plan.kind, plan.count, pages, lambda number: self._opened.page(entry, plan, number))

    def _check_ours(self, files: list[str]) -> None:
        for file in files:
            if file not in self._view.ours and (self._batch.out / Path(file)).exists():
                raise OutputRefused("a file of another origin has the name of an output: move it away")
