"""What a model is asked about one page, and how its answers make the page's text. Knows no model and no picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from got_ocr.generate import Request
from got_ocr.table.tabular import sound


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of one page. notices: of the pictures and of the request. cut: not all of it could be asked.

    around: what stands before and after the answer of each request: a line break, or a space where it goes on with the line before,
    or what stands between the cells of a table. cells: the numbers of the answers that stand in one, and are mended so that they cannot
    break it. compose: makes a text of the answers where they do not simply follow each other. by: the kind
    whose specialist they were made for.
    """

    requests: tuple[Request, ...]
    around: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    cut: bool
    cells: frozenset[int] = frozenset()
    compose: Callable[[Sequence[str]], str | None] | None = None
    by: str = ""

    def text(self, answers: Sequence[str]) -> str | None:
        """Put answers together, one for each request, without white space around them; None where they show that it is something else."""
        if self.compose is not None:
            text = self.compose(answers)
            return None if text is None else text.strip()
        rows = enumerate(zip(self.around, answers, strict=True))
        return "".join(f"{before}{self.sound(i, answer)}{after}" for i, ((before, after), answer) in rows).strip()

    def flows(self, number: int) -> bool:
        """Say whether an answer may be shown while it is written."""
        return self.compose is None and number not in self.cells

    def sound(self, number: int, answer: str) -> str:
        """Give an answer as it goes into the text."""
        return sound(answer) if number in self.cells else answer

    def between(self, done: int) -> str:
        """Give what is written when so many answers are: before the first of them, between two, or after the last."""
        after = self.around[done - 1][1] if done else ""
        return after + (self.around[done][0] if done < len(self.around) else "")
