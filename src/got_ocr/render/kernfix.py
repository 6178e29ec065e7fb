"""Repair of `**kern` before it is engraved: every line gets as many tokens as there are spines, every spine an end.

The engraver trusts its input and dies of a miscounted line, the commonest slip of a reading, or of a note without length.
Knows Humdrum's spines and what a note must have; no music.
"""

import re

MAX_SPINES = 24
MAX_LINES = 4_000
_KINDS = frozenset(("**kern", "**text", "**silbe", "**dynam", "**fing", "**mxhm", "**harm", "**root"))
_NULL = {"*": "*", "=": "=", "!": "!", "": "."}
MAX_CHORD = 12
MAX_WORD = 200  # characters of one syllable or sign in a spine of another kind
_NOTE = re.compile(
    r"(?P<before>[^a-gA-Gr\d.]*)(?P<length>\d{1,3}(?:%\d{1,2})?\.{0,3})?\d*(?P<between>[^a-gA-Gr\d]*)"
    r"(?P<pitch>r|(?:([a-gA-G])\5{0,4})(?:#{1,2}|-{1,2}|n)?)[a-gA-Gr#]*(?P<behind>[^a-gA-Gr\d]*)"
)


def repair(source: str) -> str:
    """Return the score with consistent spines; what cannot belong to one is left out."""
    lines = [line.rstrip() for line in source.split("\n") if line.strip()][:MAX_LINES]
    out: list[str] = []
    kinds: list[str] = []  # one for each spine that is open
    for line in lines:
        if line.startswith("!!"):
            out.append(line)
            continue
        if line.startswith("**") and kinds:
            continue
        if not kinds:
            named = line.startswith("**")
            kinds = (
                [_kind(name) for name in _tokens(line, 0)[:MAX_SPINES]]
                if named
                else ["**kern"] * min(MAX_SPINES, line.count("\t") + 1)
            )
            out.append("\t".join(kinds))
            if named:
                continue
        tokens = _settled(line, kinds)
        kinds = _next(tokens, kinds)
        out.append("\t".join(tokens))
        if not kinds:
            break
    if kinds:
        out.append("\t".join(["*-"] * len(kinds)))
    return "\n".join(out) + "\n"


def _kind(name: str) -> str:
    return name if name in _KINDS else "**kern" if "kern" in name else "**text"


def _tokens(line: str, spines: int) -> list[str]:
    """Cut a line at tabs; at blanks where it has the right count only then, since a chord has blanks inside."""
    tokens = line.split("\t")
    words = line.split()
    blanks = len(words) == spines if spines else all(word.startswith("**") for word in words)
    if len(tokens) != spines and blanks:
        return words
    return [token.strip() for token in tokens]


def _settled(line: str, kinds: list[str]) -> list[str]:
    """Return exactly one token for each spine, all of the line's own sort."""
    tokens = _tokens(line, len(kinds))
    first = next((token for token in tokens if token), "")
    sort = first[0] if first[:1] in ("*", "=", "!") else ""
    null = _NULL[sort] if sort != "=" else first
    tokens += [null] * (len(kinds) - len(tokens))
    settled = [_one(token, sort, null, kind) for token, kind in zip(tokens, kinds, strict=False)]
    return _settled_manipulators(settled) if sort == "*" else settled


def _one(token: str, sort: str, null: str, kind: str) -> str:
    if sort:
        return token if token.startswith(sort) and not token.startswith("**") else null
    if not token or token[0] in "*=!.":
        return null
    return (_notes(token) or null) if kind == "**kern" else token[:MAX_WORD]


def _notes(chord: str) -> str:
    """Return the notes of a chord that have a pitch, each with a length: its own, or that of the note before."""
    notes, length = list[str](), "4"
    for written in chord.split(" ")[:MAX_CHORD]:
        match = _NOTE.match(written)
        if match is None:
            continue
        grace = "q" in written.lower() and not match["length"]
        length = match["length"] or length
        notes.append(match["before"] + ("" if grace else length) + match["between"] + match["pitch"] + match["behind"])
    return " ".join(notes)


def _settled_manipulators(tokens: list[str]) -> list[str]:
    """Keep splits within bounds, joins in runs, exchanges in pairs; all spines end together or none does."""
    result = list(tokens)
    if "*-" in result:
        ends = result.count("*-") * 2 >= len(result)
        return ["*-"] * len(result) if ends else ["*" if one == "*-" else one for one in result]
    room = MAX_SPINES - len(result)
    for at, sign in enumerate(result):
        room -= sign == "*^"
        if sign == "*+" or (sign == "*^" and room < 0):
            result[at] = "*"
    for sign, least, most in (("*v", 2, MAX_SPINES), ("*x", 2, 2)):
        for start, end in _runs(result, sign):
            if not least <= end - start <= most:
                result[start:end] = ["*"] * (end - start)
    return result


def _runs(tokens: list[str], sign: str) -> list[tuple[int, int]]:
    """Return where the sign stands in neighbouring spines, as (first, behind the last)."""
    runs: list[tuple[int, int]] = []
    for at, found in enumerate(tokens):
        if found == sign and runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + 1)
        elif found == sign:
            runs.append((at, at + 1))
    return runs


def _next(tokens: list[str], kinds: list[str]) -> list[str]:
    """Return the spines' kinds after a line: split, joined, exchanged or ended."""
    if "*-" in tokens:
        return []
    kinds = list(kinds)
    for start, _ in _runs(tokens, "*x"):
        kinds[start : start + 2] = reversed(kinds[start : start + 2])
    joined = {at for start, end in _runs(tokens, "*v") for at in range(start + 1, end)}
    after: list[str] = []
    for at, (sign, kind) in enumerate(zip(tokens, kinds, strict=True)):
        after += [kind] * (0 if at in joined else 2 if sign == "*^" else 1)
    return after
