"""Write a formula tree as typst mathematics, for drawing.

Every character stands as itself with its function in the tree spelt out (delimiters never grow by accident, commas
never split arguments). Knows no fonts, page or pixels.
"""

from functools import singledispatch

from got_ocr.data.latex import symbols, tree
from got_ocr.errors import InvalidValue

_PLAIN = {"/": "\\/", ",": "\\,", ";": "\\;", ":": "\\:", "|": '#math.class("relation", "|")'}
_SLASHED = {"pmatrix": '"("', "bmatrix": '"["', "Bmatrix": '"{"', "vmatrix": '"|"', "Vmatrix": '"‖"', "matrix": "#none"}
_ARROWS = {
    "xrightarrow": "→",
    "xleftarrow": "←",
    "xleftrightarrow": "↔",
    "xRightarrow": "⇒",
    "xrightleftharpoons": "⇌",
    "xmapsto": "↦",
    "xhookrightarrow": "↪",
}


def typst(node: tree.Node) -> str:
    """Write a tree as the inside of a typst equation `$ ... $`."""
    return _write(node)


@singledispatch
def _write(node: tree.Node) -> str:
    raise InvalidValue(f"no typst markup is known for a {type(node).__name__} node")


@_write.register
def _(node: tree.Row) -> str:
    return " ".join(_write(item) for item in node.items)


@_write.register
def _(node: tree.Letter) -> str:
    return node.char


@_write.register
def _(node: tree.Digits) -> str:
    return node.text


@_write.register
def _(node: tree.Plain) -> str:
    return _PLAIN.get(node.char, node.char)


@_write.register
def _(node: tree.Symbol) -> str:
    return symbols.SYMBOLS[node.command]


@_write.register
def _(node: tree.Function) -> str:
    limits = ", limits: #true" if node.name in symbols.LIMITS or node.name.startswith("arg") else ""
    name = {"limsup": "lim sup", "liminf": "lim inf"}.get(node.name, node.name)
    return f'op("{name}"{limits})'


@_write.register
def _(node: tree.Words) -> str:
    return f'#h(0.33em)upright("{node.text}")#h(0.33em)'


@_write.register
def _(_node: tree.Gap) -> str:
    return "quad"


@_write.register
def _(node: tree.Frac) -> str:
    return f"{'binom' if node.binom else 'frac'}({_write(node.top)}, {_write(node.bottom)})"


@_write.register
def _(node: tree.Root) -> str:
    if node.index is None:
        return f"sqrt({_write(node.body)})"
    return f"root({_write(node.index)}, {_write(node.body)})"


@_write.register
def _(node: tree.Script) -> str:
    sub = "" if node.sub is None else f", b: {_write(node.sub)}"
    sup = "" if node.sup is None else f", t: {_write(node.sup)}"
    return f"attach({_write(node.base)}{sub}{sup})"


@_write.register
def _(node: tree.Fence) -> str:
    left, right = (symbols.FENCES.get(side, "") for side in (node.left, node.right))
    body = _write(node.body)
    if not (left and right) or tree.is_tall(node.body):
        return f"lr({_escaped(left)} {body} {_escaped(right)})"
    return f'#math.class("opening", "{left}") {body} #math.class("closing", "{right}")'


def _escaped(char: str) -> str:
    return f"\\{char}" if char in ("(", ")", "[", "]", "{", "}", "|") else char


@_write.register
def _(node: tree.Accent) -> str:
    name = symbols.ACCENTS.get(node.command) or symbols.WIDE_ACCENTS[node.command]
    body = _write(node.body)
    if name in ("hat", "tilde", "macron", "dot", "dot.double", "breve", "caron", "acute", "grave", "circle", "arrow"):
        return f"accent({body}, {name})"
    return f"accent({body}, arrow.l)" if name == "arrow.l" else f"{name}({body})"


@_write.register
def _(node: tree.Styled) -> str:
    return symbols.ALPHABETS[node.command].format(" ".join(node.text))


@_write.register
def _(node: tree.Bold) -> str:
    return f"bold({_write(node.body)})"


def _table(rows: tuple[tuple[tree.Node, ...], ...], cell: str, line: str) -> str:
    return line.join(cell.join(_write(part) for part in row) for row in rows)


@_write.register
def _(node: tree.Grid) -> str:
    if node.env == "array":
        return f"mat(delim: #none, augment: #{node.rule}, {_table(node.rows, ', ', '; ')})"
    return f"mat(delim: {_SLASHED[node.env]}, {_table(node.rows, ', ', '; ')})"


@_write.register
def _(node: tree.Cases) -> str:
    return f"cases({_table(node.rows, ' quad & ', ', ')})"


@_write.register
def _(node: tree.Aligned) -> str:
    return _table(node.rows, " & ", " \\ ")


@_write.register
def _(node: tree.Stacked) -> str:
    side = "t" if node.command == "overset" else "b"
    return f"attach(limits({_write(node.base)}), {side}: {_write(node.mark)})"


@_write.register
def _(node: tree.Braced) -> str:
    return f"{node.command}({_write(node.body)}, {_write(node.note)})"


@_write.register
def _(node: tree.LabelledArrow) -> str:
    under = "" if node.under is None else f", b: {_write(node.under)}"
    return f"attach(limits(stretch({_ARROWS[node.command]})), t: {_write(node.over)}{under})"


@_write.register
def _(node: tree.Struck) -> str:
    if node.command == "cancel":
        return f"cancel({_write(node.body)})"
    return f"#box(stroke: 0.5pt, inset: 4pt, math.equation(block: true, numbering: none, $ {_write(node.body)} $))"


@_write.register
def _(node: tree.Modulus) -> str:
    return f'quad \\( op("mod") {_write(node.body)} \\)'
