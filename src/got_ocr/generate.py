"""Prompts + image tokens -> ids: the plain definition. Prefill, then step after step until every row has ended.

Rows are independent: what one holds changes nothing in another. Knows no picture, no text and no prompt wording. To cancel an
answer, close the generator. `engine.py` writes many answers that come and go.
"""

import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from got_ocr.backends.base import Backend, Extending, Features, Scores
from got_ocr.drafts import Draft
from got_ocr.errors import GotOcrError, InvalidValue
from got_ocr.reading import Status
from got_ocr.sampling import LoopWatch, NgramBan

MAX_NEW_TOKENS = 4096  # as the original generates at most


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to write. ban: n-gram length that may not repeat (0: none). watch: stop loops.

    deadline: time on the clock (`time.monotonic` unless another is given) after which no further id is written. draft: guesses,
    used where the answer is written alone and several ids at once score as one after another; they change no id.
    """

    prompt: Sequence[int]
    features: Sequence[Features]
    end: int
    ban: int = 0
    watch: bool = True
    max_new_tokens: int = MAX_NEW_TOKENS
    deadline: float | None = None
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. ids: without its end, loops cut back to one period. written: ids that the model wrote in all.

    stopped: what cut a `truncated` answer, where it was not the limit of ids. error: why it failed, if it did; the ids are then
    what was written before. steps: passes of the model, 0 where it took one for each id.
    """

    ids: tuple[int, ...]
    status: Status
    written: int
    stopped: Literal["", "deadline", "cancelled"] = ""
    error: GotOcrError | None = None
    steps: int = field(default=0, compare=False)


@dataclass(slots=True)
class Row:
    """One answer under way. limit: most ids, the end among them. Create it with `open_row`."""

    request: Request
    limit: int
    ban: NgramBan | None
    watch: LoopWatch | None
    clock: Callable[[], float]
    ids: list[int] = field(default_factory=list)
    outcome: Outcome | None = None

    def banned(self) -> Collection[int]:
        """List the ids that may not come next."""
        return tuple(self.ban.banned()) if self.ban and not self.outcome else ()

    def push(self, token: int) -> bool:
        """Take the next id; return whether it is part of the answer. Sets `outcome` when the answer has ended."""
        written = len(self.ids) + 1
        if token == self.request.end:
            self.outcome = Outcome(tuple(self.ids), "ok", written)
            return False
        self.ids.append(token)
        if self.ban:
            self.ban.push(token)
        surplus = self.watch.push(token) if self.watch else 0
        if surplus:
            self.outcome = Outcome(tuple(self.ids[:-surplus]), "loop", written)
        elif written >= self.limit:
            self.outcome = Outcome(tuple(self.ids), "truncated", written)
        elif self.late():
            self.outcome = Outcome(tuple(self.ids), "truncated", written, "deadline")
        return True

    def late(self) -> bool:
        """Say whether the deadline has passed."""
        return self.request.deadline is not None and self.clock() >= self.request.deadline


def generate(backend: Backend, requests: Sequence[Request]) -> Generator[tuple[int, int], None, list[Outcome]]:
    """Write the answers of some requests side by side; yield (row, id) as they come, return the outcomes.

    Greedy. Raises InvalidValue where a prompt leaves no room in the model's context, NumericError for scores that are no numbers.
    """
    if not requests:
        return []
    rows = [open_row(request, backend.spec.context) for request in requests]
    room = max(row.limit for row in rows)
    under_way = backend.start([r.prompt for r in requests], [r.features for r in requests], room)
    scores = under_way.prefill()
    draft = requests[0].draft if len(requests) == 1 else None
    if draft and isinstance(under_way, Extending) and under_way.exact:
        return [(yield from _drafted(under_way, scores, rows[0], draft))]
    while True:
        tokens = scores.best([row.banned() for row in rows])
        for i, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            if row.outcome is None and row.push(token):
                yield i, token
        outcomes = [row.outcome for row in rows if row.outcome is not None]
        if len(outcomes) == len(rows):
            return outcomes
        scores = under_way.step(tokens)


def _drafted(rows: Extending, first: Scores, row: Row, draft: Draft) -> Generator[tuple[int, int], None, Outcome]:
    """Write one answer, several ids a pass where the draft is right: each passes the rules by itself, in its turn."""
    scores, proposed, steps = [first], list[int](), 1
    while True:
        for place, one in enumerate(scores):
            (token,) = one.best([row.banned()])
            if row.push(token):
                yield 0, token
            if row.outcome:
                return replace(row.outcome, steps=steps)
            if place < len(proposed) and token != proposed[place]:
                rows.forget([len(proposed) - place])
                break
        # Never more than the limit leaves room for: the ids that a pass judges, and the one behind them.
        proposed = list(draft.propose(row.ids)[: row.limit - len(row.ids) - 1])
        scores = rows.extend([[token, *proposed]]) if proposed else [rows.step([token])]
        steps += 1


def open_row(request: Request, context: int, clock: Callable[[], float] = time.monotonic) -> Row:
    """Begin the account of one answer. Raises InvalidValue where the prompt leaves no room in the context."""
    limit = min(request.max_new_tokens, context - len(request.prompt))
    if limit < 1:
        raise InvalidValue(
            f"the picture became {len(request.prompt)} tokens, more than the model's context of {context} leaves room "
            "for; ask for fewer tiles or pages, or for at least one new token"
        )
    ban = NgramBan(request.ban, request.prompt) if request.ban else None
    return Row(request, limit, ban, LoopWatch() if request.watch else None, clock)


def finish(running: Generator[tuple[int, int], None, list[Outcome]]) -> list[Outcome]:
    """Run a generation to its end; return the outcomes."""
    while True:
        try:
            next(running)
        except StopIteration as end:
            outcomes: list[Outcome] = end.value
            return outcomes
