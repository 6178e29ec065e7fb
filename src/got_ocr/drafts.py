"""Guesses at how an answer goes on, so that one pass of the model can judge several ids: earlier ids of the answer, or a known text.

A draft only proposes. What is written is what the model chooses at every place, under the same rules (`generate.py`): a wrong,
hostile or empty draft costs time and changes no text. Knows no model, picture or file.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from got_ocr.tokenizer import Tokenizer

DraftName = Literal["auto", "none", "ngram"]

MOST = 12  # ids of a proposal: what a longer one may bring, its pass costs (docs/performance.md)
FIRST = 4  # ids of a first proposal
MISSES, LONGEST_REST = 3, 16  # proposals, ids
NGRAM = 3  # ids that have to stand the same before a place for its followers to be proposed
TAIL = 32  # written ids that a known text is searched for
FIT = 12  # characters that are compared where the answer should be in the text; one in FIT_WRONG may differ
FIT_WRONG = 4
SEARCHED = (24, 12, 6)  # characters that are searched for elsewhere; the longest that is found counts
NEAR, SURE = 400, 12  # fewer characters than SURE are only believed this near
CHARACTERS = 8  # of the text for each id that is asked for; what is left over is not used
MOST_TEXT = 200_000  # characters; no page holds as many

HYPHENS = "-\u00ad\u2010\u2011"
_SKIPPED = frozenset(" \n\t" + HYPHENS)  # what layout adds or takes away
# How a PDF names a hyphen at the end of a line, spaces, ligatures and quotes, each as most texts write it.
_PLAIN = str.maketrans(
    {
        "\x02": "-",
        "\ufffe": "-",
        "\u00a0": " ",
        "\r": "\n",
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
    }
    | {"\ufb04": "ffl", "\u200b": "", "\ufeff": "", "\x00": ""}
)
_SAME = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', **dict.fromkeys(_SKIPPED)})


class Draft(Protocol):
    """Propose how one answer goes on."""

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        """Guess what follows `ids`, the answer so far: none, one or several ids of the vocabulary."""
        ...


class Pace:
    """Choose how many ids to propose: twice as many while all were right, else little more than were right.

    After MISSES proposals in a row of which nothing was right it rests, each time longer.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = min(FIRST, most)
        self._made: Sequence[int] = ()
        self._at = 0
        self._misses = 0

    def width(self, ids: Sequence[int]) -> int:
        """Judge the last proposal by what was written; say how many ids are worth proposing now."""
        if len(ids) < self._at:  # another answer has begun
            self._width = max(self._width, min(FIRST, self._most))
            self._made, self._at, self._misses = (), 0, 0
        elif self._made:
            said = ids[self._at : self._at + len(self._made)]
            right = next(
                (i for i, pair in enumerate(zip(said, self._made, strict=False)) if pair[0] != pair[1]), len(said)
            )
            self._width = min(self._most, 2 * self._width if right == len(self._made) else right + 1)
            self._misses = 0 if right else self._misses + 1
            self._made = ()
        rest = min(2 ** (self._misses - MISSES), LONGEST_REST) if self._misses >= MISSES else 0
        return self._width if len(ids) - self._at >= rest else 0

    def made(self, ids: Sequence[int], proposal: Sequence[int]) -> Sequence[int]:
        """Note a proposal for what follows `ids`, and give it back."""
        if proposal:
            self._made, self._at = proposal, len(ids)
        return proposal


class NgramDraft:
    """Propose what followed the last ids where they stood before in the answer. most: ids of a proposal."""

    def __init__(self, most: int = MOST, size: int = NGRAM) -> None:
        self._pace = Pace(most)
        self._size = size
        self._after: dict[tuple[int, ...], int] = {}  # n-gram -> the newest place behind it that is not the end
        self._noted = size - 1

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        """Guess what follows `ids`; costs a constant time for each id of an answer."""
        for end in range(self._noted + 1, len(ids)):
            self._after[tuple(ids[end - self._size : end])] = end
        self._noted = max(self._noted, len(ids) - 1)
        width = self._pace.width(ids)
        at = self._after.get(tuple(ids[-self._size :]))
        if at is None:
            return self._pace.made(ids, ())
        period = len(ids) - at  # a copy that reaches the end goes on with itself
        return self._pace.made(ids, [ids[at + i % period] for i in range(width)])


