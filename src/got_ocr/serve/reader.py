"""A request's pages from bytes to readings: count, decode, wait for the model, read, stop in time.

Knows processes and clocks; knows no HTTP, no field of a request and no model.
"""

import asyncio
import contextlib
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from got_ocr.document import parse_pages
from got_ocr.errors import DeadlineExceeded, GotOcrError, ImageDecodeFailed, PageRenderFailed, TooManyPages
from got_ocr.formats import sniff
from got_ocr.serve.answers import Begun, PageResult, Piece, Stop, Until, stop_of
from got_ocr.serve.chores import Chores
from got_ocr.serve.fleet import WAITED_FOR, Fleet, Worker
from got_ocr.serve.metrics import Metrics
from got_ocr.serve.problems import NotReady
from got_ocr.serve.room import Hold, Places
from got_ocr.serve.wire import Message
from got_ocr.task import Task

Event = Begun | Piece | PageResult
Emit = Callable[[Event], None]
Made = TypeVar("Made")

HEAD = 1024  # bytes; a PDF may carry that much before its first line
SEVERAL = ("PDF", "TIFF")  # what may have several pages


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be read, and how.

    seconds: the time that all of it may take, page_seconds: that one reading may take once it has the model.
    stop: texts that end a reading.
    """

    task: Task = field(default_factory=Task)
    pages: str | None = None
    password: str | None = field(default=None, repr=False)
    dpi: float | None = None
    profile: str = "safe"
    max_new_tokens: int = 4096
    seconds: float = 600.0
    turn: int = WAITED_FOR
    page_seconds: float = math.inf
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """One page to read. document: its place among the request's, from 0. page: from 1."""

    document: int
    file: int
    page: int
    pages: int
    kind: str


@dataclass(slots=True)
class _Seen:
    """Decoded pages of one reading. began: when, by the loop's clock."""

    began: float
    files: list[int] = field(default_factory=list)
    sizes: list[Message] = field(default_factory=list)


