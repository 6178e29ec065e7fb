"""Rules on ids: what may not come next, and when an answer has begun to run in circles. Knows no model and no text.

Every rule costs a constant time for each id, however long the answer is, and most ids cost next to none.
"""

from collections import deque
from collections.abc import Iterable, Sequence

PERIODS = 128  # the longest loop that is watched for, in ids
REPEATS, SLACK = 4, 60  # a loop of period p is stopped within REPEATS * p + SLACK ids of its beginning


class NgramBan:
    """Forbid ids that would complete an n-gram seen before, as `no_repeat_ngram_size` does; the prompt counts.

    Source: the original demo (n = 20); generation rule of transformers.
    """

    def __init__(self, size: int, prompt: Sequence[int]) -> None:
        self._size = size
        self._followers: dict[tuple[int, ...], set[int]] = {}
        self._tail: tuple[int, ...] = ()
        for token in prompt:
            self.push(token)

    def push(self, token: int) -> None:
        """Note one id."""
        if len(self._tail) == self._size - 1:
            self._followers.setdefault(self._tail, set()).add(token)
        self._tail = (*self._tail, token)[-(self._size - 1) :] if self._size > 1 else ()

    def banned(self) -> Iterable[int]:
        """List the ids that may not come next."""
        if len(self._tail) < self._size - 1:
            return ()
        return self._followers.get(self._tail, ())


class LoopWatch:
    """Notice when the last ids repeat with some period up to PERIODS, long enough to be no table, dot leader or score.

    An endless loop has to stop within its bound, so a page that repeats exactly for longer (twenty empty rows of a form) is
    stopped too: up to there both are the same ids, and no rule on ids can tell them apart.
    """

    def __init__(self) -> None:
        self._count = 0
        self._places: dict[int, deque[int]] = {}  # of each id, the newest last
        self._matched: dict[int, int] = {}  # by period: ids in a row equal to the one a period before, where any are

    def push(self, token: int) -> int:
        """Note one id; return 0, or how many of the last ids only repeat what stands before them."""
        here, before = self._count, self._matched
        places = self._places.setdefault(token, deque(maxlen=PERIODS))
        while places and here - places[0] > PERIODS:
            places.popleft()
        self._matched = {here - place: before.get(here - place, 0) + 1 for place in reversed(places)}
        places.append(here)
        self._count += 1
        # Periods come from the shortest on: of several that fit, the shortest says what is kept.
        return next((n for period, n in self._matched.items() if n >= (REPEATS - 1) * period + SLACK), 0)
