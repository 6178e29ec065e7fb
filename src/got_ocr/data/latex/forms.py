"""Put expressions together to whole formulas of the kinds that papers and textbooks print.

`FORMS` maps a name to a maker `(rng, depth) -> Node`; `formula` chooses among them by weight. Knows no notation
and no picture.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from got_ocr.data.latex import symbols
from got_ocr.data.latex.grammar import (
    Rng,
    chance,
    expression,
    factor,
    greek,
    index,
    integral,
    large,
    leaf,
    letter,
    limit,
    name,
    pick,
    relation,
    row,
    scripted,
    styled,
    symbol,
    term,
)
from got_ocr.data.latex.tree import (
    Aligned,
    Braced,
    Cases,
    Digits,
    Fence,
    Frac,
    Function,
    Gap,
    Grid,
    LabelledArrow,
    Letter,
    Modulus,
    Node,
    Plain,
    Row,
    Script,
    Stacked,
    Struck,
    Styled,
    Symbol,
    Words,
)

Maker = Callable[[Rng, int], Node]

_MATRICES = ("pmatrix", "bmatrix", "vmatrix", "Bmatrix", "Vmatrix", "matrix")
_CONDITIONS = ("if", "when", "for", "for all", "if and only if", "otherwise")
_JOINS = ("and", "or", "where", "with", "such that", "for all", "for every", "if", "as", "subject to", "hence", "then")
_ELEMENTS = (
    "H",
    "C",
    "N",
    "O",
    "Na",
    "Cl",
    "Fe",
    "Cu",
    "S",
    "P",
    "K",
    "Ca",
    "Mg",
    "Al",
    "Si",
    "Mn",
    "Zn",
    "Ag",
    "Br",
    "I",
)
_LONG_ARROWS = ("xrightarrow", "xleftarrow", "xrightleftharpoons", "xRightarrow", "xleftrightarrow", "xmapsto")


def equation(rng: Rng, depth: int) -> Node:
    """State that two or three expressions stand in a relation."""
    items: list[Node] = [factor(rng, min(depth, 1)) if chance(rng, 0.6) else expression(rng, depth)]
    for _ in range(1 if chance(rng, 0.8) else 2):
        items += [relation(rng), expression(rng, depth)]
    return Row(tuple(items))


def bare(rng: Rng, depth: int) -> Node:
    """Give an expression alone."""
    return expression(rng, depth)


def series(rng: Rng, depth: int) -> Node:
    """Equate something with a sum, an integral or a limit."""
    maker = pick(rng, (large, integral, limit))
    return row(factor(rng, 1), Plain("="), maker(rng, depth))


def matrix(rng: Rng, depth: int) -> Node:
    """Equate a name with a matrix, sometimes dotted or with a rule inside."""
    kind = rng.random()
    height, width = int(rng.integers(2, 5)), int(rng.integers(1, 5))
    if kind < 0.2:
        width = max(width, 2)
        rows = tuple(tuple(leaf(rng) for _ in range(width)) for _ in range(height))
        body: Node = Fence("[", "]", Grid("array", rows, rule=width - 1))
    elif kind < 0.5:
        body = Grid(pick(rng, _MATRICES), dotted(rng))
    else:
        plain = chance(rng, 0.6)
        cells = (tuple(_entry(rng, depth, plain) for _ in range(width)) for _ in range(height))
        body = Grid(pick(rng, _MATRICES[:5]), tuple(cells))
    power = Script(body, sup=pick(rng, (Symbol("top"), row(Plain("-"), Digits("1")), Letter("T"))))
    return row(
        name(rng), Plain("="), power if chance(rng, 0.2) and isinstance(body, Grid) and body.env != "matrix" else body
    )


def _entry(rng: Rng, depth: int, plain: bool) -> Node:
    return leaf(rng) if plain else expression(rng, min(depth - 1, 1))


def dotted(rng: Rng) -> tuple[tuple[Node, ...], ...]:
    """Fill a matrix from its corners with dots between."""
    head = letter(rng)
    last, wide = Letter(pick(rng, "mn")), Letter(pick(rng, "nkN"))

    def cell(above: Node, beside: Node) -> Node:
        return Script(head, sub=row(above, beside))

    one, two = Digits("1"), Digits("2")
    return (
        (cell(one, one), cell(one, two), Symbol("cdots"), cell(one, wide)),
        (cell(two, one), cell(two, two), Symbol("cdots"), cell(two, wide)),
        (Symbol("vdots"), Symbol("vdots"), Symbol("ddots"), Symbol("vdots")),
        (cell(last, one), cell(last, two), Symbol("cdots"), cell(last, wide)),
    )


def cases(rng: Rng, depth: int) -> Node:
    """Define something by cases."""
    count = int(rng.integers(2, 5))
    rows: list[tuple[Node, Node]] = []
    for place in range(count):
        last = place == count - 1
        word = "otherwise" if last and chance(rng, 0.6) else pick(rng, _CONDITIONS[:4])
        condition: Node = Words(word)
        if word != "otherwise":
            condition = row(Words(word), name(rng), relation(rng), leaf(rng))
            condition = row(name(rng), relation(rng), leaf(rng)) if chance(rng, 0.3) else condition
        rows.append((expression(rng, min(depth - 1, 1)), condition))
    head = row(Letter(pick(rng, "fghuv")), Fence("(", ")", name(rng))) if chance(rng, 0.6) else scripted(rng)
    return row(head, Plain("="), Cases(tuple(rows)))


def aligned(rng: Rng, depth: int) -> Node:
    """Derive something over two to four aligned lines, or give a system of equations."""
    count = int(rng.integers(2, 5))
    system = chance(rng, 0.4)
    rows: list[tuple[Node, Node]] = []
    for place in range(count):
        left: Node = factor(rng, 1) if system or place == 0 else Row(())
        rows.append((left, row(Plain("=") if system else relation(rng), expression(rng, min(depth, 2)))))
    return Aligned(tuple(rows))


def continued(rng: Rng, depth: int) -> Node:
    """Go on from a row above: a relation, and what stands on its right."""
    return row(relation(rng) if chance(rng, 0.5) else Plain("="), expression(rng, depth))


def mapping(rng: Rng, _depth: int) -> Node:
    """Name a map and its sets: f: A -> B, x |-> y."""
    arrow = symbol(rng, tuple(symbols.ARROWS))
    head = row(name(rng), Plain(":"), styled(rng), arrow, styled(rng))
    if chance(rng, 0.5):
        return row(*head.items, Plain(","), Gap(), name(rng), Symbol("mapsto"), expression(rng, 1))
    return head


def logic(rng: Rng, depth: int) -> Node:
    """Quantify: for all x in A there is y with ..."""
    items: list[Node] = []
    for _ in range(int(rng.integers(1, 3))):
        items += [Symbol(pick(rng, ("forall", "exists", "nexists"))), name(rng), Symbol("in"), styled(rng), Plain(",")]
    link = Symbol(pick(rng, ("Rightarrow", "Leftrightarrow", "Longrightarrow", "wedge", "vee")))
    first = row(factor(rng, 1), relation(rng), factor(rng, 1))
    negated = row(Symbol("neg"), Fence("(", ")", first)) if chance(rng, 0.25) else first
    return row(*items, Gap(), negated, link, factor(rng, min(depth, 1)), relation(rng), leaf(rng))


def sets(rng: Rng, depth: int) -> Node:
    """Describe a set by its elements."""
    bar = Symbol("mid") if chance(rng, 0.6) else Plain(":")
    condition = row(expression(rng, min(depth - 1, 1)), relation(rng), leaf(rng))
    body = Fence("\\{", "\\}", row(name(rng), Symbol("in"), styled(rng), bar, condition))
    return row(styled(rng), Plain("="), body)


def words(rng: Rng, depth: int) -> Node:
    """Join two statements by words."""
    first = row(factor(rng, depth), relation(rng), expression(rng, min(depth, 1)))
    return row(first, Words(pick(rng, _JOINS)), name(rng), relation(rng), leaf(rng))


def listing(rng: Rng, _depth: int) -> Node:
    """List a_1, ..., a_n, or add them with dots between."""
    head = name(rng)
    comma = chance(rng, 0.5)
    mark: Node = Plain(",") if comma else Plain(pick(rng, "+")) if chance(rng, 0.6) else symbol(rng, ("times", "cdot"))
    parts = [Script(head, sub=sub) for sub in (Digits("1"), Digits("2"), Letter(pick(rng, "nmkNd")))]
    dots = Symbol("ldots" if comma else "cdots")
    body = row(parts[0], mark, parts[1], mark, dots, mark, parts[2])
    return Fence("(", ")", body) if chance(rng, 0.4) else row(name(rng), Plain("="), body)


def molecule(rng: Rng) -> Node:
    """Write a sum formula with its counts and charge."""
    items: list[Node] = [Digits(str(int(rng.integers(2, 10))))] if chance(rng, 0.3) else []
    for _ in range(int(rng.integers(1, 4))):
        element = Styled("mathrm", pick(rng, _ELEMENTS))
        items.append(Script(element, sub=Digits(str(int(rng.integers(2, 13))))) if chance(rng, 0.6) else element)
    if chance(rng, 0.25):
        charge = Plain(pick(rng, "+-"))
        body = items.pop()
        count: Node = row(Digits(str(int(rng.integers(2, 4)))), charge) if chance(rng, 0.5) else charge
        sub = body.sub if isinstance(body, Script) else None
        items.append(Script(body.base if isinstance(body, Script) else body, sub=sub, sup=count))
    return Row(tuple(items))


def chemistry(rng: Rng, _depth: int) -> Node:
    """Write a reaction."""
    arrow: Node = Symbol(pick(rng, ("rightarrow", "rightleftharpoons", "longrightarrow", "leftrightarrows")))
    if chance(rng, 0.3):
        above: Node = (
            Styled("mathrm", pick(rng, ("Pt", "Ni", "Pd", "HCl", "heat"))) if chance(rng, 0.6) else Symbol("Delta")
        )
        arrow = LabelledArrow("xrightarrow", above)
    sides: list[list[Node]] = [[], []]
    for side in sides:
        side.append(molecule(rng))
        if chance(rng, 0.7):
            side += [Plain("+"), molecule(rng)]
    gas = [Symbol(pick(rng, ("uparrow", "downarrow")))] if chance(rng, 0.25) else []
    return Row((*sides[0], arrow, *sides[1], *gas))


def stacked(rng: Rng, depth: int) -> Node:
    """Use braces with notes, marks over relations, long arrows, frames and strokes."""
    kind = rng.random()
    if kind < 0.3:
        note: Node = (
            Words(pick(rng, ("loss", "prior", "noise", "terms", "bias", "error"))) if chance(rng, 0.4) else leaf(rng)
        )
        braced = Braced(pick(rng, ("underbrace", "overbrace")), expression(rng, min(depth, 1)), note)
        return row(factor(rng, 1), Plain("="), braced, Plain("+"), term(rng, 1))
    if kind < 0.55:
        mark: Node = pick(rng, (Styled("mathrm", "def"), Digits("!"), Letter("d"), Styled("mathrm", "iid"), Plain("!")))
        mark = Plain("!") if isinstance(mark, Digits) else mark
        base = pick(
            rng, (Plain("="), Symbol("sim"), Symbol("rightarrow"), Symbol("leq"), Symbol("approx"), Symbol("geq"))
        )
        return row(
            factor(rng, 1), Stacked(pick(rng, ("overset", "overset", "underset")), mark, base), expression(rng, depth)
        )
    if kind < 0.8:
        items: list[Node] = [styled(rng)]
        for _ in range(int(rng.integers(1, 4))):
            under = index(rng) if chance(rng, 0.3) else None
            items += [LabelledArrow(pick(rng, _LONG_ARROWS), row(scripted(rng)), under), styled(rng)]
        return Row(tuple(items))
    if kind < 0.9:
        return Struck("boxed", equation(rng, min(depth, 1)))
    return row(Frac(row(Struck("cancel", name(rng)), name(rng)), Struck("cancel", leaf(rng))), Plain("="), name(rng))


def probability(rng: Rng, depth: int) -> Node:
    """Write expectations, probabilities and densities."""
    head: Node = pick(rng, (Styled("mathbb", "E"), Styled("mathbb", "P"), Function("Pr"), Letter("p"), Letter("P")))
    if isinstance(head, Styled) and chance(rng, 0.4):
        head = Script(head, sub=row(name(rng), Symbol("sim"), name(rng)))
    left, right = pick(rng, (("[", "]"), ("(", ")")))
    body = (
        row(factor(rng, min(depth, 1)), Symbol("mid"), name(rng))
        if chance(rng, 0.4)
        else expression(rng, min(depth, 1))
    )
    return row(head, Fence(left, right, body), relation(rng), expression(rng, depth))


def arithmetic(rng: Rng, depth: int) -> Node:
    """State a congruence, or evaluate between bounds."""
    if chance(rng, 0.5):
        return row(expression(rng, min(depth, 1)), Symbol("equiv"), leaf(rng), Modulus(name(rng)))
    body = Fence("", "|", expression(rng, min(depth, 1)))
    bounds = Script(body, sub=row(Letter("x"), Plain("="), leaf(rng)), sup=leaf(rng) if chance(rng, 0.4) else None)
    return row(bounds, Plain("="), leaf(rng))


def marks(rng: Rng, _depth: int) -> Node:
    """Use the rarer signs: angles, card suits, accidentals, dots, degrees."""
    sign = symbol(rng, tuple(command for command in symbols.MARKS if command not in ("prime", "forall", "exists")))
    other = Script(number_of(rng), sup=Symbol("circ")) if chance(rng, 0.3) else name(rng)
    return row(sign, name(rng), relation(rng), other, Plain(","), Gap(), greek(rng), relation(rng), name(rng))


def number_of(rng: Rng) -> Node:
    """Draw an angle's number."""
    return Digits(str(int(rng.integers(1, 361))))


FORMS: Mapping[str, tuple[float, Maker]] = MappingProxyType(
    {
        "equation": (6, equation),
        "bare": (1.5, bare),
        "series": (2.5, series),
        "matrix": (1.6, matrix),
        "cases": (1.2, cases),
        "aligned": (1.5, aligned),
        "mapping": (0.8, mapping),
        "logic": (0.7, logic),
        "sets": (0.7, sets),
        "words": (0.9, words),
        "listing": (0.7, listing),
        "chemistry": (0.7, chemistry),
        "stacked": (0.9, stacked),
        "probability": (0.9, probability),
        "arithmetic": (0.6, arithmetic),
        "marks": (0.5, marks),
    }
)


def formula(rng: Rng, depth: int) -> Node:
    """Grow one whole formula, nested at most about `depth` deep."""
    weights = [weight for weight, _ in FORMS.values()]
    chosen = int(rng.choice(len(weights), p=[weight / sum(weights) for weight in weights]))
    return tuple(FORMS.values())[chosen][1](rng, depth)
