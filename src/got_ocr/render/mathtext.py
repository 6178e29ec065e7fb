"""Words and odd commands inside a formula, rewritten into what the converter takes.

`\\text{...}` is read like running text (it may hold accents, styles and formulas of its own) and its characters are
shifted into a private range, so that no character of a word can be taken for a command; `restore` shifts them back.
Knows no MathML.
"""

import re
import unicodedata
from collections.abc import Callable

from got_ocr.render.inline import parse_inline
from got_ocr.render.latex import Source
from got_ocr.render.limits import MAX_DEPTH
from got_ocr.render.tree import Code, Inline, Maths, Styled, Text

_SHIFT = 0xE000
_PRIVATE = re.compile("[\ue000-\ue07f]")
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?|\\.", re.S)
_TEXTS = {
    **dict.fromkeys(("text", "textrm", "textsf", "textup", "textnormal", "mbox", "hbox", "textsc", "textmd"), "text"),
    **{"textbf": "textbf", "textit": "textit", "emph": "textit", "textsl": "textit", "texttt": "texttt"},
    **dict.fromkeys(("mathtext", "intertext", "shortintertext"), "text"),
}
_BUILDREL = re.compile(r"\\buildrel(?![a-zA-Z])(.{1,80}?)\\over(?![a-zA-Z])", re.S)
_SIMPLE_WORD = re.compile(r"[A-Za-z ]+\Z")


def restore(text: str) -> str:
    """Shift protected characters back."""
    return _PRIVATE.sub(lambda match: chr(ord(match.group()) - _SHIFT), text)


def protect(text: str) -> str:
    """Shift every ASCII character out of the reach of LaTeX."""
    return "".join(chr(ord(char) + _SHIFT) if char < "\x80" else char for char in text)


def expand_texts(source: str, depth: int = 0) -> str:
    """Rewrite words, references and commands that the converter does not know; the rest stays as it is."""
    if depth == 0:
        source = _BUILDREL.sub(r"\\stackrel{\1}", _PRIVATE.sub("\ufffd", source))
    if depth > MAX_DEPTH:
        return source
    reader, parts, start, at = Source(source), list[str](), 0, 0
    while match := _COMMAND.search(source, at):
        at = match.end()
        rewritten = _rewrite(reader, match, depth)
        if rewritten is not None:
            parts += (source[start : match.start()], rewritten[0])
            start = at = rewritten[1]
    return "".join(parts) + source[start:]


def _rewrite(reader: Source, match: re.Match[str], depth: int) -> tuple[str, int] | None:
    name = match[1] or ""
    if match.group() in ("\\-", "\\/"):
        return "", match.end()
    if name == "not":
        return _negated(reader, match.end())
    if _BIG.match(name):
        return _big(reader, match)
    if name in _TEXTS:
        argument = reader.braced(match.end())
        return None if argument is None else (_words(argument[0], _TEXTS[name], depth), argument[1])
    if name not in _ACTIONS:
        return None
    count, action = _ACTIONS[name]
    arguments, at = list[str](), reader.option(match.end())[1] if count else match.end()
    for _ in range(count):
        argument = reader.braced(at)
        if argument is None:
            return None
        arguments.append(argument[0])
        at = argument[1]
    return action(arguments, depth), at


def _words(content: str, command: str, depth: int) -> str:
    return "".join(_word(part, command, depth) for part in parse_inline(content, depth + 1))


def _word(part: Inline, command: str, depth: int) -> str:
    if isinstance(part, Maths):
        return "{" + expand_texts(part.source, depth + 1) + "}"
    if isinstance(part, Styled):
        inner = {"strong": "textbf", "em": "textit", "tt": "texttt"}.get(part.style, command)
        return "".join(_word(child, inner, depth + 1) for child in part.children)
    if isinstance(part, Text | Code):
        return f"\\{command}{{{protect(part.text)}}}"
    return "\\ "


def _literal(text: str) -> str:
    return f"\\text{{{protect(text)}}}"


def _operator(arguments: list[str], depth: int) -> str:
    """Keep plain names as operators; set others upright."""
    name = arguments[0].replace("\\,", " ").replace("\\ ", " ").replace("~", " ")
    if _SIMPLE_WORD.match(name):
        # The converter drops plain blanks from a name.
        thin = name.replace(" ", "\u2009")
        return f"\\operatorname{{{thin}}}"
    return f"{{\\mathrm{{{expand_texts(name, depth + 1)}}}}}"


