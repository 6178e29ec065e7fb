"""The vision encoder for inference on the CPU. The plain definition is `got_ocr.model.vision`.

What is different: the relative terms of all distances are one product and the bias reads them in place; attention runs
in blocks that stay in the processor's cache; windows compute no query, key or value for padding; weights are packed;
channels stay last from the pixels to the image tokens.

Shapes: P tiles, V x U pixels, Y x X grid of patches, y x x window, C channels, H heads, D head width, G attention
matrices, R rows of the grid in a block.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr.model.config import Pair
from got_ocr.model.fast.linear import Linear, pack
from got_ocr.model.fast.spend import drained
from got_ocr.model.vision import VisionEncoder, VisionLayer

ROWS_AT_ONCE = 1024  # rows of the widened MLP, so that they stay in the cache
PATCHES_AT_ONCE = 4096  # tiles go through together up to this size; more only costs memory
SCORES_AT_ONCE = 1 << 19  # attention scores of a block: 1 MB in bfloat16


@dataclass(frozen=True, slots=True)
class Norm:
    """Normalise the last axis."""

    weight: Tensor
    bias: Tensor
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True, slots=True)
class Attention:
    """Hold one layer's attention. tables: see `distances`; empty: key and value of padding, each (C,)."""

    heads: int
    window: Pair | None
    qkv: Linear
    proj: Linear
    tables: tuple[Tensor, Tensor]
    empty: tuple[Tensor, Tensor]

    def __call__(self, x: Tensor) -> Tensor:
        """Attend over windows, or over the whole grid: (P, Y, X, C) -> (P, Y, X, C)."""
        p, y, xx, c = x.shape
        qkv = self.qkv(x).view(p, y, xx, 3, self.heads, c // self.heads)
        out = torch.empty_like(x)
        for rows, cols, size in regions((y, xx), self.window):
            self._region(qkv[:, rows, cols], out[:, rows, cols], self.window or size, size)
        return self.proj(out)

    def _region(self, qkv: Tensor, out: Tensor, window: Pair, size: Pair) -> None:
        """Attend in windows that all hold `size` real patches, and write into `out`."""
        q, k, v = (cut(part, size) for part in qkv.unbind(3))  # (P, rows, cols, H, y, x, D)
        many, (y, x), d = q.shape[:4].numel(), size, q.shape[-1]
        q = q.reshape(many, y, x, d).contiguous()
        k, v = (self._padded(part, e, window) for part, e in zip((k, v), self.empty, strict=True))
        terms = tuple(distances(q, table) for table in self.tables)
        by_row, by_col = vertical(terms[0], window[0]), horizontal(terms[1], window[1])
        mixed = attend(q, k, v, by_row, by_col)  # (G, y, x, D)
        places = cut(out.view(*out.shape[:3], self.heads, d), size)
        places.copy_(mixed.view(places.shape))

    def _padded(self, part: Tensor, empty: Tensor, window: Pair) -> Tensor:
        """Fill windows up with the padding's key or value: (P, rows, cols, H, y, x, D) -> (G, window, D)."""
        many, (y, x, d) = part.shape[:4].numel(), part.shape[4:]
        if (y, x) == window:
            return part.reshape(many, y * x, d).contiguous()
        whole = empty.view(self.heads, 1, 1, d).expand(*part.shape[:4], *window, d).contiguous()
        whole[..., :y, :x, :] = part
        return whole.view(many, window[0] * window[1], d)


def regions(grid: Pair, window: Pair | None) -> Iterator[tuple[slice, slice, Pair]]:
    """Cut the grid into at most four parts whose windows are equally full: gives (rows, columns, real patches)."""
    if window is None:
        yield slice(None), slice(None), grid
        return
    for rows, y in _runs(grid[0], window[0]):
        for cols, x in _runs(grid[1], window[1]):
            yield rows, cols, (y, x)


def _runs(size: int, window: int) -> Iterator[tuple[slice, int]]:
    full = size - size % window
    if full:
        yield slice(0, full), window
    if full < size:
        yield slice(full, size), size - full


def cut(x: Tensor, size: Pair) -> Tensor:
    """View a region as windows: (P, Y, X, H, D) -> (P, rows, columns, H, y, x, D)."""
    p, y, xx, h, d = x.shape
    x = x.view(p, y // size[0], size[0], xx // size[1], size[1], h, d)
    return x.permute(0, 1, 3, 5, 2, 4, 6)


def distances(q: Tensor, table: Tensor) -> Tensor:
    """Multiply queries with the embedding of every distance, far right first: (G, y, x, D) -> (G, y, x, 2L)."""
    g, y, x, d = q.shape
    return torch.mm(q.view(-1, d), table).view(g, y, x, table.shape[1])


def flipped(rel_pos: Tensor) -> Tensor:
    """Order a table by key minus query, one column of padding: (2L-1, D) -> (D, 2L)."""
    return F.pad(rel_pos.detach().flip(0), (0, 0, 0, 1)).t().contiguous()


def vertical(terms: Tensor, keys: int) -> Tensor:
    """Read the row term of every key row in place: (G, y, x, 2L) -> (G, y, x, keys), at column key - query + L - 1."""
    g, y, x, n = terms.shape
    a, b, c, _ = terms.stride()
    return terms.as_strided((g, y, x, keys), (a, b - 1, c, 1), n // 2 - 1)


def horizontal(terms: Tensor, keys: int) -> Tensor:
    """Do the same along the columns."""
    g, y, x, n = terms.shape
    a, b, c, _ = terms.stride()
    return terms.as_strided((g, y, x, keys), (a, b, c - 1, 1), n // 2 - 1)


def attend(q: Tensor, k: Tensor, v: Tensor, by_row: Tensor, by_col: Tensor) -> Tensor:
    """Attend with decomposed bias: q (G, y, x, D), k and v (G, S, D), terms (G, y, x, rows), (G, y, x, columns).

    A block is several small matrices, or some grid rows of a large one.
    """
    g, y, x, _ = q.shape
    out = torch.empty_like(q)
    scores = by_row.shape[3] * by_col.shape[3] * x
    rows = max(1, min(y, SCORES_AT_ONCE // scores))
    many = max(1, SCORES_AT_ONCE // (scores * y)) if rows == y else 1
    for i in range(0, g, many):
        at = slice(i, i + many)
        for j in range(0, y, rows):
            on = slice(j, j + rows)
            _block(q[at, on], k[at], v[at], by_row[at, on], by_col[at, on], out[at, on])
    return out


def _block(q: Tensor, k: Tensor, v: Tensor, by_row: Tensor, by_col: Tensor, out: Tensor) -> None:
    """Attend from some grid rows: q and out (G, R, x, D)."""
    g, d, n = q.shape[0], q.shape[3], q.shape[1] * q.shape[2]
    scores = torch.empty(*q.shape[:3], by_row.shape[3], by_col.shape[3], dtype=q.dtype, device=q.device)
    torch.add(by_row[..., :, None], by_col[..., None, :], out=scores)
    scores = scores.view(g, n, k.shape[1])
    scores.baddbmm_(q.reshape(g, n, d), k.transpose(1, 2), alpha=d**-0.5)
    out.copy_(torch.bmm(torch.softmax(scores, -1), v).view(out.shape))


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold one transformer layer."""

    norm1: Norm
    attn: Attention
    norm2: Norm
    lin1: Linear
    lin2: Linear

    def __call__(self, x: Tensor) -> Tensor:
        """Run the layer, in place: (P, Y, X, C)."""
        x += self.attn(self.norm1(x))
        flat = x.view(-1, x.shape[-1])
        for i in range(0, flat.shape[0], ROWS_AT_ONCE):
            part = flat[i : i + ROWS_AT_ONCE]
            part += self.lin2(self.lin1.gelu(self.norm2(part)))
        return x


class FastVision:
    """Turn tiles into features, as `VisionEncoder` does: (P, 3, V, U) -> (P, C, Y', X'). Uses the plain layers up."""

    def __init__(self, plain: VisionEncoder, *, packed: bool | None = None) -> None:
        c = plain.config
        self.config = c
        self._patch = pack(plain.patch_embed.weight.flatten(1), plain.patch_embed.bias, packed=packed)
        self._pos = plain.pos_embed.detach()
        self._set_layers(plain, packed)
        self._neck1 = pack(plain.neck.conv1.weight.flatten(1), packed=packed)
        self._norm1, self._norm2 = _norm(plain.neck.norm1), _norm(plain.neck.norm2)
        self._neck2 = _conv(plain.neck.conv2.weight, (1, 1))
        self._down1 = _conv(plain.down1.weight, c.strides[0])
        self._down2 = _conv(plain.down2.weight, c.strides[1])

    def _set_layers(self, plain: VisionEncoder, packed: bool | None) -> None:
        parts = drained(plain.layers, plain.pos_embed.dtype)
        self._layers = [_layer(cast(VisionLayer, layer), packed) for layer in parts]

    def _run_layers(self, h: Tensor) -> Tensor:
        """Run all layers: (P, Y, X, C), which is used up."""
        for layer in self._layers:
            h = layer(h)
        return h

    def __call__(self, pixels: Tensor) -> Tensor:
        """Encode tiles of one size."""
        y, x = (pixels.shape[2] // self.config.patch[0], pixels.shape[3] // self.config.patch[1])
        together = max(1, PATCHES_AT_ONCE // max(1, y * x))
        return torch.cat([self._encode(part, (y, x)) for part in torch.split(pixels, together)])

    def _encode(self, pixels: Tensor, grid: Pair) -> Tensor:
        h = self._patch(patches(pixels, self.config.patch, grid))
        h += self._pos[:, : grid[0], : grid[1]]
        h = self._norm1(self._neck1(self._run_layers(h)))
        h = self._norm2(self._neck2(h).contiguous())
        return self._down2(self._down1(h)).permute(0, 3, 1, 2)


def patches(pixels: Tensor, patch: Pair, grid: Pair) -> Tensor:
    """Lay each patch out as a row: (P, 3, V, U) -> (P, Y, X, 3*v*u); what does not fill a patch is dropped."""
    (v, u), (y, x) = patch, grid
    pixels = pixels[:, :, : y * v, : x * u].view(-1, 3, y, v, x, u)
    return pixels.permute(0, 2, 4, 1, 3, 5).flatten(3)


def _conv(weight: Tensor, stride: Pair) -> Callable[[Tensor], Tensor]:
    """Prepare a 3x3 convolution over (P, Y, X, C), padded by one."""
    weight = weight.detach().contiguous(memory_format=torch.channels_last)

    def run(x: Tensor) -> Tensor:
        return F.conv2d(x.permute(0, 3, 1, 2), weight, None, stride, 1).permute(0, 2, 3, 1)

    return run


def _norm(plain: torch.nn.LayerNorm) -> Norm:
    return Norm(plain.weight.detach(), plain.bias.detach(), plain.eps)


def _layer(plain: VisionLayer, packed: bool | None) -> Layer:
    attn = plain.attn
    _, key, value = attn.qkv.bias.detach().chunk(3)
    made = Attention(
        attn.heads,
        plain.window,
        pack(attn.qkv.weight, attn.qkv.bias, packed=packed),
        pack(attn.proj.weight, attn.proj.bias, packed=packed),
        (flipped(attn.rel_pos_h), flipped(attn.rel_pos_w)),
        (key.clone(), value.clone()),
    )
    lin1, lin2 = (pack(lin.weight, lin.bias, packed=packed) for lin in (plain.mlp.lin1, plain.mlp.lin2))
    return Layer(_norm(plain.norm1), made, _norm(plain.norm2), lin1, lin2)
