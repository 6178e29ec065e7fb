"""The decoder: embeddings -> next-token logits, with a static key/value cache written in place.

Shapes: B batch rows, T new positions, S cache positions, C width, H heads, D head width, W vocabulary.
Knows no picture and no token's meaning. This is the plain definition; a faster one has to agree with it.
Source: paper section 3.2.2; the Qwen1.5 architecture (RMSNorm, RoPE, SwiGLU, bias on q, k, v only).
"""

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from got_ocr.model.config import DecoderConfig
from got_ocr.model.quant import embedding, linear


class Cache:
    """Hold keys and values of every layer: two tensors (L, B, H, S, D), allocated once, rows of unequal length.

    lengths: (B,) filled positions of each row, on the cache's device.
    """

    def __init__(self, config: DecoderConfig, rows: int, size: int, device: torch.device, dtype: torch.dtype) -> None:
        shape = (config.layers, rows, config.heads, size, config.width // config.heads)
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)
        self.lengths = torch.zeros(rows, device=device, dtype=torch.long)

    @property
    def size(self) -> int:
        """Count the positions of a row."""
        return self.keys.shape[3]


class Decoder(nn.Module):
    """Embed ids, run the layers, score the vocabulary with the tied head."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = embedding(config.quantization, config.vocab, config.width)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, config.eps)

    def forward(self, x: Tensor) -> Tensor:
        """Run whole sequences without a cache (training): (B, T, C) -> (B, T, C), causal, rows padded on the right."""
        rope = rotary(self.config, torch.arange(x.shape[1], device=x.device)[None])
        for layer in self.layers:
            x = layer(x, rope, None, 0)
        out: Tensor = self.norm(x)
        return out

    def logits(self, x: Tensor) -> Tensor:
        """Score the vocabulary: (..., C) -> (..., W), in float32."""
        return F.linear(x, self.embed.weight).float()

    def prefill(self, x: Tensor, lengths: Tensor, cache: Cache) -> Tensor:
        """Fill an empty cache and score each row's last position: (B, T, C), (B,) -> (B, W)."""
        rope = rotary(self.config, torch.arange(x.shape[1], device=x.device)[None])
        for i, layer in enumerate(self.layers):
            x = layer(x, rope, cache, i)
        cache.lengths.copy_(lengths)
        last = x[torch.arange(x.shape[0], device=x.device), lengths - 1]  # (B, C)
        return self.logits(self.norm(last))

    def step(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append one id to each row and score the next: (B,) -> (B, W).

        reach: no row is longer than this after the step.
        """
        return self.extend(ids[:, None], cache, reach)[:, 0]

    def extend(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append T ids to each row, causal among themselves, and score what follows each: (B, T) -> (B, T, W).

        reach: no row is longer than this afterwards. Positions are forgotten again by lowering `cache.lengths`.
        """
        x = self.embed(ids)  # (B, T, C)
        places = cache.lengths[:, None] + torch.arange(ids.shape[1], device=ids.device)
        rope = rotary(self.config, places)
        for i, layer in enumerate(cast(Iterable[DecoderLayer], self.layers)):
            x = layer.extend(x, rope, cache, i, places, reach)
        cache.lengths += ids.shape[1]
        return self.logits(self.norm(x))


class DecoderLayer(nn.Module):
    """Run one pre-norm layer: attention, then the gated MLP."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.input_norm = nn.RMSNorm(config.width, config.eps)
        self.attn = DecoderAttention(config)
        self.post_norm = nn.RMSNorm(config.width, config.eps)
        self.mlp = DecoderMlp(config)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], cache: Cache | None, layer: int) -> Tensor:
        x = x + self.attn(self.input_norm(x), rope, cache, layer)
        out: Tensor = x + self.mlp(self.post_norm(x))
        return out

    def extend(
        self, x: Tensor, rope: tuple[Tensor, Tensor], cache: Cache, layer: int, places: Tensor, reach: int
    ) -> Tensor:
        """Do the same for new positions behind those in the cache."""
        x = x + self.attn.extend(self.input_norm(x), rope, cache, layer, places, reach)
        out: Tensor = x + self.mlp(self.post_norm(x))
        return out


class DecoderAttention(nn.Module):
    """Attend causally with rotary positions."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = linear(config.quantization, config.width, config.width)
        self.k_proj = linear(config.quantization, config.width, config.width)
        self.v_proj = linear(config.quantization, config.width, config.width)
        self.o_proj = linear(config.quantization, config.width, config.width, bias=False)

    def _qkv(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        b, t, c = x.shape
        q, k, v = (
            proj(x).view(b, t, self.heads, c // self.heads).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        return rotate(q, rope), rotate(k, rope), v  # (B, H, T, D)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], cache: Cache | None, layer: int) -> Tensor:
        q, k, v = self._qkv(x, rope)
        if cache is not None:
            cache.keys[layer, :, :, : k.shape[2]] = k
            cache.values[layer, :, :, : v.shape[2]] = v
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        mixed: Tensor = self.o_proj(out.transpose(1, 2).flatten(2))
        return mixed

    def extend(
        self, x: Tensor, rope: tuple[Tensor, Tensor], cache: Cache, layer: int, places: Tensor, reach: int
    ) -> Tensor:
        """Write T positions of each row, at `places` (B, T), into the cache and attend over the first `reach`, each up to its own."""
        q, k, v = self._qkv(x, rope)
        rows = torch.arange(x.shape[0], device=x.device)[:, None]
        cache.keys[layer, rows, :, places] = k.transpose(1, 2)
        cache.values[layer, rows, :, places] = v.transpose(1, 2)
        keys, values = cache.keys[layer, :, :, :reach], cache.values[layer, :, :, :reach]
        seen = torch.arange(reach, device=x.device) <= places[..., None]  # (B, T, S)
        out = F.scaled_dot_product_attention(q, keys, values, attn_mask=seen[:, None])
        mixed: Tensor = self.o_proj(out.transpose(1, 2).flatten(2))
        return mixed


class DecoderMlp(nn.Module):
    """Gate, widen, narrow (SwiGLU)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.gate_proj = linear(config.quantization, config.width, config.mlp, bias=False)
        self.up_proj = linear(config.quantization, config.width, config.mlp, bias=False)
        self.down_proj = linear(config.quantization, config.mlp, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


def rotary(config: DecoderConfig, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Make cosine and sine of every position: (B, T) -> twice (B, 1, T, D), float32."""
    half = config.width // config.heads // 2
    steps = torch.arange(half, device=positions.device, dtype=torch.float32)
    # In this order: theta ** -x rounds differently, which shows at far positions.
    inverse = 1.0 / config.rope_theta ** (steps / half)
    angle = positions[:, None, :, None].float() * inverse  # (B, 1, T, D/2)
    angle = torch.cat((angle, angle), -1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate pairs (i, i + D/2) of the last axis: (B, H, T, D) -> the same shape and type."""
    cos, sin = (part.to(x.dtype) for part in rope)
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin
