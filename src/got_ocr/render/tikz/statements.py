"""TikZ source -> statements: paths, scopes, loops, settings. Macros are put in as text, within bounds.

Knows how statements are delimited and repeated, not what a path means.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from got_ocr.errors import RenderFailed
from got_ocr.render.latex import Source, split_top
from got_ocr.render.limits import Budget
from got_ocr.render.tikz.arith import number

MAX_EXPANDED = 50_000  # characters of one statement after its macros are put in
MAX_PASSES = 8  # macros inside macros
MAX_LIST = 2_000  # items of one \foreach
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_START = re.compile(r"\\(begin|end)\s*\{\s*([a-zA-Z]+\*?)\s*\}|\\([a-zA-Z]+|.)|\{", re.S)
_MACRO = re.compile(r"\\([a-zA-Z]+)")
PATHS = frozenset(
    (
        *("draw", "fill", "filldraw", "path", "node", "coordinate", "clip", "shade", "shadedraw", "pic", "pattern"),
        *("useasboundingbox", "calendar", "graph", "matrix"),
    )
)
# Commands and how many groups of theirs are read as settings.
_SETTINGS = {"tikzset": 1, "definecolor": 3, "colorlet": 2, "pgfmathsetmacro": 2, "pgfmathtruncatemacro": 2, "def": 2}
_SETTINGS |= {"newcommand": 2, "renewcommand": 2, "pgfmathsetlengthmacro": 2, "tikzstyle": 2, "edef": 2, "xdef": 2}
_SETTINGS |= {"pgfmathparse": 1, "setlength": 2, "providecommand": 2, "let": 2}


@dataclass(frozen=True, slots=True)
class Statement:
    """kind: path, scope, loop or setting; name: the command; options: of a scope; text: what follows, macros unread."""

    kind: str
    name: str
    text: str
    options: str = ""


def without_comments(text: str) -> str:
    """Return TikZ source without `%` comments."""
    return _COMMENT.sub("", text)


def statements(text: str) -> Iterator[Statement]:
    """Cut source into statements; what belongs to none is stepped over."""
    source, at = Source(text), 0
    while match := _START.search(text, at):
        if match.group() == "{":
            group = source.group(match.start())
            if group is None:
                at = match.end()
                continue
            yield Statement("scope", "", group[0])
            at = group[1]
        elif match[1] == "begin":
            found = _environment(source, match)
            if found[0] is not None:
                yield found[0]
            at = found[1]
        elif match[3] in PATHS:
            end = statement_end(source, match.end())
            yield Statement("path", match[3], text[match.end() : end])
            at = end + 1
        elif match[3] == "foreach":
            loop, at = loop_at(source, match.end())
            if loop is not None:
                yield loop
        elif match[3] in _SETTINGS:
            setting, at = _setting(source, match[3], match.end())
            yield setting
        else:
            at = _skip_arguments(source, match.end())


def _environment(source: Source, match: re.Match[str]) -> tuple[Statement | None, int]:
    environment = source.environment(match.start())
    if environment is None:
        return None, match.end()
    options, at = source.option(environment.body_start)
    body = source.text[at : environment.body_end]
    return Statement("scope", environment.name, body, options or ""), environment.end


def _skip_arguments(source: Source, at: int) -> int:
    _, at = source.option(at)
    while (group := source.group(at)) is not None:
        at = group[1]
    return at


def statement_end(source: Source, at: int) -> int:
    """Return where the `;` of a path stands, outside all groups; the text's end where there is none."""
    text = source.text
    while at < len(text):
        char = text[at]
        if char == ";":
            return at
        if char == "\\":
            at += 1
        elif char == "{":
            group = source.group(at)
            at = group[1] - 1 if group else at
        at += 1
    return len(text)


