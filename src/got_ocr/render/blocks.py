"""A document's text -> blocks: headings, paragraphs, lists, quotes, tables, formulas, code, drawings, footnotes.

Reads Mathpix Markdown as GOT writes it: LaTeX environments and Markdown lines side by side. Text that is cut off in the
middle of an environment is read as if the environment ended there. Knows no output.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from got_ocr.errors import RenderFailed
from got_ocr.render.inline import parse_inline
from got_ocr.render.latex import Source
from got_ocr.render.limits import MAX_DEPTH
from got_ocr.render.segments import Piece, pieces
from got_ocr.render.table import TABULARS, is_pipe_delimiter, parse_pipe_table, parse_table
from got_ocr.render.tree import (
    Block,
    Drawing,
    Heading,
    Item,
    Listing,
    Maths,
    NoteText,
    Paragraph,
    Picture,
    Preformatted,
    Rule,
    Section,
)

_LEVELS = {"title": 1, "part": 2, "chapter": 2, "section": 2, "subsection": 3, "subsubsection": 4}
_LEVELS.update({"paragraph": 5, "subparagraph": 6})
_LISTS = frozenset(("itemize", "enumerate", "description", "compactitem", "compactenum", "tasks", "thebibliography"))
_NUMBERED = frozenset(("enumerate", "compactenum"))
_VERBATIM = frozenset(("verbatim", "lstlisting", "minted", "Verbatim", "alltt", "comment"))
_MATHS = frozenset(
    (
        *("equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "alignat", "flalign", "split"),
        *("aligned", "gathered", "array", "cases", "matrix", "pmatrix", "bmatrix", "vmatrix", "Vmatrix", "Bmatrix"),
        *("alignedat", "dcases", "rcases", "smallmatrix", "dmath", "subequations", "substack", "multlined"),
    )
)
_ROLES = frozenset(
    (
        *(
            "center",
            "quote",
            "quotation",
            "verse",
            "abstract",
            "figure",
            "table",
            "theorem",
            "lemma",
            "proof",
            "remark",
        ),
        *("corollary", "proposition", "definition", "example", "exercise", "solution", "flushright", "wrapfigure"),
        *("problem", "question", "answer", "note", "claim", "conjecture", "keywords", "framed", "tcolorbox"),
    )
)
_HEADING = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+(\S.*)\Z")
_RULE = re.compile(r"[ ]{0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}\Z")
_QUOTE = re.compile(r"[ ]{0,3}>[ ]?(.*)\Z")
_ITEM = re.compile(r"([ \t]*)([-*+•‣◦–]|\d{1,9}[.)])[ \t]+(?=\S)(.*)\Z")
_NOTE = re.compile(r"\[\^([^\]\s]{1,40})\]:[ \t]*(.*)\Z")
_LIST_SETTINGS = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}|\\[a-z]+")
_LATEX_ITEM = re.compile(r"\\\\|\\(?:bib)?item(?![a-zA-Z])|\\begin\s*\{")


def parse_blocks(text: str, depth: int = 0) -> tuple[Block, ...]:
    """Read a document; below MAX_DEPTH environments the source is one paragraph as it is."""
    if depth > MAX_DEPTH:
        return (Preformatted(text),)
    blocks: list[Block] = []
    for piece in pieces(text):
        blocks.extend(_PIECES[piece.kind](piece, depth))
    return tuple(blocks)


def _text(piece: Piece, depth: int) -> Iterator[Block]:
    return _lines(piece.text.split("\n"), depth)


def _display(piece: Piece, depth: int) -> Iterator[Block]:
    if piece.text.strip():
        yield Maths(piece.text.strip(), display=True)


def _fence(piece: Piece, depth: int) -> Iterator[Block]:
    if piece.name in ("tikz", "smiles", "kern"):
        yield Drawing(piece.name, piece.text)
    else:
        yield Preformatted(piece.text, piece.name)


def _command(piece: Piece, depth: int) -> Iterator[Block]:
    content = parse_inline(piece.text.strip(), depth)
    if piece.name in _LEVELS:
        if content:
            yield Heading(_LEVELS[piece.name], content)
    elif piece.name == "footnotetext":
        yield NoteText(piece.option, content)
    elif piece.name == "includegraphics":
        yield Paragraph((Picture(piece.text),))
    elif content:
        yield Paragraph(content, piece.name if piece.name in ("author", "date", "caption") else "")


def _environment(piece: Piece, depth: int) -> Iterator[Block]:
    name = piece.name.rstrip("*")
    if name in _MATHS:
        yield Maths(f"\\begin{{{piece.name}}}{piece.text}\\end{{{piece.name}}}", display=True)
    elif name == "tikzpicture":
        yield Drawing("tikz", f"\\begin{{tikzpicture}}{piece.text}\\end{{tikzpicture}}")
    elif name in _VERBATIM:
        yield Preformatted(re.sub(r"\A(?:\[[^\]\n]*\])?(?:\{\w*\})?\n", "", piece.text).rstrip())
    elif piece.name in TABULARS:
        yield _tabular(piece, depth)
    elif name in _LISTS:
        yield _latex_list(piece, depth)
    elif name in _ROLES:
        title, start = Source(piece.text).option(0)
        yield Section(name, parse_blocks(piece.text[start:], depth + 1), title or "")
    else:
        yield from parse_blocks(_without_arguments(piece.text), depth + 1)


def _without_arguments(body: str) -> str:
    """Drop the options and sizes that follow `\\begin{minipage}` and its like."""
    source = Source(body)
    _, at = source.option(0)
    while body.startswith("{", at) and (group := source.group(at)) and len(group[0]) < 40:
        at = group[1]
    return body[at:]


def _tabular(piece: Piece, depth: int) -> Block:
    try:
        return parse_table(piece.name, piece.text, lambda cell: parse_inline(cell, depth + 1))
    except RenderFailed:
        return Preformatted(f"\\begin{{{piece.name}}}{piece.text}\\end{{{piece.name}}}")


def _latex_list(piece: Piece, depth: int) -> Block:
    source, text = Source(piece.text), piece.text
    starts: list[tuple[int, int]] = []
    at = 0
    while match := _LATEX_ITEM.search(text, at):
        at = match.end()
        if match.group().startswith("\\begin"):
            environment = source.environment(match.start())
            at = environment.end if environment else at
        elif "item" in match.group():
            starts.append((match.start(), match.end()))
    ends = [*(start for start, _ in starts), len(text)][1:]
    items = [_latex_item(text[start:end], depth) for (_, start), end in zip(starts, ends, strict=bool(starts))]
    before = text[: starts[0][0]].strip() if starts else text.strip()
    if _LIST_SETTINGS.sub("", before[:2_000]).strip():
        items.insert(0, Item(None, parse_blocks(before, depth + 1)))
    numbers = tuple(range(1, len(items) + 1)) if piece.name in _NUMBERED else None
    return Listing(tuple(items), numbers)


def _latex_item(text: str, depth: int) -> Item:
    label, at = Source(text).option(0)
    own = parse_inline(label, depth + 1) if label is not None else None
    return Item(own, parse_blocks(text[at:].strip(), depth + 1))


def _lines(lines: Sequence[str], depth: int) -> Iterator[Block]:
    """Read Markdown lines; every rule takes the lines from `at` on that are its own, or none."""
    if depth > MAX_DEPTH:
        yield Preformatted("\n".join(lines))
        return
    at, waiting = 0, list[str]()
    while at < len(lines):
        for rule in _LINE_RULES:
            found = rule(lines, at, depth)
            if found is not None:
                break
        else:
            waiting.append(lines[at])
            at += 1
            continue
        yield from _paragraph(waiting, depth)
        waiting = []
        block, at = found
        if block is not None:
            yield block
    yield from _paragraph(waiting, depth)


def _paragraph(lines: Sequence[str], depth: int) -> Iterator[Block]:
    children = parse_inline("\n".join(line.strip() for line in lines).strip(), depth)
    if children:
        yield Paragraph(children)


LineRule = Callable[[Sequence[str], int, int], "tuple[Block | None, int] | None"]


def _blank(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    return None if lines[at].strip() else (None, at + 1)


def _heading(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    match = _HEADING.match(lines[at])
    if match is None:
        return None
    return Heading(len(match[1]), parse_inline(match[2].rstrip().rstrip("#").rstrip() or match[2], depth)), at + 1


def _rule(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    return (Rule(), at + 1) if _RULE.match(lines[at]) else None


def _note(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    match = _NOTE.match(lines[at])
    return (NoteText(match[1], parse_inline(match[2], depth)), at + 1) if match else None


def _pipe(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    if at + 1 >= len(lines) or "|" not in lines[at] or not is_pipe_delimiter(lines[at + 1]):
        return None
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    try:
        return parse_pipe_table(lines[at:end], lambda cell: parse_inline(cell, depth + 1)), end
    except RenderFailed:
        return Preformatted("\n".join(lines[at:end])), end


def _quote(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    inner: list[str] = []
    while at + len(inner) < len(lines) and (match := _QUOTE.match(lines[at + len(inner)])):
        inner.append(match[1])
    return (Section("quote", tuple(_lines(inner, depth + 1))), at + len(inner)) if inner else None


def _list(lines: Sequence[str], at: int, depth: int) -> tuple[Block | None, int] | None:
    """Read a list: items with marks of one sort at one indent, each with the deeper lines below it."""
    first = _ITEM.match(lines[at])
    if first is None:
        return None
    indent, numbered = _indent(first[1]), first[2][0].isdigit()
    items, numbers = list[Item](), list[int]()
    while at < len(lines):
        match = _ITEM.match(lines[at])
        if match is None or _indent(match[1]) != indent or match[2][0].isdigit() != numbered:
            break
        body, at = _item_lines(lines, at + 1, match[3], indent)
        items.append(Item(None, tuple(_lines(body, depth + 1))))
        numbers.append(int(match[2][:-1]) if numbered else 0)
    return Listing(tuple(items), tuple(numbers) if numbered else None), at


def _item_lines(lines: Sequence[str], at: int, head: str, indent: int) -> tuple[list[str], int]:
    """Collect an item's lines: those deeper than its mark, and lines of text that simply go on."""
    body = [head]
    while at < len(lines):
        line = lines[at]
        deeper = _indent(line[: len(line) - len(line.lstrip())]) > indent
        if not line.strip():
            following = lines[at + 1] if at + 1 < len(lines) else ""
            if not following.strip() or not following.startswith((" ", "\t")) or _indent_of(following) <= indent:
                break
        elif not deeper and (_ITEM.match(line) or _starts_block(lines, at)):
            break
        body.append(line)
        at += 1
    margin = min((_indent_of(line) for line in body[1:] if line.strip()), default=0)
    return [body[0], *(line[margin:] if line[:margin].isspace() else line for line in body[1:])], _skip_blank(lines, at)


def _skip_blank(lines: Sequence[str], at: int) -> int:
    """Step over blank lines inside a list, so that loose items stay one list."""
    ahead = at
    while ahead < len(lines) and not lines[ahead].strip():
        ahead += 1
    return ahead if ahead < len(lines) and _ITEM.match(lines[ahead]) else at


def _starts_block(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    return any(mark.match(line) for mark in (_HEADING, _RULE, _QUOTE, _NOTE))


def _indent_of(line: str) -> int:
    return _indent(line[: len(line) - len(line.lstrip())])


def _indent(blanks: str) -> int:
    return len(blanks.expandtabs(4))


_LINE_RULES: tuple[LineRule, ...] = (_blank, _heading, _rule, _note, _pipe, _quote, _list)
_PIECES: dict[str, Callable[[Piece, int], Iterator[Block]]] = {
    "text": _text,
    "environment": _environment,
    "display": _display,
    "fence": _fence,
    "command": _command,
}
