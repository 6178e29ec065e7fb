"""The door of this room: which renderer, which form, and what to do when one fails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from got_ocr.errors import GotOcrError, InvalidValue, RenderFailed
from got_ocr.render.failure import fallback
from got_ocr.render.figure import DRAWN, draw, figure
from got_ocr.render.kind import check_kind
from got_ocr.render.limits import MAX_FALLBACK, MAX_OUTPUT, MAX_SOURCE
from got_ocr.render.markup import Markup, element, join, legal
from got_ocr.render.page import Sheet, page

Form = Literal["html", "fragment", "svg", "png", "md", "gfm"]
FORMS: tuple[str, ...] = get_args(Form)
TITLE = "Reading"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a text. kind: as drawn. error: the code of what stood in the way, None when all was drawn."""

    kind: str
    content: str | bytes
    error: str | None = None


def render(text: str, *, kind: str = "auto", to: str = "html", title: str = TITLE, tex: bool = False) -> str | bytes:
    """Return the text in another form: `html` page, `fragment` of HTML, `svg`, `png` (bytes), `md` or `gfm`.

    kind: auto, markdown, table, tikz, kern, smiles or chart. tex: let an installed TeX draw TikZ. Raises InvalidValue for an
    unknown kind or form and for a form that the kind does not have; `svg` and `png` raise what kept the drawing from being
    made.
    """
    return render_result(text, kind=kind, to=to, title=title, tex=tex).content


def render_result(
    text: str, *, kind: str = "auto", to: str = "html", title: str = TITLE, tex: bool = False
) -> Rendered:
    """Render as `render` does and say of which kind the text was and what failed."""
    if to not in FORMS:
        raise InvalidValue(f"a form is one of {', '.join(FORMS)}")
    text = legal(text)
    found = _kind(kind, text)
    if to in ("svg", "png"):
        return _drawing(text, found, to, title, tex=tex)
    if to in ("md", "gfm"):
        written, failed = _markdown(text, found, dollars=to == "gfm")
        return Rendered(found, written, failed.code if failed else None)
    sheet, error = _sheet(text, found, "got-", tex=tex)
    code = error.code if error else None
    return Rendered(found, str(sheet.body) if to == "fragment" else page([sheet], title), code)


def render_pages(
    pages: Sequence[tuple[str, bytes | None]], title: str = TITLE, *, kind: str = "auto", side_by_side: bool = True
) -> str:
    """Return one HTML page of several texts, each beside its picture (PNG or JPEG bytes) where one is given."""
    sheets = []
    for at, (text, picture) in enumerate(pages, start=1):
        text = legal(text)
        found = _kind(kind, text)
        sheet, _ = _sheet(text, found, f"got-{at}-")
        sheets.append(replace(sheet, picture=picture if side_by_side else None))
    return page(sheets, title)


def _kind(kind: str, text: str) -> str:
    """Find the kind out, but not of a text that is too long to be drawn anyway."""
    return check_kind(kind, text) if len(text) <= MAX_SOURCE or kind != "auto" else "markdown"


def _sheet(text: str, kind: str, prefix: str, *, tex: bool = False) -> tuple[Sheet, GotOcrError | None]:
    """Draw one text; whatever fails becomes its escaped source."""
    whole = True  # the body holds the whole source, as one block
    try:
        body, error = _body(text, kind, prefix, tex)
        whole = kind in DRAWN and error is not None
        if len(body) > MAX_OUTPUT:
            raise RenderFailed(f"the rendered text is larger than {MAX_OUTPUT} characters")
    except GotOcrError as failure:
        whole, body, error = True, fallback(text, failure, MAX_FALLBACK), failure
    # A text nobody foresaw must not take the page with it.
    except (Exception, RecursionError):
        failed = RenderFailed("this text could not be drawn")
        whole, body, error = True, fallback(text, failed, MAX_FALLBACK), failed
    source = None if whole else text[:MAX_FALLBACK]
    return Sheet(kind, body, source, source_beside=kind in DRAWN and not whole), error


def _body(text: str, kind: str, prefix: str, tex: bool) -> tuple[Markup, GotOcrError | None]:
    if len(text) > MAX_SOURCE:
        raise RenderFailed(f"a text longer than {MAX_SOURCE} characters is not drawn.")
    if kind == "chart":
        from got_ocr.render.chart import to_html as chart_html

        return chart_html(text, prefix), None
    if kind in DRAWN:
        return figure(kind, text, prefix, tex=tex)
    from got_ocr.render.markdown import to_html

    drawings = _Drawings(prefix, tex)
    body, error = to_html(text, drawings.draw, prefix)
    if error is not None:
        note = element("p", {"class": "render-error-note", "data-render-error": error.code}, str(error))
        body = join((note, body))
    return body, error or drawings.error


class _Drawings:
    """Make the drawings inside one text, each with ids of its own."""

    def __init__(self, prefix: str, tex: bool) -> None:
        self.prefix = prefix
        self.tex = tex
        self.count = 0
        self.error: GotOcrError | None = None

    def draw(self, kind: str, source: str) -> Markup:
        self.count += 1
        made, error = figure(kind, source, f"{self.prefix}d{self.count}-", tex=self.tex)
        self.error = self.error or error
        return made


def _drawing(text: str, kind: str, to: str, title: str, *, tex: bool) -> Rendered:
    if kind in DRAWN:
        if len(text) > MAX_SOURCE:
            raise RenderFailed(f"a text longer than {MAX_SOURCE} characters is not drawn.")
        svg = draw(kind, text, tex=tex)
        if to == "svg":
            return Rendered(kind, str(svg) + "\n")
        from got_ocr.render.raster import svg_to_png

        return Rendered(kind, svg_to_png(svg))
    if to == "svg":
        raise InvalidValue(f"a text of kind {kind} has no SVG form; html, png, md and gfm are left")
    from got_ocr.render.raster import html_to_png

    sheet, _ = _sheet(text, kind, "got-")
    return Rendered(kind, html_to_png(page([sheet], title)))


def _markdown(text: str, kind: str, *, dollars: bool) -> tuple[str, GotOcrError | None]:
    """Write one text as Markdown; what cannot be written becomes a block of its source."""
    from got_ocr.render.write_markdown import fenced

    try:
        return _written(text, kind, dollars=dollars), None
    except GotOcrError as failure:
        error = failure
    # A text nobody foresaw must not take the document with it.
    except (Exception, RecursionError):
        error = RenderFailed("this text could not be written as Markdown")
    return fenced(text[:MAX_FALLBACK], "") + "\n", error


def _written(text: str, kind: str, *, dollars: bool) -> str:
    from got_ocr.render.markdown import to_markdown
    from got_ocr.render.write_markdown import fenced

    if len(text) > MAX_SOURCE:
        raise RenderFailed(f"a text longer than {MAX_SOURCE} characters is not drawn.")
    if kind == "chart":
        from got_ocr.render.chart import to_markdown as chart_markdown

        return chart_markdown(text)
    if kind in DRAWN:
        return fenced(text.strip("\n"), {"tikz": "latex"}.get(kind, kind)) + "\n"
    return to_markdown(text, dollars=dollars)
