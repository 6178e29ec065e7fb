"""Bodies, before anything believes them: bytes under a limit and a clock, JSON without surprises, base64 to the letter.

Knows no field of any request.
"""

import asyncio
import binascii
import json
import math
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NoReturn

from got_ocr.serve.problems import (
    BodyTooLarge,
    ClientGone,
    InvalidBase64,
    InvalidDataUrl,
    InvalidJson,
    RequestTimeout,
)
from got_ocr.serve.room import Hold

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_DEPTH = 32
MAX_PARTS = 100_000  # brackets and commas of one body; pictures in base64 have none
MAX_INT = 2**63
_SPACE = re.compile(rb"[ \t\r\n]+")
_PARAMETER = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}(=[A-Za-z0-9!#$&^_.+/-]{0,128})?")
_TYPE = re.compile(r"(?:image|application)/[A-Za-z0-9.+-]{1,64}")
_BASE64_PART = 1 << 20  # decoded at a time, so that other requests get their turn


async def read_body(
    receive: Receive, declared: int | None, hold: Hold, *, most: int, idle: float, total: float
) -> bytes:
    """Read a whole body. declared: its Content-Length. Raises BodyTooLarge, RequestTimeout, ClientGone, Overloaded."""
    if declared is not None and declared > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(total):
            more = True
            while more:
                async with asyncio.timeout(idle):
                    message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk = message.get("body", b"")
                if len(body) + len(chunk) > most:
                    raise _too_large(most)
                hold.take(len(chunk))
                body += chunk
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestTimeout(f"the body took longer than {total:g} seconds, or paused for {idle:g}") from None
    return bytes(body)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {most} bytes")


def parse_json(body: bytes) -> object:
    """Parse JSON as the standard has it: UTF-8, finite numbers, integers of 64 bits, no key twice, at most 32 deep.

    Raises InvalidJson.
    """
    if body.count(b"[") + body.count(b"{") + body.count(b",") > MAX_PARTS:
        raise InvalidJson(f"the body has more than {MAX_PARTS} parts")
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
            object_pairs_hook=_table,
        )
    except (ValueError, RecursionError):
        raise InvalidJson("the body is not valid JSON in UTF-8") from None
    _check(value)
    return value


def _integer(text: str) -> int:
    if len(text) > 20 or not -MAX_INT <= int(text) < MAX_INT:
        raise InvalidJson("an integer has more than 64 bits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidJson("a number is too large")
    return value


def _constant(_text: str) -> NoReturn:
    raise InvalidJson("NaN and Infinity are no JSON")


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise InvalidJson("an object has the same key twice")
    return table


def _check(value: object) -> None:
    """Walk the parsed value: not too deep, and every text can be written as UTF-8."""
    layer = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for item in layer:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str):
                _check_text(item)
        if not below:
            return
        layer = below
    raise InvalidJson(f"the body is nested deeper than {MAX_DEPTH}")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidJson("a text holds half of a surrogate pair") from None


async def decode_picture(text: str, most: int, param: str) -> bytes:
    """Decode base64 or a data URL of base64. Raises InvalidBase64, InvalidDataUrl, BodyTooLarge."""
    if text[:5].lower() == "data:":
        text = _data_url(text, param)
    return await decode_base64(text, most, param)


async def decode_base64(text: str, most: int, param: str) -> bytes:
    """Decode base64 with its padding; white space is passed over. Raises InvalidBase64, BodyTooLarge."""
    if not text.isascii():
        raise _bad_base64(param)
    data = text.encode("ascii")
    if any(space in data for space in b" \t\r\n"):
        data = _SPACE.sub(b"", data)
    if not data or len(data) % 4:
        raise _bad_base64(param)
    if len(data) // 4 * 3 - 2 > most:
        raise BodyTooLarge(f"a picture is larger than {most} bytes", param=param)
    decoded = bytearray()
    try:
        for start in range(0, len(data), _BASE64_PART):
            part = data[start : start + _BASE64_PART]
            if b"=" in part and start + _BASE64_PART < len(data):
                raise _bad_base64(param)
            decoded += binascii.a2b_base64(part, strict_mode=True)
            await asyncio.sleep(0)
    except binascii.Error:
        raise _bad_base64(param) from None
    if len(decoded) > most:
        raise BodyTooLarge(f"a picture is larger than {most} bytes", param=param)
    return bytes(decoded)


def _bad_base64(param: str) -> InvalidBase64:
    return InvalidBase64("the picture is not base64: its alphabet or padding is wrong, or it is empty", param=param)


def _data_url(text: str, param: str) -> str:
    """Cut the head off a data URL. The type that it claims is not believed, only what it may look like is checked."""
    head, comma, data = text[5:1000].partition(",")
    kind, *rest = head.split(";")
    good = bool(comma) and bool(rest) and rest[-1].lower() == "base64" and len(rest) <= 6
    if (
        not good
        or not _TYPE.fullmatch(kind or "image/png")
        or any(not _PARAMETER.fullmatch(part) for part in rest[:-1])
    ):
        raise InvalidDataUrl("a data URL is written data:image/png;base64,...", param=param)
    return data + text[1000:]
