"""The decoder on the compiled kernels: one call for all layers. The plain definition is `got_ocr.model.decoder`.

Holds every matrix once, packed, the embedding being the head. Activations are float32 between the layers; the cache is the
ordinary one, float32 or bfloat16.

Shapes: B batch rows, T new positions, C width, D head width, W vocabulary.
"""

import ctypes
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from got_ocr.errors import InvalidValue, OutOfMemory
from got_ocr.model.config import DecoderConfig
from got_ocr.model.decoder import Cache, Decoder, DecoderLayer, rotary
from got_ocr.model.fast.spend import drained
from got_ocr.model.native.load import CallStruct, LayerStruct, ModelStruct, fork, library
from got_ocr.model.native.pack import Arena, Packed, Weight, address, pack
from got_ocr.model.quant import QuantMatrix

FIRST_POSITIONS = 1024  # rotary tables start with these and double
MOST_HEAD_WIDTH = 256  # of `kernels/attention.hpp`


def can_run(config: DecoderConfig) -> bool:
    """Say whether the kernels are here and take this decoder."""
    return library() is not None and config.width // config.heads <= MOST_HEAD_WIDTH


class NativeDecoder:
    """Embed ids, run the layers, score the vocabulary, as `Decoder` does. Uses the plain layers up.

    dtype: of embedded ids and of the cache.
    """

    def __init__(self, plain: Decoder, dtype: torch.dtype) -> None:
        self.config, self.dtype = plain.config, dtype
        kernels = library()
        assert kernels is not None  # noqa: S101
        self._kernels, arena = kernels, Arena()
        (self._head,) = [pack([_weight(embed)], [], arena) for embed in drained([plain.embed], dtype)]
        self._norm = plain.norm.weight.detach().float()
        layers = [_Layer(cast(DecoderLayer, layer), arena) for layer in drained(plain.layers, dtype)]
        self._layers = layers  # keeps alive what the structures point to
        self._structs = (LayerStruct * len(layers))(*(layer.struct() for layer in layers))
        self._model = ModelStruct(
            len(layers), self.config.width, self.config.heads, int(dtype is torch.bfloat16), self.config.eps,
            self._structs, address(self._norm), self._head.struct,
        )  # fmt: skip
        self._cos, self._sin = _tables(self.config, FIRST_POSITIONS)

    def embed(self, ids: Tensor) -> Tensor:
        """Look ids up: (...) -> (..., C)."""
        return self._embed(ids).to(self.dtype)

    def prefill(self, x: Tensor, lengths: Tensor, cache: Cache) -> Tensor:
        """Fill an empty cache and score each row's last position: (B, T, C), (B,) -> (B, W)."""
        counts = lengths.tolist()
        rows = torch.cat([row[:count] for row, count in zip(x.float(), counts, strict=True)])
        return self._run(rows, [0] * len(counts), counts, cache, last=True)

    def step(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append one id to each row and score the next: (B,) -> (B, W). reach: no row is longer after the step."""
        return self._run(self._embed(ids), cache.lengths.tolist(), [1] * len(ids), cache, last=True)

    def extend(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append several ids to each row and score after each of them: (B, T) -> (B, T, W)."""
        b, t = ids.shape
        scores = self._run(self._embed(ids).flatten(0, 1), cache.lengths.tolist(), [t] * b, cache, last=False)
        return scores.view(b, t, -1)

    def _embed(self, ids: Tensor) -> Tensor:
        """Look ids up: (...) -> (..., C) float32."""
        ids = ids.contiguous()
        if ids.numel() and not (int(ids.min()) >= 0 and int(ids.max()) < self.config.vocab):
            raise InvalidValue(f"ids lie between 0 and {self.config.vocab - 1}")
        out = torch.empty(*ids.shape, self.config.width)
        self._kernels.got_embed(ctypes.byref(self._head.struct), address(ids), ids.numel(), address(out))
        return out

    def _run(self, x: Tensor, starts: Sequence[int], counts: Sequence[int], cache: Cache, *, last: bool) -> Tensor:
        """Run new positions, each row's together: (all of them, C) -> (scored, W). x is used up."""
        _check(cache, self.dtype, starts, counts)
        ends = [start + count for start, count in zip(starts, counts, strict=True)]
        if max(ends) > len(self._cos):
            self._cos, self._sin = _tables(self.config, max(*ends, 2 * len(self._cos)))
        where = torch.tensor([range(len(ends)), starts, counts])
        logits = torch.empty(len(ends) if last else x.shape[0], self.config.vocab)
        layer, row, head, position, _ = cache.keys.stride()
        call = CallStruct(
            len(ends), address(where[0]), address(where[1]), address(where[2]), address(x),
            address(cache.keys), address(cache.values), layer, row, head, position,
            address(self._cos), address(self._sin), int(last), address(logits), torch.get_num_threads(), fork(),
        )  # fmt: skip
        if self._kernels.got_run(ctypes.byref(self._model), ctypes.byref(call)):
            raise OutOfMemory("there is not enough memory for this step; read fewer pages together")
        cache.lengths.copy_(torch.tensor(ends))
        return logits


class _Layer:
    """Hold one layer's packed matrices."""

    def __init__(self, plain: DecoderLayer, arena: Arena) -> None:
        attn, mlp = plain.attn, plain.mlp
        three = (attn.q_proj, attn.k_proj, attn.v_proj)
        self._norms = plain.input_norm.weight.detach().float(), plain.post_norm.weight.detach().float()
        self._packed: list[Packed] = [
            pack([_weight(p) for p in three], [cast(Tensor, p.bias).detach() for p in three], arena),
            *(pack([_weight(p)], [], arena) for p in (attn.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj)),
        ]

    def struct(self) -> LayerStruct:
        """Describe the layer to the kernels."""
        return LayerStruct(*(address(norm) for norm in self._norms), *(packed.struct for packed in self._packed))


def _weight(module: torch.nn.Module) -> Weight:
    return module.quantised if isinstance(module, QuantMatrix) else cast(Tensor, module.weight)


def _check(cache: Cache, dtype: torch.dtype, starts: Sequence[int], counts: Sequence[int]) -> None:
    """Refuse what the kernels would write outside of. Raises InvalidValue."""
    keys, values = cache.keys, cache.values
    alike = keys.dtype == values.dtype == dtype and keys.stride() == values.stride() and keys.stride(-1) == 1
    if not alike or keys.shape != values.shape or keys.device.type != "cpu":
        raise InvalidValue(f"the cache is not one of {dtype} in the processor's memory")
    if not len(starts) == len(counts) == keys.shape[1] or min(counts) < 1:
        raise InvalidValue(f"the cache has {keys.shape[1]} rows; {len(counts)} were asked for")
    end = max(start + count for start, count in zip(starts, counts, strict=True))
    if end > cache.size:
        raise InvalidValue(f"the cache has {cache.size} positions; {end} were asked for")


def _tables(config: DecoderConfig, size: int) -> tuple[Tensor, Tensor]:
    """Make cosine and sine of positions: each (size, D/2)."""
    cos, sin = (part[0, 0] for part in rotary(config, torch.arange(size)[None]))
    half = cos.shape[1] // 2
    return cos[:, :half].contiguous(), sin[:, :half].contiguous()
