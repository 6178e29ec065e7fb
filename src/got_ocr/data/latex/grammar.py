"""Grow random expressions: the parts that whole formulas (`forms`) are put together from.

Every function takes `rng` first and returns a tree; depth bounds nesting (0 gives leaves). Knows no notation and
no picture.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from got_ocr.data.latex import symbols
from got_ocr.data.latex.tree import (
    Accent,
    Bold,
    Digits,
    Fence,
    Frac,
    Function,
    Letter,
    Node,
    Plain,
    Root,
    Row,
    Script,
    Styled,
    Symbol,
)

T = TypeVar("T")
Rng = np.random.Generator

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BRACKETS = (("(", ")"), ("(", ")"), ("(", ")"), ("[", "]"), ("\\{", "\\}"))
_NORMS = (("|", "|"), ("\\|", "\\|"), ("\\langle", "\\rangle"), ("\\lfloor", "\\rfloor"), ("\\lceil", "\\rceil"))
# Alphabets and the characters that have a drawing of their own in them.
LETTERS_OF = (
    ("mathbb", "ABCDEFHKNPQRSTXYZ"),
    ("mathcal", UPPER),
    ("mathscr", "ABCDEFGHLMOPST"),
    ("mathfrak", "ABDFGHKMPSXabghlmpqsu"),
    ("mathrm", "ABCDGHIKLMOPQRSTUVWXYdefhkmst"),
    ("mathbf", "ABCDEFGHIJKLMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz01"),
    ("mathsf", "ABCDEFGHKLMNPQRSTVWXYZabdefghkmnpqrt"),
    ("mathtt", "ABCDEFGHKMNPQRSTXYZabdefghkmnpqrt"),
    ("boldsymbol", "ABCDEFGHKMNPQRSTVWXYZabcdefghkmnpqrstuvwxyz"),
)
_FUSSY = ("imath", "jmath")


def pick(rng: Rng, options: Sequence[T]) -> T:
    """Choose one option."""
    return options[int(rng.integers(len(options)))]


def chance(rng: Rng, probability: float) -> bool:
    """Throw a weighted coin."""
    return bool(rng.random() < probability)


def choose(rng: Rng, options: Sequence[tuple[float, Callable[[], Node]]]) -> Node:
    """Call one maker, chosen by weight."""
    weights = np.array([weight for weight, _ in options])
    return options[int(rng.choice(len(options), p=weights / weights.sum()))][1]()


def symbol(rng: Rng, table: Sequence[str]) -> Symbol:
    """Choose one command of a table."""
    return Symbol(pick(rng, table))


def row(*items: Node) -> Row:
    """Set parts side by side."""
    return Row(items)


def number(rng: Rng) -> Node:
    """Draw a number: mostly one digit, sometimes long or decimal."""
    kind = rng.random()
    if kind < 0.6:
        return Digits(str(int(rng.integers(10))))
    if kind < 0.85:
        return Digits(str(int(rng.integers(10, 10 ** int(rng.integers(2, 5))))))
    return Digits(f"{rng.integers(100)}.{rng.integers(1, 1000):0{int(rng.integers(1, 4))}d}")


def letter(rng: Rng) -> Node:
    """Draw an italic Latin letter."""
    return Letter(pick(rng, UPPER if chance(rng, 0.25) else LOWER))


def greek(rng: Rng) -> Node:
    """Draw a Greek letter, now and then bold."""
    chosen = symbol(rng, tuple(symbols.GREEK))
    return Bold(chosen) if chance(rng, 0.06) else chosen


def styled(rng: Rng) -> Node:
    """Draw a letter of a special alphabet."""
    command, characters = pick(rng, LETTERS_OF)
    return Styled(command, pick(rng, characters))


def letterlike(rng: Rng) -> Node:
    """Draw a sign that is used as a letter: infinity, nabla, ell."""
    chosen = symbol(rng, tuple(symbols.LETTERLIKE))
    return Accent(pick(rng, ("hat", "vec", "bar")), chosen) if chosen.command in _FUSSY else chosen


def name(rng: Rng) -> Node:
    """Draw anything that names a quantity."""
    return choose(
        rng,
        (
            (6, lambda: letter(rng)),
            (3, lambda: greek(rng)),
            (1.5, lambda: styled(rng)),
            (0.5, lambda: letterlike(rng)),
            (0.8, lambda: accented(rng)),
        ),
    )


def accented(rng: Rng) -> Node:
    """Draw a letter with a mark over it, or a short word under a wide one."""
    if chance(rng, 0.2):
        pair = row(*(Letter(pick(rng, "ABCXYabcmnuvxyz")) for _ in range(2)))
        return Accent(pick(rng, tuple(symbols.WIDE_ACCENTS)), pair)
    base: Node = Letter(pick(rng, "ABCDEFGHKLMNPQRSTUVWXYZabcdeghkmnopqrstuvwxyz"))
    if chance(rng, 0.25):
        base = Symbol(pick(rng, ("alpha", "beta", "theta", "lambda", "mu", "sigma", "phi", "psi", "omega", "rho")))
    return Accent(pick(rng, tuple(symbols.ACCENTS)), base)


def leaf(rng: Rng) -> Node:
    """Draw a number or a name."""
    return number(rng) if chance(rng, 0.25) else name(rng)


def index(rng: Rng) -> Node:
    """Draw what stands in a subscript."""
    return choose(
        rng,
        (
            (5, lambda: Letter(pick(rng, "ijklmnpqrstxy"))),
            (3, lambda: Digits(str(int(rng.integers(10))))),
            (1, lambda: greek(rng)),
            (1, lambda: row(Letter(pick(rng, "ijkmn")), Letter(pick(rng, "ijklm")))),
            (1, lambda: row(Letter(pick(rng, "ijknt")), Plain(pick(rng, "+-")), Digits(str(int(rng.integers(1, 4)))))),
            (0.5, lambda: row(Letter(pick(rng, "ik")), Plain(","), Letter(pick(rng, "jl")))),
            (0.7, lambda: Styled("mathrm", pick(rng, ("max", "min", "eff", "in", "out", "tot", "ref", "th", "ext")))),
        ),
    )


def power(rng: Rng) -> Node:
    """Draw what stands in a superscript."""
    return choose(
        rng,
        (
            (4, lambda: Digits(str(int(rng.integers(2, 10))))),
            (3, lambda: Letter(pick(rng, "abdijkmnpqrstx"))),
            (1.5, lambda: row(Plain("-"), pick(rng, (Digits("1"), Digits("2"), Letter("x"), Letter("n"))))),
            (1, lambda: Symbol(pick(rng, ("prime", "ast", "dagger", "circ", "infty", "top", "star", "perp")))),
            (1, lambda: row(Letter(pick(rng, "ikmn")), Plain(pick(rng, "+-")), Digits(str(int(rng.integers(1, 4)))))),
            (0.6, lambda: Fence("(", ")", index(rng))),
            (0.3, lambda: row(Symbol("prime"), Symbol("prime"))),
            (0.5, lambda: row(Letter(pick(rng, "np")), Plain("/"), Digits(str(int(rng.integers(2, 5)))))),
        ),
    )


def scripted(rng: Rng) -> Node:
    """Draw a name with a subscript, a superscript or both."""
    base = name(rng)
    kind = rng.random()
    if kind < 0.45:
        return Script(base, sub=index(rng))
    return Script(base, sup=power(rng)) if kind < 0.85 else Script(base, sub=index(rng), sup=power(rng))


def bracketed(rng: Rng, depth: int) -> Node:
    """Draw an expression in brackets, with a power now and then."""
    left, right = pick(rng, _BRACKETS)
    body = Fence(left, right, expression(rng, depth - 1))
    return Script(body, sup=power(rng)) if chance(rng, 0.35) else body


def norm(rng: Rng, depth: int) -> Node:
    """Draw an absolute value, norm, bracket, floor or ceiling."""
    left, right = pick(rng, _NORMS)
    if left == "\\langle":
        comma = pick(rng, (Plain(","), Symbol("mid")))
        return Fence(left, right, row(factor(rng, depth - 1), comma, factor(rng, depth - 1)))
    body = Fence(left, right, expression(rng, depth - 1))
    return Script(body, sub=index(rng), sup=power(rng)) if left == "\\|" and chance(rng, 0.4) else body


def applied(rng: Rng, depth: int) -> Node:
    """Draw a function of an argument: f(x), sin x, log_2 n, rank A."""
    kind = rng.random()
    if kind < 0.45:
        head: Node = Letter(pick(rng, "fghpquvFGHPQ")) if chance(rng, 0.6) else greek(rng)
        head = Script(head, sub=index(rng)) if chance(rng, 0.3) else head
        return row(head, Fence("(", ")", arguments(rng, depth - 1)))
    if kind < 0.8:
        function: Node = Function(pick(rng, symbols.FUNCTIONS))
        function = Script(function, sup=Digits(str(int(rng.integers(2, 5))))) if chance(rng, 0.2) else function
        return row(function, bracketless(rng, depth - 1))
    return row(Function(pick(rng, symbols.OPERATORS), known=False), Fence("(", ")", expression(rng, depth - 1)))


def bracketless(rng: Rng, depth: int) -> Node:
    """Draw the argument of sin, log and their like: a name, or an expression in parentheses."""
    return name(rng) if chance(rng, 0.55) else Fence("(", ")", expression(rng, depth))


def arguments(rng: Rng, depth: int) -> Node:
    """Draw one to three arguments with commas (or a bar before the last)."""
    parts = [factor(rng, depth) for _ in range(int(rng.integers(1, 4)))]
    marks = [Plain(",") for _ in parts[1:]]
    items: list[Node] = [parts[0]]
    for mark, part in zip(marks, parts[1:], strict=True):
        items += [Symbol("mid") if mark is marks[-1] and chance(rng, 0.2) else mark, part]
    return Row(tuple(items))


def fraction(rng: Rng, depth: int) -> Node:
    """Draw a fraction, a derivative or a binomial."""
    kind = rng.random()
    if kind < 0.7:
        return Frac(expression(rng, depth - 1), expression(rng, depth - 1))
    if kind < 0.85:
        mark: Node = Symbol("partial") if chance(rng, 0.5) else Letter("d")
        order = Script(mark, sup=Digits("2")) if chance(rng, 0.25) else mark
        below = Letter(pick(rng, "txyzrs"))
        bottom = row(mark, Script(below, sup=Digits("2")) if order is not mark else below)
        return Frac(row(order, leaf(rng) if chance(rng, 0.6) else Letter("f")), bottom)
    return Frac(leaf(rng), leaf(rng), binom=True)


def root(rng: Rng, depth: int) -> Node:
    """Draw a square root, or one with an index."""
    return Root(
        expression(rng, depth - 1), pick(rng, (Digits("3"), Digits("4"), Letter("n"))) if chance(rng, 0.3) else None
    )


def large(rng: Rng, depth: int) -> Node:
    """Draw a sum, product, union or their like with its bounds and term."""
    command = "sum" if chance(rng, 0.4) else pick(rng, tuple(symbols.LARGE))
    counter = Letter(pick(rng, "ijkmn"))
    if chance(rng, 0.7):
        lower: Node = row(counter, Plain("="), Digits(pick(rng, ("0", "1", "2"))))
        upper: Node | None = pick(rng, (Letter("n"), Letter("N"), Letter("m"), Symbol("infty"), Letter("K")))
    else:
        lower, upper = row(counter, Symbol("in"), Styled("mathcal", pick(rng, "SINAV"))), None
    return row(Script(Symbol(command), sub=lower, sup=upper), term(rng, depth - 1))


def integral(rng: Rng, depth: int) -> Node:
    """Draw an integral with its bounds and differential."""
    command = "int" if chance(rng, 0.6) else pick(rng, tuple(symbols.INTEGRALS))
    sign: Node = Symbol(command)
    if command == "int" and chance(rng, 0.7):
        sign = Script(sign, sub=row(Plain("-"), Symbol("infty")) if chance(rng, 0.25) else leaf(rng), sup=leaf(rng))
    elif chance(rng, 0.6):
        sign = Script(sign, sub=Letter(pick(rng, "CDSVRE")))
    variable = Letter(pick(rng, "txyzrsu")) if chance(rng, 0.8) else greek(rng)
    return row(sign, term(rng, depth - 1), Letter("d"), variable)


def limit(rng: Rng, depth: int) -> Node:
    """Draw lim, max, sup and their like with what stands under them."""
    function: Node = Function(pick(rng, symbols.LIMITS))
    if chance(rng, 0.2):
        function = Function(pick(rng, ("argmax", "argmin")), known=False)
    under = row(
        Letter(pick(rng, "xnthk")), Symbol("rightarrow"), pick(rng, (Digits("0"), Symbol("infty"), Letter("a")))
    )
    if chance(rng, 0.4):
        under = row(name(rng), Symbol("in"), styled(rng))
    return row(Script(function, sub=under), factor(rng, depth - 1))


def factor(rng: Rng, depth: int) -> Node:
    """Draw one factor of a product."""
    if depth <= 0:
        return scripted(rng) if chance(rng, 0.35) else leaf(rng)
    return choose(
        rng,
        (
            (3, lambda: leaf(rng)),
            (4, lambda: scripted(rng)),
            (1.2, lambda: bracketed(rng, depth)),
            (0.6, lambda: norm(rng, depth)),
            (2, lambda: fraction(rng, depth)),
            (0.9, lambda: root(rng, depth)),
            (1.3, lambda: applied(rng, depth)),
            (0.5, lambda: limit(rng, depth)),
        ),
    )


def term(rng: Rng, depth: int) -> Node:
    """Draw a product, or a sum or integral with all that it ranges over."""
    if depth > 0 and chance(rng, 0.12):
        return large(rng, depth) if chance(rng, 0.55) else integral(rng, depth)
    parts: list[Node] = [factor(rng, depth)]
    for _ in range(int(rng.choice(3, p=(0.55, 0.35, 0.1)))):
        following = factor(rng, depth - 1)
        if isinstance(following, Digits):  # two numbers side by side would read as one
            parts.append(Symbol(pick(rng, ("cdot", "times"))))
        parts.append(following)
    return Row(tuple(parts))


def expression(rng: Rng, depth: int) -> Node:
    """Draw one to three terms with operators between them."""
    items: list[Node] = [Plain("-")] if chance(rng, 0.06) else []
    items.append(term(rng, depth))
    for _ in range(int(rng.choice(3, p=(0.5, 0.38, 0.12)))):
        items += [operator(rng), term(rng, depth - 1)]
    return Row(tuple(items))


def operator(rng: Rng) -> Node:
    """Draw what stands between terms: mostly plus and minus."""
    kind = rng.random()
    if kind < 0.75:
        return Plain(pick(rng, "+-"))
    return symbol(rng, tuple(symbols.BINARY)) if kind < 0.95 else Plain("/")


def relation(rng: Rng) -> Node:
    """Draw what stands between the sides of a statement: mostly equals."""
    kind = rng.random()
    if kind < 0.5:
        return Plain("=")
    return symbol(rng, tuple(symbols.RELATIONS)) if kind < 0.9 else Plain(pick(rng, "<>"))
