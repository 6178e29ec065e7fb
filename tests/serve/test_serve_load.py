"""More work than fits (S4), clients that leave (S5), the end of the service (S6), and processes that die (S12)."""

import asyncio
import os
import signal
import socket
import threading
import time
from typing import Any

import httpx
import pytest
from serve_kit import ENDLESS, Running, Start, b64, check_leaks, picture, png, raw

SLOW = {"text": "a b c d", "tokens": 8, "delay": 0.05}


async def flood(url: str, count: int) -> list[tuple[int, float, dict[str, str]]]:
    """Send requests all at once; give (status, seconds, headers) of each."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:

        async def one() -> tuple[int, float, dict[str, str]]:
            began = time.perf_counter()
            answer = await client.post("/ocr", json=body)
            check_leaks(answer.content)
            return answer.status_code, time.perf_counter() - began, dict(answer.headers)

        body = {"image": picture()}
        await client.get("/livez")
        return await asyncio.gather(*(one() for _ in range(count)))


def test_two_hundred_clients_at_once(start: Start) -> None:
    """Nine places: nine are read, the others are told to come back; nobody is cut off."""
    running = start({"default": SLOW}, queue=8)
    found = asyncio.run(flood(running.url, 200))
    statuses = [status for status, _, _ in found]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 9
    refused = [headers for status, _, headers in found if status == 429]
    assert all(1 <= int(headers["retry-after"]) <= 60 for headers in refused)
    assert all(500 <= int(headers["retry-after-ms"]) <= 60000 for headers in refused)
    assert running.metric("got_ocr_requests_refused") == len(refused)
    assert running.metric("got_ocr_requests_inside") == 0
    assert running.metric("got_ocr_bytes_held") == 0


def test_a_refusal_is_quick(narrow: Running) -> None:
    """With every place taken, refusals are measured one after another: p99 at most 50 ms."""
    running = narrow
    hold = threading.Thread(target=lambda: running.client().post("/ocr", json={"image": picture(108)}))
    hold.start()
    while running.metric("got_ocr_requests_inside") < 1:
        time.sleep(0.01)
    took = []
    with running.client() as client:
        for _ in range(100):
            began = time.perf_counter()
            answer = client.post("/ocr", json={"image": "x" * 1000})
            took.append(time.perf_counter() - began)
            if answer.status_code != 429:
                break
    hold.join()
    took.sort()
    assert len(took) > 10
    print(f"refused after {took[int(len(took) * 0.99) - 1] * 1000:.1f} ms (99th percentile of {len(took)})")
    # The goal is 50 ms on an idle machine; a busy one is given twice that.
    assert took[int(len(took) * 0.99) - 1] < 0.1


def test_one_key_does_not_take_every_place(start: Start) -> None:
    running = start(queue=3, per_key=2, api_keys="first,second")

    async def run() -> tuple[list[int], list[str], int]:
        async with httpx.AsyncClient(base_url=running.url, timeout=60) as client:
            mine = {"authorization": "Bearer first"}
            posts = [
                asyncio.create_task(client.post("/ocr", json={"image": picture(108)}, headers=mine)) for _ in range(4)
            ]
            await asyncio.sleep(0.5)
            other = await client.post("/ocr", json={"image": picture()}, headers={"authorization": "Bearer second"})
            answers = await asyncio.gather(*posts)
            codes = [answer.json().get("error", {}).get("code", "") for answer in answers]
            return [answer.status_code for answer in answers], codes, other.status_code

    statuses, codes, other = asyncio.run(run())
    assert sorted(statuses) == [200, 200, 429, 429]
    assert codes.count("rate_limited") == 2
    assert other == 200


def leave_and_measure(running: Running, path: str, body: dict[str, Any], wait: float) -> float:
    """Start a request, close its connection, and give how long the next one took."""
    with running.client() as client:  # made before: that takes longer than what is measured
        client.get("/livez")
        sock = raw(running, path, body)
        time.sleep(wait)
        sock.close()
        began = time.perf_counter()
        while True:
            answer = client.post("/ocr", json={"image": picture()})
            if answer.status_code == 200:
                return time.perf_counter() - began
            assert answer.status_code == 429


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/ocr", ENDLESS),
        ("/v1/ocr", {**ENDLESS, "stream": True}),
        (
            "/v1/chat/completions",
            {
                "model": "got-ocr",
                "stream": True,
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + picture(105)}}
                        ],
                    }
                ],
            },
        ),
    ],
)
def test_who_leaves_frees_the_model(narrow: Running, path: str, body: dict[str, Any]) -> None:
    """One step (50 ms) and 100 ms, and what the next request itself needs (on a busy machine, generously)."""
    took = sorted(leave_and_measure(narrow, path, body, 0.3) for _ in range(5))
    assert took[len(took) // 2] < 0.5, took
    assert narrow.metric("got_ocr_model_restarts") == 0


@pytest.mark.slow
def test_a_hundred_who_leave(narrow: Running) -> None:
    """The median and the worst of a hundred, beside what the same request takes when nobody left before it."""
    with narrow.client() as client:
        alone = []
        for _ in range(50):
            began = time.perf_counter()
            assert client.post("/ocr", json={"image": picture()}).status_code == 200
            alone.append(time.perf_counter() - began)
    body = {**ENDLESS, "stream": True}
    took = sorted(leave_and_measure(narrow, "/v1/ocr", body, 0.3) for _ in range(100))
    usual = sorted(alone)[25]
    print(f"alone {usual * 1000:.0f} ms, after one who left {took[50] * 1000:.0f} ms, worst {took[-1] * 1000:.0f} ms")
    assert took[50] - usual < 0.05 + 0.1


def test_who_leaves_the_queue_frees_the_place(start: Start) -> None:
    running = start(queue=1)
    first = raw(running, "/ocr", ENDLESS)
    time.sleep(0.2)
    for _ in range(5):
        queued = raw(running, "/ocr", {"image": picture()})
        time.sleep(0.1)
        assert running.metric("got_ocr_requests_inside") == 2
        queued.close()
        time.sleep(0.1)
        assert running.metric("got_ocr_requests_inside") == 1
    first.close()
    time.sleep(0.2)
    assert running.metric("got_ocr_requests_inside") == 0
    assert running.metric("got_ocr_queue_length") == 0
    assert any('"code": "client_gone"' in line for line in running.lines)


@pytest.mark.slow
def test_who_leaves_during_decoding_frees_the_decoder(start: Start) -> None:
    """A large picture takes its time to decode; its process is not waited for."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((5000, 5000), 80).save(out, "PNG", compress_level=1)
    running = start(queue=0, max_image=40_000_000, max_body=60_000_000)
    big = {"image": b64(out.getvalue())}
    took = [leave_and_measure(running, "/ocr", big, 0.6) for _ in range(3)]
    assert running.metric("got_ocr_requests_inside") == 0
    assert running.metric("got_ocr_bytes_held") == 0
    assert sorted(took)[1] < 8  # the next process has to start first


