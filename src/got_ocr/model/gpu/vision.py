"""The vision encoder for inference on a GPU. The plain definition is `got_ocr.model.vision`.

What is different: channels stay last; attention takes query, key and value where the linear map left them, and cuts windows
while it reads, so that nothing is copied and padding's key and value are never computed.

Shapes: P tiles, V x U pixels, Y x X grid of patches, C channels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr.model.config import Pair
from got_ocr.model.fast.vision import patches
from got_ocr.model.gpu.ops import Ops
from got_ocr.model.vision import VisionEncoder, VisionLayer

TILES_AT_ONCE = 32  # more only cost memory

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold one transformer layer. tables: see `ops.relative_attention`."""

    ops: Ops
    window: Pair | None
    norm1: Map
    qkv: tuple[Tensor, Tensor]
    tables: tuple[Tensor, Tensor]
    proj: tuple[Tensor, Tensor]
    norm2: Map
    lin1: tuple[Tensor, Tensor]
    lin2: tuple[Tensor, Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """Run the layer: (P, Y, X, C) -> the same shape."""
        qkv = F.linear(self.norm1(x), *self.qkv)
        mixed = self.ops.relative_attention(qkv, self.qkv[1], self.tables, self.window)
        x = x + F.linear(mixed, *self.proj)
        return x + F.linear(F.gelu(F.linear(self.norm2(x), *self.lin1)), *self.lin2)


class GpuVision:
    """Turn tiles into features, as `VisionEncoder` does: (P, 3, V, U) -> (P, C, Y', X').

    compiled: let PyTorch fuse what lies between the products. It takes a minute at the first tile of each size.
    """

    def __init__(self, plain: VisionEncoder, ops: Ops, *, compiled: bool = False) -> None:
        c = plain.config
        self.config = c
        self._patch = plain.patch_embed.weight.detach().flatten(1), cast(Tensor, plain.patch_embed.bias).detach()
        self._pos = plain.pos_embed.detach()
        if compiled:  # what surrounds the kernel, not the kernel
            ops = replace(ops, relative_attention=torch.compiler.disable(ops.relative_attention))  # type: ignore[no-untyped-call]
        layers = [_layer(cast(VisionLayer, layer), ops) for layer in plain.layers]
        self._layers: list[Map] = [torch.compile(layer.__call__) if compiled else layer for layer in layers]
        self._neck1 = plain.neck.conv1.weight.detach().flatten(1)
        self._norm1, self._norm2 = _norm(plain.neck.norm1), _norm(plain.neck.norm2)
        self._neck2 = _conv(plain.neck.conv2.weight, (1, 1))
        self._down1 = _conv(plain.down1.weight, c.strides[0])
        self._down2 = _conv(plain.down2.weight, c.strides[1])

    def __call__(self, pixels: Tensor) -> Tensor:
        """Encode tiles of one size."""
        return torch.cat([self._encode(part) for part in torch.split(pixels, TILES_AT_ONCE)])

    def _encode(self, pixels: Tensor) -> Tensor:
        grid = pixels.shape[2] // self.config.patch[0], pixels.shape[3] // self.config.patch[1]
        x = F.linear(patches(pixels, self.config.patch, grid), *self._patch)
        x = x + self._pos[:, : grid[0], : grid[1]]
        for layer in self._layers:
            x = layer(x)
        x = self._norm1(F.linear(x, self._neck1))
        x = self._norm2(self._neck2(x).contiguous())
        return self._down2(self._down1(x)).permute(0, 3, 1, 2)


def _layer(plain: VisionLayer, ops: Ops) -> Layer:
    attn, mlp = plain.attn, plain.mlp
    tables = tuple(F.pad(table.detach(), (0, 0, 0, 1)) for table in (attn.rel_pos_h, attn.rel_pos_w))
    qkv, proj, lin1, lin2 = (
        (linear.weight.detach(), linear.bias.detach()) for linear in (attn.qkv, attn.proj, mlp.lin1, mlp.lin2)
    )
    return Layer(
        ops, plain.window, _norm(plain.norm1), qkv, (tables[0], tables[1]), proj, _norm(plain.norm2), lin1, lin2
    )


def _norm(plain: torch.nn.LayerNorm) -> Map:
    weight, bias, eps = plain.weight.detach(), plain.bias.detach(), plain.eps
    return lambda x: F.layer_norm(x, weight.shape, weight, bias, eps)


def _conv(weight: Tensor, stride: Pair) -> Map:
    """Prepare a 3x3 convolution over (P, Y, X, C), padded by one."""
    weight = weight.detach().contiguous(memory_format=torch.channels_last)
    return lambda x: F.conv2d(x.permute(0, 3, 1, 2), weight, None, stride, 1).permute(0, 2, 3, 1)
