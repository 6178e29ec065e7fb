"""The model's processes, seen from the service: keep them alive, lend each to one reading at a time, in order.

Readings that somebody waits for go before those of jobs. Knows no HTTP and no picture.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from got_ocr.errors import ChildCrashed, GotOcrError, MissingDependency, ModelError, UsageError
from got_ocr.serve.child import Child, environment
from got_ocr.serve.problems import rebuild
from got_ocr.serve.wire import Message

MODULE = "got_ocr.serve.worker"
SETTLE_SECONDS = 30.0  # a step, or the encoding of a large picture, that is not done by then is killed
HOPELESS = 5  # attempts to load a model that never was there, whatever keeps it from that
BACKOFF = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
PATIENT, WAITED_FOR = 1, 0  # whose turn it is

log = logging.getLogger("got_ocr.serve")


@dataclass(frozen=True, slots=True)
class Model:
    """What a process said of its model."""

    name: str
    reads: tuple[str, ...]
    notice: str


@dataclass(slots=True, eq=False)
class Worker:
    """One process with the model in it, and the answers to the order that it works on."""

    child: Child
    answers: "asyncio.Queue[Message | None]" = field(default_factory=asyncio.Queue)
    order: int = 0
    busy: bool = False
    gone: bool = False

    async def read(self, message: Message, files: Sequence[int]) -> AsyncIterator[Message]:
        """Give an order; yield what comes back, a reading or a failure at last. Raises ChildCrashed."""
        self.order += 1
        self.busy = True
        self.child.send({**message, "do": "read", "order": self.order}, files)
        while True:
            answer = await self.answers.get()
            if answer is None:
                raise ChildCrashed("the model's process ended while it read this; it is being started again")
            if answer["order"] != self.order or answer["event"] == "idle":
                continue
            if answer["event"] == "failed":
                log.warning("reading failed", extra={"facts": {k: answer.get(k) for k in ("code", "kind", "trace")}})
                raise rebuild(answer["code"], answer["message"])
            yield answer
            if answer["event"] == "reading":
                return

    async def settle(self) -> bool:
        """Stop the order unless it is done; return whether the process is free again. A stubborn one is killed."""
        if not self.busy or self.gone:
            return not self.gone
        try:
            self.child.send({"do": "stop", "order": self.order})
            async with asyncio.timeout(SETTLE_SECONDS):
                while (answer := await self.answers.get()) is not None:
                    if answer["event"] == "idle" and answer["order"] == self.order:
                        self.busy = False
                        return True
        except (ChildCrashed, TimeoutError):
            self.child.kill()
        return False


class Fleet:
    """Hold `count` workers. Create, `start`, `lend`, `stop`.

    which: what the processes run (see `worker`). on_fatal: told when a model cannot be loaded at all.
    """

    def __init__(self, count: int, which: Mapping[str, object], on_fatal: Callable[[GotOcrError], None]) -> None:
        self.count = count
        self.restarts = 0
        self.model: Model | None = None
        self._which = dict(which)
        self._on_fatal = on_fatal
        self._failed = 0  # attempts to load the model
        self._all: set[Worker] = set()
        self._idle: deque[Worker] = deque()
        self._waiting: tuple[deque[asyncio.Future[Worker]], ...] = (deque(), deque())
        self._keepers: list[asyncio.Task[None]] = []
        self._returning: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Say whether at least one process has its model loaded."""
        return any(not worker.gone for worker in self._all)

    def start(self) -> None:
        """Start the processes in the background."""
        loop = asyncio.get_running_loop()
        self._keepers = [loop.create_task(self._keep()) for _ in range(self.count)]

    async def stop(self) -> None:
        """End every process."""
        for task in (*self._keepers, *self._returning):
            task.cancel()
        await asyncio.gather(*self._keepers, *self._returning, return_exceptions=True)
        await asyncio.gather(*(worker.child.ended() for worker in self._all))

    def kill_at_exit(self) -> None:
        """End every process without an event loop."""
        for worker in self._all:
            worker.child.kill_at_exit()

    def pids(self) -> list[int]:
        """List the processes."""
        return [worker.child.pid for worker in self._all]

    def waiting(self) -> int:
        """Count the readings that wait for a process."""
        return sum(not future.done() for line in self._waiting for future in line)

    @asynccontextmanager
    async def lend(self, turn: int = WAITED_FOR) -> AsyncIterator[Worker]:
        """Wait for a free process and hold it. When it is handed back it is stopped, in the background if need be."""
        worker = await self._take(turn)
        try:
            yield worker
        finally:
            self._hand_back(worker)

    async def _take(self, turn: int) -> Worker:
        while self._idle:
            worker = self._idle.popleft()
            if not worker.gone:
                return worker
        future: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting[turn].append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._give(future.result())
            raise

    def _give(self, worker: Worker) -> None:
        """Hand a free process to the one whose turn it is."""
        if worker.gone:
            return
        for line in self._waiting:
            while line:
                future = line.popleft()
                if not future.done():
                    future.set_result(worker)
                    return
        self._idle.append(worker)

    def _hand_back(self, worker: Worker) -> None:
        if not worker.busy:
            self._give(worker)
            return
        task = asyncio.get_running_loop().create_task(self._settle(worker))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _settle(self, worker: Worker) -> None:
        if await worker.settle():
            self._give(worker)

    async def _keep(self) -> None:
        """Keep one process running, with pauses that grow while it does not come up."""
        failures = 0
        while True:
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
            if await self._live():
                failures = 0
                self.restarts += 1
            else:
                failures += 1

    async def _live(self) -> bool:
        """Run one process until it ends; return whether it ever had its model."""
        child, worker = None, None
        try:
            child = await Child.start(MODULE, [json.dumps(self._which)], environment({}, whole=True))
            hello = await child.receive()
            if hello["event"] == "fatal":
                self._give_up(hello)
                return False
            self.model = Model(hello["name"], tuple(hello["reads"]), hello["notice"])
            worker = Worker(child)
            self._all.add(worker)
            self._give(worker)
            while True:
                worker.answers.put_nowait(await child.receive())
        except ChildCrashed:
            log.warning("the model's process ended", extra={"facts": {"had_model": worker is not None}})
            return worker is not None
        finally:
            if worker is not None:
                worker.gone = True
                self._all.discard(worker)
                worker.answers.put_nowait(None)
            if child is not None:
                await child.ended()

    def _give_up(self, hello: Message) -> None:
        """Tell that the model cannot be loaded: at once where another attempt is of no use, else after some."""
        self._failed += 1
        error = rebuild(hello["code"], hello["message"])
        lasting = isinstance(error, ModelError | UsageError | MissingDependency) or self._failed >= HOPELESS
        log.error("the model cannot be loaded", extra={"facts": {k: hello.get(k) for k in ("code", "kind", "trace")}})
        if self.model is None and lasting:
            self._on_fatal(error)
