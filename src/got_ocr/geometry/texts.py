"""The letters of a drawing -> strips to be read, and where TikZ would say that each stands. Places are pixels with y upwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.geometry.ink import Grey, Mask, Seen
from got_ocr.labels import Label, label_tile
from got_ocr.spec import ModelSpec

SEP = 0.117  # centimetres between a place and the text beside it
BESIDE, ABOVE = 0.17, 0.05  # centimetres between parts of one text
LOWEST, TALLEST, WIDEST = 0.1, 0.75, 2.2  # centimetres
UPRIGHT = frozenset("BDEFHIKLMNPRTU")  # letters with an upright stroke
MOST_TEXTS = 60
MOST_PARTS = 200
SIDES = ("right", "above right", "above", "above left", "left", "below left", "below", "below right")

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Text:
    """One text: its box in pixels of the ink (left, top, right, bottom), and its ink alone."""

    box: Box
    ink: Grey

    @property
    def middle(self) -> complex:
        """Give its centre, y upwards."""
        left, top, right, bottom = self.box
        return complex((left + right - 1) / 2, -(top + bottom - 1) / 2)

    def place(self, side: str, unit: float) -> complex:
        """Give the place beside which a text with this box stands on a side."""
        left, top, right, bottom = self.box
        z, sep = self.middle, SEP * unit
        x = left - 0.5 - sep if "right" in side else right - 0.5 + sep if "left" in side else z.real
        y = -(bottom - 0.5) - sep if "above" in side else -(top - 0.5) + sep if "below" in side else z.imag
        return complex(x, y)


def find_texts(seen: Seen, left: Mask, unit: float) -> list[Text]:
    """Group letters into texts, from the top. left: ink that is neither line nor mark."""
    mask = left.astype(np.uint8)
    count, places, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes = []
    for i in range(1, min(count, 900)):
        x, y, w, h, area = (int(v) for v in stats[i])
        if area >= max(3, 0.0006 * unit * unit) and w <= 0.8 * unit and h <= 0.6 * unit:
            boxes.append(([x, y, x + w, y + h], [i]))
    groups = _grouped(boxes, unit)
    out: list[Text] = []
    for (x0, y0, x1, y1), members in groups:
        tall, wide = (y1 - y0) / unit, (x1 - x0) / unit
        if not (LOWEST <= tall <= TALLEST and wide <= WIDEST) or len(out) >= MOST_TEXTS:
            continue
        near = cv2.dilate(np.isin(places, members).astype(np.uint8), np.ones((3, 3), np.uint8))
        out.append(Text((x0, y0, x1, y1), np.where(near > 0, seen.ink, 0).astype(np.uint8)))
    return sorted(out, key=lambda text: (text.box[1], text.box[0]))


def _grouped(parts: list[tuple[list[int], list[int]]], unit: float) -> list[tuple[list[int], list[int]]]:
    """Join boxes that stand beside each other in a line, or close above each other."""
    groups = parts[:MOST_PARTS]
    for _ in range(4):
        merged: list[tuple[list[int], list[int]]] = []
        for box, members in groups:
            home = next((g for g in merged if _together(g[0], box, unit)), None)
            if home is None:
                merged.append((list(box), list(members)))
            else:
                home[0][:] = [
                    min(home[0][0], box[0]),
                    min(home[0][1], box[1]),
                    max(home[0][2], box[2]),
                    max(home[0][3], box[3]),
                ]
                home[1].extend(members)
        if len(merged) == len(groups):
            break
        groups = merged
    return groups


def _together(a: list[int], b: list[int], unit: float) -> bool:
    across = max(a[0], b[0]) - min(a[2], b[2])
    down = max(a[1], b[1]) - min(a[3], b[3])
    least = min(a[3] - a[1], b[3] - b[1])
    if across <= BESIDE * unit and down <= -0.3 * least:
        return True
    if across <= 0.08 * unit and down <= 0:
        return True
    return across <= 0 and down <= ABOVE * unit


def label_of(text: Text, usual: int, seen: Seen, spec: ModelSpec) -> Label:
    """Make the strip of a text. usual: height of the texts in the drawing."""
    left, top, right, bottom = text.box
    height = usual if 0.4 * usual < bottom - top < usual else bottom - top
    tile = label_tile(text.ink, text.box, spec, height)
    box = (round(left * seen.shrink), round(top * seen.shrink), round(right * seen.shrink), round(bottom * seen.shrink))
    return Label(tile, box)


def slant(text: Text) -> tuple[float, float]:
    """Say how sharply the upright strokes of a text stand as they are, and when a slant is taken out."""
    left, top, right, bottom = text.box
    part = np.pad(text.ink[top:bottom, left:right].astype(np.float32), ((0, 0), (12, 12)))
    return _sharpness(part, 0.0), max(_sharpness(part, s) for s in (0.17, 0.21, 0.25))


def _sharpness(part: NDArray[np.float32], slope: float) -> float:
    rows, columns = part.shape
    y = np.arange(rows, dtype=np.float32)[:, None] + np.zeros((1, columns), np.float32)
    x = np.arange(columns, dtype=np.float32)[None, :] + slope * (rows / 2 - y)
    straight = cv2.remap(part, x, y, cv2.INTER_LINEAR)
    profile = straight.sum(0)
    return float((profile**2).sum() / max(1.0, float(profile.sum()) ** 2))


def is_italic(leans: Sequence[tuple[float, float]], answers: Sequence[str]) -> bool:
    """Say whether names stand in italics: the strokes of those that have upright ones lean. leans: of texts, by `slant`."""
    telling = [
        math.log(b / max(a, 1e-9))
        for (a, b), answer in zip(leans, answers, strict=True)
        if answer.strip()[:1] in UPRIGHT
    ]
    return not telling or sum(telling) > 0
