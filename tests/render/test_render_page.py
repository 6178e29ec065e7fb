"""The page: one file, its own style and script by digest, pictures beside texts, anchors, and nothing from outside."""

import base64
import hashlib
import re

import pytest

from got_ocr.errors import InvalidValue
from got_ocr.render import render, render_pages
from got_ocr.render.page import stylesheet

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
JPEG = b"\xff\xd8\xff\xe0" + bytes(30)


def digests(html: str) -> dict[str, str]:
    found = {}
    for name in ("style", "script"):
        body = re.findall(rf"<{name}>(.*?)</{name}>", html, re.S)
        assert len(body) == 1
        found[name] = base64.b64encode(hashlib.sha256(body[0].encode()).digest()).decode()
    return found


def test_the_policy_names_exactly_our_style_and_script() -> None:
    html = str(render("Hello"))
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[0].replace("&#39;", "'")
    found = digests(html)
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{found['style']}'; script-src 'sha256-{found['script']}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_no_style_attribute_is_needed() -> None:
    drawing = "\\begin{tikzpicture}\\draw (0,0)--(1,1);\\end{tikzpicture}"
    text = f"# A\n\n\\( \\frac{{1}}{{2}} \\) | b |\n\n\\begin{{tabular}}{{|c|}}a\\end{{tabular}}\n\n{drawing}"
    assert " style=" not in str(render(text))


def test_the_page_names_nothing_outside() -> None:
    html = str(render("Hello \\( x \\)"))
    outside = set(re.findall(r"(?:https?:)?//[^\s\"'<)]+", html.replace("://www.w3.org/", "")))
    assert outside == set()
    assert "@import" not in stylesheet()
    assert "url(" not in stylesheet()


def test_titles_are_text() -> None:
    html = str(render("x", title="</title><script>alert(1)</script>"))
    assert html.count("<script>") == 1
    assert "&lt;/title&gt;" in html


def test_several_pages_have_anchors() -> None:
    html = render_pages([("one", None), ("two", None), ("three", None)], title="Three")
    assert re.findall(r'<a href="(#page-\d)"', html) == ["#page-1", "#page-2", "#page-3"]
    assert re.findall(r'<article id="(page-\d)"', html) == ["page-1", "page-2", "page-3"]
    assert "<nav" not in render_pages([("one", None)])


def test_ids_are_unique() -> None:
    drawing = "\\begin{tikzpicture}\\clip (0,0) circle (1);\\fill (0,0) rectangle (1,1);\\end{tikzpicture}"
    text = f"a[^1]\n\n[^1]: b\n\n{drawing}\n\n{drawing}"
    html = render_pages([(text, PNG), (text, None)])
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)) > 8
    for name in re.findall(r'href="#([^"]+)"', html) + re.findall(r"url\(#([^)]+)\)", html):
        assert name in ids


def test_pictures_stand_beside_their_text() -> None:
    html = render_pages([("text", PNG), ("text", JPEG)])
    assert html.count('src="data:image/png;base64,' + base64.b64encode(PNG).decode()) == 1
    assert html.count('src="data:image/jpeg;base64,') == 1
    assert html.count('class="sides two"') == 2
    assert "data:" not in render_pages([("text", PNG)], side_by_side=False).split("</style>")[1]


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"RIFF0000WEBP", b"%PDF-1.4"])
def test_other_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidValue):
        render_pages([("text", data)])


def test_drawings_have_their_source_beside_them() -> None:
    html = str(render("\\draw (0,0) -- (1,1);"))
    assert 'class="sides drawn"' in html
    assert '<pre id="source-1" tabindex="0">\\draw (0,0) -- (1,1);</pre>' in html
    assert 'data-source="source-1" hidden' in html


def test_a_failed_drawing_is_its_own_source() -> None:
    html = str(render("\\draw (nowhere);"))
    assert html.count("\\draw (nowhere);") == 1
    assert "<details" not in html
    assert 'class="source"' in html  # what the copy button falls back to
    assert 'querySelector("pre.source")' in html


def test_texts_keep_their_source_folded() -> None:
    html = str(render("**bold**"))
    assert '<details class="written"><summary>Source</summary><pre id="source-1" tabindex="0">**bold**</pre>' in html


def test_it_prints_and_follows_the_dark() -> None:
    assert "@media print" in stylesheet()
    assert "prefers-color-scheme: dark" in stylesheet()


def test_the_frame_is_accessible() -> None:
    html = render_pages([("a", PNG), ("b", None)])
    assert '<html lang="en">' in html
    assert html.count("<h1") == 1
    assert '<nav class="pages" aria-label="Pages">' in html
    assert 'alt="Picture of page 1"' in html
    assert html.count('role="status"') == 2
    labels = re.findall(r'aria-labelledby="([^"]+)"', html)
    assert all(f'id="{name}"' in html for name in labels)


def test_the_same_text_gives_the_same_page() -> None:
    assert render("# A \\( x \\)") == render("# A \\( x \\)")
