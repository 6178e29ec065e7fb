"""Paper, ink colours and how they are mixed; contrast is always readable. Knows no font, text or degradation.

Pixels are (H, W, 3) RGB uint8.
"""

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Cover = npt.NDArray[np.uint8]
    Tone = npt.NDArray[np.float32]

Color = tuple[int, int, int]
_BAND = 1 << 15  # pixels


def luminance(color: Color) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1 (WCAG 2)."""
    parts = [value / 255 for value in color]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: Color, second: Color) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def colors(rng: "np.random.Generator", least: float = 4.5) -> tuple[Color, Color]:
    """Draw (paper, ink) with a contrast of `least` or more: mostly dark on light, one in ten light on dark."""
    paper, dark = _paper(rng)
    for _ in range(6):
        ink = _ink(rng, dark)
        if contrast(paper, ink) >= least:
            return paper, ink
    return paper, (250, 250, 250) if dark else (0, 0, 0)


def _paper(rng: "np.random.Generator") -> tuple[Color, bool]:
    point = rng.random()
    if point < 0.35:
        return (255, 255, 255), False
    if point < 0.65:
        return _around(rng, int(rng.integers(225, 252)), 6), False
    if point < 0.9:
        return _around(rng, int(rng.integers(190, 235)), 28), False
    return _around(rng, int(rng.integers(10, 60)), 30), True


def _ink(rng: "np.random.Generator", on_dark: bool) -> Color:
    if on_dark:
        return _around(rng, int(rng.integers(200, 250)), 40)
    point = rng.random()
    if point < 0.4:
        return (0, 0, 0)
    return _around(rng, int(rng.integers(10, 70)), 8 if point < 0.75 else 70)


def _around(rng: "np.random.Generator", level: int, spread: int) -> Color:
    red, green, blue = (int(value) for value in rng.integers(-spread, spread + 1, size=3))
    return min(255, max(0, level + red)), min(255, max(0, level + green)), min(255, max(0, level + blue))


def sheet(rng: "np.random.Generator", width: int, height: int, color: Color) -> "Pixels":
    """Make a sheet (height, width, 3): plain, shaded or grained, never more than about 14 levels from its colour."""
    tone = _tone(rng, width, height)
    return _plain(width, height, color) if tone is None else _toned(tone, color)


def printed(rng: "np.random.Generator", ink: "Cover", paper: Color, color: Color) -> "Pixels":
    """Make a sheet and lay ink of one colour on it: as `sheet` and `paint` after each other, in half the time."""
    import cv2
    import numpy as np

    height, width = ink.shape
    tone = _tone(rng, width, height)
    if tone is not None:
        toned = _toned(tone, paper)
        return _lay(toned, ink, color, toned)
    # On plain paper all that a pixel can become are 256 mixtures.
    every = np.arange(256, dtype=np.uint8)[None]
    mixtures = paint(_plain(256, 1, paper), every, color)
    pixels: Pixels = np.empty((height, width, 3), dtype=np.uint8)
    for rows in bands(height, width):
        cv2.LUT(cv2.cvtColor(ink[rows], cv2.COLOR_GRAY2RGB), mixtures, dst=pixels[rows])
    return pixels


def bands(height: int, width: int) -> list[slice]:
    """Cut a picture's rows into bands that stay in a processor's cache through several steps: less than half the time."""
    step = max(1, _BAND // max(1, width))
    return [slice(top, min(height, top + step)) for top in range(0, height, step)]


def _plain(width: int, height: int, color: Color) -> "Pixels":
    import numpy as np

    plain: Pixels = np.empty((height, width, 3), dtype=np.uint8)
    plain[0] = color
    plain[1:] = plain[0]  # row by row: far faster than three values a pixel
    return plain


def _tone(rng: "np.random.Generator", width: int, height: int) -> "Tone | None":
    """Draw what a sheet adds to its colour; None for a plain one."""
    import numpy as np

    point = rng.random()
    if point < 0.5:
        return None
    if point < 0.75:
        slopes = rng.uniform(-9, 9, size=2).astype(np.float32)
        across, down = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
        tone: Tone = slopes[0] * across + slopes[1] * down[:, None]
        return tone
    return grain(rng, width, height, float(rng.uniform(1, 6)), int(rng.integers(1, 24)))


def _toned(tone: "Tone", color: Color) -> "Pixels":
    import cv2
    import numpy as np

    height, width = tone.shape
    pixels: Pixels = np.empty((height, width, 3), dtype=np.uint8)
    for rows in bands(height, width):
        planes = {value: cv2.add(tone[rows], float(value), dtype=cv2.CV_8U) for value in set(color)}
        cv2.merge([planes[value] for value in color], dst=pixels[rows])
    return pixels


def grain(rng: "np.random.Generator", width: int, height: int, amount: float, grade: int) -> "Tone":
    """Cut (height, width) of smooth noise: standard deviation `amount`, blobs about `grade` pixels wide."""
    import cv2
    import numpy as np

    rows, columns = -(-height // grade) + 1, -(-width // grade) + 1
    tone: Tone = noise(rng, columns, rows) * np.float32(amount)
    if grade > 1:
        tone = cv2.resize(tone, (columns * grade, rows * grade), interpolation=cv2.INTER_LINEAR)
    cut: Tone = np.ascontiguousarray(tone[:height, :width])
    return cut


def noise(rng: "np.random.Generator", width: int, height: int) -> "Tone":
    """Cut (height, width) of unit noise from a fixed tile at a random place: far cheaper than drawing it anew."""
    return noise_at(place(rng), slice(0, height), width)


def place(rng: "np.random.Generator") -> tuple[int, int]:
    """Draw a place on the tile of noise: its top and left."""
    top, left = (int(value) for value in rng.integers(_tile().shape[0], size=2))
    return top, left


def noise_at(corner: tuple[int, int], rows: slice, width: int) -> "Tone":
    """Cut rows of the noise whose first row and column lie at a place of the tile; beyond its edges it begins again."""
    import numpy as np

    tile = _tile()
    side = tile.shape[0]
    top, left = (corner[0] + rows.start) % side, corner[1]
    height = rows.stop - rows.start
    if top + height <= side and left + width <= side:
        cut: Tone = tile[top : top + height, left : left + width]
        return cut
    # Whole blocks are copied several times faster than picked rows and columns.
    wrapped: Tone = np.empty((height, width), dtype=np.float32)
    for y, y_tile, tall in _runs(top, height, side):
        for x, x_tile, wide in _runs(left, width, side):
            wrapped[y : y + tall, x : x + wide] = tile[y_tile : y_tile + tall, x_tile : x_tile + wide]
    return wrapped


def _runs(start: int, length: int, side: int) -> list[tuple[int, int, int]]:
    """Cut `length` wherever a tile of `side` ends: (offset, place on the tile, length) of each run."""
    cuts = [start, *range(start - start % side + side, start + length, side), start + length]
    return [(first - start, first % side, last - first) for first, last in itertools.pairwise(cuts)]


@lru_cache(maxsize=1)
def _tile() -> "Tone":
    import numpy as np

    return np.random.Generator(np.random.Philox(7)).standard_normal((1531, 1531), dtype=np.float32)


def paint(sheet: "Pixels", ink: "Cover", color: Color) -> "Pixels":
    """Lay ink of one colour on a sheet of the same size."""
    import numpy as np

    return _lay(sheet, ink, color, np.empty(sheet.shape, dtype=np.uint8))


def _lay(sheet: "Pixels", ink: "Cover", color: Color, target: "Pixels") -> "Pixels":
    """Mix into `target`, which may be the sheet itself."""
    import cv2
    import numpy as np

    laid = (np.arange(256)[:, None] * np.asarray(color) / 255).round().astype(np.uint8)[None]
    for rows in bands(*ink.shape):
        if not ink[rows].any():
            target[rows] = sheet[rows]
            continue
        cover = cv2.cvtColor(ink[rows], cv2.COLOR_GRAY2RGB)
        cv2.multiply(sheet[rows], cv2.bitwise_not(cover), dst=target[rows], scale=1 / 255)
        if color != (0, 0, 0):
            cv2.add(target[rows], cv2.LUT(cover, laid), dst=target[rows])
    return target
