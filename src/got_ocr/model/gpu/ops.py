"""What the kernels compute, in PyTorch: the definitions that Triton's are held against, and what runs where those do not.

Shapes: P tiles, Y x X grid of patches, C channels, H heads, D head width, R rows of a step, B slots of a cache, S positions of
a slot, W vocabulary, I and O a linear map's numbers. `rows` (R,) says which slot each row is; several rows may name one slot
only where that slot holds nothing that anybody reads.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr.model.config import Pair
from got_ocr.model.fast.vision import cut, horizontal, regions, vertical

EIGHT = 448.0  # the largest number of float8 e4m3
SCORES_AT_ONCE = 1 << 26  # attention scores of a block: 128 MB in bfloat16


@dataclass(frozen=True, slots=True)
class Store:
    """One layer's keys and values (B, H, S, D). scales: of eight-bit keys and values, (B, H, S) each; None for other formats."""

    keys: Tensor
    values: Tensor
    scales: tuple[Tensor, Tensor] | None


@dataclass(frozen=True, slots=True)
class Board:
    """What is known on the device of every slot's answer, all (B,) but the history.

    last: the newest id. history: (B, S) prompt and answer. filled: ids of it. live: 1 while the answer goes on. wrong: 1 where a
    score was no number. ends: the id that ends an answer. limits: ids, prompt included, after which it stops. bans: length of
    the n-grams that may not repeat, 0 for none.
    """

    last: Tensor
    history: Tensor
    filled: Tensor
    live: Tensor
    wrong: Tensor
    ends: Tensor
    limits: Tensor
    bans: Tensor


@dataclass(frozen=True, slots=True)
class Ops:
    """One form of every kernel. name: for reports."""

    name: str
    relative_attention: Callable[[Tensor, Tensor, tuple[Tensor, Tensor], Pair | None], Tensor]
    attend: Callable[[Tensor, tuple[Tensor, Tensor], Store, Tensor, Tensor], Tensor]
    project: Callable[["Projection", Tensor, Tensor | None], Tensor]
    ban: Callable[[Tensor, Board, Tensor, int], None]
    take: Callable[[Board, Tensor, Tensor, Tensor, Tensor], None]


@dataclass(frozen=True, slots=True)
class Projection:
    """A linear map with what stands before and behind it. weight: (O, I); (2 O, I) when gated, the gate's half first.

    norm: weight of an RMS norm before it (its eps beside it). gated: SiLU of the first half times the second.
    """

    weight: Tensor
    bias: Tensor | None = None
    norm: Tensor | None = None
    eps: float = 1e-6
    gated: bool = False


