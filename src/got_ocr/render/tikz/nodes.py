"""Nodes: text set, shape sized, anchored and drawn; labels around them; angles marked. Knows the picture's names and canvas."""

from dataclasses import dataclass, replace

from got_ocr.errors import RenderFailed
from got_ocr.render.tikz.box import Box, Font
from got_ocr.render.tikz.canvas import Canvas
from got_ocr.render.tikz.coords import Names
from got_ocr.render.tikz.geometry import IDENTITY, Matrix, Point, Segment, add, angle, arc, polar, rotation, subtract
from got_ocr.render.tikz.label import set_label
from got_ocr.render.tikz.shapes import Shape
from got_ocr.render.tikz.strokes import brace, draw_arrows, round_corners
from got_ocr.render.tikz.style import Style, apply, split_options

LABEL_INNER = (3.333, 3.333)  # a label's distance from its node, whatever that node's own padding is
_OPPOSITE = {
    "above": "south",
    "below": "north",
    "left": "east",
    "right": "west",
    "above left": "south east",
    "above right": "south west",
    "below left": "north east",
    "below right": "north west",
    "center": "center",
}


@dataclass(slots=True)
class Nodes:
    """Place nodes into one picture."""

    names: Names
    canvas: Canvas

    def style(self, around: Style, options: str) -> Style:
        """Return the style of a node that stands in `around`: colours and font stay, place and paint do not."""
        base = replace(
            around,
            matrix=IDENTITY,
            draw=None,
            fill=None,
            dash=(),
            arrows=("", ""),
            rounded=0.0,
            turn=0.0,
            double=False,
            shape="rectangle",
            anchor="center",
            offset=(0.0, 0.0),
            position=None,
            sloped=False,
            side="",
            extra={},
        )
        base = apply(base, self.names.look.styles.get("every node", ""), self.names.look)
        return apply(base, options, self.names.look)

    def place(self, style: Style, at: Point, text: str, name: str = "") -> Shape:
        """Draw a node at a point and remember it under its name."""
        self.canvas.budget.take(10 + len(text) // 20)
        scale = style.matrix.scale()
        box = set_label(
            text, Font(style.font_size, style.italic, style.bold), align=style.align, width=style.text_width
        )
        half = _half(style, box, empty=not text.strip())
        kind = style.shape if style.shape in ("circle", "ellipse", "diamond") else "rectangle"
        shape = Shape(kind, (0.0, 0.0), (half[0] * scale, half[1] * scale), style.turn)
        at, anchor = self._target(style, at)
        corner = replace(shape, half=_grown(shape.half, style.outer)).anchor(anchor)
        center = subtract(add(add(at, style.offset), (style.matrix.e, style.matrix.f)), corner)
        shape = replace(shape, center=center)
        self.canvas.path(_rounded(shape, style), style)
        self._write(style, box, shape, scale)
        if name:
            self.names.shapes[name] = replace(shape, half=_grown(shape.half, style.outer))
        self._labels(style, shape)
        return shape

    def _target(self, style: Style, at: Point) -> tuple[Point, str]:
        """Resolve `right=of A`: the anchor there faces the anchor here."""
        other = style.extra.get("of", "")
        if not other:
            return at, style.anchor
        place = self.names.place(other, style)
        if place.shape is None:
            return place.point, style.anchor
        return place.shape.anchor(style.side or "center"), style.anchor

    def _write(self, style: Style, box: Box, shape: Shape, scale: float) -> None:
        turned = rotation(style.turn) if style.turn else IDENTITY
        sized = Matrix(turned.a * scale, turned.b * scale, turned.c * scale, turned.d * scale)
        start = sized.turn((-box.width / 2, -(box.height - box.depth) / 2))
        origin = add(shape.center, start)
        placed = Matrix(sized.a, sized.b, sized.c, sized.d, *origin)
        if box.runs or box.marks:
            ends = [(0.0, -box.depth), (box.width, -box.depth), (0.0, box.height), (box.width, box.height)]
            self.canvas.cover([placed.apply(end) for end in ends], 1.0)
            self.canvas.text(box, placed, style.text or style.color, style.opacity)

    def stroke(self, segments: list[Segment], style: Style) -> None:
        """Draw a path with its corners and arrow tips."""
        if "brace" in style.extra.get("decoration", "") and "decorate" in style.extra:
            segments = brace(segments, self._amplitude(style), mirrored="mirror" in style.extra["decoration"])
        elif style.rounded:
            segments = round_corners(segments, style.rounded)
        if style.arrows != ("", ""):
            segments = draw_arrows(self.canvas, segments, style)
        self.canvas.path(segments, style)

    def _amplitude(self, style: Style) -> float:
        options = dict(split_options(style.extra["decoration"]))
        return min(100.0, max(1.0, self.names.look.length(options.get("amplitude", "5pt"))))

    def label_point(self, style: Style, shape: Shape) -> None:
        """Write the labels of a coordinate, which has no outline."""
        self._labels(style, shape)

    def _labels(self, style: Style, shape: Shape) -> None:
        """Write `label=above:text` and its like around a node."""
        for key in ("label", "pin"):
            value = style.extra.get(key, "")
            if value:
                self._label(style, shape, value, 0.0 if key == "label" else 10.0)

    def _label(self, style: Style, shape: Shape, value: str, away: float) -> None:
        options = ""
        if value.startswith("["):
            options, _, value = value[1:].partition("]")
        side, colon, text = value.partition(":")
        side = side.strip()
        if not colon or ("$" in side or "{" in side):
            side, text = "above", value
        fresh = replace(
            style, color=style.text or style.color, text=None, inner=LABEL_INNER, minimum=(0.0, 0.0), text_width=0.0
        )
        plain = self.style(fresh, options)
        if side in _OPPOSITE:
            at, anchor = shape.anchor(side), _OPPOSITE[side]
        else:
            degrees = self.names.look.number(side)
            at, anchor = shape.anchor(str(degrees)), facing(degrees)
            at = add(at, polar(degrees, away))
        self.place(replace(plain, anchor=anchor), at, text.strip().removeprefix("{").removesuffix("}"))

    def mark_angle(self, style: Style, spec: str, options: str) -> None:
        """Draw `pic {angle = A--B--C}` or its right angle. Raises RenderFailed for other pictures."""
        word, _, points = spec.partition("=")
        ends = [self.names.place(part.strip("() "), style).point for part in points.split("--")]
        word = word.strip()
        if word not in ("angle", "right angle") or len(ends) != 3:
            raise RenderFailed("the drawing uses a small picture that is not known")
        look = apply(replace(style, extra={}), options, self.names.look)
        radius = self.names.look.length(look.extra.get("angle radius", "5mm"))
        first, last = angle(ends[1], ends[0]), angle(ends[1], ends[2])
        while last < first:
            last += 360
        if word == "right angle":
            a, c = polar(first, radius * 0.7), polar(last, radius * 0.7)
            points_at = [add(ends[1], a), add(ends[1], add(a, c)), add(ends[1], c)]
            segments = [Segment("M", (points_at[0],)), *(Segment("L", (point,)) for point in points_at[1:])]
        else:
            curve = [add(ends[1], point) for point in arc(first, last, radius, radius)]
            segments = [Segment("M", (curve[0],))]
            segments += [Segment("C", tuple(curve[at : at + 3])) for at in range(1, len(curve), 3)]
        if look.fill:
            wedge = [Segment("M", (ends[1],)), Segment("L", segments[0].points), *segments[1:], Segment("Z")]
            self.canvas.path(wedge, replace(look, draw=None))
        self.canvas.path(segments, replace(look, fill=None, arrows=("", "")))
        text = next((key.strip('"') for key in look.extra if key.startswith('"')), "") or look.extra.get("pic text", "")
        if text:
            share = self.names.look.number(look.extra.get("angle eccentricity", "0.6"))
            middle = add(ends[1], polar((first + last) / 2, radius * share))
            self.place(replace(self.style(look, ""), inner=(0.0, 0.0)), middle, text)


def facing(degrees: float) -> str:
    """Return the anchor that faces back from a direction."""
    names = ("west", "south west", "south", "south east", "east", "north east", "north", "north west")
    return names[round(degrees / 45) % 8]


def _half(style: Style, box: Box, *, empty: bool) -> Point:
    """Return half of a node's width and height before scaling."""
    width = box.width + 2 * style.inner[0]
    height = box.height + box.depth + 2 * style.inner[1]
    if style.shape == "point":
        return 0.0, 0.0
    if style.shape == "circle":
        radius = max(((width**2 + height**2) ** 0.5) / 2, style.minimum[0] / 2, style.minimum[1] / 2)
        if empty:
            radius = max((style.inner[0] ** 2 + style.inner[1] ** 2) ** 0.5, style.minimum[0] / 2, style.minimum[1] / 2)
        return radius, radius
    if style.shape == "ellipse":
        return max(width * 0.7071, style.minimum[0] / 2), max(height * 0.7071, style.minimum[1] / 2)
    if style.shape == "diamond":
        return max((width + height) / 2, style.minimum[0] / 2), max((width + height) / 2, style.minimum[1] / 2)
    return max(width, style.minimum[0]) / 2, max(height, style.minimum[1]) / 2


def _grown(half: Point, by: float) -> Point:
    return half[0] + by, half[1] + by


def _rounded(shape: Shape, style: Style) -> list[Segment]:
    outline = shape.outline()
    return round_corners(outline, style.rounded) if style.rounded and shape.kind == "rectangle" else outline
