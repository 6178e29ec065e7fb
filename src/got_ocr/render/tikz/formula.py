"""A short formula's LaTeX -> a box: letters in italics, scripts, fractions, roots, accents. Knows no node.

Only what labels of drawings need; a command that is not known stands as its name, so no text is lost.
"""

import re
from dataclasses import replace

from got_ocr.render import symbols
from got_ocr.render.latex import Source
from got_ocr.render.limits import MAX_DEPTH
from got_ocr.render.mathmend import letter
from got_ocr.render.tikz.box import Box, Font, Mark, over, row, shifted, space, word

_TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[ \t\n]+|[0-9.,]*[0-9]|.", re.S)
_RELATIONS = frozenset("=<>≤≥≠≈≡∼≅∝∈∉⊂⊆⊥∥→⇒⇔←↔↦")
_BINARY = frozenset("+−±∓×÷⋅·∗∘∪∩")
_FUNCTIONS = frozenset(
    (
        *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "ln"),
        *("exp", "lim", "max", "min", "sup", "inf", "det", "dim", "ker", "deg", "gcd", "arg", "lg"),
    )
)
_UPRIGHT = frozenset(
    ("mathrm", "text", "textrm", "mbox", "operatorname", "mathsf", "textsf", "textup", "hbox", "mathup")
)
_BOLD = frozenset(("mathbf", "textbf", "boldsymbol", "bm", "pmb"))
_ALPHABETS = {"mathbb": "DOUBLE-STRUCK", "mathcal": "SCRIPT", "mathscr": "SCRIPT", "mathfrak": "FRAKTUR"}
_SPACES = {",": 0.17, ":": 0.22, ";": 0.28, "!": -0.17, " ": 0.25, "quad": 1.0, "qquad": 2.0, "enspace": 0.5}
_IGNORED = frozenset(
    ("displaystyle", "textstyle", "left", "right", "big", "Big", "bigg", "Bigg", "limits", "bigl", "bigr")
)
_ACCENTS = frozenset(("overline", "bar", "vec", "overrightarrow", "hat", "widehat", "tilde", "dot", "underline"))
_ACCENTS |= frozenset(("ddot", "widetilde", "overleftarrow", "overleftrightarrow", "wideparen", "overarc", "overparen"))


def set_formula(source: str, font: Font, depth: int = 0) -> Box:
    """Return a formula as one box."""
    return _Setter(source, font, depth).run()


