"""Picture -> areas of one flat colour: bars, sectors, swatches of a legend. Knows no chart.

Colours are taken one after another, the commonest first; text and thin lines have no flat inside and are left.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.chart.seen import GROUND, Pixels, Seen, keys_of, widest
from got_ocr.lines import Box

NEAR = 22  # levels of a channel within which pixels have one colour
FLAT = 30  # levels by which the neighbours of a flat pixel differ
HATCH = 5  # pixels: thinner strokes across an area are its hatching
MOST_COLOURS = 12
MOST_PATCHES = 400
LEAST_AREA = 24
SOLID = 0.0025  # of the picture: less than that is no bar and no sector


@dataclass(frozen=True, slots=True)
class Patch:
    """One area. colour: its number in `Patches.colours`. box: around it. area: in pixels. place: its number in `Patches.owner`."""

    colour: int
    box: Box
    area: int
    place: int

    @property
    def wide(self) -> int:
        """Its width."""
        return self.box[2] - self.box[0]

    @property
    def tall(self) -> int:
        """Its height."""
        return self.box[3] - self.box[1]

    @property
    def fill(self) -> float:
        """The share of its box that it fills."""
        return self.area / (self.wide * self.tall)

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its box."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """All areas of a picture, and for each pixel the `place` of the one that it belongs to, or 0. colours: (count, 3)."""

    found: tuple[Patch, ...]
    owner: NDArray[np.int32]
    colours: NDArray[np.int16]


def find_patches(seen: Seen) -> Patches:
    """Find the areas of one flat colour that is not the paper's."""
    if not _solid(seen):
        return Patches((), np.zeros(seen.far.shape, np.int32), np.zeros((0, 3), np.int16))
    # Hatching is thin and dark: bars are looked at without it, and so is what is written on them.
    soft = np.asarray(
        cv2.morphologyEx(cv2.medianBlur(seen.pixels, 3), cv2.MORPH_CLOSE, np.ones((HATCH, HATCH), np.uint8)), np.uint8
    )
    kernel = np.ones((3, 3), np.uint8)
    spread = widest(np.asarray(cv2.morphologyEx(soft, cv2.MORPH_GRADIENT, kernel), np.uint8))
    drawn = widest(np.asarray(cv2.absdiff(soft, np.full_like(soft, seen.paper)), np.uint8)) > GROUND
    flat = drawn & (spread < FLAT)
    keys = keys_of(soft)
    owner = np.zeros(flat.shape, np.int32)
    found: list[Patch] = []
    colours: list[NDArray[np.int16]] = []
    least = max(LEAST_AREA, int(0.00005 * flat.size))
    for _ in range(MOST_COLOURS):
        some = keys[flat]
        counts = np.bincount(some, minlength=1)
        if counts.max() < least:
            break
        colour = np.median(soft[flat][some == counts.argmax()], axis=0).astype(np.int16)
        near = _near(soft, colour) & drawn & (owner == 0)
        found += _areas(near, len(colours), owner, len(found))
        colours.append(colour)
        flat &= ~near
        flat[keys == counts.argmax()] = False
        if len(found) > MOST_PATCHES:
            break
    return Patches(tuple(found), owner, np.array(colours, np.int16).reshape(-1, 3))


def _solid(seen: Seen) -> bool:
    """Say at a glance whether there is anything broader than strokes of letters."""
    drawn = (seen.far[::2, ::2] > GROUND).astype(np.uint8)
    return bool(cv2.erode(drawn, np.ones((3, 3), np.uint8)).mean() > SOLID)


def _near(pixels: Pixels, colour: NDArray[np.int16]) -> NDArray[np.bool_]:
    low, high = np.clip(colour - NEAR, 0, 255), np.clip(colour + NEAR, 0, 255)
    return np.asarray(cv2.inRange(pixels, low.astype(np.uint8), high.astype(np.uint8)) > 0)


def _areas(near: NDArray[np.bool_], colour: int, owner: NDArray[np.int32], before: int) -> list[Patch]:
    """List the areas of one colour that are more than lines, and note them in `owner`."""
    solid = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, ids, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    found: list[Patch] = []
    numbers = np.zeros(count, np.int32)
    for place in range(1, count):
        x, y, wide, tall, area = (int(value) for value in stats[place])
        if area >= LEAST_AREA and before + len(found) <= MOST_PATCHES:
            found.append(Patch(colour, (x, y, x + wide, y + tall), area, before + len(found) + 1))
            numbers[place] = found[-1].place
    np.copyto(owner, numbers[ids], where=(ids > 0) & (owner == 0))
    return found
