"""Five thousand requests, a tenth of them bad (S13): memory, open files, threads and the temporary folder stay as they are."""

import asyncio
import random
import time
from pathlib import Path

import httpx
import psutil
import pytest
from serve_kit import Running, Start, b64, picture

REQUESTS = 5000
WARM = 500


def figures(running: Running) -> dict[str, float]:
    """Measure the service's own process, once the connections that were just closed are gone."""
    time.sleep(2)
    process = psutil.Process(running.process.pid)
    with process.oneshot():
        return {"rss": process.memory_info().rss, "files": process.num_fds(), "threads": process.num_threads()}


async def send(url: str, count: int, seed: int) -> None:
    """Send requests of every kind; every answer is one that a service may give."""
    rng = random.Random(seed)
    good, bad = picture(), b64(b"\x89PNG\r\n\x1a\n broken")
    turns = asyncio.Semaphore(8)
    async with httpx.AsyncClient(base_url=url, timeout=300) as client:

        async def one(kind: float) -> None:
            async with turns:
                if kind < 0.05:
                    answer = await client.post("/ocr", json={"image": bad})
                elif kind < 0.1:
                    answer = await client.post(
                        "/v1/ocr", content=b'{"image": NaN}', headers={"content-type": "application/json"}
                    )
                elif kind < 0.2:
                    answer = await client.post("/v1/ocr", json={"image": good, "stream": True})
                elif kind < 0.25:
                    answer = await client.post("/v1/render", json={"text": "a $x^2$", "to": "fragment"})
                elif kind < 0.27:
                    job = (await client.post("/v1/jobs", json={"image": good})).json()["id"]
                    answer = await client.delete(f"/v1/jobs/{job}")
                else:
                    answer = await client.post("/ocr", json={"image": good})
                assert answer.status_code in (200, 204, 400, 422, 429), answer.text

        await asyncio.gather(*(one(rng.random()) for _ in range(count)))


@pytest.mark.slow
def test_nothing_grows(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    running = start(queue=64, max_jobs=1000)
    asyncio.run(send(running.url, WARM, 1))
    before = figures(running)
    for seed in range(5):
        asyncio.run(send(running.url, REQUESTS // 5, 2 + seed))
    after = figures(running)
    slope = (after["rss"] - before["rss"]) / REQUESTS
    print(f"before {before}, after {after}, {slope:.0f} bytes a request")
    assert slope <= 1024
    assert after["files"] <= before["files"] + 3
    assert after["threads"] <= before["threads"] + 1
    assert list(scratch.iterdir()) == []
    assert running.metric("got_ocr_bytes_held") == 0
    assert running.metric("got_ocr_model_restarts") == 0
