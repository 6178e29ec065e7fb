"""SVG -> PNG by resvg, and a page -> PNG by a browser found at run time. Only our own SVG and pages come here."""

import io
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from got_ocr.errors import DeadlineExceeded, MissingDependency, RenderFailed
from got_ocr.render.markup import Markup

MAX_SIDE = 8_000  # pixels
ZOOM = 2.0
PAGE_WIDTH = 1000
BROWSER_SECONDS = 30.0
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")


def svg_to_png(svg: Markup, zoom: float = ZOOM) -> bytes:
    """Return a drawing as PNG bytes on white. Raises MissingDependency or RenderFailed."""
    try:
        import resvg_py
    except ImportError as error:
        raise MissingDependency("PNG needs the package resvg-py: pip install 'got-ocr[render]'") from error
    width, height = _size(svg)
    zoom = min(zoom, MAX_SIDE / max(width, height, 1.0))
    folder = _bundled_fonts()
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=str(svg), zoom=zoom, background="#ffffff", font_dirs=[str(folder)] if folder else None
        )
    except ValueError as error:
        raise RenderFailed("this drawing could not be turned into pixels") from error
    return bytes(png)


def _size(svg: Markup) -> tuple[float, float]:
    from got_ocr.render.sanitize import parse

    attributes = parse(str(svg)).attributes
    try:
        return float(attributes["width"]), float(attributes["height"])
    except (KeyError, ValueError) as error:
        raise RenderFailed("a drawing without a size has no pixels") from error


def _bundled_fonts() -> Path | None:
    """Find DejaVu inside matplotlib, for machines without any font of their own; nothing is imported."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return folder if folder.is_dir() else None


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


def html_to_png(page: str, width: int = PAGE_WIDTH) -> bytes:
    """Return a page as PNG bytes, as a browser without network shows it.

    Raises MissingDependency where there is no Chromium, DeadlineExceeded and RenderFailed.
    """
    browser = find_browser()
    if browser is None:
        raise MissingDependency("PNG of text and tables needs Chromium on the PATH; html, md and gfm need none")
    return _shot(browser, page, width, _height(page))


def _height(page: str) -> int:
    """Guess a height that holds the page, generously; what is empty is cut off afterwards."""
    return min(MAX_SIDE, 300 + page.count("<p") * 60 + page.count("<tr") * 40 + len(page) // 40)


def _shot(browser: str, page: str, width: int, height: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="got-ocr-") as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.png")
        source.write_text(page, "utf-8")
        command = [
            browser,
            "--headless",
            "--no-sandbox" if os.name == "posix" and os.geteuid() == 0 else "--disable-logging",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-javascript",
            "--hide-scrollbars",
            f"--user-data-dir={Path(folder, 'profile')}",
            f"--window-size={width},{height}",
            f"--screenshot={target}",
            source.as_uri(),
        ]
        try:
            subprocess.run(command, capture_output=True, timeout=BROWSER_SECONDS, check=False)  # noqa: S603 - a browser found by us
        except subprocess.TimeoutExpired as error:
            raise DeadlineExceeded(f"the browser took longer than {BROWSER_SECONDS:g} seconds") from error
        if not target.is_file():
            raise RenderFailed("the browser made no picture of this page")
        return _trimmed(target.read_bytes())


def _trimmed(png: bytes) -> bytes:
    """Cut off the empty ground below the page."""
    from PIL import Image, ImageChops

    image = Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB")
    ground = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox()
    if box is None:
        return png
    out = io.BytesIO()
    image.crop((0, 0, image.width, min(image.height, box[3] + 16))).save(out, "PNG")
    return out.getvalue()
