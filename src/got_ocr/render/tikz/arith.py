"""Arithmetic as TikZ writes it: numbers, lengths, functions in degrees. A parser of its own; nothing is ever executed.

A value is a number and, where a length unit stood in it, points: `2` is two units of the coordinate system, `2pt` is
not. Knows no path.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from got_ocr.errors import RenderFailed

CM = 28.45274  # points of TeX in a centimetre
UNITS = {
    "pt": 1.0,
    "cm": CM,
    "mm": CM / 10,
    "in": 72.27,
    "em": 10.0,
    "ex": 4.3,
    "bp": 1.00375,
    "px": 1.00375,
    "pc": 12.0,
    "sp": 1 / 65536,
}
MAX_LENGTH = 2_000
MAX_NESTING = 40
MAX_VALUE = 1e6
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3}(?![a-zA-Z]))?)"
    r"|(?P<unit>(?:pt|cm|mm|in|em|ex|bp|px|pc|sp)(?![a-zA-Z]))|(?P<name>[a-zA-Z][a-zA-Z0-9_]*)|(?P<macro>\\[a-zA-Z]+)|(?P<sign><=|>=|==|!=|&&|\|\||[-+*/^()!,<>?:°]))"
)


@dataclass(frozen=True, slots=True)
class Value:
    """A number; `length` says that it is in points."""

    number: float
    length: bool = False


def evaluate(text: str, names: Mapping[str, float] | None = None) -> Value:
    """Return what an expression says. names: variables without their backslash. Raises RenderFailed."""
    if len(text) > MAX_LENGTH:
        raise RenderFailed("an expression of the drawing is too long")
    parser = _Parser(_tokens(text), names or {})
    try:
        value = parser.condition()
    except RecursionError as error:
        raise RenderFailed("an expression of the drawing nests too deep") from error
    if parser.at != len(parser.tokens) or not math.isfinite(value.number):
        raise RenderFailed("an expression of the drawing cannot be read")
    return value


def number(text: str, names: Mapping[str, float] | None = None) -> float:
    """Return the number that an expression says, whatever its unit."""
    return evaluate(text, names).number


def length(text: str, names: Mapping[str, float] | None = None, unit: float = CM) -> float:
    """Return a length in points; a bare number counts units of `unit` points."""
    value = evaluate(text, names)
    return value.number if value.length else value.number * unit


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = list[tuple[str, str]](), 0
    text = text.replace("{", "(").replace("}", ")").strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RenderFailed("an expression of the drawing cannot be read")
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    return tokens


class _Parser:
    """Descend through condition, comparison, sum, product, power and atom."""

    def __init__(self, tokens: list[tuple[str, str]], names: Mapping[str, float]) -> None:
        self.tokens = tokens
        self.names = names
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *signs: str) -> str:
        sign = self.peek()
        if sign in signs and sign:
            self.at += 1
            return sign
        return ""

    def condition(self) -> Value:
        value = self.comparison()
        if self.take("?"):
            first = self.condition()
            self.take(":")
            second = self.condition()
            return first if value.number else second
        return value

    def comparison(self) -> Value:
        value = self.sum()
        while sign := self.take("<", ">", "==", "<=", ">=", "!=", "&&", "||"):
            value = Value(float(_COMPARE[sign](value.number, self.sum().number)))
        return value

    def sum(self) -> Value:
        value = self.product()
        while sign := self.take("+", "-"):
            other = self.product()
            result = value.number + other.number if sign == "+" else value.number - other.number
            value = Value(result, value.length or other.length)
        return value

    def product(self) -> Value:
        value = self.signed()
        while sign := self.take("*", "/"):
            other = self.signed()
            if sign == "/" and other.number == 0:
                raise RenderFailed("an expression of the drawing divides by zero")
            result = value.number * other.number if sign == "*" else value.number / other.number
            value = Value(result, value.length or other.length)
        # `r` means that what stands before it is radians: TikZ's functions take degrees.
        return Value(math.degrees(value.number)) if self.take("r") else value

    def signed(self) -> Value:
        negative = False
        while sign := self.take("-", "+"):
            negative ^= sign == "-"
        value = self.power()
        return Value(-value.number, value.length) if negative else value

    def power(self) -> Value:
        value = self.postfix()
        if self.take("^"):
            exponent = self.signed()
            return Value(_power(value.number, exponent.number), value.length)
        return value

    def postfix(self) -> Value:
        value = self.atom()
        while self.at < len(self.tokens) and self.tokens[self.at][0] == "unit":
            value = Value(value.number * UNITS[self.peek()], True)
            self.at += 1
        self.take("°")
        return value

    def atom(self) -> Value:
        if self.at >= len(self.tokens):
            raise RenderFailed("an expression of the drawing ends too early")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Value(float(text))
        if text == "(":
            return self.inner()
        if text == "!":
            return Value(float(not self.atom().number))
        if kind in ("name", "macro"):
            return self.named(text.removeprefix("\\"))
        raise RenderFailed("an expression of the drawing cannot be read")

    def inner(self) -> Value:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise RenderFailed("an expression of the drawing nests too deep")
        value = self.condition()
        self.take(")")
        self.depth -= 1
        return value

    def named(self, name: str) -> Value:
        if name in self.names:
            return Value(self.names[name])
        if name in _CONSTANTS:
            return Value(_CONSTANTS[name])
        if name not in _FUNCTIONS:
            raise RenderFailed("an expression of the drawing names something unknown")
        return _call(name, self.arguments())

    def arguments(self) -> list[Value]:
        """Read `(a, b)`, or one factor where no parenthesis stands: `sin 30`."""
        if not self.take("("):
            return [self.signed()]
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise RenderFailed("an expression of the drawing nests too deep")
        found = [self.condition()]
        while self.take(","):
            found.append(self.condition())
        self.take(")")
        self.depth -= 1
        return found


def _power(base: float, exponent: float) -> float:
    try:
        result = base**exponent
    except (OverflowError, ZeroDivisionError) as error:
        raise RenderFailed("an expression of the drawing grows without bound") from error
    if isinstance(result, complex):
        raise RenderFailed("an expression of the drawing has no real value")
    return float(result)


def _call(name: str, arguments: list[Value]) -> Value:
    try:
        result = _FUNCTIONS[name](*(value.number for value in arguments))
    except (ValueError, OverflowError, ZeroDivisionError, TypeError) as error:
        raise RenderFailed("a function of the drawing has no value there") from error
    return Value(
        float(result), any(value.length for value in arguments) and name in ("abs", "min", "max", "veclen", "mod")
    )


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "==": lambda a, b: abs(a - b) < 1e-9,
    "!=": lambda a, b: abs(a - b) >= 1e-9,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "&&": lambda a, b: bool(a and b),
    "||": lambda a, b: bool(a or b),
}
_CONSTANTS = {"pi": math.pi, "e": math.e, "true": 1.0, "false": 0.0}


def _turn(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda degrees: function(math.radians(degrees))


_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sin": _turn(math.sin),
    "cos": _turn(math.cos),
    "tan": _turn(math.tan),
    "cot": lambda d: 1 / math.tan(math.radians(d)),
    "sec": lambda d: 1 / math.cos(math.radians(d)),
    "cosec": lambda d: 1 / math.sin(math.radians(d)),
    "asin": lambda v: math.degrees(math.asin(v)),
    "acos": lambda v: math.degrees(math.acos(v)),
    "atan": lambda v: math.degrees(math.atan(v)),
    "atan2": lambda y, x: math.degrees(math.atan2(y, x)),
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "ln": math.log,
    "log10": math.log10,
    "log2": math.log2,
    "log": math.log,
    "abs": abs,
    "int": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda v: math.floor(v + 0.5),
    "frac": lambda v: v - math.trunc(v),
    "sign": lambda v: (v > 0) - (v < 0),
    "deg": math.degrees,
    "rad": math.radians,
    "mod": math.fmod,
    "Mod": lambda a, b: a - b * math.floor(a / b),
    "pow": lambda a, b: _power(a, b),
    "min": min,
    "max": max,
    "veclen": math.hypot,
    "factorial": lambda v: math.factorial(int(v)) if 0 <= v <= 20 else math.inf,
    "ifthenelse": lambda a, b, c: b if a else c,
}
