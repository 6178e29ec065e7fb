"""Mathpix Markdown and LaTeX text -> HTML and GitHub's Markdown. The text of a page is never lost."""

import re
from html import unescape

import pytest

from got_ocr.render import render
from got_ocr.render.blocks import parse_blocks
from got_ocr.render.tree import Heading, Listing, Maths, Paragraph, Preformatted, Section, Table, Text

TEXTS = [
    "A *lone star, a [bracket, a `tick, a $ sign, {brace, under_score_ and ^caret~",
    "\\alpha \\beta outside, \\textbf{unclosed and \\frac{1} alone",
    "1. one\n\ntwo\n3) three\n  - deep\nplain | pipe | line\n# not # heading #",
    "a & b \\\\ c & d \\hline x",
    "See \\ref{fig:1}, \\cite{knuth} and \\eqref{2}.",
    "\\begin{unknown}{arg} inner \\end{unknown} \\end{stray}",
]


def html(text: str) -> str:
    return str(render(text, kind="markdown", to="fragment"))


def gfm(text: str) -> str:
    return str(render(text, kind="markdown", to="gfm"))


def words(text: str) -> str:
    """The characters that a reader sees."""
    plain = re.sub(r"<[^>]+>", "", html(text))
    for name, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        plain = plain.replace(name, char)
    return plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\title{\nA\n}", '<h2 class="title">A</h2>'),
        ("\\section*{1 Intro}", "<h3>1 Intro</h3>"),
        ("\\subsection{B}", "<h4>B</h4>"),
        ("# A", '<h2 class="title">A</h2>'),
        ("### C ###", "<h4>C</h4>"),
        ("**b** and *i* and ~~s~~", "<strong>b</strong> and <em>i</em> and <s>s</s>"),
        ("\\textbf{b} \\emph{i} \\underline{u} \\texttt{t}", "<strong>b</strong> <em>i</em> <u>u</u> <code>t</code>"),
        ("{\\bf b} after", "<strong>b</strong> after"),
        ("x<sub>1</sub> x\\textsuperscript{2}", "x<sub>1</sub> x<sup>2</sup>"),
        ("`a < b`", "<code>a &lt; b</code>"),
        ("``quoted''", "“quoted”"),
        ("50\\% \\& \\$5 \\#1 a\\_b \\{x\\}", "50% &amp; $5 #1 a_b {x}"),
        ("B\\'ezier D\\\"{u}rer \\c{c} \\~n \\v{s} \\ss \\aa", "Bézier Dürer ç ñ š ß å"),
        ("Fig.~3 costs ~5", "Fig.\u00a03 costs ~5"),
        ("a \\\\ b", "a<br>b"),
        ("one\ntwo", "one<br>two"),
        ("---", "<hr>"),
        ("> a\n> b", '<blockquote class="quote"><p dir="auto">a<br>b</p></blockquote>'),
        ("```py\nx < 1\n```", "<code>x &lt; 1</code></pre>"),
        ("[w](https://a.test/)", '<a href="https://a.test/" rel="noopener noreferrer nofollow">w</a>'),
        ("\\begin{verbatim}\n\\x & y\n\\end{verbatim}", "<code>\\x &amp; y</code>"),
        ("\\begin{quote}q\\end{quote}", '<blockquote class="quote"><p dir="auto">q</p></blockquote>'),
        ("\\begin{center}c\\end{center}", '<div class="center"><p dir="auto">c</p></div>'),
        ("\\begin{theorem}[Euler]t\\end{theorem}", '<span class="mark">Theorem (Euler)</span><p dir="auto">t</p>'),
        ("\\author{A \\and B}", "A \u2003 B</p>"),
        ("\\unknown{kept}", "\\unknown{kept}"),
        ("int main() { return a[0]; }", "int main() { return a[0]; }"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("price $5 and $10", "price $5 and $10"),
        ("\\frac{1}{2}", "<mfrac>"),
        ("\\S 3 \\copyright{} \\dag \\LaTeX", "§ 3 © † LaTeX"),
        ("\\includegraphics[width=3cm]{fig.png}", "[picture: fig.png]"),
        ("hy\\-phen a\\,b c\\;d", "hyphen a\u2009b c d"),
        ("\\textcolor{red}{r} \\multicolumn{2}{c}{m} \\raisebox{1pt}[2pt]{b}", "r m b"),
        ("\\textcolor{red} alone", "\\textcolor{red} alone"),
        ("\\href{https://a.test}{w} \\url{https://b.test}", 'href="https://b.test"'),
        ("\\href{https://a.test}", '<a href="https://a.test" rel="noopener noreferrer nofollow">https://a.test</a>'),
        ("\\ref alone \\cite[p. 3]{knuth}", "\\ref alone [knuth]"),
        ("word\\footnotemark[2]", '<sup><a href="#got-note-1">2</a></sup>'),
        ("\\label{x}\\vspace{1cm}\\noindent a \\quad b", "a \u2003 b"),
        ("\\alpha{}x \\beta y \\times", "αx βy ×"),
        ("\\v s \\c c \\'{\\i}", "š ç í"),
        ("\\'", "\\&#39;"),
        ("\\sqrt{2} \\frac12", "<msqrt>"),
        ("`` unclosed and `one", "`` unclosed and `one"),
        ("`` a`b ``", "<code>a`b</code>"),
        ("\\begin{unclosed in a line", "\\begin{unclosed in a line"),
        ("a \\( never closed", "a \\( never closed"),
        ("x \\begin{array}{c}1\\end{array} y", "<mtable>"),
        ("\\textsc{Small} \\sout{gone}", '<span class="small-caps">Small</span> <s>gone</s>'),
        ("\\begin{minipage}[t]{3cm}in\\end{minipage}", '<p dir="auto">in</p>'),
        ("\\begin{flushright}r\\end{flushright}", '<div class="flushright">'),
        ("```smiles\nCCCCO\n```", '<figure class="drawing smiles">'),
        ("[a [b](https://c.test)](https://d.test)", "[a "),
        ("<br>x<sub>unclosed", "<br>x&lt;sub&gt;unclosed"),
    ],
)
def test_pieces_of_text(text: str, expected: str) -> None:
    assert expected in html(text)


