"""What is shown when a text cannot be drawn: its escaped source and the reason. Knows no renderer."""

from got_ocr.errors import GotOcrError
from got_ocr.render.markup import Markup, element


def fallback(source: str, error: GotOcrError, most: int) -> Markup:
    """Write the escaped source (at most `most` characters) below a note that names the error's code."""
    shown = source[:most]
    cut = len(source) - len(shown)
    reason = str(error) + (f" The last {cut} characters are left out." if cut else "")
    note = element("p", {"class": "render-error-note"}, element("strong", {}, "Shown as text: "), reason)
    return element(
        "div",
        {"class": "render-error", "data-render-error": error.code},
        note,
        element("pre", {"class": "source", "tabindex": "0"}, shown),
    )
