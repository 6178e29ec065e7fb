"""Formulas: repair without loss, conversion, mending for browsers, and source where nothing else can be done."""

import re

import pytest

pytest.importorskip("latex2mathml", reason="latex2mathml is not installed")

from got_ocr.errors import MissingDependency, RenderFailed
from got_ocr.render import math as maths
from got_ocr.render import render, render_result
from got_ocr.render.limits import MAX_FORMULA
from got_ocr.render.math import MathsBudget, formula, to_mathml
from got_ocr.render.mathfix import MAX_GROUPS, repair
from got_ocr.render.mathtext import protect, restore


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        (r"\frac{a}{b", r"\frac {a}{b}"),
        (r"\left( a + b", r"\left(  a + b \right."),
        (r"a \right)", "a )"),
        ("a^b^c", "a^b{}^c"),
        ("x^{2}_{1}^3", "x^{2}_{1}{}^3"),
        ("a_", "a_{}"),
        ("^2", "{}^2"),
        (r"\frac{a}", r"\frac {a}{}"),
        (r"\sqrt", r"\sqrt {}"),
        (r"x & y \\ z", r"\begin{split}x & y \\ z\end{split}"),
        (r"\begin{aligned} a &= b \\ c &= d", r"\begin{split} a &= b \\ c &= d\end{split}"),
        (r"\left\{ a \\ b \right.", r"\left\{ \begin{split} a \\ b \end{split} \right."),
        (r"\begin{array} a & b \end{array}", r"\begin{array}{cc} a & b \end{array}"),
        (r"\begin{array}[t]{c@{}|p{1cm}} a & b \end{array}", r"\begin{array}{c|} a & b \end{array}"),
        (r"\begin{cases} a \end{matrix}", r"\begin{cases} a \end{cases}"),
        ("}}}a", "a"),
        ("{a", "{a}"),
        (r"\end{array} a", "a"),
        (r"\begin{equation} a \end{equation}", "a"),
        ("50% of $a$ #1", r"50\% of \$a\$ \#1"),
        (r"\not= \not\in", "≠ ∉"),
        (r"a \label{x} \nonumber", "a"),
        (r"\begin{rcases} a \end{rcases}", r"\left.\begin{array}{ll} a \end{array}\right\}"),
    ],
)
def test_repairs(broken: str, whole: str) -> None:
    assert restore(repair(broken)) == whole


@pytest.mark.parametrize(
    "source",
    [r"\frac{a}{b", r"\left(\frac{x}{y}", "a^b^c", r"\begin{aligned} a &= b \\ c", "}{", "&", r"\\", "^", "_^"],
)
def test_a_repaired_formula_needs_no_second_repair(source: str) -> None:
    once = repair(source)
    assert re.sub(r"\s", "", repair(once)) == re.sub(r"\s", "", once)


LETTERS = re.compile(r"[a-zA-Z0-9]")


@pytest.mark.parametrize(
    "source",
    [
        r"\frac{a}{b}{c",
        r"a & b \\ c & d",
        r"\text{if $x<3$ and \textbf{bold} y}",
        r"\left[ q \right",
        r"\begin{pmatrix} 1 & 2 \\ 3",
        r"\mathrm{abc} \mathbf{d} \operatorname{rank} e",
        r"\ce{H2SO4 -> 2H+}",
        r"\href{javascript:x}{shown}",
        r"x \tag{12}",
        r"\overset{u}{v} \underbrace{w}_{z}",
        r"\foo{kept}",
    ],
)
def test_no_character_is_lost(source: str) -> None:
    drawn = re.sub(r"<[^>]+>", "", to_mathml(source))
    hidden = re.sub(r"\\[a-zA-Z]+|\{javascript:x\}|pmatrix", " ", source)
    for char in LETTERS.findall(hidden):
        assert char in drawn or any(char in _plain(other) for other in drawn), char


