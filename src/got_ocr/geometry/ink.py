"""Picture -> the ink of a drawing: how strong, of what colour, on what ground, and which of it is letters. Knows no line and no circle."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from got_ocr.shrink import shrunk

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WORKING_SIDE = 1200  # pixels; larger drawings are shrunk
SMALLEST = 200  # pixels of the longer side; what is smaller with a large outline is a letter or a sign
GROUND = 0.055  # of the longer side: a median this wide sees paper and fills, no stroke
FAINT = 34  # of 255: what counts as drawn
MOST_INK = 0.2  # of the picture
EXTENT = 6.3  # centimetres that the ink of most figures is long, with their labels
REACH, FLAT = 0.34, 0.15  # of the longer side of all ink that its largest piece has at least, and its shorter side
THROUGH, THIN = 0.8, 0.1  # of that side: a line that is all there is; how high it is with its ticks
ON_IT, UNEVEN = (
    0.9,
    3.0,
)  # times its width: what stands on both sides of it; how much higher on one side: a right angle stands there alone
ALONG, FEW_STROKES = 0.7, 0.9  # of that side: a curve that is all there is; how much of it has few strokes in a column
MOST_PIECES_ON_LINE = 140  # pieces of ink beside such a line or curve: what crosses it may be dotted
WIDE = 4.0  # times its height that a drawing is wide at most; most formulas are wider
MOST_PIECES = 900
MOST_LETTERS = 110


@dataclass(frozen=True, slots=True)
class Seen:
    """The ink of a drawing, (height, width) each.

    ink: 0 paper .. 255 ink. away: the same, not stretched. ground: colour of the paper and fills. drawn: ink that may be strokes.
    written: ink that may be letters. level: from which ink counts.
    stroke, widest: width of most lines and of the widest in pixels. unit: pixels of a centimetre, guessed. shrink: how many
    times smaller it is than the picture.
    """

    rgb: Grey
    ground: Grey
    away: Grey
    ink: Grey
    drawn: Mask
    written: Mask
    level: float
    stroke: float
    widest: float
    unit: float
    shrink: float


def look_at(picture: Image.Image) -> Seen | None:
    """Tell ink from paper and letters from strokes; None where there is hardly any ink, or far too much for a line drawing."""
    if max(picture.size) < SMALLEST or min(picture.size) < 8:
        return None
    picture, shrink = shrunk(picture, max(picture.size), WORKING_SIDE)
    rgb = np.asarray(picture.convert("RGB"))
    if _written_full(rgb):
        return None
    ground = cv2.medianBlur(rgb, 2 * (round(GROUND * max(picture.size)) // 2) + 1)
    away = np.abs(rgb.astype(np.int16) - ground).max(axis=2).astype(np.uint8)
    strong = away[away > 40]
    if not 40 <= strong.size <= MOST_INK * away.size:
        return None
    top = max(60.0, float(np.percentile(strong, 90)))
    ink = np.clip(away * (255.0 / top), 0, 255).astype(np.uint8)
    level = max(FAINT, 5 * _noise(ink))
    mask = ink > level
    count, places, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    if not 1 < count <= MOST_PIECES:
        return None
    big = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= 6]
    if not len(big):
        return None
    corner = (big[:, 0] + big[:, 2]).max() - big[:, 0].min(), (big[:, 1] + big[:, 3]).max() - big[:, 1].min()
    outlined = corner[0] <= WIDE * corner[1] and _outlined(big[:, 2:4] / max(corner))
    if not (outlined or _lined(places, stats, corner) or _waved(places, stats, max(corner))):
        return None
    unit = float(max(corner)) / EXTENT
    stroke, widest = _strokes(mask)
    letters = _letters(places, stats, stroke, unit)
    if int(letters.sum()) > MOST_LETTERS:
        return None
    written = letters[places]
    specks = np.concatenate([[True], stats[1:, cv2.CC_STAT_AREA] < 3])[places]
    return Seen(rgb, ground, away, ink, mask & ~written & ~specks, written, level, stroke, widest, unit, shrink)


def _outlined(sides: Floats) -> bool:
    """Say whether one piece of ink reaches over much of the picture both ways. sides: of all pieces, of the longer side of all ink.

    Letters are small, and what is long in a formula is flat.
    """
    return bool(((sides.max(axis=1) >= REACH) & (sides.min(axis=1) >= FLAT)).any())


def longest_piece(
    places: NDArray[np.int32], stats: NDArray[np.int32], way: int = cv2.CC_STAT_WIDTH
) -> tuple[Mask, int, int]:
    """Cut out the widest piece of ink, or the highest: its mask, its left edge and its top. There is one at least."""
    longest = 1 + int(np.argmax(stats[1:, way]))
    left, top, width, height = (int(v) for v in stats[longest][:4])
    return places[top : top + height, left : left + width] == longest, left, top


def _lined(places: NDArray[np.int32], stats: NDArray[np.int32], corner: tuple[int, int]) -> bool:
    """Say whether a level or upright line with ticks or points on it goes through it all. corner: width and height of all ink.

    The bar of a fraction has nothing on it, that of a root lies on top of its sign.
    """
    way = cv2.CC_STAT_WIDTH if corner[0] >= corner[1] else cv2.CC_STAT_HEIGHT
    piece, _, _ = longest_piece(places, stats, way)
    piece = piece if way == cv2.CC_STAT_WIDTH else piece.T
    high, wide = piece.shape
    if wide < THROUGH * max(corner) or high > THIN * max(corner) or len(stats) > MOST_PIECES_ON_LINE:
        return False
    full = np.flatnonzero(piece.sum(axis=1) >= THROUGH * wide)
    if not len(full):
        return False
    above, below = int(full[0]), high - 1 - int(full[-1])
    return bool(min(above, below) > ON_IT * len(full) and max(above, below) <= UNEVEN * min(above, below))


def _waved(places: NDArray[np.int32], stats: NDArray[np.int32], longest: int) -> bool:
    """Say whether one curve, by itself or with its chord, goes from one end of it all to the other. longest: side of all ink."""
    piece, _, _ = longest_piece(places, stats)
    height, width = piece.shape
    if width < ALONG * longest or height < THIN * longest or len(stats) > MOST_PIECES_ON_LINE:
        return False
    begins = piece & ~np.pad(piece, ((1, 0), (0, 0)))[:-1]
    return bool((begins.sum(axis=0) <= 2).mean() > FEW_STROKES)


def _written_full(rgb: Grey) -> bool:
    """Say at once whether there are far more letters than in a drawing."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    mask = np.abs(grey.astype(np.int16) - int(np.median(grey[::4, ::4]))) > 60
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    sides = stats[1:, 2:4] / max(rgb.shape[:2])
    letters = (sides.max(axis=1) < 0.06) & (sides.min(axis=1) > 0.006) & (sides.max(axis=1) > 0.01)
    return count > 2500 or int(letters.sum()) > 130


