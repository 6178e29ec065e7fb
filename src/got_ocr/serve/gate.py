"""What every request passes: its id, size of headers, host, key and origin; and what every answer gets: headers, log, metrics.

A plain ASGI layer around the whole application, so that nothing is left out. Deny by default. Knows no route's meaning.
"""

import asyncio
import base64
import binascii
import contextlib
import logging
import math
import re
import secrets
import time
import traceback
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from got_ocr.errors import GotOcrError
from got_ocr.serve.problems import (
    BadHost,
    BodyTooLarge,
    ClientGone,
    CrossSite,
    HeadersTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    NotReady,
    Unauthorized,
    body,
    retry_after,
)
from got_ocr.serve.service import Service
from got_ocr.serve.settings import LOOPBACK_HOSTS

OPEN = frozenset({"/livez", "/readyz", "/healthz"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 << 10
LINGER_BYTES = 64 << 10
LINGER_SECONDS = 2.0
CLIENT_GONE = 499
POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-resource-policy": "same-origin",
}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")

log = logging.getLogger("got_ocr.serve")


@dataclass(slots=True)
class Visit:
    """What is known of one request for its log line. facts: what a route adds."""

    request_id: str
    owner: str = ""
    status: int = 0
    code: str = ""
    started: bool = False
    body_read: bool = False
    facts: dict[str, object] = field(default_factory=dict)


class Gate:
    """Guard an application. hosts: allowed in the Host header, None for any."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        settings = service.settings
        names = settings.allowed_hosts or (LOOPBACK_HOSTS if settings.loopback else ())
        self._hosts = frozenset(name.lower().strip("[]") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = Visit("req_" + secrets.token_hex(12))
        scope.setdefault("state", {})["visit"] = visit
        began = time.perf_counter()
        try:
            await self._answer(scope, receive, send, visit)
        except ClientGone:
            visit.status, visit.code = CLIENT_GONE, "client_gone"
        finally:
            self._record(scope, visit, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        door = _Door(receive, send, visit, scope["method"] in ("POST", "PUT", "PATCH"))
        try:
            self._check(scope, visit)
            await self._app(scope, door.receive, door.send)
        except GotOcrError as error:
            await self._refuse(error, scope, door, visit)
        except HTTPException as error:
            await self._refuse(_framework(error, scope), scope, door, visit)
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception as error:  # the border: a defect of ours is logged by place and answered without a word of it
            frames = traceback.extract_tb(error.__traceback__)[-12:]
            facts = {"kind": type(error).__name__, "trace": [f"{frame.name}:{frame.lineno}" for frame in frames]}
            log.error("defect", extra={"facts": {"request_id": visit.request_id, **facts}})
            await self._refuse(GotOcrError("the server has a defect; its log tells more"), scope, door, visit)

    def _check(self, scope: Scope, visit: Visit) -> None:
        """Let a request in. Raises HeadersTooLarge, BadHost, Unauthorized, CrossSite, NotReady."""
        raw = scope["headers"]
        if len(raw) > MAX_HEADERS or sum(len(name) + len(value) for name, value in raw) > MAX_HEADER_BYTES:
            raise HeadersTooLarge(f"at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes in all are read")
        headers = Headers(scope=scope)
        self._check_host(headers)
        if scope["path"] in OPEN:
            return
        owner = self._service.keys.owner(_key(headers))
        if owner is None:
            raise Unauthorized
        visit.owner = owner
        if scope["method"] not in SAFE_METHODS:
            _check_origin(headers)
            if self._service.state.draining:
                raise NotReady("the service is shutting down", retry_after=5.0)

    def _check_host(self, headers: Headers) -> None:
        if not self._hosts:
            return
        hosts = headers.getlist("host")
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None or match[1].lower().strip("[]") not in self._hosts:
            raise BadHost

    async def _refuse(self, error: GotOcrError, scope: Scope, door: "_Door", visit: Visit) -> None:
        """Answer with an error, unless an answer has begun."""
        if visit.started:
            raise ClientGone  # half an answer is out; cutting the connection is the only honest end
        visit.code = error.code
        await JSONResponse(body(error, visit.request_id), error.http_status, _refusal_headers(error, scope))(
            scope, door.receive, door.send
        )

    def _record(self, scope: Scope, visit: Visit, seconds: float) -> None:
        route = scope.get("route")
        path = getattr(route, "path", "other")
        self._service.metrics.request(path, scope["method"] if route else "other", visit.status, visit.code, seconds)
        facts = {
            "request_id": visit.request_id,
            "route": path,
            "status": visit.status,
            "code": visit.code or None,
            "seconds": round(seconds, 4),
            **visit.facts,
        }
        level = logging.DEBUG if scope["path"] in OPEN or path == "/metrics" else logging.INFO
        log.log(level, "request", extra={"facts": facts})


class _Door:
    """Watch what comes in and goes out of the application: headers for every answer, a body left unread."""

    def __init__(self, receive: Receive, send: Send, visit: Visit, has_body: bool) -> None:
        self._receive = receive
        self._send = send
        self._visit = visit
        self._open = has_body

    async def receive(self) -> Message:
        """Pass on what comes in."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._open = False
        return message

    async def send(self, message: Message) -> None:
        """Pass on what goes out. A body that the answer did not wait for is swallowed first, within bounds."""
        if message["type"] == "http.response.start":
            self._visit.started, self._visit.status = True, message["status"]
            _complete(message, self._visit)
        elif self._open and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        """Wait a little: closing at once would reset the connection before the client has read its answer.

        What is left of a body that may be sent is read meanwhile; of one that may not, nothing more.
        """
        read = LINGER_BYTES if self._visit.code == BodyTooLarge.code else 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while self._open and read < LINGER_BYTES:
                    read += len((await self.receive()).get("body", b""))
                if self._open:
                    await asyncio.sleep(LINGER_SECONDS / 2)


def _complete(message: MutableMapping[str, Any], visit: Visit) -> None:
    """Add the headers that every answer has, unless the route has set its own."""
    present = {name.lower() for name, _ in message["headers"]}
    extra = {"x-request-id": visit.request_id, **HEADERS}
    message["headers"] = [
        *message["headers"],
        *((name.encode(), value.encode()) for name, value in extra.items() if name.encode() not in present),
    ]


def _refusal_headers(error: GotOcrError, scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    wait = retry_after(error)
    if wait is not None:
        found["retry-after"] = str(math.ceil(wait))
        found["retry-after-ms"] = str(round(wait * 1000))
    if isinstance(error, Unauthorized):
        # A browser asks its user for the key (as the password) only where a page was asked for.
        page = "text/html" in Headers(scope=scope).get("accept", "")
        found["www-authenticate"] = 'Basic realm="got-ocr", charset="UTF-8"' if page else "Bearer"
    if isinstance(error, MethodNotAllowed) and error.allow:
        found["allow"] = error.allow
    if isinstance(error, BodyTooLarge | HeadersTooLarge):
        found["connection"] = "close"
    return found


def _framework(error: HTTPException, scope: Scope) -> GotOcrError:
    """Say what the framework refused in our own words."""
    if error.status_code == 405:
        routes = (route for route in scope["app"].routes if route.matches(scope)[0] is not Match.NONE)
        return MethodNotAllowed(", ".join(sorted({method for route in routes for method in route.methods})))
    return NotFound() if error.status_code == 404 else InvalidRequest("the request cannot be understood")


def _key(headers: Headers) -> str | None:
    """Find the API key: a bearer token, the password of a browser's login, or its own header."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            return None
    return headers.get("x-api-key")


def _check_origin(headers: Headers) -> None:
    """Refuse what a page of another site sends: a browser adds the user's login to it unasked. Raises CrossSite."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site in ("same-origin", "none") or (site is None and origin is None):
        return  # no page can set or leave out this header; where it is, it tells more than the other
    if site is not None or origin is None:
        raise CrossSite
    try:
        same = urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:
        same = False
    if not same:
        raise CrossSite
