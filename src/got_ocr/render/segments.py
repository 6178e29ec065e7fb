"""A document's text -> pieces: running text, environments, displayed formulas, fenced code, block commands.

One pass from left to right; running text keeps its line ends for blocks.py. Knows no meaning of an environment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from got_ocr.render.latex import Source

BLOCK_COMMANDS = frozenset(
    (
        *("title", "author", "date", "part", "chapter", "section", "subsection", "subsubsection", "paragraph"),
        *("subparagraph", "caption", "footnotetext", "includegraphics", "bibitem", "keywords", "affiliation"),
    )
)
_CONSTRUCT = re.compile(
    r"""
      (?P<newline>\\\\(?:\*?\s*\[[^\]\n]{0,20}\])?)
    | (?P<begin>\\begin\s*\{\s*[a-zA-Z]+\*?\s*\})
    | (?P<display>\\\[)
    | (?P<inline>\\\()
    | (?P<command>\\(?P<name>[a-zA-Z]+)\*?)
    | \\.
    | (?P<dollars>\$\$)
    | (?P<fence>^(?P<ticks>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]{0,30})[^\n`]*$)
    | (?P<code>`[^`\n]+`)
    """,
    re.X | re.M | re.S,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """kind: text, environment, display, fence or command; name: of the environment, language or command."""

    kind: str
    text: str
    name: str = ""
    option: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """Cut a document at everything that cannot stand inside a paragraph."""
    cutter = _Cutter(text)
    at = start = 0
    while match := _CONSTRUCT.search(text, at):
        found = cutter.read(match)
        if isinstance(found, int):
            at = found
            continue
        piece, end = found
        if start < match.start():
            yield Piece("text", text[start : match.start()])
        yield piece
        start = at = end
    if start < len(text):
        yield Piece("text", text[start:])


class _Cutter:
    """Read the construct at a match: a piece and its end, or the offset to go on from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.source = Source(text)
        self.absent: set[str] = set()

    def read(self, match: re.Match[str]) -> tuple[Piece, int] | int:
        kind = match.lastgroup
        if kind == "begin":
            return self._environment(match)
        if kind in ("display", "dollars"):
            return self._display(match)
        if kind == "command":
            return self._command(match)
        if kind == "fence":
            return self._fence(match)
        if kind == "inline":
            close = self._find("\\)", match.end())
            return close + 2 if close > 0 and "\n\n" not in self.text[match.end() : close] else match.end()
        return match.end()

    def _find(self, mark: str, at: int) -> int:
        if mark in self.absent:
            return -1
        found = self.text.find(mark, at)
        if found < 0:
            self.absent.add(mark)
        return found

    def _environment(self, match: re.Match[str]) -> tuple[Piece, int] | int:
        environment = self.source.environment(match.start())
        if environment is None:
            return match.end()
        body = self.text[environment.body_start : environment.body_end]
        return Piece("environment", body, environment.name), environment.end

    def _display(self, match: re.Match[str]) -> tuple[Piece, int] | int:
        """Take a formula to its end mark; one that was never closed ends with its paragraph."""
        close = self._find("\\]" if match["display"] else "$$", match.end())
        if close >= 0:
            return Piece("display", self.text[match.end() : close]), close + 2
        if match["dollars"]:
            return match.end()
        blank = self._find("\n\n", match.end())
        end = blank if blank >= 0 else len(self.text)
        return Piece("display", self.text[match.end() : end]), end

    def _command(self, match: re.Match[str]) -> tuple[Piece, int] | int:
        if match["name"] not in BLOCK_COMMANDS:
            return match.end()
        option, at = self.source.option(match.end())
        argument = self.source.braced(at)
        if argument is None:
            return match.end()
        return Piece("command", argument[0], match["name"], option or ""), argument[1]

    def _fence(self, match: re.Match[str]) -> tuple[Piece, int] | int:
        """Take code to a line that begins with the same marks, or to the end."""
        close = self._find("\n" + match["ticks"], match.end() - 1)
        body_end = close if close >= 0 else len(self.text)
        line_end = self.text.find("\n", body_end + 1)
        end = line_end if close >= 0 and line_end >= 0 else len(self.text)
        return Piece("fence", self.text[match.end() + 1 : body_end], match["language"]), end
