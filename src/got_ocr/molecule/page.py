"""Picture -> ink on a scale that suits thin lines. Holds the paper, the ink and its connected pieces; knows no chemistry."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from got_ocr.lines import Box, Ink
from got_ocr.shrink import shrunk

Mask = NDArray[np.bool_]

LARGEST = 1100  # pixels of the longer side that are looked at: bonds are long, and small print is not read from there
ENLARGED = 3  # times that small pictures are enlarged, so that two lines of a double bond are told apart
ROOMY = 2200  # pixels of the longer side behind which nothing is enlarged further
INKED = 85  # of 255: what counts as drawn
BROAD = 1.3  # pixels: lines of that width are drawn without gaps of their own
GAP = 2.4  # pixels: two lines of a double bond are this far apart, or farther
SOLID = 170  # of 255: ink that is darker is a line's own
VALLEY = 60  # of 255: how much lighter it is between them
FAINT = 60  # of 255: what holds the strokes of a thin letter together
MOST_PIECES = 420  # connected pieces of ink, letters and dashes among them; a page of text has more
MOST_INK = 0.3  # of the picture: a drawing is mostly paper


@dataclass(frozen=True, slots=True)
class Page:
    """The ink of a drawing. ink: 0 paper .. 255. mask: where it counts. scale: working pixels per pixel of the picture."""

    ink: Ink
    mask: Mask
    scale: float


@dataclass(frozen=True, slots=True)
class Piece:
    """One connected piece of ink. box: left, top, right, bottom. mask: of its box. area: in pixels.

    long, thin: sides of the slanted box around it; ends: the middles of its short sides.
    """

    box: Box
    mask: Mask
    area: int
    long: float
    thin: float
    ends: tuple[tuple[float, float], tuple[float, float]]

    @property
    def width(self) -> int:
        """Give how wide its upright box is."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """Give how tall its upright box is."""
        return self.box[3] - self.box[1]


def inked(picture: Image.Image) -> Page | None:
    """Find the ink of an RGB picture; None where it is too much or too torn for a drawing."""
    small, shrink = shrunk(picture, max(picture.size), LARGEST)
    if min(small.size) < 8:
        return None
    ink = _ink(np.asarray(small.convert("RGB")))
    mask = ink > INKED
    if not 12 <= mask.sum() <= MOST_INK * mask.size or _count(mask) > MOST_PIECES:
        return None
    times = max(1, min(ENLARGED, ROOMY // max(small.size)))
    if times > 1:
        ink = cv2.resize(ink, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    mask = ink > INKED
    if stroke_width(mask) > BROAD * times:
        mask &= ~_between(ink, round(GAP * times))
    return Page(ink, mask, times / shrink)


def _between(ink: Ink, reach: int) -> Mask:
    """Find the soft ink between two broad lines that nearly touch: it is darker on either side."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    filled = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, kernel)
    apart: Mask = (cv2.subtract(filled, ink) > VALLEY) & (ink < SOLID)
    return apart


def _ink(pixels: NDArray[np.uint8]) -> Ink:
    """Measure how far each pixel is from the paper around it, in the colour that tells most."""
    height, width = pixels.shape[:2]
    reduce = max(1.0, max(height, width) / 160)
    size = (max(1, round(width / reduce)), max(1, round(height / reduce)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    middle = np.median(small.reshape(-1, 3), axis=0)
    near = np.abs(small.astype(np.int16) - middle).max(axis=2, keepdims=True) < 40
    paper = cv2.blur(np.where(near, small, middle).astype(np.uint8), (25, 25))
    full = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, 3)
    away = cv2.absdiff(pixels, full).max(axis=2)
    strong = away[away > 40]
    top = float(np.percentile(strong[:: max(1, strong.size // 20000)], 75)) if strong.size else 255.0
    ink: Ink = np.clip(away.astype(np.float32) * (255.0 / max(top, 40.0)), 0, 255).astype(np.uint8)
    return ink


def _count(mask: Mask) -> int:
    """Count the connected pieces, specks aside."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] > 3).sum())


def pieces(page: Page) -> list[Piece]:
    """List the connected pieces of ink, specks left out."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(page.mask.astype(np.uint8), connectivity=8)
    speck = max(4.0, 0.8 * page.scale**2)
    found = []
    for index in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[index])
        if area < speck:
            continue
        mask = labels[y : y + h, x : x + w] == index
        found.append(piece_of((x, y, x + w, y + h), mask, area))
    return found


def piece_of(box: Box, mask: Mask, area: int) -> Piece:
    """Measure a connected piece of ink. mask: of its box."""
    ys, xs = np.nonzero(mask)
    points = np.stack([xs + box[0], ys + box[1]], axis=1).astype(np.float32)
    (cx, cy), (side, other), degrees = cv2.minAreaRect(points)
    turn = np.deg2rad(degrees) if side >= other else np.deg2rad(degrees + 90)
    long, thin = max(side, other), min(side, other)
    dx, dy = float(np.cos(turn)) * long / 2, float(np.sin(turn)) * long / 2
    ends = ((cx - dx, cy - dy), (cx + dx, cy + dy))
    return Piece(box, mask, area, float(long) + 1, float(thin) + 1, ends)


def mended(page: Page, found: list[Piece], largest: float) -> list[Piece]:
    """Join the pieces of letters whose thin strokes are broken: faint ink holds them together. largest: no letter is larger."""
    faint = (page.ink > FAINT).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(faint, connectivity=8)
    groups: dict[int, list[Piece]] = {}
    for piece in found:
        y, x = np.argwhere(piece.mask)[0]
        groups.setdefault(int(labels[y + piece.box[1], x + piece.box[0]]), []).append(piece)
    out: list[Piece] = []
    for index, group in groups.items():
        x, y, w, h, area = (int(value) for value in stats[index])
        if len(group) < 2 or max(w, h) > largest or _parallel(group):
            out += group
            continue
        out.append(piece_of((x, y, x + w, y + h), labels[y : y + h, x : x + w] == index, area))
    return out


def _parallel(group: list[Piece]) -> bool:
    """Say whether all pieces are bars that lie side by side: lines of a double bond, hashes."""
    turns = [
        np.arctan2(p.ends[1][1] - p.ends[0][1], p.ends[1][0] - p.ends[0][0]) for p in group if p.long > 1.8 * p.thin
    ]
    spread = float(np.abs(np.mean(np.exp(2j * np.array(turns))))) if turns else 0.0
    return len(turns) >= len(group) - 1 and spread > 0.95


def stroke_width(mask: Mask) -> float:
    """Measure how wide the lines of a drawing are, in pixels: twice the usual distance from their middle to the paper."""
    away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (away >= cv2.dilate(away, np.ones((3, 3), np.uint8))) & mask
    deep = away[ridge]
    return max(1.0, 2 * float(np.median(deep)) - 1) if deep.size else 1.0
