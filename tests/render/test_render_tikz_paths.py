"""TikZ's paths, nodes and labels in their less common forms: what is drawn, and where."""

import re

import pytest
from tikz_eyes import ends, near, paths, picture, points, words

from got_ocr.errors import RenderFailed
from got_ocr.render.tikz import to_svg
from got_ocr.render.tikz.arith import CM
from got_ocr.render.tikz.box import Font
from got_ocr.render.tikz.formula import set_formula
from got_ocr.render.tikz.geometry import Matrix, bezier, crossing, rotation, smooth
from got_ocr.render.tikz.label import set_label


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("\\draw (0,0) .. controls (0,1) and (1,1) .. (1,0);", [(0, 0), (0, 1), (1, 1), (1, 0)]),
        ("\\draw (0,0) .. controls (1,1) .. (2,0);", [(0, 0), (1, 1), (1, 1), (2, 0)]),
        ("\\draw (0,0) .. controls +(0,1) and +(0,2) .. (1,0);", [(0, 0), (0, 1), (1, 2), (1, 0)]),
        ("\\draw (0,0) to (1,1);", [(0, 0), (1, 1)]),
        ("\\draw (1,0) -- (1,1) -| cycle;", [(1, 0), (1, 1), (1, 1), (1, 0)]),
        ("\\draw (0,0) -- (1,0) .. controls (1,1) and (0,1) .. cycle;", [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]),
        ("\\draw (0,0) -- (1,0) (2,0) -- (3,0);", [(0, 0), (1, 0), (2, 0), (3, 0)]),
        ("\\draw (0,0) [red] -- (1,0);", [(0, 0), (1, 0)]),
        (
            "\\draw (0,0) sin (1,1) cos (2,0);",
            [(0, 0), (0.33, 0.51), (0.64, 1), (1, 1), (1.36, 1), (1.67, 0.51), (2, 0)],
        ),
        ("\\draw (0,0) parabola (1,1);", [(0, 0), (0.33, 0), (0.67, 0.33), (1, 1)]),
        ("\\draw[rotate=45,scale=2] (0,0) rectangle (1,1);", [(0, 0), (1.41, 1.41), (0, 2.83), (-1.41, 1.41)]),
        ("\\draw (canvas polar cs:angle=90,radius=2cm) -- (0,0);", [(0, 2), (0, 0)]),
        ("\\draw (barycentric cs:A=1) -- (0,0);\\draw (0,0) -- (1,0);", [(0, 0), (1, 0)]),
        (
            "\\coordinate (A) at (0,0);\\coordinate (B) at (4,0);\\draw (barycentric cs:A=1,B=3) -- (0,0);",
            [(3, 0), (0, 0)],
        ),
        ("\\draw ([xshift=1cm]0,0) -- (0,1);", [(1, 0), (0, 1)]),
        ("\\draw (up:1) -- (north east:1.414);", [(0, 1), (1, 1)]),
        ("\\node (a) at (1,1) {};\\draw (a.center) -- (a.45) ;\\draw (0,0)--(1,0);", [(1, 1), (1.12, 1.12)]),
        ("\\draw (45:1 and 2) -- (0,0);", [(0.71, 1.41), (0, 0)]),
        ("\\draw[shift=(90:1)] (0,0) -- (1,0);", [(0, 1), (1, 1)]),
        ("\\draw[x={(0,1)},y={(1,0)}] (0,0) -- (1,0);", [(0, 0), (0, 1)]),
        ("\\draw[xscale=2,yscale=3] (0,0) -- (1,1);", [(0, 0), (2, 3)]),
        ("\\draw (0,0) plot coordinates {(1,1) (2,2)};", [(1, 1), (2, 2)]),
        ("\\draw (0,0) -- plot coordinates {(1,1) (2,2)};", [(1, 1), (2, 2)]),
        ("\\draw plot[sharp cycle] coordinates {(0,0) (1,1) (2,0)};", [(0, 0), (1, 1), (2, 0)]),
        ("\\draw plot[ycomb] coordinates {(1,1) (2,2)};", [(1, 0), (1, 1), (2, 0), (2, 2)]),
        ("\\draw plot[xcomb] coordinates {(1,1) (2,2)};", [(0, 1), (1, 1), (0, 2), (2, 2)]),
        ("\\coordinate (A) at (1,2);\\path (0,0) coordinate (B);\\draw (A) -- (B);", [(1, 2), (0, 0)]),
        ("\\draw (0,0) -- (2,0) coordinate[midway] (M);\\draw (M) -- (1,1);", [(0, 0), (2, 0)]),
        (
            "\\coordinate (A) at (0,0);\\coordinate (B) at (4,0);\\draw ($(A)!1cm!(B)$) -- ($(A)-(0,1)$);",
            [(1, 0), (0, -1)],
        ),
        ("\\draw let \\p1=(3,4), \\n1={veclen(\\x1,\\y1)} in (0,0) -- (\\n1,0);", [(0, 0), (5, 0)]),
        ("\\foreach \\x in {a,...,c} {}\\draw (0,0) -- (1,0);", [(0, 0), (1, 0)]),
        ("{\\draw (0,0) -- (1,0);}", [(0, 0), (1, 0)]),
        ("\\pgfmathtruncatemacro{\\n}{7/2}\\draw (0,0) -- (\\n,0);", [(0, 0), (3, 0)]),
        ("\\newcommand{\\h}{2}\\draw (0,0) -- (0,\\h);", [(0, 0), (0, 2)]),
    ],
)
def test_places(source: str, expected: list[tuple[float, float]]) -> None:
    assert near(ends(source), expected)


