"""TikZ by our own subset: what is drawn where, and that every loop ends."""

import math
import re
from collections.abc import Sequence

import pytest
from tikz_eyes import ends, near, paths, picture, points

from got_ocr.errors import RenderFailed
from got_ocr.render import render, render_result
from got_ocr.render.tikz import to_svg
from got_ocr.render.tikz.arith import CM, evaluate, length, number
from got_ocr.render.tikz.colors import color, defined_color
from got_ocr.render.tikz.style import Look, Style, apply


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("1+2*3", 7),
            ("-2^2", -4),
            ("2^3", 8),
            ("(1+2)*3", 9),
            ("{2*3}", 6),
            ("7/2", 3.5),
            ("--3", 3),
            ("2e3", 2000),
        ),
        *(
            ("sin(30)", 0.5),
            ("cos 60", 0.5),
            ("2*sin(30)+1", 2),
            ("tan(45)", 1),
            ("sin(pi/2 r)", 1),
            ("atan2(1,1)", 45),
        ),
        *(
            ("sqrt(16)", 4),
            ("exp(0)", 1),
            ("ln(e)", 1),
            ("abs(-3)", 3),
            ("max(1,5,2)", 5),
            ("mod(7,3)", 1),
            ("pow(2,10)", 1024),
        ),
        *(("3>2", 1), ("3>2?10:20", 10), ("\\x^2+\\x", 6), ("floor(2.7)", 2), ("round(2.5)", 3), ("veclen(3,4)", 5)),
    ],
)
def test_arithmetic(text: str, value: float) -> None:
    assert number(text, {"x": 2.0}) == pytest.approx(value, abs=1e-6)


def test_lengths_know_their_unit() -> None:
    assert length("2") == pytest.approx(2 * CM)
    assert length("2pt") == 2
    assert length("1cm+3pt") == pytest.approx(CM + 3)
    assert evaluate("2*1pt").length


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "1+",
            "1/0",
            "9^9^9^9",
            "(-1)^0.5",
            "sqrt(-1)",
            "ln(0)",
            "foo(1)",
            "__import__",
            "1;2",
            "(" * 500,
            "-" * 1_500 + ")",
        ),
        *("2^" * 900 + "2", "!" * 1_500 + "1", "x" * 3_000, "factorial(99)", "1e999", "\\y"),
    ],
)
def test_arithmetic_that_has_no_value_is_refused(text: str) -> None:
    with pytest.raises(RenderFailed):
        evaluate(text, {"x": 1.0})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("red", "#ff0000"),
            ("blue!20", "#ccccff"),
            ("red!50!blue", "#800080"),
            ("black!30", "#b2b2b2"),
            ("-red", "#00ffff"),
        ),
        *(
            ("mine", "#123456"),
            ("mine!50!mine", "#123456"),
            ("nothing", None),
            ("red!x", None),
            ("url(#a)", None),
            ("", None),
        ),
    ],
)
def test_colours(text: str, value: str | None) -> None:
    assert color(text, {"mine": "#123456"}) == value


