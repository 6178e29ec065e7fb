"""The PyTorch backend: the plain network on CPU, CUDA or MPS. Knows no prompt text and no picture file."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from got_ocr import pixels
from got_ocr.backends.base import NO_NUMBERS
from got_ocr.backends.slots import TorchSlots, choose
from got_ocr.errors import InvalidValue, NumericError
from got_ocr.model.fast.native_decoder import NativeDecoder
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.quant import SCHEMES
from got_ocr.model.quantise import quantise_model
from got_ocr.model.weights import load_model, open_checkpoint
from got_ocr.spec import ModelSpec

if TYPE_CHECKING:
    from got_ocr.backends.cuda import CudaBackend

TILES_AT_ONCE = 8  # tiles of one size that go through the encoder together; more only costs memory
FIRST_ROOM = 256  # ids that a new cache has room for; most answers are far shorter than they may be
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TorchBackend:
    """Run a `GotModel`. Create it with `open_backend`."""

    def __init__(self, model: GotModel) -> None:
        self.model = model.eval()
        scale, bias = (torch.from_numpy(v.copy()).view(3, 1, 1).to(model.device) for v in pixels.scale_bias())
        self._scale, self._bias = scale, bias

    @property
    def spec(self) -> ModelSpec:
        """Describe the model."""
        return self.model.config.spec

    @torch.inference_mode()
    def encode(self, tiles: Sequence[NDArray[np.uint8]]) -> list[Tensor]:
        """Turn tiles, uint8 (3, H, W) of any sizes, into image tokens, each (N, C)."""
        features: list[Tensor] = []
        for start in range(0, len(tiles), TILES_AT_ONCE):
            part = [torch.from_numpy(tile).to(self.model.device) for tile in tiles[start : start + TILES_AT_ONCE]]
            features += self.model.encode_many([tile * self._scale + self._bias for tile in part])
        return features

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Tensor]], room: int) -> "TorchRows":
        """Open rows; `room` counts the ids that may still be appended."""
        return TorchRows(self.model, prompts, [f for row in features for f in row], room)

    def slots(self, count: int) -> TorchSlots:
        """Make slots for requests that come and go."""
        return TorchSlots(self.model, count)


class TorchRows:
    """Some requests under way: prompts padded on the right, one cache that grows as the answers do."""

    def __init__(
        self, model: GotModel, prompts: Sequence[Sequence[int]], features: Sequence[Tensor], room: int
    ) -> None:
        self._model = model
        self._lengths = [len(p) for p in prompts]
        self._ids = torch.zeros(len(prompts), max(self._lengths), dtype=torch.long, device=model.device)
        for row, prompt in enumerate(prompts):
            self._ids[row, : len(prompt)] = torch.tensor(prompt)
        self._features = torch.cat(list(features)) if features else None
        self._reach = max(self._lengths)
        self._most = self._reach + room
        self._cache = model.new_cache(len(prompts), self._reach + min(room, FIRST_ROOM))

    @torch.inference_mode()
    def prefill(self) -> "TorchScores":
        """Read the prompts."""
        lengths = torch.tensor(self._lengths, device=self._model.device)
        return TorchScores(self._model.prefill(self._ids, lengths, self._features, self._cache))

    @torch.inference_mode()
    def step(self, ids: Sequence[int]) -> "TorchScores":
        """Append one id to each row."""
        self._reach += 1
        if self._reach > self._cache.size:
            self._grow()
        return TorchScores(self._model.step(torch.tensor(ids, device=self._model.device), self._cache, self._reach))

    @property
    def exact(self) -> bool:
        """Say whether `extend` scores as `step` does: to the bit on the compiled kernels, up to float32's last digits elsewhere."""
        model = self._model
        return isinstance(model.decoder, NativeDecoder) or (model.device.type == "cpu" and model.dtype == torch.float32)

    @torch.inference_mode()
    def extend(self, ids: Sequence[Sequence[int]]) -> "list[TorchScores]":
        """Append equally many ids to each row; give the scores after each."""
        self._reach += len(ids[0])
        while self._reach > self._cache.size:
            self._grow()
        chosen = torch.tensor([list(row) for row in ids], device=self._model.device)
        scores = self._model.extend(chosen, self._cache, self._reach)  # (B, T, W)
        return [TorchScores(one) for one in scores.unbind(1)]

    @torch.inference_mode()
    def forget(self, counts: Sequence[int]) -> None:
        """Take back the last ids of each row. What they left is cleared: hidden positions weigh nothing, but NaN would show."""
        cache, filled = self._cache, self._cache.lengths.tolist()
        kept = [length - count for length, count in zip(filled, counts, strict=True)]
        for row, length in enumerate(kept):
            cache.keys[:, row, :, length : filled[row]] = 0
            cache.values[:, row, :, length : filled[row]] = 0
        cache.lengths.copy_(torch.tensor(kept))
        self._reach = max(kept)

    def _grow(self) -> None:
        """Move to a cache of twice the size, at most what was asked for."""
        old = self._cache
        new = self._model.new_cache(old.keys.shape[1], min(2 * old.size, self._most))
        new.keys[:, :, :, : old.size] = old.keys
        new.values[:, :, :, : old.size] = old.values
        new.lengths.copy_(old.lengths)
        self._cache = new


