"""The vision encoder: pixels -> image tokens. ViTDet-B, its neck, and GOT's two down-sampling convolutions.

Shapes: P tiles, V x U pixels, Y x X grid of patches, y x x window, C channels, H heads, D head width, N = Y*X.
Knows no prompt and no decoder. This is the plain definition; a faster one has to agree with it.
Source: paper section 3.2.1; Segment Anything's image encoder.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from got_ocr.model.config import Pair, VisionConfig


class VisionEncoder(nn.Module):
    """Turn tiles into features: (P, 3, V, U) -> (P, C, Y', X'), Y' and X' counted in `config.cell`s."""

    def __init__(self, config: VisionConfig, out: int) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = nn.Conv2d(3, config.width, config.patch, config.patch)
        self.pos_embed = nn.Parameter(torch.zeros(1, *config.grid, config.width))
        self.layers = nn.ModuleList(
            VisionLayer(config, None if i in config.global_layers else config.window) for i in range(config.layers)
        )
        self.neck = Neck(config)
        first, second = config.strides
        self.down1 = nn.Conv2d(config.neck, 2 * config.neck, 3, first, 1, bias=False)
        self.down2 = nn.Conv2d(2 * config.neck, out, 3, second, 1, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.down2(self.trunk(pixels))
        return features

    def trunk(self, pixels: Tensor) -> Tensor:
        """Stop before the second down-sampling: (P, 3, V, U) -> (P, 2*neck, Y', X'). An auxiliary loss looks here."""
        x = self.patch_embed(pixels).permute(0, 2, 3, 1)  # (P, Y, X, C)
        # A tile smaller than the largest one uses the top left part of the learned positions.
        x = x + self.pos_embed[:, : x.shape[1], : x.shape[2]]
        for layer in self.layers:
            x = layer(x)
        x = self.neck(x.permute(0, 3, 1, 2))  # (P, C, Y, X)
        fine: Tensor = self.down1(x)
        return fine


class VisionLayer(nn.Module):
    """Run one pre-norm transformer layer over windows, or over the whole grid where `window` is None."""

    def __init__(self, config: VisionConfig, window: Pair | None) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(config.width, config.eps)
        self.attn = VisionAttention(config.width, config.heads, window or config.grid)
        self.norm2 = nn.LayerNorm(config.width, config.eps)
        self.mlp = VisionMlp(config.width, config.mlp)

    def forward(self, x: Tensor) -> Tensor:  # (P, Y, X, C)
        h = self.norm1(x)
        if self.window is None:
            h = self.attn(h)
        else:
            size = h.shape[1], h.shape[2]
            # Padding is zero *before* qkv: padded keys and values equal the bias and take part in the softmax.
            h = merge_windows(self.attn(split_windows(h, self.window)), self.window, size)
        x = x + h
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class VisionAttention(nn.Module):
    """Attend with decomposed relative positions: (P, Y, X, C) -> (P, Y, X, C)."""

    def __init__(self, width: int, heads: int, size: Pair) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * size[0] - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * size[1] - 1, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        p, y, xx, c = x.shape
        qkv = self.qkv(x).reshape(p, y * xx, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)  # (P, H, N, D)
        bias = relative_bias(q, self.rel_pos_h, self.rel_pos_w, (y, xx))
        out = attend(q, k, v, bias)
        mixed: Tensor = self.proj(out.transpose(1, 2).reshape(p, y, xx, c))
        return mixed


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Mix values by biased softmax: (P, H, N, D) three times, (P, H, N, N) -> (P, H, N, D)."""
    if not (q.is_cpu and torch.is_grad_enabled()):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    # On the CPU a bias that learns takes PyTorch's own function to a path that makes three times as many passes over the scores.
    queries, keys, values, added = (part.flatten(0, 1) for part in (q, k, v, bias))
    scores = torch.baddbmm(added, queries, keys.transpose(1, 2), alpha=q.shape[-1] ** -0.5)
    return torch.bmm(torch.softmax(scores, -1), values).view(q.shape)


def relative_bias(q: Tensor, rel_h: Tensor, rel_w: Tensor, size: Pair) -> Tensor:
    """Add the row term and the column term of the *unscaled* query: (P, H, N, D) -> (P, H, N, N)."""
    y, x = size
    p, heads, n, d = q.shape
    grid = q.reshape(p, heads, y, x, d)
    table_h = relative_table(rel_h, y).to(q.dtype)  # (Y, Y, D)
    table_w = relative_table(rel_w, x).to(q.dtype)  # (X, X, D)
    by_row = torch.einsum("phyxd,ykd->phyxk", grid, table_h)  # (P, H, Y, X, Y)
    by_col = torch.einsum("phyxd,xkd->phyxk", grid, table_w)  # (P, H, Y, X, X)
    return (by_row[..., :, None] + by_col[..., None, :]).reshape(p, heads, n, n)


def relative_table(rel_pos: Tensor, size: int) -> Tensor:
    """Look up the embedding of every query-key distance: (2L-1, D) -> (size, size, D), size <= L."""
    middle = (rel_pos.shape[0] - 1) // 2
    at = torch.arange(size, device=rel_pos.device)
    return rel_pos[at[:, None] - at[None, :] + middle]


def split_windows(x: Tensor, window: Pair) -> Tensor:
    """Cut the grid into windows, zero-padded right and below: (P, Y, X, C) -> (P*windows, y, x, C)."""
    p, y, xx, c = x.shape
    wy, wx = window
    x = F.pad(x, (0, 0, 0, -xx % wx, 0, -y % wy))
    x = x.reshape(p, x.shape[1] // wy, wy, x.shape[2] // wx, wx, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, wy, wx, c)


def merge_windows(x: Tensor, window: Pair, size: Pair) -> Tensor:
    """Undo `split_windows` and drop the padding: (P*windows, y, x, C) -> (P, Y, X, C)."""
    (wy, wx), (y, xx) = window, size
    rows, cols = -(-y // wy), -(-xx // wx)
    x = x.reshape(-1, rows, cols, wy, wx, x.shape[-1]).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, rows * wy, cols * wx, x.shape[-1])[:, :y, :xx]


class VisionMlp(nn.Module):
    """Widen, GELU, narrow."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.lin2(F.gelu(self.lin1(x)))
        return out


class Neck(nn.Module):
    """Project to the neck's channels and mix neighbours: (P, C, Y, X) -> (P, neck, Y, X)."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(config.width, config.neck, 1, bias=False)
        self.norm1 = ChannelNorm(config.neck, config.eps)
        self.conv2 = nn.Conv2d(config.neck, config.neck, 3, padding=1, bias=False)
        self.norm2 = ChannelNorm(config.neck, config.eps)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm2(self.conv2(self.norm1(self.conv1(x))))
        return out


class ChannelNorm(nn.LayerNorm):
    """Normalise over the channels of (P, C, Y, X)."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__(channels, eps)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
