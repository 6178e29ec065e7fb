"""The gate before an eight-bit cache: would the model have written the same ids with it? Knows no page and no text."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from got_ocr.model.gpu.got import GpuGot

LEAST = 0.99  # share of equal ids from which the eight-bit cache may be used


@dataclass(frozen=True, slots=True)
class Gate:
    """What a trial showed. agreement: share of ids chosen alike. gap: mean distance of scores, as a share of their spread."""

    agreement: float
    gap: float
    least: float = LEAST

    @property
    def open(self) -> bool:
        """Say whether the eight-bit cache may be used."""
        return self.agreement >= self.least


@torch.inference_mode()
def try_eight(model: GpuGot, prompts: Sequence[Sequence[int]], features: Tensor | None, count: int = 64) -> Gate:
    """Write `count` ids behind each prompt with the exact cache and score the same ids with the eight-bit one.

    features: all image tokens in order, (N, C). Every id is judged behind the exact cache's ids, so that one difference does
    not become many.
    """
    device, lengths = model.device, torch.tensor([len(prompt) for prompt in prompts])
    ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    x, lengths, rows = (
        model.embed(ids.to(device), features),
        lengths.to(device),
        torch.arange(len(prompts), device=device),
    )
    size = ids.shape[1] + count
    exact, eight = model.new_cache(len(prompts), size), model.new_cache(len(prompts), size, torch.float8_e4m3fn)
    pair = [model.steps.admit(x, lengths, cache, rows) for cache in (exact, eight)]
    equal, gaps = [], []
    for _ in range(count):
        chosen = pair[0].argmax(-1)
        equal.append(chosen == pair[1].argmax(-1))
        gaps.append((pair[0] - pair[1]).abs().mean() / pair[0].std())
        pair = [model.steps.advance(chosen, rows, cache).float() for cache in (exact, eight)]
        exact.lengths += 1
        eight.lengths += 1
    return Gate(float(torch.stack(equal).float().mean()), float(torch.stack(gaps).mean()))
