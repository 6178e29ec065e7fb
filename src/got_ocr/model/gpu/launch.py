"""The Triton kernels behind the signatures of `ops`: block sizes and grids. Only `choose` imports this file.

Block sizes are what the arithmetic of a Hopper GPU suggests, and what its compiler keeps in registers; none has been measured.
"""

from functools import lru_cache

import torch
from torch import Tensor

from got_ocr.model.config import Pair
from got_ocr.model.gpu import kernels, ops
from got_ocr.model.gpu.ops import Board, Ops, Projection, Store

KEYS = 64  # keys of a block in the encoder: one row of the largest grid
FEW = 4  # rows up to which a linear map reads its weight faster than a library's product
POSITIONS = 128  # of a cache that one program reads at a time
PROGRAMS = 512  # of attention in a step, to keep a GPU of 132 processors busy
PARTS = 32  # that a row's positions are cut into at most
WIDEST = 8192  # numbers of a row that a program holds at once


def relative_attention(qkv: Tensor, empty: Tensor, tables: tuple[Tensor, Tensor], window: Pair | None) -> Tensor:
    """See `ops.relative_attention`."""
    p, y, x, three = qkv.shape
    d, (wy, wx) = tables[0].shape[1], window or (y, x)
    heads, down, across = three // (3 * d), -(-y // wy), -(-x // wx)
    # Queries times all distances, head by head where they lie: (H, P * N, 2 L).
    q = qkv.view(p * y * x, 3, heads, d)[:, 0].transpose(0, 1)
    terms_h, terms_w = (torch.matmul(q, table.to(q.dtype).t()) for table in tables)
    out = torch.empty(p, y, x, three // 3, dtype=qkv.dtype, device=qkv.device)
    columns = _up(wx)
    block = 128 if wy * wx > 256 else 64
    kernels.relative_attention[(-(-wy * wx // block), down * across, p * heads)](
        qkv, empty, terms_h, terms_w, out, p * y * x, y, x, wy, wx, across, heads,
        tables[0].shape[0] // 2 - 1, tables[1].shape[0] // 2 - 1, tables[0].shape[0], tables[1].shape[0], d**-0.5,
        D=d, BLOCK_M=block, BLOCK_D=max(16, _up(d)), ROWS=max(1, KEYS // columns), COLUMNS=max(columns, 1),
        PADDED=bool(y % wy or x % wx), PRECISION="ieee" if qkv.dtype == torch.float32 else "tf32",
        num_warps=block // 16, num_stages=3 if window is None else 2,
    )  # fmt: skip
    return out


def attend(qkv: Tensor, rope: tuple[Tensor, Tensor], store: Store, rows: Tensor, lengths: Tensor) -> Tensor:
    """See `ops.attend`."""
    if store.scales is not None and not _has_eight(qkv.device):
        return ops.attend(qkv, rope, store, rows, lengths)
    heads, size, d = store.keys.shape[1:]
    many, splits = qkv.shape[0], parts(qkv.shape[0] * heads, size)
    out = torch.empty(many, heads * d, dtype=qkv.dtype, device=qkv.device)
    mixed = torch.empty(many, heads, splits, d, dtype=torch.float32, device=qkv.device)
    stats = torch.empty(many, heads, splits, 2, dtype=torch.float32, device=qkv.device)
    scales = store.scales or (stats, stats)
    kernels.attend[(many, heads, splits)](
        qkv, *rope, store.keys, store.values, *scales, rows, lengths, out, mixed, stats, heads, size, d**-0.5,
        D=d, BLOCK_D=_up(d), BLOCK_S=min(POSITIONS, _up(size)), SPLITS=splits, EIGHTH=store.scales is not None,
        num_warps=4,
    )  # fmt: skip
    if splits > 1:
        kernels.combine[(many, heads)](mixed, stats, out, heads, D=d, BLOCK_D=_up(d), SPLITS=splits, num_warps=1)
    return out


def parts(pairs: int, size: int) -> int:
    """Say into how many parts the positions of a row are cut, a power of two. pairs: rows x heads of the step."""
    wanted = min(-(-PROGRAMS // pairs), -(-size // POSITIONS), PARTS)
    return 1 << max(0, wanted.bit_length() - 1)


def project(linear: Projection, x: Tensor, residual: Tensor | None) -> Tensor:
    """See `ops.project`; many rows go to the library's product."""
    many, ins = x.shape
    if many > FEW or many & (many - 1) or (linear.norm is not None and ins > WIDEST):
        return ops.project(linear, x, residual)
    outs = linear.weight.shape[0] // (2 if linear.gated else 1)
    out = torch.empty(many, outs, dtype=x.dtype, device=x.device)
    none = x  # stands for what is absent; the kernel does not read it
    block = 8 if outs >= 2048 else 4
    kernels.project[(-(-outs // block),)](
        x, linear.weight, *(none if t is None else t for t in (linear.bias, linear.norm, residual)), out,
        ins, outs, linear.eps,
        ROWS=many, BLOCK_O=block, BLOCK_I=_up(ins) if linear.norm is not None else min(1024, _up(ins)),
        NORM=linear.norm is not None, BIAS=linear.bias is not None, GATED=linear.gated, RESIDUAL=residual is not None,
        num_warps=4,
    )  # fmt: skip
    return out


def ban(scores: Tensor, board: Board, rows: Tensor, most: int) -> None:
    """See `ops.ban`."""
    if most < 1:
        return
    wide, block = board.history.shape[1], 256
    kernels.ban[(rows.shape[0], -(-wide // block))](
        scores, board.history, board.filled, board.bans, rows, wide, scores.shape[1], BLOCK=block, num_warps=4
    )


def take(board: Board, rows: Tensor, chosen: Tensor, best: Tensor, lengths: Tensor) -> None:
    """See `ops.take`."""
    kernels.take[(1,)](
        chosen, best, rows, board.last, board.history, board.filled, lengths, board.live, board.wrong, board.ends,
        board.limits, board.history.shape[1], rows.shape[0], BLOCK=_up(rows.shape[0]), num_warps=4,
    )  # fmt: skip


@lru_cache(maxsize=16)
def _has_eight(device: torch.device) -> bool:
    """Say whether the device reads eight-bit floats (from compute capability 8.9 on; Triton's interpreter does)."""
    return device.type != "cuda" or torch.cuda.get_device_capability(device) >= (8, 9)


def _up(count: int) -> int:
    """Round up to a power of two."""
    return 1 << max(0, count - 1).bit_length()


TRITON = Ops("Triton", relative_attention, attend, project, ban, take)