class TorchScores:
    """The scores of the next id: (B, W)."""

    def __init__(self, logits: Tensor) -> None:
        self._logits = logits

    @torch.inference_mode()
    def best(self, banned: Sequence[Collection[int]]) -> list[int]:
        """Choose each row's best id outside its banned ones. Raises NumericError for scores that are no numbers."""
        best = [token for token in choose(self._logits, banned) if token is not None]
        if len(best) < len(banned):
            raise NumericError(NO_NUMBERS)
        return best


def open_backend(folder: Path, device: str = "auto", dtype: str = "auto") -> "TorchBackend | CudaBackend":
    """Load a model folder onto a device. Raises ModelError classes, and InvalidValue for an unknown device or dtype."""
    where = pick_device(device)
    scheme, here = dtype if dtype in SCHEMES else "", where == "cpu"
    if scheme or (dtype == "auto" and open_checkpoint(folder).config.decoder.quantization):
        dtype = "bfloat16" if here else "auto"  # of what is not quantised
    kind = pick_dtype(dtype, where)
    # Here the fast form converts matrix by matrix what lies in the file, so that memory holds the weights once.
    model = load_model(folder, dtype=None if here else kind, device=where, stored=here)
    if scheme:
        quantise_model(model, scheme)
    fast = fast_model(model, dtype=kind, spend=True)
    if isinstance(fast, GpuGot):
        from got_ocr.backends.cuda import CudaBackend  # which builds on this file

        return CudaBackend(fast)
    return TorchBackend(fast)


def pick_device(name: str = "auto") -> str:
    """Choose where to compute: cuda, then mps, then cpu under `auto`. Raises InvalidValue for one that is absent."""
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if present[device])
    match = re.fullmatch(r"(cpu|mps|cuda)(?::([0-9]{1,2}))?", name)
    if match is None or (match[2] and match[1] != "cuda"):
        raise InvalidValue(f"device is one of auto, cpu, cuda, cuda:1 and so on, mps; not {name[:40]!r}")
    if not present[match[1]] or int(match[2] or 0) >= max(1, torch.cuda.device_count()):
        raise InvalidValue(f"device {name} is not available here; use auto or cpu")
    return name


def pick_dtype(name: str, device: str) -> torch.dtype:
    """Choose the number format: under `auto` float32 on the CPU, bfloat16 where a GPU has it, else float16."""
    if name == "auto":
        if device.startswith("cuda"):
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.float32 if device == "cpu" else torch.float16
    if name not in DTYPES:
        raise InvalidValue(f"dtype is one of auto, {', '.join((*DTYPES, *SCHEMES))}; not {name[:40]!r}")
    return DTYPES[name]
