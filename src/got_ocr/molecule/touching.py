"""Letters that touch a bond -> letters and bonds of their own: a knot of short strokes of a letter's size at the end of long ones.

Knows sizes only.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from got_ocr.molecule.page import Mask, Piece, piece_of
from got_ocr.molecule.skeleton import Web, straightened
from got_ocr.molecule.strokes import Point

Frame = tuple[float, float, float, float]  # left, top, right, bottom
Pair = tuple[int, int]

FINE = 0.11  # of a capital's height: a line that strays less from a straight one is straight
TALL = (0.7, 1.25)  # of a capital's height
LOOSE = (0.6, 1.45)  # the same where it is only guessed
WIDE = (0.3, 1.2)
INKY = 1.5  # capitals' heights: the strokes of a letter are longer, together
GUESSED = 0.36  # of a bond: a capital's height where no letter stands alone
MOST_NODES = 250


def parted(piece: Piece, web: Web, width: float, unit: float, capital: float) -> tuple[list[Piece], list[Piece]]:
    """Cut letters off a web: the letters and the rest. capital: height of a capital, 0 where none is known."""
    tall = TALL if capital else LOOSE
    capital = capital or GUESSED * unit
    nodes, pairs = straightened(web, max(1.2, FINE * capital))
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    if len(nodes) > MOST_NODES:
        return [], [piece]
    found = sorted(_candidates(nodes, pairs, width, capital, tall), reverse=True)
    boxes: list[Frame] = []
    for _, box in found:
        if not any(_overlap(box, other) for other in boxes):
            boxes.append(box)
    return _cut(piece, boxes, width) if boxes else ([], [piece])


def straight(piece: Piece, web: Web, width: float, unit: float) -> Piece | None:
    """Take a piece for a bar if it is one line and no more than blots on it: a charge that touches a bond."""
    nodes, pairs = straightened(web, 0.1 * unit)
    if len(pairs) != 1:
        return None
    a, b = nodes[pairs[0][0]], nodes[pairs[0][1]]
    return replace(piece, ends=(a, b), long=math.dist(a, b) + width, thin=width)


def _candidates(
    nodes: Sequence[Point], pairs: Sequence[Pair], width: float, capital: float, tall: tuple[float, float]
) -> Iterator[tuple[float, Frame]]:
    """Look at each window of a letter's size that begins at nodes: how much ink lies wholly in it, and the box of that ink."""
    high, wide = tall[1] * capital - width, WIDE[1] * capital - width
    seen: set[frozenset[Pair]] = set()
    used = sorted({node for pair in pairs for node in pair})
    short = [pair for pair in pairs if math.dist(nodes[pair[0]], nodes[pair[1]]) <= math.hypot(high, wide)]
    for first in used:
        left = nodes[first][0] - 0.5
        for second in used:
            top = nodes[second][1] - 0.5
            if not (0 <= nodes[second][0] - left <= wide + 1 and 0 <= nodes[first][1] - top <= high + 1):
                continue
            window = (left, top, left + wide + 1, top + high + 1)
            inside = [pair for pair in short if all(_in(window, nodes[node]) for node in pair)]
            for knot in _knots(inside):
                key = frozenset(knot)
                if key not in seen:
                    seen.add(key)
                    box = _letter_box(nodes, knot, width, capital, tall)
                    if box is not None:
                        yield box


def _in(window: Frame, spot: Point) -> bool:
    return window[0] <= spot[0] <= window[2] and window[1] <= spot[1] <= window[3]


def _knots(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Gather strokes that hang together."""
    group = {node: node for pair in pairs for node in pair}

    def root(node: int) -> int:
        while group[node] != node:
            node = group[node]
        return node

    for a, b in pairs:
        group[root(a)] = root(b)
    found: dict[int, list[Pair]] = {}
    for a, b in pairs:
        found.setdefault(root(a), []).append((a, b))
    return [found[key] for key in sorted(found)]


def _letter_box(
    nodes: Sequence[Point], strokes: Sequence[Pair], width: float, capital: float, tall: tuple[float, float]
) -> tuple[float, Frame] | None:
    """Give the ink and the box of a knot if it is as large as a letter."""
    xs = [nodes[node][0] for pair in strokes for node in pair]
    ys = [nodes[node][1] for pair in strokes for node in pair]
    high, wide = max(ys) - min(ys) + width, max(xs) - min(xs) + width
    ink = sum(math.dist(nodes[a], nodes[b]) for a, b in strokes)
    if not tall[0] * capital <= high <= tall[1] * capital or not WIDE[0] * capital <= wide <= WIDE[1] * capital:
        return None
    if ink < INKY * capital or len(strokes) < 3:
        return None
    return ink, (min(xs), min(ys), max(xs), max(ys))


def _overlap(a: Frame, b: Frame) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _cut(piece: Piece, boxes: Sequence[Frame], width: float) -> tuple[list[Piece], list[Piece]]:
    """Cut boxes out of a piece."""
    x, y = piece.box[:2]
    rest, found = piece.mask.copy(), []
    for left, top, right, bottom in boxes:
        more = 0.55 * width
        part = np.zeros_like(rest)
        rows = slice(max(0, math.floor(top - more) - y), math.ceil(bottom + more) + 1 - y)
        columns = slice(max(0, math.floor(left - more) - x), math.ceil(right + more) + 1 - x)
        part[rows, columns] = rest[rows, columns]
        rest[rows, columns] = False
        found += _pieces(part, x, y, 0.2 * width * width)
    return found, _pieces(rest, x, y, width * width)


def _pieces(mask: Mask, x: int, y: int, least: float) -> list[Piece]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = []
    for index in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats[index])
        if area >= least:
            part = labels[top : top + high, left : left + wide] == index
            found.append(piece_of((left + x, top + y, left + wide + x, top + high + y), part, area))
    return found
