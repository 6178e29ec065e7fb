"""A document tree -> HTML, every character through the escaping builder.

What is written parses back to itself: no block stands in a `<p>`, no link in a link. Anchors are numbers of ours, never
words of the text. Knows no source format and no page around it.
"""

import re
from collections.abc import Callable
from itertools import count
from urllib.parse import urlsplit

from got_ocr.errors import GotOcrError
from got_ocr.render.markup import Markup, element, escape, join
from got_ocr.render.math import MathsBudget
from got_ocr.render.math import formula as mathml
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

_STYLES = {"strong": "strong", "em": "em", "u": "u", "s": "s", "sub": "sub", "sup": "sup", "tt": "code"}
_NAMED = frozenset(
    (
        *("theorem", "lemma", "proof", "remark", "corollary", "proposition", "definition", "example", "exercise"),
        *("solution", "problem", "question", "answer", "note", "claim", "conjecture", "abstract", "keywords"),
    )
)
_TAG = re.compile(r"\\tag(\*?)[ ]{0,4}\{([^{}\\$]{0,60})\}")
LONG_CELL = 24  # characters from which a cell asks for room
Draw = Callable[[str, str], Markup]
Formula = Callable[[str, bool], Markup]


def safe_address(address: str) -> str | None:
    """Return the address if following it by hand is harmless (http, https, mailto), else None."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return None
    if parts.scheme in ("http", "https"):
        return address.strip() if parts.hostname else None
    return address.strip() if parts.scheme == "mailto" and "?" not in address else None


class HtmlWriter:
    """Write one document.

    draw: makes a drawing of (kind, source). prefix: what its footnotes' anchors begin with. formula: makes a formula of
    (source, display), MathML unless told otherwise.
    """

    def __init__(self, draw: Draw, prefix: str = "", formula: Formula | None = None) -> None:
        self.draw = draw
        self.prefix = prefix
        self.maths = MathsBudget()
        self.formula = formula or self._mathml
        self._notes: list[tuple[str, int, Markup]] = []
        self._anchors: dict[str, int] = {}
        self._numbers = count(1)
        self._labels: frozenset[str] = frozenset()
        self._in_link = False

    def _mathml(self, source: str, display: bool) -> Markup:
        return mathml(source, self.maths, display=display)

    @property
    def error(self) -> GotOcrError | None:
        """Say why formulas were left as source, if a package is missing."""
        return self.maths.error

    def document(self, blocks: tuple[Block, ...]) -> Markup:
        """Write the blocks and below them the footnotes."""
        self._labels = note_labels(blocks)
        body = self.blocks(blocks)
        if not self._notes:
            return body
        items = (
            element("li", {"id": f"{self.prefix}note-{at}"}, _note_label(label), text)
            for label, at, text in self._notes
        )
        return join((body, element("section", {"class": "notes"}, element("ul", {}, *items))))

    def _anchor(self, label: str) -> int:
        return self._anchors.setdefault(label, len(self._anchors) + 1)

    def blocks(self, blocks: tuple[Block, ...]) -> Markup:
        return join(self.block(block) for block in blocks)

    def block(self, block: Block) -> Markup:
        return _BLOCKS[type(block)](self, block)

    def inlines(self, inlines: tuple[Inline, ...]) -> Markup:
        return join(_INLINES[type(inline)](self, inline) for inline in inlines)

    def heading(self, block: Heading) -> Markup:
        attributes = {"class": "title"} if block.level == 1 else {}
        return element(f"h{min(6, block.level + 1)}", attributes, self.inlines(block.children))

    def paragraph(self, block: Paragraph) -> Markup:
        name = "div" if _holds_table(block.children) else "p"
        return element(name, {"class": block.role or None, "dir": "auto"}, self.inlines(block.children))

    def display(self, block: Maths) -> Markup:
        """Write a displayed formula; a single number of it stands at the margin."""
        tags = _TAG.findall(block.source)
        if len(tags) != 1:
            return element("div", {"class": "equation"}, self.formula(block.source, True))
        drawn = self.formula(_TAG.sub("", block.source), True)
        label = tags[0][1].strip() if tags[0][0] else f"({tags[0][1].strip()})"
        return element("div", {"class": "equation numbered"}, drawn, element("span", {"class": "number"}, label))

    def listing(self, block: Listing) -> Markup:
        if block.numbers is None:
            labelled = any(item.label is not None for item in block.items)
            kind = {"class": "labelled"} if labelled else {}
            usual = "•" if labelled else ""
            return element("ul", kind, *(element("li", {}, self._item(item, usual)) for item in block.items))
        items = zip(block.items, block.numbers, strict=True)
        return element("ol", {}, *(element("li", {"value": number}, self._item(item)) for item, number in items))

    def _item(self, item: Item, usual: str = "") -> Markup:
        mark = self.inlines(item.label) if item.label else usual
        label = element("span", {"class": "mark"}, mark) if mark else Markup("")
        if len(item.blocks) == 1 and isinstance(item.blocks[0], Paragraph):
            return join((label, " " if label else "", self.inlines(item.blocks[0].children)))
        return join((label, self.blocks(item.blocks)))

    def section(self, block: Section) -> Markup:
        body = self.blocks(block.blocks)
        if block.role in ("quote", "quotation", "verse"):
            return element("blockquote", {"class": block.role}, body)
        if block.role in ("figure", "table", "wrapfigure"):
            return element("figure", {"class": block.role}, body)
        if block.role not in _NAMED:
            return element("div", {"class": block.role}, body)
        name = element(
            "span", {"class": "mark"}, block.role.capitalize() + (f" ({block.title})" if block.title else "")
        )
        return element("section", {"class": f"named {block.role}"}, name, body)

    def preformatted(self, block: Preformatted) -> Markup:
        return element("pre", {"class": "code", "tabindex": "0"}, element("code", {}, block.text))

    def drawing(self, block: Drawing) -> Markup:
        return self.draw(block.kind, block.source)

    def note_text(self, block: NoteText) -> Markup:
        """Keep a footnote for the end; one without a label carries its mark in its own text."""
        self._notes.append(
            (block.label, self._anchor(block.label or str(next(self._numbers))), self.inlines(block.children))
        )
        return Markup("")

    def rule(self, block: Rule) -> Markup:
        return element("hr", {})

    def table(self, table: Table) -> Markup:
        """Write a table that scrolls by itself where it is wider than the page."""
        region = {"class": "table-wrap", "role": "region", "aria-label": "Table", "tabindex": "0"}
        return element("div", region, self.bare_table(table))

    def bare_table(self, table: Table) -> Markup:
        """Write the table alone."""
        rows = [self._row(row, head=index < table.header) for index, row in enumerate(table.rows)]
        head = element("thead", {}, *rows[: table.header]) if table.header else Markup("")
        return element("table", {}, head, element("tbody", {}, *rows[table.header :]))

    def _row(self, row: tuple[Cell, ...], *, head: bool) -> Markup:
        cells = []
        for cell in row:
            classes = [cell.align, *(f"line-{side}" for side in cell.borders)]
            if sum(len(part.text) for part in cell.children if isinstance(part, Text)) > LONG_CELL:
                classes.append("long")
            attributes = {
                "class": " ".join(classes),
                "colspan": cell.columns if cell.columns > 1 else None,
                "rowspan": cell.rows if cell.rows > 1 else None,
                "scope": "col" if head else None,
            }
            cells.append(element("th" if head else "td", attributes, self.inlines(cell.children)))
        return element("tr", {}, *cells)

    def text(self, inline: Text) -> Markup:
        return escape(inline.text)

    def maths_inline(self, inline: Maths) -> Markup:
        return self.formula(inline.source, inline.display)

    def code(self, inline: Code) -> Markup:
        return element("code", {}, inline.text)

    def styled(self, inline: Styled) -> Markup:
        body = self.inlines(inline.children)
        if inline.style == "sc":
            return element("span", {"class": "small-caps"}, body)
        return element(_STYLES[inline.style], {}, body)

    def link(self, inline: Link) -> Markup:
        """Write a link that only a click follows; one of another scheme stays text with its address behind it."""
        address, outer = safe_address(inline.address), self._in_link
        self._in_link = True
        body = self.inlines(inline.children)
        self._in_link = outer
        if address is not None and not outer:
            return element("a", {"href": address, "rel": "noopener noreferrer nofollow"}, body)
        shown = Text(inline.address)
        return body if inline.children == (shown,) else join((body, f" ({inline.address})" if inline.address else ""))

    def line_break(self, inline: Break) -> Markup:
        return element("br", {})

    def note(self, inline: Note) -> Markup:
        label = str(next(self._numbers))
        self._notes.append((label, self._anchor(label), self.inlines(inline.children)))
        return self.note_mark(NoteMark(label))

    def note_mark(self, inline: NoteMark) -> Markup:
        if inline.bracketed and inline.label not in self._labels:
            return escape(f"[^{inline.label}]")
        target = f"#{self.prefix}note-{self._anchor(inline.label)}"
        return element("sup", {}, inline.label if self._in_link else element("a", {"href": target}, inline.label))

    def picture(self, inline: Picture) -> Markup:
        return element("span", {"class": "picture-name"}, f"[picture: {inline.name}]" if inline.name else "[picture]")

    def nested(self, inline: Nested) -> Markup:
        return self.table(inline.table)


def _note_label(label: str) -> Markup:
    return join((element("span", {"class": "mark"}, label), " ")) if label else Markup("")


def _holds_table(children: tuple[Inline, ...]) -> bool:
    return any(
        isinstance(child, Nested) or (isinstance(child, Styled | Link) and _holds_table(child.children))
        for child in children
    )


_BLOCKS: dict[type, Callable[..., Markup]] = {
    Heading: HtmlWriter.heading,
    Paragraph: HtmlWriter.paragraph,
    Maths: HtmlWriter.display,
    Listing: HtmlWriter.listing,
    Section: HtmlWriter.section,
    Preformatted: HtmlWriter.preformatted,
    Table: HtmlWriter.table,
    Drawing: HtmlWriter.drawing,
    NoteText: HtmlWriter.note_text,
    Rule: HtmlWriter.rule,
}
_INLINES: dict[type, Callable[..., Markup]] = {
    Text: HtmlWriter.text,
    Maths: HtmlWriter.maths_inline,
    Code: HtmlWriter.code,
    Styled: HtmlWriter.styled,
    Link: HtmlWriter.link,
    Break: HtmlWriter.line_break,
    Note: HtmlWriter.note,
    NoteMark: HtmlWriter.note_mark,
    Picture: HtmlWriter.picture,
    Nested: HtmlWriter.nested,
}