def _plain(char: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", char)


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (r"\frac{1}{2}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"x_1^2", "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>"),
        (r"\mathbb{R}\mathcal{L}\mathfrak{g}", "ℝ"),
        (r"\mathcal{L}", "<mi>ℒ</mi>"),
        (r"\mathbf{x}", "<mi>𝐱</mi>"),
        (r"\mathbb{1}", "<mn>𝟙</mn>"),
        (r"\Gamma", '<mi mathvariant="normal">Γ</mi>'),
        (r"\text{a b}", "<mtext>a b</mtext>"),
        (r"\text{for }x", "<mtext>for\u00a0</mtext>"),
        (r"\text{caf\'e}", "<mtext>café</mtext>"),
        ("a<b>c", "<mo>&lt;</mo>"),
        ("≤", "<mo>≤</mo>"),
        (r"\infty", "<mi>∞</mi>"),
        ("=-x", '<mo form="prefix" lspace="0em" rspace="0em">−</mo>'),
        (r"a\sin x", '<mo lspace="0.167em" rspace="0.167em">sin</mo>'),
        (
            r"\begin{vmatrix}a\end{vmatrix}",
            '<mo stretchy="true" form="prefix" lspace="0em" rspace="0em">|</mo><mtable>',
        ),
        (r"\begin{array}{c|c}a & b \\ \hline c & d\end{array}", 'class="line-above line-left"'),
        (r"\operatorname{arg\,max}", ">arg\u2009max</mo>"),
    ],
)
def test_mathml(source: str, part: str) -> None:
    assert part in to_mathml(source)


def test_limits_stand_below_in_displayed_formulas() -> None:
    assert "<munder><mo" in to_mathml(r"\lim_{x}", display=True)
    assert "<munderover><mo>⨂</mo>" in to_mathml(r"\bigotimes_{i}^n", display=True)
    assert "<munder>" not in to_mathml(r"\lim_{x}")


@pytest.mark.parametrize(
    "source",
    [
        *(
            r"\def\x{\x\x}\x",
            r"\newcommand{\a}{b}\a",
            r"\input{/etc/passwd}",
            r"\write18{id}",
            r"\loop x\repeat",
            r"\csname x\endcsname",
        ),
        *(r"\let\a\b", r"\catcode`\@=11", "{" * (MAX_GROUPS + 5) + "x", r"\sqrt{" * 60),
    ],
)
def test_macros_and_towers_are_refused(source: str) -> None:
    with pytest.raises(RenderFailed):
        to_mathml(source)
    assert '<code class="math-source">' in formula(source, MathsBudget())


def test_an_unconvertible_formula_is_shown_escaped() -> None:
    made = str(render(r"\( \def\x{<script>} \)", to="fragment"))
    assert "&lt;script&gt;" in made
    assert "math-source" in made


def test_long_formulas_and_many_formulas_stay_source() -> None:
    budget = MathsBudget()
    assert "math-source" in formula("x" * (MAX_FORMULA + 1), budget)
    assert "<math" in formula("x", MathsBudget())
    assert formula("x", MathsBudget()) == to_mathml("x")


def test_attributes_that_reach_out_never_pass() -> None:
    for source in (
        r"\href{javascript:alert(1)}{x}",
        r"\class{a}{b}",
        r"\color{url(//evil)}{x}",
        r"\style{x:y}{z}",
        r"\htmlData{onclick=1}{x}",
    ):
        made = to_mathml(source)
        assert "href" not in made
        assert "class" not in made
        assert "evil" not in made


def test_without_the_package_the_source_is_left_and_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    with pytest.raises(MissingDependency, match=r"got-ocr\[render\]"):
        to_mathml("x")
    made = render_result(r"text \( x \) more \( y \)", kind="markdown", to="fragment")
    assert made.error == "missing_dependency"
    assert str(made.content).count("got-ocr[render]") == 1
    assert str(made.content).count("math-source") == 2


def test_the_converter_may_fail_in_any_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(source: str, display: str) -> object:
        raise RecursionError("boom at 0x7f00")

    import latex2mathml.converter

    monkeypatch.setattr(latex2mathml.converter, "convert_to_element", broken)
    with pytest.raises(RenderFailed) as caught:
        maths.to_mathml("x")
    assert "0x" not in str(caught.value)


def test_protected_characters_come_back() -> None:
    text = "<a & b> \\ {x} $%#_^~ é中"
    assert restore(protect(text)) == text
    assert "<" not in protect(text)


def test_private_characters_of_the_text_cannot_become_markup() -> None:
    assert "<b>" not in to_mathml("\\text{\ue03cb\ue03e}")
