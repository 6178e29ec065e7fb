"""The decoder for inference on a GPU. The plain definition is `got_ocr.model.decoder`.

What is different: a step names the cache's slots it works on, and reads nothing back to the host, so that it can be recorded as
a CUDA graph; one product for query, key and value and one for gate and up; norms, activations and residuals go with the
products; a cache may hold eight-bit numbers.

Shapes: R rows of a step, B slots, T new positions, S positions of a slot, C width, H heads, D head width, W vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr.model.config import DecoderConfig
from got_ocr.model.decoder import Cache, Decoder, DecoderLayer, rotary
from got_ocr.model.gpu.ops import Ops, Projection, Store, dequantise, quantise

FIRST_POSITIONS = 2048  # rotary tables start with these and double

Rope = tuple[Tensor, Tensor]  # cosine, sine: (S, D)


class GpuCache(Cache):
    """Hold keys and values of some slots, in the weights' format or in eight bits. key_scales, value_scales: (L, B, H, S)."""

    def __init__(self, config: DecoderConfig, rows: int, size: int, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(config, rows, size, device, dtype)
        self.scales: tuple[Tensor, Tensor] | None = None
        if dtype == torch.float8_e4m3fn:
            shape = self.keys.shape[:-1]
            self.scales = tuple(torch.zeros(shape, device=device, dtype=torch.bfloat16) for _ in range(2))  # type: ignore[assignment]

    def layer(self, number: int) -> Store:
        """Give one layer's keys and values."""
        scales = None if self.scales is None else (self.scales[0][number], self.scales[1][number])
        return Store(self.keys[number], self.values[number], scales)

    def fill(self, number: int, rows: Tensor, keys: Tensor, values: Tensor) -> None:
        """Write the first T positions of some slots: (R, H, T, D)."""
        t = keys.shape[2]
        if self.scales is None:
            self.keys[number, rows, :, :t] = keys
            self.values[number, rows, :, :t] = values
            return
        for whole, scales, new in ((self.keys, self.scales[0], keys), (self.values, self.scales[1], values)):
            narrow, scale = quantise(new)
            # PyTorch indexes no eight-bit floats; their bytes it does.
            whole.view(torch.uint8)[number, rows, :, :t] = narrow.view(torch.uint8)
            scales[number, rows, :, :t] = scale

    def take_over(self, old: "GpuCache") -> None:
        """Copy what a smaller cache holds."""
        rows = old.lengths.shape[0]
        pairs = [(self.keys, old.keys), (self.values, old.values)]
        if self.scales is not None and old.scales is not None:
            pairs += zip(self.scales, old.scales, strict=True)
        for now, before in pairs:
            now[:, :rows, :, : old.size].copy_(before)
        self.lengths[:rows] = old.lengths

    def filled(self, number: int, reach: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Read the first `reach` positions of every slot of a layer: twice (B, H, reach, D)."""
        keys, values = self.keys[number, :, :, :reach], self.values[number, :, :, :reach]
        if self.scales is None:
            return keys, values
        by_key, by_value = (part[number, :, :, :reach] for part in self.scales)
        return dequantise(keys, by_key).to(dtype), dequantise(values, by_value).to(dtype)


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold one transformer layer."""

    heads: int
    qkv: Projection
    out: Projection
    gate_up: Projection
    down: Projection

    def attended(self, ops: Ops, x: Tensor, rope: Rope) -> tuple[Tensor, Tensor, Tensor]:
        """Make query, key and value of whole sequences: (B, T, C) -> three times (B, H, T, D), turned."""
        b, t, c = x.shape
        qkv = ops.project(self.qkv, x.reshape(b * t, c), None).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return turn(qkv[0], rope), turn(qkv[1], rope), qkv[2]

    def finish(self, ops: Ops, x: Tensor, mixed: Tensor) -> Tensor:
        """Add the attention's output and the gated MLP: (rows, C)."""
        x = ops.project(self.out, mixed, x)
        return ops.project(self.down, ops.project(self.gate_up, x, None), x)


def turn(x: Tensor, rope: Rope) -> Tensor:
    """Rotate pairs (i, i + D/2) of the last axis. rope: broadcast to x, the second halves' sines as they are."""
    first, second = x.chunk(2, -1)
    return x * rope[0] + torch.cat((-second, first), -1) * rope[1]


class GpuDecoder:
    """Embed ids, run the layers, score the vocabulary, as `Decoder` does, and for chosen slots of a cache (`advance`)."""

    def __init__(self, plain: Decoder, ops: Ops) -> None:
        self.config, self._ops = plain.config, ops
        self._table = plain.embed.weight.detach()
        self._head = Projection(self._table, None, plain.norm.weight.detach(), self.config.eps)
        self._layers = [_layer(cast(DecoderLayer, layer), self.config) for layer in plain.layers]
        self._rope = self._tables(FIRST_POSITIONS)

    @property
    def ops(self) -> Ops:
        """Say which kernels run."""
        return self._ops

    def embed(self, ids: Tensor) -> Tensor:
        """Look ids up: (...) -> (..., C)."""
        return F.embedding(ids, self._table)

    def prefill(self, x: Tensor, lengths: Tensor, cache: Cache) -> Tensor:
        """Fill an empty cache and score each row's last position: (B, T, C), (B,) -> (B, W)."""
        return self.admit(x, lengths, cache, torch.arange(x.shape[0], device=x.device))

    def admit(self, x: Tensor, lengths: Tensor, cache: Cache, rows: Tensor) -> Tensor:
        """Fill slots `rows` (R,) with prompts and score their last positions: (R, T, C), (R,) -> (R, W)."""
        store, ops = cast(GpuCache, cache), self._ops
        cos, sin = (part[: x.shape[1]] for part in self.positions(x.shape[1]))
        last = torch.arange(x.shape[0], device=x.device), lengths - 1
        b, t, c = x.shape
        for i, layer in enumerate(self._layers):
            q, k, v = layer.attended(ops, x, (cos, sin))
            store.fill(i, rows, k, v)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, c)
            if i + 1 == len(self._layers):
                x = layer.finish(ops, x[last], mixed[last])
            else:
                x = layer.finish(ops, x.reshape(b * t, c), mixed.reshape(b * t, c)).view(b, t, c)
        store.lengths[rows] = lengths
        return ops.project(self._head, x, None).float()

    def step(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append one id to each row and score the next: (B,) -> (B, W). reach: no row is longer after the step."""
        self.positions(reach)
        scores = self.advance(ids, torch.arange(ids.shape[0], device=ids.device), cast(GpuCache, cache))
        cache.lengths += 1
        return scores.float()

    def advance(self, ids: Tensor, rows: Tensor, cache: GpuCache) -> Tensor:
        """Put ids (R,) behind what slots `rows` hold and score what follows: (R, W), in the weights' format.

        Writes at `cache.lengths`, which stay as they are: whoever takes the scores counts. `positions` must have been asked
        for the cache's size before a graph is recorded.
        """
        x, ops = self.embed(ids), self._ops
        for i, layer in enumerate(self._layers):
            qkv = ops.project(layer.qkv, x, None)
            mixed = ops.attend(qkv, self._rope, cache.layer(i), rows, cache.lengths)
            x = layer.finish(ops, x, mixed)
        return ops.project(self._head, x, None)

    def extend(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append T ids to each row and score what follows each: (B, T) -> (B, T, W). reach: no row is longer afterwards."""
        store, ops, (b, t) = cast(GpuCache, cache), self._ops, ids.shape
        places = cache.lengths[:, None] + torch.arange(t, device=ids.device)  # (B, T)
        cos, sin = (part[places][:, None] for part in self.positions(reach))  # (B, 1, T, D)
        seen = (torch.arange(reach, device=ids.device) <= places[..., None])[:, None]  # (B, 1, T, S)
        x = self.embed(ids)
        for i, layer in enumerate(self._layers):
            q, k, v = layer.attended(ops, x, (cos, sin))
            _append(store, i, places, k, v)
            keys, values = store.filled(i, reach, x.dtype)
            mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=seen).transpose(1, 2)
            x = layer.finish(ops, x.reshape(b * t, -1), mixed.reshape(b * t, -1)).view(b, t, -1)
        cache.lengths += t
        return ops.project(self._head, x.view(b * t, -1), None).float().view(b, t, -1)

    def positions(self, reach: int) -> Rope:
        """Give the rotary tables, of at least `reach` positions."""
        have = self._rope[0].shape[0]
        if reach > have:
            self._rope = self._tables(max(reach, 2 * have))
        return self._rope

    def _tables(self, size: int) -> Rope:
        cos, sin = rotary(self.config, torch.arange(size, device=self._table.device)[None])
        return cos[0, 0].to(self._table.dtype), sin[0, 0].to(self._table.dtype)


def _append(cache: GpuCache, number: int, places: Tensor, keys: Tensor, values: Tensor) -> None:
    """Write (B, H, T, D) at `places` (B, T)."""
    rows = torch.arange(places.shape[0], device=places.device)[:, None]
    for which, (whole, new) in enumerate(((cache.keys, keys), (cache.values, values))):
        new = new.transpose(1, 2)  # (B, T, H, D)
        if cache.scales is None:
            whole[number, rows, :, places] = new
        else:
            narrow, scale = quantise(new)
            whole.view(torch.uint8)[number, rows, :, places] = narrow.view(torch.uint8)
            cache.scales[which][number, rows, :, places] = scale


def joined(parts: Sequence[Tensor | None]) -> Tensor:
    """Stack weights or biases of several maps into one."""
    return torch.cat([part.detach() for part in parts if part is not None])


def _layer(plain: DecoderLayer, config: DecoderConfig) -> Layer:
    attn, mlp = plain.attn, plain.mlp
    three = (attn.q_proj, attn.k_proj, attn.v_proj)
    return Layer(
        config.heads,
        Projection(
            joined([p.weight for p in three]),
            joined([p.bias for p in three]),
            plain.input_norm.weight.detach(),
            config.eps,
        ),
        Projection(attn.o_proj.weight.detach()),
        Projection(
            joined([mlp.gate_proj.weight, mlp.up_proj.weight]),
            None,
            plain.post_norm.weight.detach(),
            config.eps,
            gated=True,
        ),
        Projection(mlp.down_proj.weight.detach()),
    )
