"""Reading LaTeX source: groups, arguments and environments, each found in one pass. Knows no meaning of a command.

All look-ups are prepared once for a text, so that hostile nesting costs linear time: nothing here searches twice for a
closing mark that does not come.
"""

import re
from dataclasses import dataclass

_BRACE = re.compile(r"\\.|[{}]", re.S)
_BRACKET = re.compile(r"\\.|[{}\[\]]", re.S)
_ENVIRONMENT = re.compile(r"\\\\|\\(begin|end)\s*\{\s*([a-zA-Z]+\*?)\s*\}")
_COMMAND = re.compile(r"\\(?:[a-zA-Z]+\*?|.)", re.S)
_SPACE = re.compile(r"[ \t]*\n?[ \t]*")


@dataclass(frozen=True, slots=True)
class Environment:
    """One `\\begin{name} ... \\end{name}`: offsets of the whole and of its body; an unclosed one ends with the text."""

    name: str
    start: int
    body_start: int
    body_end: int
    end: int


class Source:
    """Hold one LaTeX text with the partners of its braces and environments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._close = _pair_braces(text)
        self._brackets: dict[int, int] | None = None
        self._environments: dict[int, Environment] | None = None

    def group(self, at: int) -> tuple[str, int] | None:
        """Return the content of the group that opens at `at` and the offset behind it, or None where no group opens."""
        close = self._close.get(at)
        return None if close is None else (self.text[at + 1 : close], close + 1)

    def argument(self, at: int) -> tuple[str, int] | None:
        """Return one macro argument (a group, a command or a character) behind optional space, as TeX takes it."""
        at = self.skip_space(at)
        if at >= len(self.text) or self.text[at] == "}":
            return None
        if self.text[at] == "{":
            return self.group(at)
        match = _COMMAND.match(self.text, at)
        return (match.group(), match.end()) if match else (self.text[at], at + 1)

    def braced(self, at: int) -> tuple[str, int] | None:
        """Return the group behind optional space, or None where something else stands."""
        return self.group(self.skip_space(at))

    def option(self, at: int) -> tuple[str | None, int]:
        """Return the `[...]` behind optional space and the offset behind it; (None, at) where there is none."""
        start = self.skip_space(at)
        if not self.text.startswith("[", start):
            return None, at
        if self._brackets is None:
            self._brackets = _pair_brackets(self.text)
        close = self._brackets.get(start)
        return (None, at) if close is None else (self.text[start + 1 : close], close + 1)

    def skip_space(self, at: int) -> int:
        """Return the offset behind blanks and at most one line end."""
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def environment(self, at: int) -> Environment | None:
        """Return the environment whose `\\begin` stands at `at`."""
        if self._environments is None:
            self._environments = _pair_environments(self.text)
        return self._environments.get(at)


def _pair_braces(text: str) -> dict[int, int]:
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and opened:
            pairs[opened.pop()] = match.start()
    return pairs


def _pair_brackets(text: str) -> dict[int, int]:
    """Match brackets inside one group; a bracket that a group's end cuts off has no partner."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACKET.finditer(text):
        sign = match.group()
        if sign in "{[":
            opened.append(match.start())
        elif sign == "]" and opened and text[opened[-1]] == "[":
            pairs[opened.pop()] = match.start()
        elif sign == "}":
            while opened and text[opened.pop()] != "{":
                pass
    return pairs


def _pair_environments(text: str) -> dict[int, Environment]:
    """Match begins and ends by name; a begin without an end reaches to the end of the text, as in a cut-off reading."""
    found: dict[int, Environment] = {}
    opened: dict[str, list[re.Match[str]]] = {}
    for match in _ENVIRONMENT.finditer(text):
        name = match.group(2)
        if match.group(1) == "begin":
            opened.setdefault(name, []).append(match)
        elif match.group(1) == "end" and opened.get(name):
            begin = opened[name].pop()
            found[begin.start()] = Environment(name, begin.start(), begin.end(), match.start(), match.end())
    for name, begins in opened.items():
        for begin in begins:
            found[begin.start()] = Environment(name, begin.start(), begin.end(), len(text), len(text))
    return found


def split_top(text: str, mark: str) -> list[str]:
    """Split at the single character `mark` where no brace, bracket or parenthesis is open."""
    parts, depth, start, i = [], 0, 0, 0
    while i < len(text):
        char = text[i]
        if char == "\\":
            i += 1
        elif char in "{[(":
            depth += 1
        elif char in "}])":
            depth = max(0, depth - 1)
        elif char == mark and depth == 0:
            parts.append(text[start:i])
            start = i + 1
        i += 1
    parts.append(text[start:])
    return parts
