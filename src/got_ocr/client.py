"""A client of the service with the manners of `GotOcr`: same `read`, same `stream`, the same Readings come back.

Needs httpx alone: no model and no torch. What the service refuses is raised as the error that reading here would raise.
"""

import base64
import json
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from got_ocr import document
from got_ocr.errors import GotOcrError, InvalidValue, MissingDependency, RemoteError
from got_ocr.image import Limits, Source, display_name, load, read_bytes
from got_ocr.reading import Reading, Status
from got_ocr.serve.problems import Problem, rebuild
from got_ocr.task import Box, BoxMode, Color, Mode, Task

if TYPE_CHECKING:
    import httpx

RETRIES = 4
LONGEST_WAIT = 60.0
CONNECT_SECONDS = 10.0
AGAIN = (429, 503)
# What the service says beyond the statuses of a Reading: the text was cut, and a notice tells by what.
_CUT = {"deadline": "truncated", "shutdown": "truncated"}


class Client:
    """Read by a service. url: where it listens. api_key: where it asks for one. timeout: seconds for one answer.

    retries: how often to come back when the service is full or starting, waiting as long as it says.
    """

    def __init__(self, url: str, api_key: str | None = None, timeout: float = 600.0, retries: int = RETRIES) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingDependency("reading by a server needs httpx: pip install 'got-ocr[serve]'") from None
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.Client(
            base_url=_address(url), headers=headers, timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS)
        )
        self._retries = retries

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def read(
        self,
        source: Source | Sequence[Source],
        *,
        mode: Mode = "plain",
        box: Box | None = None,
        box_mode: BoxMode = "crop",
        color: Color | None = None,
        crop: bool = False,
        max_tiles: int | None = None,
        multi_page: bool = False,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int | None = None,
    ) -> Reading | list[Reading]:
        """Read as `GotOcr.read` does: one Reading for one page, a list of them for several. The first failed page raises.

        max_new_tokens: None for the service's own limit.
        """
        task = Task(mode, box, box_mode, color, crop, max_tiles, multi_page)
        readings: list[Reading] = []
        for names, pictures in _requests(source, task):
            body = _body(pictures, task, pages, profile, max_new_tokens)
            readings += [_reading(told, names) for told in self._send(body)["readings"]]
        return readings[0] if len(readings) == 1 else readings

    def stream(
        self,
        source: Source | Sequence[Source],
        *,
        mode: Mode = "plain",
        box: Box | None = None,
        box_mode: BoxMode = "crop",
        color: Color | None = None,
        crop: bool = False,
        max_tiles: int | None = None,
        multi_page: bool = False,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int | None = None,
    ) -> Iterator[str | Reading]:
        """Read as `GotOcr.stream` does: pieces of text as they are written, each page ending with its Reading."""
        task = Task(mode, box, box_mode, color, crop, max_tiles, multi_page)
        for piece in self.each(source, task=task, pages=pages, profile=profile, max_new_tokens=max_new_tokens):
            if isinstance(piece, GotOcrError):
                raise piece
            yield piece

    def each(
        self,
        source: Source | Sequence[Source],
        *,
        task: Task,
        pages: str | None = None,
        profile: str = "safe",
        max_new_tokens: int | None = None,
    ) -> Iterator[str | Reading | GotOcrError]:
        """Read as `stream` does, but go on after a page that failed: its error stands in its Reading's place."""
        for names, pictures in _requests(source, task):
            body = {**_body(pictures, task, pages, profile, max_new_tokens), "stream": True}
            yield from self._events(body, names)

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        for attempt in range(self._retries + 1):
            with self._open(body) as answer:
                self._receive(answer)
                if answer.status_code == 200:
                    return cast(dict[str, Any], _parse(answer.text))
                self._wait_or_raise(answer, attempt)
        raise AssertionError("unreachable")

    def _events(self, body: dict[str, Any], names: Sequence[str]) -> Iterator[str | Reading | GotOcrError]:
        for attempt in range(self._retries + 1):
            with self._open(body) as answer:
                if answer.status_code == 200:
                    yield from _pieces(self._lines(answer), names)
                    return
                self._receive(answer)
                self._wait_or_raise(answer, attempt)

    def _open(self, body: dict[str, Any]) -> "_Answer":
        return _Answer(self._http, body)

    def _receive(self, answer: "httpx.Response") -> None:
        with _Border():
            answer.read()

    def _lines(self, answer: "httpx.Response") -> Iterator[str]:
        with _Border():
            yield from answer.iter_lines()

    def _wait_or_raise(self, answer: "httpx.Response", attempt: int) -> None:
        """Wait as the service says, or raise what it refused with."""
        if answer.status_code not in AGAIN or attempt >= self._retries:
            raise _error(answer)
        time.sleep(min(max(_told_to_wait(answer, attempt), 0.05), LONGEST_WAIT))


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidValue("the server's address is written as in http://localhost:8000")
    return url.rstrip("/")


