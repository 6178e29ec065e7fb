"""Which form of each kernel runs where: Triton's on a CUDA device once a trial has shown that it is right there, else PyTorch's.

The trials run the sizes that the model will use, since a kernel is compiled for them. A kernel that cannot be compiled, that
needs more of a processor than there is, or that gives other numbers, is left out by itself; the rest stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec

import torch
from torch import Tensor

from got_ocr.model.config import DecoderConfig, GotConfig
from got_ocr.model.decoder import rotary
from got_ocr.model.gpu.ops import PLAIN, Board, Ops, Projection, Store, new_board, quantise

# Largest relative error of a trial: both forms round, in different places.
CLOSE = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}

Trial = Callable[[Ops], Tensor]


@dataclass(frozen=True, slots=True)
class Choice:
    """Say what was chosen. ops: what to run. left_out: kernels whose trial failed, with the reason."""

    ops: Ops
    left_out: tuple[str, ...]


@lru_cache(maxsize=8)
def choose(config: GotConfig, device: torch.device, dtype: torch.dtype) -> Choice:
    """Try every kernel on a device, at a model's sizes. Without Triton or CUDA everything is PyTorch's."""
    if device.type != "cuda" or dtype not in CLOSE or find_spec("triton") is None:
        return Choice(PLAIN, ())
    return prove(config, device, dtype)


def prove(config: GotConfig, device: torch.device, dtype: torch.dtype) -> Choice:
    """Hold each Triton kernel against PyTorch's on random numbers; keep those that agree."""
    try:
        from got_ocr.model.gpu.launch import TRITON
    except (ImportError, RuntimeError) as error:  # a Triton of another age, or one without its compiler
        return Choice(PLAIN, (f"all: {type(error).__name__}",))
    ops, left_out = PLAIN, []
    for name, trials in _trials(config, device, dtype).items():
        reason = next(filter(None, (_differs(trial, TRITON, CLOSE[dtype]) for trial in trials)), None)
        if reason is None:
            ops = replace(ops, **{name: getattr(TRITON, name)})
        else:
            left_out.append(f"{name}: {reason}")
    return Choice(replace(ops, name="Triton"), tuple(left_out))


def _differs(trial: Trial, form: Ops, close: float) -> str | None:
    """Run a trial in both forms; give the reason why the tried one cannot be used, or None."""
    try:
        got, wanted = trial(form).float(), trial(PLAIN).float()
    except Exception as error:  # whatever a compiler or a driver raises: the plain form is always there
        return type(error).__name__
    finite = wanted.isfinite()
    if not torch.equal(got.isfinite(), finite):
        return "infinite or no number where it should not be"
    gap = (got - wanted)[finite].abs().max().item()
    size = wanted[finite].abs().max().clamp_min(1e-6).item()
    return None if gap <= close * size else f"off by {gap / size:.2g} of the largest number"


