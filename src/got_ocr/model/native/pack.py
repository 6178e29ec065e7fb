"""Matrices in the kernels' own layout, in one piece of memory. What the layout is stands in `kernels/linear.hpp`.

Shapes: O outputs, I inputs, P panels of 64 or 32 outputs, G groups of inputs.
"""

import ctypes
import mmap
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr.errors import OutOfMemory
from got_ocr.model.native.load import LinearStruct
from got_ocr.model.quant import GROUP, Quantised

KINDS = {torch.float32: 0, torch.bfloat16: 1, "int8": 2, "int4": 3}
PANELS = (64, 64, 32, 32)
DEPTHS = (1, 2, 64, 32)  # inputs are filled up to a multiple
CHUNK = 64 << 20  # bytes of one mapping; smaller matrices share one
Weight = Tensor | Quantised


@dataclass(slots=True)
class Arena:
    """Hand out memory in large pages, which make reading through gigabytes cheaper. It lives as long as its tensors."""

    _room: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.uint8))
    _used: int = 0

    def take(self, size: int) -> Tensor:
        """Give `size` bytes, at a multiple of 64: (size,) uint8."""
        size = -(-size // 64) * 64
        if self._used + size > len(self._room):
            self._room, self._used = _mapping(max(size, CHUNK)), 0
        self._used += size
        return self._room[self._used - size : self._used]


def _mapping(size: int) -> Tensor:
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, ValueError):
        raise OutOfMemory("there is not enough memory for the model's weights") from None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(pages, dtype=torch.uint8)


@dataclass(frozen=True, slots=True)
class Packed:
    """Hold one matrix and keep alive what its structure points to."""

    struct: LinearStruct
    held: tuple[Tensor, ...]


def pack(weights: list[Weight], biases: list[Tensor], arena: Arena) -> Packed:
    """Pack matrices of the same inputs as one, outputs after outputs. biases: of all of them, or none."""
    first = weights[0]
    kind = KINDS[first.scheme if isinstance(first, Quantised) else first.dtype]
    whole, scale = _joined(weights)
    data = _layout(whole, scale, kind)
    size = data.numel() * data.element_size()
    room = arena.take(size)[:size]
    room.view(data.dtype).view(data.shape).copy_(data)
    held = [room]
    if kind == 2:
        held.append(F.pad(scale, (0, -len(scale) % PANELS[kind])).float().contiguous())
        held[-1] = arena.take(4 * len(held[-1])).view(torch.float32)[: len(held[-1])].copy_(held[-1])
    if biases:
        held.append(torch.cat(biases).float())
    ins = first.ins if isinstance(first, Quantised) else first.shape[1]
    struct = LinearStruct(
        room.data_ptr(), held[1].data_ptr() if kind == 2 else None, held[-1].data_ptr() if biases else None,
        whole.shape[0], ins, kind,
    )  # fmt: skip
    return Packed(struct, tuple(held))


def _joined(weights: list[Weight]) -> tuple[Tensor, Tensor]:
    """Put matrices below each other: numbers (O, I) as they are multiplied, scales (empty for plain numbers)."""
    plain = [w for w in weights if isinstance(w, Tensor)]
    if plain:
        return torch.cat([w.detach() for w in plain]) if len(plain) > 1 else plain[0].detach(), torch.empty(0)
    quantised = [w for w in weights if isinstance(w, Quantised)]
    return torch.cat([w.numbers() for w in quantised]), torch.cat([w.scales for w in quantised])


def _layout(whole: Tensor, scale: Tensor, kind: int) -> Tensor:
    """Order the numbers of a matrix as the kernels read them. The result may be a view that is not contiguous."""
    outs, ins = whole.shape
    panel, depth = PANELS[kind], DEPTHS[kind]
    if outs % panel or ins % depth:
        whole = F.pad(whole, (0, -ins % depth, 0, -outs % panel))
    panels = whole.view(-1, panel, whole.shape[1])  # (P, panel, I)
    if kind == 0:
        return panels.transpose(1, 2)
    if kind == 1:
        return panels.contiguous().view(torch.int32).transpose(1, 2)  # two inputs a number
    if kind == 2:
        bytes_ = (panels.view(torch.uint8) ^ 128).view(torch.int32)  # value + 128, four inputs a number
        return bytes_.transpose(1, 2).contiguous().view(torch.uint8).flatten()
    parts = (panels.view(torch.uint8) + 8).view(len(panels), panel, -1, 4, 2, 4)  # (P, panel, G, 4, low and high, 4)
    both = (parts[..., 0, :] | parts[..., 1, :] << 4).permute(0, 2, 3, 1, 4).flatten(2)  # (P, G, 4 * panel * 4)
    scale = F.pad(scale, (0, 0, 0, -outs % panel)).view(len(panels), panel, -1).transpose(1, 2).contiguous()
    return torch.cat((both, scale.view(torch.uint8)), 2).flatten()


def address(tensor: Tensor) -> ctypes.c_void_p:
    """Say where a tensor begins."""
    return ctypes.c_void_p(tensor.data_ptr())


assert DEPTHS[3] == GROUP  # noqa: S101
