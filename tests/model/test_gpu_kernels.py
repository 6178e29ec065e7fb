"""The Triton kernels, run by Triton's interpreter, against their definitions in PyTorch; those against the plain network.

The interpreter multiplies no bfloat16 matrices and rounds some eight-bit numbers wrongly: what needs those is tested on a device
(`test_gpu_device.py`).
"""

import copy

import gpu_kit
import pytest
import torch
from gpu_kit import board, copied, draw, store
from torch import Tensor

from got_ocr.model.config import DecoderConfig
from got_ocr.model.decoder import rotary
from got_ocr.model.gpu import ops
from got_ocr.model.gpu.ops import Board, Ops, Projection
from got_ocr.model.vision import VisionAttention, merge_windows, split_windows
from got_ocr.sampling import NgramBan

GRIDS = [  # tiles, grid, window, heads, width of a head, how much larger the table is than the grid
    (1, (4, 4), None, 1, 8, 0),
    (2, (5, 7), None, 2, 12, 3),
    (1, (3, 20), None, 1, 16, 0),
    (1, (2, 66), None, 1, 16, 0),
    (2, (8, 8), (3, 3), 2, 8, 0),
    (1, (6, 6), (3, 3), 1, 8, 0),
    (1, (5, 6), (14, 14), 1, 16, 0),
    (1, (1, 20), (1, 8), 3, 8, 0),
]


def attention(grid: tuple[int, int], window: tuple[int, int] | None, heads: int, d: int, extra: int) -> VisionAttention:
    attn = VisionAttention(heads * d, heads, window or (grid[0] + extra, grid[1] + extra))
    for i, value in enumerate(attn.parameters()):
        value.data.copy_(
            draw(i, *value.shape) * (0.3 if value.dim() == 1 or value.shape[1] == d else (heads * d) ** -0.5)
        )
    return attn


@pytest.mark.parametrize("form", ["PyTorch", "Triton"])
@pytest.mark.parametrize(("tiles", "grid", "window", "heads", "d", "extra"), GRIDS, ids=str)
@torch.inference_mode()
def test_relative_attention_equals_the_plain_one(
    form: str, tiles: int, grid: tuple[int, int], window: tuple[int, int] | None, heads: int, d: int, extra: int
) -> None:
    used = ops.PLAIN if form == "PyTorch" else gpu_kit.interpreted()
    attn, x = attention(grid, window, heads, d, extra), draw(9, tiles, *grid, heads * d)
    wanted = attn(x) if window is None else merge_windows(attn(split_windows(x, window)), window, grid)
    tables = tuple(torch.cat((table, torch.full((1, d), torch.nan))) for table in (attn.rel_pos_h, attn.rel_pos_w))
    got = attn.proj(used.relative_attention(attn.qkv(x), attn.qkv.bias, (tables[0], tables[1]), window))
    assert (got - wanted).abs().max() <= 1e-5


def test_relative_attention_holds_in_half_precision() -> None:
    used, qkv, tables = gpu_kit.interpreted(), draw(1, 1, 4, 5, 3 * 16), (draw(2, 8, 16) * 0.2, draw(3, 10, 16) * 0.2)
    exact = ops.relative_attention(qkv, draw(4, 48), tables, (3, 3))
    half = used.relative_attention(qkv.half(), draw(4, 48).half(), (tables[0].half(), tables[1].half()), (3, 3))
    assert half.dtype == torch.float16
    assert (half.float() - exact).abs().max() <= 0.02


def test_blocks_of_the_fallback_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    qkv, tables = draw(1, 2, 6, 5, 3 * 16), (draw(2, 12, 8), draw(3, 10, 8))
    whole = ops.relative_attention(qkv, draw(4, 48), tables, None)
    for most in (1, 70, 400):
        monkeypatch.setattr(ops, "SCORES_AT_ONCE", most)
        assert (ops.relative_attention(qkv, draw(4, 48), tables, None) - whole).abs().max() <= 1e-5


