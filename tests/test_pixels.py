"""Tiles to arrays, against the definition written out."""

import numpy as np
import pytest
from PIL import Image

from got_ocr import pixels


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(5)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_normalise_is_the_definition_of_clip() -> None:
    tile = noise(48, 16)
    planes = pixels.normalise(tile)
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    expected = (np.asarray(tile).astype(np.float64) / 255 - mean) / std
    assert planes.dtype == np.float32
    assert planes.shape == (3, 16, 48)
    assert planes.flags.c_contiguous
    assert np.abs(planes - expected.transpose(2, 0, 1)).max() <= 1e-6


def test_raw_bytes_and_constants_give_the_same() -> None:
    tile = noise(40, 24)
    scale, bias = pixels.scale_bias()
    planes = pixels.raw(tile)
    assert planes.dtype == np.uint8
    assert planes.shape == (3, 24, 40)
    assert planes.flags.c_contiguous
    folded = planes * scale[:, None, None] + bias[:, None, None]
    assert np.array_equal(folded, pixels.normalise(tile))


def test_constants_cannot_be_changed_by_a_caller() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pixels.scale_bias()[0][0] = 1
