"""The client: same manners as reading here, errors by their classes, patience where the service asks for it."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from serve_kit import Running, Start, picture, png

from got_ocr import client as module
from got_ocr.client import Client
from got_ocr.errors import (
    ImageTruncated,
    InputNotFound,
    InvalidValue,
    NumericError,
    PdfEncrypted,
    RemoteError,
    UnsupportedImageFormat,
)
from got_ocr.reading import Reading


@pytest.fixture
def remote(shared: Running) -> Iterator[Client]:
    with Client(shared.url) as client:
        yield client


def test_one_page_is_one_reading(remote: Client, tmp_path: Path) -> None:
    (tmp_path / "seite.png").write_bytes(png())
    reading = remote.read(tmp_path / "seite.png")
    assert isinstance(reading, Reading)
    assert (reading.text, reading.status, reading.source, reading.page) == ("scripted text", "ok", "seite.png", 1)
    assert (reading.token_ids, reading.tokens, reading.model) == ((0, 1), 3, "scripted")


@pytest.mark.parametrize(
    "source",
    [
        png(),
        io.BytesIO(png()),
        Image.new("RGB", (64, 32)),
        np.zeros((32, 64, 3), np.uint8),
        bytearray(png()),
    ],
    ids=["bytes", "file", "picture", "array", "bytearray"],
)
def test_sources_are_those_of_reading_here(remote: Client, source: Any) -> None:
    reading = remote.read(source)
    assert isinstance(reading, Reading)
    assert reading.text == "scripted text"


def test_documents_and_folders_are_lists(remote: Client, tmp_path: Path) -> None:
    pages = [Image.new("L", (50, 50)) for _ in range(3)]
    pages[0].save(tmp_path / "b.tiff", save_all=True, append_images=pages[1:])
    (tmp_path / "a.png").write_bytes(png())
    readings = remote.read(tmp_path)
    assert isinstance(readings, list)
    assert [(r.source, r.page) for r in readings] == [("a.png", 1), ("b.tiff", 1), ("b.tiff", 2), ("b.tiff", 3)]
    chosen = remote.read(tmp_path / "b.tiff", pages="2-")
    assert isinstance(chosen, list)
    assert [reading.page for reading in chosen] == [2, 3]


def test_several_pictures_are_one_text_under_multi_page(remote: Client) -> None:
    reading = remote.read([png(), png()], multi_page=True)
    assert isinstance(reading, Reading)
    with pytest.raises(InvalidValue):
        remote.read([png(), png()])


def test_a_stream_is_pieces_and_readings(remote: Client) -> None:
    found = list(remote.stream(png(110), mode="format"))
    assert "".join(piece for piece in found if isinstance(piece, str)) == "héllo wörld 你好"
    assert isinstance(found[-1], Reading)
    assert found[-1].text == "héllo wörld 你好"


def test_ends_are_kept(remote: Client) -> None:
    statuses = [remote.read(png(width)) for width in (106, 107, 109)]
    assert [s.status for s in statuses if isinstance(s, Reading)] == ["loop", "truncated", "empty"]
    limited = remote.read(png(105), max_new_tokens=2)
    assert isinstance(limited, Reading)
    assert (limited.text, limited.status) == ("round and", "truncated")


def test_refusals_are_the_errors_of_reading_here(remote: Client, tmp_path: Path) -> None:
    for source, error in ((b"words", UnsupportedImageFormat), (png()[:60], ImageTruncated)):
        with pytest.raises(error):
            remote.read(source)
        with pytest.raises(error):
            list(remote.stream(source))
    with pytest.raises(NumericError):
        remote.read(png(103))
    with pytest.raises(InvalidValue):
        remote.read(png(), box=(1, 2, 3, 4), color="red")
    with pytest.raises(InputNotFound):
        remote.read(tmp_path / "nothing.png")
    with pytest.raises(InvalidValue):
        remote.read(png(), profile="fast")  # refused by the service


def test_an_error_in_the_middle_of_a_stream_is_raised(remote: Client) -> None:
    stream = remote.stream(png(102))
    assert [next(stream), next(stream)] == ["scripted", " text"]
    with pytest.raises(RemoteError, match="could not read"):
        next(stream)


def test_keys_are_sent(start: Start) -> None:
    running = start(api_keys="sesame")
    with Client(running.url, api_key="sesame") as client:
        assert client.read(png())
    with Client(running.url) as client, pytest.raises(RemoteError, match="key"):
        client.read(png())


def test_addresses_that_are_none() -> None:
    for url in ("http://[", "http://127.0.0.1:port"):
        with pytest.raises(InvalidValue):
            Client(url)
    with Client("http://127.0.0.1:9") as client, pytest.raises(RemoteError, match="not reached"):
        client.read(png())


Handler = Callable[[httpx.Request], httpx.Response]


def fake(handler: Handler, monkeypatch: pytest.MonkeyPatch, retries: int = 3) -> tuple[Client, list[float]]:
    """A client of a service that a function plays; what it waited."""
    waited: list[float] = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    client = Client("http://service", retries=retries)
    client.close()
    client._http = httpx.Client(base_url="http://service", transport=httpx.MockTransport(handler))
    return client, waited


def answer(text: str = "read") -> httpx.Response:
    reading = {
        "document": 1, "page": 1, "pages": 1, "text": text, "status": "ok", "tokens": 1, "seconds": 0.1,
        "model": "m", "notices": [], "token_ids": None, "error": None,
    }  # fmt: skip
    return httpx.Response(200, json={"readings": [reading]})


def full(**headers: str) -> httpx.Response:
    error = {"type": "x", "code": "overloaded", "message": "full", "param": None, "request_id": "r"}
    return httpx.Response(429, json={"error": error}, headers=headers)


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"retry-after-ms": "250", "retry-after": "1"}, [0.25, 0.25]),
        ({"retry-after": "2"}, [2.0, 2.0]),
        ({}, [1.0, 2.0]),
    ],
)
def test_it_waits_as_the_service_says(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], waits: list[float]
) -> None:
    answers = [full(**headers), full(**headers), answer()]
    client, waited = fake(lambda _: answers.pop(0), monkeypatch)
    reading = client.read(png())
    assert isinstance(reading, Reading)
    assert waited == waits


def test_its_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    client, waited = fake(lambda _: full(), monkeypatch, retries=2)
    with pytest.raises(RemoteError, match="overloaded"):
        client.read(png())
    assert len(waited) == 2
    with pytest.raises(RemoteError, match="overloaded"):
        list(client.stream(png()))


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(500, text="<html>"), RemoteError),
        (httpx.Response(404, json={"detail": "Not Found"}), RemoteError),
        (httpx.Response(200, text="<html>"), RemoteError),
        (httpx.Response(422, json={"error": {"code": "pdf_encrypted", "message": "password"}}), PdfEncrypted),
        (httpx.Response(400, json={"error": {"code": "new_code", "message": "new"}}), RemoteError),
    ],
)
def test_strange_answers(monkeypatch: pytest.MonkeyPatch, response: httpx.Response, error: type[Exception]) -> None:
    client, _ = fake(lambda _: response, monkeypatch)
    with pytest.raises(error):
        client.read(png())


@pytest.mark.parametrize(
    "exception", [httpx.ReadTimeout("slow"), httpx.ConnectError("no"), httpx.RemoteProtocolError("x")]
)
def test_what_the_network_does_is_a_remote_error(monkeypatch: pytest.MonkeyPatch, exception: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise exception

    client, _ = fake(fail, monkeypatch)
    with pytest.raises(RemoteError):
        client.read(png())


def test_a_stream_that_breaks_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"event: piece\ndata: {json.dumps({'index': 0, 'text': 'half'})}\n\n"
    client, _ = fake(lambda _: httpx.Response(200, text=text), monkeypatch)
    found = client.stream(png())
    assert next(found) == "half"
    with pytest.raises(RemoteError, match="broke off"):
        next(found)


def test_what_the_deadline_cut_is_truncated(remote: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(answer().text)
    told["readings"][0]["status"] = "deadline"
    client, _ = fake(lambda _: httpx.Response(200, json=told), monkeypatch)
    reading = client.read(png())
    assert isinstance(reading, Reading)
    assert (reading.status, reading.notices) == ("truncated", ("stopped:deadline",))
    assert len(picture()) > 0
