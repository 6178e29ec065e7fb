"""A formula's LaTeX -> MathML that browsers draw, by latex2mathml behind a repair and a gate.

The converter's tree is never taken as it is: it passes the allow-list of sanitize.py and is then mended for what
browsers leave out of MathML (letters of other alphabets, limits below operators, lines in arrays). What cannot be
converted stays visible as its source. Knows no document.
"""

import re
import unicodedata
from html import unescape

from got_ocr.errors import GotOcrError, MissingDependency
from got_ocr.render.failure import RenderFailed
from got_ocr.render.limits import MAX_FORMULA, MAX_FORMULAS, MAX_MATHS
from got_ocr.render.markup import Markup, element
from got_ocr.render.mathfix import repair
from got_ocr.render.mathtext import restore
from got_ocr.render.sanitize import MATHML, Node, clean, serialise, visit

_LIMITS = frozenset(
    (
        *("lim", "max", "min", "sup", "inf", "limsup", "liminf", "gcd", "det", "Pr", "argmax", "argmin"),
        *("arg max", "arg min", "lim sup", "lim inf"),
    )
)
_CHILDREN = {"msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mfrac": 2, "mroot": 2}
_UNDER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_LETTER_STYLES = {
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "script": "SCRIPT",
    "bold-script": "BOLD SCRIPT",
    "fraktur": "FRAKTUR",
    "bold-fraktur": "BOLD FRAKTUR",
    "double-struck": "DOUBLE-STRUCK",
    "sans-serif": "SANS-SERIF",
    "bold-sans-serif": "SANS-SERIF BOLD",
    "sans-serif-italic": "SANS-SERIF ITALIC",
    "monospace": "MONOSPACE",
}
_OLDER_NAMES = {"SCRIPT": "SCRIPT", "FRAKTUR": "BLACK-LETTER", "DOUBLE-STRUCK": "DOUBLE-STRUCK"}
_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


class MathsBudget:
    """Count the formulas of one text; past the caps formulas stay source, so that a page of formulas stays bounded."""

    def __init__(self) -> None:
        self.formulas = 0
        self.characters = 0
        self.error: GotOcrError | None = None

    def admits(self, source: str) -> bool:
        """Tell whether one more formula of this length is converted."""
        self.formulas += 1
        self.characters += len(source)
        return self.formulas <= MAX_FORMULAS and self.characters <= MAX_MATHS and len(source) <= MAX_FORMULA


def formula(source: str, budget: MathsBudget, *, display: bool = False) -> Markup:
    """Return the formula as `<math>`, or its escaped source as `<code class="math-source">` where it cannot be drawn.

    A missing package is noted in the budget's `error`, once for the whole text.
    """
    try:
        if not budget.admits(source):
            raise RenderFailed("more or longer formulas than are drawn")
        return to_mathml(source, display=display)
    except MissingDependency as error:
        budget.error = error
    except RenderFailed:
        pass
    return element("code", {"class": "math-source"}, source)


def to_mathml(source: str, *, display: bool = False) -> Markup:
    """Convert one formula. Raises RenderFailed, or MissingDependency where latex2mathml is not installed."""
    if not source.strip():
        return Markup("")
    tree = _convert(repair(source), "block" if display else "inline")
    node = clean(tree, MATHML)
    visit(node, _mend_arity)
    visit(node, _mend_letters)
    visit(node, _mend_array)
    if display:
        visit(node, _mend_limits)
    return serialise(node)


def _convert(source: str, display: str) -> Node:
    try:
        from latex2mathml.converter import convert_to_element
    except ImportError as error:
        raise MissingDependency("formulas need the package latex2mathml: pip install 'got-ocr[render]'") from error
    try:
        tree = convert_to_element(source, display=display)
    # The converter answers bad input with whatever its own code runs into, deep recursion included.
    except (Exception, RecursionError) as error:
        raise RenderFailed("a formula that cannot be converted is shown as it was written") from error
    return _node(tree)