def rope(size: int, d: int) -> tuple[Tensor, Tensor]:
    cos, sin = rotary(DecoderConfig(width=d, heads=1), torch.arange(size)[None])
    return cos[0, 0], sin[0, 0]


@pytest.mark.parametrize(
    ("rows", "heads", "size", "d", "lengths"),
    [([0], 1, 16, 16, [5]), ([2, 0, 1], 2, 40, 6, [39, 0, 7, 3]), ([2, 0, 1], 2, 300, 8, [290, 0, 130, 3])],
    ids=str,
)
def test_a_step_attends_in_parts(rows: list[int], heads: int, size: int, d: int, lengths: list[int]) -> None:
    """Unequal rows, an empty one, one that is full; rubbish behind every row."""
    used, made = gpu_kit.interpreted(), store(1, len(lengths), heads, size, d, torch.float32)
    for slot, length in enumerate(lengths):
        made.keys[slot, :, length:] = made.values[slot, :, length:] = torch.nan
    one, two = copied(made), copied(made)
    qkv, at, order = draw(4, len(rows), 3 * heads * d), torch.tensor(lengths), torch.tensor(rows)
    wanted = ops.attend(qkv, rope(size, d), one, order, at)
    got = used.attend(qkv, rope(size, d), two, order, at)
    assert torch.isfinite(wanted).all()
    assert (got - wanted).abs().max() <= 1e-5
    for mine, theirs in ((one.keys, two.keys), (one.values, two.values)):
        assert (mine - theirs).nan_to_num(0).abs().max() <= 1e-6
        assert torch.equal(mine.isnan(), theirs.isnan())  # nothing but the new position was written


def test_a_step_attends_over_eight_bit_numbers() -> None:
    """The new position lies on numbers that eight bits hold, since the interpreter rounds others wrongly."""
    used, made, d = gpu_kit.interpreted(), store(1, 2, 1, 150, 8, torch.float8_e4m3fn), 8
    one, two = copied(made), copied(made)
    qkv = ops.dequantise(*ops.quantise(draw(5, 2, 3, d))).view(2, 3 * d)
    still = torch.ones(150, d), torch.zeros(150, d)
    order, at = torch.tensor([1, 0]), torch.tensor([140, 3])
    wanted, got = ops.attend(qkv, still, one, order, at), used.attend(qkv, still, two, order, at)
    assert (got - wanted).abs().max() <= 1e-5
    assert torch.equal(one.keys.float(), two.keys.float())
    assert one.scales is not None
    assert two.scales is not None
    assert torch.equal(one.scales[1], two.scales[1])


def test_eight_bits_are_near() -> None:
    x = draw(1, 50, 64) * torch.logspace(-3, 3, 50)[:, None]
    back = ops.dequantise(*ops.quantise(x))
    assert ((back - x).abs() <= 0.066 * x.abs() + 1e-5 * x.abs().amax(1, keepdim=True)).all()
    assert torch.equal(ops.dequantise(*ops.quantise(torch.zeros(2, 8))), torch.zeros(2, 8))


@pytest.mark.parametrize("pairs", [1, 3, 16, 100, 5000])
@pytest.mark.parametrize("size", [1, 100, 1024, 32768])
def test_parts_are_a_power_of_two(pairs: int, size: int) -> None:
    gpu_kit.interpreted()
    from got_ocr.model.gpu import launch

    count = launch.parts(pairs, size)
    assert 1 <= count <= launch.PARTS
    assert count & (count - 1) == 0


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 9])
@pytest.mark.parametrize(
    ("ins", "outs", "norm", "bias", "gated"),
    [(16, 24, 0, 0, 0), (37, 11, 0, 1, 0), (30, 50, 1, 1, 0), (48, 20, 1, 0, 1), (1500, 9, 0, 0, 0)],
)
def test_maps_with_what_goes_with_them(rows: int, ins: int, outs: int, norm: int, bias: int, gated: int) -> None:
    used = gpu_kit.interpreted()
    linear = Projection(
        draw(1, outs * (1 + gated), ins) * ins**-0.5,
        draw(2, outs) if bias else None,
        draw(3, ins) if norm else None,
        1e-6,
        bool(gated),
    )
    x = draw(5, rows, ins)
    for residual in (None, draw(6, rows, outs)):
        assert (used.project(linear, x, residual) - ops.project(linear, x, residual)).abs().max() <= 1e-4