def test_lists_nest_and_keep_their_numbers() -> None:
    made = html("- a\n  - b\n- c\n\n3. x\n4. y")
    assert (
        made
        == '<ul><li><p dir="auto">a</p><ul><li>b</li></ul></li><li>c</li></ul><ol><li value="3">x</li><li value="4">y</li></ol>'
    )


def test_latex_lists_nest_and_carry_labels() -> None:
    (block,) = parse_blocks(
        "\\begin{enumerate}\\item a \\begin{itemize}\\item[--] b\\end{itemize}\\item c\\end{enumerate}"
    )
    assert isinstance(block, Listing)
    assert block.numbers == (1, 2)
    inner = block.items[0].blocks[1]
    assert isinstance(inner, Listing)
    assert inner.items[0].label == (Text("--"),)


def test_a_list_without_items_keeps_its_text() -> None:
    assert "lost" in words("\\begin{itemize}lost\\end{itemize}")
    assert html("\\begin{itemize}[a]\\end{itemize}") == "<ul></ul>"


def test_maths_of_all_delimiters() -> None:
    blocks = parse_blocks(
        "\\( a \\) $b$\n\n\\[ c \\]\n\n$$d$$\n\n\\begin{equation}e\\end{equation}\n\n\\begin{align*}f\\end{align*}"
    )
    assert [type(block) for block in blocks] == [Paragraph, Maths, Maths, Maths, Maths]
    assert html("\\( a \\)").count("<math") == 1
    assert 'display="block"' in html("$$d$$")


def test_an_equation_number_stands_apart() -> None:
    made = html("\\[ a = b \\tag{3} \\]")
    assert '<span class="number">(3)</span>' in made
    assert made.count("3") == 1


def test_cut_off_text_is_read_to_its_end() -> None:
    assert "<table>" in html("\\begin{tabular}{cc} a & b \\\\ c")
    assert "<li>one</li>" in html("\\begin{itemize}\\item one")
    assert "<math" in html("\\[ a = \\frac{1}{2")
    assert "half" in html("```\nhalf")


def test_footnotes_meet_their_marks() -> None:
    made = html("word[^a] and\\footnote{below}\n\n[^a]: the note")
    assert '<a href="#got-note-1">a</a>' in made
    assert '<li id="got-note-1"><span class="mark">a</span> the note</li>' in made
    assert "below</li>" in made


def test_a_mark_without_its_footnote_is_text() -> None:
    assert "sk[^o]rnd" in html("Scorned (sk[^o]rnd)")
    assert gfm("Scorned (sk[^o]rnd)") == "Scorned (sk&#91;^o]rnd)\n"


@pytest.mark.parametrize("text", TEXTS)
def test_github_markdown_says_what_html_says(text: str) -> None:
    """Read by another's reader of Markdown, our Markdown shows the words of our HTML."""
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    reader = markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False})
    text = text.replace("$", "")
    shown = [re.sub(r"<[^>]+>|\s+", "", made) for made in (reader.render(gfm(text)), html(text))]
    assert unescape(shown[0]) == unescape(shown[1])


def test_a_footnote_text_without_label_keeps_its_own_mark() -> None:
    assert '<span class="mark">' not in html("\\footnotetext{\\( { }^{1} \\) note}")


def test_tables_in_text() -> None:
    blocks = parse_blocks("A\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nB")
    assert [type(block) for block in blocks] == [Paragraph, Table, Paragraph]


def test_figures_and_captions() -> None:
    (block,) = parse_blocks("\\begin{figure}[h]\\includegraphics{x}\\caption{Cap \\(x\\)}\\end{figure}")
    assert isinstance(block, Section)
    assert block.role == "figure"
    assert '<p class="caption" dir="auto">Cap <math' in html("\\begin{table}\\caption{Cap \\(x\\)}\\end{table}")


