"""What a path or node looks like: options read into a frozen style. Knows options and lengths, no path and no output.

A style is made from the one around it and a list of options; options that are not known change nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import split_top
from got_ocr.render.tikz.arith import CM, Value, evaluate, length, number
from got_ocr.render.tikz.colors import color
from got_ocr.render.tikz.geometry import IDENTITY, Matrix, rotation

WIDTHS = {"ultra thin": 0.1, "very thin": 0.2, "thin": 0.4, "semithick": 0.6, "thick": 0.8, "very thick": 1.2}
WIDTHS["ultra thick"] = 1.6
FONT_SIZES = {"tiny": 5.0, "scriptsize": 7.0, "footnotesize": 8.0, "small": 9.0, "normalsize": 10.0, "large": 12.0}
FONT_SIZES.update({"Large": 14.4, "LARGE": 17.3, "huge": 20.7, "Huge": 24.9})
_DASHES: dict[str, tuple[float, ...]] = {
    "solid": (),
    "dashed": (3, 3),
    "densely dashed": (3, 2),
    "loosely dashed": (3, 6),
    "dotted": (0.4, 2),
    "densely dotted": (0.4, 1),
    "loosely dotted": (0.4, 4),
    "dash dot": (3, 2, 0.4, 2),
    "dashdotted": (3, 2, 0.4, 2),
    "dash dot dot": (3, 2, 0.4, 2, 0.4, 2),
}
_ANCHORS = {
    "above": "south",
    "below": "north",
    "left": "east",
    "right": "west",
    "above left": "south east",
    "above right": "south west",
    "below left": "north east",
    "below right": "north west",
    "centered": "center",
}
_TIPS = frozenset(("latex", "stealth", "Latex", "Stealth", "triangle", "Triangle", "to", "To", "|", ">", "<", "*", "o"))
_POSITIONS = {"midway": 0.5, "near start": 0.25, "near end": 0.75, "very near start": 0.125, "at start": 0.0}
_POSITIONS.update({"very near end": 0.875, "at end": 1.0})
_OPACITIES = {"transparent": 0.0, "semitransparent": 0.5, "nearly transparent": 0.25, "nearly opaque": 0.75}
MAX_STYLES = 12  # styles that name styles


@dataclass(frozen=True, slots=True)
class Style:
    """The graphic state; lengths in points. draw, fill, text: colours, None for not drawn (text: None for `color`)."""

    matrix: Matrix = IDENTITY
    x_unit: tuple[float, float] = (CM, 0.0)
    y_unit: tuple[float, float] = (0.0, CM)
    color: str = "#000000"
    draw: str | None = None
    fill: str | None = None
    text: str | None = None
    width: float = 0.4
    dash: tuple[float, ...] = ()
    cap: str = "butt"
    join: str = "miter"
    opacity: float = 1.0
    fill_opacity: float = 1.0
    draw_opacity: float = 1.0
    rounded: float = 0.0
    even_odd: bool = False
    double: bool = False
    arrows: tuple[str, str] = ("", "")
    tip: str = "to"
    font_size: float = 10.0
    bold: bool = False
    italic: bool = False
    # Nodes
    shape: str = "rectangle"
    anchor: str = "center"
    offset: tuple[float, float] = (0.0, 0.0)
    inner: tuple[float, float] = (3.333, 3.333)
    outer: float = 0.2
    minimum: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    node_scale: float = 1.0
    text_width: float = 0.0
    align: str = "center"
    position: float | None = None
    sloped: bool = False
    side: str = ""
    # Paths
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Look:
    """What options are read with: variables, colours and named styles of the picture."""

    names: dict[str, float] = field(default_factory=dict)
    colors: dict[str, str] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)

    def length(self, text: str, unit: float = 1.0) -> float:
        """Return a length in points; a bare number counts `unit` points."""
        return length(text, self.names, unit)

    def number(self, text: str) -> float:
        return number(text, self.names)

    def value(self, text: str) -> Value:
        return evaluate(text, self.names)

    def color(self, text: str) -> str | None:
        return color(text, self.colors)


def split_options(text: str) -> list[tuple[str, str]]:
    """Cut `a, b=c, d={e,f}` into pairs; a missing value is empty."""
    pairs = []
    for part in split_top(text, ","):
        key, _, value = part.partition("=")
        value = value.strip()
        if value.startswith("{") and value.endswith("}"):
            value = value[1:-1].strip()
        if key.strip():
            pairs.append((" ".join(key.split()).removeprefix("/tikz/"), value))
    return pairs


def apply(style: Style, options: str, look: Look, depth: int = 0) -> Style:
    """Return the style under a list of options. An option that cannot be read changes nothing."""
    for key, value in split_options(options):
        try:
            style = _one(style, key, value, look, depth)
        except RenderFailed:
            continue
    return style


def _one(style: Style, key: str, value: str, look: Look, depth: int) -> Style:
    if key.endswith(("/.style", "/.append style")):
        name = key.rpartition("/")[0]
        before = look.styles.get(name, "") + "," if key.endswith("append style") else ""
        look.styles[name] = (before + value)[:5_000]
        return style
    if key in look.styles and depth < MAX_STYLES:
        return apply(style, look.styles[key].replace("#1", value), look, depth + 1)
    rule = _RULES.get(key)
    if rule is not None:
        return rule(style, value, look)
    return _shorthand(style, key, value, look)


def _shorthand(style: Style, key: str, value: str, look: Look) -> Style:
    """Read options that are names of things: a colour, a width, a dash, an arrow, a place."""
    if key in WIDTHS:
        return replace(style, width=WIDTHS[key])
    if key in _DASHES:
        return replace(style, dash=_DASHES[key], cap="round" if "dotted" in key else style.cap)
    if key in _OPACITIES:
        return replace(style, opacity=_OPACITIES[key])
    if key in _POSITIONS:
        return replace(style, position=_POSITIONS[key])
    if key in _ANCHORS:
        return _beside(style, key, value, look)
    arrows = _arrows(key + (f"={value}" if value else ""), style)
    if arrows is not None:
        return replace(style, arrows=arrows)
    found = look.color(key) if not value else None
    if found is not None:
        return _colored(style, found)
    return replace(style, extra={**style.extra, key: value})


def _colored(style: Style, found: str) -> Style:
    """Set every colour that is in use, as naming a colour does."""
    return replace(
        style,
        color=found,
        draw=found if style.draw else None,
        fill=found if style.fill else None,
        text=found,
    )


def _beside(style: Style, key: str, value: str, look: Look) -> Style:
    """Place a node at a side: `above`, `above=3pt`, `above=of A` (positioning), `above left=1cm and 2cm of A`."""
    distance, _, other = value.partition("of ") if "of " in value else (value, "", "")
    amounts = [look.length(part, CM if other else 1.0) for part in distance.split(" and ") if part.strip()]
    first = amounts[0] if amounts else (CM if other else 0.0)
    second = amounts[-1] if amounts else first
    slant = 0.7071 if key.count(" ") and not other and len(amounts) < 2 else 1.0
    x = (("right" in key) - ("left" in key)) * second * slant
    y = (("above" in key) - ("below" in key)) * first * slant
    extra = {**style.extra, "of": other.strip()} if other else style.extra
    return replace(style, anchor=_ANCHORS[key], offset=(x, y), side=key, extra=extra)


def _arrows(key: str, style: Style) -> tuple[str, str] | None:
    """Read `->`, `<->`, `-latex`, `-{Stealth[length=2mm]}`, `|-|`."""
    if "-" not in key or len(key) > 80:
        return None
    start, _, end = key.partition("-")
    tips = (_tip(start, style.tip, "<"), _tip(end, style.tip, ">"))
    return None if None in tips else (tips[0] or "", tips[1] or "")


def _tip(text: str, usual: str, sign: str) -> str | None:
    name = text.strip().strip("{}").partition("[")[0].strip()
    doubled = name[: len(name) // 2] if len(name) > 1 and name[: len(name) // 2] * 2 == name else name
    if not doubled:
        return ""
    if doubled == sign:
        return usual
    return doubled if doubled in _TIPS else None


Rule = Callable[[Style, str, Look], Style]


def _draw(style: Style, value: str, look: Look) -> Style:
    found = None if value == "none" else (look.color(value) or style.color)
    return replace(style, draw=found)


def _fill(style: Style, value: str, look: Look) -> Style:
    found = None if value == "none" else (look.color(value) or style.color)
    return replace(style, fill=found)


def _rotate_around(style: Style, value: str, look: Look) -> Style:
    degrees, _, place = value.partition(":")
    x, _, y = place.strip("{}() ").partition(",")
    center = (look.length(x, CM), look.length(y, CM)) if y else (0.0, 0.0)
    turned = rotation(look.number(degrees))
    around = Matrix(e=center[0], f=center[1]).then(turned).then(Matrix(e=-center[0], f=-center[1]))
    return replace(style, matrix=style.matrix.then(around))


def _shift(style: Style, value: str, look: Look) -> Style:
    x, _, y = value.strip("{}() ").partition(",")
    if not y and ":" in x:
        degrees, _, radius = x.partition(":")
        return _shifted(style, rotation(look.number(degrees)).apply((look.length(radius, CM), 0.0)))
    return _shifted(style, (look.length(x, CM), look.length(y or "0", CM)))


def _shifted(style: Style, by: tuple[float, float]) -> Style:
    return replace(style, matrix=style.matrix.then(Matrix(e=by[0], f=by[1])))


def _scaled(style: Style, x: float, y: float) -> Style:
    return replace(style, matrix=style.matrix.then(Matrix(a=x, d=y)))


def _unit(style: Style, value: str, look: Look, *, upright: bool) -> Style:
    inner = value.strip("() ")
    if "," in inner:
        x, _, y = inner.partition(",")
        vector = (look.length(x, CM), look.length(y, CM))
    else:
        amount = look.length(value, CM)
        vector = (0.0, amount) if upright else (amount, 0.0)
    return replace(style, y_unit=vector) if upright else replace(style, x_unit=vector)


def _dash_pattern(style: Style, value: str, look: Look) -> Style:
    words = value.replace("on", " ").replace("off", " ").split()
    lengths = tuple(max(0.0, look.length(word)) for word in words[:12])
    return replace(style, dash=lengths if sum(lengths) > 0 else ())


def _font(style: Style, value: str, look: Look) -> Style:
    for word in value.replace("\\", " \\").split():
        name = word.strip("\\{} ")
        if name in FONT_SIZES:
            style = replace(style, font_size=FONT_SIZES[name])
        elif name in ("bfseries", "bf"):
            style = replace(style, bold=True)
        elif name in ("itshape", "it", "em", "slshape"):
            style = replace(style, italic=True)
    return style


def _inner(style: Style, value: str, look: Look) -> Style:
    amount = look.length(value)
    return replace(style, inner=(amount, amount))


def _minimum(style: Style, value: str, look: Look) -> Style:
    amount = look.length(value)
    return replace(style, minimum=(amount, amount))


def _rounded(style: Style, value: str, look: Look) -> Style:
    return replace(style, rounded=min(100.0, max(0.0, look.length(value))) if value else 4.0)


def _shape(name: str) -> Rule:
    return lambda style, value, look: replace(style, shape=name)


_RULES: dict[str, Rule] = {
    "draw": _draw,
    "fill": _fill,
    "color": lambda s, v, look: _colored(s, look.color(v) or s.color),
    "text": lambda s, v, look: replace(s, text=look.color(v) or s.text),
    "line width": lambda s, v, look: replace(s, width=min(50.0, max(0.0, look.length(v)))),
    "line cap": lambda s, v, look: replace(s, cap={"rect": "square"}.get(v, v) if v in ("rect", "round") else "butt"),
    "line join": lambda s, v, look: replace(s, join=v if v in ("round", "bevel") else "miter"),
    "dash pattern": _dash_pattern,
    "opacity": lambda s, v, look: replace(s, opacity=min(1.0, max(0.0, look.number(v)))),
    "fill opacity": lambda s, v, look: replace(s, fill_opacity=min(1.0, max(0.0, look.number(v)))),
    "draw opacity": lambda s, v, look: replace(s, draw_opacity=min(1.0, max(0.0, look.number(v)))),
    "rounded corners": _rounded,
    "sharp corners": lambda s, v, look: replace(s, rounded=0.0),
    "even odd rule": lambda s, v, look: replace(s, even_odd=True),
    "double": lambda s, v, look: replace(s, double=True),
    "scale": lambda s, v, look: _scaled(s, look.number(v), look.number(v)),
    "xscale": lambda s, v, look: _scaled(s, look.number(v), 1.0),
    "yscale": lambda s, v, look: _scaled(s, 1.0, look.number(v)),
    "rotate": lambda s, v, look: replace(
        s, matrix=s.matrix.then(rotation(look.number(v))), turn=s.turn + look.number(v)
    ),
    "rotate around": _rotate_around,
    "shift": _shift,
    "xshift": lambda s, v, look: _shifted(s, (look.length(v), 0.0)),
    "yshift": lambda s, v, look: _shifted(s, (0.0, look.length(v))),
    "x": lambda s, v, look: _unit(s, v, look, upright=False),
    "y": lambda s, v, look: _unit(s, v, look, upright=True),
    "font": _font,
    "node font": _font,
    "shape": lambda s, v, look: replace(s, shape=v),
    "circle": _shape("circle"),
    "rectangle": _shape("rectangle"),
    "ellipse": _shape("ellipse"),
    "diamond": _shape("diamond"),
    "anchor": lambda s, v, look: replace(s, anchor=v),
    "inner sep": _inner,
    "inner xsep": lambda s, v, look: replace(s, inner=(look.length(v), s.inner[1])),
    "inner ysep": lambda s, v, look: replace(s, inner=(s.inner[0], look.length(v))),
    "outer sep": lambda s, v, look: replace(s, outer=look.length(v)),
    "minimum size": _minimum,
    "minimum width": lambda s, v, look: replace(s, minimum=(look.length(v), s.minimum[1])),
    "minimum height": lambda s, v, look: replace(s, minimum=(s.minimum[0], look.length(v))),
    "text width": lambda s, v, look: replace(s, text_width=max(0.0, look.length(v))),
    "align": lambda s, v, look: replace(s, align=v if v in ("left", "right") else "center"),
    "pos": lambda s, v, look: replace(s, position=look.number(v)),
    "sloped": lambda s, v, look: replace(s, sloped=True),
    ">": lambda s, v, look: replace(s, tip=_tip(v, "to", ">") or "to"),
    "arrows": lambda s, v, look: replace(s, arrows=_arrows(v, s) or s.arrows),
}
