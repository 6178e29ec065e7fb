"""A service with a scripted engine in its own process, and clients that look for leaks in whatever it says."""

import asyncio
import base64
import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

# Pictures of these widths make the scripted engine do these things; any other reads "scripted text".
SCRIPT = {
    "default": {"text": "scripted text"},
    "widths": {
        "101": {"end": "crash", "tokens": 5, "after": 2},
        "102": {"end": "bug", "tokens": 5, "after": 2},
        "103": {"end": "numeric", "tokens": 5, "after": 1},
        "104": {"end": "memory", "tokens": 5, "after": 1},
        "105": {"text": "round and round", "tokens": 100000, "delay": 0.05},
        "106": {"text": "around", "tokens": 8, "end": "loop"},
        "107": {"text": "cut", "tokens": 8, "end": "truncated"},
        "108": {"text": "slow but steady", "tokens": 20, "delay": 0.05},
        "109": {"tokens": 0, "text": " "},
        "110": {"text": "héllo wörld 你好", "tokens": 3},
        "111": {"text": "slow but steady", "tokens": 40, "delay": 0.05},
        "113": {"end": "crash", "tokens": 9, "after": 5, "delay": 0.1},
        "112": {"text": "brief", "tokens": 4, "delay": 0.05},
    },
}
LEAKS = re.compile(
    rb"0x[0-9a-f]{6,}|/home|/tmp|/usr/|site-packages|Traceback|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"
    rb"|(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{65,}={0,2}(?![A-Za-z0-9+/])"
)


def check_leaks(data: bytes) -> None:
    """Fail if something of the machine or of a library is in an answer or a log."""
    found = LEAKS.search(data)
    assert found is None, f"leaked {found[0][:80]!r}"


def hook(response: httpx.Response) -> None:
    if response.headers.get("content-type", "").startswith(("text/event-stream", "image/")):
        return
    response.read()
    check_leaks(response.content.replace(b"sha256-", b""))
    check_leaks("\n".join(f"{name}: {value}" for name, value in response.headers.items()).encode())


def png(width: int = 64, height: int = 32) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return out.getvalue()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def picture(width: int = 64, height: int = 32) -> str:
    return b64(png(width, height))


@dataclass
class Running:
    """A running service."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)
    key: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, timeout: float = 60, **more: Any) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=timeout, event_hooks={"response": [hook]}, **more
        )

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def wait_ready(self, seconds: float = 60) -> float:
        """Wait until requests are read; give how long that took."""
        started = time.monotonic()
        with httpx.Client(base_url=self.url) as client:  # one for all attempts: making one costs more than asking
            while time.monotonic() - started < seconds:
                with contextlib.suppress(httpx.HTTPError):
                    if client.get("/readyz").status_code == 200:
                        return time.monotonic() - started
                time.sleep(0.02)
        raise AssertionError("the service does not become ready: " + "".join(self.lines[-20:]))

    def metric(self, name: str, client: httpx.Client | None = None) -> float:
        """Read a number from /metrics, summed over labels; client: one that is there already."""
        if client is not None:
            text = client.get("/metrics").text
        else:
            with self.client() as fresh:
                text = fresh.get("/metrics").text
        lines = (line for line in text.splitlines() if re.match(rf"{name}(\{{|\s)", line))
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def children(self) -> dict[str, list[int]]:
        """List the service's processes by module."""
        import psutil

        found: dict[str, list[int]] = {"worker": [], "decode": [], "render": []}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                kind = "worker" if "serve.worker" in line else "decode" if '"role": "decode"' in line else "render"
                found[kind].append(child.pid)
        return found

    def stop(self) -> int:
        """End it; give the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        finally:
            self.process.kill()


ENDLESS = {"image": picture(105)}  # a request that only its client's leaving ends


def raw(running: Running, path: str, body: dict[str, Any]) -> socket.socket:
    """Send a request and leave the answer unread."""
    data = json.dumps(body).encode()
    sock = running.connect()
    sock.sendall(
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\n\r\n".encode()
        + data
    )
    return sock


Start = Callable[..., Running]


def start_service(folder: Path, script: dict[str, Any] | None = None, wait: bool = True, **settings: Any) -> Running:
    """Start a service in a process of its own; settings as in `Settings`."""
    given = {
        "engine": "scripted",
        "script": json.dumps(script if script is not None else SCRIPT),
        "port": 0,
        "jobs_dir": folder / "jobs",
        "log_level": "debug",
        "decoders": 1,
        **settings,
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith("GOT_OCR_")}
    env.update({f"GOT_OCR_{name.upper()}": str(value) for name, value in given.items()})
    process = subprocess.Popen(
        [sys.executable, "-m", "got_ocr.cli.main", "serve"], env=env, stderr=subprocess.PIPE, text=True, cwd=folder
    )
    assert process.stderr is not None
    running = Running(process, 0, key=str(settings["api_keys"]).split(",")[0] if "api_keys" in settings else None)
    for line in process.stderr:
        running.lines.append(line)
        if "listening on" in line:
            running.port = int(line.rsplit(":", 1)[1])
            break
    threading.Thread(target=lambda: running.lines.extend(process.stderr or ()), daemon=True).start()
    if wait and running.port:
        running.wait_ready()
    return running


def inside(scenario: Callable[[httpx.AsyncClient, Any], Any], folder: Path, start: bool = True, **settings: Any) -> Any:
    """Run a scenario in this process, against the application itself: scenario(client, service)."""
    from got_ocr.serve.app import build
    from got_ocr.serve.service import Service
    from got_ocr.serve.settings import load

    given = {"engine": "scripted", "script": json.dumps(SCRIPT), "jobs_dir": folder / "jobs", **settings}

    async def run() -> Any:
        service = Service(load(given))
        app = build(service)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60) as client:
            if not start:
                return await scenario(client, service)
            service.open_jobs()
            service.start()
            try:
                while not service.ready:
                    await asyncio.sleep(0.01)
                return await scenario(client, service)
            finally:
                await service.stop()

    return asyncio.run(run())
