"""TikZ pictures -> SVG by a subset of our own: no TeX runs, no file is read, every loop is bounded."""

from got_ocr.render.failure import RenderFailed
from got_ocr.render.markup import Markup
from got_ocr.render.tikz.picture import Picture
from got_ocr.render.tikz.statements import without_comments
from got_ocr.render.tikz.style import Style


def to_svg(source: str, prefix: str = "") -> Markup:
    """Return a picture as one `<svg>`. Raises RenderFailed where nothing of it can be drawn."""
    picture = Picture(prefix)
    picture.run(without_comments(source), Style())
    svg = picture.canvas.svg()
    if picture.canvas.low is None:
        raise RenderFailed("this drawing has no statement that can be drawn")
    return svg