def _fraction(arguments: list[str], depth: int) -> str:
    """Write amsmath's general fraction: fences, thickness of the line (0: none), style, upper and lower part."""
    opening, closing, line, _, *parts = arguments
    upper, lower = ("{" + expand_texts(part, depth + 1) + "}" for part in parts)
    whole = f"{{{upper}\\atop {lower}}}" if line.strip().startswith("0") else f"\\frac{upper}{lower}"
    return f"\\left{opening.strip() or '.'} {whole}\\right{closing.strip() or '.'} "


def _chemistry(arguments: list[str], depth: int) -> str:
    """Read the plain part of mhchem: counts below, charges above, arrows."""
    text = re.sub(r"(?<=[A-Za-z)\]])(\d+)", r"_{\1}", arguments[0])
    text = re.sub(r"\^(\d*[+-])", r"^{\1}", text)
    text = text.replace("<=>", "\\rightleftharpoons ").replace("->", "\\rightarrow ")
    return f"\\mathrm{{{expand_texts(text, depth + 1)}}}"


def _negated(reader: Source, at: int) -> tuple[str, int] | None:
    """Compose `\\not` with the sign behind it into one character."""
    argument = reader.argument(at)
    if argument is None:
        return None
    sign = _NEGATABLE.get(argument[0], argument[0])
    composed = unicodedata.normalize("NFC", sign + "\u0338") if len(sign) == 1 else sign
    return (composed, argument[1]) if len(composed) == 1 else None


def _big(reader: Source, match: re.Match[str]) -> tuple[str, int] | None:
    """Write a fence behind `\\big` and its like as the character that it is: no other fence is taken there."""
    fence = _FENCE.match(reader.text, match.end())
    if fence is None:
        return None
    name = fence[1]
    sign = "" if name == "." else name[1:] if name in ("\\{", "\\}") else _FENCES.get(name[1:])
    if sign is None:
        return None
    return (match.group() + " " + (protect(sign) if sign in "{}" else sign) if sign else ""), fence.end()


