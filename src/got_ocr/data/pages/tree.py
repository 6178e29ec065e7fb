"""The document tree: what stands on a page, in reading order. Knows no notation, font or layout."""

from dataclasses import dataclass

from got_ocr.data.latex.tree import Node
from got_ocr.data.tables.grid import Grid

# Running text: words, formulas within the line and footnote marks.
Inline = str | Node | int
Text = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Title:
    """Head the page."""

    text: str


@dataclass(frozen=True, slots=True)
class Authors:
    """Name who wrote it."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Abstract:
    """Sum it up."""

    text: Text


@dataclass(frozen=True, slots=True)
class Heading:
    """Open a section (level 1) or one below it (2, 3); a number, if any, is part of the text."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Run on."""

    text: Text


@dataclass(frozen=True, slots=True)
class Items:
    """List entries with bullets or numbers."""

    numbered: bool
    entries: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """Show a formula on a line of its own, with a number in parentheses if it is above 0."""

    formula: Node
    number: int = 0


@dataclass(frozen=True, slots=True)
class Tabular:
    """Show a table, with a caption above it unless that is empty."""

    grid: Grid
    caption: str = ""


Block = Title | Authors | Abstract | Heading | Paragraph | Items | Display | Tabular


@dataclass(frozen=True, slots=True)
class Page:
    """Hold blocks in reading order and the footnotes that marks 1, 2, ... point to."""

    blocks: tuple[Block, ...]
    notes: tuple[Text, ...] = ()