def loop_at(source: Source, at: int) -> tuple[Statement | None, int]:
    """Read `\\x/\\y [options] in {list} body`; the body is a group, a loop, or one statement with its `;`."""
    head = re.compile(r"([^{;]{0,400}?)\bin\s*").match(source.text, at)
    if head is None:
        return None, at
    items, end = _list_at(source, head.end())
    if items is None:
        return None, head.end()
    start = source.skip_space(end)
    group = source.group(start)
    if group is not None:
        body, end = group
    elif source.text.startswith("\\foreach", start):
        inner, end = loop_at(source, start + len("\\foreach"))
        body = source.text[start:end] if inner else ""
    else:
        end = min(len(source.text), statement_end(source, start) + 1)
        body = source.text[start:end]
    return Statement("loop", head[1].strip(), body, items), end


def _list_at(source: Source, at: int) -> tuple[str | None, int]:
    group = source.group(at)
    if group is not None:
        return group
    macro = _MACRO.match(source.text, at)
    return (macro.group(), macro.end()) if macro else (None, at)


def _setting(source: Source, name: str, at: int) -> tuple[Statement, int]:
    """Read `\\def\\a{3}`, `\\newcommand{\\a}{3}`, `\\tikzstyle{x} = [..]`: the arguments joined by a mark."""
    arguments = []
    for _ in range(_SETTINGS[name]):
        while source.text[at : at + 1] in ("=", " ", "\n", "\t"):
            at += 1
        option, behind = source.option(at)
        if option is not None and name == "tikzstyle":
            argument: tuple[str, int] | None = (option, behind)
        else:
            argument = source.argument(behind if option is not None else at)
        if argument is None:
            break
        arguments.append(argument[0])
        at = argument[1]
    return Statement("setting", name, "\0".join(arguments)), at


def expand(text: str, macros: Mapping[str, str], budget: Budget) -> str:
    """Put macros in, some levels deep. Raises RenderFailed where the text grows without bound."""
    for _ in range(MAX_PASSES):
        changed = _MACRO.sub(lambda match: macros.get(match[1], match.group()), text) if macros else text
        budget.take(1 + len(changed) // 200)
        if len(changed) > MAX_EXPANDED:
            raise RenderFailed("the drawing's macros grow without bound")
        if changed == text:
            break
        text = changed
    return text


def loop_values(names: str, items: str) -> Iterator[dict[str, str]]:
    """Yield what a loop's variables stand for in each turn."""
    names, _, options = names.partition("[")
    variables = _MACRO.findall(names)
    counters = re.findall(r"count\s*=\s*\\([a-zA-Z]+)(?:\s+from\s+(-?\d+))?", options)
    values = [item.strip() for item in split_top(items, ",")]
    for turn, item in enumerate(_with_dots(values)):
        if turn >= MAX_LIST:
            raise RenderFailed(f"a loop of the drawing has more than {MAX_LIST} turns")
        parts = [_unwrapped(part) for part in split_top(item, "/")] if len(variables) > 1 else [_unwrapped(item)]
        # TikZ repeats the last part for variables that are left over.
        parts += [parts[-1]] * (len(variables) - len(parts))
        found = dict(zip(variables, parts, strict=False))
        found.update({name: str(turn + int(start or 1)) for name, start in counters})
        yield found


def _unwrapped(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text


def _with_dots(values: list[str]) -> Iterator[str]:
    """Fill in `1,2,...,5` and `a,...,e`."""
    for at, value in enumerate(values):
        if value not in ("...", "\\dots", "\\ldots", "…") or not 0 < at < len(values) - 1:
            yield value
            continue
        first, last = values[at - 1], values[at + 1]
        before = values[at - 2] if at > 1 else None
        if len(first) == len(last) == 1 and first.isalpha() and last.isalpha():
            step = 1 if first < last else -1
            yield from (chr(code) for code in range(ord(first) + step, ord(last), step))
            continue
        yield from _numbers(number(first), number(last), number(before) if before is not None else None)


def _numbers(first: float, last: float, before: float | None) -> Iterator[str]:
    step = first - before if before is not None else (1.0 if last >= first else -1.0)
    if step == 0 or (last - first) / step > MAX_LIST:
        raise RenderFailed(f"a loop of the drawing has more than {MAX_LIST} turns")
    count = 1
    while (last - first - count * step) * step > 1e-6 * step * step:
        yield f"{first + count * step:.6g}"
        count += 1
