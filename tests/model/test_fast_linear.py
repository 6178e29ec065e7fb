"""Packed linear maps against `F.linear`, and what happens where PyTorch cannot pack."""

import pytest
import torch
import torch.nn.functional as F

from got_ocr.model.fast import linear
from got_ocr.model.fast.linear import can_pack, pack

SHAPES = [(1, 1, 1), (1, 7, 5), (3, 64, 33), (16, 192, 576), (287, 30, 111), (1030, 96, 24)]


def must_pack(dtype: torch.dtype) -> None:
    if not can_pack(dtype):
        pytest.skip("this PyTorch has no packed weights")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_packed_maps_equal_plain_ones(shape: tuple[int, int, int], biased: bool, dtype: torch.dtype) -> None:
    must_pack(dtype)
    rows, i, o = shape
    generator = torch.Generator().manual_seed(rows * i + o)
    x = torch.randn(rows, i, generator=generator).to(dtype)
    weight = (torch.randn(o, i, generator=generator) * i**-0.5).to(dtype)
    bias = torch.randn(o, generator=generator).to(dtype) if biased else None
    made = pack(weight, bias, packed=True)
    close = 1e-5 if dtype is torch.float32 else 0.05
    assert (made(x) - F.linear(x, weight, bias)).abs().max() <= close
    assert (made.gelu(x) - F.gelu(F.linear(x, weight, bias))).abs().max() <= close
    assert made(x.view(1, rows, 1, i)).shape == (1, rows, 1, o)


def test_an_unpacked_map_is_exactly_the_plain_one() -> None:
    x, weight, bias = torch.randn(3, 8), torch.randn(5, 8), torch.randn(5)
    made = pack(weight, bias, packed=False)
    assert torch.equal(made(x), F.linear(x, weight, bias))
    assert torch.equal(made.gelu(x), F.gelu(F.linear(x, weight, bias)))


def test_a_packed_map_keeps_its_own_weight() -> None:
    must_pack(torch.float32)
    weight, bias, x = torch.ones(4, 4), torch.ones(4), torch.ones(1, 4)
    made = pack(weight, bias, packed=True)
    weight.zero_()
    bias.zero_()
    assert made(x).tolist() == [[5.0] * 4]


def test_a_format_without_packing_falls_back() -> None:
    assert not can_pack(torch.float64)
    assert not pack(torch.ones(2, 2, dtype=torch.float64)).packed


def test_absent_operators_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise AttributeError

    can_pack.cache_clear()
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", gone, raising=False)
    try:
        assert not can_pack(torch.float32)
        assert not pack(torch.ones(2, 2)).packed
    finally:
        monkeypatch.undo()
        can_pack.cache_clear()


def test_operators_that_compute_something_else_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    must_pack(torch.float32)
    can_pack.cache_clear()
    monkeypatch.setattr(linear.Linear, "gelu", lambda self, x: F.relu(self(x)) if self.packed else F.gelu(self(x)))
    try:
        assert not can_pack(torch.float32)
    finally:
        monkeypatch.undo()
        can_pack.cache_clear()
