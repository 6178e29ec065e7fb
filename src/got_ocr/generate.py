"""Prompts + image tokens -> ids: the plain definition. Prefill, then step after step until every row has ended.

Rows are independent: what one holds changes nothing in another. Knows no picture, no text and no prompt wording.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from got_ocr.backends.base import Backend, Features
from got_ocr.errors import InvalidValue
from got_ocr.reading import Status
from got_ocr.sampling import LoopWatch, NgramBan

MAX_NEW_TOKENS = 4096  # as the original generates at most


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to write. ban: n-gram length that may not repeat (0: none). watch: stop loops."""

    prompt: Sequence[int]
    features: Sequence[Features]
    end: int
    ban: int = 0
    watch: bool = True
    max_new_tokens: int = MAX_NEW_TOKENS


@dataclass(frozen=True, slots=True)
class Outcome:
    """ids: the answer without its end, loops cut back to one period. written: ids that the model wrote in all."""

    ids: tuple[int, ...]
    status: Status
    written: int


@dataclass(slots=True)
class _Row:
    """One request under way."""

    request: Request
    ban: NgramBan | None
    watch: LoopWatch | None
    ids: list[int] = field(default_factory=list)
    outcome: Outcome | None = None

    def push(self, token: int, limit: int) -> bool:
        """Take the next id; return whether it is part of the answer."""
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
        elif written >= limit:
            self.outcome = Outcome(tuple(self.ids), "truncated", written)
        return True


def generate(backend: Backend, requests: Sequence[Request]) -> Generator[tuple[int, int], None, list[Outcome]]:
    """Write the answers of some requests side by side; yield (row, id) as they come, return the outcomes.

    Greedy. Raises InvalidValue where a prompt leaves no room in the model's context, NumericError for scores that are no numbers.
    """
    if not requests:
        return []
    rows = [_open(request) for request in requests]
    limits = [min(r.max_new_tokens, backend.spec.context - len(r.prompt)) for r in requests]
    if min(limits) < 1:
        raise InvalidValue(
            f"the picture became {max(len(r.prompt) for r in requests)} tokens, more than the model's context of "
            f"{backend.spec.context} leaves room for; ask for fewer tiles or pages, or for at least one new token"
        )
    under_way = backend.start([r.prompt for r in requests], [r.features for r in requests], max(limits))
    scores = under_way.prefill()
    while True:
        tokens = scores.best([tuple(row.ban.banned()) if row.ban and not row.outcome else () for row in rows])
        for i, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            if row.outcome is None and row.push(token, limits[i]):
                yield i, token
        outcomes = [row.outcome for row in rows if row.outcome is not None]
        if len(outcomes) == len(rows):
            return outcomes
        scores = under_way.step(tokens)


def _open(request: Request) -> _Row:
    ban = NgramBan(request.ban, request.prompt) if request.ban else None
    return _Row(request, ban, LoopWatch() if request.watch else None)


def finish(running: Generator[tuple[int, int], None, list[Outcome]]) -> list[Outcome]:
    """Run a generation to its end; return the outcomes."""
    while True:
        try:
            next(running)
        except StopIteration as end:
            outcomes: list[Outcome] = end.value
            return outcomes
