"""The compiled kernels against PyTorch: products of all kinds of weights, the decoder, what they refuse, where they are absent."""

import ctypes
import platform
import shutil
from pathlib import Path

import pytest
import torch
from fast_kit import DECODERS, LINES, gap, network
from test_fast_decoder import LENGTHS, greedy, prompts, run

from got_ocr.errors import InvalidValue
from got_ocr.model.config import DecoderConfig
from got_ocr.model.fast import native_decoder, pick
from got_ocr.model.fast.decoder import FastDecoder
from got_ocr.model.fast.native_decoder import NativeDecoder
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel
from got_ocr.model.native import build, load
from got_ocr.model.native.pack import Arena, address, pack
from got_ocr.model.quant import quantise

needs_kernels = pytest.mark.skipif(
    load.library() is None,
    reason="no compiled kernels here: needs Linux, a C++ compiler when installing, AVX-512 with VNNI and BF16",
)
KINDS = ("float32", "bfloat16", "int8", "int4")
NEAR = {"float32": 1e-5, "bfloat16": 0.006, "int8": 0.03, "int4": 0.03}  # in parts of the result's root mean square


def product(
    weight: torch.Tensor, x: torch.Tensor, kind: str, bias: bool, threads: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multiply with the kernels, and with what the packed weights stand for in PyTorch."""
    made = quantise(weight, kind) if kind.startswith("int") else weight.to(getattr(torch, kind))
    dense = made.float() if isinstance(made, torch.Tensor) else made.dense()
    extra = [torch.linspace(-1, 1, len(weight))] if bias else []
    packed, out, kernels = pack([made], extra, Arena()), torch.empty(len(x), len(weight)), load.library()
    assert kernels is not None
    assert kernels.got_linear(ctypes.byref(packed.struct), address(x), len(x), address(out), threads, load.fork()) == 0
    return out, torch.nn.functional.linear(x, dense, extra[0] if extra else None)


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outs", [1, 31, 64, 300])
@pytest.mark.parametrize("ins", [1, 33, 64, 190])
def test_products_equal_those_of_pytorch(kind: str, outs: int, ins: int) -> None:
    draw = torch.Generator().manual_seed(outs * 1000 + ins)
    for rows in (1, 2, 5, 6, 7, 17):
        weight, x = torch.randn(outs, ins, generator=draw), torch.randn(rows, ins, generator=draw)
        got, wanted = product(weight, x, kind, rows % 2 == 0, 1 + rows % 2)
        assert (got - wanted).pow(2).mean().sqrt() <= NEAR[kind] * ins**0.5
        assert torch.isfinite(got).all()


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_any_size_keep_their_precision(kind: str) -> None:
    x = torch.randn(3, 96) * torch.tensor([[1e-12], [0.0], [1e12]])
    got, wanted = product(torch.randn(40, 96), x, kind, False, 2)
    assert ((got - wanted).abs().amax(1) <= 0.2 * x.abs().amax(1)).all()
    assert got[1].abs().max() == 0


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_number_stays_none(kind: str) -> None:
    x = torch.full((2, 64), torch.nan)
    x[1] = 1.0
    got, _ = product(torch.randn(40, 64), x, kind, False, 1)
    assert torch.isnan(got[0]).all()
    assert torch.isfinite(got[1]).all()


def native(plain: GotModel) -> GotModel:
    model = fast_model(plain)
    assert isinstance(model.decoder, NativeDecoder)
    return model


@needs_kernels
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("name", DECODERS)
def test_float32_scores_equal_the_plain_ones(name: str, lengths: list[int]) -> None:
    plain = network(LINES, DECODERS[name], 1)
    ids, sizes = prompts(plain, lengths, 1)
    steps = list(prompts(plain, [len(lengths)] * 6, 2)[0])
    with torch.inference_mode():
        for got, wanted in zip(run(native(plain), ids, sizes, steps), run(plain, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 1e-4


@needs_kernels
@pytest.mark.parametrize("width", [20, 64, 96, 256])
def test_heads_of_any_width(width: int) -> None:
    plain = network(LINES, DecoderConfig(vocab=50, width=2 * width, layers=2, heads=2, mlp=70, context=256), 3)
    ids, sizes = prompts(plain, [19, 35], 1)
    steps = list(prompts(plain, [2] * 3, 2)[0])
    with torch.inference_mode():
        for got, wanted in zip(run(native(plain), ids, sizes, steps), run(plain, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 1e-4


@needs_kernels
@pytest.mark.parametrize("lengths", [[1], [3, 8, 1, 5]], ids=str)
def test_float32_greedy_ids_are_equal(lengths: list[int]) -> None:
    plain = network(LINES, DECODERS["bundled"], 5)
    ids, sizes = prompts(plain, lengths, 5)
    with torch.inference_mode():
        assert torch.equal(greedy(native(plain), ids, sizes, 40), greedy(plain, ids, sizes, 40))


@needs_kernels
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_no_bit(threads: int) -> None:
    plain, before = network(LINES, DECODERS["bundled"], 6, torch.bfloat16), torch.get_num_threads()
    ids, sizes = prompts(plain, [30, 12, 25], 7)
    model = native(plain)
    with torch.inference_mode():
        wanted = run(model, ids, sizes, list(prompts(plain, [3] * 4, 8)[0]))
        torch.set_num_threads(threads)
        try:
            got = run(model, ids, sizes, list(prompts(plain, [3] * 4, 8)[0]))
        finally:
            torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(got, wanted, strict=True))


@needs_kernels
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_several_ids_at_once_are_steps_to_the_bit(dtype: torch.dtype) -> None:
    model = native(network(LINES, DECODERS["bundled"], 8, dtype))
    ids, sizes = prompts(model, [6, 3], 1)
    more = prompts(model, [5, 5], 2)[0]
    with torch.inference_mode():
        wanted = run(model, ids, sizes, list(more.T))[1:]
        cache = model.new_cache(2, 11)
        model.prefill(ids, sizes, None, cache)
        got = model.extend(more, cache, 11)
    assert cache.lengths.tolist() == [11, 8]
    assert torch.equal(got, torch.stack(wanted, 1))


@needs_kernels
def test_bfloat16_is_as_near_to_float32_as_the_plain_form() -> None:
    exact, half = (network(LINES, DECODERS["bundled"], 7, dtype) for dtype in (torch.float32, torch.bfloat16))
    ids, sizes = prompts(exact, [30, 12, 25], 7)
    steps = list(prompts(exact, [3] * 20, 8)[0])
    with torch.inference_mode():
        wanted = torch.stack(run(exact, ids, sizes, steps))
        errors = [(torch.stack(run(m, ids, sizes, steps)) - wanted).pow(2).mean() for m in (half, native(half))]
    assert errors[1] <= errors[0]


@needs_kernels
def test_a_view_of_a_larger_cache_serves() -> None:
    """Slots give some rows of a cache that is larger in both ways."""
    model = native(network(LINES, DECODERS["tiny"], 9, torch.bfloat16))
    ids, sizes = prompts(model, [4, 6], 1)
    with torch.inference_mode():
        cache, part = model.new_cache(5, 20), model.new_cache(0, 0)
        part.keys, part.values, part.lengths = cache.keys[:, 1:3], cache.values[:, 1:3], cache.lengths[1:3]
        got = model.prefill(ids, sizes, None, part), model.step(torch.tensor([1, 2]), part, 7)
        wanted = run(model, ids, sizes, [torch.tensor([1, 2])])
    assert torch.equal(torch.stack(got), torch.stack(wanted))
    assert cache.lengths.tolist() == [0, 5, 7, 0, 0]
    assert cache.keys[:, [0, 3, 4]].abs().max() == 0
    assert cache.keys[:, 1, :, 5:].abs().max() == 0


@needs_kernels
def test_what_would_be_written_outside_is_refused() -> None:
    model = native(network(LINES, DECODERS["tiny"], 10))
    ids, sizes = prompts(model, [4], 1)
    cache = model.new_cache(1, 4)
    with torch.inference_mode():
        model.prefill(ids, sizes, None, cache)
        with pytest.raises(InvalidValue, match="4 positions"):
            model.step(torch.tensor([1]), cache, 5)
        with pytest.raises(InvalidValue, match="rows"):
            model.step(torch.tensor([1]), model.new_cache(2, 9), 5)
        with pytest.raises(InvalidValue, match="ids"):
            model.decoder.embed(torch.tensor([64]))
        cache = model.new_cache(1, 9)
        cache.keys = cache.keys.double()
        with pytest.raises(InvalidValue, match="cache"):
            model.step(torch.tensor([1]), cache, 5)


def test_without_kernels_pytorch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_decoder, "library", lambda: None)
    assert isinstance(fast_model(network(LINES, DECODERS["tiny"], 11)).decoder, FastDecoder)
    assert pick.can_run(DECODERS["tiny"]) is False


def test_wide_heads_are_left_to_pytorch() -> None:
    assert not native_decoder.can_run(DecoderConfig(width=1024, heads=2))


def test_another_processor_gets_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "features", lambda: load.FEATURES - {"avx512_vnni"})
    assert load.library.__wrapped__() is None


def test_a_library_of_other_sources_is_not_taken(tmp_path: Path) -> None:
    kernels = shutil.copytree(build.KERNELS, tmp_path / "kernels")
    before = build.library_path(kernels)
    (kernels / "decoder.cpp").write_text("int changed;")
    assert build.library_path(kernels) != before
    assert before.parent == tmp_path


def test_no_compiler_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = shutil.copytree(build.KERNELS, tmp_path / "kernels")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert build.compile_library(kernels) is None


@pytest.mark.skipif(platform.system() != "Linux" or not shutil.which("c++"), reason="needs a C++ compiler on Linux")
def test_sources_that_do_not_compile_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "decoder.cpp").write_text("this is no C++")
    assert build.compile_library(tmp_path / "kernels") is None
    assert [path.name for path in tmp_path.iterdir()] == ["kernels"]