def test_a_bent_line_leaves_at_its_angle() -> None:
    bent = ends("\\draw (0,0) to[bend left=45] (2,0);")
    assert bent[1][0] == pytest.approx(bent[1][1], abs=0.02)
    assert bent[2][1] > 0
    assert ends("\\draw (0,0) to[bend right] (2,0);")[1][1] < 0
    out = ends("\\draw (0,0) to[out=90,in=180,looseness=2] (2,2);")
    assert out[1][0] == pytest.approx(0, abs=0.01)
    assert out[2][1] == pytest.approx(2, abs=0.01)


def test_edges_are_lines_of_their_own() -> None:
    source = (
        "\\node (a) at (0,0) {a};\\node (b) at (2,0) {b};\\path (a) edge[->] node[above] {x} (b) edge[bend left] (b);"
    )
    assert len(paths(source)) == 3
    assert "x" in words(source)
    assert "q" in words('\\draw (0,0) edge["q"] (2,0);')
    assert "p" in words('\\draw (0,0) to["p"\'] (2,0);')


def test_nodes_along_a_line() -> None:
    made = picture("\\draw (0,0) -- node[above] (m) {m} (4,0) node[pos=0.25] (q) {q} node[right] (e) {e};")
    shapes = made.names.shapes
    assert shapes["m"].center[0] == pytest.approx(2 * CM, abs=0.1)
    assert shapes["q"].center[0] == pytest.approx(CM, abs=0.1)
    assert shapes["e"].center[0] > 4 * CM
    corner = picture("\\draw (0,0) -| node[pos=0.5] (c) {c} (2,2);").names.shapes["c"]
    assert corner.center == pytest.approx((2 * CM, 0), abs=0.1)
    curve = picture("\\draw (0,0) .. controls (0,2) and (2,2) .. (2,0) node[midway] (t) {t};").names.shapes["t"]
    assert curve.center == pytest.approx((CM, 1.5 * CM), abs=0.5)


def test_sloped_and_automatic_nodes() -> None:
    assert 'transform="matrix(0.7071,-0.7071,0.7071,0.7071' in to_svg("\\draw (0,0) -- node[sloped] {x} (1,1);")
    left = picture("\\draw (0,0) -- node[auto] (n) {x} (2,0);").names.shapes["n"]
    right = picture("\\draw (0,0) -- node[auto,swap] (n) {x} (2,0);").names.shapes["n"]
    assert left.center[1] > 0 > right.center[1]


