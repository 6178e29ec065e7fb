"""The whole network in its GPU form. Everything else asks `model.fast.pick.fast_model` for it."""

from typing import cast

import torch
from torch import nn

from got_ocr.model.decoder import Decoder
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.decoder import GpuCache, GpuDecoder
from got_ocr.model.gpu.ops import Ops
from got_ocr.model.gpu.vision import GpuVision
from got_ocr.model.vision import VisionEncoder


class GpuGot(GotModel):
    """Read tiles as `GotModel` does: `encode`, `prefill`, `step`, `extend`. Inference only; any device, meant for CUDA.

    ops: the kernels, see `choose`. compiled: see `GpuVision`. Holds its own layout of some weights; the rest are the plain
    network's, which can be let go of.
    """

    def __init__(self, plain: GotModel, ops: Ops, *, compiled: bool = False) -> None:
        # Not GotModel's own: that would build every layer a second time.
        nn.Module.__init__(self)
        self.config = plain.config
        self.connector = plain.connector
        self.steps = GpuDecoder(plain.decoder, ops)
        # The twins are no modules, since nothing here trains or is saved; they answer the calls that GotModel makes.
        self.vision = cast(VisionEncoder, GpuVision(plain.vision, ops, compiled=compiled))
        self.decoder = cast(Decoder, self.steps)

    def new_cache(self, rows: int, size: int, dtype: torch.dtype | None = None) -> GpuCache:
        """Allocate an empty cache of `rows` x `size` positions beside the weights. dtype: the weights' or float8_e4m3fn."""
        return GpuCache(self.config.decoder, rows, size, self.device, dtype or self.dtype)
