"""Any Pillow mode to RGB, by one definition per mode. Knows no file and no metadata but transparency.

    alpha (RGBA, LA, PA, P or grey or RGB with a transparent colour)   laid over white
    16-bit grey                                                        the high eight bits
    32-bit integers and floats                                         the nominal range that holds them, else their own
    CMYK, YCbCr, HSV, 1, L, P                                          Pillow's conversion
    Lab                                                                D50 Lab to sRGB

Works in bands of rows where numpy is needed, so that a large picture costs no second copy in a wide type.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND_ROWS = 256

Band = NDArray[Any]


def to_rgb(image: Image.Image, *, depth: int = 16) -> Image.Image:
    """Convert a loaded picture to a fresh RGB one without metadata.

    depth: significant bits of a 16-bit grey picture (12 for packed twelve-bit samples).
    Raises ValueError for a mode without a definition.
    """
    if image.mode.startswith("I;16"):
        grey = _by_bands(image, lambda band: (band >> (depth - 8)).clip(0, 255))
        rgb = _with_transparent_grey(image, grey)
    elif image.mode in ("I", "F"):
        rgb = _scaled(image).convert("RGB")
    elif image.mode == "LAB":
        rgb = _from_lab(image)
    elif image.has_transparency_data:
        rgb = _over_white(image.convert("RGBA"))
    else:
        rgb = image.convert("RGB")
    rgb.info.clear()
    return rgb


def to_rgb_plainly(image: Image.Image) -> Image.Image:
    """Convert as existing ports do: alpha dropped, 16-bit values clipped, Lab refused (ValueError)."""
    transparency = image.info.pop("transparency", None)  # dropped either way, but with a warning while it is there
    try:
        rgb = image.convert("RGB")
    finally:
        if transparency is not None:
            image.info["transparency"] = transparency
    rgb.info.clear()
    return rgb


def _over_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def _with_transparent_grey(image: Image.Image, grey: Image.Image) -> Image.Image:
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        mask = _by_bands(image, lambda band: np.where(band == transparent, 255, 0))
        grey.paste(255, mask=mask)
    return grey.convert("RGB")


def _scaled(image: Image.Image) -> Image.Image:
    low, high = _range(image)
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    factor = 255 / max(high - low, 1e-30)

    def scale(band: Band) -> Band:
        values = np.nan_to_num(band.astype(np.float64), nan=high, posinf=high, neginf=low)
        return np.rint((values - low) * factor).clip(0, 255)

    return _by_bands(image, scale)


def _range(image: Image.Image) -> tuple[float, float]:
    lows, highs = [], []
    for _, band in _bands(image):
        finite = band[np.isfinite(band)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    return (min(lows), max(highs)) if lows else (0.0, 255.0)


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB"))
    if converted is None:
        raise ValueError("no Lab conversion")
    return converted


def _by_bands(image: Image.Image, rule: Callable[[Band], Band]) -> Image.Image:
    grey = Image.new("L", image.size)
    for top, band in _bands(image):
        grey.paste(Image.fromarray(rule(band).astype(np.uint8)), (0, top))
    return grey


def _bands(image: Image.Image) -> Iterator[tuple[int, Band]]:
    width, height = image.size
    for top in range(0, height, BAND_ROWS):
        yield top, np.asarray(image.crop((0, top, width, min(top + BAND_ROWS, height))))