def test_defined_colours() -> None:
    assert defined_color("RGB", "255,0,128") == "#ff0080"
    assert defined_color("rgb", "1,0,0.5") == "#ff0080"
    assert defined_color("HTML", "FF0080") == "#ff0080"
    assert defined_color("gray", "0.5") == "#808080"
    assert defined_color("HTML", '"onload') is None
    assert defined_color("cmyk", "1,1,1,1") is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("\\draw (0,0) -- (1,2);", [(0, 0), (1, 2)]),
        ("\\draw (0,0) -- ++(1,0) -- ++(0,1);", [(0, 0), (1, 0), (1, 1)]),
        ("\\draw (1,1) -- +(1,0) -- +(0,1);", [(1, 1), (2, 1), (1, 2)]),
        ("\\draw (30:2) -- (0,0);", [(1.73, 1), (0, 0)]),
        ("\\draw (0,0) -| (1,2);", [(0, 0), (1, 0), (1, 2)]),
        ("\\draw (0,0) |- (1,2);", [(0, 0), (0, 2), (1, 2)]),
        ("\\draw (0,0) rectangle (1,2);", [(0, 0), (1, 0), (1, 2), (0, 2)]),
        ("\\draw (10mm,0) -- (28.45274pt,1in);", [(1, 0), (1, 2.54)]),
        ("\\draw[scale=2] (0,0) -- (1,1);", [(0, 0), (2, 2)]),
        ("\\draw[xshift=1cm,yshift=-1cm] (0,0) -- (1,1);", [(1, -1), (2, 0)]),
        ("\\draw[rotate=90] (0,0) -- (1,0);", [(0, 0), (0, 1)]),
        ("\\draw[shift={(1,2)}] (0,0) -- (1,0);", [(1, 2), (2, 2)]),
        ("\\draw[x=2cm,y=0.5cm] (0,0) -- (1,1);", [(0, 0), (2, 0.5)]),
        ("\\draw[rotate around={90:(1,0)}] (1,0) -- (2,0);", [(1, 0), (1, 1)]),
        ("\\coordinate (A) at (1,1);\\draw (0,0) -- (A);", [(0, 0), (1, 1)]),
        ("\\coordinate (A) at (0,0);\\coordinate (B) at (2,0);\\draw (A) -- ($(A)!0.25!(B)$);", [(0, 0), (0.5, 0)]),
        ("\\coordinate (A) at (0,0);\\coordinate (B) at (2,0);\\draw (A) -- ($(A)!0.5!90:(B)$);", [(0, 0), (0, 1)]),
        ("\\coordinate (A) at (0,0);\\coordinate (B) at (2,0);\\draw (A) -- ($(A)!(1,1)!(B)$);", [(0, 0), (1, 0)]),
        ("\\coordinate (A) at (1,1);\\draw (0,0) -- ($(A)+(1,0)$) -- ($2*(A)-(0,1)$);", [(0, 0), (2, 1), (2, 1)]),
        ("\\coordinate (A) at (1,0);\\coordinate (B) at (0,2);\\draw (A) -- (A |- B);", [(1, 0), (1, 2)]),
        ("\\draw (0,0) -- (intersection of 0,1--2,1 and 1,0--1,2);", [(0, 0), (1, 1)]),
        ("\\begin{scope}[xshift=1cm]\\draw (0,0) -- (1,0);\\end{scope}", [(1, 0), (2, 0)]),
        ("\\def\\a{2}\\draw (0,0) -- (\\a,\\a);", [(0, 0), (2, 2)]),
        ("\\pgfmathsetmacro{\\a}{sqrt(4)}\\draw (0,0) -- (\\a,0);", [(0, 0), (2, 0)]),
        ("\\draw (0,0) -- ({2*cos(60)},{sin(90)});", [(0, 0), (1, 1)]),
        ("\\draw (0,0) foreach \\x in {1,2} { -- (\\x,0) };", [(0, 0), (1, 0), (2, 0)]),
        ("\\draw let \\p1=(1,2) in (0,0) -- (\\x1,0) -- (\\p1);", [(0, 0), (1, 0), (1, 2)]),
        ("\\draw plot coordinates {(0,0) (1,1) (2,0)};", [(0, 0), (1, 1), (2, 0)]),
        ("\\draw[domain=0:2,samples=3] plot (\\x,{\\x*\\x});", [(0, 0), (1, 1), (2, 4)]),
        ("\\draw plot[domain=0:1,samples=2,variable=\\t] ({2*\\t},\\t);", [(0, 0), (2, 1)]),
        ("% \\draw (9,9) -- (8,8);\n\\draw (0,0) -- (1,0); % done", [(0, 0), (1, 0)]),
        ("\\draw (0,0,0) -- (1,1,0);", [(0, 0), (1, 1)]),
    ],
)
def test_places(source: str, expected: Sequence[tuple[float, float]]) -> None:
    assert near(ends(source), expected)