def _node(tree: object) -> Node:
    """Copy the converter's tree; it keeps character references in its texts, which are resolved here."""
    tag, text, attributes = tree.tag, tree.text, tree.attrib  # type: ignore[attr-defined]
    node = Node(str(tag), {str(k): str(v) for k, v in attributes.items()})
    if text:
        node.children.append(restore(unescape(text)))
    node.children.extend(_node(child) for child in tree)  # type: ignore[attr-defined]
    return node


def _mend_arity(node: Node) -> None:
    """Make a plain row of an element that lacks a child it must have."""
    if node.name in _CHILDREN and len(node.children) != _CHILDREN[node.name]:
        node.name = "mrow"


def _mend_letters(node: Node) -> None:
    """Write letters of other alphabets as characters of their own, and signs as operators."""
    if node.name not in ("mi", "mn", "mo", "mtext") or not all(isinstance(child, str) for child in node.children):
        return
    text = "".join(child for child in node.children if isinstance(child, str))
    variant = node.attributes.get("mathvariant", "")
    if variant in _LETTER_STYLES and node.name != "mtext":
        del node.attributes["mathvariant"]
        text = "".join(letter(char, _LETTER_STYLES[variant]) for char in text)
    if node.name == "mi" and len(text) == 1 and unicodedata.category(text) in ("Sm", "Ps", "Pe"):
        node.name = "mo"
    node.children = [text] if text else []


def letter(char: str, style: str) -> str:
    """Return the letter or digit in a mathematical alphabet, or as it is where that alphabet lacks it."""
    for name in _letter_names(char, style):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return char


def _letter_names(char: str, style: str) -> list[str]:
    if char.isascii() and char.isdigit():
        return [f"MATHEMATICAL {style} DIGIT {_DIGITS[int(char)]}"]
    match = re.fullmatch(r"(LATIN|GREEK) (CAPITAL|SMALL) LETTER ([A-Z]+)", unicodedata.name(char, ""))
    if match is None:
        return []
    if style == "ITALIC" and char == "h":
        return ["PLANCK CONSTANT"]
    names = [f"MATHEMATICAL {style} {match[2]} {match[3]}"]
    if style in _OLDER_NAMES:
        names.append(f"{_OLDER_NAMES[style]} {match[2]} {match[3]}")
    return names


def _mend_limits(node: Node) -> None:
    """Set the scripts of lim, max and their like below and above in a displayed formula."""
    if node.name not in _UNDER or not node.children or not isinstance(node.children[0], Node):
        return
    base = node.children[0]
    words = "".join(child for child in base.children if isinstance(child, str))
    if words.replace("\u00a0", " ").replace("\u2009", " ") in _LIMITS:
        node.name = _UNDER[node.name]
        base.attributes.pop("movablelimits", None)


def _mend_array(node: Node) -> None:
    """Turn an array's lines into classes of its cells, and drop a last row without cells' content."""
    if node.name != "mtable":
        return
    rows = [row for row in node.children if isinstance(row, Node)]
    if len(rows) > 1 and not _has_text(rows[-1]):
        rows.pop()
    across = _lines(node.attributes.pop("rowlines", ""))
    down = _lines(node.attributes.pop("columnlines", ""))
    aligned = node.attributes.get("columnspacing", "").startswith("0em")
    for index, row in enumerate(rows):
        cells = [cell for cell in row.children if isinstance(cell, Node)]
        for column, cell in enumerate(cells):
            marks = ["line-above"] * _on(across, index - 1) + ["line-left"] * _on(down, column - 1)
            marks += ["joined"] * aligned
            if marks:
                cell.attributes["class"] = " ".join(marks)
    node.children = list(rows)


def _has_text(node: Node) -> bool:
    return any(child.strip() if isinstance(child, str) else _has_text(child) for child in node.children)


def _lines(value: str) -> list[bool]:
    return [word != "none" for word in value.split()]


def _on(lines: list[bool], index: int) -> bool:
    """Read MathML's list of lines: its last word holds for all that follow."""
    return index >= 0 and bool(lines) and lines[min(index, len(lines) - 1)]
