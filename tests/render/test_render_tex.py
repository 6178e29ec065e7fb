r"""TikZ by an installed TeX: what is let through, what is not, and that it can do no harm."""

import os
import re
import time
from pathlib import Path

import pytest

from got_ocr.errors import DeadlineExceeded, MissingDependency, RenderFailed
from got_ocr.render import render, render_result, tex

needs_tex = pytest.mark.skipif(not tex.available(), reason="latex and dvisvgm are not installed")
PICTURE = "\\begin{tikzpicture}\n\\draw[->] (0,0)--(2,1) node[right] {$\\frac{\\alpha}{2}$};\n%s\n\\end{tikzpicture}"
HARMLESS = [
    "\\fill[red] (1,1) circle (2pt);",
    "\\foreach \\x in {1,...,4} \\draw (\\x,0)--(\\x,1) node[below] {$\\x$};",
    "\\draw[domain=-2:1,samples=40] plot (\\x,{\\x*\\x});",
    "\\coordinate (A) at (1,2); \\node[above left] at (A) {$\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}$};",
    "% a comment with \\input{/etc/passwd}",
]
HOSTILE = [
    "\\input{/etc/passwd}", "\\input /etc/passwd", "\\include{x}", "\\openin1=/etc/passwd", "\\openout1=x", "\\read1 to\\x",
    "\\immediate\\write18{id}", "\\write18{id}", "\\catcode`\\@=11", "\\csname input\\endcsname{/etc/passwd}",
    "\\expandafter\\input\\x", "\\def\\x{\\x}\\x", "\\let\\a\\input", "\\newcommand{\\q}{x}", "\\loop\\iftrue\\repeat",
    "\\special{dvisvgm:raw <script>alert(1)</script>}", "\\directlua{os.execute('id')}", "\\usepackage{shellesc}",
    "^^5cinput{/etc/passwd}", "\\^^69nput{/etc/passwd}", "\\pgfkeys{/utils/exec=x}", "\\draw[/utils/exec={x}] (0,0);",
    "\\draw[a/.code={b}] (0,0);", "\\draw plot file {/etc/passwd};", "\\draw plot[id=x] function {sin(x)};",
    "\\draw plot gnuplot {x};", "\\includegraphics{/etc/passwd}", "\\pgfimage{x}", "\\begin{filecontents}{x}y\\end{filecontents}",
    "\\begin{document}", "\\lstinputlisting{/etc/passwd}", "\\verbatiminput{/etc/passwd}", "\\tikzexternalize",
    "\\node[execute at begin node=x] {};", "\\uppercase{x}", "\\scantokens{x}", "\\primitive\\input x", "\\jobname",
    "\\afterassignment\\x", "\\everypar{x}", "\\the\\inputlineno", "\\pdffiledump{/etc/passwd}", "\\ShellEscape{id}",
    "\\draw[pattern=dots] (0,0) rectangle (1,1);", "\\shade[ball color=red] (0,0) circle (1);", "\\pgfuseimage{x}",
    "\\makeatletter\\@@input x", "\\@input{x}", "\x00", "\\\x07",
]  # fmt: skip


@pytest.mark.parametrize("line", HARMLESS)
def test_drawings_are_let_through(line: str) -> None:
    assert tex.checked("\\documentclass{article}" + PICTURE % line).startswith("\\begin{tikzpicture}")


@pytest.mark.parametrize("line", HOSTILE)
def test_programs_are_not(line: str) -> None:
    with pytest.raises(RenderFailed, match="not given to TeX"):
        tex.checked(PICTURE % line)


def test_what_is_no_whole_picture_is_not_given_to_tex() -> None:
    for text in ("\\draw (0,0)--(1,1);", "\\begin{tikzpicture}", PICTURE % (" " * tex.MAX_TIKZ)):
        with pytest.raises(RenderFailed, match="whole tikzpicture"):
            tex.checked(text)


def test_without_tex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tex, "available", lambda: False)
    assert render_result(PICTURE % "", kind="tikz", tex=True).error == MissingDependency.code
    assert render_result(PICTURE % "", kind="tikz").error is None


def test_what_tex_is_not_given_is_drawn_by_our_own_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tex, "available", lambda: True)
    text = PICTURE % "\\input{/etc/passwd}"
    assert render(text, kind="tikz", to="svg", tex=True) == render(text, kind="tikz", to="svg")


@needs_tex
def test_a_drawing_by_tex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tex, "TEX_SECONDS", 60.0)
    svg = str(tex.to_svg(PICTURE % HARMLESS[1], "z-"))
    assert svg.count("<path") > 10
    assert re.match(r'<svg xmlns="http://www.w3.org/2000/svg" viewBox="[-\d. ]+" width="[\d.]+" height="[\d.]+"', svg)
    assert "script" not in svg
    assert 'href="http' not in svg
    assert all(name.startswith("z-") for name in re.findall(r' id="([^"]+)"', svg))


@needs_tex
def test_the_child_alone_reads_no_file_outside_its_folder_and_runs_nothing(tmp_path: Path) -> None:
    """Even where the check before it were passed: TeX itself refuses."""
    from got_ocr.render import child

    secret, mark = tmp_path / "secret.tex", tmp_path / "mark"
    secret.write_text("\\draw (0,0)--(99,99);")
    for attack in (
        f"\\input{{{secret}}}",
        f"\\immediate\\write18{{touch {mark}}}",
        f"\\immediate\\openout5={mark}\\relax",
    ):
        try:
            answer = child.run_child("got_ocr.render.tex_child", PICTURE % attack, "TeX", 60.0)
        except RenderFailed:
            answer = ""
        assert "99" not in re.sub(r"[\d.]{6,}", "", answer) or "input" not in attack
    assert os.listdir(tmp_path) == ["secret.tex"]


@needs_tex
def test_a_drawing_without_end_is_stopped() -> None:
    text = "\\begin{tikzpicture}\n\\foreach \\x in {1,...,1000} \\foreach \\y in {1,...,1000} \\draw (\\x,\\y)--(0,0);\n\\end{tikzpicture}"
    began = time.monotonic()
    with pytest.raises((RenderFailed, DeadlineExceeded)):
        tex.to_svg(text)
    assert time.monotonic() - began < 15
