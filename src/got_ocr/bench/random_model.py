"""Checkpoints of random weights, for measuring where no trained ones are needed."""

import math
from pathlib import Path

import torch

from got_ocr.errors import InvalidValue
from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.got import GotModel
from got_ocr.model.layouts import LayoutName
from got_ocr.model.weights import save_model

SIZES = {
    "580m": GotConfig(),
    "tiny": GotConfig(
        VisionConfig((128, 128), (16, 16), 16, 3, 2, 24, (3, 3), (1,), 8),
        DecoderConfig(vocab=64, width=32, layers=2, heads=4, mlp=40, context=512),
        image_token=63,
    ),
}


def write_random(folder: Path, size: str, dtype: torch.dtype, seed: int = 1, layout: LayoutName = "native") -> None:
    """Write a checkpoint whose every tensor is random. Raises InvalidValue for an unknown size."""
    save_model(random_network(size, dtype, torch.device("cpu"), seed), folder, layout)


def random_network(size: str, dtype: torch.dtype, device: torch.device, seed: int = 1) -> GotModel:
    """Build a network whose every tensor is random. Raises InvalidValue for an unknown size."""
    if size not in SIZES:
        raise InvalidValue(f"size is one of {', '.join(SIZES)}; not {size[:40]!r}")
    with torch.device("meta"):
        model = GotModel(SIZES[size])
    model = model.to(dtype).to_empty(device=device)
    generator = torch.Generator(device).manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1:
                value.normal_(
                    0, 0.5 / math.sqrt(value[0].numel()) if "embed" not in name else 0.02, generator=generator
                )
            else:
                value.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return model.eval()
