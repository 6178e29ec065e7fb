"""What is shown when a text cannot be drawn: its escaped source and the reason. Knows no renderer."""

from got_ocr.errors import GotOcrError, InputError
from got_ocr.render.markup import Markup, element


class RenderFailed(InputError):
    """Report a text that is not of its kind or is too large to be drawn."""

    code = "render_failed"


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
