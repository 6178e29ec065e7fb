"""The formula tree: what a formula is made of, before any notation.

Holds frozen nodes and two questions about them (how tall, which commands). Knows no LaTeX spelling beyond command
names, no typst, no randomness. Both writers walk the same tree, so a label cannot say what its picture does not
show.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from got_ocr.data.latex import symbols


@dataclass(frozen=True, slots=True)
class Node:
    """Stand for any part of a formula."""


@dataclass(frozen=True, slots=True)
class Row(Node):
    """Set parts side by side."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Letter(Node):
    """Draw one italic Latin letter."""

    char: str


@dataclass(frozen=True, slots=True)
class Digits(Node):
    """Draw a number, as `12` or `0.75`."""

    text: str


@dataclass(frozen=True, slots=True)
class Plain(Node):
    """Draw one character that LaTeX types as itself: + - = < > / , ; : !"""

    char: str


@dataclass(frozen=True, slots=True)
class Symbol(Node):
    """Draw a command of `symbols.SYMBOLS`."""

    command: str


@dataclass(frozen=True, slots=True)
class Function(Node):
    """Draw a named function, as sin or lim (`\\sin`), or `\\operatorname{...}` for names LaTeX does not know."""

    name: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Words(Node):
    """Draw upright words with a space on either side (`\\text{ if }`)."""

    text: str


@dataclass(frozen=True, slots=True)
class Gap(Node):
    """Leave a wide space (`\\quad`)."""


@dataclass(frozen=True, slots=True)
class Frac(Node):
    """Draw a fraction; `binom` draws the same two parts in parentheses without a rule."""

    top: Node
    bottom: Node
    binom: bool = False


@dataclass(frozen=True, slots=True)
class Root(Node):
    """Draw a root with an optional index."""

    body: Node
    index: Node | None = None


@dataclass(frozen=True, slots=True)
class Script(Node):
    """Attach a subscript, a superscript or both."""

    base: Node
    sub: Node | None = None
    sup: Node | None = None


@dataclass(frozen=True, slots=True)
class Fence(Node):
    """Put delimiters around a body; an empty string draws none on that side."""

    left: str
    right: str
    body: Node


@dataclass(frozen=True, slots=True)
class Accent(Node):
    """Put a mark of `symbols.ACCENTS` or `symbols.WIDE_ACCENTS` over a body."""

    command: str
    body: Node


@dataclass(frozen=True, slots=True)
class Styled(Node):
    """Draw letters or digits in an alphabet of `symbols.ALPHABETS`."""

    command: str
    text: str


@dataclass(frozen=True, slots=True)
class Bold(Node):
    """Draw one Greek letter bold (`\\boldsymbol{\\alpha}`)."""

    body: Symbol


@dataclass(frozen=True, slots=True)
class Grid(Node):
    """Draw rows and columns: env is a matrix environment, or `array` with a rule after column `rule`."""

    env: str
    rows: tuple[tuple[Node, ...], ...]
    rule: int = 0


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """Draw branches behind a brace: (value, condition) each."""

    rows: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Aligned(Node):
    """Draw lines aligned at one point: (left, right) each. Stands at the root alone."""

    rows: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Stacked(Node):
    """Set a small mark over (`overset`) or under (`underset`) a base."""

    command: str
    mark: Node
    base: Node


@dataclass(frozen=True, slots=True)
class Braced(Node):
    """Draw `underbrace` or `overbrace` with a note."""

    command: str
    body: Node
    note: Node


@dataclass(frozen=True, slots=True)
class LabelledArrow(Node):
    """Draw an arrow that is as long as the text over and under it (`\\xrightarrow[under]{over}`)."""

    command: str
    over: Node
    under: Node | None = None


@dataclass(frozen=True, slots=True)
class Struck(Node):
    """Draw a body in a frame (`boxed`) or struck through (`cancel`)."""

    command: str
    body: Node


@dataclass(frozen=True, slots=True)
class Modulus(Node):
    """Draw `(mod n)`."""

    body: Node


TALL = (Frac, Root, Grid, Cases, Braced, Stacked)


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it, in reading order of the fields."""
    yield node
    for entry in fields(node):
        yield from _inside(getattr(node, entry.name))


def _inside(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield from walk(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from _inside(part)


def is_tall(node: Node) -> bool:
    """Say whether delimiters around this body must grow (`\\left`, `\\right`)."""
    return any(
        isinstance(part, TALL) or (isinstance(part, Symbol) and part.command in symbols.TALL) for part in walk(node)
    )
