"""How far a batch is, and when it will end. Counts each document once, so that a look costs the news alone."""

import time
from dataclasses import dataclass
from itertools import islice

from got_ocr.batch.job import Batch
from got_ocr.batch.records import OK
from got_ocr.batch.state import page_unit
from got_ocr.batch.view import View


@dataclass(frozen=True, slots=True)
class Progress:
    """A look at a batch under way.

    done, pages: pages finished, and in all; the latter is a guess until `exact`, from the documents looked over so far. rate:
    pages a second since the first was begun, on all machines. left: seconds, None while unknown. not_ok: pages.
    """

    done: int
    pages: int
    exact: bool
    not_ok: int
    rate: float
    left: float | None


class Counter:
    """Count pages from a view."""

    def __init__(self, batch: Batch, view: View) -> None:
        self._batch, self._view = batch, view
        self._documents = sum(not entry.problem for entry in batch.entries)
        self._looked_over = self._pages = self._earlier = self._earlier_bad = 0
        self._fresh = self._fresh_bad = 0
        self._began: float | None = None

    def look(self) -> Progress:
        """Count what came since the last look."""
        self._count_plans()
        self._count_fresh()
        done = self._earlier + self._fresh
        known = self._looked_over + len(self._view.unreadable)
        unknown = max(self._documents - known, 0)
        pages = self._pages + round(unknown * (self._pages / self._looked_over if self._looked_over else 1))
        rate = self._rate()
        left = max(pages - done, 0) / rate if rate else None
        return Progress(min(done, pages), pages, unknown == 0, self._earlier_bad + self._fresh_bad, rate, left)

    def _count_plans(self) -> None:
        settings, view = self._batch.settings.digest, self._view
        for plan in islice(view.plans.values(), self._looked_over, None):
            self._looked_over += 1
            for number in self._batch.numbers(plan.count):
                self._pages += 1
                unit = page_unit(settings, plan.sha256, number)
                told = view.pages.get(unit)
                if told is not None and unit not in view.fresh:
                    self._earlier += 1
                    self._earlier_bad += told.status not in OK

    def _count_fresh(self) -> None:
        for status in islice(self._view.fresh.values(), self._fresh, None):
            self._fresh += 1
            self._fresh_bad += status not in OK

    def _rate(self) -> float:
        """Measure from when the first page was begun, and so without the time that loading a model takes."""
        now = time.monotonic()
        if self._began is None and (self._fresh or self._is_reading()):
            self._began = now
        spent = now - self._began if self._began is not None else 0.0
        return self._fresh / spent if spent > 0 else 0.0

    def _is_reading(self) -> bool:
        settings = self._batch.settings.digest
        return any(unit.startswith(settings) for units in self._view.running.values() for unit in units)
