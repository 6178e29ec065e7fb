"""Tiles to arrays: the numbers a vision encoder sees.

Holds the CLIP mean and standard deviation, and nothing else in the package may. Knows no file, tiling or model.

    H height, W width of a tile
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def normalise(tile: Image.Image) -> NDArray[np.float32]:
    """Turn an RGB tile into float32 (3, H, W): value / 255, minus the mean, over the standard deviation.

    Source: the model's published preprocessing (CLIP constants).
    """
    scale, bias = scale_bias()
    rows = np.asarray(tile)  # (H, W, 3)
    planes = np.empty((3, *rows.shape[:2]), dtype=np.float32)
    for channel in range(3):
        np.multiply(rows[..., channel], scale[channel], out=planes[channel])
        planes[channel] += bias[channel]
    return planes


def raw(tile: Image.Image) -> NDArray[np.uint8]:
    """Turn an RGB tile into uint8 (3, H, W), for a backend that folds `scale_bias` into its first layer.

    `raw(tile) * scale + bias` equals `normalise(tile)`; the array is a quarter of its size.
    """
    return np.ascontiguousarray(np.asarray(tile).transpose(2, 0, 1))


@lru_cache(maxsize=1)
def scale_bias() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the per-channel factor and summand, float32 (3,) each, read-only, that turn bytes into normalised values."""
    mean, std = np.asarray(MEAN), np.asarray(STD)
    scale, bias = (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)
    scale.setflags(write=False)
    bias.setflags(write=False)
    return scale, bias
