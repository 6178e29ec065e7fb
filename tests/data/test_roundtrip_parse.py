"""What the sources write, the renderer parses: the dictionary of a chart, the grid of a table and the tree of a page come back."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from got_ocr.data.charset import ASCII
from got_ocr.data.charts import fill as chart_fill
from got_ocr.data.charts import label as chart_label
from got_ocr.data.charts.figure import KINDS
from got_ocr.data.charts.figure import Chart as WrittenChart
from got_ocr.data.charts.figure import Series as WrittenSeries
from got_ocr.data.latex.label import latex
from got_ocr.data.latex.tree import Node
from got_ocr.data.pages import fill, label, tree
from got_ocr.data.tables import fill as table_fill
from got_ocr.data.tables import label as table_label
from got_ocr.data.tables.grid import Grid
from got_ocr.render import render_result
from got_ocr.render import tree as parsed
from got_ocr.render.blocks import parse_blocks
from got_ocr.render.chart import to_svg
from got_ocr.render.chart_data import Chart, parse_chart

Rng = np.random.Generator

# Prose keeps its signs in a label, as in the labels that GOT was taught with; where they are Markdown's, nobody can tell.
SIGNS = frozenset('\\`*_{}[]<>#$~^|&"')
PLAIN = {"en": frozenset(ASCII) - SIGNS, "zh": frozenset(map(chr, range(32, 0x9FFF))) - SIGNS}
ITEM = re.compile(r"(?:[-+•–]|\d{1,9}[.)])\s")


def drawn(text: str, kind: str) -> str:
    result = render_result(text, kind=kind, to="fragment")
    assert (result.kind, result.error) == (kind, None), text
    assert "math-source" not in str(result.content), text
    return str(result.content)


def chart(rng: Rng) -> WrittenChart:
    language = "zh" if rng.random() < 0.2 else "en"
    return chart_fill.chart(rng, str(rng.choice(KINDS)), language, "train", bool(rng.random() < 0.5))


def rewritten(read: Chart) -> str:
    """Write a parsed chart as a dictionary again; what a series lacks is left out of it."""
    series = []
    for one in read.series:
        pairs = [(key, text) for key, text in zip(read.labels, one.texts, strict=True) if text]
        series.append(WrittenSeries(one.name, tuple(key for key, _ in pairs), tuple(text for _, text in pairs)))
    heads = (read.title, read.source, read.x_title, read.y_title)
    return chart_label.dictionary(WrittenChart("scatter", tuple(series), *heads))


def check_chart(rng: Rng) -> None:
    """Parsed, a chart is what was written, to the digit; written once more, it is the same text and the same plot."""
    made = chart(rng)
    text = chart_label.dictionary(made)
    read = parse_chart(text)
    assert (read.title, read.source, read.x_title, read.y_title) == (
        made.title,
        made.source,
        made.x_title,
        made.y_title,
    )
    assert read.labels == tuple(dict.fromkeys(key for one in made.series for key in one.keys))
    for mine, theirs in zip(made.series, read.series, strict=True):
        values = dict(zip(mine.keys, mine.values, strict=True))
        assert theirs.name == (mine.name if len(made.series) > 1 else "")
        assert theirs.texts == tuple(str(_number(values[key])) if key in values else "" for key in read.labels)
        assert theirs.numbers == tuple(float(values[key]) if key in values else None for key in read.labels)
    assert "<svg" in drawn(text, "chart")
    assert parse_chart(rewritten(read)) == read
    assert to_svg(rewritten(read)) == to_svg(text)


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def joined(parts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put neighbouring texts together, blanks evened out."""
    out: list[tuple[str, str]] = []
    for kind, text in parts:
        if out and kind == out[-1][0] == "text":
            text = out.pop()[1] + text
        out.append((kind, text))
    return [(kind, " ".join(text.split())) for kind, text in out if text.strip()]


def written_text(text: tree.Text) -> list[tuple[str, str]]:
    return joined(
        ("maths", f"^{{{part}}}" if isinstance(part, int) else latex(part))
        if isinstance(part, int | Node)
        else ("text", part)
        for part in text
    )


def parsed_text(children: tuple[parsed.Inline, ...]) -> list[tuple[str, str]]:
    def one(child: parsed.Inline) -> tuple[str, str]:
        if isinstance(child, parsed.Text):
            return "text", child.text
        if isinstance(child, parsed.Maths):
            return "maths", child.source
        return ("text", "\n") if isinstance(child, parsed.Break) else ("other", repr(child))

    return joined(map(one, children))


