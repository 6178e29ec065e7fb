"""A model with real arithmetic (and random weights) behind the service: what comes out is what comes out here."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from serve_kit import Running, b64, start_service

from got_ocr.client import Client
from got_ocr.ocr import GotOcr
from got_ocr.reading import Reading


@pytest.fixture(scope="module")
def running(whole_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("model")
    started = start_service(folder, engine="model", model=whole_folder, device="cpu", max_new_tokens=200)
    yield started
    assert started.stop() == 0


def data(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def same(here: Reading, there: Reading) -> bool:
    return (here.text, here.status, here.token_ids, here.tokens, here.model, here.notices) == (
        there.text,
        there.status,
        there.token_ids,
        there.tokens,
        there.model,
        there.notices,
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"mode": "format"},
        {"box": (10, 5, 100, 60)},
        {"box": (10, 5, 100, 60), "box_mode": "prompt"},
        {"color": "red"},
        {"crop": True, "max_tiles": 4},
        {"profile": "reference"},
        {"profile": "hf", "max_new_tokens": 5},
    ],
)
def test_the_service_reads_as_reading_here_does(
    running: Running, whole: GotOcr, pictures: list[Image.Image], asked: dict[str, object]
) -> None:
    picture = data(pictures[1])
    most = {"max_new_tokens": 40, **asked}
    here = whole.read(picture, **most)  # type: ignore[arg-type]
    with Client(running.url) as client:
        there = client.read(picture, **most)  # type: ignore[arg-type]
    assert isinstance(here, Reading)
    assert isinstance(there, Reading)
    assert same(here, there)


def test_a_stream_is_the_same_too(running: Running, whole: GotOcr, pictures: list[Image.Image]) -> None:
    picture = data(pictures[2])
    here = list(whole.stream(picture, max_new_tokens=40))
    with Client(running.url) as client:
        there = list(client.stream(picture, max_new_tokens=40))
    assert here[:-1] == there[:-1]
    assert isinstance(here[-1], Reading)
    assert isinstance(there[-1], Reading)
    assert same(here[-1], there[-1])


def test_several_pages_as_one(running: Running, whole: GotOcr, pictures: list[Image.Image]) -> None:
    pages = [data(picture) for picture in pictures[:3]]
    here = whole.read(pages, multi_page=True, max_new_tokens=30)
    with Client(running.url) as client:
        there = client.read(pages, multi_page=True, max_new_tokens=30)
    assert isinstance(here, Reading)
    assert isinstance(there, Reading)
    assert same(here, there)


def test_the_tokens_of_prompts_are_counted(running: Running, pictures: list[Image.Image]) -> None:
    with running.client() as client:
        told = client.post("/v1/ocr", json={"image": b64(data(pictures[0])), "max_new_tokens": 3}).json()
    assert told["readings"][0]["prompt_tokens"] > 10
    assert told["model"] == "tiny-whole"


def test_more_tiles_than_a_request_holds(running: Running, pictures: list[Image.Image]) -> None:
    images = [b64(data(pictures[0]))] * 8
    with running.client() as client:
        answer = client.post("/v1/ocr", json={"image": b64(data(Image.new("RGB", (64, 64)))), "crop": True})
        assert answer.status_code == 200
        many = client.post("/v1/ocr", json={"images": images, "multi_page": True, "max_new_tokens": 1})
        assert many.status_code in (200, 413)


def test_a_reading_that_nobody_wants_is_stopped(running: Running, pictures: list[Image.Image]) -> None:
    """The model is asked for much, left after a moment, and free again at once."""
    body = {"image": b64(data(pictures[3])), "profile": "reference", "stream": True}
    with httpx.Client(base_url=running.url, timeout=30) as client:
        with client.stream("POST", "/v1/ocr", json=body) as stream:
            lines = stream.iter_lines()
            next(lines)
        began = time.monotonic()
        short = {"image": b64(data(pictures[0])), "max_new_tokens": 1}
        assert client.post("/v1/ocr", json=short).status_code == 200
        assert time.monotonic() - began < 5
    assert running.metric("got_ocr_model_restarts") == 0
