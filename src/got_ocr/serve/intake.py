"""From a request to its parsed body and the files of its pictures. Everything is counted before it is decoded.

Knows content types and where pictures stand in a body; knows no route.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from got_ocr.errors import TooManyImages
from got_ocr.serve.fetch import Fetcher
from got_ocr.serve.forms import Form, parse_multipart, parse_urlencoded
from got_ocr.serve.limits import decode_picture, parse_json, read_body
from got_ocr.serve.problems import (
    BodyTooLarge,
    InvalidRequest,
    RemoteImagesDisabled,
    UnsupportedMediaType,
    UrlNotAllowed,
)
from got_ocr.serve.room import Hold
from got_ocr.serve.settings import Settings

_WHOLE = frozenset({"max_tiles", "max_new_tokens", "page"})
_DECIMAL = frozenset({"dpi", "deadline"})
_TRUTH = frozenset({"crop", "multi_page", "render", "stream", "token_ids"})
_TRUTHS = {
    "true": True,
    "1": True,
    "on": True,
    "yes": True,
    "false": False,
    "0": False,
    "off": False,
    "no": False,
    "": False,
}


@dataclass(frozen=True, slots=True)
class Received:
    """A request's body. fields: JSON, or a form's texts as JSON would have them. files: of a form, in order."""

    fields: dict[str, object]
    files: tuple[bytes, ...] = ()


class Intake:
    """Read bodies. One a service."""

    def __init__(self, settings: Settings, fetcher: Fetcher | None) -> None:
        self._settings = settings
        self._fetcher = fetcher

    async def receive(self, request: Request, hold: Hold, *, forms: bool = True) -> Received:
        """Read and parse the body. Raises the problems of `limits` and `forms`, UnsupportedMediaType."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        if not json and not (forms and kind in ("multipart/form-data", "application/x-www-form-urlencoded")):
            raise UnsupportedMediaType("send application/json" + (" or multipart/form-data" if forms else ""))
        body = await self._body(request, hold)
        try:
            if json:
                return _from_json(parse_json(body))
            if kind == "multipart/form-data":
                form = parse_multipart(body, request.headers["content-type"], self._settings.max_images)
            else:
                form = parse_urlencoded(body)
            return _from_form(form)
        finally:
            hold.give(len(body))

    async def _body(self, request: Request, hold: Hold) -> bytes:
        settings = self._settings
        declared = request.headers.get("content-length", "")
        length = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 19 else None
        return await read_body(
            request.receive,
            length,
            hold,
            most=settings.max_body,
            idle=settings.body_idle,
            total=settings.body_seconds,
        )

    async def pictures(self, texts: Sequence[tuple[str, str]], files: Sequence[bytes], hold: Hold) -> list[int]:
        """Put pictures into files of their own. texts: (field, base64 or data URL or address). files: as uploaded.

        Raises TooManyImages before anything is decoded, InvalidRequest where there is none.
        """
        settings = self._settings
        if len(texts) + len(files) > settings.max_images:
            raise TooManyImages(f"one request carries at most {settings.max_images} pictures")
        if not texts and not files:
            raise InvalidRequest("the request carries no picture", param="image")
        for data in files:
            if len(data) > settings.max_image:
                raise BodyTooLarge(f"a picture is larger than {settings.max_image} bytes")
        held = [hold.file(data) for data in files]
        for param, text in texts:
            held.append(hold.file(await self._picture(text, param)))
        return held

    async def _picture(self, text: str, param: str) -> bytes:
        scheme = _scheme(text)
        if scheme in ("", "data"):
            return await decode_picture(text, self._settings.max_image, param)
        if scheme not in ("http", "https"):
            raise UrlNotAllowed
        if self._fetcher is None:
            raise RemoteImagesDisabled("addresses are not fetched here: send the picture itself", param=param)
        return await self._fetcher.fetch(text)


def _scheme(text: str) -> str:
    """Give what stands before a colon near the beginning: base64 has none."""
    head, colon, _ = text[:64].partition(":")
    return head.strip().lower() or "?" if colon else ""


def _from_json(value: object) -> Received:
    if not isinstance(value, dict):
        raise InvalidRequest("the body is a JSON object")
    return Received(value)


def _from_form(form: Form) -> Received:
    """Give a form's texts the types that JSON would have; what does not fit stays a text, for the schema to refuse."""
    return Received(
        {name: _typed(name, text) for name, text in form.fields.items()}, tuple(data for _, data in form.files)
    )


def _typed(name: str, text: str) -> object:
    word = text.strip()
    if name in _TRUTH:
        return _TRUTHS.get(word.lower(), text)
    if word == "" and name not in ("text", "image"):
        return None
    try:
        if name in _WHOLE:
            return int(word) if len(word) < 12 else text
        if name in _DECIMAL:
            return float(word) if math.isfinite(float(word)) else text
        if name == "box":
            return [int(part) for part in word.strip("[]()").split(",") if len(part) < 12]
    except ValueError:
        return text
    return text
