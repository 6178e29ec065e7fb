"""Converted MathML -> MathML that browsers draw as TeX would: alphabets, limits, spaces, fences, lines of arrays.

Browsers draw the core of MathML only: no `mathvariant` but normal, no limits by themselves, no lines in tables, and an
operator's spaces by a dictionary that knows no functions. Knows the tree, not the converter.
"""

import re
import unicodedata

from got_ocr.render.sanitize import Node, visit

_LIMITS = frozenset(
    (
        *("lim", "max", "min", "sup", "inf", "limsup", "liminf", "gcd", "det", "Pr", "argmax", "argmin"),
        *("arg max", "arg min", "lim sup", "lim inf"),
    )
)
_LARGE = frozenset("∑∏∐⋀⋁⋂⋃⨀⨁⨂⨄⨆")
_LETTERS = frozenset("∞∅□△◇∠⊤")  # signs that stand for things: no spaces around them
_UNARY = frozenset("+−-±∓")
_TIGHT = frozenset("|‖/")
_CLOSING = frozenset(")]}|‖⟩⌉⌋!′″∂∇")
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


def mend(root: Node, *, display: bool) -> None:
    """Change a cleaned tree in place."""
    visit(root, _mend_arity)
    visit(root, _mend_letters)
    visit(root, _mend_row)
    visit(root, _mend_array)
    if display:
        visit(root, _mend_limits)


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
    if (
        node.name == "mi"
        and len(text) == 1
        and unicodedata.category(text) in ("Sm", "Ps", "Pe")
        and text not in _LETTERS
    ):
        node.name = "mo"
    elif text in _LETTERS and text:
        node.name = "mi"
    elif node.name == "mi" and len(text) == 1 and text.isupper() and "\u0370" <= text <= "\u03ff" and not variant:
        node.attributes["mathvariant"] = "normal"
    elif node.name == "mtext":
        # Blanks at a word's edge would fall away.
        text = re.sub(r"^ | $|(?<= ) ", "\u00a0", text)
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
    """Set the scripts of lim, sums and their like below and above in a displayed formula."""
    if node.name not in _UNDER or not node.children or not isinstance(node.children[0], Node):
        return
    base = node.children[0]
    words = " ".join(_words(base).split())
    if words in _LIMITS or words in _LARGE:
        node.name = _UNDER[node.name]
        base.attributes.pop("movablelimits", None)


def _words(node: Node) -> str:
    """Return a node's characters, with plain blanks."""
    text = "".join(child if isinstance(child, str) else _words(child) for child in node.children)
    return text.replace("\u00a0", " ").replace("\u2009", " ")


def _mend_row(node: Node) -> None:
    """Set the spaces around functions, signs and bars, and let only real fences grow."""
    children = [child for child in node.children if isinstance(child, Node)]
    for at, child in enumerate(children):
        core = _core(child)
        if core.name not in ("mi", "mo"):
            continue
        before = children[at - 1] if at else None
        behind = children[at + 1] if at + 1 < len(children) else None
        words = _words(core)
        if len(words) > 1 and words.replace(" ", "").isalpha():
            _space_function(core, before, behind)
        elif core.name == "mo" and "fence" not in core.attributes:
            _space_sign(core, words, before, behind)


def _space_function(core: Node, before: Node | None, behind: Node | None) -> None:
    """Put TeX's thin spaces around sin, lim and their like."""
    core.name = "mo"
    core.attributes.pop("mathvariant", None)
    core.attributes["lspace"] = "0.167em" if before is not None and before.name != "mo" else "0em"
    core.attributes["rspace"] = "0em" if behind is None or behind.name in ("mo", "mspace") else "0.167em"


def _space_sign(core: Node, sign: str, before: Node | None, behind: Node | None) -> None:
    if sign and sign in "()[]{}|‖":
        beside = (
            behind if sign in "([{" or (sign in "|‖" and behind is not None and behind.name == "mtable") else before
        )
        grows = beside is not None and beside.name == "mtable"
        core.attributes.setdefault("stretchy", "true" if grows else "false")
        if grows:
            core.attributes["form"] = "prefix" if beside is behind else "postfix"
    if sign in _TIGHT:
        core.attributes["lspace"] = core.attributes["rspace"] = "0em"
    opens = before is None or (before.name == "mo" and _words(before) not in _CLOSING)
    if sign in _UNARY and opens:
        core.attributes |= {"form": "prefix", "lspace": "0em", "rspace": "0em"}


def _core(node: Node) -> Node:
    """Return the base of a script, which says how the whole is spaced."""
    while (
        (node.name in _UNDER or node.name in _UNDER.values()) and node.children and isinstance(node.children[0], Node)
    ):
        node = node.children[0]
    return node


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
