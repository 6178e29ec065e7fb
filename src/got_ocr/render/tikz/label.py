"""A node's text -> one box: words, formulas and line ends, read as running text is. Knows no node and no picture."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from got_ocr.render.inline import parse_inline
from got_ocr.render.tikz.box import Box, Font, over, row, space, word
from got_ocr.render.tikz.formula import set_formula
from got_ocr.render.tikz.style import FONT_SIZES
from got_ocr.render.tree import Break, Code, Inline, Link, Maths, Nested, Note, NoteMark, Picture, Styled, Table, Text

MAX_LABEL = 4_000
MAX_LINES = 60
_SIZE = re.compile(r"\\(" + "|".join(sorted(FONT_SIZES, key=len, reverse=True)) + r")(?![a-zA-Z])\s*")


def set_label(text: str, font: Font, *, align: str = "center", width: float = 0.0) -> Box:
    """Return the text as one box whose baseline is that of its first line. width: break lines there, 0 for never."""
    text = text[:MAX_LABEL].strip()
    sizes = _SIZE.findall(text)
    if sizes:
        font = replace(font, size=FONT_SIZES[sizes[0]] * font.size / 10.0)
        text = _SIZE.sub("", text)
    lines = [line for part in _lines(parse_inline(text), font) for line in _wrapped(part, width)]
    return _stacked([row(line) for line in lines[:MAX_LINES]], font.size * 1.2, align, width)


def _lines(inlines: Sequence[Inline], font: Font) -> list[list[Box]]:
    lines: list[list[Box]] = [[]]
    for inline in inlines:
        if isinstance(inline, Break):
            if inline.hard:
                lines.append([])
            else:
                lines[-1].append(word(" ", font))
        elif isinstance(inline, Styled):
            inner = _lines(inline.children, _styled(font, inline.style))
            lines[-1].extend(inner[0])
            lines.extend(inner[1:])
        else:
            lines[-1].extend(_boxes(inline, font))
    return lines


def _styled(font: Font, style: str) -> Font:
    if style == "strong":
        return replace(font, bold=True)
    if style == "em":
        return replace(font, italic=True)
    return replace(font, fixed=True) if style == "tt" else font


def _boxes(inline: Inline, font: Font) -> Iterator[Box]:
    if isinstance(inline, Maths):
        yield set_formula(inline.source, replace(font, italic=False))
    elif isinstance(inline, Text | Code):
        # A word a box, so that lines can be broken between them.
        for part in re.findall(r"\s+|\S+", inline.text):
            yield word(" " if part.isspace() else part, font)
    elif isinstance(inline, Picture):
        yield word(f"[{inline.name}]", font)
    elif isinstance(inline, NoteMark):
        yield word(inline.label, font)
    elif isinstance(inline, Link | Note):
        for child in inline.children:
            yield from _boxes(child, font)
    elif isinstance(inline, Nested):
        yield from _cells(inline.table, font)


def _cells(table: Table, font: Font) -> Iterator[Box]:
    """Set a small table as rows of words; a label is no place for a real one."""
    lines = []
    for cells in table.rows:
        parts: list[Box] = []
        for cell in cells:
            parts += [*(box for line in _lines(cell.children, font) for box in line), space(font.size)]
        lines.append(row(parts[:-1]))
    yield _stacked(lines, font.size * 1.2, "left", 0.0)


def _wrapped(boxes: list[Box], width: float) -> Iterator[list[Box]]:
    """Break a line of boxes at its blanks so that it is at most `width` wide."""
    line: list[Box] = []
    used = 0.0
    for box in boxes:
        blank = bool(box.runs) and not box.runs[0].text.strip()
        if width and line and not blank and used + box.width > width + 0.1:
            yield line
            line, used = [], 0.0
        if line or not blank:
            line.append(box)
            used += box.width
    yield line


def _stacked(lines: Sequence[Box], leading: float, align: str, width: float) -> Box:
    lines = list(lines) or [Box()]
    wide = max([width, *(line.width for line in lines)])
    place = {"left": 0.0, "right": 1.0}.get(align, 0.5)
    parts, y = [], 0.0
    for at, line in enumerate(lines):
        if at:
            y -= max(leading, lines[at - 1].depth + line.height + 1.0)
        parts.append(((wide - line.width) * place, y, line))
    return over(parts, wide)
