"""Random networks and pictures for the tests that hold the fast forms against the plain ones."""

import torch
from torch import Tensor

from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.got import GotModel

LINES = VisionConfig((32, 256), (32, 4), 24, 3, 3, 48, (1, 8), (1,), 12, ((1, 1), (1, 2)))
VISIONS = {
    "padded windows": VisionConfig((128, 128), (16, 16), 16, 3, 2, 24, (3, 3), (1,), 8),
    "whole windows": VisionConfig((64, 64), (8, 8), 24, 2, 3, 40, (4, 4), (0,), 8),
    "windows larger than the grid": VisionConfig((64, 64), (16, 16), 8, 2, 1, 8, (14, 14), (), 4),
    "flat windows": VisionConfig((64, 96), (8, 8), 16, 3, 4, 16, (5, 2), (2,), 6, ((2, 1), (1, 2))),
    "lines": LINES,
    "large grid": VisionConfig((512, 640), (16, 16), 32, 2, 2, 64, (14, 14), (1,), 16),
}
DECODERS = {
    "tiny": DecoderConfig(vocab=64, width=32, layers=2, heads=4, mlp=40, context=256),
    "odd": DecoderConfig(vocab=61, width=30, layers=3, heads=5, mlp=37, context=256, rope_theta=1e4),
    "one head": DecoderConfig(vocab=33, width=16, layers=1, heads=1, mlp=8, context=256),
    "bundled": DecoderConfig(vocab=1024, width=192, layers=4, heads=3, mlp=512, context=4096, rope_theta=1e4),
}


def network(vision: VisionConfig, decoder: DecoderConfig, seed: int, dtype: torch.dtype = torch.float32) -> GotModel:
    """Build a network whose every parameter is random, at a scale that keeps features near 1."""
    model = GotModel(GotConfig(vision, decoder, image_token=decoder.vocab - 1))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            if value.dim() > 1:
                fan = value[0].numel() if "rel_pos" not in name and "embed" not in name else 4
                value.copy_(noise * fan**-0.5)
            else:
                value.copy_(noise * 0.3 + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
    return model.to(dtype).eval()


def pixels(count: int, height: int, width: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw tiles of noise: (P, 3, V, U)."""
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(seed)).to(dtype)


def gap(got: Tensor, wanted: Tensor) -> float:
    """Measure the largest difference."""
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    return (got.float() - wanted.float()).abs().max().item()
