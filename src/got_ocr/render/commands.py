"""LaTeX commands of running text -> inlines: styles, accents, references, signs. What is unknown stays as written."""

import re
from collections.abc import Callable

from got_ocr.render import symbols
from got_ocr.render.reader import Reader
from got_ocr.render.tree import Inline, Link, Maths, Note, NoteMark, Picture, Style, Styled, Text


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STYLE_COMMANDS: dict[str, Style | None] = {
    **dict.fromkeys(("textbf", "strong", "bfseries", "bf"), "strong"),
    **dict.fromkeys(("textit", "emph", "textsl", "itshape", "it", "em", "slshape", "sl"), "em"),
    **dict.fromkeys(("underline", "uline"), "u"),
    **dict.fromkeys(("texttt", "ttfamily", "tt"), "tt"),
    **dict.fromkeys(("textsc", "scshape", "sc"), "sc"),
    **dict.fromkeys(("sout", "st"), "s"),
    "textsuperscript": "sup",
    "textsubscript": "sub",
    **dict.fromkeys(("textrm", "textsf", "textup", "textmd", "textnormal", "text", "mbox", "hbox", "fbox", "makecell")),
    **dict.fromkeys(("thead", "shortstack", "textquote", "enquote", "thanks", "caption", "ce", "boxed", "protect")),
}
_DECLARATIONS = _names("bfseries bf itshape it em slshape sl ttfamily tt scshape sc")
_SILENT = _names(
    """noindent centering raggedright raggedleft par hline maketitle clearpage newpage pagebreak indent smallskip
    medskip bigskip protect displaystyle textstyle tiny scriptsize footnotesize small normalsize large Large
    LARGE huge Huge rmfamily sffamily normalfont upshape mdseries hfil relax left right selectfont toprule
    midrule bottomrule"""
)
_SILENT_WITH_ARGUMENT = _names(
    "label vspace hspace vskip color pagestyle thispagestyle bibliographystyle phantom rule footnotesize index"
)
_SPACES = {
    "and": "\u2003",
    "quad": "\u2003",
    "qquad": "\u2003\u2003",
    "enspace": "\u2002",
    "thinspace": "\u2009",
    "hfill": "\u2003",
}
_MATH_COMMANDS = {"frac": 2, "dfrac": 2, "tfrac": 2, "sqrt": 1, "overline": 1, "mathbf": 1, "mathrm": 1, "mathbb": 1}
_MATH_COMMANDS.update({"mathcal": 1, "vec": 1, "hat": 1, "bar": 1, "overrightarrow": 1, "widehat": 1, "binom": 2})


def read_escape(reader: Reader, match: re.Match[str]) -> int:
    """Read a backslash before a sign: escaped by LaTeX or Markdown, a space, a hyphenation point or an accent."""
    mark = match.group()[1]
    behind = reader.text[match.end() : match.end() + 1]
    if mark == "-" and behind.isalpha() and reader.text[match.start() - 1 : match.start()].isalpha():
        return match.end()
    if mark in symbols.ESCAPED or (
        mark in symbols.MARKDOWN_ESCAPED and mark != "!" and not (behind.isalpha() or behind in "\\{")
    ):
        reader.plain(mark)
        return match.end()
    if mark in ",;:!":
        reader.plain({"!": "", ",": "\u2009"}.get(mark, " "))
        return match.end()
    return _accented(reader, mark, match)


def _accented(reader: Reader, mark: str, match: re.Match[str]) -> int:
    argument = reader.source.argument(match.end())
    base = argument[0] if argument else ""
    if base.startswith("\\"):
        base = symbols.character(base[1:]) or ""
    composed = symbols.accent(mark, base) if base[:1].isalpha() else None
    if composed is None or argument is None:
        reader.plain(mark if mark in symbols.MARKDOWN_ESCAPED else match.group())
        return match.end()
    reader.plain(composed)
    return argument[1]


def read_command(reader: Reader, match: re.Match[str]) -> int:
    """Read a command by the first rule that knows it; return the offset behind it."""
    name = match.group()[1:].rstrip("*")
    for rule in (_style, _declaration, _silent, _reference, _special, _character, _mathematical):
        end = rule(reader, name, match)
        if end is not None:
            return end
    return _unknown(reader, match)


