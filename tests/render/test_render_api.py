"""The door: kinds, forms, failures, and texts that nobody foresaw."""

import subprocess
import sys

import pytest

from got_ocr.errors import InvalidValue, MissingDependency, RenderFailed
from got_ocr.render import api, figure, raster, render, render_pages, render_result
from got_ocr.render.api import FORMS
from got_ocr.render.kind import KINDS
from got_ocr.render.limits import MAX_FALLBACK, MAX_OUTPUT, MAX_SOURCE

TEXTS = {
    "markdown": "# A\n\nb \\( c \\)",
    "table": "\\begin{tabular}{c}a\\end{tabular}",
    "tikz": "\\draw (0,0) -- (1,1);",
    "chart": '{"title": "t", "values": {"a": 1}}',
}


@pytest.mark.parametrize("kind", TEXTS)
def test_every_kind_is_found_and_has_its_forms(kind: str) -> None:
    made = render_result(TEXTS[kind])
    assert (made.kind, made.error) == (kind, None)
    assert str(made.content).startswith("<!DOCTYPE html>")
    assert render(TEXTS[kind], to="fragment")
    assert str(render(TEXTS[kind], to="gfm")).endswith("\n")
    assert str(render(TEXTS[kind], to="md")).endswith("\n")


@pytest.mark.parametrize("kind", ["tikz", "chart"])
def test_drawings_have_svg(kind: str) -> None:
    assert str(render(TEXTS[kind], to="svg")).startswith('<svg xmlns="http://www.w3.org/2000/svg"')


@pytest.mark.parametrize("kind", ["markdown", "table"])
def test_texts_have_no_svg(kind: str) -> None:
    with pytest.raises(InvalidValue):
        render(TEXTS[kind], to="svg")


def test_unknown_kinds_and_forms_are_refused() -> None:
    with pytest.raises(InvalidValue):
        render("x", kind="picture")
    with pytest.raises(InvalidValue):
        render("x", to="pdf")


def test_png_of_a_drawing() -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    data = render(TEXTS["tikz"], to="png")
    assert isinstance(data, bytes)
    assert data.startswith(b"\x89PNG")


def test_png_of_a_huge_drawing_is_bounded() -> None:
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    from io import BytesIO

    from PIL import Image

    data = render("\\draw (0,0) -- (500,1);", kind="tikz", to="png")
    assert isinstance(data, bytes)
    assert max(Image.open(BytesIO(data)).size) <= raster.MAX_SIDE + 1


def test_png_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MissingDependency, match=r"got-ocr\[render\]"):
        render(TEXTS["tikz"], to="png")


def test_png_of_a_text_needs_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster.shutil, "which", lambda name: None)
    with pytest.raises(MissingDependency, match="Chromium"):
        render("text", to="png")


@pytest.mark.slow
def test_png_of_a_text_by_the_browser() -> None:
    if raster.find_browser() is None:
        pytest.skip("no Chromium on the PATH")
    data = render("# Hello\n\n\\( \\frac{1}{2} \\)", to="png")
    assert isinstance(data, bytes)
    assert data.startswith(b"\x89PNG")


def test_a_renderer_that_breaks_leaves_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(source: str, prefix: str) -> object:
        raise ValueError("boom at 0x7f00 in /home/x")

    monkeypatch.setattr(figure, "_renderer", lambda kind: broken)
    made = render_result("\\draw <b>;", kind="tikz", to="fragment")
    assert made.error == "render_failed"
    assert "&lt;b&gt;" in str(made.content)
    assert "boom" not in str(made.content)
    with pytest.raises(RenderFailed):
        render("\\draw;", kind="tikz", to="svg")


def test_a_reader_that_breaks_leaves_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str, depth: int = 0) -> object:
        raise RecursionError

    monkeypatch.setattr("got_ocr.render.markdown.parse_blocks", broken)
    made = render_result("a <b>", kind="markdown", to="html")
    assert made.error == "render_failed"
    assert "a &lt;b&gt;" in str(made.content)
    written = render_result("a <b>", kind="markdown", to="gfm")
    assert (written.error, written.content) == ("render_failed", "```\na <b>\n```\n")