class _Setter:
    """Set one list of atoms with their scripts."""

    def __init__(self, source: str, font: Font, depth: int) -> None:
        self.text = source
        self.source = Source(source)
        self.font = font
        self.depth = depth
        self.boxes: list[Box] = []
        self.last: Box | None = None

    def run(self) -> Box:
        if self.depth > MAX_DEPTH:
            return word(self.text, self.font)
        at = 0
        while match := _TOKEN.match(self.text, at):
            at = self._take(match.group(), match.end())
        return row(self.boxes)

    def put(self, box: Box) -> None:
        self.boxes.append(box)

    def below(self, source: str, scale: float = 1.0) -> Box:
        font = replace(self.font, size=max(3.0, self.font.size * scale))
        return set_formula(source, font, self.depth + 1)

    def _take(self, piece: str, at: int) -> int:
        if piece.isspace() or piece in "{}$&":
            group = self.source.group(at - 1) if piece == "{" else None
            if group is None:
                return at
            self.put(self.below(group[0]))
            return group[1]
        if piece in "^_":
            return self._scripts(piece, at)
        if piece.startswith("\\"):
            return self._command(piece[1:].rstrip("*"), at)
        self.put(self._sign(piece))
        return at

    def _sign(self, piece: str) -> Box:
        """Set a letter in italics, a digit upright, an operator with the space it asks for."""
        piece = {"-": "−", "*": "∗", "'": "′"}.get(piece, piece)
        font = replace(self.font, italic=piece.isalpha() and piece.isascii(), bold=self.font.bold)
        box = word(piece, font)
        if piece == "′":
            return shifted(box, 0.0, 0.0)
        open_before = bool(self.boxes and self.boxes[-1].width)
        gap = 0.28 if piece in _RELATIONS else 0.2 if piece in _BINARY and open_before else 0.0
        pad = space(gap * self.font.size) if gap and self.depth < 2 else space(0.0)
        return row((pad, box, pad)) if gap else box

    def _scripts(self, piece: str, at: int) -> int:
        """Set one or both scripts of the atom before."""
        found: dict[str, Box] = {}
        while piece and piece in "^_" and piece not in found:
            argument = self.source.argument(at)
            content, at = argument if argument else ("", at)
            found[piece] = self.below("°" if content in ("\\circ", "∘") and piece == "^" else content, 0.72)
            piece = self.text[at : at + 1]
            at += piece in ("^", "_") and piece not in found
        base = self.boxes.pop() if self.boxes else Box()
        up, down = found.get("^", Box()), found.get("_", Box())
        size = self.font.size
        rise = max(0.36 * size, base.height - 0.25 * size)
        parts = [(0.0, 0.0, base), (base.width + 0.04 * size, rise, up)]
        parts.append((base.width + 0.02 * size, -max(0.17 * size, base.depth), down))
        self.put(over(parts, base.width + max(up.width, down.width) + 0.06 * size))
        return at

    def _command(self, name: str, at: int) -> int:
        if name in ("frac", "dfrac", "tfrac", "cfrac", "binom"):
            return self._fraction(name, at)
        if name == "sqrt":
            return self._root(at)
        if name in _ACCENTS:
            return self._accent(name, at)
        if name in _UPRIGHT or name in _BOLD or name in _ALPHABETS or name in ("mathit", "textit", "emph"):
            return self._alphabet(name, at)
        if name in _SPACES:
            self.put(space(_SPACES[name] * self.font.size))
        elif name in _FUNCTIONS:
            self.put(row((word(name, self.font), space(0.17 * self.font.size))))
        elif name not in _IGNORED:
            self._symbol(name)
        return at

    def _symbol(self, name: str) -> None:
        sign = symbols.greek().get(name) or symbols.maths().get(name) or symbols.text().get(name)
        if sign is None and len(name) == 1 and not name.isalnum():
            sign = "‖" if name == "|" else name
        if sign is None:
            self.put(word(name, self.font))
        elif name in symbols.greek() and name[0].islower():
            self.put(word(sign, replace(self.font, italic=True)))
        else:
            self.put(self._sign(sign))

    def _arguments(self, count: int, at: int) -> tuple[list[str], int]:
        found = []
        for _ in range(count):
            argument = self.source.argument(at)
            content, at = argument if argument else ("", at)
            found.append(content)
        return found, at

    def _fraction(self, name: str, at: int) -> int:
        (upper, lower), at = self._arguments(2, at)
        size = self.font.size
        scale = 1.0 if name == "dfrac" else 0.75
        top, bottom = self.below(upper, scale), self.below(lower, scale)
        width = max(top.width, bottom.width) + 0.2 * size
        axis = 0.25 * size
        parts = [
            ((width - top.width) / 2, axis + 0.14 * size + top.depth, top),
            ((width - bottom.width) / 2, axis - 0.16 * size - bottom.height, bottom),
        ]
        box = over(parts, width)
        if name == "binom":
            self.put(row((word("(", self.font), box, word(")", self.font))))
        else:
            bar = Mark(((0.04 * size, axis), (width - 0.04 * size, axis)), 0.045 * size)
            self.put(replace(box, marks=(*box.marks, bar)))
        return at

    def _root(self, at: int) -> int:
        index, at = self.source.option(at)
        (content,), at = self._arguments(1, at)
        inner, size = self.below(content), self.font.size
        top, foot = inner.height + 0.14 * size, -inner.depth
        order = self.below(index, 0.55) if index else Box()
        start = max(0.0, order.width - 0.25 * size)
        hook = (
            (start, foot + 0.35 * size),
            (start + 0.14 * size, foot + 0.42 * size),
            (start + 0.34 * size, foot - 0.06 * size),
            (start + 0.58 * size, top),
            (start + 0.66 * size + inner.width, top),
        )
        parts = [(start + 0.62 * size, 0.0, inner), (0.0, foot + 0.55 * size, order)]
        box = over(parts, start + 0.7 * size + inner.width)
        self.put(replace(box, height=top, marks=(*box.marks, Mark(hook, 0.05 * size))))
        return at

    def _accent(self, name: str, at: int) -> int:
        (content,), at = self._arguments(1, at)
        inner, size = self.below(content), self.font.size
        top = inner.height + 0.1 * size
        marks = tuple(
            Mark(points, 0.045 * size) for points in _accent_strokes(name, inner.width, top, -inner.depth, size)
        )
        rise = 0.22 * size if name not in ("underline",) else 0.0
        self.put(replace(inner, height=inner.height + rise, marks=(*inner.marks, *marks)))
        return at

    def _alphabet(self, name: str, at: int) -> int:
        (content,), at = self._arguments(1, at)
        if name in _ALPHABETS:
            self.put(word("".join(letter(char, _ALPHABETS[name]) for char in content), self.font))
        elif name in _BOLD and not re.fullmatch(r"[\w\s.,-]*", content):
            self.put(set_formula(content, replace(self.font, bold=True), self.depth + 1))
        else:
            plain = re.sub(r"\\([%&$#_{} ])", r"\1", content).replace("~", " ")
            font = replace(self.font, bold=self.font.bold or name in _BOLD, italic=name in ("mathit", "textit", "emph"))
            self.put(word(plain.replace("$", ""), font))
        return at


Stroke = tuple[tuple[float, float], ...]


def _accent_strokes(name: str, width: float, top: float, foot: float, size: float) -> list[Stroke]:
    tip = 0.12 * size
    middle = width / 2
    if name == "vec" or "arrow" in name:
        return _arrow_strokes(name, width, top + tip, tip)
    if name in ("hat", "widehat"):
        reach = middle if name == "widehat" else min(middle, 0.2 * size)
        return [((middle - reach, top), (middle, top + 1.5 * tip), (middle + reach, top))]
    if name in ("dot", "ddot"):
        places = (middle,) if name == "dot" else (middle - tip, middle + tip)
        return [((x - 0.02 * size, top + tip), (x + 0.02 * size, top + tip)) for x in places]
    if name in ("tilde", "widetilde"):
        reach, low, high = 1.6 * tip, top + 0.5 * tip, top + 1.3 * tip
        xs = (middle - reach, middle - reach / 2, middle + reach / 2, middle + reach)
        return [tuple(zip(xs, (low, high, low, high), strict=True))]
    if name in ("wideparen", "overarc", "overparen"):
        return [((0.0, top), (width * 0.25, top + 1.4 * tip), (width * 0.75, top + 1.4 * tip), (width, top))]
    y = foot - 0.1 * size if name == "underline" else top
    return [((0.0, y), (width, y))]


def _arrow_strokes(name: str, width: float, y: float, tip: float) -> list[Stroke]:
    strokes: list[Stroke] = [((0.0, y), (width, y))]
    if "left" in name:
        strokes.append(((tip * 1.3, y + tip), (0.0, y), (tip * 1.3, y - tip)))
    if "right" in name or name == "vec":
        strokes.append(((width - tip * 1.3, y + tip), (width, y), (width - tip * 1.3, y - tip)))
    return strokes
