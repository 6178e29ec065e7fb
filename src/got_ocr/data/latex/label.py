"""Write a formula tree as normalised LaTeX, the way Mathpix Markdown does.

Normal form: scripts and arguments always in braces, no spaces but those a command word needs before a letter and
those around `&`, `\\\\` and inside `\\text`; delimiters get `\\left` and `\\right` exactly when their body is
tall. Knows no picture.
"""

import re
from functools import singledispatch

from got_ocr.data.latex import tree
from got_ocr.errors import InvalidValue

_COMMAND = re.compile(r"\\[A-Za-z]+$")
_COMMANDS = re.compile(r"\\([A-Za-z]+)")
_KNOWN_SPACE = "\\quad"


def latex(node: tree.Node) -> str:
    """Write a tree as LaTeX without surrounding `\\( \\)` or `\\[ \\]`."""
    return join(_tokens(node))


def display(node: tree.Node) -> str:
    """Write a tree as a displayed formula."""
    return f"\\[ {latex(node)} \\]"


def inline(node: tree.Node) -> str:
    """Write a tree as a formula within a line."""
    return f"\\( {latex(node)} \\)"


def join(tokens: list[str]) -> str:
    """Join tokens, with a space where a command word would swallow the letter after it."""
    out: list[str] = []
    for token in tokens:
        if out and token[:1].isalpha() and _COMMAND.search(out[-1]):
            out.append(" ")
        out.append(token)
    return "".join(out).strip()


def commands(text: str) -> set[str]:
    """Name the command words of a LaTeX text, environments included as `begin{name}`."""
    names = set(_COMMANDS.findall(text)) - {"begin", "end"}
    return names | {f"begin{{{name}}}" for name in re.findall(r"\\begin\{(\w+)\}", text)}


@singledispatch
def _tokens(node: tree.Node) -> list[str]:
    raise InvalidValue(f"no LaTeX is known for a {type(node).__name__} node")


def _group(node: tree.Node) -> list[str]:
    return ["{", *_tokens(node), "}"]


@_tokens.register
def _(node: tree.Row) -> list[str]:
    return [token for item in node.items for token in _tokens(item)]


@_tokens.register
def _(node: tree.Letter) -> list[str]:
    return [node.char]


@_tokens.register
def _(node: tree.Digits) -> list[str]:
    return [node.text]


@_tokens.register
def _(node: tree.Plain) -> list[str]:
    return [node.char]


@_tokens.register
def _(node: tree.Symbol) -> list[str]:
    return [f"\\{node.command}"]


@_tokens.register
def _(node: tree.Function) -> list[str]:
    return [f"\\{node.name}"] if node.known else ["\\operatorname", "{", node.name, "}"]


@_tokens.register
def _(node: tree.Words) -> list[str]:
    return ["\\text{ ", node.text, " }"]


@_tokens.register
def _(node: tree.Gap) -> list[str]:
    return [_KNOWN_SPACE]


@_tokens.register
def _(node: tree.Frac) -> list[str]:
    return ["\\binom" if node.binom else "\\frac", *_group(node.top), *_group(node.bottom)]


@_tokens.register
def _(node: tree.Root) -> list[str]:
    index = [] if node.index is None else ["[", *_tokens(node.index), "]"]
    return ["\\sqrt", *index, *_group(node.body)]


@_tokens.register
def _(node: tree.Script) -> list[str]:
    base = _group(node.base) if isinstance(node.base, tree.Row | tree.Script) else _tokens(node.base)
    sub = [] if node.sub is None else ["_", *_group(node.sub)]
    sup = [] if node.sup is None else ["^", *_group(node.sup)]
    return [*base, *sub, *sup]


@_tokens.register
def _(node: tree.Fence) -> list[str]:
    if tree.is_tall(node.body) or not (node.left and node.right):
        return ["\\left", node.left or ".", *_tokens(node.body), "\\right", node.right or "."]
    return [node.left, *_tokens(node.body), node.right]


@_tokens.register
def _(node: tree.Accent) -> list[str]:
    return [f"\\{node.command}", *_group(node.body)]


@_tokens.register
def _(node: tree.Styled) -> list[str]:
    return [f"\\{node.command}", "{", node.text, "}"]


@_tokens.register
def _(node: tree.Bold) -> list[str]:
    return ["\\boldsymbol", *_group(node.body)]


def _lines(rows: tuple[tuple[tree.Node, ...], ...]) -> list[str]:
    out: list[str] = []
    for row_index, row in enumerate(rows):
        out += [" \\\\ "] if row_index else []
        for column, cell in enumerate(row):
            out += [" & "] if column else []
            out += _tokens(cell)
    return out


def _environment(name: str, rows: tuple[tuple[tree.Node, ...], ...], columns: str = "") -> list[str]:
    return [f"\\begin{{{name}}}{columns} ", *_lines(rows), f" \\end{{{name}}}"]


@_tokens.register
def _(node: tree.Grid) -> list[str]:
    if node.env != "array":
        return _environment(node.env, node.rows)
    width = len(node.rows[0])
    columns = "{" + "c" * node.rule + "|" + "c" * (width - node.rule) + "}"
    return _environment("array", node.rows, columns)


@_tokens.register
def _(node: tree.Cases) -> list[str]:
    return _environment("cases", node.rows)


@_tokens.register
def _(node: tree.Aligned) -> list[str]:
    return _environment("aligned", node.rows)


@_tokens.register
def _(node: tree.Stacked) -> list[str]:
    return [f"\\{node.command}", *_group(node.mark), *_group(node.base)]


@_tokens.register
def _(node: tree.Braced) -> list[str]:
    mark = "_" if node.command == "underbrace" else "^"
    return [f"\\{node.command}", *_group(node.body), mark, *_group(node.note)]


@_tokens.register
def _(node: tree.LabelledArrow) -> list[str]:
    under = [] if node.under is None else ["[", *_tokens(node.under), "]"]
    return [f"\\{node.command}", *under, *_group(node.over)]


@_tokens.register
def _(node: tree.Struck) -> list[str]:
    return [f"\\{node.command}", *_group(node.body)]


@_tokens.register
def _(node: tree.Modulus) -> list[str]:
    return ["\\pmod", *_group(node.body)]
