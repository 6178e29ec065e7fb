"""Where a picture is drawn: collects SVG elements and the area that they cover. Points with y upwards come in.

Everything is written by the escaping builder. Bounded: each element takes from the picture's budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from got_ocr.render.limits import Budget
from got_ocr.render.markup import Markup, Value, element, join, number
from got_ocr.render.tikz.box import Box
from got_ocr.render.tikz.geometry import Matrix, Point, Segment
from got_ocr.render.tikz.style import Style

MARGIN = 2.0
MAX_EXTENT = 20_000.0  # points; what lies farther out is left out of the picture's area
SCALE = 4 / 3  # CSS pixels in a point
SERIF = "'Times New Roman', 'Liberation Serif', 'Nimbus Roman', 'Noto Serif CJK SC', serif"
FIXED = "'Liberation Mono', 'DejaVu Sans Mono', monospace"


_PATTERNS = {
    "north east": "M-1,1L1,-1M0,4L4,0M3,5L5,3",
    "north west": "M-1,3L1,5M0,0L4,4M3,-1L5,1",
    "crosshatch": "M0,4L4,0M0,0L4,4",
    "horizontal": "M0,2L4,2",
    "vertical": "M2,0L2,4",
    "grid": "M0,2L4,2M2,0L2,4",
    "dots": "M1.8,2L2.2,2",
}


@dataclass(slots=True)
class Canvas:
    """One picture in the making. groups: elements of the picture and of each open clip."""

    budget: Budget
    prefix: str
    groups: list[list[Markup]] = field(default_factory=lambda: [[]])
    defs: list[Markup] = field(default_factory=list)
    clips: list[str] = field(default_factory=list)
    low: tuple[float, float] | None = None
    high: tuple[float, float] | None = None

    def cover(self, points: Sequence[Point], by: float = 0.0) -> None:
        """Grow the area so that it holds the points, `by` points around each."""
        for x, y in points:
            if abs(x) < MAX_EXTENT and abs(y) < MAX_EXTENT:
                low, high = self.low or (x, y), self.high or (x, y)
                self.low = (min(low[0], x - by), min(low[1], y - by))
                self.high = (max(high[0], x + by), max(high[1], y + by))

    def add(self, markup: Markup) -> None:
        self.budget.take(1 + len(markup) // 200)
        self.groups[-1].append(markup)

    def path(self, segments: Sequence[Segment], style: Style, *, covers: bool = True) -> None:
        """Stroke and fill a path in its style."""
        if not segments or not (style.draw or style.fill):
            return
        if covers:
            self.cover(
                [point for segment in segments for point in segment.points], style.width / 2 if style.draw else 0.0
            )
        attributes = {"d": outline(segments), **_paint(style)}
        if style.double and style.draw:
            self.add(element("path", {**attributes, "stroke-width": style.width * 2 + 0.6}))
            attributes |= {"stroke": "#ffffff", "stroke-width": 0.6, "fill": "none"}
        self.add(element("path", attributes))

    def text(self, box: Box, matrix: Matrix, color: str, opacity: float) -> None:
        """Draw a box of set text whose origin is mapped by the matrix."""
        parts = []
        for run in box.runs:
            font = run.font
            attributes: dict[str, Value] = {
                "x": run.x,
                "y": -run.y,
                "font-size": font.size if abs(font.size - 10) > 0.01 else None,
                "font-style": "italic" if font.italic else None,
                "font-weight": "bold" if font.bold else None,
                "font-family": FIXED if font.fixed else None,
            }
            parts.append(element("text", attributes, run.text))
        for mark in box.marks:
            points = " ".join(f"{number(x)},{number(-y)}" for x, y in mark.points)
            parts.append(
                element("polyline", {"points": points, "fill": "none", "stroke": color, "stroke-width": mark.width})
            )
        if not parts:
            return
        place = ",".join(f"{value + 0.0:.4g}" for value in (matrix.a, -matrix.b, -matrix.c, matrix.d))
        transform = f"matrix({place},{number(matrix.e)},{number(-matrix.f)})"
        if (matrix.a, matrix.b, matrix.c, matrix.d) == (1.0, 0.0, 0.0, 1.0):
            transform = f"translate({number(matrix.e)},{number(-matrix.f)})"
        faint = {"opacity": opacity} if opacity < 1 else {}
        self.add(element("g", {"transform": transform, "fill": color, **faint}, *parts))

    def open_clip(self, segments: Sequence[Segment]) -> None:
        """Clip what follows in the same scope to a path."""
        name = f"{self.prefix}clip{len(self.defs) + 1}"
        self.defs.append(element("clipPath", {"id": name}, element("path", {"d": outline(segments)})))
        self.clips.append(name)
        self.groups.append([])

    def close_clips(self, count: int) -> None:
        """Close clips until `count` are open."""
        while len(self.clips) > count:
            inside = self.groups.pop()
            self.groups[-1].append(element("g", {"clip-path": f"url(#{self.clips.pop()})"}, *inside))

    def pattern(self, name: str, color: str) -> str:
        """Define a hatching and return how a fill names it."""
        strokes = next((marks for word, marks in _PATTERNS.items() if word in name), _PATTERNS["north east"])
        key = f"{self.prefix}hatch{len(self.defs) + 1}"
        tile: dict[str, Value] = {"id": key, "width": "4", "height": "4", "patternUnits": "userSpaceOnUse"}
        lines = element("path", {"d": strokes, "stroke": color, "stroke-width": "0.4", "fill": "none"})
        self.defs.append(element("pattern", tile, lines))
        return f"url(#{key})"

    def size(self) -> tuple[float, float]:
        """Return the picture's width and height in CSS pixels."""
        low, high = self.low or (0.0, 0.0), self.high or (1.0, 1.0)
        return (high[0] - low[0] + 2 * MARGIN) * SCALE, (high[1] - low[1] + 2 * MARGIN) * SCALE

    def svg(self) -> Markup:
        """Return the whole picture."""
        self.close_clips(0)
        low, high = self.low or (0.0, 0.0), self.high or (1.0, 1.0)
        width, height = (side / SCALE for side in self.size())
        attributes: dict[str, Value] = {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": " ".join(number(v) for v in (low[0] - MARGIN, -high[1] - MARGIN, width, height)),
            "width": float(width * SCALE),
            "height": float(height * SCALE),
            "font-family": SERIF,
            "font-size": "10",
            "stroke-miterlimit": "10",
            "role": "img",
            "aria-label": "Drawing",
        }
        defs = [element("defs", {}, *self.defs)] if self.defs else []
        return element("svg", attributes, *defs, join(self.groups[0]))


def outline(segments: Sequence[Segment]) -> str:
    """Write a path's data, y downwards."""
    return "".join(
        segment.kind + " ".join(f"{number(x)},{number(-y)}" for x, y in segment.points) for segment in segments
    )


def _paint(style: Style) -> dict[str, Value]:
    attributes: dict[str, Value] = {"fill": style.fill or "none"}
    if style.fill and style.fill_opacity * style.opacity < 1:
        attributes["fill-opacity"] = style.fill_opacity * style.opacity
    if style.fill and style.even_odd:
        attributes["fill-rule"] = "evenodd"
    if style.draw:
        attributes |= {"stroke": style.draw, "stroke-width": style.width}
        if style.dash:
            attributes["stroke-dasharray"] = " ".join(number(max(value, style.width)) for value in style.dash)
        if style.cap != "butt":
            attributes["stroke-linecap"] = style.cap
        if style.join != "miter":
            attributes["stroke-linejoin"] = style.join
        if style.draw_opacity * style.opacity < 1:
            attributes["stroke-opacity"] = style.draw_opacity * style.opacity
    return attributes