def test_the_end_lets_finish_what_is_under_way(start: Start) -> None:
    running = start({"default": {**SLOW, "tokens": 40}})
    streams = [raw(running, "/v1/ocr", {"image": picture(), "stream": True})]
    streams += [raw(running, "/ocr", {"image": picture()})]
    time.sleep(0.5)
    probe = running.connect()
    running.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    probe.sendall(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    while True:
        answer = httpx.get(running.url + "/readyz")
        if answer.status_code == 503:
            break
        assert time.monotonic() - began < 1
    assert answer.json()["error"]["code"] == "not_ready"
    assert time.monotonic() - began < 0.5
    refused = httpx.post(running.url + "/ocr", json={"image": picture()})
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    texts = [read(sock) for sock in streams]
    assert b'event: end\ndata: {"status": "ok"' in texts[0]
    assert b'"status":"ok"' in texts[1]
    assert running.process.wait(20) == 0
    assert time.monotonic() - began < 20


def read(sock: socket.socket) -> bytes:
    sock.settimeout(60)
    data = b""
    while chunk := sock.recv(1 << 16):
        data += chunk
        if b"event: end" in data or (b"content-length" in data and data.endswith(b"}")):
            break
    return data


def test_the_end_cuts_what_takes_too_long_and_says_so(start: Start) -> None:
    running = start(drain=1)
    stream = raw(running, "/v1/ocr", {**ENDLESS, "stream": True})
    queued = raw(running, "/ocr", {"image": picture()})
    time.sleep(0.5)
    running.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert b'event: end\ndata: {"status": "shutdown", "truncated": true' in read(stream)
    assert b'"code":"not_ready"' in read(queued)
    assert running.process.wait(20) == 0
    assert time.monotonic() - began < 6


def test_a_second_signal_ends_at_once(start: Start) -> None:
    running = start(drain=60)
    stream = raw(running, "/v1/ocr", {**ENDLESS, "stream": True})
    time.sleep(0.5)
    children = [pid for pids in running.children().values() for pid in pids]
    running.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert running.process.poll() is None
    running.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    running.process.wait(20)
    assert time.monotonic() - began < 3
    stream.close()
    time.sleep(0.3)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in children)


def test_a_model_that_cannot_be_loaded_ends_the_service(start: Start) -> None:
    running = start(wait=False, engine="model", model="/nowhere/at/all")
    assert running.process.wait(60) == 9
    time.sleep(0.2)
    assert any("invalid_model" in line or "model_not_found" in line for line in running.lines)


def test_an_address_in_use_is_told(start: Start) -> None:
    running = start()
    other = start(wait=False, port=running.port)
    assert other.process.wait(30) == 2


@pytest.mark.slow
def test_pictures_are_the_same_in_every_worker(start: Start) -> None:
    """Two processes with the model read side by side."""
    running = start({"default": SLOW}, workers=2)
    began = time.monotonic()
    found = asyncio.run(flood(running.url, 2))
    assert [status for status, _, _ in found] == [200, 200]
    assert time.monotonic() - began < 5
    assert len(running.children()["worker"]) == 2
    assert len(png()) > 0
