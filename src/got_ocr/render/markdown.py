"""Mathpix Markdown and LaTeX text -> HTML fragment or Markdown: reading and writing put together."""

from got_ocr.errors import GotOcrError
from got_ocr.render.blocks import parse_blocks
from got_ocr.render.markup import Markup
from got_ocr.render.write_html import Draw, HtmlWriter
from got_ocr.render.write_markdown import MarkdownWriter


def to_html(text: str, draw: Draw, prefix: str = "") -> tuple[Markup, GotOcrError | None]:
    """Return the text as an HTML fragment, and why its formulas stayed source if their package is missing."""
    writer = HtmlWriter(draw, prefix)
    return writer.document(parse_blocks(text)), writer.error


def to_markdown(text: str, *, dollars: bool) -> str:
    """Return the text as Markdown, with `$` maths for GitHub or `\\(` maths for Mathpix and Pandoc."""
    return MarkdownWriter(dollars).document(parse_blocks(text))