def test_circles_arcs_and_ellipses() -> None:
    circle = points(paths("\\draw (1,1) circle (2);")[0])
    assert {(3, 1), (-1, 1)} <= set(circle)
    ellipse = points(paths("\\draw (0,0) ellipse (2 and 1);")[0])
    assert {(2, 0), (0, 1), (-2, 0), (0, -1)} <= {(round(x, 1), round(y, 1)) for x, y in ellipse} | {(0, 1), (0, -1)}
    turned = points(paths("\\draw (1,0) arc (0:90:1);")[0])
    assert turned[0] == (1, 0)
    assert turned[-1] == (0, 1)
    assert points(paths("\\draw (1,0) arc[start angle=0,end angle=180,radius=1cm];")[0])[-1] == (-1, 0)
    assert points(paths("\\draw (0,0) circle[radius=5mm];")[0])[0] == (0.5, 0)


def test_grid_lines() -> None:
    data = paths("\\draw[step=0.5] (0,0) grid (1,1);")[0]
    assert data.count("M") == 6


def test_cycle_closes_and_styles_are_written() -> None:
    svg = to_svg("\\draw[red,thick,dashed,fill=blue!10,->,line cap=round] (0,0) -- (1,0) -- (1,1) -- cycle;")
    assert 'd="M0,0L28.45,0L28.45,-28.45Z"' in svg
    assert 'stroke="#ff0000"' in svg
    assert 'stroke-width="0.8"' in svg
    assert 'stroke-dasharray="3 3"' in svg
    assert 'fill="#e6e6ff"' in svg


def test_commands_paint_what_they_say() -> None:
    assert 'fill="none" stroke="#000000"' in to_svg("\\draw (0,0) -- (1,1);")
    assert 'stroke="' not in to_svg("\\fill[green] (0,0) circle (1);")
    assert to_svg("\\filldraw[fill=red] (0,0) circle (1);").count('fill="#ff0000" stroke="#000000"') == 1
    assert paths("\\path (0,0) -- (1,1);\\draw (0,0)--(1,0);") == ["M0,0L28.45,0"]


def test_arrows_point_along_the_line() -> None:
    line, tip = paths("\\draw[-latex] (0,0) -- (2,0);")[::-1]
    assert points(tip)[0] == (2, 0)
    assert points(line)[-1][0] < 2
    assert len(paths("\\draw[<->] (0,0) -- (2,0);")) == 3


def test_nodes_stand_where_they_are_anchored() -> None:
    made = picture(
        "\\node[draw] (a) at (1,1) {x};\\node[above] (b) at (0,0) {y};\\node[below left=2pt] (c) at (0,0) {z};"
    )
    shapes = made.names.shapes
    assert shapes["a"].center == pytest.approx((CM, CM))
    assert shapes["b"].center[0] == pytest.approx(0)
    assert shapes["b"].center[1] > 5
    assert shapes["c"].center[0] < -2
    assert shapes["c"].center[1] < -2


def test_lines_between_nodes_stop_at_their_borders() -> None:
    made = picture(
        "\\node[circle,draw,minimum size=1cm] (a) at (0,0) {};\\node[draw,minimum size=1cm] (b) at (3,0) {};"
    )
    assert made.names.shapes["a"].border((100, 0))[0] == pytest.approx(CM / 2, abs=0.5)
    assert made.names.shapes["b"].anchor("west")[0] == pytest.approx(2.5 * CM, abs=0.5)
    line = paths(
        "\\node[circle,draw,minimum size=1cm] (a) at (0,0) {};\\node[draw,minimum size=1cm] (b) at (3,0) {};\\draw (a) -- (b);"
    )[-1]
    assert near(points(line), [(0.51, 0), (2.49, 0)])


