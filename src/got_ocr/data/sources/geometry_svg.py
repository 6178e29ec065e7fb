"""The picture of a figure tree: SVG paths only (labels are outlines), then pixels by resvg.

Holds the looks: scale, line weight, label font, ink and paper, the wobble of a hand. Knows no construction; draws what
the tree says and nothing else.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from got_ocr.data.sources import geometry_tree as tree
from got_ocr.data.sources.geometry_strokes import Line, dense, strokes
from got_ocr.data.sources.geometry_text import FONTS, box, glyphs, spoken

# The named colours of xcolor, as sRGB.
_RGB = {
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
    "teal": (0, 128, 128),
    "orange": (255, 128, 0),
    "violet": (128, 0, 128),
    "gray": (128, 128, 128),
}
_PT = 2.54 / 72.27  # centimetres


@dataclass(frozen=True, slots=True)
class Look:
    """How a figure is inked. scale: pixels of a centimetre. weight: multiplies line widths. wobble: centimetres of a
    hand's tremor, 0 for ruler and compass. seed: of that tremor. margin: centimetres of paper around the ink.
    """

    scale: float = 80.0
    weight: float = 1.0
    font: str = "cm"
    text: float = 1.0
    ink: tuple[int, int, int] = (0, 0, 0)
    paper: tuple[int, int, int] = (255, 255, 255)
    wobble: float = 0.0
    seed: int = 0
    margin: float = 0.3
    tip: str = "open"


def new_look(rng: np.random.Generator, hand: float) -> Look:
    """Choose a look by luck; hand: chance of a free-hand drawing."""
    drawn = bool(rng.random() < hand)
    look = Look(
        scale=round(float(rng.uniform(45, 110)), 1),
        weight=round(float(rng.uniform(0.9, 2.2)), 2),
        font=str(rng.choice(FONTS, p=(0.45, 0.25, 0.12, 0.09, 0.09))),
        text=round(float(rng.uniform(0.9, 1.15)), 2),
        margin=round(float(rng.uniform(0.1, 0.9)), 2),
        tip=str(rng.choice(("open", "solid"))),
    )
    if rng.random() < 0.15:
        paper, ink = rng.integers(225, 256, 3), rng.integers(0, 70, 3)
        look = replace(look, paper=(int(paper[0]), int(paper[1]), int(paper[2])))
        look = replace(look, ink=(int(ink[0]), int(ink[1]), int(ink[2])))
    if drawn:
        look = replace(
            look,
            wobble=round(float(rng.uniform(0.012, 0.035)), 3),
            seed=int(rng.integers(2**31)),
            weight=round(look.weight * 1.4, 2),
        )
    return look


def svg(figure: tree.Figure, look: Look) -> str:
    """Write a figure as SVG; every stroke and glyph lies inside the canvas."""
    hand = np.random.default_rng(look.seed)
    left, bottom, right, top = extent(figure, look)
    width, height = math.ceil((right - left) * look.scale), math.ceil((top - bottom) * look.scale)
    body = "".join(_ink(item, look, hand) for item in figure.items)
    matrix = f"matrix({look.scale} 0 0 {-look.scale} {-left * look.scale:.3f} {top * look.scale:.3f})"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" fill="{_hex(look.paper)}"/>'
        f'<g transform="{matrix}" fill="none" stroke-linejoin="miter" stroke-linecap="butt">{body}</g></svg>'
    )


def extent(figure: tree.Figure, look: Look) -> tuple[float, float, float, float]:
    """Measure the paper: ink of strokes and labels plus the margin, in centimetres (left, bottom, right, top)."""
    boxes = []
    for item in figure.items:
        for line in strokes(item):
            boxes.append((*line.min(axis=0), *line.max(axis=0)))
        for at, anchor, text in _texts(item):
            shape = glyphs(text, look.font)
            boxes.append(box(at.x, at.y, anchor, (shape.width * look.text, shape.height * look.text)))
        if isinstance(item, tree.Dot):
            boxes.append((item.at.x - 0.06, item.at.y - 0.06, item.at.x + 0.06, item.at.y + 0.06))
    array = np.array(boxes)
    low, high = array[:, :2].min(axis=0), array[:, 2:].max(axis=0)
    edge = look.margin + 0.05 + 3 * look.wobble
    return float(low[0] - edge), float(low[1] - edge), float(high[0] + edge), float(high[1] + edge)


def label_boxes(figure: tree.Figure, look: Look) -> list[list[int | str]]:
    """List every text of a figure with the box of its ink in the picture's pixels: [left, top, right, bottom, text]."""
    left, _, _, top = extent(figure, look)
    out: list[list[int | str]] = []
    for item in figure.items:
        for at, anchor, text in _texts(item):
            shape = glyphs(text, look.font)
            x0, y0, x1, y1 = box(at.x, at.y, anchor, (shape.width * look.text, shape.height * look.text))
            edges = ((x0 - left, math.floor), (top - y1, math.floor), (x1 - left, math.ceil), (top - y0, math.ceil))
            out.append([*(trim(value * look.scale) for value, trim in edges), spoken(text)])
    return out


