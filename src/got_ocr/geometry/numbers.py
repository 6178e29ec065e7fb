"""A number line: one level line with an arrow head, ticks with numbers below them, points on it. Knows no other drawing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs
from got_ocr.geometry import spelling
from got_ocr.geometry.ink import Seen, longest_piece
from got_ocr.geometry.texts import SIDES, Text
from got_ocr.labels import Label

LONG = 0.6  # of the picture's longer side that the line has at least
FULL = 0.6  # of the line's length that a row of it is drawn
HEAD = 0.3  # units at the right end that the arrow head takes up
TICK = 0.7  # of the highest mark: a tick is as high
DOT, BROAD = 0.02, 0.07  # units that a point is higher than the line, and how wide it is
EVEN = 0.12  # units by which a tick may be off
BEYOND, NEARLY = 0.6, 0.2  # units of the line before its first tick and behind its last; how exactly
NEAR = 0.45  # units between a point and its name


@dataclass(frozen=True, slots=True)
class Line:
    """ticks: how many there are. first: place of the first one. unit: between two. dots: in units from the first."""

    ticks: int
    first: complex
    unit: float
    dots: tuple[float, ...]

    def place(self, units: float) -> complex:
        """Give a place on the line in pixels, y upwards. units: from the first tick."""
        return self.first + units * self.unit


@dataclass(frozen=True, slots=True)
class NumberLine:
    """What was seen of a number line. labels: strips of its texts."""

    labels: tuple[Label, ...]
    line: Line
    texts: tuple[Text, ...]

    def write(self, answers: Sequence[str]) -> str:
        """Write it down as TikZ. answers: what was read of each label; empty where no number tells where zero is."""
        line = self.line
        told = list(zip(self.texts, answers, strict=False))
        low = _low(line, told)
        if low is None:
            return ""
        high = low + line.ticks - 1
        names = _names(line, told)
        named = sorted(names, key=lambda dot: names[dot][0])
        numbers = ",".join(str(n) for n in range(low, high + 1))
        ends = f"({low - BEYOND:.1f},0)--({high + BEYOND:.1f},0)"
        rows = [rf"\coordinate ({names[dot][0]}) at {spelling.spot(complex(low + dot, 0))};" for dot in named]
        rows.append(rf"\draw[->] {ends};")
        rows.append(rf"\foreach \x in {{{numbers}}} \draw (\x,0.1)--(\x,-0.1) node[below] {{$\x$}};")
        rows += [rf"\fill ({names[dot][0]}) circle (1.5pt);" for dot in named]
        rows += [
            rf"\fill {spelling.spot(complex(low + dot, 0))} circle (1.5pt);" for dot in line.dots if dot not in names
        ]
        rows += [rf"\node[{side}] at ({name}) {{{spelling.formula(name)}}};" for name, side in map(names.get, named)]  # type: ignore[misc]
        return "\n".join([r"\begin{tikzpicture}", *rows, r"\end{tikzpicture}"])


def find_line(seen: Seen) -> Line | None:
    """Find the one line with its ticks; None where there is none."""
    count, places, stats, _ = cv2.connectedComponentsWithStats(
        (seen.drawn | seen.written).view(np.uint8), connectivity=8
    )
    if count < 2:
        return None
    piece, left, top = longest_piece(places, stats)
    height, width = piece.shape
    if width < LONG * max(places.shape) or 5 * height > width:
        return None
    full = np.flatnonzero(piece.sum(axis=1) >= FULL * width)
    if not len(full):
        return None
    above, below = piece[: full[0]].sum(axis=0), piece[full[-1] + 1 :].sum(axis=0)
    marks = _marks(above, below)
    if len(marks) < 3:
        return None
    # A point half-way between two ticks looks like one; the first mark is always a tick.
    unit = max(b - a for a, b in pairwise(marks))
    ticks = [x for x in marks if abs((x - marks[0]) / unit - round((x - marks[0]) / unit)) < EVEN]
    if len(ticks) < 3 or len(ticks) != 1 + round((ticks[-1] - ticks[0]) / unit):
        return None
    unit = (ticks[-1] - ticks[0]) / (len(ticks) - 1)
    ends = ticks[0] / unit, (width - 1 - ticks[-1]) / unit
    if max(abs(end - BEYOND) for end in ends) > NEARLY:
        return None
    level = top + (full[0] + full[-1]) / 2
    dots = tuple(round(2 * (x - ticks[0]) / unit) / 2 for x in _dots(above, below, unit) if x < width - HEAD * unit)
    return Line(len(ticks), complex(left + ticks[0], -level), unit, dots)


def _marks(above: NDArray[np.int64], below: NDArray[np.int64]) -> list[float]:
    """Find the places where much stands on the line, above and below alike, but for the head at the right end."""
    both = np.minimum(above, below)
    inner = both[: round(0.95 * len(both))]
    if not len(inner) or inner.max() < 2:
        return []
    return [(a + b - 1) / 2 for a, b in runs(inner >= max(2, TICK * float(np.percentile(inner[inner > 0], 90))))]


def _dots(above: NDArray[np.int64], below: NDArray[np.int64], unit: float) -> list[float]:
    """Find what is as high as a point and wider than a tick."""
    thick = (above >= max(1, DOT * unit)) & (below >= max(1, DOT * unit))
    return [(a + b - 1) / 2 for a, b in runs(thick) if b - a >= BROAD * unit]


def _low(line: Line, told: Sequence[tuple[Text, str]]) -> int | None:
    """Say which number the first tick has, by most of the numbers below."""
    votes: Counter[int] = Counter()
    for text, answer in told:
        away = (text.middle - line.first) / line.unit
        word = answer.strip().strip("$").replace("−", "-").replace("–", "-").replace(" ", "")
        if away.imag < 0 and word.removeprefix("-").isdecimal() and len(word) < 4:
            votes[int(word) - round(away.real)] += 1
    best = votes.most_common(1)
    return best[0][0] if best and 2 * best[0][1] > line.ticks - 2 else None


def _names(line: Line, told: Sequence[tuple[Text, str]]) -> dict[float, tuple[str, str]]:
    """Find the names of points: by their places, with the side on which each stands."""
    names: dict[float, tuple[str, str]] = {}
    for text, answer in told:
        name = spelling.name_of(answer)
        if not name or text.middle.imag < line.first.imag:
            continue
        ways = [(abs(text.place(side, line.unit) - line.place(dot)), dot, side) for dot in line.dots for side in SIDES]
        off, dot, side = min(ways, default=(line.unit, 0.0, ""))
        if off < NEAR * line.unit and dot not in names and all(name != other for other, _ in names.values()):
            names[dot] = name, side
    return names
