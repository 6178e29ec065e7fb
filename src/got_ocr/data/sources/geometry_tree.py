r"""The figure tree of the geometry source and its one TikZ spelling.

Lengths are centimetres, angles degrees, coordinates have two decimals: what the tree holds is exactly what the text
says, so the drawing and the label cannot differ. Named points are written once as `\coordinate` and then by name. Knows
no luck, no pixels and no fonts.
"""

from dataclasses import dataclass
from typing import Literal

Anchor = Literal[
    "above", "below", "left", "right", "above left", "above right", "below left", "below right", ""
]  # "" is centred on the point
COLORS: tuple[str, ...] = ("red", "blue", "teal", "orange", "violet", "gray")


@dataclass(frozen=True, slots=True)
class At:
    """A place: coordinates, and a name where a `Point` of that name stands in the figure."""

    x: float
    y: float
    name: str = ""

    def __str__(self) -> str:
        return f"({self.name})" if self.name else f"({number(self.x)},{number(self.y)})"


@dataclass(frozen=True, slots=True)
class Style:
    """How a line looks. color: one of COLORS or "" (black). fill: one of COLORS, drawn as a tint of 20 %, or ""."""

    color: str = ""
    thick: bool = False
    dash: Literal["", "dashed", "dotted"] = ""
    arrow: Literal["", "->", "<->"] = ""
    fill: str = ""

    def __str__(self) -> str:
        words = [
            self.arrow,
            self.color,
            "thick" if self.thick else "",
            self.dash,
            f"fill={self.fill}!20" if self.fill else "",
        ]
        told = ",".join(word for word in words if word)
        return f"[{told}]" if told else ""


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Point:
    """A named point; invisible by itself, its name is printed by a `Label`."""

    at: At

    def __str__(self) -> str:
        return rf"\coordinate ({self.at.name}) at ({number(self.at.x)},{number(self.at.y)});"


@dataclass(frozen=True, slots=True)
class Path:
    """A broken line, open or closed."""

    points: tuple[At, ...]
    closed: bool = False
    style: Style = PLAIN

    def __str__(self) -> str:
        tail = "--cycle" if self.closed else ""
        return rf"\draw{self.style} {'--'.join(map(str, self.points))}{tail};"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle with sides along the axes, given by two opposite corners."""

    low: At
    high: At
    style: Style = PLAIN

    def __str__(self) -> str:
        return rf"\draw{self.style} {self.low} rectangle {self.high};"


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle."""

    center: At
    radius: float
    style: Style = PLAIN

    def __str__(self) -> str:
        return rf"\draw{self.style} {self.center} circle ({number(self.radius)});"


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse with axes along the coordinate axes."""

    center: At
    rx: float
    ry: float
    style: Style = PLAIN

    def __str__(self) -> str:
        return rf"\draw{self.style} {self.center} ellipse ({number(self.rx)} and {number(self.ry)});"


@dataclass(frozen=True, slots=True)
class Arc:
    """A piece of an ellipse from `start` at angle `first` to angle `last`; of a circle when the radii agree."""

    start: At
    first: float
    last: float
    rx: float
    ry: float
    style: Style = PLAIN

    def __str__(self) -> str:
        radius = number(self.rx) if self.rx == self.ry else f"{number(self.rx)} and {number(self.ry)}"
        return rf"\draw{self.style} {self.start} arc ({number(self.first)}:{number(self.last)}:{radius});"


@dataclass(frozen=True, slots=True)
class Bezier:
    """One cubic curve."""

    start: At
    first: At
    second: At
    end: At
    style: Style = PLAIN

    def __str__(self) -> str:
        return rf"\draw{self.style} {self.start} .. controls {self.first} and {self.second} .. {self.end};"


@dataclass(frozen=True, slots=True)
class Dot:
    """A small disc of 1.5 pt radius."""

    at: At

    def __str__(self) -> str:
        return rf"\fill {self.at} circle (1.5pt);"


@dataclass(frozen=True, slots=True)
class Grid:
    """A square grid of thin gray lines, one centimetre apart."""

    low: At
    high: At

    def __str__(self) -> str:
        return rf"\draw[gray,very thin] {self.low} grid {self.high};"


@dataclass(frozen=True, slots=True)
class Ticks:
    """Numbered ticks on an axis through the origin, at whole numbers."""

    axis: Literal["x", "y"]
    at: tuple[int, ...]

    def __str__(self) -> str:
        values = ",".join(map(str, self.at))
        if self.axis == "x":
            return rf"\foreach \x in {{{values}}} \draw (\x,0.1)--(\x,-0.1) node[below] {{$\x$}};"
        return rf"\foreach \y in {{{values}}} \draw (0.1,\y)--(-0.1,\y) node[left] {{$\y$}};"


@dataclass(frozen=True, slots=True)
class Plot:
    r"""The graph of `text`, an expression in \x as PGF reads it, over [low, high]; `points` are its samples for the
    drawing.
    """

    text: str
    low: float
    high: float
    points: tuple[tuple[float, float], ...]
    style: Style = PLAIN

    def __str__(self) -> str:
        words = str(self.style)[1:-1]
        domain = f"domain={number(self.low)}:{number(self.high)},samples=100"
        return rf"\draw[{words + ',' if words else ''}{domain}] plot (\x,{{{self.text}}});"


@dataclass(frozen=True, slots=True)
class Label:
    """Text beside (or on) a place. text: TeX as it stands between the braces of a node."""

    at: At
    anchor: Anchor
    text: str

    def __str__(self) -> str:
        return rf"\node{f'[{self.anchor}]' if self.anchor else ''} at {self.at} {{{self.text}}};"


Stroke = Path | Rectangle | Circle | Ellipse | Arc | Bezier | Plot  # what has a style
Item = Stroke | Point | Dot | Grid | Ticks | Label


@dataclass(frozen=True, slots=True)
class Figure:
    """A whole figure: points first, then lines, then dots and labels, in the order in which they are drawn."""

    items: tuple[Item, ...]

    def __str__(self) -> str:
        return "\n".join((r"\begin{tikzpicture}", *map(str, self.items), r"\end{tikzpicture}"))


def number(value: float) -> str:
    """Write a number with at most two decimals and no idle zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
