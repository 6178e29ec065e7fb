"""Running jobs: one page after another, behind whoever waits for an answer. Knows no HTTP and no SQL.

A page is read, then its result is kept, then the next is read: whatever ends the service, at most one page is read twice.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from got_ocr.document import parse_pages
from got_ocr.errors import ChildCrashed, GotOcrError, OutOfMemory, OutputError, TooManyPages
from got_ocr.serve.answers import PageResult
from got_ocr.serve.asking import make_ask
from got_ocr.serve.fleet import PATIENT
from got_ocr.serve.jobstore import ENDED, Job, JobStore
from got_ocr.serve.problems import NotFound, NotReady, Overloaded
from got_ocr.serve.reader import Ask, Reader
from got_ocr.serve.room import Hold, Vault
from got_ocr.serve.schemas import TaskFields
from got_ocr.serve.settings import Settings

PAUSE_SECONDS = 1.0
SWEEP_SECONDS = 600.0
ATTEMPTS = 3
JOB_SECONDS = 7 * 24 * 3600.0  # a page of a job may wait long for its turn
TRANSIENT = (ChildCrashed, OutOfMemory)
Made = TypeVar("Made")

log = logging.getLogger("got_ocr.serve")


class Jobs:
    """Keep and run jobs. Create, `start`, `stop`; the store is used by one thread of its own."""

    def __init__(self, store: JobStore, reader: Reader, vault: Vault, settings: Settings) -> None:
        self._store = store
        self._reader = reader
        self._vault = vault
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, "jobs")
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Start to run what is queued."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run()) for _ in range(self._settings.workers)]
        self._tasks.append(loop.create_task(self._sweep()))

    async def pause(self) -> None:
        """Stop running; the page under way is read again at the next start."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Stop and close."""
        await self.pause()
        await self.ask(self._store.close)
        self._thread.shutdown()

    async def ask(self, work: Callable[[], Made]) -> Made:
        """Let the store's thread do something."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def create(self, owner: str, asked: TaskFields, data: bytes) -> Job:
        """Take a job. Raises Overloaded, OutputError."""
        job = await self.ask(lambda: self._store.create(owner, asked.model_dump(), data))
        self._wake.set()
        return job

    async def get(self, job_id: str, owner: str) -> Job:
        """Find one of an owner's jobs. Raises NotFound."""
        job = await self.ask(lambda: self._store.get(job_id, owner))
        if job is None:
            raise NotFound
        return job

    async def of(self, owner: str) -> list[Job]:
        """List an owner's jobs."""
        return await self.ask(lambda: self._store.of(owner))

    async def results(self, job_id: str) -> list[dict[str, Any]]:
        """Read a job's results."""
        return await self.ask(lambda: self._store.results(job_id))

    async def cancel(self, job_id: str, owner: str) -> Job:
        """End a job that has not ended. Raises NotFound."""
        await self.get(job_id, owner)
        await self.ask(lambda: self._store.finish(job_id, "cancelled"))
        if job_id in self._running:
            self._running[job_id].cancel()
        return await self.get(job_id, owner)

    async def delete(self, job_id: str, owner: str) -> None:
        """End and forget a job. Raises NotFound."""
        await self.cancel(job_id, owner)
        await self.ask(lambda: self._store.delete(job_id))

    async def _run(self) -> None:
        """Run one job after another."""
        while True:
            try:
                job = await self.ask(self._store.take)
            except OutputError:
                log.error("jobs cannot be kept")
                await asyncio.sleep(PAUSE_SECONDS * 10)
                continue
            if job is None:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS * 10):
                        await self._wake.wait()
                continue
            task = self._running[job.id] = asyncio.create_task(self._one(job))
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._running[job.id]

    async def _one(self, job: Job) -> None:
        """Run one job to its end, or until it is cancelled or the service stops."""
        try:
            with self._vault.open() as hold:
                file = await self._file(job, hold)
                await self._pages(job, file, hold)
            await self.ask(lambda: self._store.finish(job.id, "done"))
        except NotReady:
            await self.ask(lambda: self._store.release(job.id))
        except GotOcrError as error:
            code, message = error.code, str(error)
            with contextlib.suppress(OutputError):
                await self.ask(lambda: self._store.finish(job.id, "failed", code, message))
        log.info("job", extra={"facts": {"job": job.id[:12]}})

    async def _file(self, job: Job, hold: Hold) -> int:
        data = await self.ask(lambda: self._store.data(job.id))
        while True:
            try:
                return hold.file(data)
            except Overloaded:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _pages(self, job: Job, file: int, hold: Hold) -> None:
        """Read the pages that have no result."""
        ask = make_ask(TaskFields.model_validate(job.ask), self._settings)
        ask = replace(ask, turn=PATIENT, seconds=JOB_SECONDS, page_seconds=ask.seconds)
        if ask.task.multi_page:
            numbers: tuple[int, ...] = (1,)
        else:
            pages, _ = await self._reader.count(file, ask.password)
            numbers = tuple(range(1, pages + 1)) if ask.pages is None else parse_pages(ask.pages, pages)
            if len(numbers) > self._settings.max_pages:
                raise TooManyPages(f"at most {self._settings.max_pages} pages are read: choose a range of pages")
        await self.ask(lambda: self._store.counted(job.id, len(numbers)))
        finished = await self.ask(lambda: self._store.finished_pages(job.id))
        for number in numbers:
            if number not in finished:
                part = ask if ask.task.multi_page else replace(ask, pages=str(number))
                result = (await self._page(file, part, number, hold)).to_json()
                await self.ask(lambda at=number, told=result: self._store.add(job.id, at, told))  # type: ignore[misc]

    async def _page(self, file: int, ask: Ask, number: int, hold: Hold) -> PageResult:
        """Read one page; what a lost process or a full memory spoils is tried again. Raises NotReady."""
        failures = 0
        while True:
            try:
                result = (await self._reader.read([file], ask, hold, lambda _: None))[0]
                if result.stop == "shutdown":
                    raise NotReady("the service is shutting down")
                return result
            except NotReady:
                raise
            except Overloaded:
                await asyncio.sleep(PAUSE_SECONDS)
            except GotOcrError as error:
                failures += 1
                if not isinstance(error, TRANSIENT) or failures >= ATTEMPTS:
                    return PageResult(1, number, 0, "", "failed", "error", "", error=error)

    async def _sweep(self) -> None:
        """Forget old jobs now and then."""
        while True:
            with contextlib.suppress(OutputError):
                before = time.time() - self._settings.keep_jobs
                await self.ask(lambda: self._store.sweep(before))  # noqa: B023
            await asyncio.sleep(SWEEP_SECONDS)


def ended(job: Job) -> bool:
    """Say whether a job will not change any more."""
    return job.status in ENDED
