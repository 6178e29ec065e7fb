"""A tiny random model in each layout."""

from pathlib import Path

import pytest
import torch

from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.got import GotModel
from got_ocr.model.weights import save_model

TINY = GotConfig(
    vision=VisionConfig((128, 128), (16, 16), 16, 3, 2, 24, (3, 3), (1,), 8),
    decoder=DecoderConfig(vocab=64, width=32, layers=2, heads=4, mlp=40, context=256),
    image_token=63,
)


@pytest.fixture
def tiny() -> GotModel:
    """Build the network with every parameter random."""
    model = GotModel(TINY)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.3)
    return model.eval()


@pytest.fixture
def original(tiny: GotModel, tmp_path: Path) -> Path:
    """Save it as the original's folder."""
    save_model(tiny, tmp_path / "original", "original")
    return tmp_path / "original"