def _trials(config: GotConfig, device: torch.device, dtype: torch.dtype) -> dict[str, list[Trial]]:
    """Make small runs of every kernel. Each trial builds its own numbers, so that both forms see the same ones."""
    draw = _Draw(device, dtype)
    return {
        "relative_attention": _relative(config, draw),
        "attend": [_attend(config.decoder, draw, rows, eight) for rows in (1, 5) for eight in (False, True)],
        "project": _project(config.decoder, draw),
        "ban": [lambda ops: _ban(ops, draw)],
        "take": [lambda ops: _take(ops, draw)],
    }


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draw normal numbers, the same ones for the same seed."""

    device: torch.device
    dtype: torch.dtype

    def __call__(self, seed: int, *shape: int) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(self.device, self.dtype)

    def board(self, slots: int, size: int) -> Board:
        """Make a board with random histories of few different ids."""
        ids = torch.randint(0, 5, (slots, size), generator=torch.Generator().manual_seed(1), dtype=torch.int32)
        made = new_board(slots, size, self.device)
        made.history.copy_(ids)
        for whole, value in (
            (made.filled, size // 2),
            (made.ends, 3),
            (made.limits, size),
            (made.bans, 2),
            (made.live, 1),
        ):
            whole.fill_(value)
        return made


def _relative(config: GotConfig, draw: _Draw) -> list[Trial]:
    """Try the whole grid and a grid that windows do not fill."""
    v = config.vision
    c, d = v.width, v.width // v.heads

    def run(ops: Ops, grid: tuple[int, int], window: tuple[int, int] | None) -> Tensor:
        tables = tuple(draw(i, 2 * n, d) * 0.2 for i, n in enumerate(window or v.grid))
        return ops.relative_attention(draw(3, 2, *grid, 3 * c), draw(4, 3 * c), (tables[0], tables[1]), window)

    odd = max(1, v.grid[0] - 1), max(1, v.grid[1] - 1)
    return [
        lambda ops: run(ops, v.grid, None),
        lambda ops: run(ops, odd, None),
        lambda ops: run(ops, v.grid, v.window),
        lambda ops: run(ops, odd, v.window),
    ]


def _attend(d: DecoderConfig, draw: _Draw, rows: int, eight: bool) -> Trial:
    """Try rows of unequal length, one of them new, in slots of another order."""
    slots, size, width = rows + 1, 600, d.width // d.heads

    def run(ops: Ops) -> Tensor:
        keys, values = (draw(i, slots, d.heads, size, width) for i in (1, 2))
        made = Store(keys, values, None)
        if eight:
            (keys, by_key), (values, by_value) = quantise(keys), quantise(values)
            made = Store(keys, values, (by_key, by_value))
        order = torch.arange(rows, device=draw.device).flip(0)
        lengths = (torch.arange(slots, device=draw.device) * 523) % 590
        cos, sin = (part[0, 0].to(draw.dtype) for part in rotary(d, torch.arange(size, device=draw.device)[None]))
        return ops.attend(draw(3, rows, 3 * d.width), (cos, sin), made, order, lengths)

    return run


def _project(d: DecoderConfig, draw: _Draw) -> list[Trial]:
    """Try every linear map of a step, the head cut short."""
    norm, width, wide = draw(1, d.width), d.width, min(d.vocab, 4096)
    maps = [
        Projection(draw(2, 3 * width, width) * width**-0.5, draw(3, 3 * width), norm, d.eps),
        Projection(draw(4, width, width) * width**-0.5),
        Projection(draw(5, 2 * d.mlp, width) * width**-0.5, None, norm, d.eps, gated=True),
        Projection(draw(6, width, d.mlp) * d.mlp**-0.5),
        Projection(draw(7, wide, width) * width**-0.5, None, norm, d.eps),
    ]

    def run(ops: Ops, linear: Projection, rows: int) -> Tensor:
        residual = draw(9, rows, width) if linear.norm is None else None
        return ops.project(linear, draw(8, rows, linear.weight.shape[1]), residual)

    return [lambda ops, m=m, rows=rows: run(ops, m, rows) for m in maps for rows in (1, 4)]  # type: ignore[misc]


def _ban(ops: Ops, draw: _Draw) -> Tensor:
    scores, rows = draw(1, 3, 7), torch.arange(3, device=draw.device)
    ops.ban(scores, draw.board(4, 90), rows, 2)
    return scores


def _take(ops: Ops, draw: _Draw) -> Tensor:
    board, rows = draw.board(4, 90), torch.arange(3, device=draw.device)
    lengths = torch.full((4,), 44, device=draw.device)
    best = torch.tensor([1.0, torch.nan, 2.0], device=draw.device).to(draw.dtype)
    ops.take(board, rows, torch.tensor([1, 2, 3], device=draw.device), best, lengths)
    flat = (board.last, board.history, board.filled, board.live, board.wrong, lengths)
    return torch.cat([part.flatten().float() for part in flat])
