"""A document between reading and writing: blocks and inlines. Holds values; knows no source and no output format."""

from dataclasses import dataclass
from typing import Literal

Style = Literal["strong", "em", "u", "s", "sub", "sup", "tt", "sc"]
Align = Literal["left", "center", "right", "justify"]


@dataclass(frozen=True, slots=True)
class Text:
    """Characters as they are to be read."""

    text: str


@dataclass(frozen=True, slots=True)
class Maths:
    """A formula's LaTeX without its delimiters."""

    source: str
    display: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Characters in a fixed pitch."""

    text: str


@dataclass(frozen=True, slots=True)
class Styled:
    """A run in one style."""

    style: Style
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Link:
    """A run with an address; the address is checked when it is written."""

    address: str
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Break:
    """A line's end; `hard` when the source asked for it, else the end of a line as it was read."""

    hard: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote at its place."""

    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class NoteMark:
    """A reference to a footnote that stands elsewhere; `bracketed` as `[^label]`, which is one only if there is such a note."""

    label: str
    bracketed: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the text names; it is never loaded, only named."""

    name: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: first column, spans, borders (any of "lrtb"), content."""

    column: int
    columns: int
    rows: int
    align: Align
    borders: str
    children: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Table:
    """A grid: `header` counts the leading rows that are a head."""

    rows: tuple[tuple[Cell, ...], ...]
    columns: int
    header: int


@dataclass(frozen=True, slots=True)
class Nested:
    """A table inside a line."""

    table: Table


Inline = Text | Maths | Code | Styled | Link | Break | Note | NoteMark | Picture | Nested


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is a title, 2 a section."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; role is "", "author", "date" or "caption"."""

    children: tuple[Inline, ...]
    role: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A list's item: its own label, if it has one, and its blocks."""

    label: tuple[Inline, ...] | None
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list; `numbers` holds the printed number of each item, or None when it is not numbered."""

    items: tuple[Item, ...]
    numbers: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks that belong together: a quote, an abstract, a theorem, a figure, centred text."""

    role: str
    blocks: "tuple[Block, ...]"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Lines in a fixed pitch."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Source of a drawing inside a text; `kind` as in kind.py."""

    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class NoteText:
    """A footnote's text, for the NoteMark of the same label."""

    label: str
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the page."""


Block = Heading | Paragraph | Maths | Listing | Section | Preformatted | Table | Drawing | NoteText | Rule


def note_labels(blocks: tuple[Block, ...]) -> frozenset[str]:
    """Return the labels of all footnote texts of a document."""
    found: set[str] = set()
    for block in blocks:
        if isinstance(block, NoteText):
            found.add(block.label)
        elif isinstance(block, Section):
            found |= note_labels(block.blocks)
        elif isinstance(block, Listing):
            for item in block.items:
                found |= note_labels(item.blocks)
    return frozenset(found)
