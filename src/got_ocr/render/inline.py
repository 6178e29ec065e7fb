"""One paragraph's characters -> inlines: maths, styles, links, footnotes, LaTeX commands, Markdown marks.

No text is lost: what is not understood stays as it was written. Knows no blocks; a table inside a line is read by
table.py.
"""

import re
from collections.abc import Callable

from got_ocr.errors import RenderFailed
from got_ocr.render.commands import read_command, read_escape
from got_ocr.render.limits import MAX_DEPTH
from got_ocr.render.reader import Reader, merged
from got_ocr.render.table import TABULARS, parse_table
from got_ocr.render.tree import Break, Code, Inline, Link, Maths, Nested, NoteMark, Picture, Style, Styled, Text

_TOKEN = re.compile(
    r"""
      (?P<newline>(?:\\\\\*?(?:\s*\[-?[\d.]+\s*[a-z]{2}\])?|\\newline(?![a-zA-Z])|<br\s*/?>)[ \t]*\n?[ \t]*)
    | (?P<soft>\n[ \t]*)
    | (?P<open>\\[(\[])
    | (?P<begin>\\begin\s*\{\s*[a-zA-Z]+\*?\s*\})
    | (?P<command>\\[a-zA-Z]+\*?)
    | (?P<escape>\\.)
    | (?P<dollar>\$\$?)
    | (?P<tick>`+)
    | (?P<mark>\*\*|__|~~|\*|_|</?(?:sub|sup)>)
    | (?P<note>\[\^[^\]\s]{1,40}\])
    | (?P<link>!?\[)
    | (?P<brace>\{)
    | (?P<tilde>~)
    | (?P<text>[^\\$`*_~!\[{\n<]+|.)
    """,
    re.X | re.S,
)
_MARK_STYLES: dict[str, Style] = {
    "**": "strong",
    "__": "strong",
    "*": "em",
    "_": "em",
    "~~": "s",
    "<sub>": "sub",
    "<sup>": "sup",
}
_CLOSERS = {"\\(": "\\)", "\\[": "\\]"}


def parse_inline(text: str, depth: int = 0) -> tuple[Inline, ...]:
    """Read one paragraph; below MAX_DEPTH groups the source is taken as it is."""
    if depth > MAX_DEPTH:
        return (Text(text),) if text else ()
    reader = Reader(text, lambda part: parse_inline(part, depth + 1))
    at = 0
    while match := _TOKEN.match(text, at):
        at = _HANDLERS[match.lastgroup or "text"](reader, match)
    return merged(reader.out)


def _newline(reader: Reader, match: re.Match[str]) -> int:
    return _break(reader, match, hard=True)


def _soft(reader: Reader, match: re.Match[str]) -> int:
    return _break(reader, match, hard=False)


def _break(reader: Reader, match: re.Match[str], *, hard: bool) -> int:
    if reader.out and isinstance(last := reader.out[-1], Text):
        reader.out[-1] = Text(last.text.rstrip(" \t"))
    reader.out.append(Break(hard))
    return match.end()


def _maths(reader: Reader, match: re.Match[str]) -> int:
    opener = match.group()
    close = reader.find(_CLOSERS[opener], match.end())
    if close < 0:
        reader.plain(opener)
        return match.end()
    reader.out.append(Maths(reader.text[match.end() : close].strip(), display=opener == "\\["))
    return close + 2


def _dollar(reader: Reader, match: re.Match[str]) -> int:
    """Take `$..$` as maths where no price can be meant: no space inside the marks, no digit behind the closing one."""
    mark, text, start = match.group(), reader.text, match.end()
    close = reader.find(mark, start)
    if len(mark) == 2 and close > start:
        reader.out.append(Maths(text[start:close].strip(), display=True))
        return close + 2
    closes = close > start and not text[start].isspace() and text[close - 1] not in " \t\n\\"
    if not closes or text[close + 1 : close + 2].isdigit():
        reader.plain(mark)
        return start
    reader.out.append(Maths(text[start:close]))
    return close + 1


