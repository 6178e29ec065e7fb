"""Nothing that a text says can run, load or send anything: payloads x places, judged by a browser's parser."""

import json
import re
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("html5lib", reason="html5lib is not installed")

from xss_payloads import faults, parse, payloads, shape, written_again

from got_ocr.render import render, render_pages, render_result
from got_ocr.render.raster import find_browser

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
ALL = payloads()
SAMPLE = ALL[::6]

PLACES: dict[str, Callable[[str], str]] = {
    "text": lambda p: str(render(f"before\n\n{p}\n\nafter {p} **{p}**", kind="markdown", to="fragment")),
    "maths": lambda p: str(
        render(
            f"\\( {p} \\) and \\( x^{{{p}}} \\)\n\n\\[ \\text{{{p}}} {p} \\]\n\n$${p}$$", kind="markdown", to="fragment"
        )
    ),
    "cell": lambda p: str(
        render(
            f"\\begin{{tabular}}{{|l|{p}|}}\\hline a & {p} \\\\ \\multicolumn{{2}}{{{p}}}{{{p}}} \\\\ \\hline\\end{{tabular}}\n\n"
            f"| {p} | b |\n|---|---|\n| 1 | {p} |\n",
            kind="markdown",
            to="fragment",
        )
    ),
    "tikz node": lambda p: str(
        render(
            f"\\draw (0,0) -- (1,1);\\node at (0,0) {{{p}}};\\node[draw] ({p}) at (1,0) {{${p}$}};",
            kind="tikz",
            to="fragment",
        )
    ),
    "tikz option": lambda p: str(
        render(
            f"\\draw[{p}] (0,0) -- (1,1);\\draw[fill={p},draw={{{p}}}] (0,0) circle ({p});\\fill (0,0) circle (1);",
            kind="tikz",
            to="fragment",
        )
    ),
    "smiles": lambda p: (
        str(render(p, kind="smiles", to="fragment")) + str(render(f"CC{p}", kind="smiles", to="fragment"))
    ),
    "chart": lambda p: str(
        render(
            json.dumps(
                {"title": p, "source": p, "x_title": p, "y_title": p, "values": {p: {p: p, "b": 2}, "s": {"b": 3}}}
            ),
            kind="chart",
            to="fragment",
        )
    ),
    "page": lambda p: render_pages([(p, PNG), (p, None)], title=p),
}


def check(place: str, payload: str) -> None:
    html = PLACES[place](payload)
    assert faults(html) == []
    again = written_again(html)
    assert shape(parse(again)) == shape(parse(html))
    assert faults(again) == []


@pytest.mark.parametrize("place", PLACES)
def test_a_sample_of_payloads_is_dead(place: str) -> None:
    for payload in SAMPLE:
        check(place, payload)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_all_payloads_are_dead(place: str) -> None:
    for payload in ALL:
        check(place, payload)


def test_there_are_enough_payloads_and_places() -> None:
    assert len(ALL) >= 300
    assert len(PLACES) + 1 >= 9  # music below is the ninth


def test_the_judge_sees_what_is_alive() -> None:
    """A judge that finds nothing anywhere would pass everything."""
    alive = [payload for payload in ALL if payload.lstrip().startswith("<") and faults(f"<p>{payload}</p>")]
    assert len(alive) > 80


SCORE = "**kern\t**text\n*clefG2\t*\n4c\t{0}\n4d\t{0}\n!!LO:TX:t={0}\n!!!OTL: {0}\n!!!COM: {0}\n*-\t*-\n"


def score(payload: str) -> str:
    return SCORE.format(" ".join(payload.split()) or "x")


@pytest.mark.skipif(find_spec("verovio") is None, reason="verovio is not installed")
@pytest.mark.parametrize("payload", ALL[:: len(ALL) // 8])
def test_a_score_is_dead(payload: str) -> None:
    html = str(render(score(payload), kind="kern", to="fragment"))
    assert faults(html) == []
    assert shape(parse(written_again(html))) == shape(parse(html))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("verovio") is None, reason="verovio is not installed")
def test_all_scores_are_dead() -> None:
    for payload in ALL:
        html = str(render(score(payload), kind="kern", to="fragment"))
        assert faults(html) == [], payload


@pytest.mark.parametrize("kind", ["auto", "markdown", "table", "tikz", "smiles", "chart"])
def test_whole_pages_run_our_script_alone(kind: str) -> None:
    for payload in ALL[::25]:
        html = str(render(payload, kind=kind, title=payload))
        assert faults(html) == []
        scripts = [node.text for node in parse(html).iter("script")]
        assert len(scripts) == 1
        assert payload not in (scripts[0] or "")
        policies = [node.get("content") or "" for node in parse(html).iter("meta") if node.get("http-equiv")]
        assert len(policies) == 1
        assert policies[0].startswith("default-src 'none'")
        assert "unsafe" not in policies[0]


def test_nothing_loads_by_itself() -> None:
    html = str(render("![x](http://evil.test/a.png) \\includegraphics{http://evil.test/b} [c](http://fine.test/c)"))
    addresses = [
        value
        for node in parse(html).iter()
        for key, value in node.attrib.items()
        if key in ("src", "href", "data", "srcset")
    ]
    assert addresses == ["http://fine.test/c"]


@pytest.mark.parametrize("dialect", ["md", "gfm"])
def test_markdown_output_holds_no_markup_of_the_text(dialect: str) -> None:
    """What we write as Markdown stays dead in a renderer that lets HTML through."""
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    reader = markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for payload in SAMPLE:
        for text in (
            payload,
            f"\\( {payload} \\)",
            f"\\begin{{tabular}}{{ll}}{payload} & \\( {payload} \\)\\end{{tabular}}",
        ):
            html = reader.render(str(render(text, kind="markdown", to=dialect)))
            assert [fault for fault in faults(html) if not fault.endswith("align=center")] == [], payload


def test_links_keep_harmless_addresses_only() -> None:
    for scheme in (
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///x",
        "//evil.test",
        "mailto:a@b.c?bcc=d",
    ):
        made = render_result(f"[word]({scheme})", to="fragment").content
        assert "<a" not in str(made)
        assert "word" in str(made)
    assert 'href="https://a.test/b_(c)"' in str(render("[word](https://a.test/b_(c))", to="fragment"))


@pytest.mark.slow
def test_a_real_browser_runs_none_of_it(tmp_path: Path) -> None:
    """All fragments in one document without our policy, script allowed: the alarm must stay silent."""
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium on the PATH")
    alarm = "<script>window.alert = window.print = () => { document.title = 'ALARM'; };</script>"
    body = "".join(PLACES[place](payload) for place in PLACES if place != "page" for payload in ALL)
    assert browsed(browser, tmp_path, f"<!DOCTYPE html><title>calm</title>{alarm}<body>{body}") == "calm"
    alive = f"<!DOCTYPE html><title>calm</title>{alarm}<body><img src=x onerror=alert(1)>"
    assert browsed(browser, tmp_path, alive) == "ALARM"


def browsed(browser: str, folder: Path, html: str) -> str:
    """Load a document in Chromium and return its title afterwards."""
    page = folder / "page.html"
    page.write_text(html, "utf-8")
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    command += ["--disable-sync", "--disable-component-update", f"--user-data-dir={folder / 'profile'}"]
    command += ["--virtual-time-budget=5000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    return re.findall(r"<title>(.*?)</title>", done.stdout.decode("utf-8", "replace"))[0]