@pytest.mark.parametrize(
    ("options", "x", "y"),
    [
        ("right=of a", 1, 0),
        ("left=2cm of a", -1, 0),
        ("above=1cm of a", 0, 1),
        ("below=of a.south", 0, -1),
        ("above right=of a", 1, 1),
        ("below left=1cm and 2cm of a", -1, -1),
    ],
)
def test_relative_placing(options: str, x: int, y: int) -> None:
    made = picture(f"\\node[draw] (a) {{a}};\\node[draw,{options}] (b) {{b}};").names.shapes
    dx, dy = made["b"].center[0] - made["a"].center[0], made["b"].center[1] - made["a"].center[1]
    assert (round(dx) > 10) - (round(dx) < -10) == x
    assert (round(dy) > 10) - (round(dy) < -10) == y


def test_shapes_and_their_anchors() -> None:
    made = picture(
        "\\node[draw,circle,minimum size=2cm] (c) at (0,0) {};\\node[draw,ellipse,minimum width=4cm] (e) at (5,0) {x};"
        "\\node[draw,diamond,minimum size=2cm] (d) at (0,5) {};\\node[draw,minimum width=2cm,minimum height=1cm,rotate=90] (r) at (5,5) {};"
    ).names.shapes
    assert made["c"].anchor("north east") == pytest.approx((0.707 * CM, 0.707 * CM), abs=0.5)
    assert made["e"].anchor("west")[0] == pytest.approx(3 * CM, abs=0.5)
    assert made["d"].anchor("north east") == pytest.approx((0.5 * CM, 5.5 * CM), abs=0.5)
    assert made["d"].border((0.0, 100 * CM))[1] == pytest.approx(6 * CM, abs=0.5)
    assert made["r"].anchor("east") == pytest.approx((5 * CM, 6 * CM), abs=0.5)
    with pytest.raises(RenderFailed):
        made["c"].anchor("somewhere")


def test_labels_stand_around_their_nodes() -> None:
    source = (
        "\\node[draw,circle,label=above:{$A$},pin=30:far] (a) {};\\coordinate[label=below left:$B$] (b) at (2,0);"
        "\\node[label={[red]right:$C$}] {};"
    )
    assert set("ABC") <= set(words(source))
    assert "far" in words(source)
    assert "#ff0000" in to_svg(source)
    assert "D" in words("\\node[label=$D$] {x};")


def test_marks_of_plots() -> None:
    for mark, count in (("*", 2), ("x", 2), ("+", 2), ("o", 2), ("|", 2), ("square", 2), ("square*", 2)):
        assert len(paths(f"\\draw plot[only marks,mark={mark}] coordinates {{(0,0) (1,1)}};")) == count
    assert len(paths("\\draw plot[mark=*] coordinates {(0,0) (1,1)};")) == 3


@pytest.mark.parametrize(
    "tip", ["to", "latex", "stealth", "Stealth", "{Stealth[length=2mm]}", "|", "*", "o", "Triangle", ">"]
)
def test_tips(tip: str) -> None:
    assert len(paths(f"\\draw[-{tip}] (0,0) -- (2,0);")) == 2


def test_a_tip_of_a_curve_and_a_closed_path() -> None:
    assert len(paths("\\draw[->] (0,0) .. controls (0,1) and (1,1) .. (1,0);")) == 2
    assert len(paths("\\draw[->] (0,0) -- (1,0) -- (1,1) -- cycle;")) == 1
    assert len(paths("\\draw[>=latex,<->] (0,0) -- (1,0);")) == 3
    assert len(paths("\\draw[|-|] (0,0) -- (1,0);")) == 3


