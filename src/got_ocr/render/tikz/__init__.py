"""TikZ pictures -> SVG by a subset of our own: no TeX runs, no file is read, every loop is bounded."""

import re
from collections.abc import Sequence

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import Source
from got_ocr.render.limits import Budget
from got_ocr.render.markup import Markup, Value, element
from got_ocr.render.tikz.picture import MAX_STEPS, Picture
from got_ocr.render.tikz.statements import without_comments
from got_ocr.render.tikz.style import Style

MAX_PICTURES = 40
GAP = 16.0  # pixels between pictures of one source
_BEGIN = re.compile(r"\\begin\s*\{tikzpicture\}")


def to_svg(source: str, prefix: str = "") -> Markup:
    """Return a source's picture as one `<svg>`, several below each other. Raises RenderFailed where nothing can be drawn."""
    budget = Budget(MAX_STEPS, "drawing")
    setting, bodies = _pictures(without_comments(source))
    drawn = []
    for at, body in enumerate(bodies, start=1):
        picture = Picture(f"{prefix}{at}-" if len(bodies) > 1 else prefix, budget)
        picture.run(setting + body, Style())
        if picture.canvas.low is not None:
            drawn.append((picture.canvas.svg(), picture.canvas.size()))
    if not drawn:
        raise RenderFailed("this drawing has no statement that can be drawn")
    return drawn[0][0] if len(drawn) == 1 else _stacked(drawn)


def _pictures(text: str) -> tuple[str, list[str]]:
    """Return the settings before the first picture, and each picture; one body where there is no more than one."""
    source, bodies, at, first = Source(text), list[str](), 0, None
    while match := _BEGIN.search(text, at):
        environment = source.environment(match.start())
        if environment is None:
            break
        first = match.start() if first is None else first
        bodies.append(text[environment.start : environment.end])
        at = environment.end
    if len(bodies) < 2:
        return "", [text]
    if len(bodies) > MAX_PICTURES:
        raise RenderFailed(f"a source of more than {MAX_PICTURES} drawings is not drawn")
    return re.sub(r"\\begin\s*\{document\}", "", text[:first]), bodies


def _stacked(drawn: Sequence[tuple[Markup, tuple[float, float]]]) -> Markup:
    width = max(size[0] for _, size in drawn)
    parts, y = [], 0.0
    for svg, (_, height) in drawn:
        parts.append(element("g", {"transform": f"translate(0,{y:.2f})"}, svg))
        y += height + GAP
    attributes: dict[str, Value] = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width:.2f} {y - GAP:.2f}",
        "width": width,
        "height": y - GAP,
        "role": "img",
        "aria-label": "Drawings",
    }
    return element("svg", attributes, *parts)
