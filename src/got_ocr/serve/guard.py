"""Sockets: how many, how slow, how large their headers; and the end of the service. Under the application, over uvicorn.

Knows no request's meaning.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from types import FrameType

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from got_ocr.serve.gate import MAX_HEADER_BYTES
from got_ocr.serve.settings import Settings

READ_SIZE = 16 << 10  # bytes taken from a socket at once
AHEAD = 8 << 10  # bytes of a body that may wait for the application
SEND_BUFFER = 128 << 10  # what the system keeps for a client that does not read
BACKLOG = 2048
HEADERS_TOO_LARGE = 431


class Config(uvicorn.Config):
    """uvicorn's configuration, with our settings for the protocol. Nothing of uvicorn's own is told or logged."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            http=Guarded,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # no proxy's word is taken
            server_header=False,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            timeout_keep_alive=max(1, round(settings.keep_alive)),
            timeout_graceful_shutdown=3,
            backlog=BACKLOG,
        )
        self.settings = settings


class Guarded(H11Protocol):
    """One connection, held to the settings' clocks."""

    config: Config
    _head: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    @property
    def _settings(self) -> Settings:
        return self.config.settings

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request's headers."""
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        transport.max_size = READ_SIZE  # type: ignore[attr-defined]
        if len(self.connections) > self._settings.connections:
            transport.abort()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._stop_clocks()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a body is not read far ahead of the application."""
        self._unset_keepalive_if_required()
        if self._head is None and self._between_requests():
            self._wait_for_head()
        super().data_received(data)
        if not self._between_requests():
            self._stop_head()
            if len(self.cycle.body) > AHEAD:
                self.flow.pause_reading()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._head = self.loop.call_later(self._settings.header_seconds, self._too_slow)

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()

    def _stop_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _stop_clocks(self) -> None:
        self._stop_head()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def on_response_complete(self) -> None:
        """Let uvicorn's own clock of idle connections run."""
        self._stop_head()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read."""
        super().pause_writing()
        self._stall = self.loop.call_later(self._settings.write_stall, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that clock."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, without a word of it; headers over the limit with their own status."""
        error = sys.exc_info()[1]
        large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == HEADERS_TOO_LARGE
        self._stop_clocks()
        head = b"431 Request Header Fields Too Large" if large else b"400 Bad Request"
        self.transport.write(b"HTTP/1.1 " + head + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


class Server(uvicorn.Server):
    """A server that answers 503 while it drains: the first signal drains, the second ends at once."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Serve until drained."""
        self._loop = asyncio.get_running_loop()
        await super().main_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal; it is not raised again at the end, so that a clean end is status 0."""
        if self._loop is None:
            self.should_exit = True
        elif self._draining is None:
            self._loop.call_soon_threadsafe(self._begin)
        else:
            self.should_exit = self.force_exit = True

    def _begin(self) -> None:
        if self._draining is None:
            self._draining = asyncio.get_running_loop().create_task(self._drain_and_exit())
        else:
            self.should_exit = self.force_exit = True

    async def _drain_and_exit(self) -> None:
        await self._drain()
        self.should_exit = True