def _style(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    if name not in _STYLE_COMMANDS:
        return None
    argument = reader.source.braced(match.end())
    if argument is None:
        return None
    children, style = reader.below(argument[0]), _STYLE_COMMANDS[name]
    reader.out.extend((Styled(style, children),) if style and children else children)
    return argument[1]


def _declaration(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    """Style what follows until the group's end: `{\\bf all this}`."""
    style = _STYLE_COMMANDS.get(name)
    if name not in _DECLARATIONS or style is None:
        return None
    children = reader.below(reader.text[match.end() :].lstrip(" "))
    if children:
        reader.out.append(Styled(style, children))
    return len(reader.text)


def _silent(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    if name in _SPACES:
        reader.plain(_SPACES[name])
        return match.end()
    if name in _SILENT_WITH_ARGUMENT:
        argument = reader.source.braced(match.end())
        return argument[1] if argument else match.end()
    return reader.source.skip_space(match.end()) if name in _SILENT else None


def _reference(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    """Read references, citations, footnotes, links and pictures."""
    if name not in _REFERENCES:
        return None
    _, start = reader.source.option(match.end())
    argument = reader.source.braced(start)
    if argument is None:
        return None
    content, end = argument
    if name == "href":
        label = reader.source.braced(end)
        reader.out.append(Link(content, reader.below(label[0]) if label else (Text(content),)))
        return label[1] if label else end
    reader.out.append(_REFERENCES[name](reader, content))
    return end


_REFERENCES: dict[str, Callable[[Reader, str], Inline]] = {
    "href": lambda reader, text: Text(text),
    "url": lambda reader, text: Link(text, (Text(text),)),
    "footnote": lambda reader, text: Note(reader.below(text)),
    "footnotemark": lambda reader, text: NoteMark(text),
    "includegraphics": lambda reader, text: Picture(text),
    "eqref": lambda reader, text: Text(f"({text})"),
    **dict.fromkeys(("ref", "pageref", "autoref", "cref", "Cref"), lambda reader, text: Text(text)),
    **dict.fromkeys(("cite", "citep", "citet", "citeauthor"), lambda reader, text: Text(f"[{text}]")),
}


def _special(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    """Read commands whose first argument is not text: `\\textcolor{red}{word}`, `\\multicolumn{2}{c}{word}`."""
    skipped = {"textcolor": 1, "colorbox": 1, "multicolumn": 2, "multirow": 2, "raisebox": 1, "parbox": 1, "item": 0}
    if name == "footnotemark":
        mark, end = reader.source.option(match.end())
        reader.out.append(NoteMark(mark or "*"))
        return end
    if name not in skipped or name == "item":
        return None
    _, at = reader.source.option(match.end())
    for _ in range(skipped[name]):
        argument = reader.source.braced(at)
        if argument is None:
            return None
        at = argument[1]
    _, at = reader.source.option(at)
    argument = reader.source.braced(at)
    if argument is None:
        return None
    reader.out.extend(reader.below(argument[0]))
    return argument[1]


def _character(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    character = symbols.character(name)
    if character is None:
        return _accented_letter(reader, name, match)
    reader.plain(character)
    end = match.end()
    if reader.text.startswith("{}", end):
        return end + 2
    # TeX eats the blank behind a command's name; only where a letter follows was it needed to end the name.
    return end + 1 if re.match(r" [a-z]", reader.text[end : end + 2]) and character.isalpha() else end


def _accented_letter(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    if len(name) != 1 or symbols.accent(name, "a") is None:
        return None
    return _accented(reader, name, match)


def _mathematical(reader: Reader, name: str, match: re.Match[str]) -> int | None:
    """Take a formula's command outside maths as a formula: `\\frac{1}{2}`."""
    at = match.end()
    if name not in _MATH_COMMANDS:
        return None
    for _ in range(_MATH_COMMANDS[name]):
        argument = reader.source.braced(at)
        if argument is None:
            return None
        at = argument[1]
    reader.out.append(Maths(reader.text[match.start() : at]))
    return at


def _unknown(reader: Reader, match: re.Match[str]) -> int:
    reader.plain(match.group())
    argument = reader.source.group(match.end())
    if argument is None:
        return match.end()
    reader.plain("{")
    reader.out.extend(reader.below(argument[0]))
    reader.plain("}")
    return argument[1]
