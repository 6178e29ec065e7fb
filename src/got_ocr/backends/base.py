"""What a backend is: something that encodes tiles and writes ids. The corridor knows only this.

Implementations keep their own arrays behind `Features`, `Scores`, `Rows` and `Slots`; nothing outside looks into them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from got_ocr.errors import NumericError
from got_ocr.spec import ModelSpec

Features = Any  # the image tokens of one tile, in the backend's own form
NO_NUMBERS = "the model's scores are not numbers; try dtype float32, or check the weights"  # what a NumericError says


class Scores(Protocol):
    """Hold the scores of the next id for some rows."""

    def best(self, banned: Sequence[Collection[int]]) -> list[int]:
        """Choose each row's best id outside its banned ones. Raises NumericError for scores that are no numbers."""
        ...


class Rows(Protocol):
    """Hold some requests under way, with their caches."""

    def prefill(self) -> Scores:
        """Read the prompts."""
        ...

    def step(self, ids: Sequence[int]) -> Scores:
        """Append one id to each row."""
        ...


@runtime_checkable
class Extending(Rows, Protocol):
    """Rows that also take several ids at once and give them back: what drafts need. An ability, not a duty."""

    @property
    def exact(self) -> bool:
        """Say whether scores of several ids at once choose what steps would; else drafts could change an answer."""
        ...

    def extend(self, ids: Sequence[Sequence[int]]) -> list[Scores]:
        """Append equally many ids to each row; give the scores after the first, the second and so on, each as `step` would."""
        ...

    def forget(self, counts: Sequence[int]) -> None:
        """Take back the last ids of each row, as if they had never been appended."""
        ...


class Backend(Protocol):
    """Compute. spec: of the loaded model."""

    @property
    def spec(self) -> ModelSpec:
        """Describe the model."""
        ...

    def encode(self, tiles: Sequence[NDArray[np.uint8]]) -> list[Features]:
        """Turn tiles, uint8 (3, H, W) of any sizes, into image tokens."""
        ...

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Features]], room: int) -> Rows:
        """Open rows for prompts with their image tokens, each with room for `room` more ids."""
        ...


class SlotScores(Protocol):
    """Hold the scores of the next id for some slots."""

    def best(self, banned: Mapping[int, Collection[int]]) -> dict[int, int | None]:
        """Choose each slot's best id outside its banned ones (a slot that is not named has none).

        None for a slot whose scores are no numbers: that is its own affair, and the others have their ids.
        """
        ...


class Slots(Protocol):
    """Hold up to `count` requests under way that come and go by themselves, in slots 0 to `count` - 1.

    What is demanded: a slot's ids depend on its own request alone, whatever stood in the slot before (scores that are no
    numbers, too), whatever the others hold, and whenever they come and go. An `admit` that raises leaves its slot free and the
    others as they were. Memory and time follow what is under way, not `count`.
    """

    @property
    def count(self) -> int:
        """Say how many requests can be under way."""
        ...

    def admit(self, slot: int, prompt: Sequence[int], features: Sequence[Features], room: int) -> SlotScores:
        """Read a prompt into a free slot that will get at most `room` ids."""
        ...

    def step(self, ids: Mapping[int, int]) -> SlotScores:
        """Append one id to each slot; `ids` names all slots that are not free.

        A backend that works ahead may leave slots out of its scores: they are asked again, with the same id. One that raises
        has appended nothing, and its slots can still be retired.
        """
        ...

    def retire(self, slot: int) -> None:
        """Free a slot."""
        ...


@runtime_checkable
class Slotted(Protocol):
    """A backend that steps many requests together as they come and go."""

    def slots(self, count: int) -> Slots:
        """Make slots, all free."""
        ...


def open_slots(backend: Backend, count: int) -> Slots:
    """Make the backend's slots; for one that has none, slots that are stepped one after another."""
    return backend.slots(count) if isinstance(backend, Slotted) else SingleRows(backend, count)


class SingleRows:
    """Slots for any backend: each holds rows of one. Correct, and no faster than one request after another."""

    def __init__(self, backend: Backend, count: int) -> None:
        self.count = count
        self._backend = backend
        self._rows: dict[int, Rows] = {}

    def admit(self, slot: int, prompt: Sequence[int], features: Sequence[Features], room: int) -> "SingleScores":
        """Read a prompt."""
        rows = self._backend.start([prompt], [features], room)
        scores = SingleScores({slot: rows.prefill()})
        self._rows[slot] = rows
        return scores

    def step(self, ids: Mapping[int, int]) -> "SingleScores":
        """Append one id to each slot."""
        return SingleScores({slot: self._rows[slot].step([token]) for slot, token in ids.items()})

    def retire(self, slot: int) -> None:
        """Free a slot."""
        del self._rows[slot]


class SingleScores:
    """Scores of rows of one, by slot."""

    def __init__(self, scores: Mapping[int, Scores]) -> None:
        self._scores = scores

    def best(self, banned: Mapping[int, Collection[int]]) -> dict[int, int | None]:
        """Choose each slot's best id."""
        return {slot: _best(scores, banned.get(slot, ())) for slot, scores in self._scores.items()}


def _best(scores: Scores, banned: Collection[int]) -> int | None:
    try:
        return scores.best([banned])[0]
    except NumericError:
        return None
