"""Write a page as typst markup, for drawing.

Text goes in as strings, so that no character of it is taken for markup; formulas and tables that are wider than
their column are scaled down to it. Knows no random choice: how the page looks comes in as a `Look`.
"""

import json
from dataclasses import dataclass

from got_ocr.data.latex import markup as maths
from got_ocr.data.latex.tree import Node
from got_ocr.data.pages import tree
from got_ocr.data.tables import markup as tables
from got_ocr.errors import InvalidValue

_HEAD = """#set page(width: {width}pt, height: {height}, margin: {margin}pt, columns: {columns}, fill: {paper})
#set columns(gutter: {gutter}pt)
#set text(font: {fonts}, fallback: false, size: {size}pt, fill: {ink}, lang: "{language}", hyphenate: {hyphenate})
#set par(justify: {justify}, leading: {leading}em, spacing: {spacing}em, first-line-indent: {indent}em)
#set smartquote(enabled: false)
#set table(stroke: none, inset: {inset}pt)
#set list(indent: {nudge}em)
#set enum(indent: {nudge}em)
#show math.equation: set text(font: "{maths}", weight: {weight})
#show heading: set text(weight: "{bold}")
#show heading.where(level: 1): set align({align})
#let fit(body) = layout(size => {{
  let natural = measure(body)
  if natural.width <= size.width {{ body }} else {{ scale(size.width / natural.width * 99%, body, reflow: true) }}
}})
"""


_OPENING = (tree.Title, tree.Authors, tree.Abstract)


@dataclass(frozen=True, slots=True)
class Look:
    """Say how a page looks; lengths in points, leading and indent in em. height 0: as tall as its text."""

    width: float
    height: float
    margin: float
    columns: int
    gutter: float
    family: str
    maths: str
    size: float
    leading: float
    spacing: float
    indent: float
    justify: bool
    hyphenate: bool
    language: str
    ink: str
    paper: str
    heading: str
    nudge: float
    bold: str

    @property
    def column(self) -> float:
        """The width of a column in points."""
        return (self.width - 2 * self.margin - (self.columns - 1) * self.gutter) / self.columns


def typst(page: tree.Page, look: Look) -> str:
    """Write a whole page."""
    head = _HEAD.format(
        width=look.width,
        height=f"{look.height}pt" if look.height else "auto",
        margin=look.margin,
        columns=look.columns,
        gutter=look.gutter,
        fonts=_string(look.family),
        size=look.size,
        ink=look.ink,
        paper=look.paper,
        language=look.language,
        hyphenate=_flag(look.hyphenate),
        justify=_flag(look.justify),
        leading=look.leading,
        spacing=look.spacing,
        indent=look.indent,
        inset=round(look.size * 0.4, 1),
        nudge=look.nudge,
        maths=look.maths,
        weight=400,
        bold=look.bold,
        align=look.heading,
    )
    top = next((place for place, block in enumerate(page.blocks) if not isinstance(block, _OPENING)), len(page.blocks))
    blocks = [_block(block, page.notes) for block in page.blocks]
    if look.columns == 1 or not top:
        return head + _joined(blocks)
    # The title of a page in columns runs across all of them.
    opening = (
        f'#place(top, scope: "parent", float: true, clearance: 1.5em, block(width: 100%)[{_joined(blocks[:top])}])'
    )
    return head + _joined([opening, *blocks[top:]])


def _joined(blocks: list[str]) -> str:
    return "\n\n".join(blocks)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(parts: tree.Text, notes: tuple[tree.Text, ...]) -> str:
    return "".join(_inline(part, notes) for part in parts)


def _inline(part: tree.Inline, notes: tuple[tree.Text, ...]) -> str:
    if isinstance(part, int):
        return f"#footnote[{_text(notes[part - 1], ())}]"
    return f"${maths.typst(part)}$" if isinstance(part, Node) else f"#{_string(part)};"


def _block(block: tree.Block, notes: tuple[tree.Text, ...]) -> str:
    match block:
        case tree.Title():
            words = f"par(justify: false)[#{_string(block.text)}]"
            return f'#align(center, text(size: 1.6em, weight: "bold", hyphenate: false, {words}))'
        case tree.Authors():
            return f"#align(center, par(justify: false)[#{_string(', '.join(block.names))}])"
        case tree.Abstract():
            return f"#align(center, strong[Abstract])\n#pad(x: 2em)[{_text(block.text, notes)}]"
        case tree.Heading():
            return f"#heading(level: {block.level}, numbering: none)[#{_string(block.text)}]"
        case tree.Paragraph():
            return _text(block.text, notes)
        case tree.Items():
            name = "enum" if block.numbered else "list"
            return f"#{name}({', '.join(f'[{_text(entry, notes)}]' for entry in block.entries)})"
        case tree.Display():
            number = f'n => "({block.number})"' if block.number else "none"
            return f"#fit(math.equation(block: true, numbering: {number}, $ {maths.typst(block.formula)} $))"
        case tree.Tabular():
            caption = f"#align(center)[#{_string(block.caption)}]\n" if block.caption else ""
            return f"{caption}#align(center, fit({tables.table(block.grid)}))"
    raise InvalidValue(f"no typst markup is known for a {type(block).__name__}")
