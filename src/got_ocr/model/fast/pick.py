"""Where the fast form of a network is built. Everything else asks here and keeps the plain signatures."""

from typing import cast

import torch
from torch import nn

from got_ocr.model.decoder import Decoder
from got_ocr.model.fast.decoder import FastDecoder
from got_ocr.model.fast.native_decoder import NativeDecoder, can_run
from got_ocr.model.fast.native_vision import NativeVision, can_see
from got_ocr.model.fast.spend import convert, shared
from got_ocr.model.fast.vision import FastVision
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.choose import choose
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.quant import set_dtype
from got_ocr.model.quantise import dense_model
from got_ocr.model.vision import VisionEncoder

PACKABLE = (torch.float32, torch.bfloat16)


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
        self.vision = cast(VisionEncoder, _vision(plain.vision, packed))
        self.decoder = cast(Decoder, _decoder(plain.decoder, packed))


def _vision(plain: VisionEncoder, packed: bool | None) -> FastVision:
    if packed is None and can_see(plain.config):
        return NativeVision(plain)
    return FastVision(plain, packed=packed)


def _decoder(plain: Decoder, packed: bool | None) -> NativeDecoder | FastDecoder:
    if packed is None and can_run(plain.config):
        return NativeDecoder(plain, plain.norm.weight.dtype)
    return FastDecoder(plain, packed=packed)


def fast_model(
    model: GotModel, *, packed: bool | None = None, dtype: torch.dtype | None = None, spend: bool = False
) -> GotModel:
    """Build the fast form of a network: `GpuGot` on CUDA, `FastGot` on the CPU, the network itself elsewhere and in float16 there.

    packed: None takes what is best here; True and False insist on PyTorch (see `got_ocr.model.fast.linear.pack`). dtype: of the
    fast form, if not the network's own. spend: use the network's numbers up, so that never two forms of it are whole at one time.
    """
    if model.device.type == "cuda":
        dense_model(model)
        with torch.no_grad():
            return GpuGot(model, choose(model.config, model.device, model.dtype).ops).eval()
    dtype = dtype or model.dtype
    if model.device.type != "cpu" or dtype not in PACKABLE:
        return model.to(dtype)
    with torch.no_grad():
        plain = model if spend else shared(model)
        convert((value for name, value in plain.named_parameters() if ".layers." not in name), dtype)
        set_dtype(plain, dtype)
        return FastGot(plain, packed=packed).eval()
