"""Linear maps with weights laid out once for oneDNN, where PyTorch offers that; plain ones elsewhere.

The operators are private to PyTorch, so they are tried out before they are trusted, for each number format; without
them the same maps run as `F.linear`. Weights given in are not kept when packed. Knows no layer and no model.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

ROWS_HINT = 256  # oneDNN lays a weight out for about this many rows; one row runs no slower on it


@dataclass(frozen=True, slots=True)
class Linear:
    """Map (..., I) -> (..., O). weight: (O, I), in oneDNN's own layout when `packed`."""

    weight: Tensor
    bias: Tensor | None
    packed: bool

    def __call__(self, x: Tensor) -> Tensor:
        """Map rows."""
        if not self.packed:
            return F.linear(x, self.weight, self.bias)
        out: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, "none", [], "")
        return out

    def gelu(self, x: Tensor) -> Tensor:
        """Map rows and apply GELU in the same pass."""
        if not self.packed:
            return F.gelu(F.linear(x, self.weight, self.bias))
        out: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, "gelu", [], "none")
        return out


def pack(weight: Tensor, bias: Tensor | None = None, *, packed: bool | None = None) -> Linear:
    """Prepare a map. weight: (O, I). packed: None packs where that works; True and False insist (for tests)."""
    weight = weight.detach()
    bias = None if bias is None else bias.detach().clone()
    if not (can_pack(weight.dtype) and weight.device.type == "cpu" if packed is None else packed):
        return Linear(weight, bias, False)
    return Linear(torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), ROWS_HINT), bias, True)


@lru_cache(maxsize=8)
def can_pack(dtype: torch.dtype) -> bool:
    """Say whether packed weights work here and give what `F.linear` gives, on small rows."""
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    steps = torch.arange(21 * 16, dtype=torch.float32)
    weight = torch.cos(steps).view(21, 16).to(dtype)
    x, bias = torch.sin(steps[:48]).view(3, 16).to(dtype), torch.cos(steps[:21]).to(dtype)
    try:
        trial, plain = pack(weight, bias, packed=True), Linear(weight, bias, False)
        pairs = [(trial(x), plain(x)), (trial.gelu(x), plain.gelu(x)), (trial(x[:1]), plain(x[:1]))]
    except (AttributeError, RuntimeError):  # absent, renamed, or built without oneDNN
        return False
    close = 1e-5 if dtype is torch.float32 else 0.05
    return all(bool((got.float() - wanted.float()).abs().max() < close) for got, wanted in pairs)