def _noise(ink: Grey) -> float:
    """Measure how much bare paper varies."""
    return float(np.median(ink[::3, ::3]) * 1.5)


def _strokes(mask: Mask) -> tuple[float, float]:
    """Measure the usual width of strokes and that of the widest: twice the distance of their middle from paper."""
    depth = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    ridge = mask & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    usual, widest = np.percentile(depth[ridge], (50, 90))
    return max(1.0, 2 * float(usual) - 1), max(1.0, 2 * float(widest) - 1)


def _letters(places: NDArray[np.int32], stats: NDArray[np.int32], stroke: float, unit: float) -> Mask:
    """Say of each piece of ink whether it may be a letter: small, but in both directions wider than a dash."""
    found = np.zeros(len(stats), dtype=np.bool_)
    for i in range(1, len(stats)):
        left, top, width, height, area = stats[i]
        if not 0.1 * unit <= max(width, height) <= 0.8 * unit or height > 0.55 * unit:
            continue
        part = places[top : top + height, left : left + width] == i
        points = cv2.findNonZero(part.view(np.uint8))
        (_, (a, b), _) = cv2.minAreaRect(points)
        minor = min(a, b) + 1
        round_dot = area > 0.68 * width * height and abs(width - height) <= 0.25 * max(width, height) + 1
        found[i] = minor > max(2.6 * stroke, 0.075 * unit) and not round_dot
    return found