_BIG = re.compile(r"(?:big|Big|bigg|Bigg)[lrm]?\Z")
_FENCE = re.compile(r"\s*(\\[a-zA-Z]+|\\[{}|]|\.)")
_FENCES = {
    **dict.fromkeys(("|", "Vert", "lVert", "rVert"), "‖"),
    **dict.fromkeys(("vert", "lvert", "rvert"), "|"),
    **{"lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "langle": "⟨", "rangle": "⟩", "backslash": "∖"},
    **{"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "uparrow": "↑", "downarrow": "↓"},
    **{"updownarrow": "↕", "Uparrow": "⇑", "Downarrow": "⇓", "lgroup": "⟮", "rgroup": "⟯"},
}
_NEGATABLE = {
    **{"\\in": "∈", "\\ni": "∋", "\\equiv": "≡", "\\subset": "⊂", "\\supset": "⊃", "\\subseteq": "⊆", "\\sim": "∼"},
    **{"\\supseteq": "⊇", "\\mid": "∣", "\\parallel": "∥", "\\exists": "∃", "\\le": "≤", "\\ge": "≥", "\\leq": "≤"},
    **{"\\geq": "≥", "\\approx": "≈", "\\cong": "≅", "\\to": "→", "\\rightarrow": "→", "\\Rightarrow": "⇒"},
}
_Action = Callable[[list[str], int], str]


def _spelled(pattern: str) -> _Action:
    """Make the action that puts the arguments into a pattern: `<0>` is maths, `<0 text>` words."""

    def spell(arguments: list[str], depth: int) -> str:
        maths = {f"<{at}>": "{" + expand_texts(one, depth + 1) + "}" for at, one in enumerate(arguments)}
        words = {f"<{at} text>": _words(one, "text", depth) for at, one in enumerate(arguments)}
        return _SLOT.sub(lambda match: (maths | words)[match.group()], pattern)

    return spell


_SLOT = re.compile(r"<\d(?: text)?>")
# Commands outside the converter's dialect, in its words: (arguments, pattern).
_SPELLED = {
    **dict.fromkeys(("allowbreak", "nobreak", "relax", "null", "hfil", "newline", "protect", "break"), (0, " ")),
    **{
        name: (0, f"\\operatorname{{{name}}} ") for name in ("arg", "arccot", "sgn", "rank", "diag", "tr", "Tr", "sech")
    },
    **{"csch": (0, "\\operatorname{csch} "), "arcsec": (0, "\\operatorname{arcsec} "), "cr": (0, "\\\\ ")},
    **{"arccsc": (0, "\\operatorname{arccsc} "), "hdots": (0, "\\ldots "), "hdotsfor": (1, "\\ldots ")},
    **{"P": (0, "\\text{¶}"), "copyright": (0, "\\text{©}"), "dag": (0, "\\dagger "), "ddag": (0, "\\ddagger ")},
    **{"vcentcolon": (0, ":"), "shortparallel": (0, "\\parallel "), "overgroup": (1, "\\overparen<0>")},
    **{"overarc": (1, "\\overparen<0>"), "undergroup": (1, "\\underparen<0>"), "longdiv": (1, ")\\overline<0>")},
    **{"symbf": (1, "\\mathbf<0>"), "symup": (1, "\\mathrm<0>"), "symit": (1, "\\mathit<0>")},
    **{"Bra": (1, "\\left\\langle <0>\\right|"), "Ket": (1, "\\left|<0>\\right\\rangle ")},
    **{"abs": (1, "\\left|<0>\\right|"), "norm": (1, "\\left\\|<0>\\right\\|"), "set": (1, "\\left\\{<0>\\right\\}")},
    **dict.fromkeys(("nicefrac", "sfrac", "xfrac"), (2, "<0>/<1>")),
    **{"stackbin": (2, "\\overset<0><1>"), "cancelto": (2, "\\cancel<1>^<0>"), "enclose": (2, "\\boxed<1>")},
    **{"raisebox": (2, "<1 text>"), "parbox": (2, "<1 text>"), "makebox": (1, "<0 text>"), "framebox": (1, "<0 text>")},
    **{
        "textsuperscript": (1, "{}^{<0 text>}"),
        "textsubscript": (1, "{}_{<0 text>}"),
        "textcircled": (1, "(<0 text>)"),
    },
}
_DROPPED: _Action = lambda arguments, depth: ""  # noqa: E731 - one of a table of one-line actions
_LAST: _Action = lambda arguments, depth: "{" + expand_texts(arguments[-1], depth + 1) + "}"  # noqa: E731
_ACTIONS: dict[str, tuple[int, _Action]] = {
    **dict.fromkeys(("label", "require", "vspace"), (1, _DROPPED)),
    **dict.fromkeys(
        ("nonumber", "notag", "nolimits", "displaylimits", "hfill", "noindent", "centering"), (0, _DROPPED)
    ),
    **dict.fromkeys(("href", "class", "cssId", "style", "data", "htmlClass", "htmlId", "htmlStyle"), (2, _LAST)),
    **dict.fromkeys(("htmlData", "texorpdfstring"), (2, _LAST)),
    "ensuremath": (1, _LAST),
    "url": (1, lambda arguments, depth: _literal(arguments[0])),
    "includegraphics": (1, lambda arguments, depth: _literal(f"[{arguments[0]}]")),
    "tag": (1, lambda arguments, depth: "\\qquad" + _literal(f"({arguments[0]})")),
    "ref": (1, lambda arguments, depth: _literal(arguments[0])),
    "eqref": (1, lambda arguments, depth: _literal(f"({arguments[0]})")),
    "cite": (1, lambda arguments, depth: _literal(f"[{arguments[0]}]")),
    "operatorname": (1, _operator),
    "ce": (1, _chemistry),
    "genfrac": (6, _fraction),
    "prescript": (3, lambda a, depth: f"{{}}^{{{a[0]}}}_{{{a[1]}}}{{{expand_texts(a[2], depth + 1)}}}"),
    "mathbbm": (1, lambda arguments, depth: f"\\mathbb{{{arguments[0]}}}"),
    "mathds": (1, lambda arguments, depth: f"\\mathbb{{{arguments[0]}}}"),
    "coloneqq": (0, lambda arguments, depth: ":="),
    **{name: (count, _spelled(pattern)) for name, (count, pattern) in _SPELLED.items()},
}