def written_grid(grid: Grid) -> tuple[Any, ...]:
    """Give place, spans and content of every cell, row by row."""
    rows: list[list[Any]] = [[] for _ in range(grid.rows)]
    for cell in grid.cells:
        content = joined(pair for part in cell.content for pair in (*written_text((part,)), ("text", " ")))
        rows[cell.row].append((cell.column, cell.rows, cell.columns, content))
    return "table", grid.columns, rows


def parsed_grid(table: parsed.Table) -> tuple[Any, ...]:
    rows = [[(cell.column, cell.rows, cell.columns, parsed_text(cell.children)) for cell in row] for row in table.rows]
    return "table", table.columns, rows


def written_page(page: tree.Page) -> Iterator[tuple[Any, ...]]:
    """Give what stands on a page, in its order, the footnotes last."""
    yield from written_blocks(page.blocks)
    yield from (("note", written_text((place, " ", *note))) for place, note in enumerate(page.notes, start=1))


def written_blocks(blocks: tuple[tree.Block, ...]) -> Iterator[tuple[Any, ...]]:
    for block in blocks:
        match block:
            case tree.Title() | tree.Heading():
                level = block.level + 1 if isinstance(block, tree.Heading) else 1
                yield "heading", level, written_text((block.text,))
            case tree.Authors():
                yield "author", written_text((", ".join(block.names),))
            case tree.Abstract():
                yield "abstract", [("paragraph", written_text(block.text))]
            case tree.Paragraph():
                yield "paragraph", written_text(block.text)
            case tree.Items():
                yield "items", block.numbered, [[("paragraph", written_text(entry))] for entry in block.entries]
            case tree.Display():
                yield "display", latex(block.formula) + (f" \\tag{{{block.number}}}" if block.number else "")
            case tree.Tabular():
                if block.caption:
                    yield "paragraph", written_text((block.caption,))
                yield written_grid(block.grid)


def parsed_page(blocks: tuple[parsed.Block, ...]) -> Iterator[tuple[Any, ...]]:
    for block in blocks:
        match block:
            case parsed.Heading():
                yield "heading", block.level, parsed_text(block.children)
            case parsed.Paragraph():
                yield block.role or "paragraph", parsed_text(block.children)
            case parsed.Section():
                yield block.role, list(parsed_page(block.blocks))
            case parsed.Listing():
                yield "items", block.numbers is not None, [list(parsed_page(item.blocks)) for item in block.items]
            case parsed.Maths():
                yield "display", block.source
            case parsed.Table():
                yield parsed_grid(block)
            case parsed.NoteText():
                yield "note", parsed_text(block.children)
            case _:
                yield "other", repr(block)


def table(rng: Rng) -> Grid:
    rows, width = int(rng.integers(2, 13)), int(rng.integers(2, 9))
    return table_fill.table(rng, table_fill.Voice("en", "train"), rows, width, str(rng.choice(table_fill.RULES)))


def check_table(rng: Rng) -> None:
    made = table(rng)
    text = table_label.tabular(made)
    (read,) = parse_blocks(text)
    assert isinstance(read, parsed.Table), text
    assert parsed_grid(read) == written_grid(made), text


def page(rng: Rng) -> tree.Page:
    """Write a page of which no paragraph begins as an item of a list would."""
    language = "zh" if rng.random() < 0.2 else "en"
    while True:
        made = fill.page(rng, fill.Brief(language, "train", PLAIN[language], 1500, 120, 30, True))
        if not any(map(ITEM.match, starts(made))):
            return made


def starts(page: tree.Page) -> Iterator[str]:
    for block in page.blocks:
        texts = block.entries if isinstance(block, tree.Items) else (getattr(block, "text", ()),)
        yield from (str(text[0]) for text in texts if isinstance(text, tuple) and text)


def check_page(rng: Rng) -> None:
    made = page(rng)
    text = label.markdown(made)
    drawn(text, "markdown")
    assert list(parsed_page(parse_blocks(text))) == list(written_page(made)), text


def check_any_page(rng: Rng) -> None:
    """Draw a page whose prose holds whatever stands in the corpora."""
    drawn(label.markdown(fill.page(rng, fill.Brief("en", "train", frozenset(ASCII), 1500, 120, 30, True))), "markdown")


CHECKS = {"chart": check_chart, "table": check_table, "page": check_page, "any page": check_any_page}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_what_was_written_is_parsed(check: Callable[[Rng], None]) -> None:
    for seed in range(12):
        check(np.random.default_rng([37, seed]))


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_hundreds_that_were_written_are_parsed(check: Callable[[Rng], None]) -> None:
    for seed in range(500):
        check(np.random.default_rng([43, seed]))
