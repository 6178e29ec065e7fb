"""Pieces of ink -> letters, bars and webs of bonds; letters -> the labels that they make.

Letters are small and compact, bars are short straight strokes (bonds between labels, inner lines, dashes, minus signs), webs are all
else. Knows sizes and places only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from got_ocr.lines import Box
from got_ocr.molecule.page import Piece
from got_ocr.molecule.skeleton import straightened, traced

T = TypeVar("T")

LETTER = 0.66  # of a bond: no letter is larger
UPRIGHT = 0.16  # slope up to which a bar counts as upright or level
BESIDE = 0.45  # of a capital's height: letters of one label stand nearer to each other
STACKED = 0.5  # of a capital's height: rows of one label stand nearer to each other
CORNER = 0.05  # of a bond: a line that strays less from a straight one is straight
MOST_LABELS = 150


@dataclass(frozen=True, slots=True)
class Sorted:
    """The pieces of a drawing by what they are."""

    letters: list[Piece]
    bars: list[Piece]
    webs: list[Piece]


@dataclass(frozen=True, slots=True)
class Tag:
    """The label of one atom. rows: from the top, each the letters of one text line from left to right. box: around them."""

    rows: tuple[tuple[Piece, ...], ...]
    box: Box

    @property
    def boxes(self) -> list[Box]:
        """Give the box of each row."""
        return [around(row) for row in self.rows]


def around(pieces: Sequence[Piece]) -> Box:
    """Give the box around pieces."""
    boxes = np.array([piece.box for piece in pieces])
    left, top = boxes[:, :2].min(0)
    right, bottom = boxes[:, 2:].max(0)
    return int(left), int(top), int(right), int(bottom)


def sort_pieces(pieces: Sequence[Piece], width: float, unit: float) -> Sorted:
    """Sort pieces by size and shape. width: of a stroke; unit: length of a bond."""
    letters: list[Piece] = []
    bars: list[Piece] = []
    webs: list[Piece] = []
    for piece in pieces:
        if is_bar(piece, width):
            bars.append(piece)
        elif max(piece.width, piece.height) <= LETTER * unit:
            letters.append(piece)
        else:
            webs.append(piece)
    return Sorted(letters, bars, webs)


def is_bar(piece: Piece, width: float) -> bool:
    """Say whether a piece is one straight stroke, or a dot."""
    if piece.thin > 1.75 * width + 1.5:
        return False
    return piece.long >= 1.6 * piece.thin or piece.long <= 1.8 * width + 2


def capital_height(letters: Sequence[Piece], unit: float) -> float:
    """Measure how tall capitals are: what most letters reach."""
    heights = sorted(piece.height for piece in letters if piece.height > 0.14 * unit)
    return float(heights[int(0.6 * len(heights))]) if heights else 0.4 * unit


def without_dashes(letters: Sequence[Piece], dashes: Sequence[Piece], unit: float) -> list[Piece]:
    """Drop corners where two dashes of an aromatic ring meet: little bent strokes close to other dashes."""
    kept = []
    for letter in letters:
        near = sum(_gap(letter.box, dash.box) < 0.2 * unit for dash in dashes)
        if near < 2 or not _bent(letter, unit):
            kept.append(letter)
    return kept


def _bent(letter: Piece, unit: float) -> bool:
    """Say whether a piece is one line with one bend at most."""
    web = traced(letter.mask)
    return len(straightened(web, CORNER * unit)[1]) <= 2 and web.degree().count(1) == 2


def _gap(a: Box, b: Box) -> float:
    """Measure how far two boxes are apart, sideways or downwards."""
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3], 0)


def with_bars(found: Sorted, capital: float, unit: float) -> Sorted:
    """Make letters of bars that are none: the l of Cl, the minus behind O, the I that stands alone."""
    taken = set()
    for index, bar in enumerate(found.bars):
        goes_on = any(_continues(bar, letter, capital) for letter in found.letters)
        if goes_on or _alone(bar, index, found, capital, unit):
            taken.add(index)
    return Sorted(
        found.letters + [found.bars[index] for index in sorted(taken)],
        [bar for index, bar in enumerate(found.bars) if index not in taken],
        found.webs,
    )


def _slope(bar: Piece) -> tuple[float, float]:
    """Give how far a bar runs sideways and downwards."""
    (x0, y0), (x1, y1) = bar.ends
    return abs(x1 - x0), abs(y1 - y0)


def _continues(bar: Piece, letter: Piece, capital: float) -> bool:
    """Say whether a bar goes on with a letter to its left."""
    across, down = _slope(bar)
    gap = bar.box[0] - letter.box[2]
    if not -0.15 * capital <= gap <= BESIDE * capital + 1:
        return False
    if across <= UPRIGHT * down + 1 and 0.75 * capital <= bar.height <= 1.35 * capital:
        return abs(bar.box[3] - letter.box[3]) < 0.2 * capital and letter.height > 0.6 * capital
    middle = (bar.box[1] + bar.box[3]) / 2
    if max(bar.width, bar.height) < 0.75 * capital and middle > letter.box[1] + 0.75 * letter.height:
        return bar.box[1] > letter.box[1] + 0.3 * capital and bar.box[3] < letter.box[3] + 0.6 * capital
    if down <= UPRIGHT * across + 1 and 0.12 * capital <= bar.width <= 0.75 * capital:
        return letter.box[1] - 0.4 * capital <= middle <= letter.box[1] + 0.45 * capital
    return False


def _alone(bar: Piece, index: int, found: Sorted, capital: float, unit: float) -> bool:
    """Say whether an upright bar is the letter I: a bond ends beside it, and no letter above or below goes on from it."""
    across, down = _slope(bar)
    if across > 0.06 * down + 1 or not 0.8 * capital <= bar.height <= 1.25 * capital:
        return False
    x, top, bottom = (bar.box[0] + bar.box[2]) / 2, bar.box[1], bar.box[3]
    for other in [*found.letters, *(b for i, b in enumerate(found.bars) if i != index)]:
        if other.box[0] - 0.5 * unit < x < other.box[2] + 0.5 * unit:
            near = max(other.box[1] - bottom, top - other.box[3], other.box[0] - x, x - other.box[2])
            beside = other.box[1] < bottom and other.box[3] > top
            if near < 0.3 * unit and (beside or other.box[0] <= x <= other.box[2]):
                return False
    return True


def tags(letters: Sequence[Piece], capital: float) -> list[Tag]:
    """Gather letters into rows and rows into labels."""
    groups = _gathered(list(letters), lambda a, b: _in_row(a.box, b.box, capital))
    rows = [tuple(sorted(group, key=lambda piece: (piece.box[0], piece.box[1]))) for group in groups]
    rows = [row for row in rows if max(piece.height for piece in row) >= 0.72 * capital]
    stacks = _gathered(rows, lambda a, b: _stacked(around(a), around(b), capital))
    found = []
    for stack in stacks[:MOST_LABELS]:
        ordered = tuple(sorted(stack, key=lambda row: around(row)[1]))
        found.append(Tag(ordered, around([piece for row in ordered for piece in row])))
    return found


def _in_row(a: Box, b: Box, capital: float) -> bool:
    gap = max(a[0], b[0]) - min(a[2], b[2])
    shared = min(a[3], b[3]) - max(a[1], b[1])
    least = min(a[3] - a[1], b[3] - b[1])
    small = least < 0.75 * capital  # numbers and signs stand lower and higher than the letters that they belong to
    return gap <= BESIDE * capital and shared >= (-0.1 if small else 0.2) * capital


def _stacked(a: Box, b: Box, capital: float) -> bool:
    gap = max(a[1], b[1]) - min(a[3], b[3])
    shared = min(a[2], b[2]) - max(a[0], b[0])
    return -0.3 * capital <= gap <= STACKED * capital and shared >= 0.3 * min(a[2] - a[0], b[2] - b[0])


def _gathered(items: list[T], belong: Callable[[T, T], bool]) -> list[list[T]]:
    """Gather items that belong together, directly or by others."""
    group = list(range(len(items)))

    def root(index: int) -> int:
        while group[index] != index:
            index = group[index]
        return index

    for i in range(len(items)):
        for j in range(i):
            if belong(items[i], items[j]):
                group[root(i)] = root(j)
    gathered: dict[int, list[T]] = {}
    for index, item in enumerate(items):
        gathered.setdefault(root(index), []).append(item)
    return list(gathered.values())