def test_a_drawing_inside_a_text_is_drawn() -> None:
    made = html("Before\n\n\\begin{tikzpicture}\\draw (0,0)--(1,1);\\end{tikzpicture}\n\nAfter")
    assert '<figure class="drawing tikz"><svg' in made
    assert made.index("Before") < made.index("<svg") < made.index("After")


def test_a_drawing_that_fails_leaves_the_text() -> None:
    made = html("Before\n\n\\begin{tikzpicture}\\nothing\\end{tikzpicture}\n\nAfter")
    assert 'data-render-error="render_failed"' in made
    assert "After" in made


@pytest.mark.parametrize("depth", [30, 2_000])
def test_deep_nesting_is_shown_flat(depth: int) -> None:
    assert words("\\textbf{" * depth + "core" + "}" * depth).count("core") == 1
    assert "core" in words("\\begin{quote}" * depth + "core" + "\\end{quote}" * depth)
    assert "core" in words("> " * depth + "core")
    assert "core" in words("".join("  " * at + "- x\n" for at in range(min(depth, 200))) + "core")


@pytest.mark.parametrize("text", TEXTS)
def test_no_word_is_lost(text: str) -> None:
    shown = words(text)
    skipped = {
        "begin",
        "end",
        "textbf",
        "frac",
        "alpha",
        "beta",
        "hline",
        "ref",
        "cite",
        "eqref",
        "unknown",
        "arg",
        "stray",
    }
    missing = [word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in shown and word not in skipped]
    assert missing == []


def test_github_markdown() -> None:
    text = (
        "\\title{T}\n\n\\section*{S}\n\nA \\( x \\) \\textbf{b} 1_000 *it* <tag> $5.\n\n"
        "\\[ y = 1 \\]\n\n\\begin{itemize}\\item one \\item two\\end{itemize}\n\n```py\nz\n```\n\n> q\n"
    )
    assert gfm(text) == (
        "# T\n\n## S\n\nA $x$ **b** 1\\_000 *it* &lt;tag&gt; \\$5.\n\n$$\ny = 1\n$$\n\n- one\n- two\n\n```py\nz\n```\n\n> q\n"
    )
    assert "A \\(x\\)" in str(render(text, kind="markdown", to="md"))


def test_markdown_of_all_sorts() -> None:
    text = (
        "\\begin{itemize}\\item[\\(\\ast\\)] a\\end{itemize}\n\n\\begin{figure}\\includegraphics{f}\\caption{C}\\end{figure}\n\n"
        "\\begin{lemma}[X]l\\end{lemma}\n\n\\begin{center}c\\end{center}\n\n---\n\nn\\footnote{foot} \\footnotetext{own mark}\n\n"
        "\\texttt{t} a`` ` ``b \\underline{u} \\textsc{sc} [w](javascript:x) [v](https://a.test/(1)) \\[ d \\]\n\n"
        "\\begin{tikzpicture}\\draw (0,0)--(1,1);\\end{tikzpicture}\n\n\\begin{tabular}{l}\\begin{tabular}{l}in\\end{tabular}\\end{tabular}"
    )
    made = gfm(text)
    for part in (
        *(
            "- $\\ast$ a",
            "\\[picture: f\\]".replace("\\", ""),
            "*C*",
            "**Lemma (X)** l",
            "\nc\n",
            "\n---\n",
            "n[^1]",
            "[^1]: foot",
            "own mark",
        ),
        *(
            "`` ` ``",
            "<u>u</u>",
            "sc w [v](https://a.test/%281%29)",
            "$$\nd\n$$",
            "```latex\n\\begin{tikzpicture}",
            "<table>",
        ),
    ):
        assert part in made, part
    assert "javascript" not in made


def test_github_tables() -> None:
    plain = "\\begin{tabular}{lr}\\hline a & b \\\\ \\hline \\(|x|\\) & 2 \\\\ \\hline\\end{tabular}"
    assert gfm(plain) == "| a | b |\n| --- | --: |\n| $\\vert x\\vert$ | 2 |\n"
    spanned = gfm("\\begin{tabular}{cc}\\multicolumn{2}{c}{\\(x\\)} \\\\ a & b\\end{tabular}")
    assert '<td align="center" colspan="2">$x$</td>' in spanned


def test_markdown_of_markdown_says_the_same() -> None:
    """What we write as Markdown is read back as the same document."""
    text = "# T\n\nA $x$ **b** 1_000 and 5 * 3 [w](https://a.test/).\n\n1. one\n2. two\n\n| a | b |\n| --- | --: |\n| 1 | 2 |\n"
    assert parse_blocks(gfm(text)) == parse_blocks(text)


def test_a_line_that_looks_like_a_list_is_escaped() -> None:
    assert gfm("a\\\\ 1. b\\\\ - c\\\\ # d") == "a\\\n1\\. b\\\n\\- c\\\n\\# d\n"


def test_headings_and_paragraphs_are_typed() -> None:
    blocks = parse_blocks("# A\n\nb\n\n---\n\n```\nc\n```")
    assert isinstance(blocks[0], Heading)
    assert isinstance(blocks[1], Paragraph)
    assert isinstance(blocks[3], Preformatted)
