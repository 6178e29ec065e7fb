"""Repair of a formula's LaTeX before conversion: every group, fence, environment and argument is closed.

A model cuts off and miscounts; the converter behind math.py takes well-formed LaTeX of a certain dialect only. No text
is lost. Knows that dialect (names of environments and commands), not the converter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import Source
from got_ocr.render.mathtext import expand_texts

MAX_GROUPS = 40
_TOKEN = re.compile(
    r"""
      \\(?P<side>begin|end)\s*\{\s*(?P<name>[a-zA-Z]+)\*?\s*\}
    | \\(?P<fence>left|right)(?![a-zA-Z])\s*(?P<mark>\\[a-zA-Z]+|\\.|[^\\\s{}&^_])?
    | (?P<row>\\\\\*?(?:[ \t]*\[-?[\d.]+\s*[a-z]{2}\])?|&)
    | (?P<open>\{) | (?P<close>\})
    | (?P<script>[\^_])
    | (?P<escape>[$%\#])
    | (?P<space>[ \t\r\n]+)
    | (?P<atom>\\[a-zA-Z]+\*?|\\.|.)
    """,
    re.X | re.S,
)
# The converter's names. An environment that is not here is only a frame around its formula.
_RENAMED = {
    **dict.fromkeys(("align", "aligned", "alignat", "alignedat", "flalign", "eqnarray", "split"), "split"),
    **dict.fromkeys(("gather", "gathered", "multline", "multlined"), "matrix"),
    **dict.fromkeys(("cases", "dcases", "numcases"), "cases"),
    **{name: name for name in ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix")},
    **{"array": "array", "tabular": "array", "rcases": "rcases", "drcases": "rcases", "substack": "substack"},
}
_ONE_ARGUMENT = """
    sqrt hat bar vec dot ddot tilde check breve acute grave widehat widetilde overline underline overbrace
    underbrace mathbf mathrm mathbb mathcal mathfrak mathit mathsf mathtt mathscr boldsymbol bm overrightarrow
    overleftarrow phantom boxed
"""
_ARGUMENTS = {name: 1 for name in _ONE_ARGUMENT.split()}
_ARGUMENTS |= dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom"), 2)
_ARGUMENTS |= dict.fromkeys(("overset", "underset", "stackrel"), 2)
_IDLE_LIMITS = re.compile(r"\\limits(?![a-zA-Z]|\s*[\^_])")
_REFUSED = re.compile(
    r"\\[gex]?def(?![a-zA-Z])|\\(?:re)?new(?:command|environment)|\\let(?![a-zA-Z])|\\DeclareMathOperator|"
    r"\\providecommand|\\(?:input|include|write|openout|openin|read|loop|repeat|csname|catcode|expandafter)(?![a-zA-Z])"
)


@dataclass(slots=True)
class _Frame:
    """What is open: top, group, fence, environment, or frame (an environment that only surrounds).

    start: where its content begins in the output. scripts: those of the last atom. wanted: arguments still to come.
    rows: it holds row marks of its own. columns, widest: cells of the current row and of the widest one.
    """

    kind: str
    name: str
    start: int
    scripts: set[str] = field(default_factory=set)
    wanted: int = 0
    rows: bool = False
    spec: str = ""
    columns: int = 1
    widest: int = 1


def repair(source: str) -> str:
    """Return well-formed LaTeX in the converter's dialect. Raises RenderFailed for macros and too deep groups."""
    if _REFUSED.search(source):
        raise RenderFailed("a formula that defines or loads something is shown as it was written")
    return _Machine(_IDLE_LIMITS.sub("", expand_texts(source))).run()


class _Machine:
    """Copy tokens to `out`, closing what must be closed on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.source = Source(text)
        self.at = 0
        self.out: list[str] = []
        self.frames = [_Frame("top", "", 0)]

    def run(self) -> str:
        while match := _TOKEN.match(self.text, self.at):
            self.at = match.end()
            kind = "side" if match["side"] else "fence" if match["fence"] else match.lastgroup
            _RULES[kind or "atom"](self, match)
        while len(self.frames) > 1:
            self.pop()
        self.fill()
        if self.top.rows:
            self.out = ["\\begin{split}", *self.out, "\\end{split}"]
        return "".join(self.out).strip()

    @property
    def top(self) -> _Frame:
        return self.frames[-1]

    def space(self, match: re.Match[str]) -> None:
        self.out.append(" ")

    def atom(self, match: re.Match[str]) -> None:
        self.add(match.group())

    def escape(self, match: re.Match[str]) -> None:
        self.add("\\" + match.group())

    def add(self, token: str) -> None:
        self.use()
        if token.startswith("\\"):
            self.top.wanted += _ARGUMENTS.get(token[1:], 0)
        # A blank keeps a command's name apart from what the repair may put behind it.
        self.out.append(token + " " if token[1:].isalpha() and token[0] == "\\" else token)

    def use(self) -> None:
        """Count something that can be an argument; the scripts of the atom before it are over."""
        if self.top.wanted:
            self.top.wanted -= 1
        else:
            self.top.scripts.clear()

    def fill(self) -> None:
        """Give empty arguments to a command that ends too early."""
        self.out.extend(["{}"] * self.top.wanted)
        self.top.wanted = 0

    def script(self, match: re.Match[str]) -> None:
        """Open a script; a second one of its sort gets a base of its own."""
        self.fill()
        mark = match.group()
        if mark in self.top.scripts or not self._has_base():
            self.out.append("{}")
            self.top.scripts.clear()
        self.top.scripts.add(mark)
        self.top.wanted = 1
        self.out.append(mark)

    def _has_base(self) -> bool:
        at = len(self.out) - 1
        while at >= self.top.start and self.out[at] == " ":
            at -= 1
        return at >= self.top.start and self.out[at] not in ("&", "\\\\")

    def push(self, kind: str, name: str, opening: str) -> None:
        if len(self.frames) > MAX_GROUPS:
            raise RenderFailed(f"a formula nested deeper than {MAX_GROUPS} groups is shown as it was written")
        self.out.append(opening)
        self.frames.append(_Frame(kind, name, len(self.out)))

    def pop(self) -> _Frame:
        """Close the innermost frame; rows that stand in no environment get one."""
        self.fill()
        frame = self.frames.pop()
        if frame.kind == "environment":
            self.out.insert(frame.start, frame.spec or self._default_spec(frame))
        elif frame.rows:
            self.out.insert(frame.start, "\\begin{split}")
            self.out.append("\\end{split}")
        self.out.append(_closing(frame))
        return frame

    def _default_spec(self, frame: _Frame) -> str:
        return "{" + "c" * frame.widest + "}" if frame.name == "array" else ""

    def open(self, match: re.Match[str]) -> None:
        self.use()
        self.push("group", "", "{")

    def close(self, match: re.Match[str]) -> None:
        if any(frame.kind == "group" for frame in self.frames):
            while self.pop().kind != "group":
                pass

    def fence(self, match: re.Match[str]) -> None:
        mark = match["mark"] or "."
        if match["fence"] == "left":
            self.use()
            self.push("fence", "", f"\\left{mark} ")
        elif self.top.kind in ("fence", "frame") and any(frame.kind == "fence" for frame in self.frames):
            while self.top.kind != "fence":
                self.pop()
            self.top.name = mark
            self.pop()
        elif mark != ".":
            self.add(mark)

    def side(self, match: re.Match[str]) -> None:
        name = _RENAMED.get(match["name"], match["name"])
        if match["side"] == "begin":
            self._begin(match["name"], name)
        elif any(frame.name == name for frame in self.frames[1:]):
            while self.pop().name != name:
                pass
        elif self.top.kind == "environment":
            self.pop()

    def _begin(self, written: str, name: str) -> None:
        if written not in _RENAMED:
            self.push("frame", name, "")
            return
        self.use()
        self.push("environment", name, "\\left.\\begin{array}" if name == "rcases" else f"\\begin{{{name}}}")
        _, self.at = self.source.option(self.at)
        if name == "rcases":
            self.top.spec = "{ll}"
        if name == "array" or written in ("alignat", "alignedat"):
            argument = self.source.braced(self.at)
            spec = re.sub(r"[@!><pmb]\s*(\{[^{}]*\})?", "", argument[0]) if argument else ""
            self.at = argument[1] if argument else self.at
            letters = re.sub(r"[^lcr|]", "", spec)
            self.top.spec = "{" + letters + "}" if name == "array" and letters else ""

    def row(self, match: re.Match[str]) -> None:
        self.fill()
        frame = self.top
        frame.scripts.clear()
        frame.rows = True
        frame.columns = frame.columns + 1 if match.group() == "&" else 1
        frame.widest = max(frame.widest, frame.columns)
        self.out.append("&" if match.group() == "&" else "\\\\")


def _closing(frame: _Frame) -> str:
    if frame.kind == "group":
        return "}"
    if frame.kind == "fence":
        return " \\right" + (frame.name or ".") + " "
    if frame.kind == "environment":
        return "\\end{array}\\right\\} " if frame.name == "rcases" else f"\\end{{{frame.name}}}"
    return ""


_RULES: dict[str, Callable[[_Machine, re.Match[str]], None]] = {
    "side": _Machine.side,
    "fence": _Machine.fence,
    "row": _Machine.row,
    "open": _Machine.open,
    "close": _Machine.close,
    "script": _Machine.script,
    "escape": _Machine.escape,
    "space": _Machine.space,
    "atom": _Machine.atom,
}
