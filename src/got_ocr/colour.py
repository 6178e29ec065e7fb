"""Any Pillow mode to RGB, by one definition per mode. Knows no file and no metadata but transparency.

    alpha (RGBA, LA, PA, P or grey or RGB with a transparent colour)   laid over white
    16-bit grey                                                        the high eight bits, turned round where 0 is white
    32-bit integers and floats                                         the nominal range that holds them, else their own
    CMYK, YCbCr, HSV, 1, L, P                                          Pillow's conversion
    Lab                                                                D50 Lab to sRGB

Works in bands of rows where numpy is needed, so that a large picture costs no second copy in a wide type.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND_ROWS = 256

Band = NDArray[Any]


def to_rgb(image: Image.Image, *, depth: int = 16, white_is_zero: bool = False) -> Image.Image:
    """Convert a loaded picture to a fresh RGB one without metadata.

    depth: significant bits of a 16-bit grey picture (12 for packed twelve-bit samples). white_is_zero: its values, or those of
    32 bits, stand for ink and not for light (Pillow turns those of other pictures round by itself).
    Raises ValueError for a mode without a definition.
    """
    if image.mode.startswith("I;16"):
        transparent = image.info.get("transparency")
        rgb = _by_bands(image, lambda band: _high_bits(np.asarray(band), depth - 8, transparent, white_is_zero))
    elif image.mode in ("I", "F"):
        low, high = _range(image)
        black, white = (high, low) if white_is_zero else (low, high)
        rgb = _by_bands(image, lambda band: _scaled(np.asarray(band), black, white))
    elif image.has_transparency_data:
        rgb = _by_bands(image, _over_white)
    else:
        rgb = image.convert("RGB")
    rgb.info.clear()
    return rgb


def to_rgb_plainly(image: Image.Image) -> Image.Image:
    """Convert as existing ports do: alpha dropped, 16-bit values clipped."""
    transparency = image.info.pop("transparency", None)  # dropped either way, but with a warning while it is there
    try:
        rgb = image.convert("RGB")
    finally:
        if transparency is not None:
            image.info["transparency"] = transparency
    rgb.info.clear()
    return rgb


def _over_white(band: Image.Image) -> Image.Image:
    seen = band.convert("RGBA")
    paper = Image.new("RGB", band.size, "white")
    paper.paste(seen, mask=seen.getchannel("A"))
    return paper


def _high_bits(band: Band, shift: int, transparent: object, white_is_zero: bool) -> Image.Image:
    grey = (band >> shift).clip(0, 255).astype(np.uint8)
    if white_is_zero:
        grey = 255 - grey
    if isinstance(transparent, int):
        grey[band == transparent] = 255
    return Image.fromarray(grey)


def _scaled(band: Band, black: float, white: float) -> Image.Image:
    low, high = min(black, white), max(black, white)
    values = np.nan_to_num(band.astype(np.float64), nan=white, posinf=high, neginf=low)
    return Image.fromarray(np.rint((values - black) * (255 / (white - black))).clip(0, 255).astype(np.uint8))


def _range(image: Image.Image) -> tuple[float, float]:
    """Give what stands for black and white: the least nominal range that holds all values, else the values' own."""
    low, high = _extremes(image)
    nominal = (1, 255, 65535) if image.mode == "F" else (255, 65535)
    fitting = [white for white in nominal if low >= 0 and high <= white]
    return (0.0, float(fitting[0])) if fitting else (low, max(high, math.nextafter(low, math.inf)))


def _extremes(image: Image.Image) -> tuple[float, float]:
    low, high = math.inf, -math.inf
    for _, band in _bands(image):
        values = np.asarray(band)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def _by_bands(image: Image.Image, rule: Callable[[Image.Image], Image.Image]) -> Image.Image:
    rgb = Image.new("RGB", image.size)
    for top, band in _bands(image):
        rgb.paste(rule(band), (0, top))
    return rgb


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    width, height = image.size
    for top in range(0, height, BAND_ROWS):
        yield top, image.crop((0, top, width, min(top + BAND_ROWS, height)))
