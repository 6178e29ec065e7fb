"""Picture -> what every step of reading a chart looks at: how far pixels are from the paper, how much of them is ink. Knows no chart."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from got_ocr.lines import Ink

Pixels = NDArray[np.uint8]  # (height, width, 3)

GROUND = 28  # levels of a channel within which a pixel is paper, or a panel tinted lightly
PALE = 0.3  # of the ink's contrast: what is paler is the grid
DARK = 330  # of 765: the sum of the channels of paper that is darker than its ink
COLOURED = 36  # levels by which the channels of a colour differ more than those of ink
LEAST_CONTRAST = 60  # levels between paper and ink
LEAST_SIDE = 180  # pixels: smaller pictures have no room for a chart with its words
LEAST_PAPER = 0.3  # of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A picture of something on even paper.

    pixels: RGB. paper: its colour. far: largest difference from the paper of any channel. dark: how dark a pixel is in every channel
    (light on dark paper), 255 for full ink, 0 for paper. ink: the same without what is coloured.
    """

    pixels: Pixels
    paper: tuple[int, int, int]
    far: NDArray[np.uint8]
    dark: Ink
    ink: Ink

    @property
    def size(self) -> tuple[int, int]:
        """Give (width, height)."""
        return self.far.shape[1], self.far.shape[0]


def look(picture: Image.Image) -> Seen | None:
    """Look at an RGB picture; None where it has no even paper or nothing is drawn on it."""
    pixels: Pixels = np.asarray(picture.convert("RGB"))
    if min(pixels.shape[:2]) < LEAST_SIDE:
        return None
    paper = _paper(pixels)
    # Channel by channel, which is far quicker than along the last axis.
    away = [channel.astype(np.int16) - level for channel, level in zip(cv2.split(pixels), paper, strict=True)]
    most, least = (
        np.asarray(cv2.max(cv2.max(away[0], away[1]), away[2])),
        np.asarray(cv2.min(cv2.min(away[0], away[1]), away[2])),
    )
    far = np.asarray(cv2.max(most, -least)).astype(np.uint8)
    if (far[::4, ::4] < GROUND).mean() < LEAST_PAPER:
        return None
    level = np.maximum(least if sum(paper) < DARK else -most, 0)
    inked = level[level > LEAST_CONTRAST]
    if inked.size < 60:
        return None
    full = float(np.percentile(inked[:: max(1, inked.size // 20000)], 95))
    dark: Ink = cv2.convertScaleAbs(level, alpha=255.0 / full)
    coloured = cv2.dilate((most - least > COLOURED).astype(np.uint8), np.ones((3, 3), np.uint8))
    return Seen(pixels, paper, far, dark, np.where(coloured > 0, 0, dark).astype(np.uint8))


def _paper(pixels: Pixels) -> tuple[int, int, int]:
    """Take the commonest colour along the edge."""
    rim = np.concatenate(
        [
            pixels[:3].reshape(-1, 3),
            pixels[-3:].reshape(-1, 3),
            pixels[:, :3].reshape(-1, 3),
            pixels[:, -3:].reshape(-1, 3),
        ]
    )
    keys = keys_of(rim[None])[0]
    common = np.bincount(keys).argmax()
    red, green, blue = np.median(rim[keys == common], axis=0)
    return int(red), int(green), int(blue)


def keys_of(pixels: Pixels) -> NDArray[np.int32]:
    """Number colours coarsely: 16 levels a channel."""
    red, green, blue = (channel.astype(np.int32) >> 4 for channel in cv2.split(pixels))
    return np.asarray((red << 8) | (green << 4) | blue, np.int32)


def widest(pixels: Pixels) -> NDArray[np.uint8]:
    """Give the largest of a pixel's three channels."""
    red, green, blue = cv2.split(pixels)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def open_by(mask: NDArray[np.uint8], wide: int, tall: int) -> NDArray[np.uint8]:
    """Keep what a box of this size fits into."""
    kernel = np.ones((max(1, tall), max(1, wide)), np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8)
