"""A formula's LaTeX -> MathML that browsers draw, by latex2mathml behind a repair and a gate.

The converter's tree is never taken as it is: it passes the allow-list of sanitize.py and is then mended for browsers
(mathmend.py). What cannot be converted stays visible as its source. Knows no document.
"""

from html import unescape

from got_ocr.errors import GotOcrError, MissingDependency, RenderFailed
from got_ocr.render.limits import MAX_FORMULA, MAX_FORMULAS, MAX_MATHS
from got_ocr.render.markup import Markup, element
from got_ocr.render.mathfix import repair
from got_ocr.render.mathmend import mend
from got_ocr.render.mathtext import restore
from got_ocr.render.sanitize import MATHML, Node, clean, serialise


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
    mended = repair(source)
    if not mended:
        return Markup("")
    tree = _convert(mended, "block" if display else "inline")
    node = clean(tree, MATHML)
    mend(node, display=display)
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
