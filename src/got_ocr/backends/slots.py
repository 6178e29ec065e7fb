"""Many requests in one cache, for any network of `prefill` and `step`. Knows no prompt text and no rule on ids.

The live requests are the first rows of the cache, so that a step costs nothing for free slots; a row that becomes free is
filled by the next request or by the last row. Rows and positions of the cache grow as they are needed.

Of the network it takes: `new_cache(rows, size)` with `keys`, `values` (L, B, H, S, D) and `lengths` (B,); `prefill` and `step`
that take a view of its first rows; and that nothing behind a row's length changes its scores as long as it is finite.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import copy

import torch
from torch import Tensor

from got_ocr.errors import OutOfMemory
from got_ocr.model.decoder import Cache
from got_ocr.model.got import GotModel

FIRST_ROWS = 8  # rows that a new cache has; they double
# Positions by which a cache grows: at least so many, and this part of what it needs. Moving costs as much as some steps, since
# the system hands new memory out page by page; but PyTorch's own bfloat16 step reads a cache as a whole.
LEAST_MORE = 64
SHARE_MORE = 2
TOO_LARGE = 2  # times what is good: then it shrinks


class TorchSlots:
    """Slots over one static cache."""

    def __init__(self, model: GotModel, count: int) -> None:
        self.count = count
        self._model = model
        self._cache = model.new_cache(0, 0)
        self._slots: list[int | None] = []  # of the first rows; None: freed since the last step
        self._lengths: list[int] = []  # of the same rows
        self._written: list[int] = []  # of every row of the cache: positions behind these are zero

    @torch.inference_mode()
    def admit(self, slot: int, prompt: Sequence[int], features: Sequence[Tensor], room: int) -> "TorchSlotScores":
        """Read a prompt into a free row. Its room is found step by step."""
        row, length, device = self._free_row(), len(prompt), self._model.device
        self._reserve(row + 1, length + 1)
        self._clear(row, length)
        ids = torch.tensor([list(prompt)], dtype=torch.long, device=device)
        lengths = torch.tensor([length], device=device)
        tokens = torch.cat(list(features)) if features else None
        logits = self._model.prefill(ids, lengths, tokens, _rows(self._cache, row, row + 1))
        self._slots[row : row + 1], self._lengths[row : row + 1] = [slot], [length]
        return TorchSlotScores(logits, [slot])

    @torch.inference_mode()
    def step(self, ids: Mapping[int, int]) -> "TorchSlotScores":
        """Append one id to each slot."""
        self._compact()
        slots = [slot for slot in self._slots if slot is not None]
        reach = max(self._lengths) + 1
        self._reserve(len(slots), reach)
        chosen = torch.tensor([ids[slot] for slot in slots], device=self._model.device)
        logits = self._model.step(chosen, _rows(self._cache, 0, len(slots)), reach)
        self._lengths = [length + 1 for length in self._lengths]
        self._written[: len(slots)] = self._lengths
        return TorchSlotScores(logits, slots)

    def retire(self, slot: int) -> None:
        """Free a slot; its row is cleared when it is needed."""
        self._slots[self._slots.index(slot)] = None

    def _free_row(self) -> int:
        return self._slots.index(None) if None in self._slots else len(self._slots)

    def _clear(self, row: int, length: int) -> None:
        """Clear what is written behind `length`: hidden positions weigh nothing, but nothing times NaN is NaN."""
        for part in (self._cache.keys, self._cache.values):
            part[:, row, :, length : self._written[row]] = 0
        self._written[row] = length

    def _compact(self) -> None:
        """Move the last rows into free ones."""
        while None in self._slots:
            last, slot, length = len(self._slots) - 1, self._slots.pop(), self._lengths.pop()
            if slot is None:
                continue
            row = self._slots.index(None)
            self._clear(row, length)
            for part in (self._cache.keys, self._cache.values):
                part[:, row, :, :length] = part[:, last, :, :length]
            self._cache.lengths[row] = length
            self._slots[row], self._lengths[row] = slot, length

    def _reserve(self, rows: int, size: int) -> None:
        """Move to another cache where this one is too small, or has become far too large."""
        old, have, live = self._cache, len(self._written), len(self._slots)
        filled = max((n for n, slot in zip(self._lengths, self._slots, strict=True) if slot is not None), default=0)
        least = max(size, filled)
        good = min(least + max(LEAST_MORE, least // SHARE_MORE), max(least, self._model.config.decoder.context))
        long = old.size if least <= old.size <= TOO_LARGE * good else good
        wide = have if rows <= have else max(rows, min(self.count, max(2 * have, FIRST_ROWS)))
        if (wide, long) == (have, old.size):
            return
        try:
            new = self._model.new_cache(wide, long)
        except RuntimeError:  # how PyTorch says it, on every device
            raise OutOfMemory(
                f"there is not enough memory for {rows} answers at once; read fewer pages together"
            ) from None
        new.keys[:, :live, :, :filled] = old.keys[:, :live, :, :filled]
        new.values[:, :live, :, :filled] = old.values[:, :live, :, :filled]
        new.lengths[:live] = old.lengths[:live]
        self._cache = new
        self._written = [min(written, filled) for written in self._written[:live]] + [0] * (wide - live)


class TorchSlotScores:
    """The scores of the next id for some slots: (B, W)."""

    def __init__(self, logits: Tensor, slots: Sequence[int]) -> None:
        self._logits = logits
        self._slots = slots

    @torch.inference_mode()
    def best(self, banned: Mapping[int, Collection[int]]) -> dict[int, int | None]:
        """Choose each slot's best id outside its banned ones; None for scores that are no numbers."""
        return dict(zip(self._slots, choose(self._logits, [banned.get(slot, ()) for slot in self._slots]), strict=True))


def choose(logits: Tensor, banned: Sequence[Collection[int]]) -> list[int | None]:
    """Choose each row's best id outside its banned ones, whose scores are overwritten; None for scores that are no numbers."""
    for row, ids in enumerate(banned):
        if ids:
            logits[row, list(ids)] = -torch.inf
    values, chosen = logits.max(-1)
    sound = torch.isfinite(values).tolist()
    return [token if good else None for token, good in zip(chosen.tolist(), sound, strict=True)]


def _rows(cache: Cache, first: int, last: int) -> Cache:
    """Give a view of some rows of a cache."""
    view = copy(cache)
    view.keys, view.values = cache.keys[:, first:last], cache.values[:, first:last]
    view.lengths = cache.lengths[first:last]
    return view
