"""The encoder's layers on the compiled kernels: one call for all of them. The plain definition is `got_ocr.model.vision`.

Patches, neck and down-sampling stay those of `fast/vision.py`. Activations are float32 between the layers; scores are never
written to memory. Shapes: P tiles, Y x X grid of patches, C channels, H heads, D head width.
"""

import ctypes
from ctypes import POINTER, Structure, c_float, c_int, c_int64, c_void_p
from functools import lru_cache
from typing import cast

import torch
from torch import Tensor

from got_ocr.errors import OutOfMemory
from got_ocr.model.config import VisionConfig
from got_ocr.model.fast.spend import drained
from got_ocr.model.fast.vision import FastVision
from got_ocr.model.native.load import LinearStruct, fork, library
from got_ocr.model.native.pack import Arena, Packed, address, pack
from got_ocr.model.vision import VisionEncoder, VisionLayer


class LayerStruct(Structure):
    """Describe one layer; mirrors `GotVisionLayer` of `kernels/vision.cpp`."""

    _fields_ = (
        *((name, c_void_p) for name in ("norm1", "bias1", "norm2", "bias2")),
        *((name, LinearStruct) for name in ("qkv", "proj", "lin1", "lin2", "table_y", "table_x")),
        ("empty_k", c_void_p), ("empty_v", c_void_p), ("window_y", c_int64), ("window_x", c_int64),
    )  # fmt: skip


class VisionStruct(Structure):
    """Describe all layers; mirrors `GotVision`."""

    _fields_ = (
        *((name, c_int64) for name in ("layers", "width", "heads", "half")),
        ("eps", c_float), ("layer", POINTER(LayerStruct)),
    )  # fmt: skip


class CallStruct(Structure):
    """Describe one call; mirrors `GotVisionCall`."""

    _fields_ = (
        ("tiles", c_int64), ("height", c_int64), ("grid", c_int64), ("x", c_void_p), ("qkv", c_void_p), ("mixed", c_void_p),
        ("threads", c_int64), ("fork", c_void_p),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _kernels() -> ctypes.CDLL | None:
    found = library()
    if found is None or not hasattr(found, "got_see"):
        return None
    found.got_see.argtypes, found.got_see.restype = (POINTER(VisionStruct), POINTER(CallStruct)), c_int
    return found


def can_see(config: VisionConfig) -> bool:
    """Say whether the kernels are here and take this encoder."""
    # Two neighbouring bfloat16 of a head are multiplied as one.
    return _kernels() is not None and config.width // config.heads % 2 == 0


class NativeVision(FastVision):
    """Turn tiles into features, as `VisionEncoder` does: (P, 3, V, U) -> (P, C, Y', X'). Uses the plain layers up."""

    def _set_layers(self, plain: VisionEncoder, packed: bool | None) -> None:
        arena, parts = Arena(), drained(plain.layers, plain.pos_embed.dtype)
        self._parts = [_Layer(cast(VisionLayer, layer), arena) for layer in parts]  # what the structures point to
        self._structs = (LayerStruct * len(self._parts))(*(part.struct() for part in self._parts))
        c, dtype = self.config, plain.pos_embed.dtype
        self._model = VisionStruct(
            len(self._parts), c.width, c.heads, int(dtype is torch.bfloat16), c.eps, self._structs
        )

    def _run_layers(self, h: Tensor) -> Tensor:
        p, y, x, c = h.shape
        if not h.numel():
            return h
        run = h.float().contiguous()
        qkv, mixed = torch.empty(p, y, x, 3 * c, dtype=h.dtype), torch.empty_like(h)
        call = CallStruct(p, y, x, address(run), address(qkv), address(mixed), torch.get_num_threads(), fork())
        if cast(ctypes.CDLL, _kernels()).got_see(ctypes.byref(self._model), ctypes.byref(call)):
            raise OutOfMemory("there is not enough memory to look at these tiles; read fewer pages together")
        return run.to(h.dtype)


class _Layer:
    """Hold one layer's packed matrices and vectors."""

    def __init__(self, plain: VisionLayer, arena: Arena) -> None:
        attn, mlp = plain.attn, plain.mlp
        self._norms = [
            value.detach().float() for norm in (plain.norm1, plain.norm2) for value in (norm.weight, norm.bias)
        ]
        four = (attn.qkv, attn.proj, mlp.lin1, mlp.lin2)
        self._packed: list[Packed] = [pack([one.weight.detach()], [one.bias.detach()], arena) for one in four]
        # Far left first: the distance of a key to its query grows with the key.
        self._packed += [pack([table.detach().flip(0)], [], arena) for table in (attn.rel_pos_h, attn.rel_pos_w)]
        _, key, value = attn.qkv.bias.detach().chunk(3)
        self._empty = key.clone(), value.clone()
        self._window = plain.window or (0, 0)

    def struct(self) -> LayerStruct:
        """Describe the layer to the kernels."""
        vectors = (address(value) for value in self._norms)
        structs = (packed.struct for packed in self._packed)
        return LayerStruct(*vectors, *structs, *(address(value) for value in self._empty), *self._window)