class TextDraft:
    """Propose what follows in a text that the answer is likely to say, such as the text layer of a PDF page.

    text: asked for once, when it is first needed. most: ids of a proposal. The place in the text is found again after every
    difference; spaces, line breaks and hyphens do not count. May serve several answers that follow one another in the text;
    one_line: each of them is a line of it.
    """

    def __init__(
        self, tokenizer: Tokenizer, text: Callable[[], str], most: int = MOST, *, one_line: bool = False
    ) -> None:
        self._tokenizer = tokenizer
        self._text = text
        self._pace = Pace(most)
        self._one_line = one_line
        self._page: _Text | None = None
        self._at = 0  # letters of the text that the answer has said or passed
        self._seen = 0  # ids of the answer that `_at` accounts for
        self._gap = "\n"  # what the answer writes for a line break of the text

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        """Guess what follows `ids`; nothing where the answer says something else than the text."""
        if self._page is None:
            self._page = _Text(self._text())
        written = self._tokenizer.decode(ids[-TAIL:])
        found = self._page.key != "" and self._follow(self._page, ids, written)
        width = self._pace.width(ids)
        return self._pace.made(ids, self._next(self._page, written, width) if found else ())

    def _follow(self, page: "_Text", ids: Sequence[int], written: str) -> bool:
        """Find the answer's place in the text; False where there is none."""
        new = ids[self._seen :] if len(ids) >= self._seen else ids
        self._seen = len(ids)
        expected = min(self._at + len(_key(self._tokenizer.decode(new))), len(page.key))
        tail = _key(written)
        place = expected if page.fits(tail, expected) else page.find(tail, expected)
        self._at = expected if place is None else place
        if place is not None:
            self._gap = page.gap(written, place, self._gap)
        return place is not None

    def _next(self, page: "_Text", written: str, width: int) -> list[int]:
        rest, last = page.rest(self._at, CHARACTERS * (width + 2))
        if not written or written[-1].isspace():
            rest = rest.lstrip()
        if written.endswith(tuple(HYPHENS)) and rest.startswith(tuple(HYPHENS)):
            rest = rest[1:]
        if self._one_line:
            rest, broken, _ = rest.partition("\n")
            last = last or bool(broken)
        if "\n" not in self._gap:  # lines are joined, and what was hyphenated with them
            rest = re.sub(f"(?<=\\w)[{HYPHENS}]\n", "", rest)
        proposed = self._tokenizer.encode(rest.replace("\n", self._gap))
        # Behind the whole text comes the end; the last id of a piece of it may be another in the whole.
        proposed = [*proposed, self._tokenizer.end] if last else proposed[:-1]
        return proposed[:width]


class _Text:
    """A text to be followed by its letters. key: those, without what layout adds or takes away."""

    def __init__(self, text: str) -> None:
        plain = unicodedata.normalize("NFC", text[:MOST_TEXT].replace("\r\n", "\n").translate(_PLAIN))
        self._plain = re.sub(r"[^\S\n]*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", plain)).strip()
        self._places = [i for i, letter in enumerate(self._plain) if letter not in _SKIPPED]
        self.key = _key(self._plain)
        # Letters before each line break, hyphenated ones left out: what is written for those says little.
        breaks = re.finditer(f"(?<![{HYPHENS}])\n", self._plain)
        self._breaks = [bisect_right(self._places, found.start()) for found in breaks]

    def fits(self, tail: str, at: int) -> bool:
        """Say whether `tail` ends where `at` letters of the text are over, a few wrong ones allowed."""
        count = min(len(tail), FIT)
        there = self.key[max(at - count, 0) : at]
        wrong = count - sum(a == b for a, b in zip(reversed(there), reversed(tail), strict=False))
        return wrong * FIT_WRONG <= count

    def find(self, tail: str, near: int) -> int | None:
        """Find where `tail` ends elsewhere, nearest to `near`, ahead rather than behind."""
        for count in SEARCHED:
            if count > len(tail):
                continue
            wanted = tail[-count:]
            ahead, behind = self.key.find(wanted, max(0, near - count)), self.key.rfind(wanted, 0, near)
            ends = [place + count for place in (ahead, behind) if place >= 0]
            best = min(ends, key=lambda end: abs(end - near), default=None)
            if best is not None and (count >= SURE or abs(best - near) <= NEAR):
                return best
        return None

    def gap(self, written: str, at: int, known: str) -> str:
        """Say what was written for the last line break before `at`; what is known where that cannot be seen."""
        number = bisect_right(self._breaks, at - 1)
        left = at - self._breaks[number - 1] if number else 0
        end = len(written)
        while left and end:
            end -= 1
            left -= written[end] not in _SKIPPED
        if left or end in (0, len(written)):
            return known
        gap = written[len(written[:end].rstrip()) : end]
        return gap if not gap or gap.isspace() else known

    def rest(self, at: int, most: int) -> tuple[str, bool]:
        """Give the text behind `at` letters, at most so many characters of it, and whether that is all."""
        start = self._places[at - 1] + 1 if at else 0
        return self._plain[start : start + most], start + most >= len(self._plain)


def _key(text: str) -> str:
    return text.translate(_SAME)
