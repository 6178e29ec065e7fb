"""A drawing's source -> SVG, by the renderer of its kind; whatever goes wrong there ends here as one of our errors."""

from collections.abc import Callable

from got_ocr.errors import ChildCrashed, DeadlineExceeded, GotOcrError, RenderFailed
from got_ocr.render.failure import fallback
from got_ocr.render.limits import MAX_FALLBACK, MAX_OUTPUT
from got_ocr.render.markup import Markup, element

DRAWN = frozenset(("tikz", "kern", "smiles", "chart"))
_NAMES = {"tikz": "Drawing", "kern": "Sheet music", "smiles": "Molecule", "chart": "Chart"}


def draw(kind: str, source: str, prefix: str = "", *, tex: bool = False) -> Markup:
    """Return the drawing as one `<svg>`.

    prefix: begins every id inside, unique in a page. tex: let an installed TeX draw TikZ that it may be given. Raises
    RenderFailed, MissingDependency, ChildCrashed or DeadlineExceeded.
    """
    renderer = _by_tex if tex and kind == "tikz" else _renderer(kind)
    try:
        svg = renderer(source, prefix)
    except GotOcrError:
        raise
    # A renderer meets text that nobody foresaw: its failure must not take the page with it.
    except (Exception, RecursionError) as error:
        raise RenderFailed(f"this {_NAMES[kind].lower()} could not be drawn") from error
    if len(svg) > MAX_OUTPUT:
        raise RenderFailed(f"the drawing is larger than {MAX_OUTPUT} characters")
    return svg


def _by_tex(source: str, prefix: str) -> Markup:
    """Draw by TeX, or by our own renderer what TeX is not given or does not take. Raises MissingDependency without TeX."""
    from got_ocr.render import tex, tikz

    try:
        return tex.to_svg(source, prefix)
    except (RenderFailed, ChildCrashed, DeadlineExceeded):
        return tikz.to_svg(source, prefix)


def figure(kind: str, source: str, prefix: str = "", *, tex: bool = False) -> tuple[Markup, GotOcrError | None]:
    """Return the drawing as `<figure>`, or its source and the error that stood in the way."""
    try:
        svg = draw(kind, source, prefix, tex=tex)
    except GotOcrError as error:
        return fallback(source, error, MAX_FALLBACK), error
    return element("figure", {"class": f"drawing {kind}"}, svg), None


def _renderer(kind: str) -> Callable[[str, str], Markup]:
    """Import the one renderer that is needed."""
    if kind == "tikz":
        from got_ocr.render import tikz

        return tikz.to_svg
    if kind == "kern":
        from got_ocr.render import music

        return music.to_svg
    if kind == "smiles":
        from got_ocr.render import molecule

        return molecule.to_svg
    if kind == "chart":
        from got_ocr.render import chart

        return chart.to_svg
    raise RenderFailed(f"{kind} is no drawing")