def _begin(reader: Reader, match: re.Match[str]) -> int:
    """Read a table inside the line; any other environment is taken as a formula."""
    environment = reader.source.environment(match.start())
    if environment is None:
        reader.plain(match.group())
        return match.end()
    whole = reader.text[environment.start : environment.end]
    if environment.name not in TABULARS:
        reader.out.append(Maths(whole))
        return environment.end
    body = reader.text[environment.body_start : environment.body_end]
    try:
        reader.out.append(Nested(parse_table(environment.name, body, reader.below)))
    except RenderFailed:
        reader.out.append(Code(whole))
    return environment.end


def _tick(reader: Reader, match: re.Match[str]) -> int:
    """Read code between equal runs of ticks, or TeX's opening quote where two apostrophes close."""
    ticks, start = match.group(), match.end()
    close = reader.find(ticks, start)
    quote = reader.find("''", start) if ticks == "``" else -1
    if quote > 0 and not 0 < close < quote:
        reader.plain("“")
        reader.out.extend(reader.below(reader.text[start:quote]))
        reader.plain("”")
        return quote + 2
    if close <= start or "\n" in reader.text[start:close]:
        reader.plain(ticks)
        return start
    code = reader.text[start:close]
    reader.out.append(Code(code[1:-1] if code.strip() and code[0] == code[-1] == " " else code))
    return close + len(ticks)


def _mark(reader: Reader, match: re.Match[str]) -> int:
    """Open or close a style; a mark without partner stays a character."""
    mark, text = match.group(), reader.text
    tag = mark.startswith("<")
    before, behind = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    inner = mark in ("*", "_", "__")
    opener = mark.replace("/", "")
    closes = mark.startswith("</") if tag else bool(before.strip()) and not (inner and behind.isalnum())
    opens = not mark.startswith("</") if tag else bool(behind.strip()) and not (inner and before.isalnum())
    if closes and any(waiting == opener for waiting, _ in reader.marks):
        while True:
            waiting, place = reader.marks.pop()
            if waiting == opener:
                break
        children = merged(reader.out[place + 1 :])
        if children:
            reader.out[place:] = [Styled(_MARK_STYLES[opener], children)]
            return match.end()
    elif opens and len(reader.marks) < MAX_DEPTH:
        reader.marks.append((opener, len(reader.out)))
    reader.plain(mark)
    return match.end()


def _note(reader: Reader, match: re.Match[str]) -> int:
    reader.out.append(NoteMark(match.group()[2:-1], bracketed=True))
    return match.end()


_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,1000})\]\(\s*<?([^()\s<>]{0,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,200})?)>?[^()\n]{0,60}\)"
)


def _link(reader: Reader, match: re.Match[str]) -> int:
    link = _LINK.match(reader.text, match.start())
    if link is None:
        reader.plain(match.group())
        return match.end()
    if match.group().startswith("!"):
        reader.out.append(Picture(link.group(1) or link.group(2)))
    else:
        reader.out.append(Link(link.group(2), reader.below(link.group(1))))
    return link.end()


def _brace(reader: Reader, match: re.Match[str]) -> int:
    """Open a TeX group, `{\\bf x}`, or keep the brace of plain text, `{x, y}`."""
    group = reader.source.group(match.start())
    if group is None or not (group[0].lstrip().startswith("\\") or not group[0]):
        reader.plain("{")
        return match.end()
    reader.out.extend(reader.below(group[0]))
    return group[1]


def _tilde(reader: Reader, match: re.Match[str]) -> int:
    """Read LaTeX's tie in `Fig.~3` and `Dr.~A`; elsewhere a tilde is a tilde."""
    text, at = reader.text, match.start()
    ties = re.match(r"[A-Za-z.,)]~[\\A-Za-z0-9($]", text[max(0, at - 1) : at + 2]) is not None
    reader.plain("\u00a0" if ties else "~")
    return match.end()


def _text(reader: Reader, match: re.Match[str]) -> int:
    reader.plain(match.group())
    return match.end()


_HANDLERS: dict[str, Callable[[Reader, re.Match[str]], int]] = {
    "newline": _newline,
    "soft": _soft,
    "open": _maths,
    "begin": _begin,
    "command": read_command,
    "escape": read_escape,
    "dollar": _dollar,
    "tick": _tick,
    "mark": _mark,
    "note": _note,
    "link": _link,
    "brace": _brace,
    "tilde": _tilde,
    "text": _text,
}