class Reader:
    """Read requests. decoders, fleet: the processes that do it."""

    def __init__(self, decoders: Chores, fleet: Fleet, places: Places, metrics: Metrics, max_pages: int) -> None:
        self._decoders = decoders
        self._fleet = fleet
        self._places = places
        self._metrics = metrics
        self._max_pages = max_pages
        self._clocks: set[asyncio.Timeout] = set()
        self._shutdown = False

    def end_all(self) -> None:
        """End every reading now, as its deadline would."""
        self._shutdown = True
        now = asyncio.get_running_loop().time()
        for clock in self._clocks:
            clock.reschedule(now)

    async def count(self, file: int, password: str | None) -> tuple[int, str]:
        """Give (pages, format) of a document; what can only be one picture is not opened for that."""
        kind = sniff(os.pread(file, HEAD, 0))
        if kind not in SEVERAL:
            return 1, kind or ""
        fatal = ImageDecodeFailed("the file takes more time or memory than allowed")
        answer = await self._decoders.run(
            {"do": "count", "password": password, "unforeseen": "image_corrupt"}, [file], fatal
        )
        return answer["pages"], kind

    async def read(self, files: Sequence[int], ask: Ask, hold: Hold, emit: Emit) -> list[PageResult]:
        """Read documents page by page, or with `multi_page` all of them as one; tell `emit` of everything as it comes.

        A page that fails among several becomes a failed result; where all fail, the first one's error is raised.
        Raises DeadlineExceeded where the time is over before anything was read.
        """
        end = asyncio.get_running_loop().time() + ask.seconds
        units = await self._in_time(end, self._units(files, ask))
        groups = [tuple(units)] if ask.task.multi_page else [(unit,) for unit in units]
        results: list[PageResult] = []
        for index, group in enumerate(groups):
            try:
                result = await self._read_group(index, len(groups), group, ask, end, hold, emit)
            except GotOcrError as error:
                self._metrics.reading("failed", error.code)
                if len(groups) == 1:
                    raise
                result = _failed(group[0], error, self._name())
            emit(result)
            results.append(result)
        errors = [result.error for result in results if result.error is not None]
        if errors and len(errors) == len(results):
            raise errors[0]
        return results

    async def _units(self, files: Sequence[int], ask: Ask) -> list[_Unit]:
        """Name the pages to read. Raises TooManyPages, InvalidValue and what counting raises."""
        units: list[_Unit] = []
        for document, file in enumerate(files):
            pages, kind = await self.count(file, ask.password)
            numbers: Sequence[int] = range(1, pages + 1)
            if ask.pages is not None:
                numbers = parse_pages(ask.pages, pages)
            if len(numbers) + len(units) > self._max_pages:
                raise TooManyPages(f"at most {self._max_pages} pages are read at a time: choose a range of pages")
            units += [_Unit(document, file, page, pages, kind) for page in numbers]
        return units

    async def _read_group(
        self, index: int, readings: int, group: Sequence[_Unit], ask: Ask, end: float, hold: Hold, emit: Emit
    ) -> PageResult:
        """Read one page, or several as one: decode, then wait for the model, then read."""
        clock = asyncio.get_running_loop().time
        seen = _Seen(clock())
        try:
            for unit in group:
                await self._in_time(end, self._draw(unit, ask, seen, hold))
            decoded = clock()
            async with contextlib.AsyncExitStack() as stack:
                worker = await self._in_time(end, stack.enter_async_context(self._fleet.lend(ask.turn)))
                self._metrics.waited(clock() - decoded)
                if index == 0:
                    emit(Begun(readings))
                return await self._generate(index, group[0], seen, ask, end, worker, emit)
        finally:
            for file in seen.files:
                hold.drop(file)

    async def _draw(self, unit: _Unit, ask: Ask, seen: _Seen, hold: Hold) -> None:
        """Decode one page into a file of its pixels."""
        pdf = unit.kind == "PDF"
        kind = PageRenderFailed if pdf else ImageDecodeFailed
        order = {
            "do": "draw",
            "page": unit.page,
            "dpi": ask.dpi,
            "password": ask.password,
            "reference": ask.profile != "safe",
            "unforeseen": "page_render_failed" if pdf else "image_corrupt",
        }
        file = hold.file()
        seen.files.append(file)
        fatal = kind("the page takes more time or memory than allowed")
        answer = await self._decoders.run(order, [unit.file, file], fatal)
        hold.grow(file)
        seen.sizes.append({key: answer[key] for key in ("width", "height", "notices")})

    async def _generate(
        self, index: int, unit: _Unit, seen: _Seen, ask: Ask, end: float, worker: Worker, emit: Emit
    ) -> PageResult:
        """Read with one process; what the deadline cuts off is a result as well."""
        clock = asyncio.get_running_loop().time
        started = clock()
        until, pieces, answer = Until(ask.stop), 0, None
        why: Stop = "stop_string"
        try:
            async with self._clock(min(end, started + ask.page_seconds)):
                async for told in worker.read(_order(unit, seen, ask), seen.files):
                    if told["event"] == "reading":
                        answer = told
                        break
                    if not pieces:
                        self._metrics.first_token(clock() - seen.began)
                    pieces += 1
                    _tell(emit, index, until.push(told["text"]))
                    if until.hit:
                        break
        except TimeoutError:
            why = "shutdown" if self._shutdown else "deadline"
        _tell(emit, index, until.rest())
        seconds = clock() - started
        if answer is None:
            answer = {
                "text": until.text.strip(),
                "status": why,
                "model": self._name(),
                "tokens": pieces,
                "seconds": seconds,
            }
        result = _result(unit, seen, answer)
        self._places.learn(result.seconds)
        self._metrics.reading(result.stop, "", result.tokens, len(seen.sizes), result.seconds)
        return result

    async def _in_time(self, end: float, work: Awaitable[Made]) -> Made:
        """Wait for work that yields nothing when it is cut off."""
        try:
            async with self._clock(end):
                return await work
        except TimeoutError:
            if self._shutdown:
                raise NotReady("the service is shutting down", retry_after=5.0) from None
            raise DeadlineExceeded("the time that this request may take is over") from None

    @contextlib.asynccontextmanager
    async def _clock(self, end: float) -> AsyncIterator[None]:
        """Bound what is done inside; raises TimeoutError at `end`, or when the service ends all readings."""
        async with asyncio.timeout_at(0 if self._shutdown else end) as clock:
            self._clocks.add(clock)
            try:
                yield
            finally:
                self._clocks.discard(clock)

    def _name(self) -> str:
        return self._fleet.model.name if self._fleet.model else ""


def _order(unit: _Unit, seen: _Seen, ask: Ask) -> Message:
    """Write the order for the model's process."""
    return {
        "task": asdict(ask.task),
        "profile": ask.profile,
        "max_new_tokens": ask.max_new_tokens,
        "page": unit.page,
        "source": f"document {unit.document + 1}",
        "pictures": seen.sizes,
    }


def _tell(emit: Emit, index: int, text: str) -> None:
    if text:
        emit(Piece(index, text))


def _result(unit: _Unit, seen: _Seen, answer: Message) -> PageResult:
    """Write the result. The status is the model's, or what ended it from outside."""
    status = answer["status"]
    first = seen.sizes[0]
    notices = [notice for size in seen.sizes for notice in size["notices"]]
    return PageResult(
        document=unit.document + 1,
        page=unit.page,
        pages=unit.pages,
        text=answer["text"],
        status="ok" if status == "stop_string" else status,
        stop=stop_of(status),
        model=answer["model"],
        tokens=answer["tokens"],
        prompt_tokens=answer.get("prompt_tokens", 0),
        seconds=round(answer["seconds"], 4),
        notices=tuple(answer.get("notices", notices)),
        width=first["width"],
        height=first["height"],
        token_ids=tuple(answer.get("token_ids", ())),
    )


def _failed(unit: _Unit, error: GotOcrError, model: str) -> PageResult:
    return PageResult(
        document=unit.document + 1,
        page=unit.page,
        pages=unit.pages,
        text="",
        status="failed",
        stop="error",
        model=model,
        error=error,
    )