def relative_attention(qkv: Tensor, empty: Tensor, tables: tuple[Tensor, Tensor], window: Pair | None) -> Tensor:
    """Attend with decomposed relative positions inside windows, or over the whole grid: (P, Y, X, 3 C) -> (P, Y, X, C).

    empty: (3 C,) query, key and value of padding. tables: embeddings of row and column distances, (2 L, D), the last row unused.
    """
    p, y, x, three = qkv.shape
    d = tables[0].shape[1]
    parts = qkv.view(p, y, x, 3, three // (3 * d), d)
    out = torch.empty(p, y, x, three // 3, dtype=qkv.dtype, device=qkv.device)
    for rows, cols, size in regions((y, x), window):
        places = cut(out.view(p, y, x, -1, d)[:, rows, cols], size)
        mixed = _windows(parts[:, rows, cols], empty.view(3, -1, d), tables, window or size, size)
        places.copy_(mixed.view(places.shape))
    return out


def _windows(parts: Tensor, empty: Tensor, tables: tuple[Tensor, Tensor], window: Pair, size: Pair) -> Tensor:
    """Attend in windows that hold `size` patches each: (P, Y, X, 3, H, D) -> (G, y * x, D)."""
    q, k, v = (cut(part, size) for part in parts.unbind(3))  # (P, rows, columns, H, y, x, D)
    many, (y, x), d = q.shape[:4].numel(), size, q.shape[-1]
    q = q.reshape(many, y, x, d)
    k, v = (_padded(part, e, window).reshape(many, -1, d) for part, e in zip((k, v), empty[1:], strict=True))
    # The tables by key minus query, as `vertical` and `horizontal` read them.
    terms = [q @ F.pad(table[:-1].flip(0), (0, 0, 0, 1)).to(q.dtype).t() for table in tables]
    by_row, by_col = vertical(terms[0], window[0]), horizontal(terms[1], window[1])
    out = torch.empty_like(q)
    lines = max(1, min(y, SCORES_AT_ONCE // (x * k.shape[1])))
    groups = max(1, SCORES_AT_ONCE // (lines * x * k.shape[1]))
    for i in range(0, many, groups):
        for j in range(0, y, lines):
            at = slice(i, i + groups), slice(j, j + lines)
            bias = by_row[at][..., :, None] + by_col[at][..., None, :]
            block = q[at].flatten(1, 2)
            scores = torch.baddbmm(bias.reshape(*block.shape[:2], -1), block, k[at[0]].transpose(1, 2), alpha=d**-0.5)
            out[at] = torch.bmm(torch.softmax(scores, -1), v[at[0]]).view(out[at].shape)
    return out


def _padded(part: Tensor, empty: Tensor, window: Pair) -> Tensor:
    """Fill windows up with padding's key or value: (P, rows, columns, H, y, x, D) -> the same of whole windows."""
    y, x, d = part.shape[4:]
    if (y, x) == window:
        return part
    whole = empty.view(-1, 1, 1, d).expand(*part.shape[:4], *window, d).contiguous()
    whole[..., :y, :x, :] = part
    return whole


def attend(qkv: Tensor, rope: tuple[Tensor, Tensor], store: Store, rows: Tensor, lengths: Tensor) -> Tensor:
    """Append one position to each row's slot and attend over what it holds: (R, 3 C) -> (R, C).

    rope: cosine and sine of every position, (S, D) each. lengths: (B,) filled positions of each slot, which stay as they are.
    """
    heads, size, d = store.keys.shape[1:]
    new = qkv.view(qkv.shape[0], 3, heads, d)
    at = lengths[rows].clamp(max=size - 1)
    cos, sin = (part[at][:, None] for part in rope)
    q, k = (x * cos + _partners(x) * sin for x in (new[:, 0], new[:, 1]))
    seen = torch.arange(size, device=qkv.device) <= at[:, None]
    keys, values = (
        _put(whole, None if store.scales is None else store.scales[i], part, rows, at).to(q.dtype)
        for i, (whole, part) in enumerate(((store.keys, k), (store.values, new[:, 2])))
    )
    # What lies behind a row may be no number, and nothing times that is none.
    keys, values = (part.masked_fill(~seen[:, None, :, None], 0) for part in (keys, values))
    out = F.scaled_dot_product_attention(q[:, :, None], keys, values, attn_mask=seen[:, None, None])
    return out.reshape(qkv.shape[0], heads * d)


def _partners(x: Tensor) -> Tensor:
    """Swap the halves of the last axis, the second one negated."""
    first, second = x.chunk(2, -1)
    return torch.cat((-second, first), -1)


def _put(whole: Tensor, scales: Tensor | None, new: Tensor, rows: Tensor, at: Tensor) -> Tensor:
    """Write (R, H, D) at positions `at` (R,) and read the rows' slots back, (R, H, S, D)."""
    if scales is None:
        whole[rows, :, at] = new
        return whole[rows]
    narrow, scale = quantise(new)
    # PyTorch indexes no eight-bit floats; their bytes it does.
    whole.view(torch.uint8)[rows, :, at] = narrow.view(torch.uint8)
    scales[rows, :, at] = scale
    return dequantise(whole.view(torch.uint8)[rows].view(whole.dtype), scales[rows])


def quantise(x: Tensor) -> tuple[Tensor, Tensor]:
    """Round to eight bits (e4m3), one bfloat16 scale for each row of D: (..., D) -> (..., D), (...)."""
    scale = (x.float().abs().amax(-1) / EIGHT).clamp_min(1e-12).bfloat16()
    narrow = (x.float() / scale.float()[..., None]).clamp(-EIGHT, EIGHT)
    return narrow.to(torch.float8_e4m3fn), scale


def dequantise(x: Tensor, scale: Tensor) -> Tensor:
    """Undo `quantise`, in float32."""
    return x.float() * scale.float()[..., None]


def project(linear: Projection, x: Tensor, residual: Tensor | None) -> Tensor:
    """Map rows: (R, I) -> (R, O). residual: (R, O), added."""
    if linear.norm is not None:
        x = F.rms_norm(x, linear.norm.shape, linear.norm, linear.eps)
    if linear.gated:
        gate, up = F.linear(x, linear.weight).chunk(2, -1)
        out = F.silu(gate) * up
    elif residual is not None and linear.bias is None:
        return torch.addmm(residual, x, linear.weight.t())
    else:
        out = F.linear(x, linear.weight, linear.bias)
    return out if residual is None else out + residual


def ban(scores: Tensor, board: Board, rows: Tensor, most: int) -> None:
    """Put -inf where an id would complete an n-gram that its row holds already: scores (R, W), in place.

    most: no row's `bans` is larger; nothing is done for 0. The same rule as `got_ocr.sampling.NgramBan`.
    """
    if most < 1:
        return
    history, length, n = board.history[rows].long(), board.filled[rows][:, None], board.bans[rows][:, None]
    j = torch.arange(history.shape[1], device=scores.device)[None]
    same = (j >= n - 1) & (j < length) & (n > 0)
    padded = F.pad(history, (most, 0), value=-1)
    for back in range(1, most):
        tail = history.gather(1, (length - back).clamp_min(0))
        before = padded[:, most - back : most - back + history.shape[1]]
        same &= (before == tail) | (back >= n)
    # The smaller of a score and +inf is the score, so that ids which are not banned may be named as well.
    verdict = torch.where(same, -torch.inf, torch.inf).to(scores.dtype)
    scores.scatter_reduce_(1, history.clamp(0, scores.shape[1] - 1), verdict, "amin")


def take(board: Board, rows: Tensor, chosen: Tensor, best: Tensor, lengths: Tensor) -> None:
    """Write each living row's id down, count it, and see whether the row goes on: chosen and best (R,), all in place.

    lengths: (B,) of the cache; a living row's grows by one, the position that the step before wrote.
    """
    alive = board.live[rows] != 0
    filled = board.filled[rows]
    sound = torch.isfinite(best.float())
    board.last[rows] = torch.where(alive, chosen, board.last[rows])
    at = filled.clamp(max=board.history.shape[1] - 1)
    board.history[rows, at] = torch.where(alive, chosen.to(board.history.dtype), board.history[rows, at])
    board.filled[rows] = filled + alive
    lengths[rows] = lengths[rows] + alive
    board.wrong[rows] = board.wrong[rows] | (alive & ~sound).to(board.wrong.dtype)
    on = alive & sound & (chosen != board.ends[rows]) & (filled + 1 < board.limits[rows])
    board.live[rows] = on.to(board.live.dtype)


def new_board(slots: int, size: int, device: torch.device) -> Board:
    """Make a board on which nobody stands."""
    last, filled, ends, limits, bans = (torch.zeros(slots, dtype=torch.long, device=device) for _ in range(5))
    live, wrong = (torch.zeros(slots, dtype=torch.int8, device=device) for _ in range(2))
    return Board(
        last, torch.zeros(slots, size, dtype=torch.int32, device=device), filled, live, wrong, ends, limits, bans
    )


PLAIN = Ops("PyTorch", relative_attention, attend, project, ban, take)
