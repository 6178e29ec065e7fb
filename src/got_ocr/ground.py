"""A picture of one text on any ground -> its ink, by colour: signs, labels and captions. Knows no row, strip, model or file.

The colours that a text leaves free, those along the picture's edge, are its ground, whatever pattern they form. What differs from all
of them is ink. Letters with an outline or a shadow are told from it by where it lies: between them and the ground. A card or
a frame around the text is cut off first, so that its own colour meets the edge.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from got_ocr.shrink import shrunk

Ink = NDArray[np.uint8]  # (height, width), 0 ground .. 255 ink
Colours = NDArray[np.float32]  # (..., 3), RGB, 0..255
Box = tuple[int, int, int, int]  # left, top, right, bottom

SIDE = 128  # pixels of height that a text is looked at with, four times a strip's
LEAST = (10, 6)  # height and width of a picture in which text can be told from ground
CONTRAST = 44  # least distance between colours of text and ground; below, patterns and noise are as strong
EDGE_STEP, EDGE_SPREAD = 20, 24  # a card's edge: least change across it, most variation along its inner side
REACH = 3  # pixels over which a soft edge changes
RIM = 0.05  # of the height: what along the edge is ground
RARE = 0.005  # share of the rim below which a colour is chance
INNER = 4  # a colour this many times as frequent inside as along the rim belongs to letters that touch the edge
MOST_COLOURS = 16
SAMPLE = 2000  # of the drawn pixels by which an outline is looked for
OUTLINED = 0.04  # least share of the drawn that a second colour has
RAMP = (0.1, 0.8)  # of the text's distance from the ground: where ink begins, and over how much it grows to full
MATTE = (0.1, 0.7)  # the same between text and outline


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Some of what differs from the ground: colours (N, 3), their distance from it (N), how much ground lies around each (N)."""

    colours: Colours
    away: NDArray[np.float32]
    around: NDArray[np.float32]


def ink_on_ground(picture: Image.Image) -> tuple[Ink, float] | None:
    """Measure how far each pixel of an RGB picture is from its ground, and how many times smaller the answer is than the picture.

    None where no colour stands out from those along the edge.
    """
    picture, shrink = shrunk(picture, picture.height, SIDE)
    soft = picture.filter(ImageFilter.GaussianBlur(max(0.6, picture.height / 110)))
    pixels: Colours = np.asarray(soft, dtype=np.float32)
    left, top, right, bottom = _card(pixels)
    found = _ink(pixels[top:bottom, left:right])
    if found is None:
        return None
    ink = np.zeros(pixels.shape[:2], dtype=np.uint8)
    ink[top:bottom, left:right] = np.clip(found * 255, 0, 255)
    return ink, shrink


def _ink(pixels: Colours) -> NDArray[np.float32] | None:
    """Measure the ink of a card: (H, W), 0 and less on the ground, 1 and more in letters."""
    height, width = pixels.shape[:2]
    if height < LEAST[0] or width < LEAST[1]:
        return None
    ground = _ground(pixels)
    if not len(ground):
        return None
    away = _distance(pixels, ground)
    far = float(np.percentile(away, 97))
    if far < CONTRAST:
        return None
    pair = _letters_and_outline(_drawn(pixels, away, far), ground, far)
    if pair is None:
        return (away / far - RAMP[0]) / RAMP[1]
    letters, outline = pair
    other = np.minimum(away, _distance(pixels, outline[None]))
    # Half way between two colours a pixel is half covered.
    covered = other / (other + _distance(pixels, letters[None]) + 1e-3)
    return np.asarray((covered - MATTE[0]) / MATTE[1], dtype=np.float32)