def _texts(item: tree.Item) -> list[tuple[tree.At, str, str]]:
    if isinstance(item, tree.Label):
        return [(item.at, item.anchor, item.text)]
    if isinstance(item, tree.Ticks):
        x = item.axis == "x"
        return [(tree.At(v, -0.1) if x else tree.At(-0.1, v), "below" if x else "left", f"${v}$") for v in item.at]
    return []


def _ink(item: tree.Item, look: Look, hand: np.random.Generator) -> str:
    out = []
    if isinstance(item, tree.Dot):
        radius = 1.5 * _PT * max(1.0, look.weight * 0.8)
        out.append(f'<circle cx="{item.at.x}" cy="{item.at.y}" r="{radius:.4f}" fill="{_hex(look.ink)}"/>')
    style = tree.Style(color="gray") if isinstance(item, tree.Grid) else getattr(item, "style", tree.PLAIN)
    width = (0.2 if isinstance(item, tree.Grid) else 0.8 if style.thick else 0.4) * _PT * look.weight
    for line in strokes(item):
        traced = _tremble(line, look, hand, _closed(item)) if look.wobble else line
        out.append(_stroke(traced, style, width, look, _closed(item)))
        out.append(_tips(traced, style, width, look))
    out.extend(_label(at, anchor, text, look) for at, anchor, text in _texts(item))
    return "".join(out)


def _closed(item: tree.Item) -> bool:
    return isinstance(item, tree.Circle | tree.Ellipse | tree.Rectangle) or (
        isinstance(item, tree.Path) and item.closed
    )


def _stroke(line: Line, style: tree.Style, width: float, look: Look, closed: bool) -> str:
    data = "M" + "L".join(f"{x:.4f},{y:.4f}" for x, y in line) + ("Z" if closed else "")
    dash = {"": "", "dashed": f"{3 * _PT:.4f},{3 * _PT:.4f}", "dotted": f"{max(width, 0.4 * _PT):.4f},{2 * _PT:.4f}"}[
        style.dash
    ]
    dash = f' stroke-dasharray="{dash}"' if dash else ""
    fill = f' fill="{_hex(_tint(style.fill))}"' if style.fill else ""
    return f'<path d="{data}" stroke="{_color(style, look)}" stroke-width="{width:.4f}"{dash}{fill}/>'


def _tips(line: Line, style: tree.Style, width: float, look: Look) -> str:
    ends = {"": [], "->": [(line[-1], line[-2])], "<->": [(line[-1], line[-2]), (line[0], line[1])]}[style.arrow]
    out = []
    for tip, before in ends:
        along = (tip - before) / np.hypot(*(tip - before))
        across = np.array((-along[1], along[0]))
        size = 0.1 + 2.2 * width
        back, wing = tip - along * size, across * size * 0.45
        points = "L".join(f"{x:.4f},{y:.4f}" for x, y in (back + wing, tip, back - wing))
        color = _color(style, look)
        fill = f'fill="{color}"' if look.tip == "solid" else f'stroke="{color}" stroke-width="{width:.4f}"'
        out.append(f'<path d="M{points}" {fill}/>')
    return "".join(out)


def _label(at: tree.At, anchor: str, text: str, look: Look) -> str:
    shape = glyphs(text, look.font)
    left, bottom, _, _ = box(at.x, at.y, anchor, (shape.width * look.text, shape.height * look.text))
    k = look.text
    matrix = f"matrix({k} 0 0 {k} {left - shape.left * k:.4f} {bottom - shape.bottom * k:.4f})"
    return f'<path d="{shape.path}" transform="{matrix}" fill="{_hex(look.ink)}"/>'


def _tremble(line: Line, look: Look, hand: np.random.Generator, closed: bool) -> Line:
    """Shake a polyline as a hand does: smooth noise, a few waves per centimetre."""
    points = _even(dense([line], 0.06), 0.06)
    noise = hand.standard_normal((len(points) + 40, 2))
    kernel = np.hanning(43)[1:-1]
    kernel /= np.sqrt((kernel**2).sum())
    smooth = np.stack([np.convolve(noise[:, k], kernel, mode="valid") for k in range(2)], axis=1)
    if closed:  # end where it began
        smooth -= np.linspace(0, 1, len(points))[:, None] * (smooth[-1] - smooth[0])
    shaken: Line = points + look.wobble * np.clip(smooth, -2.5, 2.5)
    return shaken


def _even(line: Line, step: float) -> Line:
    """Resample a polyline at equal distances, so that the tremor does not depend on how it was sampled."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    stops = np.linspace(0, way[-1], max(3, math.ceil(way[-1] / step)))
    return np.stack([np.interp(stops, way, line[:, k]) for k in range(2)], axis=1)


def _color(style: tree.Style, look: Look) -> str:
    return _hex(_RGB[style.color] if style.color else look.ink)


def _tint(color: str) -> tuple[int, int, int]:
    r, g, b = (round(0.2 * v + 0.8 * 255) for v in _RGB[color])
    return r, g, b


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
