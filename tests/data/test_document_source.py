"""Formatted pages: Markdown and picture are written from one tree, and nothing of it is lost off the sheet."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from got_ocr.data import fonts
from got_ocr.data.latex.tree import Digits, Frac, Letter, Plain, Row
from got_ocr.data.pages import fill, label, markup, tree
from got_ocr.data.sources import document
from got_ocr.data.sources.document import DocumentSource
from got_ocr.data.tables.grid import Cell, Grid
from got_ocr.data.tools import typst
from got_ocr.errors import InvalidValue, MissingDependency, PageRenderFailed

pytest.importorskip("typst", reason="the typst wheel is not installed")

CLEAN = DocumentSource(embedded=1.0, zh=0.0, clean_fraction=1.0, longest=900)
HALF = Frac(Letter("a"), Letter("b"))
TABLE = Grid(1, 2, "lr", (Cell(0, 0, ("left",)), Cell(0, 1, ("right",))), headers=0)
FULL = tree.Page(
    (
        tree.Title("On Things"),
        tree.Authors(("Ada Lang", "B. Ito")),
        tree.Abstract(("In short.",)),
        tree.Heading(1, "1. First"),
        tree.Paragraph(("We see ", Row((Letter("x"), Plain("="), Digits("2"))), " at once", 1)),
        tree.Heading(2, "1.1 Second"),
        tree.Items(True, (("one",), ("two",))),
        tree.Items(False, (("three",),)),
        tree.Display(HALF, 7),
        tree.Display(HALF),
        tree.Tabular(TABLE, "Table 1: Sides"),
    ),
    (("A note.",),),
)


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def look(**changes: object) -> markup.Look:
    plain = markup.Look(
        width=400, height=560, margin=40, columns=1, gutter=16, family="Libertinus Serif",
        maths="New Computer Modern Math", size=11, leading=0.65, spacing=1.0, indent=0.0, justify=True, hyphenate=False,
        language="en", ink="black", paper="white", heading="left", nudge=0.0, bold="bold",
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def brief(**changes: object) -> fill.Brief:
    plain = fill.Brief("en", "train", document._EMBEDDED, 1500, 120, 30, True)
    return replace(plain, **changes)  # type: ignore[arg-type]


def draw(page: tree.Page, seen: markup.Look) -> Image.Image:
    sheets = typst.draw(markup.typst(page, seen), 60)
    assert len(sheets) == 1
    return sheets[0]


def test_the_same_seed_gives_the_same_bytes() -> None:
    source = DocumentSource(longest=700)
    for seed in range(4):
        first, second = source(rng(seed)), source(rng(seed))
        assert first.target == second.target
        assert first.images[0].tobytes() == second.images[0].tobytes()
    assert len({CLEAN(rng(seed)).target for seed in range(8)}) == 8


def test_markdown_is_written_as_got_writes_it() -> None:
    assert label.markdown(FULL) == "\n\n".join(
        (
            "\\title{\nOn Things\n}",
            "\\author{\nAda Lang, B. Ito\n}",
            "\\begin{abstract}\nIn short.\n\\end{abstract}",
            "\\section*{1. First}",
            "We see \\( x=2 \\) at once\\( ^{1} \\)",
            "\\subsection*{1.1 Second}",
            "\\begin{enumerate}\n\\item one\n\\item two\n\\end{enumerate}",
            "\\begin{itemize}\n\\item three\n\\end{itemize}",
            "\\[ \\frac{a}{b} \\tag{7} \\]",
            "\\[ \\frac{a}{b} \\]",
            "Table 1: Sides",
            "\\begin{tabular}{lr}\nleft & right \\\\\n\\end{tabular}",
            "\\footnotetext{\n\\( ^{1} \\) A note.\n}",
        )
    )


@pytest.mark.parametrize("columns", [1, 2])
def test_every_block_is_in_the_picture(columns: int) -> None:
    seen = look(columns=columns, width=520)
    before = draw(FULL, seen)
    for place, block in enumerate(FULL.blocks):
        blocks = (*FULL.blocks[:place], *FULL.blocks[place + 1 :])
        notes = FULL.notes if not isinstance(block, tree.Paragraph) else ()
        assert draw(tree.Page(blocks, notes), seen).tobytes() != before.tobytes(), block
    other = tree.Page(FULL.blocks, (("Another note.",),))
    assert draw(other, seen).tobytes() != before.tobytes()
    swapped = list(FULL.blocks)
    swapped[8] = tree.Display(HALF, 8)
    assert draw(tree.Page(tuple(swapped), FULL.notes), seen).tobytes() != before.tobytes()


def test_markup_characters_are_drawn_as_text() -> None:
    words = "#let $x$ *a* _b_ `c` <d> @e ~f \\g \"h\" [i] //j /*k*/ = l - m + n 'o' --- ..."
    page = tree.Page((tree.Heading(1, words), tree.Paragraph((words,)), tree.Items(True, ((words,),))))
    picture = draw(page, look())
    for place in range(0, len(words), 5):
        if words[place] != " ":
            other = words[:place] + "Q" + words[place + 1 :]
            changed = tree.Page((page.blocks[0], tree.Paragraph((other,)), page.blocks[2]))
            assert draw(changed, look()).tobytes() != picture.tobytes(), words[place]
    assert label.markdown(page).count(words) == 3


def balanced(text: str) -> None:
    open_now: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        assert kind == "begin" or open_now.pop() == name, text
        open_now += [name] if kind == "begin" else []
    assert not open_now
    assert text.count("\\[ ") == text.count(" \\]")
    assert text.count("\\( ") == text.count(" \\)")
    for formula in re.findall(r"\\[(\[] (.*?) \\[)\]]", text):
        bare = re.sub(r"\\[{}]", "", formula)
        assert bare.count("{") == bare.count("}"), formula


def test_labels_are_well_formed_and_marks_have_their_notes() -> None:
    kinds: set[type] = set()
    for seed in range(120):
        page = fill.page(rng(1, seed), brief())
        text = label.markdown(page)
        balanced(text)
        marks = [int(mark) for mark in re.findall(r"(?<!\\footnotetext\{\n)\\\( \^\{(\d+)\} \\\)", text)]
        assert marks == list(range(1, len(page.notes) + 1))
        assert text.count("\\footnotetext{") == len(page.notes)
        kinds |= {type(block) for block in page.blocks}
    assert kinds == set(tree.Block.__args__)


def test_pages_have_no_word_that_a_column_cannot_hold() -> None:
    for seed in range(40):
        page = fill.page(rng(2, seed), brief(word=12))
        texts = [block.text for block in page.blocks if isinstance(block, tree.Paragraph)]
        assert all(len(word) <= 12 for text in texts for part in text if isinstance(part, str) for word in part.split())


def test_what_does_not_fit_is_left_out_of_the_label_too() -> None:
    paragraph = tree.Paragraph(("word " * 400,))
    page = tree.Page((tree.Heading(1, "Kept"), tree.Paragraph(("Kept.",)), tree.Heading(1, "Dropped"), paragraph))
    drawn = document._fitted(page, look(), 60, ())
    assert drawn is not None
    assert [type(block).__name__ for block in drawn[0].blocks] == ["Heading", "Paragraph"]
    assert "Dropped" not in label.markdown(drawn[0])
    assert document._fitted(tree.Page((paragraph,)), look(), 60, ()) is None


def test_notes_go_with_their_marks() -> None:
    first, second = tree.Paragraph(("One.", 1)), tree.Paragraph(("Two. " * 600, 2))
    drawn = document._fitted(tree.Page((first, second), (("n1",), ("n2",))), look(), 60, ())
    assert drawn is not None
    assert drawn[0].notes == (("n1",),)


def test_ink_over_the_margin_is_found() -> None:
    bare = Image.new("L", (200, 300), 255)
    assert not document.inside(bare.convert("RGB"), look(), 72)
    inked = bare.copy()
    inked.paste(0, (60, 60, 120, 100))
    assert document.inside(inked.convert("RGB"), look(), 72)
    for box in ((0, 100, 4, 110), (196, 100, 200, 110), (100, 0, 110, 3), (100, 297, 110, 300)):
        over = inked.copy()
        over.paste(0, box)
        assert not document.inside(over.convert("RGB"), look(), 72), box


def test_columns_keep_off_each_other() -> None:
    seen = look(columns=2, width=520, gutter=20)
    for seed in range(12):
        made = fill.page(rng(3, seed), brief(length=1200, word=int(seen.column / seen.size), notes=False))
        blocks = tuple(block for block in made.blocks if not isinstance(block, markup._OPENING))
        drawn = document._fitted(tree.Page(blocks), seen, 72, ())
        if drawn is not None:
            dark = np.asarray(drawn[1].convert("L")) < 200
            middle = dark.shape[1] // 2
            assert not dark[:, middle - 4 : middle + 4].any(), seed


def test_wide_formulas_and_tables_are_scaled_to_their_column() -> None:
    wide = Row(tuple(Row((Letter("W"), Plain("+"))) for _ in range(60)))
    cells = tuple(Cell(0, column, ("a long entry",)) for column in range(12))
    page = tree.Page((tree.Display(wide, 3), tree.Tabular(Grid(1, 12, "c" * 12, cells, headers=0))))
    assert document.inside(draw(page, look()), look(), 60)


def test_samples_are_drawn_inside_their_margins() -> None:
    seen: set[object] = set()
    for seed in range(20):
        sample = CLEAN(rng(4, seed))
        pixels = np.asarray(sample.images[0].convert("L")).astype(int)
        dark = np.abs(pixels - pixels[0, 0]) > 24
        edges = (dark[:8], dark[-8:], dark[:, :8], dark[:, -8:])
        assert not any(edge.any() for edge in edges), seed
        assert max(sample.images[0].size) <= 1300
        assert (sample.kind, sample.task.mode) == ("document", "format")
        balanced(sample.target)
        seen.add(sample.meta["columns"])
    assert seen == {1, 2}


def test_installed_families_draw_what_they_are_asked_for() -> None:
    source = DocumentSource(embedded=0.0, zh=0.5, longest=500)
    for seed in range(6):
        sample = source(rng(5, seed))
        facts = sample.meta["fonts"]
        assert isinstance(facts, list)
        family = facts[0]["family"]
        faces = [font for font in fonts.index() if font.family == family]
        plain = re.sub(r"\\\(.*?\\\)|\\\[.*?\\\]", "", sample.target)
        needed = frozenset(char for char in plain if not char.isspace())
        assert any(fonts.covered(face, needed) == needed for face in faces), family


def test_chinese_pages_are_written_in_chinese() -> None:
    try:
        fonts.pool("zh")
    except MissingDependency:
        pytest.skip("no Chinese font is installed")
    sample = DocumentSource(zh=1.0, longest=700)(rng(6))
    assert sample.meta["language"] == "zh"
    assert len(re.findall("[\u4e00-\u9fff]", sample.target)) > 20


@pytest.mark.parametrize(
    "options",
    [{"columns": 3}, {"zh": 2.0}, {"embedded": -1.0}, {"longest": 100}, {"fill": (0.0, 1.0)}, {"fill": (0.9, 0.2)}],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        DocumentSource(**options)  # type: ignore[arg-type]


def test_a_page_that_never_fits_is_refused() -> None:
    source = DocumentSource(embedded=1.0, zh=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "_fitted", lambda *_arguments: None)
        with pytest.raises(PageRenderFailed):
            source(rng(0))


def test_broken_markup_is_reported_in_our_words() -> None:
    with pytest.raises(PageRenderFailed) as caught:
        typst.draw("#let x = (", 60)
    assert "x = (" not in str(caught.value)
