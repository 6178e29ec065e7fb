"""Picture of sheet music -> a strip for each staff of each system, its five lines always at the same height. Knows no kern."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from got_ocr.columns import runs
from got_ocr.lines import INK, WIDTH_STEP, WORKING_SIDE, Box, Ink, ink_of, level
from got_ocr.shrink import shrunk
from got_ocr.spec import ModelSpec
from got_ocr.table.rules import long_runs

Mask = NDArray[np.bool_]

LINES = 5
FAINT = (40, 28, 20, 14)  # of 255: the lines of small scores are pale
SPACES = (
    13.5  # between lines of a staff that a strip is high: above and below there is room for about five ledger lines
)
EVEN = 0.2  # of the distance of its lines by which those of a staff may differ
THIN = 0.45  # of that distance: a line is thinner
SHORT = 0.12  # of the picture's width that a staff has at least
LONG = 8  # spaces that a staff is long at least
CLEAR = 0.35  # of the ink of its lines that is between them at most, in most columns
NEAR = 0.04  # of the picture's width, between two lines at most
TIED = 0.9  # of the way between two staves that the line before their system covers
ACROSS = 0.28  # spaces above and below a line in which there is ink where something crosses it
WRITTEN = 0.03  # of a staff's length where something crosses a line of it, at least
BEFORE = 1.2  # spaces left of a staff that belong to its strip


@dataclass(frozen=True, slots=True)
class Staff:
    """Five lines: middle of the first and of the last, how far they go, their distance. Pixels of the levelled ink."""

    top: float
    bottom: float
    left: int
    right: int

    @property
    def space(self) -> float:
        """Give the distance between two lines."""
        return (self.bottom - self.top) / (LINES - 1)


@dataclass(frozen=True, slots=True)
class StaffStrip:
    """One staff: an RGB tile, dark on white. box: (left, top, right, bottom) in the picture. place: (system, staff) from the top."""

    tile: Image.Image
    box: Box
    place: tuple[int, int]


def cut_staves(picture: Image.Image, spec: ModelSpec) -> list[StaffStrip]:
    """Cut an RGB picture of sheet music into its staves, system by system from the top. One that shows none has no strips."""
    picture, shrink = shrunk(picture, max(picture.size), WORKING_SIDE)
    ink, _ = level(ink_of(picture))
    strips = []
    for number, system in enumerate(find_systems(ink)):
        for place, staff in enumerate(system):
            tile, box = _strip(ink, staff, spec)
            left, top, right, bottom = (round(value * shrink) for value in box)
            strips.append(StaffStrip(tile, (left, top, right, bottom), (number, place)))
    return strips


def find_systems(ink: Ink) -> list[list[Staff]]:
    """Find staves and put those together that one line begins."""
    masks = [ink > level for level in FAINT]
    found = [[staff for staff in find_staves(mask) if _clear(ink, staff)] for mask in masks]
    best = max(range(len(FAINT)), key=lambda i: (len(found[i]), -i))
    mask = masks[best]
    if 2 * sum(_written_on(ink > INK, staff) for staff in found[best]) < len(found[best]):
        return []  # the rules of a table, or a grid
    systems: list[list[Staff]] = []
    for staff in found[best]:
        if systems and _tied(mask, systems[-1][-1], staff):
            systems[-1].append(staff)
        else:
            systems.append([staff])
    return systems


def find_staves(mask: Mask) -> list[Staff]:
    """Find five long thin lines at even distances, from the top. mask: where there is ink, also faint."""
    kept = long_runs(mask, max(24, int(0.04 * mask.shape[1])))
    drawn = kept.sum(1)
    lines = [_sharp(drawn, a, b) for a, b in runs(drawn >= SHORT * mask.shape[1]) if b - a <= 12]
    middles = [(a + b - 1) / 2 for a, b in lines]
    staves: list[Staff] = []
    first = 0
    while first <= len(lines) - LINES:
        chosen = _five(middles, [int(drawn[a:b].max()) for a, b in lines], first)
        if chosen is None or not _alike(kept, [lines[i] for i in chosen]):
            first += 1
            continue
        rows = np.any(kept[lines[chosen[0]][0] : lines[chosen[-1]][1]], axis=0)
        inked = np.flatnonzero(rows)
        staves.append(Staff(middles[chosen[0]], middles[chosen[-1]], int(inked[0]), int(inked[-1]) + 1))
        first = chosen[-1] + 1
    return staves


def _sharp(drawn: NDArray[np.int64], top: int, bottom: int) -> tuple[int, int]:
    """Take the line out of rows that hold a beam that touches it as well: it is drawn farthest."""
    full = np.flatnonzero(drawn[top:bottom] >= 0.7 * drawn[top:bottom].max())
    return top + int(full[0]), top + int(full[-1]) + 1


def _five(middles: Sequence[float], lengths: Sequence[int], first: int) -> list[int] | None:
    """Choose four more lines below one, at the distance of the next one that fits; others between them are beams.

    Where more lines of the same length go on at that distance, it is a grid.
    """
    for second in range(first + 1, min(first + 4, len(middles))):
        space = middles[second] - middles[first]
        if space < 3:
            continue
        chosen = [first, second]
        for _ in range(LINES - 2):
            goal = middles[chosen[-1]] + space
            near = min(range(len(middles)), key=lambda i: abs(middles[i] - goal))
            if abs(middles[near] - goal) > EVEN * space:
                break
            chosen.append(near)
        beyond = middles[first] - space, middles[chosen[-1]] + space
        long = [m for m, length in zip(middles, lengths, strict=True) if length > 0.8 * lengths[first]]
        if len(chosen) == LINES and not any(abs(m - goal) < EVEN * space for m in long for goal in beyond):
            return chosen
    return None


def _alike(kept: Mask, lines: Sequence[tuple[int, int]]) -> bool:
    """Say whether lines are thin and begin and end below each other."""
    space = (lines[-1][0] - lines[0][0]) / (LINES - 1)
    ends = [np.flatnonzero(kept[a:b].any(0)) for a, b in lines]
    lefts, rights = [int(e[0]) for e in ends], [int(e[-1]) for e in ends]
    return (
        max(rights) - min(lefts) >= LONG * space
        and max(b - a for a, b in lines) <= max(2, THIN * space)
        and float(np.median(np.abs(np.array(lefts) - np.median(lefts)))) <= 2 * space
        and float(np.median(np.abs(np.array(rights) - np.median(rights)))) <= 2 * space
    )


def _clear(ink: Ink, staff: Staff) -> bool:
    """Say whether five lines stand out from paper, and are near each other for the size of the picture: no pattern, no grid."""
    at = [round(staff.top + half * staff.space / 2) for half in range(2 * LINES - 1)]
    rows = [float(np.median(ink[max(0, y - 1) : y + 2, staff.left : staff.right].max(0))) for y in at[::2]]
    spaces = [float(np.median(ink[y, staff.left : staff.right])) for y in at[1::2]]
    return max(spaces) <= CLEAR * min(rows) and staff.space <= NEAR * ink.shape[1]


def _written_on(mask: Mask, staff: Staff) -> bool:
    """Say whether heads, stems and clefs lie across single lines; between rules of a table text stands clear of them."""
    away = max(2, round(ACROSS * staff.space))
    at = [round(staff.top + line * staff.space) for line in range(LINES)]
    padded = np.pad(mask, ((away, away), (0, 0)))[:, staff.left : staff.right]
    crossed = np.stack([padded[y : y + 2 * away + 1].all(axis=0) for y in at])
    for line in range(1, LINES - 1):  # what goes on from the line above to the line below is an upright rule, or a stem
        crossed[line] &= ~padded[away + at[line - 1] : away + at[line + 1]].all(axis=0)
    return bool(crossed.any(0).mean() >= WRITTEN)


def _tied(mask: Mask, above: Staff, below: Staff) -> bool:
    """Say whether a line goes down from one staff to the next at their beginning."""
    left = min(above.left, below.left)
    space = above.space
    between = mask[round(above.bottom) + 1 : round(below.top), max(0, left - round(space)) : left + round(space)]
    return bool(between.size) and float(between.mean(0).max()) >= TIED


def _strip(ink: Ink, staff: Staff, spec: ModelSpec) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """Scale a staff and what is around it so that its lines have their places, dark on white."""
    tall, wide = spec.cell[0], spec.tile[1]
    space, middle = staff.space, (staff.top + staff.bottom) / 2
    area = (
        staff.left - BEFORE * space,
        middle - SPACES / 2 * space,
        staff.right + 0.3 * space,
        middle + SPACES / 2 * space,
    )
    scale = tall / (SPACES * space)
    width = max(spec.cell[1], min(wide, round((area[2] - area[0]) * scale)))
    x0, y0, x1, y1 = int(np.floor(area[0])), int(np.floor(area[1])), int(np.ceil(area[2])), int(np.ceil(area[3]))
    image = Image.fromarray(ink).crop((x0, y0, x1, y1))  # outside is 0, which is paper
    local = (area[0] - x0, area[1] - y0, area[2] - x0, area[3] - y0)
    strip = image.resize((width, tall), Image.Resampling.BICUBIC, box=local)
    step = max(WIDTH_STEP, spec.cell[1])
    padded = Image.new("L", (min(wide, -(-width // step) * step), tall), 255)
    padded.paste(ImageOps.invert(strip), (0, 0))
    return padded.convert("RGB"), area