def _card(pixels: Colours) -> Box:
    """Find what a card or frame that runs along the picture's edge encloses."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = 0, 0, width, height
    deepest = int(max(11, 0.1 * min(height, width)))
    for _ in range(2):  # upright sides are whole only once what lies above and below is gone
        part = pixels[top:bottom, left:right]
        top, bottom = top + _border(part, deepest - top), bottom - _border(part[::-1], deepest - height + bottom)
        part = pixels[top:bottom, left:right].swapaxes(0, 1)
        left, right = left + _border(part, deepest - left), right - _border(part[::-1], deepest - width + right)
    return left, top, right, bottom


def _border(pixels: Colours, deepest: int) -> int:
    """Count the rows above a straight level edge below which the picture is even; 0 where there is none."""
    most = min(deepest, int(0.22 * pixels.shape[0]))
    if most < 1:
        return 0
    rows = pixels[: most + REACH]
    step = np.abs(rows[REACH:] - rows[:-REACH]).max(2)  # (most, W)
    for row in np.flatnonzero(np.percentile(step, 12, axis=1) >= EDGE_STEP)[::-1]:
        inner = rows[row + REACH]
        if np.percentile(np.abs(inner - np.median(inner, axis=0)).max(1), 75) < EDGE_SPREAD:
            return int(row) + REACH
    return 0


def _ground(pixels: Colours) -> Colours:
    """Choose colours of the ground, at most MOST_COLOURS, so that all along the edge are near one of them: (K, 3)."""
    rim = max(2, round(RIM * pixels.shape[0]))
    sides = (pixels[:rim], pixels[-rim:], pixels[:, :rim], pixels[:, -rim:])
    edge = np.concatenate([side.reshape(-1, 3) for side in sides])
    found, of, count = np.unique(_bins(edge), return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(of, edge[:, band]) / count for band in range(3)], axis=1)
    share = count / len(edge)
    inside = np.bincount(_bins(pixels.reshape(-1, 3)), minlength=4096)[found] / pixels[..., 0].size
    kept = (share >= RARE) & (inside < INNER * share)
    means, share = means[kept], share[kept]
    if not len(means):
        return np.empty((0, 3), dtype=np.float32)
    chosen = [int(np.argmax(share))]
    away = np.linalg.norm(means - means[chosen[0]], axis=1)
    while len(chosen) < MOST_COLOURS and away.max() > 10:
        chosen.append(int(np.argmax(away)))
        away = np.minimum(away, np.linalg.norm(means - means[chosen[-1]], axis=1))
    return np.asarray(means[chosen], dtype=np.float32)


def _bins(colours: Colours) -> NDArray[np.int32]:
    """Number colours coarsely, 16 steps a band: (N, 3) -> (N)."""
    steps = colours.astype(np.int32) >> 4
    return (steps[:, 0] << 8) | (steps[:, 1] << 4) | steps[:, 2]


def _distance(pixels: Colours, colours: Colours) -> NDArray[np.float32]:
    """Measure how far pixels are from the nearest of some colours: (H, W, 3), (K, 3) -> (H, W)."""
    flat = pixels.reshape(-1, 3)
    squares = (colours**2).sum(1)[:, None] - 2 * (colours @ flat.T)  # (K, H * W)
    nearest = squares.min(0) + np.einsum("ij,ij->i", flat, flat)
    return np.asarray(np.sqrt(np.maximum(nearest, 0)).reshape(pixels.shape[:2]), dtype=np.float32)


def _drawn(pixels: Colours, away: NDArray[np.float32], far: float) -> _Drawn:
    """Choose pixels that are text or belong to it. far: how far from the ground text is."""
    bare = Image.fromarray(np.where(away < 0.3 * far, 255, 0).astype(np.uint8))
    around = np.asarray(bare.filter(ImageFilter.BoxBlur(max(2.0, away.shape[0] / 25))), dtype=np.float32)
    places = np.flatnonzero(away > 0.5 * far)
    places = places[:: max(1, places.size // SAMPLE)]
    return _Drawn(pixels.reshape(-1, 3)[places], away.ravel()[places], around.ravel()[places])


def _letters_and_outline(drawn: _Drawn, ground: Colours, far: float) -> tuple[Colours, Colours] | None:
    """Tell letters from an outline or a shadow of another colour: (letters, outline), each (3,); None where all is of one colour."""
    one = drawn.colours[int(np.argmax(drawn.away))]
    two = drawn.colours[int(np.argmax(((drawn.colours - one) ** 2).sum(1)))]
    for _ in range(6):
        first = ((drawn.colours - one) ** 2).sum(1) < ((drawn.colours - two) ** 2).sum(1)
        if not OUTLINED < first.mean() < 1 - OUTLINED:
            return None
        one, two = drawn.colours[first].mean(0), drawn.colours[~first].mean(0)
    if float(np.linalg.norm(one - two)) < 0.5 * far or _on_the_way(one, two, ground) or _on_the_way(two, one, ground):
        return None
    # What has less ground around it lies inside.
    inside = drawn.around[first].mean() < drawn.around[~first].mean()
    return (one, two) if inside else (two, one)


def _on_the_way(colour: Colours, end: Colours, ground: Colours) -> bool:
    """Say whether a colour is what the soft edge between the ground and another colour passes through."""
    way = end - ground  # (K, 3)
    length = np.maximum((way**2).sum(1), 1.0)
    along = ((colour - ground) * way).sum(1) / length
    off = np.linalg.norm(colour - ground - along[:, None] * way, axis=1)
    return bool(np.any((along > -0.05) & (along < 1) & (off < 0.25 * np.sqrt(length))))
