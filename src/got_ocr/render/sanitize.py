"""The gate for markup that a library wrote: strict parse, allow-list, own serialisation.

Nothing of a library's string survives: it is parsed as XML (no DTD, no entities, no processing instructions), elements
and attributes outside a `Policy` are dropped, and what is left is written again by the escaping builder. `style`
attributes become presentation attributes, since the page forbids inline styles. Knows SVG and MathML; knows no library.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from got_ocr.errors import RenderFailed
from got_ocr.render.markup import Markup, element

MAX_NODES = 100_000
MAX_NESTING = 100
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
MATHML_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_XLINK_HREF = "http://www.w3.org/1999/xlink}href"
# No colon, quote, slash or angle bracket can stand in a value, so neither can an address of any scheme.
_SAFE_VALUE = re.compile(r"[\w\s.,()%+#-]*\Z")
_DECLARATION = re.compile(r"\s*([a-z-]+)\s*:\s*([^;]*?)\s*(?:;|\Z)")


@dataclass(slots=True)
class Node:
    """One element of a parsed fragment; children are nodes and plain text."""

    name: str
    attributes: dict[str, str]
    children: "list[Node | str]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Policy:
    """Say what may pass. root: the outermost element. texts: elements that may hold text."""

    root: str
    elements: frozenset[str]
    texts: frozenset[str]
    attributes: frozenset[str]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SVG = Policy(
    root="svg",
    elements=_names("svg g path rect line polyline polygon ellipse circle text tspan defs use symbol title desc"),
    texts=_names("text tspan title desc"),
    attributes=_names(
        """viewBox width height x y x1 y1 x2 y2 cx cy r rx ry dx dy d points transform preserveAspectRatio overflow
        class fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray
        stroke-opacity opacity color font-size font-style font-weight font-family text-anchor dominant-baseline"""
    ),
)
MATHML = Policy(
    root="math",
    elements=_names(
        """mrow mi mo mn mtext ms mspace msup msub msubsup munder mover munderover mfrac msqrt mroot mtable mtr mtd
        mstyle mpadded mphantom menclose mmultiscripts mprescripts merror none"""
    ),
    texts=_names("mi mo mn mtext ms"),
    attributes=_names(
        """display displaystyle scriptlevel mathvariant mathcolor mathbackground stretchy fence form separator accent
        accentunder movablelimits largeop symmetric minsize maxsize lspace rspace width height depth voffset
        linethickness columnalign rowalign columnspacing rowspacing columnlines rowlines columnspan rowspan notation
        linebreak bevelled class"""
    ),
)


def parse(source: str) -> Node:
    """Parse one XML document into nodes; only names of SVG and MathML lose their namespace. Raises RenderFailed."""
    builder = _Builder()
    parser = expat.ParserCreate("utf-8", namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse_doctype
    try:
        parser.Parse(source.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise RenderFailed("a drawing library wrote markup that is not well formed") from error
    return builder.root()


class _Builder:
    """Collect expat's events into one tree."""

    def __init__(self) -> None:
        self._top = Node("", {})
        self._open = [self._top]
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_NODES or len(self._open) > MAX_NESTING:
            raise RenderFailed("a drawing library wrote more markup than is taken")
        node = Node(_local(name), {("href" if k == _XLINK_HREF else k): v for k, v in attributes.items()})
        self._open[-1].children.append(node)
        self._open.append(node)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        self._open[-1].children.append(data)

    def refuse_doctype(self, *_parts: object) -> None:
        raise RenderFailed("a drawing library wrote a document type, which is never read")

    def root(self) -> Node:
        return next(child for child in self._top.children if isinstance(child, Node))


def _local(name: str) -> str:
    namespace, _, local = name.rpartition("}")
    return local if namespace in ("", SVG_NAMESPACE, MATHML_NAMESPACE) else name


def clean(root: Node, policy: Policy, prefix: str = "") -> Node:
    """Return the tree without anything that the policy does not name. Raises RenderFailed for another root.

    prefix: begins every id, which are numbered anew, so that two drawings in one page do not meet.
    """
    if root.name != policy.root:
        raise RenderFailed(f"a drawing library wrote {policy.root} expected, something else found")
    return _clean(root, policy, _referable(root, prefix))


def _referable(root: Node, prefix: str) -> dict[str, str]:
    """Name anew the elements that a `use` may show: those without any `use`, so that nothing multiplies itself."""
    used: set[str] = set()
    visit(root, lambda node: used.add(node.attributes.get("href", "")[1:]) if node.name == "use" else None)
    found: dict[str, str] = {}
    _collect_referable(root, used, prefix, found)
    return found


def _collect_referable(node: Node, used: set[str], prefix: str, found: dict[str, str]) -> bool:
    below = [_collect_referable(child, used, prefix, found) for child in node.children if isinstance(child, Node)]
    has_use = node.name == "use" or any(below)
    name = node.attributes.get("id", "")
    if not has_use and name in used:
        found.setdefault(name, f"{prefix}{len(found) + 1}")
    return has_use


def _clean(node: Node, policy: Policy, ids: dict[str, str]) -> Node:
    result = Node(node.name, _attributes(node, policy, ids))
    for child in node.children:
        if isinstance(child, str):
            if node.name in policy.texts:
                result.children.append(child)
        elif child.name in policy.elements:
            result.children.append(_clean(child, policy, ids))
    return result


def _attributes(node: Node, policy: Policy, ids: dict[str, str]) -> dict[str, str]:
    given = dict(node.attributes)
    for name, value in _DECLARATION.findall(given.pop("style", "")):
        given[name] = value.removesuffix("px")
    kept: dict[str, str] = {}
    for name, value in given.items():
        if name == "href":
            if node.name == "use" and value[:1] == "#" and value[1:] in ids:
                kept[name] = f"#{ids[value[1:]]}"
        elif name == "id":
            if value in ids:
                kept[name] = ids[value]
        elif name in policy.attributes and _SAFE_VALUE.match(value) and "url" not in value.lower():
            kept[name] = value
    return kept


def visit(node: Node, change: Callable[[Node], None]) -> None:
    """Call `change` on the node and everything below it, parents first."""
    change(node)
    for child in node.children:
        if isinstance(child, Node):
            visit(child, change)


def serialise(node: Node) -> Markup:
    """Write a cleaned tree with the escaping builder."""
    return element(node.name, node.attributes, *(c if isinstance(c, str) else serialise(c) for c in node.children))
