"""Rules on ids: what may not come next, and when an answer has begun to run in circles. Knows no model and no text.

Every rule costs a constant time for each id, however long the answer is.
"""

from collections.abc import Iterable, Sequence

import numpy as np

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
    """Notice when the last ids repeat with some period up to PERIODS, long enough to be no table, dot leader or score."""

    def __init__(self) -> None:
        self._recent = np.full(PERIODS, -1, dtype=np.int64)  # the newest id last
        self._matched = np.zeros(
            PERIODS, dtype=np.int64
        )  # for period p at p - 1: ids in a row equal to the one p before
        self._enough = (REPEATS - 1) * np.arange(1, PERIODS + 1) + SLACK

    def push(self, token: int) -> int:
        """Note one id; return 0, or how many of the last ids only repeat what stands before them."""
        same = self._recent[::-1] == token
        self._matched = np.where(same, self._matched + 1, 0)
        self._recent = np.append(self._recent[1:], token)
        looping = np.flatnonzero(self._matched >= self._enough)
        return int(self._matched[looping[0]]) if looping.size else 0
