"""Where the fast form of a network is built. Everything else asks here and keeps the plain signatures."""

from typing import cast

import torch
from torch import nn

from got_ocr.model.decoder import Decoder
from got_ocr.model.fast.decoder import FastDecoder
from got_ocr.model.fast.vision import FastVision
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.choose import choose
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.vision import VisionEncoder


class FastGot(GotModel):
    """Read tiles as `GotModel` does: `encode`, `prefill`, `step`. Inference on the CPU only; create with `fast_model`.

    Holds its own layout of the weights, except for the embedding and the connector.
    """

    def __init__(self, plain: GotModel, *, packed: bool | None = None) -> None:
        # Not GotModel's own: that would build every layer a second time.
        nn.Module.__init__(self)
        self.config = plain.config
        self.connector = plain.connector
        # The twins are no modules, since nothing here trains or is saved; they answer the calls that GotModel makes.
        self.vision = cast(VisionEncoder, FastVision(plain.vision, packed=packed))
        self.decoder = cast(Decoder, FastDecoder(plain.decoder, packed=packed))


def fast_model(model: GotModel, *, packed: bool | None = None) -> GotModel:
    """Build the fast form of a network: `GpuGot` on CUDA, `FastGot` on the CPU, the network itself elsewhere and in float16 there.

    The plain network can be let go of afterwards. packed: see `got_ocr.model.fast.linear.pack`.
    """
    if model.device.type == "cuda":
        with torch.no_grad():
            return GpuGot(model, choose(model.config, model.device, model.dtype).ops).eval()
    if model.device.type != "cpu" or model.dtype not in (torch.float32, torch.bfloat16):
        return model
    with torch.no_grad():
        return FastGot(model, packed=packed).eval()
