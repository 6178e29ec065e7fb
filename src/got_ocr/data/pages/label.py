"""Write a page as Mathpix Markdown, the way GOT answers a formatted request. Knows no font, size or column."""

from got_ocr.data.latex import label as latex
from got_ocr.data.latex.tree import Node
from got_ocr.data.pages import tree
from got_ocr.data.tables import label as tables
from got_ocr.errors import InvalidValue


def markdown(page: tree.Page) -> str:
    """Write a page: blocks with an empty line between them, footnotes at the end."""
    notes = [f"\\footnotetext{{\n{_mark(place)} {text(note)}\n}}" for place, note in enumerate(page.notes, start=1)]
    return "\n\n".join([*(_block(block) for block in page.blocks), *notes])


def text(parts: tree.Text) -> str:
    """Write running text; formulas become `\\( ... \\)`, marks superscripts."""
    return "".join(_inline(part) for part in parts)


def _inline(part: tree.Inline) -> str:
    if isinstance(part, int):
        return _mark(part)
    return latex.inline(part) if isinstance(part, Node) else part


def _mark(number: int) -> str:
    return f"\\( ^{{{number}}} \\)"


def _block(block: tree.Block) -> str:
    match block:
        case tree.Title():
            return f"\\title{{\n{block.text}\n}}"
        case tree.Authors():
            return f"\\author{{\n{', '.join(block.names)}\n}}"
        case tree.Abstract():
            return f"\\begin{{abstract}}\n{text(block.text)}\n\\end{{abstract}}"
        case tree.Heading():
            return f"\\{'sub' * (block.level - 1)}section*{{{block.text}}}"
        case tree.Paragraph():
            return text(block.text)
        case tree.Items():
            name = "enumerate" if block.numbered else "itemize"
            entries = "\n".join(f"\\item {text(entry)}" for entry in block.entries)
            return f"\\begin{{{name}}}\n{entries}\n\\end{{{name}}}"
        case tree.Display():
            tag = f" \\tag{{{block.number}}}" if block.number else ""
            return f"\\[ {latex.latex(block.formula)}{tag} \\]"
        case tree.Tabular():
            caption = f"{block.caption}\n\n" if block.caption else ""
            return caption + tables.tabular(block.grid)
    raise InvalidValue(f"no Markdown is known for a {type(block).__name__}")
