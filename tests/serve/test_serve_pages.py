"""`/v1/render`, `/v1/preview` and the files of the web page."""

import html.parser
import io
import re
from importlib.resources import files
from typing import Any

import httpx
import pytest
from PIL import Image
from serve_kit import Start, b64, picture, png

from got_ocr.serve import pages


def test_a_text_is_drawn_in_a_sandbox(client: httpx.Client) -> None:
    answer = client.post("/v1/render", json={"text": "# Title\n\n$x^2$ <script>alert(1)</script>"})
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert '<meta http-equiv="Content-Security-Policy"' in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("to", "kind"),
    [("fragment", "text/html"), ("md", "text/markdown"), ("gfm", "text/markdown"), ("html", "text/html")],
)
def test_forms_of_a_text(client: httpx.Client, to: str, kind: str) -> None:
    answer = client.post("/v1/render", json={"text": "words", "to": to})
    assert "words" in answer.text
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-render-kind"] == "markdown"


def test_a_form_of_a_browser_does_as_well(client: httpx.Client) -> None:
    answer = client.post("/v1/render", data={"text": "a & b", "to": "fragment"})
    assert "a &amp; b" in answer.text


def test_what_is_drawn_as_svg(client: httpx.Client) -> None:
    text = "\\begin{tikzpicture}\\draw (0,0) -- (1,1);\\end{tikzpicture}"
    answer = client.post("/v1/render", json={"text": text, "kind": "tikz", "to": "svg"})
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.content.lstrip().startswith(b"<svg")


def test_a_form_that_a_kind_does_not_have(client: httpx.Client) -> None:
    answer = client.post("/v1/render", json={"text": "words", "to": "svg"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")


def test_what_brings_the_renderer_down_is_shown_as_text(start: Start) -> None:
    """A renderer that is killed, and one that takes too long, leave the escaped source and a reason."""
    running = start(render_seconds=1, render_memory=300 << 20)
    (renderer,) = running.children()["render"]
    text = "<b>source</b> " + "\\frac{a}{b} " * 10
    with running.client() as client:
        import os
        import signal

        os.kill(renderer, signal.SIGSTOP)
        answer = client.post("/v1/render", json={"text": text})
        assert answer.status_code == 200
        assert answer.headers["x-render-error"] == "render_failed"
        assert "&lt;b&gt;source&lt;/b&gt;" in answer.text
        assert 'data-render-error="render_failed"' in answer.text
        refused = client.post("/v1/render", json={"text": text})
        assert refused.status_code == 200
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x01\ufffe",
        "$" * 5000,
        "{" * 5000,
        "\\begin{tabular}" * 500,
        "**kern\n" + "*^\t" * 60 + "\n" * 200,
        "\\begin{tikzpicture}" + "\\foreach \\x in {1,...,99999} \\draw (0,0) -- (\\x,1);" * 20 + "\\end{tikzpicture}",
        "C-" * 10_000,
        "|" * 100_000,
        "word " * 190_000,
    ],
)
def test_texts_that_are_hard_to_draw(client: httpx.Client, text: str) -> None:
    answer = client.post("/v1/render", json={"text": text})
    assert answer.status_code == 200
    assert len(answer.content) < 12_000_000


def test_a_page_is_previewed_upright_and_small(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (4000, 1000), "red").save(out, "JPEG", exif=exif)
    answer = client.post("/v1/preview", files={"file": out.getvalue()})
    assert answer.headers["content-type"] == "image/jpeg"
    assert (answer.headers["x-width"], answer.headers["x-height"], answer.headers["x-pages"]) == ("1000", "4000", "1")
    assert Image.open(io.BytesIO(answer.content)).size == (400, 1600)
    assert "content-security-policy" in answer.headers


def test_pages_of_documents_are_previewed(client: httpx.Client) -> None:
    out = io.BytesIO()
    found = [Image.new("RGB", (100 + at, 50), "white") for at in range(3)]
    found[0].save(out, "TIFF", save_all=True, append_images=found[1:])
    answer = client.post("/v1/preview", json={"image": b64(out.getvalue()), "page": 3})
    assert (answer.headers["x-width"], answer.headers["x-pages"]) == ("102", "3")
    refused = client.post("/v1/preview", json={"image": b64(out.getvalue()), "page": 4})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_value")
    assert client.post("/v1/preview", files=[("a", png()), ("b", png())]).status_code == 422
    assert client.post("/v1/preview", json={"image": b64(b"nothing")}).status_code == 415


def test_a_preview_needs_no_model(tmp_path: Any) -> None:
    from serve_kit import inside

    async def scenario(client: httpx.AsyncClient, service: Any) -> int:
        service.fleet._all.clear()
        return (await client.post("/v1/preview", json={"image": picture()})).status_code

    assert inside(scenario, tmp_path) == 200


class Links(html.parser.HTMLParser):
    """Collect what a page loads, and what it says to those who cannot see it."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.controls: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.add(str(found["id"]))
        if tag == "label" and found.get("for"):
            self.labels.add(str(found["for"]))
        if tag in ("input", "select", "textarea") and found.get("type") != "hidden":
            self.controls.append(found)
        self.loaded += [str(found[name]) for name in ("src", "href") if found.get(name)]
        self.inline += [name for name in found if name.startswith("on") or name == "style"]
        if tag in ("style",) or (tag == "script" and "src" not in found):
            self.inline.append(tag)


def test_the_web_page_loads_its_own_files_alone(client: httpx.Client) -> None:
    answer = client.get("/", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == pages.PAGE_POLICY
    links = Links()
    links.feed(answer.text)
    assert links.inline == []
    own = {path for path in pages.STATIC if path != "/"}
    assert set(links.loaded) <= own | {path for path in links.loaded if path.startswith("#")}
    for path in own:
        file = client.get(path)
        assert file.status_code == 200
        assert re.search(r"https?://(?!www\.w3\.org)", file.text) is None, path
        assert "innerHTML" not in file.text
        assert "eval(" not in file.text


def test_every_control_has_a_name(client: httpx.Client) -> None:
    links = Links()
    links.feed(client.get("/").text)
    assert len(links.controls) > 5
    for control in links.controls:
        assert control.get("aria-label") or control.get("id") in links.labels, control
    assert links.labels <= links.ids


def test_static_files_come_from_a_table(client: httpx.Client) -> None:
    for path in (
        "/static/app.py",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/app.js/",
    ):
        assert client.get(path).status_code == 404
    answer = client.get("/static/app.css", headers={"range": "bytes=0-10,5-20,7-"})
    assert answer.status_code == 200
    assert answer.content == (files("got_ocr.serve") / "static" / "app.css").read_bytes()
    assert client.head("/static/app.css").status_code == 200
    assert client.head("/livez").status_code == 200