def test_rounded_corners() -> None:
    assert paths("\\draw[rounded corners=5pt] (0,0) -- (1,0) -- (1,1);")[0].count("C") == 1
    assert paths("\\draw[rounded corners] (0,0) rectangle (1,1);")[0].count("C") == 4
    assert paths("\\node[draw,rounded corners] {x};")[0].count("C") == 4
    assert "C" not in paths("\\draw[rounded corners,sharp corners] (0,0) -- (1,0) -- (1,1);")[0]


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ("opacity=0.5", 'stroke-opacity="0.5"'),
        ("fill=red,fill opacity=0.3", 'fill-opacity="0.3"'),
        ("semitransparent", 'stroke-opacity="0.5"'),
        ("dash pattern=on 2pt off 3pt", 'stroke-dasharray="2 3"'),
        ("dotted", 'stroke-linecap="round"'),
        ("line join=round", 'stroke-linejoin="round"'),
        ("line cap=rect", 'stroke-linecap="square"'),
        ("double", 'stroke="#ffffff"'),
        ("even odd rule,fill=red", 'fill-rule="evenodd"'),
        ("color=blue", 'stroke="#0000ff"'),
        ("ultra thick", 'stroke-width="1.6"'),
        ("draw=none,fill=green", 'fill="#00ff00"'),
    ],
)
def test_options(options: str, written: str) -> None:
    assert written in to_svg(f"\\draw[{options}] (0,0) rectangle (1,1);")


def test_shadings_and_colours_of_the_picture() -> None:
    assert 'fill="#00ff00"' in to_svg("\\shade[ball color=green] (0,0) circle (1);")
    assert 'stroke="#123456"' in to_svg("\\definecolor{my}{HTML}{123456}\\draw[my] (0,0) -- (1,0);")
    assert 'stroke="#ff8080"' in to_svg("\\colorlet{pale}{red!50}\\draw[pale] (0,0) -- (1,0);")
    for pattern in ("north west lines", "crosshatch", "dots", "grid", "horizontal lines", "vertical lines"):
        assert "<pattern" in to_svg(f"\\fill[pattern={pattern},pattern color=red] (0,0) circle (1);")


def test_fonts_of_nodes() -> None:
    svg = to_svg(
        "\\node[font=\\small\\bfseries,text=red] {x};\\node[font=\\itshape] {y};\\node {\\Large z};\\node[scale=2] {w};"
    )
    assert 'font-size="9" font-weight="bold"' in svg
    assert 'font-style="italic"' in svg
    assert 'font-size="14.4"' in svg
    assert 'transform="matrix(2,0,0,2' in svg
    assert 'fill="#ff0000"' in svg


def test_every_node_and_every_path_styles() -> None:
    svg = to_svg(
        "\\tikzset{every node/.style={red},every path/.style={thick},every picture/.style={blue}}\\draw (0,0) -- (1,0) node {x};"
    )
    assert 'fill="#ff0000"' in svg
    assert 'stroke-width="0.8"' in svg


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"x^2+1", "x2+1"),
        (r"a_1 = b'", "a1=b′"),
        (r"\alpha \leq \pi", "α≤π"),
        (r"\frac{1}{2}", "12"),
        (r"\binom{n}{k}", "(nk)"),
        (r"\sqrt[3]{8}", "83"),
        (r"\sin x", "sinx"),
        (r"\mathbb{R} \mathcal{L}", "ℝℒ"),
        (r"\text{cm}^2 \mathrm{kg}", "cm2kg"),
        (r"\overline{AB} \vec{v} \hat{x} \dot{y} \ddot{z} \tilde{n} \widehat{abc} \underline{u}", "ABvxyznabcu"),
        (r"\overrightarrow{AB} \overleftarrow{C} \overleftrightarrow{D} \overarc{EF}", "ABCDEF"),
        (r"60^\circ", "60°"),
        (r"60^{\circ}", "60°"),
        (r"\left( \dfrac{a}{b} \right)", "(ab)"),
        (r"\mathbf{b} \boldsymbol{\beta} \mathit{word}", "bβword"),
        (r"\unknown{x}", "unknownx"),
        (r"a \quad b \, c", "abc"),
        (r"\| \% \{ \}", "‖%{}"),
        (r"f: A \to B", "f:A→B"),
        (r"_1 ^2", "12"),
        (r"{x}_{i_{j}}", "xij"),
    ],
)
def test_formulas_of_labels(source: str, shown: str) -> None:
    box = set_formula(source, Font())
    assert sorted("".join(run.text for run in box.runs).replace(" ", "")) == sorted(shown)
    assert box.width > 0
    assert all(run.font.size >= 3 for run in box.runs)


