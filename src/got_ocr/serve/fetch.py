"""Fetching a picture from an allowed host, with as little trust as can be. Used only where the settings name hosts.

The connection goes to the very address that was checked, so that a name that changes its answer gains nothing. Knows no
picture.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

import h11

from got_ocr.errors import DeadlineExceeded
from got_ocr.serve.addresses import Target, check_addresses, check_url, follow
from got_ocr.serve.problems import BodyTooLarge, UrlFetchFailed, UrlNotAllowed

HOPS = 3
SECONDS = 15.0
REDIRECTS = (301, 302, 303, 307, 308)
MAX_HEAD = READ_SIZE = 16 << 10

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Resolve = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[str, Target], Awaitable[Streams]]


async def resolve(host: str, port: int) -> list[str]:
    """Look a name up."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def connect(address: str, target: Target) -> Streams:
    """Connect to an address in the name of a target; its certificate must be the name's."""
    if target.scheme == "http":
        return await asyncio.open_connection(address, target.port)
    context = ssl.create_default_context()
    return await asyncio.open_connection(address, target.port, ssl=context, server_hostname=target.host)


class Fetcher:
    """Fetch pictures. hosts: names, or `*` for any public one. most: bytes of one picture."""

    def __init__(
        self, hosts: tuple[str, ...], most: int, resolver: Resolve = resolve, connector: Connect = connect
    ) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._most = most
        self._resolve = resolver
        self._connect = connector

    async def fetch(self, url: str) -> bytes:
        """Fetch one picture. Raises UrlNotAllowed, UrlFetchFailed, BodyTooLarge, DeadlineExceeded."""
        target = check_url(url, self._hosts)
        try:
            async with asyncio.timeout(SECONDS):
                for _ in range(HOPS + 1):
                    data, location = await self._ask(target)
                    if location is None:
                        return data
                    target = follow(target, location, self._hosts)
        except TimeoutError:
            raise DeadlineExceeded("the picture could not be fetched in time") from None
        except (OSError, h11.RemoteProtocolError, UnicodeError):
            raise UrlFetchFailed("the picture could not be fetched from that address") from None
        raise UrlNotAllowed

    async def _ask(self, target: Target) -> tuple[bytes, str | None]:
        """Ask one server; give its bytes, or where it sends us."""
        address = check_addresses(await self._resolve(target.host, target.port))
        reader, writer = await self._connect(address, target)
        try:
            return await self._talk(target, reader, writer)
        finally:
            writer.close()

    async def _talk(
        self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[bytes, str | None]:
        talk = h11.Connection(h11.CLIENT, MAX_HEAD)
        headers = [
            ("host", target.host),
            ("accept", "image/*, application/pdf"),
            ("accept-encoding", "identity"),
            ("user-agent", "got-ocr"),
            ("connection", "close"),
        ]
        writer.write(talk.send(h11.Request(method="GET", target=target.path, headers=headers)) or b"")
        writer.write(talk.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        location, data = None, bytearray()
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                talk.receive_data(await reader.read(READ_SIZE))
            elif isinstance(event, h11.Response):
                location = self._head(event)
                if location is not None:
                    return b"", location
            elif isinstance(event, h11.Data):
                data += event.data
                if len(data) > self._most:
                    raise BodyTooLarge(f"a picture is larger than {self._most} bytes")
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return bytes(data), None

    def _head(self, response: h11.Response) -> str | None:
        """Judge an answer's head; give where it redirects to, None where the picture follows."""
        headers = {name.decode("ascii"): value for name, value in response.headers}
        if response.status_code in REDIRECTS:
            return headers.get("location", b"").decode("ascii")
        if response.status_code != 200 or headers.get("content-encoding", b"identity").lower() != b"identity":
            raise UrlFetchFailed("the picture could not be fetched from that address")
        length = headers.get("content-length", b"0")
        if length.isdigit() and int(length[:18]) > self._most:
            raise BodyTooLarge(f"a picture is larger than {self._most} bytes")
        return None