def test_labels_hold_words_and_formulas() -> None:
    svg = to_svg("\\node {Box $\\frac{a_1}{\\sqrt{b}}$ \\textbf{bold} $\\alpha^2$ \\(60^\\circ\\)};")
    text = re.sub(r"<[^>]+>", "", svg)
    assert all(part in text for part in ("Box", "a", "1", "b", "bold", "α", "2", "60", "°"))
    assert 'font-weight="bold"' in svg
    assert svg.count("<polyline") == 2


def test_a_label_breaks_its_lines() -> None:
    assert to_svg("\\node[align=center] {one \\\\ two};").count("<text") == 2
    assert to_svg("\\node[text width=1cm] {several words in a narrow node};").count("<text") > 2


def test_foreach_of_all_sorts() -> None:
    assert len(paths("\\foreach \\x in {0,...,4} \\draw (\\x,0) -- (\\x,1);")) == 5
    assert len(paths("\\foreach \\x in {0,0.5,...,2} {\\draw (\\x,0) -- (\\x,1);}")) == 5
    assert len(paths("\\foreach \\x in {1,2} \\foreach \\y in {1,2,3} \\draw (\\x,0) -- (\\y,1);")) == 6
    text = re.sub(r"<[^>]+>", "", to_svg("\\foreach \\p/\\n in {0/Alpha,1/Beta} \\node at (\\p,0) {\\n};"))
    assert text == "AlphaBeta"
    assert "4" in to_svg("\\foreach \\x [evaluate=\\x as \\y using \\x*2] in {2} \\node {\\y};")
    assert len(paths("\\foreach \\x [count=\\i] in {a,b,c} \\draw (\\i,0) -- (0,0);")) == 3


def test_named_styles() -> None:
    source = "\\begin{tikzpicture}[big/.style={draw=red,line width=3pt}]\\draw[big] (0,0)--(1,1);\\end{tikzpicture}"
    assert 'stroke="#ff0000" stroke-width="3"' in to_svg(source)
    assert 'stroke="#0000ff"' in to_svg("\\tikzset{thin line/.style={blue}}\\draw[thin line] (0,0)--(1,1);")
    assert 'stroke="#00ff00"' in to_svg("\\tikzstyle{leaf}=[green]\\draw[leaf] (0,0)--(1,1);")


def test_a_style_that_names_itself_ends() -> None:
    look = Look()
    style = apply(Style(), "a/.style={b},b/.style={a,red},a", look)
    assert style.color == "#ff0000"


def test_clips_patterns_and_braces() -> None:
    svg = to_svg(
        "\\begin{scope}\\clip (0,0) circle (1);\\fill (0,0) rectangle (2,2);\\end{scope}\\draw (3,0)--(4,0);", "p-"
    )
    assert '<clipPath id="p-clip1">' in svg
    assert svg.index('clip-path="url(#p-clip1)"') < svg.rindex("<path")
    assert 'fill="url(#hatch1)"' in to_svg("\\draw[pattern=north east lines] (0,0) rectangle (1,1);")
    assert paths("\\draw[decorate,decoration={brace,amplitude=5pt}] (0,0)--(2,0);")[0].count("C") == 4


def test_angles_are_marked() -> None:
    svg = to_svg(
        '\\coordinate(A)at(1,0);\\coordinate(B)at(0,0);\\coordinate(C)at(0,1);\\pic[draw,"$\\theta$",angle radius=5mm]{angle=A--B--C};'
    )
    assert "θ" in svg
    assert (
        len(
            paths(
                "\\coordinate(A)at(1,0);\\coordinate(B)at(0,0);\\coordinate(C)at(0,1);\\pic[draw]{right angle=A--B--C};"
            )
        )
        == 1
    )


def test_a_statement_that_fails_leaves_the_others() -> None:
    made = picture("\\draw (nowhere) -- (1,1);\\draw (0,0) -- (1,1);\\draw (0,0) warp (1,1);")
    assert (made.drawn, made.failed) == (1, 2)


