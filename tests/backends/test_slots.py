"""Slots over one cache: the scores of rows alone, whatever grows, shrinks, moves, or was broken before."""

from typing import Any

import pytest
import torch
from torch import Tensor

from got_ocr.backends import slots as module
from got_ocr.backends.base import Slotted
from got_ocr.backends.slots import TorchSlots, choose
from got_ocr.errors import OutOfMemory
from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel

VISION = VisionConfig((64, 64), (16, 16), 16, 1, 2, 24, (2, 2), (0,), 8)
DECODER = DecoderConfig(vocab=200, width=32, layers=2, heads=4, mlp=40, context=400)


@pytest.fixture(scope="module", params=["plain", "fast", "packed"])
def model(request: pytest.FixtureRequest) -> GotModel:
    torch.set_num_threads(1)
    built, draw = GotModel(GotConfig(VISION, DECODER, image_token=199)).eval(), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, value in built.named_parameters():
            value.copy_(torch.randn(value.shape, generator=draw) * 0.4 + float("norm" in name and value.dim() == 1))
    return built if request.param == "plain" else fast_model(built, packed=True if request.param == "packed" else None)


def prompt(length: int, seed: int) -> list[int]:
    return torch.randint(0, 190, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


@torch.inference_mode()
def alone(model: GotModel, ids: list[int], steps: list[int]) -> list[Tensor]:
    """Score a prompt and each id after it in a cache of its own."""
    cache = model.new_cache(1, len(ids) + len(steps))
    scores = [model.prefill(torch.tensor([ids]), torch.tensor([len(ids)]), None, cache)]
    scores += [model.step(torch.tensor([s]), cache, len(ids) + i + 1) for i, s in enumerate(steps)]
    return [row[0] for row in scores]


def near(got: Tensor, wanted: Tensor) -> bool:
    return bool((got - wanted).abs().max() <= 1e-4)


def test_it_is_what_the_engine_looks_for(whole: Any) -> None:
    assert isinstance(whole.backend, Slotted)
    assert isinstance(whole.backend.slots(3), TorchSlots)


@pytest.mark.parametrize("first_rows", [1, 4])
def test_scores_equal_those_of_rows_alone(model: GotModel, first_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come and go at random; every score is compared."""
    monkeypatch.setattr(module, "FIRST_ROWS", first_rows)
    monkeypatch.setattr(module, "LEAST_MORE", 3)
    slots, rng = TorchSlots(model, 5), torch.Generator().manual_seed(first_rows)
    live: dict[int, tuple[list[int], list[int], list[Tensor]]] = {}
    compared, sizes = 0, set()

    def end(slot: int) -> int:
        ids, steps, scores = live.pop(slot)
        slots.retire(slot)
        assert all(near(a, b) for a, b in zip(scores, alone(model, ids, steps), strict=True))
        return len(scores)

    for turn in range(120):
        draw = torch.randint(0, 1000, (4,), generator=rng).tolist()
        free = [slot for slot in range(5) if slot not in live]
        if free and draw[0] < 300:
            ids = prompt(1 + draw[1] % (120 if draw[2] < 200 else 20), turn)
            slot = free[draw[3] % len(free)]
            live[slot] = (ids, [], [slots.admit(slot, ids, [], 50)._logits[0]])
        if live and draw[0] > 850:
            compared += end(sorted(live)[draw[3] % len(live)])
        if live:
            chosen = {slot: (7 * turn + slot) % 190 for slot in live}
            found = slots.step(chosen)
            for slot, scores in zip(found._slots, found._logits, strict=True):
                live[slot][1].append(chosen[slot])
                live[slot][2].append(scores)
        sizes.add((slots._cache.size, slots._cache.lengths.shape[0]))
    compared += sum(end(slot) for slot in list(live))
    assert compared > 200
    assert len({size for size, _ in sizes}) > 4
    assert max(rows for _, rows in sizes) <= 5


@torch.inference_mode()
def test_what_was_broken_leaves_no_trace(model: GotModel) -> None:
    """A row full of NaN is an affair of its own, and the next request in its place is well."""
    slots = TorchSlots(model, 3)
    for slot in range(3):
        slots.admit(slot, prompt(4 + slot, slot), [], 50)
    slots._cache.keys[:, 0, :, :4] = slots._cache.values[:, 0, :, :4] = torch.nan
    best = slots.step({0: 1, 1: 2, 2: 3}).best({})
    assert best[0] is None
    assert None not in (best[1], best[2])
    slots.retire(0)
    again = slots.admit(0, prompt(2, 9), [], 50)._logits[0]
    stepped = slots.step({0: 1, 1: 2, 2: 3})
    row = stepped._logits[list(stepped._slots).index(0)]
    expected = alone(model, prompt(2, 9), [1])
    assert near(again, expected[0])
    assert near(row, expected[1])
    slots.retire(0)  # the last row moves over the broken one's place
    assert None not in slots.step({1: 2, 2: 3}).best({}).values()


def test_an_admission_that_fails_leaves_the_others_as_they_were(model: GotModel) -> None:
    from got_ocr.errors import ModelError

    slots = TorchSlots(model, 2)
    first = slots.admit(0, prompt(5, 1), [], 50)._logits[0]
    with pytest.raises(ModelError):
        slots.admit(1, [3, 199, 4], [torch.zeros(2, 32)], 50)  # one place, two image tokens
    second = slots.step({0: 8})._logits[0]
    expected = alone(model, prompt(5, 1), [8])
    assert near(first, expected[0])
    assert near(second, expected[1])
    slots.admit(1, prompt(3, 2), [], 50)


def test_memory_follows_what_is_under_way(model: GotModel) -> None:
    slots = TorchSlots(model, 64)
    slots.admit(9, prompt(10, 1), [], 5000)
    assert slots._cache.keys.shape[1] == module.FIRST_ROWS
    assert slots._cache.size <= 10 + 1 + module.LEAST_MORE
    slots.admit(3, prompt(300, 2), [], 50)
    long = slots._cache.size
    slots.retire(3)
    slots.step({9: 1})
    assert slots._cache.size < long / 2
    for slot in range(20, 40):
        slots.admit(slot, prompt(5, slot), [], 50)
    assert slots._cache.keys.shape[1] <= 32


def test_no_memory_is_told_and_the_others_go_on(model: GotModel, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = TorchSlots(model, 9)
    slots.admit(0, prompt(5, 1), [], 50)

    def full(rows: int, size: int) -> None:
        raise RuntimeError("not enough memory: you tried to allocate 0x7f00 bytes")

    with monkeypatch.context() as patch:
        patch.setattr(model, "new_cache", full)
        with pytest.raises(OutOfMemory, match="fewer pages"):
            slots.admit(1, prompt(200, 2), [], 50)
    assert near(slots.step({0: 8})._logits[0], alone(model, prompt(5, 1), [8])[1])


def test_rows_are_read_no_further_than_the_context(model: GotModel) -> None:
    slots = TorchSlots(model, 1)
    slots.admit(0, prompt(DECODER.context - 2, 1), [], 2)
    slots.step({0: 1})
    slots.step({0: 2})
    assert slots._cache.size == DECODER.context


def test_choosing() -> None:
    nan, inf = torch.nan, torch.inf
    logits = torch.tensor([[1.0, 3.0, 2.0], [nan, 1.0, 2.0], [1.0, inf, 0.0], [-inf, -inf, -inf], [5.0, 6.0, 7.0]])
    assert choose(logits, [[1], [], [], [], [0, 2]]) == [2, None, None, None, 1]
