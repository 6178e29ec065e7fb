"""Waiting for work on behalf of a client that may leave: for the whole answer, or event by event. Knows no reading's meaning.

Whoever leaves stops the work at once, whether it is queued, decoded, read or being sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from got_ocr.errors import GotOcrError
from got_ocr.serve.answers import PageResult
from got_ocr.serve.problems import ClientGone
from got_ocr.serve.reader import Emit, Event

HEARTBEAT_SECONDS = 10.0
Made = TypeVar("Made")
Work = Callable[[Emit], Coroutine[Any, Any, list[PageResult]]]


async def until_gone(receive: Receive, work: Coroutine[Any, Any, Made]) -> Made:
    """Wait for work while the client does; raises ClientGone, and stops the work, when the client is gone."""
    task = asyncio.create_task(work)
    watch = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        await _end(task, watch)


async def _gone(receive: Receive) -> None:
    """Wait until the client has closed its connection. The body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Writer(Protocol):
    """Write events in the form of one protocol."""

    def event(self, event: Event) -> bytes:
        """Write an event; nothing for one that the protocol does not tell."""
        ...

    def end(self, results: list[PageResult]) -> bytes:
        """Write the end of a reading that came to one."""
        ...

    def failed(self, error: GotOcrError) -> bytes:
        """Write the end of a reading that failed after it had begun."""
        ...


class EventStream(Response):
    """Answer by server-sent events. What fails before the first event fails as any answer does.

    stack: what the request holds; let go of at the end.
    """

    media_type = "text/event-stream"

    def __init__(
        self, work: Work, writer: Writer, stack: AsyncExitStack, note: Callable[[list[PageResult]], None]
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["x-accel-buffering"] = "no"
        self._work = work
        self._writer = writer
        self._stack = stack
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send."""
        async with self._stack:
            inbox: asyncio.Queue[Event | None] = asyncio.Queue()
            task = asyncio.create_task(self._work(inbox.put_nowait))
            watch = asyncio.create_task(_gone(receive))
            for ending in (task, watch):
                ending.add_done_callback(lambda _: inbox.put_nowait(None))
            try:
                await self._send(inbox, task, watch, send)
            finally:
                await _end(task, watch)

    async def _send(
        self,
        inbox: "asyncio.Queue[Event | None]",
        task: "asyncio.Task[list[PageResult]]",
        watch: "asyncio.Task[None]",
        send: Send,
    ) -> None:
        event = await inbox.get()
        if event is None and not watch.done() and task.exception() is not None:
            task.result()  # raises: nothing has been sent, so it is answered with its own status
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        while event is not None:
            await _body(send, self._writer.event(event))
            event = await self._next(inbox, send)
        if not task.done():
            raise ClientGone
        await _body(send, self._last(task))
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, inbox: "asyncio.Queue[Event | None]", send: Send) -> Event | None:
        """Wait for the next event; say now and then that the answer is still being made."""
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    return await inbox.get()
            except TimeoutError:
                await _body(send, b": still reading\n\n")

    def _last(self, task: "asyncio.Task[list[PageResult]]") -> bytes:
        try:
            results = task.result()
        except GotOcrError as error:
            return self._writer.failed(error)
        self._note(results)
        return self._writer.end(results)


async def _body(send: Callable[[dict[str, Any]], Awaitable[None]], data: bytes) -> None:
    if data:
        await send({"type": "http.response.body", "body": data, "more_body": True})
