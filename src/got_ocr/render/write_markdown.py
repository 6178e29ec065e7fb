"""A document tree -> Markdown: GitHub's (`$` maths) or Mathpix/Pandoc's (`\\(` maths).

The text can do nothing there either: signs that Markdown or HTML would act on are escaped, pictures are named and not
loaded, links keep harmless addresses only. A table that Markdown cannot say (spans, several lines in a cell) is written
as an HTML table. Knows no source format.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from got_ocr.render.markup import Markup, escape, legal
from got_ocr.render.tree import (
    Block,
    Break,
    Cell,
    Code,
    Drawing,
    Heading,
    Inline,
    Item,
    Link,
    Listing,
    Maths,
    Nested,
    Note,
    NoteMark,
    NoteText,
    Paragraph,
    Picture,
    Preformatted,
    Rule,
    Section,
    Styled,
    Table,
    Text,
    note_labels,
)
from got_ocr.render.write_html import HtmlWriter, safe_address

# Brackets are left alone where no link can come of them: `\[` opens a formula for readers of Mathpix Markdown.
_SPECIAL = re.compile(r"[\\`*_<>$~|]|\](?=[(\[:])|\[(?=\^)|&(?=[#a-zA-Z])")
_LINE_START = re.compile(r"^([ \t]*)(#{1,6}(?=\s)|[-+](?=\s|$)|[-=]{2,}\s*$|\d{1,9}(?=[.)]\s))", re.M)
_WRAPS = {"strong": ("**", "**"), "em": ("*", "*"), "s": ("~~", "~~"), "sub": ("<sub>", "</sub>")}
_WRAPS |= {"sup": ("<sup>", "</sup>"), "u": ("<u>", "</u>"), "sc": ("", "")}
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")


@dataclass(slots=True)
class MarkdownWriter:
    """Write one document; `dollars` chooses `$` over `\\(`."""

    dollars: bool
    _notes: list[str] = field(default_factory=list)
    _in_cell: bool = False
    _labels: frozenset[str] = frozenset()

    def document(self, blocks: tuple[Block, ...]) -> str:
        self._labels = note_labels(blocks)
        parts = [self.blocks(blocks), *self._notes]
        return "\n\n".join(part for part in parts if part) + "\n"

    def blocks(self, blocks: tuple[Block, ...]) -> str:
        written = (_BLOCKS[type(block)](self, block) for block in blocks)
        return "\n\n".join(part for part in written if part)

    def inlines(self, inlines: tuple[Inline, ...]) -> str:
        return "".join(_INLINES[type(inline)](self, inline) for inline in inlines)

    def heading(self, block: Heading) -> str:
        return "#" * block.level + " " + _one_line(self.inlines(block.children))

    def paragraph(self, block: Paragraph) -> str:
        text = _LINE_START.sub(r"\1\\\2", self.inlines(block.children))
        text = re.sub(r"(?m)^([ \t]*)\\(\d{1,9})([.)])", r"\1\2\\\3", text)
        return f"*{_one_line(text)}*" if block.role == "caption" and "*" not in text else text

    def display(self, block: Maths) -> str:
        opener, closer = ("$$", "$$") if self.dollars else ("\\[", "\\]")
        return f"{opener}\n{_maths(block.source)}\n{closer}"

    def listing(self, block: Listing) -> str:
        lines = []
        for index, item in enumerate(block.items):
            mark = "-" if block.numbers is None else f"{block.numbers[index]}."
            lines.append(self._item(item, mark))
        return "\n".join(lines)

    def _item(self, item: Item, mark: str) -> str:
        label = self.inlines(item.label) + " " if item.label else ""
        body = label + self.blocks(item.blocks)
        pad = " " * (len(mark) + 1)
        return f"{mark} " + "\n".join(pad + line if line else "" for line in body.split("\n")).strip()

    def section(self, block: Section) -> str:
        body = self.blocks(block.blocks)
        if block.role in ("quote", "quotation", "verse"):
            return "\n".join(f"> {line}".rstrip() for line in body.split("\n"))
        if block.role in ("figure", "table", "wrapfigure", "center", "flushright", "framed", "tcolorbox"):
            return body
        title = f" ({_escape(block.title)})" if block.title else ""
        return f"**{block.role.capitalize()}{title}** {body}"

    def preformatted(self, block: Preformatted) -> str:
        return fenced(block.text, block.language)

    def drawing(self, block: Drawing) -> str:
        return fenced(block.source.strip(), {"tikz": "latex"}.get(block.kind, block.kind))

    def note_text(self, block: NoteText) -> str:
        """Keep a footnote for the end; one without a label carries its mark in its own text."""
        mark = f"[^{_label(block.label)}]: " if block.label else ""
        self._notes.append(mark + _one_line(self.inlines(block.children)))
        return ""

    def rule(self, block: Rule) -> str:
        return "---"

    def table(self, table: Table) -> str:
        rows = [self._pipe_row(row) for row in table.rows]
        if not _plain(table) or any("\n" in cell for row in rows for cell in row):
            # No renderer of Markdown takes MathML, and several leave Markdown inside HTML alone.
            writer = HtmlWriter(lambda kind, source: escape(source), formula=self._formula_in_html)
            return _without_classes(writer.bare_table(table))
        if not rows:
            return ""
        aligns = {"center": ":-:", "right": "--:"}
        marks = [aligns.get(cell.align, "---") for cell in table.rows[-1]]
        head, body = rows[0], rows[1:]
        width = table.columns
        filled = [row + [""] * (width - len(row)) for row in (head, marks + ["---"] * (width - len(marks)), *body)]
        return "\n".join(f"| {' | '.join(row)} |" for row in filled)

    def _pipe_row(self, row: tuple[Cell, ...]) -> list[str]:
        # `\|` is the one escape that tables take inside code too; it is undone before the cell is read.
        outer, self._in_cell = self._in_cell, True
        cells = [re.sub(r"(?<!\\)\|", r"\\|", self.inlines(cell.children)).strip() for cell in row]
        self._in_cell = outer
        return cells

    def _formula_in_html(self, source: str, display: bool) -> Markup:
        return escape(self.maths_inline(Maths(source, display)))

    def text(self, inline: Text) -> str:
        # A doubled backslash ends a line for readers of Mathpix Markdown.
        return _escape(inline.text, "\\\\" if self.dollars else "&#92;")

    def maths_inline(self, inline: Maths) -> str:
        source = " ".join(_maths(inline.source).split())
        if self._in_cell:
            source = source.replace("\\|", "\\Vert ").replace("|", "\\vert ").strip()
        if inline.display:
            return f"$${source}$$" if self.dollars else f"\\[{source}\\]"
        return f"${source}$" if self.dollars else f"\\({source}\\)"

    def code(self, inline: Code) -> str:
        ticks = "`" * (max((len(run) for run in re.findall(r"`+", inline.text)), default=0) + 1)
        text = _one_line(legal(inline.text))
        return f"{ticks} {text} {ticks}" if "`" in text else f"{ticks}{text}{ticks}"

    def styled(self, inline: Styled) -> str:
        body = self.inlines(inline.children)
        if inline.style == "tt":
            return body
        opener, closer = _WRAPS[inline.style]
        inner = body.strip()
        if not inner or "\n\n" in inner:
            return body
        lead, trail = body[: len(body) - len(body.lstrip())], body[len(body.rstrip()) :]
        return f"{lead}{opener}{inner}{closer}{trail}"

    def link(self, inline: Link) -> str:
        body, address = self.inlines(inline.children), safe_address(inline.address)
        if address is None:
            return body
        return f"[{body}]({re.sub(r'[^!#-&*-;=?-Z_a-z~]', _percent, address)})"

    def line_break(self, inline: Break) -> str:
        return "\\\n" if inline.hard else "\n"

    def note(self, inline: Note) -> str:
        label = str(len(self._notes) + 1)
        self._notes.append(f"[^{label}]: {_one_line(self.inlines(inline.children))}")
        return f"[^{label}]"

    def note_mark(self, inline: NoteMark) -> str:
        if inline.bracketed and inline.label not in self._labels:
            return _escape(f"[^{inline.label}]")
        return f"[^{_label(inline.label)}]"

    def picture(self, inline: Picture) -> str:
        return _escape(f"[picture: {inline.name}]" if inline.name else "[picture]")

    def nested(self, inline: Nested) -> str:
        return "\n\n" + self.table(inline.table) + "\n\n"


def _without_classes(table: str) -> str:
    """Keep alignment as the one attribute that renderers of Markdown leave, a row a line."""
    table = re.sub(r' class="(center|right)[^"]*"', r' align="\1"', table)
    return re.sub(r' (?:class|scope)="[^"]*"', "", table).replace("<tr>", "\n<tr>")


def _escape(text: str, backslash: str = "\\\\") -> str:
    return _SPECIAL.sub(lambda match: _escaped(match.group(), backslash), legal(text))


def _escaped(sign: str, backslash: str) -> str:
    return backslash if sign == "\\" else _REFERENCES.get(sign, "\\" + sign)


# A backslash would not stop HTML in every renderer; a reference does.
_REFERENCES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "[": "&#91;", "]": "&#93;"}


def _maths(source: str) -> str:
    """Keep HTML and links out of a formula: a blank behind `<` or `]` changes no formula; `$` would end it."""
    source = re.sub(r"(?<!\\)\$", "", legal(source)).replace("`", "‘")
    source = re.sub(r"\](?=[(\[:])", "] ", source)
    return _TAG_START.sub("< ", re.sub(r"\n\s*\n", "\n", source.strip()))


def fenced(text: str, language: str) -> str:
    """Return a code block that its content cannot leave."""
    ticks = "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    name = language if re.fullmatch(r"[\w+#.-]{1,30}", language) else ""
    return f"{ticks}{name}\n{legal(text)}\n{ticks}"


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split())


def _label(text: str) -> str:
    return re.sub(r"[^\w-]", "-", text) or "note"


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in legal(match.group()).encode())


def _plain(table: Table) -> bool:
    """Tell whether Markdown can say the table: one header row at most, no spans, one line a cell."""
    return table.header <= 1 and all(
        cell.columns == cell.rows == 1 and not any(isinstance(part, Nested) for part in cell.children)
        for row in table.rows
        for cell in row
    )


_BLOCKS: dict[type, Callable[..., str]] = {
    Heading: MarkdownWriter.heading,
    Paragraph: MarkdownWriter.paragraph,
    Maths: MarkdownWriter.display,
    Listing: MarkdownWriter.listing,
    Section: MarkdownWriter.section,
    Preformatted: MarkdownWriter.preformatted,
    Table: MarkdownWriter.table,
    Drawing: MarkdownWriter.drawing,
    NoteText: MarkdownWriter.note_text,
    Rule: MarkdownWriter.rule,
}
_INLINES: dict[type, Callable[..., str]] = {
    Text: MarkdownWriter.text,
    Maths: MarkdownWriter.maths_inline,
    Code: MarkdownWriter.code,
    Styled: MarkdownWriter.styled,
    Link: MarkdownWriter.link,
    Break: MarkdownWriter.line_break,
    Note: MarkdownWriter.note,
    NoteMark: MarkdownWriter.note_mark,
    Picture: MarkdownWriter.picture,
    Nested: MarkdownWriter.nested,
}
