"""The GPU's form of the network, on the CPU, against the plain one: features, scores, ids, eight-bit caches, what is chosen where."""

from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from fast_kit import DECODERS, LINES, VISIONS, gap, network, pixels
from test_fast_decoder import greedy, prompts, run

from got_ocr.model.fast.pick import FastGot, fast_model
from got_ocr.model.got import GotModel
from got_ocr.model.gpu import choose as chooser
from got_ocr.model.gpu.choose import choose, prove
from got_ocr.model.gpu.decoder import GpuDecoder
from got_ocr.model.gpu.gate import Gate, try_eight
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.ops import PLAIN

LENGTHS = [[1], [4, 4, 4], [3, 8, 1, 5]]


def form(plain: GotModel) -> GpuGot:
    with torch.no_grad():
        return GpuGot(plain, PLAIN).eval()


@pytest.mark.parametrize("name", VISIONS)
def test_features_equal_the_plain_ones(name: str) -> None:
    plain, tiles = network(VISIONS[name], DECODERS["tiny"], 1), pixels(2, *VISIONS[name].image, 3)
    with torch.inference_mode():
        assert gap(form(plain).encode(tiles), plain.encode(tiles)) <= 1e-4


@pytest.mark.slow
def test_layers_may_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch traces the layers around the kernel; what its compiler then makes of them is its own affair."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    plain, tiles = network(VISIONS["padded windows"], DECODERS["tiny"], 1), pixels(2, 128, 128, 3)
    with torch.inference_mode():
        assert gap(GpuGot(plain, PLAIN, compiled=True).encode(tiles), plain.encode(tiles)) <= 1e-4