def _told_to_wait(answer: "httpx.Response", attempt: int) -> float:
    """Give the seconds that the service asks for, or ever more where it asks for none."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        told = answer.headers.get(name, "")
        if told.isascii() and told.isdigit() and len(told) < 9:
            return int(told) * unit
    return 2.0**attempt


class _Border:
    """Turn whatever the network does into an error of ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        import httpx

        if isinstance(error, httpx.TimeoutException):
            raise RemoteError("the server did not answer in time") from None
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL | httpx.StreamError):
            raise RemoteError("the server was not reached, or broke off: is its address right?") from None


class _Answer:
    """One answer that is open for reading."""

    def __init__(self, http: "httpx.Client", body: dict[str, Any]) -> None:
        self._http = http
        self._request = http.build_request("POST", "/v1/ocr", json=body)
        self._answer: httpx.Response | None = None

    def __enter__(self) -> "httpx.Response":
        with _Border():
            self._answer = self._http.send(self._request, stream=True)
        return self._answer

    def __exit__(self, *_: object) -> None:
        if self._answer is not None:
            self._answer.close()


def _requests(source: Source | Sequence[Source], task: Task) -> Iterator[tuple[list[str], list[bytes]]]:
    """Name what goes into one request: the pictures that are one text, or one document."""
    many = list(source) if isinstance(source, list | tuple) else None
    if many is not None and not task.multi_page:
        raise InvalidValue("a list of pictures is one text only with multi_page")
    documents = [_load(found) for given in many or [cast(Source, source)] for found in _files(given)]
    if task.multi_page:
        yield [name for name, _ in documents], [data for _, data in documents]
        return
    for name, data in documents:
        yield [name], [data]


def _files(source: Source) -> list[Source]:
    """List the documents of a folder; anything else is one."""
    if not isinstance(source, str | Path) or not Path(source).is_dir():
        return [source]
    return list(dict.fromkeys(page.path for page in document.pages(source) if page.path is not None))


def _load(source: Source) -> tuple[str, bytes]:
    """Give (name, bytes) of a document; what is no file becomes a PNG."""
    if isinstance(source, str | Path | bytes | bytearray | memoryview) or hasattr(source, "read"):
        data, name = read_bytes(source, Limits())  # type: ignore[arg-type]
        return display_name(name), data
    out = BytesIO()
    load(source).image.save(out, "PNG")
    return "picture", out.getvalue()


def _body(
    pictures: list[bytes], task: Task, pages: str | None, profile: str, max_new_tokens: int | None
) -> dict[str, Any]:
    fields = {
        "images": [base64.b64encode(data).decode() for data in pictures],
        "mode": task.mode,
        "box": list(task.box) if task.box else None,
        "box_mode": task.box_mode,
        "color": task.color,
        "crop": task.crop,
        "max_tiles": task.max_tiles,
        "multi_page": task.multi_page,
        "pages": pages,
        "profile": profile,
        "max_new_tokens": max_new_tokens,
        "token_ids": True,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise RemoteError("the server's answer is not what a got-ocr service says") from None


def _pieces(lines: Iterator[str], names: Sequence[str]) -> Iterator[str | Reading | GotOcrError]:
    """Read server-sent events. A stream that stops without its end is an error."""
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind == "piece":
            yield str(_parse(value)["text"])
        elif name == "data" and kind == "reading":
            told = _parse(value)
            yield _reading(told, names) if told["error"] is None else _rebuilt(told["error"])
        elif name == "data" and kind == "error":
            raise _rebuilt(_parse(value)["error"])
        elif name == "data" and kind == "end":
            return
    raise RemoteError("the server broke off before the end")


def _reading(told: dict[str, Any], names: Sequence[str]) -> Reading:
    """Make the Reading again. Raises what kept a page from being read."""
    if told["error"] is not None:
        raise _rebuilt(told["error"])
    status = _CUT.get(told["status"], told["status"])
    return Reading(
        text=told["text"],
        status=cast(Status, status),
        token_ids=tuple(told["token_ids"] or ()),
        tokens=told["tokens"],
        seconds=told["seconds"],
        page=told["page"],
        source=names[min(told["document"], len(names)) - 1],
        model=told["model"],
        notices=(*told["notices"], *([f"stopped:{told['status']}"] if status != told["status"] else [])),
    )


def _error(answer: "httpx.Response") -> GotOcrError:
    try:
        told = json.loads(answer.text)["error"]
        return _rebuilt(told)
    except (ValueError, KeyError, TypeError):
        return RemoteError(f"the server answered with status {answer.status_code}")


def _rebuilt(told: dict[str, Any]) -> GotOcrError:
    """Give the error of a code: reading's own where there is one, else a refusal of the server."""
    error = rebuild(str(told["code"]), str(told["message"]))
    if isinstance(error, Problem) or type(error) is GotOcrError:
        return RemoteError(f"the server refused: {error} ({told['code']})")
    return error
