"""Rendered texts -> one HTML page that stands alone: no network, no second file, safe from what the texts say.

A strict policy in the page's head lets run only this module's own style and script, by their digests; texts never stand
inside either. Knows neither kinds nor renderers.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from got_ocr.errors import InvalidValue
from got_ocr.render.markup import Markup, element, join

MAX_PICTURE = 32_000_000
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_KIND_NAMES = {
    "markdown": "Text",
    "table": "Table",
    "tikz": "Drawing (TikZ)",
    "kern": "Sheet music (kern)",
    "smiles": "Molecule (SMILES)",
    "chart": "Chart",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One text on the page: what was made of it, what was read, and the picture it was read from.

    source: None where the body is the source already, as after a failure.
    """

    kind: str
    body: Markup
    source: str | None
    picture: bytes | None = None
    source_beside: bool = False


def page(sheets: Sequence[Sheet], title: str) -> str:
    """Return the whole HTML document. Raises InvalidValue for a picture that is neither PNG nor JPEG."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        {},
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "referrer", "content": "no-referrer"}),
        element("title", {}, title),
        element("style", {}, Markup(style)),
    )
    wide = any(sheet.picture is not None or sheet.source_beside for sheet in sheets)
    body = element(
        "body",
        {"class": "wide" if wide else None},
        _header(sheets, title),
        element("main", {}, *(_article(sheet, at, len(sheets)) for at, sheet in enumerate(sheets, start=1))),
        element("footer", {"class": "end"}, "Rendered by got-ocr. This page loads nothing and sends nothing."),
        element("script", {}, Markup(script)),
    )
    return "<!DOCTYPE html>\n" + element("html", {"lang": "en"}, head, body) + "\n"


def stylesheet() -> str:
    """Return the style that fragments are made for."""
    return _asset("page.css")


@lru_cache(maxsize=2)
def _asset(name: str) -> str:
    return files("got_ocr.render").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _header(sheets: Sequence[Sheet], title: str) -> Markup:
    heading = element("header", {"class": "top"}, element("h1", {"dir": "auto"}, title))
    if len(sheets) < 2:
        return heading
    links = (
        element("li", {}, element("a", {"href": f"#page-{at}", "aria-label": f"Page {at}"}, str(at)))
        for at in range(1, len(sheets) + 1)
    )
    return join((heading, element("nav", {"class": "pages", "aria-label": "Pages"}, element("ol", {}, *links))))


def _article(sheet: Sheet, at: int, total: int) -> Markup:
    name = f"Page {at} of {total}" if total > 1 else _KIND_NAMES.get(sheet.kind, "Text")
    bar = element(
        "div",
        {"class": "bar"},
        element("h2", {"id": f"page-{at}-name"}, name),
        element("span", {"class": "kind"}, _KIND_NAMES.get(sheet.kind, "Text") if total > 1 else ""),
        element("span", {"class": "gone", "role": "status"}),
        element(
            "button", {"type": "button", "class": "copy", "data-source": f"source-{at}", "hidden": ""}, "Copy text"
        ),
    )
    attributes = {"id": f"page-{at}", "aria-labelledby": f"page-{at}-name"}
    return element("article", attributes, bar, _sides(sheet, at))


def _sides(sheet: Sheet, at: int) -> Markup:
    text = element("div", {"class": "text"}, sheet.body)
    pre = element("pre", {"id": f"source-{at}", "tabindex": "0"}, sheet.source or "")
    columns, below = [text], Markup("")
    if sheet.source is None:
        pass
    elif sheet.source_beside:
        columns.append(element("div", {"class": "written"}, element("h3", {}, "Source"), pre))
    else:
        below = element("details", {"class": "written"}, element("summary", {}, "Source"), pre)
    if sheet.picture is not None:
        columns.insert(0, element("div", {"class": "scan"}, _picture(sheet.picture, at)))
    form = "drawn" if sheet.source_beside and len(columns) == 2 else "two" if len(columns) > 1 else ""
    return join((element("div", {"class": f"sides {form}".strip()}, *columns), below))


def _picture(data: bytes, at: int) -> Markup:
    kind = next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)
    if kind is None or len(data) > MAX_PICTURE:
        raise InvalidValue(f"a picture beside the text is PNG or JPEG, at most {MAX_PICTURE} bytes")
    address = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return element("img", {"src": address, "alt": f"Picture of page {at}"})
