"""Weights of the decoder in 8 or 4 bits: how they are made from numbers, and modules that hold them.

`int8`: one scale an output. `int4`: groups of 32 inputs with a float16 scale each, chosen for the least squared error; the
embedding, which is also the output head, keeps 8 bits. The modules here are the plain definition: they multiply with
`values * scales`. Knows no checkpoint and no kernel.

Shapes: O outputs, I inputs, G groups of inputs.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUP = 32  # inputs that share a scale in int4
SCHEMES = ("int8", "int4")
AT_ONCE = 1 << 18  # numbers that are quantised together, so that they stay in the cache
SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)  # of the group's extreme that int4 tries as its range


@dataclass(frozen=True, slots=True)
class Quantised:
    """Hold one matrix. int8: values (O, I) int8, scales (O,) float32. int4: (O, 16 G) uint8, (O, G) float16.

    A byte of int4 holds inputs 2i (low half) and 2i + 1, each plus 8; I is filled up with zeros to 32 G.
    """

    scheme: str
    ins: int
    values: Tensor
    scales: Tensor

    def numbers(self) -> Tensor:
        """Give the whole numbers: (O, I) int8; int4 filled up to (O, 32 G)."""
        if self.scheme == "int8":
            return self.values
        pairs = torch.stack((self.values & 15, self.values >> 4), -1)
        return pairs.flatten(1).view(torch.int8) - 8

    def dense(self) -> Tensor:
        """Give what the matrix stands for: (O, I) float32."""
        if self.scheme == "int8":
            return self.values.float() * self.scales[:, None]
        groups = self.numbers().view(*self.scales.shape, GROUP).float() * self.scales[..., None].float()
        return groups.flatten(1)[:, : self.ins]


def shapes(scheme: str, outs: int, ins: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Say what shapes the values and scales of a matrix have."""
    groups = -(-ins // GROUP)
    return ((outs, ins), (outs,)) if scheme == "int8" else ((outs, groups * GROUP // 2), (outs, groups))


def quantise(weight: Tensor, scheme: str) -> Quantised:
    """Quantise a matrix: (O, I) of any float type."""
    _outs, ins = weight.shape
    made = _int8 if scheme == "int8" else _int4
    parts = [made(rows.float()) for rows in torch.split(weight.detach(), max(1, AT_ONCE // ins))]
    return Quantised(scheme, ins, torch.cat([v for v, _ in parts]), torch.cat([s for _, s in parts]))


def _int8(rows: Tensor) -> tuple[Tensor, Tensor]:
    scales = rows.abs().amax(1) / 127
    values = rows / torch.where(scales > 0, scales, 1)[:, None]
    return values.round_().clamp_(-127, 127).to(torch.int8), scales


def _int4(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Try several ranges for each group and keep the one of the least squared error."""
    groups = F.pad(rows, (0, -rows.shape[1] % GROUP)).view(len(rows), -1, GROUP)
    extreme = groups.gather(-1, groups.abs().argmax(-1, keepdim=True))
    best, scales, least = torch.zeros_like(groups), torch.zeros_like(extreme), torch.full_like(extreme, torch.inf)
    for share in SHARES:
        # The extreme becomes -8, whatever its sign: the negative side reaches one further.
        scale = (extreme * (-share / 8)).half().float()
        values = (groups / torch.where(scale != 0, scale, 1)).round_().clamp_(-8, 7)
        error = (values * scale - groups).square_().sum(-1, keepdim=True)
        better = error < least
        best, scales, least = (torch.where(better, n, o) for n, o in ((values, best), (scale, scales), (error, least)))
    bytes_ = (best + 8).to(torch.uint8).flatten(1)
    return bytes_[:, ::2] | bytes_[:, 1::2] << 4, scales[..., 0].half()


class QuantMatrix(nn.Module):
    """Hold a quantised matrix. dtype: of `weight`, which is made anew at every use."""

    values: Tensor
    scales: Tensor

    def __init__(self, scheme: str, outs: int, ins: int) -> None:
        super().__init__()
        values, scales = shapes(scheme, outs, ins)
        self.scheme, self.ins, self.dtype = scheme, ins, torch.float32
        self.register_buffer("values", torch.zeros(values, dtype=torch.int8 if scheme == "int8" else torch.uint8))
        self.register_buffer("scales", torch.zeros(scales, dtype=torch.float32 if scheme == "int8" else torch.float16))

    @property
    def quantised(self) -> Quantised:
        """Give the matrix."""
        return Quantised(self.scheme, self.ins, self.values, self.scales)

    @property
    def weight(self) -> Tensor:
        """Give what the matrix stands for: (O, I)."""
        return self.quantised.dense().to(self.dtype)

    def take(self, weight: Tensor) -> None:
        """Quantise a matrix into this one and let its number format be the format of `weight`."""
        made = quantise(weight, self.scheme)
        self.values, self.scales, self.dtype = made.values, made.scales, weight.dtype


class QuantLinear(QuantMatrix):
    """Map (..., I) -> (..., O)."""

    def __init__(self, scheme: str, ins: int, outs: int, bias: bool) -> None:
        super().__init__(scheme, outs, ins)
        self.bias = nn.Parameter(torch.zeros(outs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class QuantEmbedding(QuantMatrix):
    """Look ids up: (...) -> (..., C)."""

    def forward(self, ids: Tensor) -> Tensor:
        rows = Quantised(self.scheme, self.ins, self.values[ids.flatten()], self.scales[ids.flatten()])
        return rows.dense().to(self.dtype).view(*ids.shape, self.ins)


def is_part(name: str) -> bool:
    """Say whether a tensor's name is that of a quantised matrix's values or scales, whose types are fixed."""
    return name.endswith((".values", ".scales"))


def set_dtype(root: nn.Module, dtype: torch.dtype) -> None:
    """Let every quantised matrix below a module stand for numbers of this format."""
    for module in root.modules():
        if isinstance(module, QuantMatrix):
            module.dtype = dtype


def linear(scheme: str, ins: int, outs: int, bias: bool = True) -> nn.Linear | QuantLinear:
    """Build a map: plain where there is no scheme."""
    return QuantLinear(scheme, ins, outs, bias) if scheme else nn.Linear(ins, outs, bias)


def embedding(scheme: str, count: int, width: int) -> nn.Embedding | QuantEmbedding:
    """Build an embedding: of 8 bits under any scheme, plain where there is none."""
    if scheme:
        return QuantEmbedding("int8", count, width)
    # Random numbers without memory load PyTorch's compiler, which takes a second, and come to nothing.
    empty = torch.get_default_device().type == "meta"
    return nn.Embedding(count, width, _weight=torch.empty(count, width) if empty else None)
