"""Ink -> letters -> lines of text, level or turned, and a strip for each. Knows no chart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.labels import Label, label_tile
from got_ocr.lines import Box, Ink
from got_ocr.spec import ModelSpec

LETTER = 0.38 * 255  # of full ink
MOST_LETTERS = 1500
GAP = 1.15  # of the letters' height: wider gaps part texts
WORDS = 1.9  # the same, where nothing else can stand beside a text


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """The letters of a picture. ink: without marks and axes. ids: which letter a pixel belongs to, 0 for none. boxes: (count, 4), of
    letter `k` in row `k`; row 0 is none. unit: the height of its capitals.
    """

    ink: Ink
    ids: NDArray[np.int32]
    boxes: NDArray[np.int32]
    unit: float

    def inside(self, left: float, top: float, right: float, bottom: float) -> list[int]:
        """List the letters whose middle lies in a box."""
        x, y = (self.boxes[:, 0] + self.boxes[:, 2]) / 2, (self.boxes[:, 1] + self.boxes[:, 3]) / 2
        kept = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        kept[0] = False
        kept &= self.boxes[:, 2] > self.boxes[:, 0]
        return [int(place) for place in np.flatnonzero(kept)]

    def around(self, letters: Sequence[int]) -> Box:
        """Give the box around letters."""
        boxes = self.boxes[list(letters)]
        left, top = boxes[:, :2].min(0)
        right, bottom = boxes[:, 2:].max(0)
        return int(left), int(top), int(right), int(bottom)


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text: its letters, the box around them, and by how many degrees it is turned against the clock."""

    letters: tuple[int, ...]
    box: Box
    turn: int = 0

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its box."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


def find_letters(ink: Ink) -> Letters | None:
    """Find what may be letters: ink in one piece that is neither a line nor far larger than the others. None where there is none."""
    ink = _full(ink)
    count, ids, stats, _ = cv2.connectedComponentsWithStats((ink > LETTER).astype(np.uint8), connectivity=8)
    if not 2 <= count <= 12000:
        return None
    tall, wide, area = stats[:, 3], stats[:, 2], stats[:, 4]
    usual = (tall >= 5) & (tall <= 48) & (wide <= 60) & (area >= 8)
    usual[0] = False
    if usual.sum() < 2:
        return None
    unit = float(np.percentile(tall[usual], 70))
    kept = (tall <= 3 * unit) & (area >= 3) & ((wide <= 4 * unit) | (tall <= 2.4 * unit)) & (wide <= 14 * unit)
    kept &= ~((wide > 1.6 * unit) & (tall <= max(3, 0.2 * unit)))  # a line
    kept &= ~((tall > 1.6 * unit) & (wide <= max(2, 0.12 * unit)))
    kept[0] = False
    if kept.sum() > MOST_LETTERS:
        return None
    boxes = np.stack([stats[:, 0], stats[:, 1], stats[:, 0] + wide, stats[:, 1] + tall], 1).astype(np.int32)
    boxes[~kept] = 0
    return Letters(ink, np.where(kept[ids], ids, 0).astype(np.int32), boxes, unit)


def _full(ink: Ink) -> Ink:
    """Stretch ink that is pale throughout, as hollow letters are: axes and marks may be far darker than the words."""
    mask = (ink > 0.24 * 255).astype(np.uint8)
    _, ids, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    tall, wide = stats[:, 3], stats[:, 2]
    usual = (tall >= 5) & (tall <= 48) & (wide <= 60) & (stats[:, 4] >= 12)
    usual[0] = False
    strokes = ink[usual[ids]]
    if strokes.size < 100:
        return ink
    most = float(np.percentile(strokes, 85))
    return ink if most > 200 else np.clip(ink * (235.0 / most), 0, 255).astype(np.uint8)


