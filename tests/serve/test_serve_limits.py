"""Bodies, JSON, base64 and forms, without a service around them."""

import asyncio
import base64
import contextlib
import json
import math
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr.errors import GotOcrError
from got_ocr.serve.forms import parse_multipart, parse_urlencoded
from got_ocr.serve.limits import MAX_DEPTH, decode_picture, parse_json, read_body
from got_ocr.serve.problems import (
    BodyTooLarge,
    ClientGone,
    InvalidBase64,
    InvalidDataUrl,
    InvalidJson,
    InvalidRequest,
    Overloaded,
    RequestTimeout,
)
from got_ocr.serve.room import Vault

BAD_JSON = {
    "empty": b"",
    "not json": b"image=abc",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": [-Infinity]}',
    "a number that overflows": b'{"a": 1e999}',
    "deep arrays": b"[" * 40 + b"]" * 40,
    "very deep arrays": b"[" * 50_000,
    "very deep objects": b'{"a":' * 40_000,
    "an integer of 65 bits": b'{"a": 18446744073709551616}',
    "an integer one too large": b'{"a": 9223372036854775808}',
    "an integer one too small": b'{"a": -9223372036854775809}',
    "a huge integer": b'{"a": ' + b"9" * 5000 + b"}",
    "a duplicate key": b'{"image": "a", "image": "b"}',
    "a duplicate key inside": b'{"a": {"b": 1, "b": 2}}',
    "bad utf-8": b'{"a": "\xff"}',
    "an overlong form": b'{"a": "\xc0\xaf"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate as a key": b'{"\\udfff": 1}',
    "a surrogate in utf-8": b'{"a": "\xed\xa0\x80"}',
    "a trailing comma": b'{"a": 1,}',
    "two values": b"{} {}",
    "a control character": b'{"a": "\x01"}',
    "single quotes": b"{'a': 1}",
    "a mark of byte order": b'\xef\xbb\xbf{"a": 1}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "many parts": b"[" + b"1," * 200_000 + b"1]",
    "a hexadecimal number": b'{"a": 0x10}',
    "a comment": b'{"a": 1} // x',
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_json_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson) as caught:
        parse_json(body)
    assert len(str(caught.value)) < 200


def test_json_as_the_standard_has_it_is_taken() -> None:
    value = {"a": [1, -(2**63), 2**63 - 1, 1.5, None, True, "é", "𝒳"], "b": {"c": "x" * 100_000}}
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@given(st.binary(max_size=300))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidJson):
        parse_json(data)


def decode(text: str, most: int = 1000) -> bytes:
    return asyncio.run(decode_picture(text, most, "image"))


@pytest.mark.parametrize("data", [b"a", b"ab", b"abc", bytes(range(256)), os.urandom(999)])
def test_base64_is_decoded(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert decode(text) == data
    assert decode(base64.encodebytes(data).decode()) == data
    assert decode("data:image/png;base64," + text) == data
    assert decode("DATA:image/svg+xml;name=x.png;charset=utf-8;BASE64," + text) == data


def test_large_base64_is_decoded_in_parts() -> None:
    data = os.urandom(2_500_000)
    assert decode(base64.b64encode(data).decode(), 3_000_000) == data


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "ab", "abc", "a===", "====", "ab=c", "YWJj!", "YWJ_", "YW-j", "é" * 4, "YWJjZA", "YWJj\x00AAA"],
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidBase64):
        decode(text)


def test_padding_stands_at_the_end_alone() -> None:
    text = base64.b64encode(b"a").decode() * 600_000
    with pytest.raises(InvalidBase64):
        decode(text, 10**7)


@pytest.mark.parametrize("size", [1001, 1002, 1003, 1500])
def test_pictures_have_their_size(size: int) -> None:
    with pytest.raises(BodyTooLarge):
        decode(base64.b64encode(b"x" * size).decode())
    assert len(decode(base64.b64encode(b"x" * 1000).decode())) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "data:",
        "data:,",
        "data:image/png,YWJj",
        "data:image/png;base64",
        "data:text/html;base64,YWJj",
        "data:video/mp4;base64,YWJj",
        "data:image/png;a;b;c;d;e;f;base64,YWJj",
        "data:image/png;a b=c;base64,YWJj",
        "data:image/png;=x;base64,YWJj",
        "data:image/" + "x" * 2000 + ";base64,YWJj",
        "data:base64,YWJj",
    ],
)
def test_data_urls_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidDataUrl):
        decode(text)


def test_a_second_comma_is_no_base64() -> None:
    with pytest.raises(InvalidBase64):
        decode("data:image/png;base64,YWJj,YWJj")


def body(chunks: list[dict[str, Any]], declared: int | None = None, most: int = 100, memory: int = 10**6) -> bytes:
    async def run() -> bytes:
        waiting = list(chunks)

        async def receive() -> dict[str, Any]:
            if not waiting:
                await asyncio.sleep(10)
            chunk = waiting.pop(0)
            await asyncio.sleep(chunk.pop("pause", 0))
            return chunk

        vault = Vault(memory, memory)
        with vault.open() as hold:
            found = await read_body(receive, declared, hold, most=most, idle=0.1, total=0.3)
            assert vault.held == len(found)
        assert vault.held == 0
        return found

    return asyncio.run(run())


def chunk(data: bytes, more: bool = True, pause: float = 0) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more, "pause": pause}