def test_scripts_stand_above_and_below() -> None:
    up, down = set_formula("x^2", Font()), set_formula("x_2", Font())
    assert next(run for run in up.runs if run.text == "2").y > 2
    assert next(run for run in down.runs if run.text == "2").y < 0
    tall = set_formula(r"\dfrac{A}{b}", Font())
    assert tall.height > up.height
    assert len(tall.marks) == 1


def test_deep_formulas_end() -> None:
    assert set_formula("{" * 500 + "x" + "}" * 500, Font()).width > 0
    assert set_formula("^{" * 500, Font()).width >= 0


def test_labels_of_all_parts() -> None:
    box = set_label(
        "plain \\textbf{bold} \\emph{it} \\texttt{tt} $x$ \\\\ second \\href{http://a}{link} \\includegraphics{p}",
        Font(),
    )
    text = " ".join(run.text for run in box.runs)
    for part in ("plain", "bold", "it", "tt", "x", "second", "link", "[p]"):
        assert part in text
    table = set_label("\\begin{tabular}{cc}a & b \\\\ c & d\\end{tabular}", Font())
    assert [run.text for run in table.runs] == list("abcd")
    assert set_label("", Font()).width == 0
    left, right = (set_label("long line \\\\ x", Font(), align=side).runs[-1].x for side in ("left", "right"))
    assert left < right


def test_geometry() -> None:
    turned = rotation(90).then(Matrix(e=1.0))
    assert turned.apply((0.0, 0.0)) == pytest.approx((0, 1))
    assert turned.inverse().apply(turned.apply((3.0, 4.0))) == pytest.approx((3, 4))
    assert Matrix(a=0.0).inverse() == Matrix()
    assert crossing((0, 0), (1, 1), (0, 1), (1, 0)) == pytest.approx((0.5, 0.5))
    assert crossing((0, 0), (1, 1), (0, 1), (1, 2)) is None
    assert bezier(((0, 0), (0, 0), (1, 1), (1, 1)), 0.5) == pytest.approx((0.5, 0.5))
    assert smooth([(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)], 0.5, closed=True)[-1].kind == "Z"
    assert len(smooth([(0.0, 0.0), (1.0, 1.0)], 0.5, closed=False)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        *(
            "\\draw (0,0) .. (1,1);",
            "\\draw (0,0) circle;",
            "\\draw (0,0) arc (1:2);",
            "\\draw cycle;",
            "\\draw (a.north) -- (0,0);",
        ),
        *(
            "\\draw (0,0) .. controls;",
            "\\draw (0,0) -- (1,1",
            "\\draw[red (0,0) -- (1,1);",
            "\\pic {leaf};",
            "\\pic {angle=A--B};",
        ),
        *(
            "\\draw (foo cs:x=1) -- (0,0);",
            "\\draw plot file {x};",
            "\\draw plot coordinates;",
            "\\draw ($(0,0)!$) -- (1,0);",
        ),
        *(
            "\\draw (intersection of 0,0--1,0 and 0,1--1,1) -- (0,0);",
            "\\draw let \\p1 (0,0);",
            "\\draw ($$) -- (1,1);",
        ),
        *(
            "\\foreach \\x in {1,...,2,3} \\draw (\\y,0);",
            "\\draw (0,0) node at {x};",
            "\\draw (0,0) -- (1,2,3,4);",
            "\\graph {a -> b};",
        ),
    ],
)
def test_what_cannot_be_drawn_is_left_out_and_counted(statement: str) -> None:
    made = picture(statement + "\\draw (0,0) -- (1,0);")
    assert made.failed >= 1 or statement.count("(") != statement.count(")") or "[red" in statement


def test_a_point_of_a_picture_is_enough() -> None:
    assert "<svg" in to_svg("\\fill (0,0) circle (1pt);")
    assert re.search(r'viewBox="-?\d', to_svg("\\node at (100,100) {x};"))
    assert points(paths("\\clip (0,0) rectangle (1,1);\\draw (0,0) -- (5,5);")[-1]) == [(0, 0), (5, 5)]
