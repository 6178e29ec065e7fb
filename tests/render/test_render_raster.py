"""Pixels: resvg for drawings, a browser found at run time for pages. A stand-in browser shows how ours is called."""

import stat
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from got_ocr.errors import DeadlineExceeded, RenderFailed
from got_ocr.render import raster
from got_ocr.render.markup import Markup

DRAWING = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="30" height="20" fill="#ff0000"></rect></svg>'
)


def browser(folder: Path, body: str) -> str:
    """Write a program that is started as a browser would be."""
    path = folder / "chromium"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


SHOT = """
options = dict(word.partition("=")[::2] for word in sys.argv[1:])
from PIL import Image, ImageDraw
width, height = map(int, options["--window-size"].split(","))
image = Image.new("RGB", (width, height), "#eeeeee")
ImageDraw.Draw(image).rectangle((10, 10, 50, 90), fill="black")
image.save(options["--screenshot"])
assert sys.argv[-1].startswith("file:") and "--disable-javascript" in sys.argv and "--user-data-dir" in options
"""


def test_a_drawing_becomes_pixels() -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    image = Image.open(BytesIO(raster.svg_to_png(DRAWING, zoom=2.0)))
    assert image.size == (60, 40)
    assert image.convert("RGB").getpixel((30, 20)) == (255, 0, 0)


@pytest.mark.parametrize(
    "svg",
    [
        "<svg xmlns='http://www.w3.org/2000/svg'></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg' width='a' height='1'/>",
    ],
)
def test_a_drawing_without_size_is_refused(svg: str) -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    with pytest.raises(RenderFailed):
        raster.svg_to_png(Markup(svg))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_a_page_is_shot_and_trimmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "find_browser", lambda: browser(tmp_path, SHOT))
    image = Image.open(BytesIO(raster.html_to_png("<p>x</p>", width=300)))
    assert image.size == (300, 91 + 16)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_an_empty_page_is_not_trimmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blank = SHOT.replace('ImageDraw.Draw(image).rectangle((10, 10, 50, 90), fill="black")', "")
    monkeypatch.setattr(raster, "find_browser", lambda: browser(tmp_path, blank))
    assert Image.open(BytesIO(raster.html_to_png("", width=200))).size == (200, 300)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_a_browser_that_hangs_or_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "BROWSER_SECONDS", 0.5)
    monkeypatch.setattr(raster, "find_browser", lambda: browser(tmp_path, "time.sleep(30)"))
    with pytest.raises(DeadlineExceeded):
        raster.html_to_png("x")
    monkeypatch.setattr(raster, "BROWSER_SECONDS", 20.0)
    monkeypatch.setattr(raster, "find_browser", lambda: browser(tmp_path, "sys.exit(1)"))
    with pytest.raises(RenderFailed):
        raster.html_to_png("x")


def test_a_browser_is_looked_for_by_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster.shutil, "which", lambda name: "/opt/x" if name == "google-chrome" else None)
    assert raster.find_browser() == "/opt/x"
