"""The escaping builder: the only place where text becomes HTML, SVG or MathML.

A `Markup` is text that is already safe to stand in a page. Everything else that is handed to `element` is escaped, so
that a forgotten escape cannot happen. Knows no format of the model's.
"""

import re
from collections.abc import Iterable, Mapping

from got_ocr.errors import GotOcrError

Value = str | int | float | None

VOID = frozenset({"br", "hr", "img", "meta"})
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]*\Z")
_ATTRIBUTE = re.compile(r"(?!on)[a-zA-Z][a-zA-Z0-9:-]*\Z", re.I)
# What XML 1.0 and HTML cannot carry: controls, lone surrogates, non-characters.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}


class Markup(str):
    """Hold text that is already escaped."""

    __slots__ = ()


def legal(text: str) -> str:
    """Return the text with one kind of line end and U+FFFD for every character that a document cannot carry."""
    return _ILLEGAL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def escape(text: str) -> Markup:
    """Return the text as inert characters; a Markup is returned as it is."""
    return text if isinstance(text, Markup) else Markup(legal(text).translate(_ENTITIES))


def join(parts: Iterable[str], separator: str = "") -> Markup:
    """Put parts together, escaping those that are not Markup."""
    return Markup(escape(separator).join(escape(part) for part in parts))


def number(value: float) -> str:
    """Write a number as short as two decimals allow."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def element(name: str, attributes: Mapping[str, Value], *children: str) -> Markup:
    """Write one element; attributes of value None are left out.

    Raises GotOcrError for names that are not ours to write, event handlers among them.
    """
    if not _NAME.match(name):
        raise GotOcrError("an element's name is letters and digits")
    opening = [f"<{name}"]
    for key, value in attributes.items():
        if value is None:
            continue
        if not _ATTRIBUTE.match(key):
            raise GotOcrError("an attribute's name is letters, digits, colon and dash, and no event handler")
        text = number(value) if isinstance(value, float) else str(value)
        opening.append(f' {key}="{Markup(legal(text).translate(_ENTITIES))}"')
    if name in VOID:
        return Markup("".join(opening) + ">")
    body = join(children)
    # A parser drops the first line end behind <pre>; a second one keeps the text's own.
    start = "\n" if name == "pre" and body.startswith("\n") else ""
    return Markup("".join(opening) + ">" + start + body + f"</{name}>")
