"""The interpreter of a TikZ picture: runs statements one after the other and keeps what they define.

A statement that cannot be drawn is left out and counted, the rest of the picture stands. Bounded by one budget.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from got_ocr.errors import RenderFailed
from got_ocr.render.limits import MAX_DEPTH, Budget
from got_ocr.render.tikz.canvas import Canvas
from got_ocr.render.tikz.colors import defined_color
from got_ocr.render.tikz.coords import Names
from got_ocr.render.tikz.nodes import Nodes
from got_ocr.render.tikz.path import PathReader
from got_ocr.render.tikz.statements import Statement, expand, loop_values, statements
from got_ocr.render.tikz.style import Look, Style, apply

MAX_STEPS = 30_000
_FILLS = frozenset(("fill", "filldraw", "shade", "shadedraw", "pattern"))
_DRAWS = frozenset(("draw", "filldraw", "shadedraw"))
_SHADES = ("ball color", "inner color", "left color", "top color", "bottom color", "right color")


@dataclass(slots=True)
class Picture:
    """One picture under way. drawn, failed: statements so far."""

    prefix: str
    budget: Budget
    look: Look = field(default_factory=Look)
    macros: dict[str, str] = field(default_factory=dict)
    drawn: int = 0
    failed: int = 0
    names: Names = field(init=False)
    canvas: Canvas = field(init=False)
    nodes: Nodes = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names(self.look)
        self.canvas = Canvas(self.budget, self.prefix)
        self.nodes = Nodes(self.names, self.canvas)

    def run(self, text: str, style: Style, depth: int = 0) -> None:
        """Run every statement of a source."""
        if depth > MAX_DEPTH:
            raise RenderFailed("the drawing nests too deep")
        for statement in statements(text):
            self.budget.take()
            _KINDS[statement.kind](self, statement, style, depth)

    def scope(self, statement: Statement, style: Style, depth: int) -> None:
        clips = len(self.canvas.clips)
        macros = dict(self.macros)
        options = expand(statement.options, self.macros, self.budget)
        inner = apply(style, options, self.look)
        every = self.look.styles.get("every picture", "") if statement.name == "tikzpicture" else ""
        self.run(statement.text, apply(inner, every, self.look) if every else inner, depth + 1)
        self.canvas.close_clips(clips)
        self.macros = macros

    def loop(self, statement: Statement, style: Style, depth: int) -> None:
        macros = dict(self.macros)
        items = expand(statement.options, self.macros, self.budget)
        try:
            for values in loop_values(statement.name, items):
                self.budget.take(1 + len(statement.text) // 100)
                self.macros = {**macros, **values, **_evaluated(statement.name, values, self.look)}
                self.run(statement.text, style, depth + 1)
        except RenderFailed:
            self._fail()
        self.macros = macros

    def _fail(self) -> None:
        """Count a statement that is left out; a spent budget ends the picture."""
        if self.budget.spent > self.budget.left:
            raise RenderFailed(f"the drawing is too large to be drawn (more than {self.budget.left} steps)")
        self.failed += 1

    def setting(self, statement: Statement, style: Style, depth: int) -> None:
        parts = statement.text.split("\0")
        try:
            _SETTINGS.get(statement.name, _no_setting)(self, parts)
        except RenderFailed:
            self._fail()

    def path(self, statement: Statement, style: Style, depth: int) -> None:
        if statement.name in ("useasboundingbox", "calendar", "graph", "matrix"):
            self.failed += statement.name != "useasboundingbox"
            return
        try:
            self._path(statement, style)
            self.drawn += 1
        except RenderFailed:
            self._fail()

    def _path(self, statement: Statement, style: Style) -> None:
        text = expand(statement.text, self.macros, self.budget)
        own = replace(
            style,
            draw=style.color if statement.name in _DRAWS else style.draw if "draw" in style.extra else None,
            fill=style.color if statement.name in _FILLS else style.fill if "fill" in style.extra else None,
        )
        every = self.look.styles.get("every path", "")
        own = apply(own, every, self.look) if every else own
        if statement.name in ("node", "coordinate", "pic"):
            own = replace(own, draw=None, fill=None)
            text = f"{statement.name} {text}"
        reader = PathReader(self.nodes, own, text)
        before = len(self.canvas.groups[-1])
        reader.run()
        if statement.name == "clip":
            self.canvas.open_clip(reader.segments)
            return
        over = self.canvas.groups[-1][before:]
        del self.canvas.groups[-1][before:]
        # Labels of a path stand over its line, whichever was read first.
        self.nodes.stroke(reader.segments, self._shaded(reader.style, statement.name))
        self.canvas.groups[-1].extend(over)

    def _shaded(self, style: Style, command: str) -> Style:
        """Fill a shading with its main colour, and a pattern with its lines."""
        shades = [found for key in _SHADES if (found := self.look.color(style.extra.get(key, "")))]
        if command in ("shade", "shadedraw") and shades:
            style = replace(style, fill=shades[0])
        pattern = style.extra.get("pattern", "")
        if pattern or command == "pattern":
            color = self.look.color(style.extra.get("pattern color", "")) or style.color
            style = replace(style, fill=self.canvas.pattern(pattern, color))
        return style


def _evaluated(names: str, values: dict[str, str], look: Look) -> dict[str, str]:
    """Read `[evaluate=\\x as \\y using {expression}]` of a loop."""
    found: dict[str, str] = {}
    for match in re.finditer(
        r"evaluate\s*=\s*\\?([a-zA-Z]+)(?:\s+as\s+\\([a-zA-Z]+)(?:\s+using\s+([^,\]]+))?)?", names
    ):
        expression = match[3] or f"\\{match[1]}"
        known = {**values, **found}
        for name, value in known.items():
            expression = re.sub(rf"\\{name}(?![a-zA-Z])", lambda _, v=value: f"({v})", expression)
        found[match[2] or match[1]] = f"{look.number(expression.strip('{} ')):.6g}"
    return found


def _no_setting(picture: Picture, parts: list[str]) -> None:
    """Step over a setting that changes no drawing."""


def _tikzset(picture: Picture, parts: list[str]) -> None:
    apply(Style(), parts[0], picture.look)


def _tikzstyle(picture: Picture, parts: list[str]) -> None:
    if len(parts) == 2:
        picture.look.styles[parts[0].strip()] = parts[1][:5_000]


def _macro(picture: Picture, parts: list[str]) -> None:
    name = parts[0].strip().removeprefix("\\")
    if len(parts) == 2 and name.isalpha() and len(parts[1]) <= 5_000:
        picture.macros[name] = parts[1]


def _computed(picture: Picture, parts: list[str]) -> None:
    name = parts[0].strip().removeprefix("\\")
    if len(parts) == 2 and name.isalpha():
        value = picture.look.value(expand(parts[1], picture.macros, picture.budget))
        picture.macros[name] = f"{value.number:.6g}"


def _truncated(picture: Picture, parts: list[str]) -> None:
    _computed(picture, [parts[0], f"int({parts[1]})"] if len(parts) == 2 else parts)


def _definecolor(picture: Picture, parts: list[str]) -> None:
    found = defined_color(parts[1], parts[2]) if len(parts) == 3 else None
    if found:
        picture.look.colors[parts[0].strip()] = found


def _colorlet(picture: Picture, parts: list[str]) -> None:
    found = picture.look.color(parts[1]) if len(parts) == 2 else None
    if found:
        picture.look.colors[parts[0].strip()] = found


_SETTINGS: dict[str, Callable[[Picture, list[str]], None]] = {
    "tikzset": _tikzset,
    "tikzstyle": _tikzstyle,
    "def": _macro,
    "edef": _macro,
    "xdef": _macro,
    "newcommand": _macro,
    "renewcommand": _macro,
    "providecommand": _macro,
    "pgfmathsetmacro": _computed,
    "pgfmathsetlengthmacro": _computed,
    "pgfmathtruncatemacro": _truncated,
    "definecolor": _definecolor,
    "colorlet": _colorlet,
}
_KINDS: dict[str, Callable[[Picture, Statement, Style, int], None]] = {
    "path": Picture.path,
    "scope": Picture.scope,
    "loop": Picture.loop,
    "setting": Picture.setting,
}
