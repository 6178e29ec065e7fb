"""Flat areas around one point -> a pie, its sectors and the texts that name them; and its dictionary once they are read.

Knows no strips' making.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from got_ocr.chart import scale
from got_ocr.chart.patches import Patch, Patches
from got_ocr.chart.plan import Heads, dictionary, titles, unlike
from got_ocr.labels import Label
from got_ocr.lines import Box

ROUND = 0.06  # by which the sides of a circle's box may differ
LEAST = 60  # pixels across


@dataclass(frozen=True, slots=True)
class Pie:
    """A pie. box: around it. sectors: its areas. swatches: of its legend, in the order of the sectors, where there is one."""

    box: Box
    sectors: tuple[Patch, ...]
    swatches: tuple[Box | None, ...]
    places: frozenset[int]

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


def find_pie(found: Patches) -> Pie | None:
    """Find the disc or the ring that areas of several colours make; None where they make none."""
    large = [p for p in found.found if p.area > 150]
    if not large or max(p.area for p in large) < LEAST * LEAST / 4:
        return None
    mask = np.isin(found.owner, [p.place for p in large]).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, ids, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    best = int(stats[1:, 4].argmax()) + 1
    left, top, wide, tall = (int(v) for v in stats[best, :4])
    if min(wide, tall) < LEAST or abs(wide - tall) > ROUND * max(wide, tall) + 2:
        return None
    box = (left, top, left + wide, top + tall)
    if not _round(ids[top : top + tall, left : left + wide] == best):
        return None
    sectors = [p for p in large if left - 3 <= p.middle[0] <= box[2] + 3 and top - 3 <= p.middle[1] <= box[3] + 3]
    sectors = [p for p in sectors if p.area > 0.004 * wide * tall]
    spare = [
        p
        for p in found.found
        if p not in sectors and p.fill > 0.8 and p.wide <= 80 and p.tall <= 40 and not _within(p, box)
    ]
    swatches = tuple(next((p.box for p in spare if p.colour == sector.colour), None) for sector in sectors)
    if sum(swatch is not None for swatch in swatches) < max(1, len(sectors) - 1):
        swatches = (None,) * len(sectors)
    places = frozenset(p.place for p in sectors) | frozenset(p.place for p in spare if p.box in swatches)
    return Pie(box, tuple(sectors), swatches, places)


def _within(patch: Patch, box: Box) -> bool:
    x, y = patch.middle
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _round(shape: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> bool:
    """Say whether a shape is a disc, perhaps with a hole in its middle."""
    tall, wide = shape.shape
    y, x = np.ogrid[:tall, :wide]
    away = np.hypot((x - (wide - 1) / 2) / (wide / 2), (y - (tall - 1) / 2) / (tall / 2))
    rim, outside = (away > 0.7) & (away < 0.97), away > 1.03
    return bool(shape[rim].mean() > 0.93 and shape[outside].mean() < 0.04)


def shares(pie: Pie) -> list[float]:
    """Measure how many hundredths of the pie each sector is."""
    total = sum(p.area for p in pie.sectors)
    return [100 * p.area / total for p in pie.sectors]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written of a sector: one label with name and share, or two. measured: its share by its area."""

    name: int
    value: int | None
    measured: float | None


@dataclass(frozen=True, slots=True)
class PiePlan:
    """A pie whose texts are not read yet."""

    labels: tuple[Label, ...]
    heads: Heads
    entries: tuple[Entry, ...]

    def write(self, answers: Sequence[str]) -> str:
        """Write the dictionary."""
        texts = [*(" ".join(answer.split()) for answer in answers), *[""] * len(self.labels)]
        row: dict[str, str] = {}
        for entry in self.entries:
            name, printed = _parts(texts, entry)
            value = _share(printed, entry.measured)
            row[unlike(name or str(len(row) + 1), row)] = value
        return dictionary(titles(self.heads, texts), {"": row})


def _parts(texts: Sequence[str], entry: Entry) -> tuple[str, str | None]:
    if entry.value is not None:
        return texts[entry.name], _percent(texts[entry.value])
    name, _, last = texts[entry.name].rpartition(" ")
    return (name, _percent(last)) if name else (texts[entry.name], None)


def _percent(text: str) -> str | None:
    """Read a share; the sign after it may be misread."""
    text = text.replace(" ", "")
    return scale.number(text) or scale.number(text[:-1]) or scale.number(text[:-2])


def _share(printed: str | None, measured: float | None) -> str:
    agreed = scale.agreed(printed, measured, 100.0)
    if agreed is not None:
        return agreed
    return "0" if measured is None else scale.written(measured, 0.1 if measured < 10 else 1.0)


def sector_at(pie: Pie, spot: tuple[float, float], found: Patches) -> int | None:
    """Say which sector a label beside the pie belongs to: the one on the way to its middle."""
    x, y = pie.middle
    radius = (pie.box[2] - pie.box[0]) / 2
    angle = math.atan2(spot[1] - y, spot[0] - x)
    at = round(x + 0.85 * radius * math.cos(angle)), round(y + 0.85 * radius * math.sin(angle))
    place = int(found.owner[min(max(at[1], 0), found.owner.shape[0] - 1), min(max(at[0], 0), found.owner.shape[1] - 1)])
    return next((i for i, p in enumerate(pie.sectors) if p.place == place), None)
