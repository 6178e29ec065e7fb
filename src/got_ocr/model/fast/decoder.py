"""The decoder for inference on the CPU. The plain definition is `got_ocr.model.decoder`.

What is different: one product for query, key and value and one for gate and up; weights are packed; rotary tables are
kept; a step attends with batched products instead of `scaled_dot_product_attention`; the last layer's prefill goes on
with the last positions alone.

Shapes: B batch rows, T new positions, S cache positions, C width, H heads, D head width, W vocabulary.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr.model.config import DecoderConfig
from got_ocr.model.decoder import Cache, Decoder, DecoderLayer, rotary
from got_ocr.model.fast.linear import Linear, pack
from got_ocr.model.fast.spend import drained

ROWS_AT_ONCE = 1024  # rows of the widened MLP, so that they stay in the cache
FIRST_POSITIONS = 1024  # rotary tables start with these and double
# PyTorch copies a bfloat16 matrix that has a gap behind it before it multiplies, and a copy costs three readings: a step reads
# the whole cache under a mask unless that is this many times what is filled.
WHOLE = 3

Rope = tuple[Tensor, Tensor]  # cosine, sine: (..., 2, 1, D), queries (scaled) first, then keys


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold one transformer layer."""

    heads: int
    eps: float
    input_norm: Tensor
    qkv: Linear
    out: Linear
    post_norm: Tensor
    gate_up: Linear
    down: Linear

    def attend(self, x: Tensor, rope: Rope, cache: Cache, layer: int) -> Tensor:
        """Fill the cache from position 0 and attend causally: (B, T, C) -> heads' outputs (B, T, C)."""
        q, k, v = self._qkv(x, rope)  # (B, T, H, D)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        cache.keys[layer, :, :, : k.shape[2]] = k
        cache.values[layer, :, :, : v.shape[2]] = v
        # The queries are scaled already, by their rotary table.
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0).transpose(1, 2).flatten(2)

    def step(self, x: Tensor, rope: Rope, cache: Cache, layer: int, at: "Places") -> Tensor:
        """Append one position to each row: (B, C) -> (B, C)."""
        b, c = x.shape
        q, k, v = self._qkv(x, rope)  # (B, H, D)
        keys, values = cache.keys[layer], cache.values[layer]  # (B, H, S, D)
        at.write_one(keys, k)
        at.write_one(values, v)
        keys, values = keys[:, :, : at.span].flatten(0, 1), values[:, :, : at.span].flatten(0, 1)
        scores = torch.bmm(q.reshape(b * self.heads, 1, -1), keys.transpose(1, 2))  # (B*H, 1, S)
        if at.mask is not None:
            scores.view(b, self.heads, 1, at.span).add_(at.mask)
        mixed = torch.bmm(torch.softmax(scores, -1), values).view(b, c)
        return self.finish(x, mixed)

    def extend(self, x: Tensor, rope: Rope, cache: Cache, layer: int, at: "Places") -> Tensor:
        """Append T positions to each row: (B, T, C) -> (B, T, C)."""
        b, t, c = x.shape
        q, k, v = (part.transpose(1, 2) for part in self._qkv(x, rope))  # (B, H, T, D)
        keys, values = cache.keys[layer], cache.values[layer]  # (B, H, S, D)
        at.write(keys, k)
        at.write(values, v)
        keys, values = keys[:, :, : at.span].flatten(0, 1), values[:, :, : at.span].flatten(0, 1)
        scores = torch.bmm(q.reshape(b * self.heads, t, -1), keys.transpose(1, 2))  # (B*H, T, S)
        if at.mask is not None:
            scores.view(b, self.heads, t, at.span).add_(at.mask)
        mixed = torch.bmm(torch.softmax(scores, -1), values).view(b, self.heads, t, -1)
        return self.finish(x, mixed.transpose(1, 2).reshape(b, t, c))

    def _qkv(self, x: Tensor, rope: Rope) -> tuple[Tensor, Tensor, Tensor]:
        h = F.rms_norm(x, self.input_norm.shape, self.input_norm, self.eps)
        qkv = self.qkv(h).view(*x.shape[:-1], 3, self.heads, -1)
        both = qkv[..., :2, :, :]  # (..., 2, H, D)
        turned = torch.addcmul(both * rope[0], both.roll(both.shape[-1] // 2, -1), rope[1])
        return turned[..., 0, :, :], turned[..., 1, :, :], qkv[..., 2, :, :]

    def finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        """Add the attention's output and the gated MLP to x: (..., C)."""
        x = self.out(mixed).add_(x)
        flat = x.view(-1, x.shape[-1])
        for i in range(0, flat.shape[0], ROWS_AT_ONCE):
            part = flat[i : i + ROWS_AT_ONCE]
            gate, up = self.gate_up(F.rms_norm(part, self.post_norm.shape, self.post_norm, self.eps)).chunk(2, -1)
            part += self.down(F.silu(gate).mul_(up))
        return x


@dataclass(frozen=True, slots=True)
class Places:
    """Say where T new positions of each row are written and what they see.

    rows: (B, 1), at: (B, T) each row and its new positions. first: of row 0. even: all rows are equally long.
    span: positions that are read. mask: (B, 1, T, span) hides those behind each new one; None where there are none.
    """

    rows: Tensor
    at: Tensor
    first: int
    even: bool
    span: int
    mask: Tensor | None

    def write_one(self, cache: Tensor, new: Tensor) -> None:
        """Put (B, H, D) into (B, H, S, D): the shorter way for a step."""
        if self.even:
            cache[:, :, self.first].copy_(new)
        else:
            cache[self.rows[:, 0], :, self.at[:, 0]] = new

    def write(self, cache: Tensor, new: Tensor) -> None:
        """Put (B, H, T, D) into (B, H, S, D)."""
        if self.even:
            cache[:, :, self.first : self.first + new.shape[2]].copy_(new)
        else:
            cache[self.rows, :, self.at] = new.transpose(1, 2)


def places(cache: Cache, count: int, reach: int) -> Places:
    """Find where `count` new positions of each row go and what they may see. reach: no row is longer afterwards."""
    lengths, dtype = cache.lengths, cache.keys.dtype
    rows, first = torch.arange(lengths.shape[0])[:, None], int(lengths[0])
    at = lengths[:, None] + torch.arange(count)
    even = bool((lengths == first).all())
    span = first + count if even else reach
    if dtype is torch.bfloat16 and cache.size <= WHOLE * span:
        span = cache.size
    if even and span == first + 1:
        return Places(rows, at, first, even, span, None)
    hidden = torch.arange(span) > at[..., None]  # (B, T, span)
    mask = torch.zeros(hidden.shape, dtype=dtype).masked_fill_(hidden, -torch.inf)
    return Places(rows, at, first, even, span, mask[:, None])


class FastDecoder:
    """Embed ids, run the layers, score the vocabulary, as `Decoder` does. Uses the plain layers up."""

    def __init__(self, plain: Decoder, *, packed: bool | None = None) -> None:
        self.config = plain.config
        self._table = plain.embed.weight.detach()
        self._head = pack(self._table, packed=packed)
        self._norm = plain.norm.weight.detach()
        parts = drained(plain.layers, self._table.dtype)
        self._layers = [_layer(cast(DecoderLayer, layer), self.config, packed) for layer in parts]
        self._rope = _rope_table(self.config, FIRST_POSITIONS, self._table.dtype)

    def embed(self, ids: Tensor) -> Tensor:
        """Look ids up: (...) -> (..., C)."""
        return F.embedding(ids, self._table)

    def prefill(self, x: Tensor, lengths: Tensor, cache: Cache) -> Tensor:
        """Fill an empty cache and score each row's last position: (B, T, C), (B,) -> (B, W)."""
        cos, sin = self._positions(x.shape[1])
        rope = cos[: x.shape[1]], sin[: x.shape[1]]
        last = torch.arange(x.shape[0]), lengths - 1
        for i, layer in enumerate(self._layers):
            mixed = layer.attend(x, rope, cache, i)
            if i + 1 == len(self._layers):
                mixed, x = mixed[last], x[last]  # (B, C)
            x = layer.finish(x, mixed)
        cache.lengths.copy_(lengths)
        return self._scores(x)

    def step(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append one id to each row and score the next: (B,) -> (B, W). reach: no row is longer after the step."""
        at = places(cache, 1, reach)
        cos, sin = self._positions(reach)
        rope = cos[cache.lengths], sin[cache.lengths]  # (B, 2, 1, D)
        x = self.embed(ids)
        for i, layer in enumerate(self._layers):
            x = layer.step(x, rope, cache, i, at)
        cache.lengths += 1
        return self._scores(x)

    def extend(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append T ids to each row and score what follows each: (B, T) -> (B, T, W). reach: no row is longer afterwards."""
        at = places(cache, ids.shape[1], reach)
        cos, sin = self._positions(reach)
        rope = cos[at.at], sin[at.at]  # (B, T, 2, 1, D)
        x = self.embed(ids)
        for i, layer in enumerate(self._layers):
            x = layer.extend(x, rope, cache, i, at)
        cache.lengths += ids.shape[1]
        return self._scores(x)

    def _scores(self, x: Tensor) -> Tensor:
        return self._head(F.rms_norm(x, self._norm.shape, self._norm, self.config.eps)).float()

    def _positions(self, reach: int) -> Rope:
        """Give the rotary tables, of at least `reach` positions."""
        have = self._rope[0].shape[0]
        if reach > have:
            self._rope = _rope_table(self.config, max(reach, 2 * have), self._table.dtype)
        return self._rope


def _rope_table(config: DecoderConfig, size: int, dtype: torch.dtype) -> Rope:
    """Make cosine and sine of positions, each (size, 2, 1, D).

    The first half of a sine row is negative: with it, rotating pairs (i, i + D/2) is rolling by D/2. The queries' rows
    carry the attention's scale.
    """
    cos, sin = (part[0, 0] for part in rotary(config, torch.arange(size)[None]))  # (size, D)
    half = cos.shape[1] // 2
    sin = torch.cat((-sin[:, :half], sin[:, half:]), 1)
    scale = torch.tensor((cos.shape[1] ** -0.5, 1.0)).view(2, 1, 1)
    return (cos[:, None, None] * scale).to(dtype), (sin[:, None, None] * scale).to(dtype)


def _layer(plain: DecoderLayer, config: DecoderConfig, packed: bool | None) -> Layer:
    attn, mlp = plain.attn, plain.mlp
    three = (attn.q_proj, attn.k_proj, attn.v_proj)
    return Layer(
        config.heads,
        config.eps,
        plain.input_norm.weight.detach(),
        pack(torch.cat([p.weight for p in three]), torch.cat([cast(Tensor, p.bias) for p in three]), packed=packed),
        pack(attn.o_proj.weight, packed=packed),
        plain.post_norm.weight.detach(),
        pack(torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight)), packed=packed),
        pack(mlp.down_proj.weight, packed=packed),
    )