def test_a_body_is_put_together() -> None:
    assert body([chunk(b"ab"), chunk(b""), chunk(b"c", more=False)], declared=3) == b"abc"
    assert body([{"type": "http.request"}]) == b""


@pytest.mark.parametrize(
    ("chunks", "declared", "error"),
    [
        ([], 101, BodyTooLarge),
        ([chunk(b"x" * 60), chunk(b"x" * 60)], None, BodyTooLarge),
        ([chunk(b"x" * 60), chunk(b"x" * 60)], 10, BodyTooLarge),
        ([chunk(b"x")], None, RequestTimeout),
        ([chunk(b"x", pause=0.05)] * 10, None, RequestTimeout),
        ([chunk(b"x"), {"type": "http.disconnect"}], None, ClientGone),
    ],
)
def test_bodies_have_their_bounds(chunks: list[dict[str, Any]], declared: int | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        body([dict(part) for part in chunks], declared)


def test_bodies_count_against_what_the_service_holds() -> None:
    with pytest.raises(BodyTooLarge, match="may hold"):
        body([chunk(b"x" * 50)], memory=40)

    async def run() -> None:
        vault = Vault(100, 60)
        with vault.open() as one, vault.open() as other:
            one.take(50)
            with pytest.raises(Overloaded):
                other.take(51)
            other.take(50)
        assert vault.held == 0

    asyncio.run(run())


def test_files_are_held_counted_and_closed() -> None:
    vault = Vault(1000, 1000)
    before = set(os.listdir("/proc/self/fd"))
    with vault.open() as hold:
        first, second = hold.file(b"abc"), hold.file(size=10)
        os.write(second, b"x" * 40)
        hold.grow(second)
        assert (vault.held, hold.read(first), hold.read(second)) == (43, b"abc", b"x" * 40)
        hold.grow(second)
        hold.drop(first)
        assert vault.held == 40
        with pytest.raises(GotOcrError):
            hold.file(b"x" * 961)
        os.write(second, b"x" * 2000)
        with pytest.raises(GotOcrError):
            hold.grow(second)
    assert vault.held == 0
    assert set(os.listdir("/proc/self/fd")) == before


def multipart(*parts: bytes, boundary: bytes = b"B", end: bytes = b"--B--\r\n") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + end


def named(name: str, value: bytes, more: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


def test_forms_are_taken_apart() -> None:
    data = multipart(
        named("mode", b"format"),
        named("file", b"\x00\x01", '; filename="../../etc/passwd"'),
        named("empty", b"", '; filename=""'),
    )
    form = parse_multipart(data, "multipart/form-data; boundary=B", 8)
    assert form.fields == {"mode": "format"}
    assert form.files == [("file", b"\x00\x01")]


BROKEN_FORMS: dict[str, tuple[bytes, str]] = {
    "no boundary": (b"", "multipart/form-data"),
    "an empty boundary": (b"", 'multipart/form-data; boundary=""'),
    "a long boundary": (b"", "multipart/form-data; boundary=" + "x" * 300),
    "another boundary": (multipart(named("a", b"b"), boundary=b"C"), "multipart/form-data; boundary=B"),
    "no end": (multipart(named("a", b"b"), end=b""), "multipart/form-data; boundary=B"),
    "nothing": (b"", "multipart/form-data; boundary=B"),
    "no disposition": (multipart(b"X: y\r\n\r\nx"), "multipart/form-data; boundary=B"),
    "an attachment": (
        multipart(b'Content-Disposition: attachment; name="a"\r\n\r\nx'),
        "multipart/form-data; boundary=B",
    ),
    "a long name": (multipart(named("n" * 101, b"x")), "multipart/form-data; boundary=B"),
    "a long header": (multipart(named("a", b"x", "; x=" + "y" * 5000)), "multipart/form-data; boundary=B"),
    "many parts": (multipart(*[named("a", b"x")] * 100), "multipart/form-data; boundary=B"),
    "no utf-8": (multipart(named("a", b"\xff")), "multipart/form-data; boundary=B"),
    "a bad header": (multipart(b"no colon\r\n\r\nx"), "multipart/form-data; boundary=B"),
}


@pytest.mark.parametrize("case", BROKEN_FORMS.values(), ids=BROKEN_FORMS.keys())
def test_broken_forms_are_refused(case: tuple[bytes, str]) -> None:
    with pytest.raises(InvalidRequest):
        parse_multipart(*case, 8)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(data: bytes) -> None:
    parsers: list[Callable[[], object]] = [
        lambda: parse_multipart(b"--B\r\n" + data, "multipart/form-data; boundary=B", 2),
        lambda: parse_urlencoded(data),
    ]
    for parse in parsers:
        with contextlib.suppress(InvalidRequest):
            parse()


def test_urlencoded_forms() -> None:
    assert parse_urlencoded(b"text=a%20b&kind=&x=%C3%A9").fields == {"text": "a b", "kind": "", "x": "é"}
    for bad in (b"a=%ff", b"\xff", b"&".join(b"a=1" for _ in range(100))):
        with pytest.raises(InvalidRequest):
            parse_urlencoded(bad)


def test_clocks_are_finite() -> None:
    from got_ocr.serve.settings import Settings

    fields = Settings.model_fields
    for name in ("header_seconds", "body_idle", "body_seconds", "write_stall", "keep_alive", "drain", "deadline"):
        assert math.isfinite(fields[name].default)
