"""The web page, used as a person does: in a headless Chromium, with a scripted model behind it."""

import io
import math
from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
from browser import SHIFT, Page
from PIL import Image
from serve_kit import Running, png

pytest.importorskip("websocket", reason="driving Chromium needs websocket-client")

DRAWN = "document.querySelector('#box').getBoundingClientRect()"
RECORD = """(() => { const ask = window.fetch; window.asked = [];
  window.fetch = (path, options) => {
    if (options?.body instanceof FormData) window.asked.push([path, Object.fromEntries(options.body)]);
    return ask(path, options); }; })()"""
# The contrast of every text that is seen, with the ground it stands on: [ratio, text].
CONTRAST = """(() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] === 255) return c; } return [255, 255, 255]; };
  const texts = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.disabled &&
    ![...document.querySelectorAll('.hidden')].some((h) => h.contains(e)) &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()));
  return texts.map((e) => { const [a, b] = [light(rgba(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim().slice(0, 40)]; });
})()"""


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium is installed here")
    with browser.Browser(program) as page:
        yield page


@pytest.fixture
def page(window: Page, shared: Running) -> Page:
    """Open the web page afresh, with nothing chosen."""
    window.said.clear()
    window.show(1400)
    window.open(shared.url)
    window.wait("document.querySelector('#model').textContent === 'Model: scripted'")
    window.ask(RECORD)
    return window


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A picture of 800 x 600 pixels."""
    (tmp_path / "paper.png").write_bytes(png(800, 600))
    return tmp_path / "paper.png"


def tiff(path: Path, *widths: int) -> Path:
    frames = [Image.new("L", (width, 300), 200) for width in widths]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    path.write_bytes(out.getvalue())
    return path


def drop(page: Page, file: Path) -> None:
    page.drop("#input", file)
    page.wait("!document.querySelector('#read').disabled && document.querySelector('#paper').checkVisibility()")


def done(page: Page) -> None:
    page.wait("document.querySelector('#status').textContent.startsWith('Done')")


def focus(page: Page) -> str:
    return str(page.ask("document.activeElement.id || document.activeElement.textContent.trim()"))


def test_a_picture_is_dropped_and_read(page: Page, paper: Path) -> None:
    drop(page, paper)
    assert page.ask("document.querySelector('#picture').alt") == "Page 1 of 1, 800 by 600 pixels"
    page.click("#read")
    done(page)
    assert page.text("#text") == "scripted text"
    page.click("#show-drawn")
    page.wait("document.querySelector('#drawn').checkVisibility()")
    assert page.said == []


def test_a_box_is_drawn_with_the_mouse(page: Page, paper: Path) -> None:
    drop(page, paper)
    page.click("input[value=box]")
    left, top, width, height = page.area("#picture")
    start, end = (left + width / 4, top + height / 3), (left + width * 0.75, top + height * 2 / 3)
    page.drag(end, start)  # from below right: a box is in order however it is drawn
    x1, y1, x2, y2 = (int(page.ask(f"document.querySelector('#{name}').value")) for name in ("x1", "y1", "x2", "y2"))
    assert [x1, y1, x2, y2] == pytest.approx([200, 200, 600, 400], abs=3)
    seen = page.ask(f"[{DRAWN}.x, {DRAWN}.y, {DRAWN}.right, {DRAWN}.bottom]")
    assert seen == pytest.approx([*start, *end], abs=3)
    page.click("#read")
    done(page)
    path, sent = page.ask("window.asked.at(-1)")
    assert (path, sent["box"], sent["mode"]) == ("/v1/ocr", f"{x1},{y1},{x2},{y2}", "plain")
    page.click("#clear")
    assert not page.shown("#box")


def test_a_box_is_moved_and_sized_with_keys(page: Page, paper: Path) -> None:
    drop(page, paper)
    page.click("input[value=box]")
    page.ask("document.querySelector('#stage').focus()")
    page.key("ArrowRight")
    page.key("ArrowDown", SHIFT)
    box = page.ask("['x1', 'y1', 'x2', 'y2'].map((id) => Number(document.getElementById(id).value))")
    assert box == [206, 150, 606, 456]


def test_a_missing_box_is_told(page: Page, paper: Path) -> None:
    drop(page, paper)
    page.click("input[value=box]")
    page.click("#read")
    assert page.text("#error-text") == "Draw a box on the picture first, or type its corners."
    assert not page.shown("#again")


def test_reading_is_stopped_and_what_was_read_stays(page: Page, shared: Running, tmp_path: Path) -> None:
    (tmp_path / "endless.png").write_bytes(png(105, 60))
    drop(page, tmp_path / "endless.png")
    page.ask("document.querySelector('#read').focus()")
    page.key("Enter")
    page.wait("document.querySelector('#text').textContent.length > 20")
    assert focus(page) == "stop"
    page.key("Enter")
    page.wait("document.querySelector('#status').textContent === 'Stopped.'")
    assert page.text("#text").startswith("round and round")
    assert page.text("#notice") == "You stopped this reading; its end is missing."
    assert focus(page) == "read"
    assert not page.shown("#stop")
    assert shared.metric("got_ocr_requests_inside") == 0


@pytest.mark.parametrize(
    ("data", "says"),
    [(png()[:60], "The PNG ends before its last chunk."), (b"words", "This kind of file is not read here.")],
)
def test_errors_are_shown_and_go_away(page: Page, paper: Path, tmp_path: Path, data: bytes, says: str) -> None:
    drop(page, paper)
    (tmp_path / "broken.png").write_bytes(data)
    page.drop("#input", tmp_path / "broken.png")
    page.wait("document.querySelector('#error').checkVisibility()")
    assert page.text("#error-text").startswith(says)
    assert page.ask("document.querySelector('#error').getAttribute('role')") == "alert"
    assert not page.shown("#picture")  # the earlier one would stand under the new name
    assert page.ask("document.querySelector('#read').disabled")
    drop(page, paper)
    assert not page.shown("#error")


def test_a_model_that_dies_is_told_and_may_be_asked_again(page: Page, shared: Running, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(102, 60))  # a bug in the model after two words
    drop(page, tmp_path / "a.png")
    page.click("#read")
    page.wait("document.querySelector('#error').checkVisibility()")
    assert page.text("#error-text") == "The model could not read this."
    assert page.shown("#again")
    assert page.text("#notice") == "This reading broke off; its end is missing."


def test_pages_of_a_document(page: Page, tmp_path: Path) -> None:
    drop(page, tiff(tmp_path / "book.tiff", 400, 107, 110))
    assert page.ask("[...document.querySelectorAll('#page-list button')].map((b) => b.textContent)") == ["1", "2", "3"]
    page.click("#next")
    page.wait("document.querySelector('#picture').alt.startsWith('Page 2 of 3')")
    page.click("#read")
    done(page)
    marks = page.ask("[...document.querySelectorAll('#page-list button')].map((b) => b.getAttribute('aria-label'))")
    assert marks == ["Page 1, read", "Page 2, cut short", "Page 3, read"]
    assert page.ask("document.querySelector('#page-list [aria-current]').textContent") == "2"
    assert page.text("#notice").startswith("The page was longer than the limit of tokens")
    page.click("#page-list li:last-child button")
    page.wait("document.querySelector('#text').textContent === 'héllo wörld 你好'")
    assert page.text("#result-name") == "Text of page 3"


def test_a_password_is_asked_for(page: Page, tmp_path: Path) -> None:
    pikepdf = pytest.importorskip("pikepdf", reason="making an encrypted PDF needs pikepdf")
    Image.new("RGB", (80, 60), "white").save(tmp_path / "plain.pdf")
    with pikepdf.open(tmp_path / "plain.pdf") as pdf:
        pdf.save(tmp_path / "closed.pdf", encryption=pikepdf.Encryption(owner="o", user="secret"))
    page.drop("#input", tmp_path / "closed.pdf")
    page.wait("document.querySelector('#error').checkVisibility()")
    assert page.text("#error-text") == "This PDF needs its password: type it in and try again."
    assert focus(page) == "password"
    page.send("Input.insertText", text="secret")
    page.key("Enter")
    page.wait("!document.querySelector('#read').disabled")
    page.click("#read")
    done(page)
    assert page.text("#text") == "scripted text"


def test_everything_is_reached_by_keys_in_the_order_seen(page: Page, paper: Path) -> None:
    found = []
    for _ in range(6):
        page.key("Tab")
        found.append(focus(page))
    assert found[:3] == ["Skip to the text", "file", "camera"]
    drop(page, paper)
    page.ask("document.querySelector('#smaller').focus()")
    wanted = ["smaller", "fit", "larger", "other", "stage", "plain", "whole", "read", "show-text", "show-drawn", "text"]
    found = []
    for _ in wanted:
        found.append(page.ask("document.activeElement.id || document.activeElement.value"))
        page.key("Tab")
    assert found == wanted


def test_every_control_has_a_name(page: Page, tmp_path: Path) -> None:
    drop(page, tiff(tmp_path / "book.tiff", 400, 300))
    page.click("input[value=box]")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    roles = (
        "button",
        "textbox",
        "radio",
        "combobox",
        "spinbutton",
        "image",
        "Iframe",
        "progressbar",
        "navigation",
        "link",
    )
    controls = [node for node in nodes if node.get("role", {}).get("value") in roles and not node["ignored"]]
    assert len(controls) > 20
    assert [node["role"]["value"] for node in controls if not node.get("name", {}).get("value")] == []
    live = page.ask("[...document.querySelectorAll('[role=status],[role=alert]')].map((e) => e.id)")
    assert live == ["status", "error"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_runs_out_of_the_window_and_everything_is_legible(
    page: Page, tmp_path: Path, width: int, dark: bool
) -> None:
    page.show(width, dark=dark)

    def check() -> None:
        assert page.ask("document.documentElement.scrollWidth") <= width
        seen = page.ask(CONTRAST)
        assert len(seen) > 8
        assert [text for ratio, text in seen if not ratio >= 4.5] == []

    check()
    book = tiff(tmp_path / "a book of many pages with a rather long name that goes on.tiff", *[400] * 15)
    drop(page, book)
    page.click("input[value=box]")
    check()
    page.click("#read")
    page.wait("document.querySelector('#error').checkVisibility()")
    check()
    page.click("input[value=whole]")
    page.click("#read")
    done(page)
    check()
    ground = page.ask("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")
    assert (math.fsum(map(float, ground)) < 200) == dark
