"""The state of reading one paragraph, shared by the rules for marks (inline.py) and for commands (commands.py)."""

from collections.abc import Callable

from got_ocr.render.latex import Source
from got_ocr.render.tree import Inline, Text


class Reader:
    """Walk one text from left to right, collecting inlines and the marks that still wait for their partner."""

    def __init__(self, text: str, below: Callable[[str], tuple[Inline, ...]]) -> None:
        self.text = text
        self.below = below
        self.source = Source(text)
        self.out: list[Inline] = []
        self.marks: list[tuple[str, int]] = []
        self._absent: set[str] = set()

    def plain(self, text: str) -> None:
        """Take characters as they are."""
        self.out.append(Text(text))

    def find(self, mark: str, at: int) -> int:
        """Return where `mark` stands next, -1 if nowhere; a mark once missed is not searched again."""
        if mark in self._absent:
            return -1
        found = self.text.find(mark, at)
        if found < 0:
            self._absent.add(mark)
        return found


def merged(parts: list[Inline]) -> tuple[Inline, ...]:
    """Join neighbouring texts and drop empty ones."""
    result: list[Inline] = []
    run: list[str] = []
    for part in [*parts, None]:
        if isinstance(part, Text):
            run.append(part.text)
            continue
        if text := "".join(run):
            result.append(Text(text))
        run = []
        if part is not None:
            result.append(part)
    return tuple(result)
