"""The CUDA backend, run on the CPU: an engine on slots that are written ahead writes what `generate` writes."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from got_ocr.backends.base import Slotted
from got_ocr.backends.cuda import CudaBackend, CudaSlots
from got_ocr.backends.torch import TorchBackend
from got_ocr.engine import Ended, Engine
from got_ocr.errors import NumericError
from got_ocr.generate import Outcome, Request, finish, generate
from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.ops import PLAIN


@pytest.fixture(scope="module")
def plain() -> GotModel:
    """Build a network whose greedy answers wander."""
    torch.set_num_threads(1)
    vision = VisionConfig((32, 128), (32, 8), 16, 2, 2, 24, (1, 8), (1,), 8, ((1, 1), (1, 2)))
    model = GotModel(GotConfig(vision, DecoderConfig(vocab=200, width=32, layers=2, heads=2, mlp=40, context=300), 199))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                scale = 0.1 if "embed" in name else value[0].numel() ** -0.5
                value.copy_(torch.randn(value.shape, generator=generator) * scale)
    return model.eval()


@pytest.fixture(scope="module")
def gpu(plain: GotModel) -> GpuGot:
    return GpuGot(plain, PLAIN)


def some(plain: GotModel, count: int) -> list[Request]:
    """Ask for answers of unequal lengths; every third one meets its end."""
    rng, requests = random.Random(1), []
    for number in range(count):
        prompt, ban = [rng.randrange(40) for _ in range(rng.randrange(1, 9))], rng.choice([0, 1, 2, 3])
        request = Request(prompt, [], -1, ban=ban, max_new_tokens=rng.randrange(4, 40))
        if number % 3 == 0:
            (outcome,) = finish(generate(TorchBackend(plain), [request]))
            request = replace(request, end=outcome.ids[len(outcome.ids) // 2])
        requests.append(request)
    return requests


def written(slots: CudaSlots, requests: list[Request]) -> list[Outcome]:
    engine = Engine(slots, 300)
    tickets, ends = [engine.submit(request) for request in requests], {}
    for _ in range(5000):
        if engine.idle:
            return [ends[ticket] for ticket in tickets]
        ends.update({e.ticket: e.outcome for e in engine.turn() if isinstance(e, Ended)})
    raise AssertionError("the engine came to no end")


@pytest.mark.parametrize("ahead", [1, 5])
def test_an_engine_writes_what_generate_writes(plain: GotModel, gpu: GpuGot, ahead: int) -> None:
    requests = some(plain, 9)
    wanted = [finish(generate(TorchBackend(plain), [request]))[0] for request in requests]
    assert written(CudaSlots(gpu, 4, ahead=ahead), requests) == wanted
    assert {outcome.status for outcome in wanted} >= {"ok", "truncated"}


def test_generate_runs_on_it_too(plain: GotModel, gpu: GpuGot) -> None:
    requests = some(plain, 5)
    assert finish(generate(CudaBackend(gpu), requests)) == finish(generate(TorchBackend(plain), requests))


def test_tiles_of_any_sizes_and_their_tokens(plain: GotModel, gpu: GpuGot) -> None:
    rng = np.random.default_rng(1)
    tiles = [rng.integers(0, 256, (3, 32, width), dtype=np.uint8) for width in (64, 128, 64, 32, 64)]
    ours, theirs = CudaBackend(gpu), TorchBackend(plain)
    seen, wanted = ours.encode(tiles), theirs.encode(tiles)
    assert ours.spec == theirs.spec
    for one, other in zip(seen, wanted, strict=True):
        assert (one.tokens - other).abs().max() <= 1e-5
    prompt = [1, *[199] * len(wanted[0]), 2, *[199] * len(wanted[1]), 3]
    asked = [Request(prompt, pair, -1, max_new_tokens=9) for pair in (seen[:2], wanted[:2])]
    (first,) = written(CudaSlots(gpu, 2), asked[:1])
    assert first == finish(generate(theirs, asked[1:]))[0]


def test_it_says_that_it_has_slots(gpu: GpuGot) -> None:
    backend = CudaBackend(gpu, ahead=2)
    assert isinstance(backend, Slotted)
    assert backend.slots(3).count == 3


def test_an_id_from_outside_is_appended_all_the_same(plain: GotModel, gpu: GpuGot) -> None:
    slots = CudaSlots(gpu, 1, ahead=4)
    (first,) = slots.admit(0, [1, 2, 3], [], 20).best({}).values()
    other = (int(first or 0) + 1) % 199
    token = next_id(slots, other)
    (wanted,) = finish(generate(TorchBackend(plain), [Request([1, 2, 3, other], [], -1, max_new_tokens=1)]))
    assert [token] == list(wanted.ids)


def next_id(slots: CudaSlots, token: int) -> int | None:
    for _ in range(5):
        found = slots.step({0: token}).best({})
        if 0 in found:
            return found[0]
    raise AssertionError("no id came")


def test_no_numbers_are_one_answers_affair(plain: GotModel) -> None:
    broken = GotModel(plain.config)
    broken.load_state_dict(plain.state_dict())
    with torch.no_grad():
        broken.decoder.embed.weight[77] = torch.nan
    bad, good = Request([77], [], -1, max_new_tokens=5), Request([3], [], -1, max_new_tokens=5)
    requests = [good, bad, good]
    gpu = GpuGot(broken.eval(), PLAIN)
    # The head is the embedding: one row of it that is no number makes every score's best one no number, so look at the errors.
    outcomes = written(CudaSlots(gpu, 2), requests)
    assert all(isinstance(outcome.error, NumericError) for outcome in outcomes)
    assert [outcome.ids for outcome in outcomes] == [(), (), ()]