def test_several_pictures_stand_below_each_other() -> None:
    one = "\\begin{tikzpicture}\\draw (0,0) rectangle (2,1);\\end{tikzpicture}"
    svg = to_svg("\\def\\a{1}" + one + "\n" + one)
    assert svg.count("<svg") == 3
    first, second = re.findall(r'<svg xmlns="[^"]+" viewBox="[^"]+" width="[\d.]+" height="([\d.]+)"', svg)[:2]
    assert float(first) > float(second) * 2


@pytest.mark.parametrize(
    "source",
    ["", "\\begin{tikzpicture}\\end{tikzpicture}", "\\node;", "nothing", "\\draw (a) -- (b);", "\\draw", "{" * 500],
)
def test_nothing_to_draw_is_said(source: str) -> None:
    with pytest.raises(RenderFailed):
        to_svg(source)


BOMBS = [
    "\\def\\a{\\a\\a}\\draw (0,0) -- (\\a,0);",
    "\\def\\a{\\b\\b}\\def\\b{\\c\\c}\\def\\c{\\d\\d}\\def\\d{\\e\\e}\\def\\e{" + "x" * 4_000 + "}\\node {\\a};",
    "".join(f"\\foreach \\{name} in {{1,...,900}} " for name in "abcdef") + "\\draw (0,0) -- (1,1);",
    "\\foreach \\x in {1,...,1000000000} \\draw (0,0)--(1,1);",
    "\\foreach \\x in {1,1.0000001,...,2} \\draw (0,0)--(1,1);",
    "\\draw (0,0) grid[step=0.000001] (1,1);",
    "\\draw[domain=0:1,samples=1000000] plot (\\x,\\x);",
    "\\foreach \\x in {1,...,1000} \\draw[domain=0:1,samples=500] plot (\\x,\\x);",
    "\\draw (0,0) arc (0:1e9:1);",
    "\\draw (0,0) -- (1e300,1e300);",
    "\\draw[scale=1e300] (0,0) -- (1,1);",
    "\\node {" + "{" * 10_000 + "};",
    "\\node {$" + "\\frac{" * 5_000 + "$};",
    "\\begin{scope}" * 5_000 + "\\draw (0,0)--(1,1);",
    "\\draw (0,0) node[" + "[" * 5_000 + "{x};",
    "\\draw (0,0) node(" + "(" * 5_000 + ";",
    "\\draw" + " (0,0) -- (1,1)" * 6_000 + ";",
    "\\node at (0,0) {x};" * 5_000,
    "\\draw[dash pattern=on 0pt off 0pt,line width=1e9] (0,0)--(1,1);",
    "\\draw ($" + "(A)!" * 400 + "$);",
]


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_bombs_end_with_a_clear_outcome(source: str) -> None:
    made = render_result(source, kind="tikz", to="fragment")
    assert made.error in (None, "render_failed")
    assert len(made.content) < 5_000_000


def test_the_picture_is_as_large_as_what_it_shows() -> None:
    svg = to_svg("\\draw (0,0) rectangle (3,2);")
    width, height = map(float, re.findall(r'(?:width|height)="([\d.]+)"', svg)[:2])
    assert width == pytest.approx((3 * CM + 4.4) * 4 / 3, abs=0.5)
    assert height == pytest.approx((2 * CM + 4.4) * 4 / 3, abs=0.5)


def test_a_smooth_plot_goes_through_its_points() -> None:
    data = points(paths("\\draw plot[smooth] coordinates {(0,0) (1,1) (2,0)};")[0])
    assert {(0, 0), (1, 1), (2, 0)} <= set(data)


def test_a_function_without_value_breaks_its_curve() -> None:
    assert paths("\\draw[domain=-1:1,samples=21] plot (\\x,{1/\\x});")[0].count("M") == 2
    assert math.isfinite(sum(y for _, y in points(paths("\\draw[domain=0.1:1] plot (\\x,{ln(\\x)});")[0])))


def test_it_is_deterministic() -> None:
    source = "\\node[draw] (a) {x}; \\draw[->] (a) to[bend left] (2,1);"
    assert render(source, kind="tikz", to="svg") == render(source, kind="tikz", to="svg")
