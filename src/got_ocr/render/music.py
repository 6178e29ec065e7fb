"""Humdrum `**kern` -> SVG by Verovio, in a child process and through the gate. Knows no page."""

from collections.abc import Iterator

from got_ocr.errors import RenderFailed
from got_ocr.render.child import run_child
from got_ocr.render.kernfix import repair
from got_ocr.render.markup import Markup
from got_ocr.render.sanitize import SVG, Node, clean, parse, serialise, visit

MAX_KERN = 60_000
_STROKED = frozenset(("ellipse", "path", "polygon", "polyline", "rect"))
_BOLD = frozenset(("ending", "fing", "reh", "tempo"))
_ITALIC = frozenset(("dir", "dynam", "mNum"))


def to_svg(source: str, prefix: str = "") -> Markup:
    """Return a score as one `<svg>`.

    Raises RenderFailed, MissingDependency, ChildCrashed or DeadlineExceeded.
    """
    if len(source) > MAX_KERN:
        raise RenderFailed(f"a score longer than {MAX_KERN} characters is not drawn")
    if "**" not in source:
        raise RenderFailed("this text holds no score")
    answer = run_child("got_ocr.render.music_child", repair(source), "verovio")
    svg = clean(parse(answer), SVG, prefix or "m-")
    if not any(True for _ in _shown(svg)):
        raise RenderFailed("this text holds no score")
    _style(svg)
    _frame(svg)
    return serialise(svg)


def _shown(node: Node) -> Iterator[Node]:
    """Find signs and words; an empty page has neither."""
    for child in node.children:
        if isinstance(child, Node) and child.name != "defs":
            if child.name in ("use", "text"):
                yield child
            yield from _shown(child)


def _style(svg: Node) -> None:
    """Say by attributes what the library says in a style sheet, which no page of ours lets in."""

    def change(node: Node) -> None:
        words = set(node.attributes.get("class", "").split())
        if node.name in _STROKED:
            node.attributes.setdefault("stroke", "currentColor")
        if "placeholder" in words:
            node.children = []
        if words & _BOLD:
            node.attributes["font-weight"] = "bold"
        if words & _ITALIC:
            node.attributes["font-style"] = "italic"
        node.attributes.pop("class", None)

    visit(svg, change)


def _frame(svg: Node) -> None:
    """Give the drawing a size of its own, a name and the colour of ink."""
    width = svg.attributes.pop("width", "").removesuffix("px")
    height = svg.attributes.pop("height", "").removesuffix("px")
    if not (width.isdigit() and height.isdigit()):
        raise RenderFailed("a score came back without a size")
    svg.attributes.pop("overflow", None)
    svg.attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width} {height}",
        "width": str(int(width) // 2),
        "class": "wide" if int(width) > 1200 else "narrow",
        "height": str(int(height) // 2),
        "color": "#000000",
        "role": "img",
        "aria-label": "Sheet music",
        **{key: value for key, value in svg.attributes.items() if key != "id"},
    }
    svg.children = [child for child in svg.children if not isinstance(child, Node) or child.name != "desc"]