def test_a_drawing_larger_than_the_cap_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "_renderer", lambda kind: lambda source, prefix: figure.Markup("x" * (MAX_OUTPUT + 1)))
    assert render_result("\\draw;", kind="tikz", to="fragment").error == "render_failed"


EMPTY = ["", " ", "\n\n", "\x00", "\ufeff", "\ud800"]


@pytest.mark.parametrize("kind", ["auto", *KINDS])
@pytest.mark.parametrize("text", EMPTY)
def test_empty_and_illegal_text(kind: str, text: str) -> None:
    if kind == "kern":
        return  # its own file: a child each
    made = render_result(text, kind=kind)
    assert str(made.content).startswith("<!DOCTYPE html>")
    assert "\x00" not in str(made.content)
    str(made.content).encode("utf-8")


LONG = {
    "one line of a megabyte": "x" * 1_000_000,
    "a megabyte of tags": "<b>" * 350_000,
    "a megabyte of NUL": "\x00" * 1_000_000,
    "just too long": "a " * (MAX_SOURCE // 2 + 1),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("kind", ["auto", "markdown", "tikz", "chart", "smiles", "kern", "table"])
def test_a_text_too_long_is_shown_as_it_is(name: str, kind: str) -> None:
    made = render_result(LONG[name], kind=kind, to="fragment")
    assert made.error == "render_failed"
    assert len(made.content) <= MAX_OUTPUT
    assert len(made.content) >= min(len(LONG[name]), MAX_FALLBACK)
    assert "gfm" in FORMS
    assert render_result(LONG[name], kind=kind, to="gfm").error == "render_failed"


DEEP = {
    "braces": "{" * 10_000 + "}" * 10_000,
    "open braces": "{" * 10_000,
    "brackets": "[" * 10_000,
    "bold": "**a " * 5_000,
    "maths braces": "\\( " + "{" * 10_000 + " \\)",
    "fences": "\\[" + "\\left(" * 5_000 + "\\]",
    "commands": "\\textbf{" * 5_000,
    "environments": "\\begin{itemize}\\item " * 2_000,
    "quotes": "> " * 10_000 + "a",
    "tables": "\\begin{tabular}{c}" * 2_000,
    "spans": "\\begin{tabular}{c}" + "\\multicolumn{100000}{c}{\\multirow{100000}{*}{x}} & " * 100 + "\\end{tabular}",
    "macro bomb": "\\def\\a{\\a\\a}\\newcommand{\\b}{\\b\\b} \\( \\a \\b \\) \\a \\b",
    "formulas": "$x^2$ " * 15_000,
    "one long formula": "$" + "x_1^2+" * 15_000 + "$",
    "footnotes": "a[^1] " * 5_000 + "\n\n" + "[^1]: b\n" * 2_000,
    "links": "[a](http://a.b) " * 5_000,
    "spaces": "#" + " " * 90_000 + "x",
    "list": "- a\n" * 20_000,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_and_wide_texts_end(name: str) -> None:
    for form in ("fragment", "gfm"):
        made = render_result(DEEP[name], kind="markdown", to=form)
        assert made.content
        assert len(made.content) <= MAX_OUTPUT


def test_pages_survive_each_other() -> None:
    html = render_pages([("\\draw (nowhere);", None), ("fine", None)], kind="auto")
    assert 'data-render-error="render_failed"' in html
    assert "fine" in html


def test_nothing_heavy_is_loaded_until_it_is_needed() -> None:
    code = (
        "import sys; import got_ocr.render as r; r.render('a **b**'); "
        "print([m for m in ('torch', 'verovio', 'rdkit', 'latex2mathml', 'resvg_py', 'PIL', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == "[]"


def test_errors_of_the_taxonomy_reach_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(source: str, prefix: str) -> object:
        raise MissingDependency("molecules need the package rdkit: pip install 'got-ocr[render]'")

    monkeypatch.setattr(api, "figure", api.figure)
    monkeypatch.setattr(figure, "_renderer", lambda kind: missing)
    made = render_result("CCCCC", kind="smiles", to="fragment")
    assert made.error == "missing_dependency"
    assert "got-ocr[render]" in str(made.content)