def test_smaller_tiles_and_many_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, tiles = network(LINES, DECODERS["tiny"], 2), pixels(5, 32, 96, 3)
    monkeypatch.setattr("got_ocr.model.gpu.vision.TILES_AT_ONCE", 2)
    with torch.inference_mode():
        assert gap(form(plain).encode(tiles), plain.encode(tiles)) <= 1e-4


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("name", DECODERS)
def test_scores_equal_the_plain_ones(name: str, lengths: list[int]) -> None:
    plain = network(LINES, DECODERS[name], 1)
    ids, sizes = prompts(plain, lengths, 1)
    steps = list(prompts(plain, [len(lengths)] * 6, 2)[0])
    with torch.inference_mode():
        for got, wanted in zip(run(form(plain), ids, sizes, steps), run(plain, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 1e-4


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_greedy_ids_are_equal(lengths: list[int]) -> None:
    plain = network(LINES, DECODERS["bundled"], 5)
    ids, sizes = prompts(plain, lengths, 5)
    with torch.inference_mode():
        assert torch.equal(greedy(form(plain), ids, sizes, 40), greedy(plain, ids, sizes, 40))


def test_bfloat16_scores_are_as_near_to_float32_as_the_plain_ones() -> None:
    exact, half = (network(LINES, DECODERS["bundled"], 7, dtype) for dtype in (torch.float32, torch.bfloat16))
    ids, sizes = prompts(exact, [30, 12, 25], 7)
    steps = list(prompts(exact, [3] * 20, 8)[0])
    with torch.inference_mode():
        wanted = torch.stack(run(exact, ids, sizes, steps))
        errors = [(torch.stack(run(m, ids, sizes, steps)) - wanted).pow(2).mean() for m in (half, form(half))]
    assert errors[1] <= 1.25 * errors[0]


def test_several_ids_at_once_and_back_again() -> None:
    plain = network(LINES, DECODERS["tiny"], 3)
    gpu = form(plain)
    ids, sizes = prompts(plain, [5, 3], 1)
    more = prompts(plain, [4, 4], 2)[0]
    with torch.inference_mode():
        pair = []
        for model in (plain, gpu):
            cache = model.new_cache(2, 16)
            model.prefill(ids, sizes, None, cache)
            first = model.extend(more, cache, 9)
            cache.lengths -= 2
            pair.append((first, model.step(more[:, 2], cache, 8)))
        assert gap(pair[1][0], pair[0][0]) <= 1e-4
        assert gap(pair[1][1], pair[0][1]) <= 1e-4
        assert gap(pair[1][1], pair[1][0][:, 2]) <= 1e-4


def test_an_image_goes_into_the_prompt() -> None:
    plain = network(LINES, DECODERS["bundled"], 11)
    ids, sizes = prompts(plain, [9, 7], 3)
    ids[0, 2:5] = ids[1, 1:3] = plain.config.image_token
    with torch.inference_mode():
        pair = [m.prefill(ids, sizes, torch.ones(5, 192), m.new_cache(2, 9)) for m in (plain, form(plain))]
    assert gap(pair[1], pair[0]) <= 1e-4


def test_rotary_tables_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("got_ocr.model.gpu.decoder.FIRST_POSITIONS", 4)
    plain = network(LINES, DECODERS["tiny"], 14)
    ids, sizes = prompts(plain, [3, 2], 1)
    steps = list(prompts(plain, [2] * 8, 2)[0])
    with torch.inference_mode():
        for got, wanted in zip(run(form(plain), ids, sizes, steps), run(plain, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 1e-4


@torch.inference_mode()
def test_eight_bit_caches_are_near_and_cost_a_gate() -> None:
    plain = network(LINES, DECODERS["bundled"], 5)
    gpu = form(plain)
    ids, sizes = prompts(plain, [12, 7], 5)
    steps = list(prompts(plain, [2] * 5, 2)[0])
    exact = run(gpu, ids, sizes, steps)
    cache = gpu.new_cache(2, 17, torch.float8_e4m3fn)
    narrow = [gpu.prefill(ids, sizes, None, cache)] + [
        gpu.step(step, cache, 13 + i) if i % 2 == 0 else gpu.extend(step[:, None], cache, 13 + i)[:, 0]
        for i, step in enumerate(steps)
    ]
    assert torch.equal(narrow[0], exact[0])  # a prompt reads its own keys and values
    differences = [gap(got, wanted) / float(wanted.std()) for got, wanted in zip(narrow[1:], exact[1:], strict=True)]
    assert 0 < max(differences) < 1
    gate = try_eight(gpu, [[1, 2, 3], [4, 5, 6, 7]], None, 12)
    assert 0 < gate.gap < 0.2
    assert gate.agreement >= 0.5
    assert not Gate(0.98, 0.1).open
    assert Gate(0.99, 0.1).open


def test_without_a_gpu_everything_is_pytorchs_and_the_cpu_keeps_its_own_form() -> None:
    plain = network(LINES, DECODERS["tiny"], 1)
    assert choose(plain.config, torch.device("cpu"), torch.float32).ops is PLAIN
    assert isinstance(fast_model(plain), FastGot)


def test_cuda_gets_the_gpus_form(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = network(LINES, DECODERS["tiny"], 1)
    monkeypatch.setattr(GotModel, "device", SimpleNamespace(type="cuda"))
    monkeypatch.setattr("got_ocr.model.fast.pick.choose", lambda *_: SimpleNamespace(ops=PLAIN))
    assert isinstance(fast_model(plain), GpuGot)


@pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton (pip install triton)")
def test_kernels_that_fail_their_trial_are_left_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import gpu_kit

    gpu_kit.interpreted()
    from got_ocr.model.gpu import launch

    def broken(*_: Any) -> None:
        raise RuntimeError("out of resources")

    def wrong(qkv: torch.Tensor, *rest: Any) -> torch.Tensor:
        return PLAIN.attend(qkv, *rest) * 1.2

    # The kernels themselves are slow here and tested elsewhere: two stand for all.
    form = launch.TRITON
    made = chooser.replace(
        form,
        take=broken,
        attend=wrong,
        project=lambda *p: PLAIN.project(*p),
        relative_attention=PLAIN.relative_attention,
    )
    monkeypatch.setattr(launch, "TRITON", made)
    choice = prove(network(LINES, DECODERS["tiny"], 1).config, torch.device("cpu"), torch.float32)
    assert choice.ops.take is PLAIN.take
    assert choice.ops.attend is PLAIN.attend
    assert choice.ops.project is made.project
    assert choice.ops.ban is form.ban
    assert [reason.split(":")[0] for reason in choice.left_out] == ["attend", "take"]
    assert "RuntimeError" in choice.left_out[1]
    assert "off by 0.2" in choice.left_out[0]


def test_the_decoder_says_which_kernels_run() -> None:
    assert cast(GpuDecoder, form(network(LINES, DECODERS["tiny"], 1)).decoder).ops.name == "PyTorch"