def group(found: Letters, letters: Sequence[int], gap: float = GAP, turn: int = 0) -> list[Text]:
    """Join letters that stand beside each other to lines of text. gap: in units. turn: 0 or 90, of the text."""
    if not letters:
        return []
    boxes = found.boxes[list(letters)].astype(np.float64)
    if turn == 90:
        boxes = np.stack([-boxes[:, 3], boxes[:, 0], -boxes[:, 1], boxes[:, 2]], 1)
    left, top, right, bottom = boxes.T
    tall = bottom - top
    apart = np.maximum(left[:, None], left[None]) - np.minimum(right[:, None], right[None])
    overlap = np.minimum(bottom[:, None], bottom[None]) - np.maximum(top[:, None], top[None])
    least = np.minimum(tall[:, None], tall[None])
    beside = (apart < gap * found.unit) & (overlap > 0.3 * least)
    # Dots and accents stand over their letter, not beside it.
    small = np.minimum(tall[:, None], tall[None]) < 0.45 * found.unit
    beside |= small & (apart < 0) & (overlap > -0.45 * found.unit)
    middle = (top + bottom) / 2
    low = tall < 0.45 * found.unit  # a point or a dash beside a letter that is not as low
    beside |= (
        (low[:, None] | low[None])
        & (apart < 0.6 * found.unit)
        & (np.abs(middle[:, None] - middle[None]) < 0.75 * found.unit)
    )
    return [text_of(found, [letters[i] for i in part], turn) for part in _parts(beside)]


def text_of(found: Letters, letters: Iterable[int], turn: int = 0) -> Text:
    """Make one text of letters."""
    kept = tuple(letters)
    return Text(kept, found.around(kept), turn)


def rows_of(found: Letters, text: Text) -> list[Text]:
    """Part lines of text that stand so close to each other that they were joined."""
    if text.box[3] - text.box[1] < 1.7 * found.unit:
        return [text]
    middles = {k: (int(found.boxes[k][1]) + int(found.boxes[k][3])) / 2 for k in text.letters}
    tall = sorted(middles[k] for k in text.letters if found.boxes[k][3] - found.boxes[k][1] > 0.55 * found.unit)
    rows: list[list[float]] = []
    for middle in tall:
        if rows and middle - rows[-1][-1] < 0.6 * found.unit:
            rows[-1].append(middle)
        else:
            rows.append([middle])
    if len(rows) < 2:
        return [text]
    centres = [float(np.mean(row)) for row in rows]
    parts: list[list[int]] = [[] for _ in centres]
    for k, middle in middles.items():
        parts[min(range(len(centres)), key=lambda i: abs(centres[i] - middle))].append(k)
    return [text_of(found, part) for part in parts if part]


def _parts(linked: NDArray[np.bool_]) -> list[list[int]]:
    """List the connected parts of a graph, in the order of their first nodes."""
    left = set(range(linked.shape[0]))
    parts = []
    while left:
        queue = [min(left)]
        left.discard(queue[0])
        for node in queue:
            new = [int(i) for i in np.flatnonzero(linked[node]) if int(i) in left]
            left.difference_update(new)
            queue += new
        parts.append(sorted(queue))
    return parts


def strip_of(found: Letters, text: Text, spec: ModelSpec, shrink: float) -> Label:
    """Make the strip of a text, of its own letters alone. shrink: how many times smaller the ink is than the picture."""
    left, top, right, bottom = text.box
    around = (slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2))
    own = np.isin(found.ids[around], text.letters).astype(np.uint8)
    own = cv2.dilate(own, np.ones((3, 3), np.uint8), iterations=2 if text.turn == 0 else 1)
    ink = np.where(own > 0, found.ink[around], 0).astype(np.uint8)
    ink = turned(ink, text.turn)
    rows, columns = np.flatnonzero((ink > LETTER).any(1)), np.flatnonzero((ink > LETTER).any(0))
    if not rows.size or not columns.size:
        rows = columns = np.array([0])
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    # What has no tall letters keeps the size of its neighbours: a dash or a point is not blown up.
    height = round(found.unit) if box[3] - box[1] < found.unit else 0
    spot = (round(left * shrink), round(top * shrink), round(right * shrink), round(bottom * shrink))
    return Label(label_tile(ink, box, spec, height), spot)


def turned(ink: Ink, turn: int) -> Ink:
    """Set turned text upright. turn: degrees by which it is turned against the clock."""
    if turn == 0:
        return ink
    if turn == 90:
        return np.ascontiguousarray(np.rot90(ink, -1))
    tall, wide = ink.shape
    side = int(np.hypot(tall, wide)) + 4
    matrix = cv2.getRotationMatrix2D((wide / 2, tall / 2), -turn, 1.0)
    matrix[:, 2] += (side / 2 - wide / 2, side / 2 - tall / 2)
    return np.asarray(cv2.warpAffine(ink, matrix, (side, side), flags=cv2.INTER_CUBIC), np.uint8)
