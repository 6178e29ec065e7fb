"""Running text set into lines of a width in pixels: words, hyphens, ideographs. Draws nothing and knows no page."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Measure = Callable[[str], float]

# Where a word may be broken: after a vowel and before a consonant that a vowel follows, or between two consonants.
_BREAK = re.compile(r"(?<=[aeiouy])(?=[^aeiouy\W][aeiouy])|(?<=[aeiouy][^aeiouy\W])(?=[^aeiouy\W][aeiouy])")
_WORD = re.compile(r"^\W*[A-Za-z]{7,}\W*$")
_UNITS = re.compile(r"[!-~]+ ?|.")
_NEVER_FIRST = frozenset("，。、；：？！”’）》〉】」』…·％")
_NEVER_LAST = frozenset("“‘（《〈【「『")


@dataclass(frozen=True, slots=True)
class SetLine:
    """One line of a paragraph. broken: it ends in a hyphen that belongs to no word. last: the paragraph ends here."""

    text: str
    broken: bool = False
    last: bool = False


def english(text: str, width: float, measure: Measure, hyphenate: bool, indent: float = 0.0) -> list[SetLine]:
    """Set words into lines of at most `width` pixels, the first shorter by `indent`; wider words are left out."""
    space = measure(" ")
    rows: list[SetLine] = []
    row, used = "", indent
    for word in text.split(" "):
        size = measure(word)
        if size > width - indent:
            continue
        if row and used + space + size > width:
            part, rest = _hyphenated(word, width - used - space, measure) if hyphenate else ("", word)
            rows.append(SetLine(f"{row} {part}-" if part else row, broken=bool(part)))
            row, used = rest, measure(rest)
        else:
            row, used = (f"{row} {word}", used + space + size) if row else (word, used + size)
    return [*rows, SetLine(row, last=True)] if row else rows


def _hyphenated(word: str, room: float, measure: Measure) -> tuple[str, str]:
    """Break a word so that its first part and a hyphen fit the room; ("", word) where nothing does."""
    if not _WORD.match(word):
        return "", word
    for match in reversed(list(_BREAK.finditer(word))):
        first, rest = word[: match.start()], word[match.start() :]
        if sum(map(str.isalpha, first)) >= 3 and sum(map(str.isalpha, rest)) >= 3 and measure(first + "-") <= room:
            return first, rest
    return "", word


def chinese(text: str, width: float, measure: Measure, indent: float = 0.0) -> list[SetLine]:
    """Set ideographs into lines of at most `width` pixels; closing marks start no line and opening ones end none."""
    rows: list[SetLine] = []
    row: list[str] = []
    used = indent
    for unit in _UNITS.findall(text):
        size = measure(unit)
        if row and used + size > width and unit not in _NEVER_FIRST:
            kept = row.pop() if len(row) > 1 and row[-1] in _NEVER_LAST else ""
            rows.append(SetLine("".join(row).strip()))
            row, used = ([kept] if kept else []), measure(kept) if kept else 0.0
        if unit.strip() or row:
            row.append(unit)
            used += size
    done = "".join(row).strip()
    return [line for line in [*rows, SetLine(done, last=True)] if line.text]
