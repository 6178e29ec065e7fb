"""Write made-up pages: sections, paragraphs with formulas, lists, displays, tables, footnotes. Knows no layout.

Every function takes `rng` first.
"""

from dataclasses import dataclass

import numpy as np

from got_ocr.data import corpus, phrases
from got_ocr.data.charset import clean
from got_ocr.data.latex import forms, grammar
from got_ocr.data.latex.label import latex
from got_ocr.data.latex.tree import Node
from got_ocr.data.pages import tree
from got_ocr.data.tables import fill as tables

Rng = np.random.Generator
_PASSAGES = 20  # tried before a text is empty: all of a short one may be characters or words that do not fit


@dataclass(frozen=True, slots=True)
class Brief:
    """Say what to write.

    language, split: of the corpora. allowed: characters that the font draws. length: about how many characters.
    display: most characters of a displayed formula's LaTeX. word: longest word that a column holds. notes:
    footnotes may stand on the page.
    """

    language: str
    split: str
    allowed: frozenset[str]
    length: int
    display: int
    word: int
    notes: bool


def page(rng: Rng, brief: Brief) -> tree.Page:
    """Write a page of about `brief.length` characters."""
    blocks: list[tree.Block] = list(_opening(rng, brief)) if rng.random() < 0.45 else []
    notes: list[tree.Text] = []
    section = int(rng.integers(1, 6)) if rng.random() < 0.6 else 0
    equation = int(rng.integers(1, 30)) if rng.random() < 0.5 else 0
    written = 0
    while written < brief.length:
        kind = str(rng.choice(("paragraph", "heading", "display", "items", "table"), p=(0.5, 0.16, 0.17, 0.09, 0.08)))
        if kind == "paragraph" or (kind != "heading" and not blocks):
            block: tree.Block = _paragraph(rng, brief, notes)
        elif kind == "heading":
            if blocks and isinstance(blocks[-1], tree.Heading):
                continue
            block = _heading(rng, brief, section)
            section += bool(section) and block.level == 1
        elif kind == "display":
            numbered = equation > 0 and rng.random() < 0.7
            block = tree.Display(_formula(rng, brief.display), equation if numbered else 0)
            equation += numbered
        else:
            block = _items(rng, brief) if kind == "items" else _table(rng, brief)
        blocks.append(block)
        written += size(block)
    return tree.Page(tuple(blocks), tuple(notes))


def size(block: tree.Block) -> int:
    """Estimate how many characters of running text a block takes the room of."""
    match block:
        case tree.Paragraph() | tree.Abstract():
            return 40 + sum(len(part) if isinstance(part, str) else 8 for part in block.text)
        case tree.Items():
            return sum(60 + sum(len(part) if isinstance(part, str) else 8 for part in entry) for entry in block.entries)
        case tree.Tabular():
            return 130 * (block.grid.rows + 1)
        case tree.Display():
            return 300
    return 180


def _opening(rng: Rng, brief: Brief) -> list[tree.Block]:
    blocks: list[tree.Block] = [tree.Title(_phrase(rng, brief, 3, 9))]
    if rng.random() < 0.7:
        make = phrases.zh_word if brief.language == "zh" else phrases.person
        blocks.append(tree.Authors(tuple(make(rng) for _ in range(int(rng.integers(1, 5))))))
    if rng.random() < 0.5 and brief.language == "en":
        blocks.append(tree.Abstract((_prose(rng, brief, int(rng.integers(150, 420))),)))
    return blocks


def _phrase(rng: Rng, brief: Brief, low: int, high: int) -> str:
    if brief.language == "zh":
        return "".join(phrases.zh_word(rng) for _ in range(int(rng.integers(low, high + 1)) // 2 + 1))
    return phrases.phrase(rng, brief.split, low, high)


def _heading(rng: Rng, brief: Brief, section: int) -> tree.Heading:
    level = int(rng.choice((1, 2, 3), p=(0.58, 0.34, 0.08)))
    number = ""
    if section:
        number = ".".join([str(section), *(str(rng.integers(1, 6)) for _ in range(level - 1))])
        number += ". " if rng.random() < 0.4 else " "
    return tree.Heading(level, number + _phrase(rng, brief, 1, 5))


def _prose(rng: Rng, brief: Brief, length: int) -> str:
    """Take running text of about `length` characters that ends with a word."""
    length = length // 2 if brief.language == "zh" else length  # ideographs are twice as wide
    text = ""
    for _ in range(_PASSAGES):
        text = clean(corpus.passage(brief.split, rng, length, brief.language), brief.allowed)
        if brief.language == "en":
            text = " ".join(word for word in text.split(" ") if len(word) <= brief.word)
        if text:
            break
    if len(text) <= length:
        return text
    stop, word = ("。", "，") if brief.language == "zh" else (". ", " ")
    end = text.rfind(stop, 0, length) + 1
    if end > length // 2:
        return text[:end]
    end = text.rfind(word, 0, length)
    return text[:end] if end > length // 2 else text[:length].strip()


def _woven(rng: Rng, text: str, share: float) -> list[tree.Inline]:
    """Put short formulas between words, never before the first or after the last."""
    words = text.split(" ")
    parts: list[tree.Inline] = []
    run = words[:1]
    for word in words[1:]:
        if rng.random() < share:
            parts += [" ".join(run) + " ", _short(rng), " "]
            run = []
        run.append(word)
    return [*parts, " ".join(run)]


def _short(rng: Rng) -> Node:
    while True:
        kind = rng.random()
        node = grammar.scripted(rng) if kind < 0.4 else grammar.name(rng) if kind < 0.6 else forms.equation(rng, 0)
        if len(latex(node)) <= 40:
            return node


def _paragraph(rng: Rng, brief: Brief, notes: list[tree.Text]) -> tree.Paragraph:
    text = _prose(rng, brief, int(rng.integers(80, 700)))
    share = 0.06 if rng.random() < 0.5 and brief.language == "en" else 0.0
    parts = _woven(rng, text, share)
    if brief.notes and len(notes) < 3 and rng.random() < 0.15:
        notes.append((_prose(rng, brief, int(rng.integers(30, 120))),))
        parts.append(len(notes))
    return tree.Paragraph(tuple(parts))


def _items(rng: Rng, brief: Brief) -> tree.Items:
    entries = tuple((_prose(rng, brief, int(rng.integers(20, 160))),) for _ in range(int(rng.integers(2, 6))))
    return tree.Items(bool(rng.random() < 0.5), entries)


def _formula(rng: Rng, most: int) -> Node:
    while True:
        node = forms.formula(rng, int(rng.integers(1, 4)))
        if 6 <= len(latex(node)) <= most:
            return node


def _table(rng: Rng, brief: Brief) -> tree.Tabular:
    voice = tables.Voice(brief.language, brief.split)
    rules = str(rng.choice(tables.RULES, p=(0.4, 0.35, 0.05, 0.1, 0.05, 0.05)))
    grid = tables.table(rng, voice, int(rng.integers(2, 7)), int(rng.integers(2, 5)), rules)
    word = "表" if brief.language == "zh" else "Table"
    caption = f"{word} {rng.integers(1, 9)}: {_phrase(rng, brief, 2, 7)}" if rng.random() < 0.6 else ""
    return tree.Tabular(grid, caption)
