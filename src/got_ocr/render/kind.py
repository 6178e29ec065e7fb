"""What a text is: markdown, table, tikz, kern, smiles or chart. Looks at the text alone and never guesses at a price.

Ordinary words must stay words: a text is a molecule only when the whole of it is one well-formed token with some sign
that no word has.
"""

import re
from typing import Literal, get_args

from got_ocr.errors import InvalidValue
from got_ocr.render.chart_data import is_chart

Kind = Literal["markdown", "table", "tikz", "kern", "smiles", "chart"]
KINDS: tuple[str, ...] = get_args(Kind)

_FRAME = re.compile(
    r"\\(?:documentclass|usepackage|usetikzlibrary|tikzset|pagestyle|definecolor|begin|end|centering|tikzstyle)"
    r"(?:\s*(?:\[[^\]]{0,500}\]|\{[^{}]{0,500}\}))*"
)
_TIKZ = re.compile(r"\\begin\s*\{tikzpicture\}.*?(?:\\end\s*\{tikzpicture\}|\Z)", re.S)
_TIKZ_STATEMENT = re.compile(
    r"\s*(?:\[[^\]]{0,300}\]\s*)?\\(?:draw|filldraw|fill|node|coordinate|foreach|path|clip)(?![a-zA-Z])"
)
_TABLE = re.compile(r"\\begin\s*\{(tabular\*?|tabularx|longtable|table\*?)\}.*?(?:\\end\s*\{\1\}|\Z)", re.S)
_KERN = re.compile(r"(?:!![^\n]*\n)*\*\*(?:kern|dynam|text|silbe|mxhm|root)\b")
_ATOM = re.compile(
    r"\[\d{0,3}(?:[A-Z][a-z]?|[bcnops]|se|as|\*)(?:@{1,2}(?:TH|AL|SP|TB|OH)?\d{0,2})?(?:H\d?)?(?:[+-]{1,3}\d?)?(?::\d{1,4})?\]"
    r"|Cl|Br|[BCNOPSFI]|[bcnops]|\*"
)
_SMILES_PART = re.compile(rf"(?P<atom>{_ATOM.pattern})|(?P<ring>%\d\d|\d)|(?P<bond>[-=#:$/\\.~])|(?P<paren>[()])")
MAX_SMILES = 1_000


def detect(text: str) -> Kind:
    """Return the kind of a text; what is nothing else is markdown."""
    stripped = text.strip()
    if not stripped:
        return "markdown"
    if _KERN.match(stripped):
        return "kern"
    if is_tikz(stripped):
        return "tikz"
    if is_chart(stripped):
        return "chart"
    if _TABLE.match(stripped) and not _TABLE.sub("", stripped, count=1).strip():
        return "table"
    return "smiles" if is_smiles(stripped) else "markdown"


def check_kind(kind: str, text: str) -> Kind:
    """Return the kind that was asked for, found out if "auto". Raises InvalidValue for an unknown one."""
    if kind == "auto":
        return detect(text)
    for known in get_args(Kind):
        if kind == known:
            return known  # type: ignore[no-any-return]
    raise InvalidValue(f"kind is one of auto, {', '.join(KINDS)}")


def is_tikz(text: str) -> bool:
    """Tell whether drawing commands are all that the text holds."""
    if "\\" not in text:
        return False
    if _TIKZ.search(text):
        return not _FRAME.sub("", _TIKZ.sub("", text)).strip()
    return _TIKZ_STATEMENT.match(text) is not None and ";" in text


def is_smiles(text: str) -> bool:
    """Tell whether the text is one molecule: a well-formed token that cannot be a word, a number or an abbreviation."""
    if not 3 <= len(text) <= MAX_SMILES or text[-1] in "-=#:/\\.(~" or text[0] in "-=#:/\\.)0123456789":
        return False
    parts = list(_SMILES_PART.finditer(text))
    if sum(len(part.group()) for part in parts) != len(text) or not _closed(parts):
        return False
    atoms = [part["atom"] for part in parts if part["atom"]]
    rings = sum(1 for part in parts if part["ring"])
    if not rings and any(atom[0].islower() for atom in atoms):
        return False
    if len(atoms) < 3:
        return len(atoms) == 2 and any(atom.startswith("[") for atom in atoms) and "." in text
    signs = rings or any(mark in text for mark in "=#[@") or ("(" in text and len(atoms) > 3)
    carbons = sum(atom in ("C", "c") for atom in atoms)
    if signs:
        return carbons > 0 or "[" in text
    return len(atoms) >= 5 and text.startswith("CC") and carbons >= 0.6 * len(atoms)


def _closed(parts: list[re.Match[str]]) -> bool:
    """Tell whether parentheses follow atoms and close, and every ring number is written twice."""
    depth, rings, before = 0, dict[str, int](), ""
    for part in parts:
        mark = part.group()
        if part["ring"]:
            if part.start() == 0 or before in ("", "(", "."):
                return False
            rings[mark] = rings.get(mark, 0) + 1
        if mark in "()" and before in ("", "("):
            return False
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            return False
        before = mark
    return depth == 0 and all(times % 2 == 0 for times in rings.values())
