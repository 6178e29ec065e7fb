"""A few limited processes that take one job at a time; one that dies, hangs or is no longer waited for is replaced.

Knows what a job costs in time, not what it does (that is `chore`).
"""

import asyncio
import json
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from got_ocr.errors import ChildCrashed, GotOcrError
from got_ocr.serve.child import ONE_THREAD, Child, environment
from got_ocr.serve.problems import rebuild
from got_ocr.serve.wire import Message

MODULE = "got_ocr.serve.chore"
JOBS_PER_CHILD = 1000  # then it is replaced, so that nothing it may have kept outlives it for long
START_SECONDS = 60.0
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may use. memory, file: bytes. seconds: of processor time and (with a margin) of wall time a job."""

    role: str
    memory: int
    file: int
    seconds: int
    pixels: int


@dataclass(slots=True, eq=False)
class _Hand:
    child: Child
    jobs: int = 0


class Chores:
    """Hold `count` processes ready. Create, `start`, `run` jobs, `stop`."""

    def __init__(self, count: int, limits: Limits) -> None:
        self.limits = limits
        self.count = count
        self.replaced = 0
        self._idle: asyncio.LifoQueue[_Hand] = asyncio.LifoQueue()
        self._all: set[_Hand] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._refused = False  # the latest attempt to start a process came to nothing

    def start(self) -> None:
        """Start the processes in the background."""
        for _ in range(self.count):
            self._replace()

    async def stop(self) -> None:
        """End every process."""
        self._stopped = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        hands, self._all = list(self._all), set()
        await asyncio.gather(*(hand.child.ended() for hand in hands))

    def kill_at_exit(self) -> None:
        """End every process without an event loop."""
        for hand in self._all:
            hand.child.kill_at_exit()

    def pids(self) -> list[int]:
        """List the processes."""
        return [hand.child.pid for hand in self._all]

    async def run(self, message: Message, files: Sequence[int], fatal: GotOcrError) -> Message:
        """Do one job; whoever stops waiting for it stops it.

        Raises what the job raised; `fatal` where it took too long or brought its process down; ChildCrashed where the
        process was killed from outside, or where none can be started.
        """
        hand = await self._ready()
        healthy = False
        try:
            async with asyncio.timeout(self.limits.seconds):
                hand.child.send(message, files)
                answer = await hand.child.receive()
            healthy = True
        except TimeoutError:
            raise fatal from None
        except ChildCrashed as gone:
            raise gone if await hand.child.ended() == -signal.SIGKILL else fatal from None
        finally:
            self._return(hand, healthy)
        if answer["event"] == "failed":
            raise rebuild(answer["code"], answer["message"])
        return answer

    async def _ready(self) -> _Hand:
        """Wait for a process that is idle and, as far as can be told, alive; for as long as there is one at all."""
        while True:
            try:
                async with asyncio.timeout(START_SECONDS):
                    hand = await self._idle.get()
            except TimeoutError:
                if self._all or not self._refused:
                    continue
                raise ChildCrashed("no process for this work could be started") from None
            if hand.child.alive():
                return hand
            self._return(hand, False)

    def _return(self, hand: _Hand, healthy: bool) -> None:
        hand.jobs += 1
        if healthy and hand.jobs < JOBS_PER_CHILD and not self._stopped:
            self._idle.put_nowait(hand)
            return
        self._all.discard(hand)
        hand.child.kill()
        self.replaced += 0 if healthy else 1
        self._replace()

    def _replace(self) -> None:
        if self._stopped:
            return
        task = asyncio.get_running_loop().create_task(self._open())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _open(self) -> None:
        """Start one process; try again, with pauses, until there is one."""
        while True:
            child = None
            try:
                child = await Child.start(MODULE, [json.dumps(asdict(self.limits))], environment(ONE_THREAD))
                async with asyncio.timeout(START_SECONDS):
                    await child.receive()
            except (ChildCrashed, TimeoutError):
                if child is not None:
                    child.kill()
                self._refused = True
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            except asyncio.CancelledError:
                if child is not None:
                    await child.ended()
                raise
            hand = _Hand(child)
            self._refused = False
            self._all.add(hand)
            self._idle.put_nowait(hand)
            return