def banned(history: list[int], n: int) -> set[int]:
    return set(NgramBan(n, history).banned()) if n else set()


@pytest.mark.parametrize("form", ["PyTorch", "Triton"])
def test_the_ban_is_the_samplers(form: str) -> None:
    used = ops.PLAIN if form == "PyTorch" else gpu_kit.interpreted()
    rng = torch.Generator().manual_seed(3)
    met = 0
    for sizes in ([0, 1, 2, 3], [5, 3, 3, 2], [20, 2, 4, 1]):
        made = board(5, 60)
        made.history.copy_(torch.randint(0, 4, (5, 60), generator=rng))
        made.filled.copy_(torch.tensor([60, 31, 1, 2, 0]))
        made.bans[:4] = torch.tensor(sizes)
        scores = draw(1, 4, 7)
        used.ban(scores, made, torch.arange(4), max(sizes))
        for row, n in enumerate(sizes):
            past = made.history[row, : int(made.filled[row])].tolist()
            assert set(torch.nonzero(scores[row].isinf()).flatten().tolist()) == banned(past, n), (row, n)
            met += len(banned(past, n))
        before = scores.clone()
        used.ban(scores, made, torch.arange(4), 0)
        assert torch.equal(scores, before)
    assert met >= 5


def under_way() -> tuple[Board, Tensor, Tensor, Tensor, Tensor]:
    """Rows that end, that come to their limit, that see no number, that go on, and a spare one twice."""
    made = board(6, 6)
    made.live[1:5] = 1
    made.filled.copy_(torch.tensor([0, 2, 5, 3, 1, 4]))
    made.ends.fill_(9)
    made.limits.fill_(6)
    rows, chosen = torch.tensor([1, 2, 3, 4, 0, 0]), torch.tensor([9, 4, 5, 7, 8, 8])
    best = torch.tensor([1.0, 2.0, torch.nan, 0.5, 3.0, torch.inf])
    return made, rows, chosen, best, torch.tensor([0, 1, 4, 2, 0, 3])


@pytest.mark.parametrize("form", ["PyTorch", "Triton"])
def test_ids_are_written_down(form: str) -> None:
    used = ops.PLAIN if form == "PyTorch" else gpu_kit.interpreted()
    made, rows, chosen, best, lengths = under_way()
    used.take(made, rows, chosen, best, lengths)
    assert made.live.tolist() == [0, 0, 0, 0, 1, 0]
    assert made.wrong.tolist() == [0, 0, 0, 1, 0, 0]
    assert made.filled.tolist() == [0, 3, 6, 4, 2, 4]
    assert made.last.tolist() == [0, 9, 4, 5, 7, 0]
    assert lengths.tolist() == [0, 2, 5, 3, 1, 3]
    assert [made.history[row, at].item() for row, at in ((1, 2), (2, 5), (3, 3), (4, 1))] == [9, 4, 5, 7]
    # Who has ended stays as it is.
    after = copy.deepcopy((made, lengths))
    used.take(made, rows[:3], chosen[:3] + 1, best[:3], lengths)
    assert torch.equal(made.history, after[0].history)
    assert torch.equal(lengths, after[1])


def forms() -> list[Ops]:
    return [ops.PLAIN, gpu_kit.interpreted()]


def test_both_forms_offer_the_same_kernels() -> None:
    first, second = forms()
    assert (first.name, second.name) == ("PyTorch", "Triton")
    for name in ("relative_attention", "attend", "project", "ban", "take"):
        assert getattr(first, name) is not getattr(second, name)
