"""A headless Chromium, driven over its debugging protocol: just enough to use the web page as a person does.

Knows no page of ours. Source: the Chrome DevTools Protocol.
"""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    "--remote-debugging-port=0",
)
PATIENCE = 30.0
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
SHIFT = 8


def find() -> str | None:
    """Give the path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A running Chromium with one page. Use it as a context."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="got-ocr-browser-")
        command = [program, *FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> "Page":
        from websocket import create_connection

        port = self._port()
        (target,) = [found for found in httpx.get(f"http://127.0.0.1:{port}/json").json() if found["type"] == "page"]
        return Page(create_connection(target["webSocketDebuggerUrl"], timeout=PATIENCE, suppress_origin=True))

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _port(self) -> int:
        told, end = Path(self._folder) / "DevToolsActivePort", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if told.exists() and (lines := told.read_text().splitlines()):
                return int(lines[0])
            time.sleep(0.05)
        raise AssertionError("Chromium does not start")


class Page:
    """One page: look at it, click, type, draw, drop files."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.said: list[str] = []  # errors of the page and refusals of its policy
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask for something; give the answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == number:
                assert "error" not in told, told
                return dict(told["result"])
            self._heard(told)

    def _heard(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Runtime.exceptionThrown":
            self.said.append(str(told["params"]["exceptionDetails"].get("exception", {}).get("description")))
        elif told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            self.said.append(str(told["params"]["entry"]["text"]))

    def show(self, width: int, height: int = 900, dark: bool = False) -> None:
        """Set the size of the window and the colours that its user prefers."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Load an address and wait for it."""
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def ask(self, script: str) -> Any:
        """Evaluate JavaScript; give its value, that of a promise once it is there."""
        told = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait(self, script: str, seconds: float = PATIENCE) -> None:
        """Wait until JavaScript is true."""
        end = time.monotonic() + seconds
        while not self.ask(f"Boolean({script})"):
            assert time.monotonic() < end, f"never true: {script}; said {self.said}"
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """Give what stands in an element."""
        return str(self.ask(f"document.querySelector({json.dumps(selector)}).textContent"))

    def shown(self, selector: str) -> bool:
        """Say whether an element is to be seen."""
        return bool(self.ask(f"document.querySelector({json.dumps(selector)}).checkVisibility()"))

    def area(self, selector: str) -> tuple[float, float, float, float]:
        """Give an element's place in the window (left, top, width, height), after rolling it into view."""
        x, y, width, height = self.ask(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'nearest'}});"
            " const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()"
        )
        return x, y, width, height

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Press, move or release the left button."""
        buttons = 0 if kind == "Released" else 1
        self.send(
            "Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, button="left", buttons=buttons, clickCount=1
        )

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        left, top, width, height = self.area(selector)
        for kind in ("Pressed", "Released"):
            self.mouse(kind, left + width / 2, top + height / 2)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw with the left button held."""
        self.mouse("Pressed", *start)
        for part in (0.25, 0.5, 0.75, 1.0):
            self.mouse("Moved", *(a + part * (b - a) for a, b in zip(start, end, strict=True)))
        self.mouse("Released", *end)

    def key(self, name: str, modifiers: int = 0) -> None:
        """Press a key."""
        text = {"text": {" ": " ", "Enter": "\r"}[name]} if name in (" ", "Enter") else {}
        more = {"key": name, "code": "Space" if name == " " else name, "windowsVirtualKeyCode": KEYS[name]}
        self.send("Input.dispatchKeyEvent", type="keyDown", modifiers=modifiers, **more, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", modifiers=modifiers, **more)

    def drop(self, selector: str, file: Path) -> None:
        """Drop a file on an element."""
        left, top, width, height = self.area(selector)
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.send("Input.dispatchDragEvent", type=kind, x=left + width / 2, y=top + height / 2, data=data)

    def picture(self, file: Path, whole: bool = True) -> None:
        """Take a picture of the page."""
        told = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(told["data"]))
