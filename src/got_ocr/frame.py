"""The frame that somebody drew on a page in red, green or blue: where it is, and what lies inside it.

For models that read strips of text and cannot be told a colour. Frames may be thin, tilted, broken, softened by JPEG, or cross
text of their own colour; one side may be missing. Knows no model, prompt or file.

How it works: pixels of the colour -> long thin runs -> straight segments -> pairs of opposite segments are candidates, and each is
judged by how much of its four sides is drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from got_ocr import tiles
from got_ocr.shrink import shrunk
from got_ocr.task import Color, Task

Mask = NDArray[np.bool_]
Inside = tuple[int, int, int, int]  # left, top, right, bottom
Run = tuple[int, int, int, int]  # row, start, stop, pixels of the colour

WORKING_SIDE = 2600  # pixels; larger pictures are searched in a smaller copy
# How much stronger than the paper's a colour must be; the weaker is tried where the stronger shows no frame.
LEVELS = (52, 26)
GAP = 6  # pixels that a run may lack
LEAST = (16, 12)  # shortest horizontal and vertical side, in pixels
MOST_RUNS, MOST_SEGMENTS = 3000, 48  # the longest ones; a page in coloured letters has tens of thousands
WHOLE_SIDE, MOST_MEAN = 0.75, 0.8  # a drawn side, and the least mean over the four
# A frame so low or narrow may be made of coloured letters: three sides must be whole, the lines solid, and it must stand alone.
SMALL, DENSE = 64, 0.85


@dataclass(frozen=True, slots=True)
class _Segment:
    """A thin straight line along one axis: from `start` to `end`, at `at` in its middle, rising by `slope`.

    dense: the share of its runs that has the colour; where it is low, the line may be a row of letters.
    """

    start: float
    end: float
    at: float
    slope: float
    thick: float
    dense: float

    def where(self, place: float) -> float:
        """Say where the line lies across its axis at a place along it."""
        return self.at + self.slope * (place - (self.start + self.end) / 2)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame by its corners: (4, 2) x and y, from the top left one clockwise. thick: of its line, in pixels."""

    corners: NDArray[np.float64]
    thick: float
    covered: float

    @property
    def inside(self) -> Inside:
        """Box what the frame holds, without its line: (left, top, right, bottom)."""
        x, y = self.corners[:, 0], self.corners[:, 1]
        near, far = self.thick / 2 + 0.5, 0.5 - self.thick / 2  # corners are middles of pixels, boxes their edges
        left, right = (x[0] + x[3]) / 2 + near, (x[1] + x[2]) / 2 + far
        top, bottom = (y[0] + y[1]) / 2 + near, (y[2] + y[3]) / 2 + far
        return round(left), round(top), round(right), round(bottom)

    @property
    def around(self) -> float:
        """Measure its length."""
        return float(np.abs(np.diff(self.corners, axis=0, append=self.corners[:1])).max(1).sum())


def narrow(picture: Image.Image, task: Task) -> tuple[Image.Image, tuple[str, ...]]:
    """Cut an upright RGB picture to the part that a task is about, for a model that cannot be told; returns notices beside it.

    A box is cut out, even one that was to be named in the prompt; there a point has no area, so the whole picture stays.
    """
    if task.color is not None:
        cut, notice = crop(picture, task.color)
        return cut, (notice,)
    if task.box is None:
        return picture, ()
    if len(task.box) == 2 and task.box_mode == "prompt":
        return picture, ("untrained_mode:box",)
    return tiles.region(picture, task.box), ()


def crop(picture: Image.Image, color: Color) -> tuple[Image.Image, str]:
    """Cut an RGB picture to the inside of the frame of a colour; what of the frame is still in the cut becomes paper.

    Returns the picture and the notice `frame_found:x1,y1,x2,y2`; the whole picture and `frame_not_found` where there is none.
    """
    box = find(picture, color)
    if box is None:
        return picture, "frame_not_found"
    cut = picture.crop(box)
    _clean(cut, color)
    return cut, f"frame_found:{','.join(map(str, box))}"


def find(picture: Image.Image, color: Color) -> Inside | None:
    """Find the inside of the frame of a colour, in pixels of the RGB picture; None where no frame is seen.

    Of several frames the one that is drawn best counts, and among equals the largest.
    """
    small, shrink = shrunk(picture, max(picture.size), WORKING_SIDE)
    strength = _strength(small, color)
    for level in LEVELS:
        frame = _best(strength > level)
        if frame is not None:
            left, top, right, bottom = (value * shrink for value in frame.inside)
            box = (
                max(0, int(left)),
                max(0, int(top)),
                min(picture.width, round(right)),
                min(picture.height, round(bottom)),
            )
            return box if box[0] < box[2] and box[1] < box[3] else None
    return None


def _strength(picture: Image.Image, color: Color) -> NDArray[np.int16]:
    """Measure how much more of the colour each pixel has than of both others, beyond what the paper has."""
    pixels = np.asarray(picture, dtype=np.int16)
    order = {"red": (0, 1, 2), "green": (1, 0, 2), "blue": (2, 0, 1)}[color]
    main, second, third = (pixels[:, :, i] for i in order)
    away = main - np.maximum(second, third)
    tinted = np.abs(second - third) * 5 > away * 6  # orange is no red, and violet no blue
    away = np.where(tinted & (away > 0), 0, away).astype(np.int16)
    paper = int(np.median(away[::7, ::7]))
    return away - np.int16(max(0, paper))


def _clean(cut: Image.Image, color: Color) -> None:
    """Paint over the rests of a tilted or soft frame along the edges: the colour, and what it left on its neighbours."""
    strength = _strength(cut, color)
    reach = 2 + max(2, round(0.02 * max(cut.size)))
    edge = np.zeros(strength.shape, dtype=bool)
    for side in (edge, edge.T):
        side[:reach] = side[-reach:] = True
    pixels = np.asarray(cut)
    paper = tuple(int(v) for v in np.median(pixels.reshape(-1, 3)[:: max(1, pixels.size // 60000)], axis=0))
    rest = Image.fromarray((_line_like(strength > LEVELS[1]) & edge).astype(np.uint8) * 255)
    cut.paste(paper, (0, 0), rest)


def _line_like(mask: Mask) -> Mask:
    """Keep the pixels of runs that are longer than letters are wide, grown by a pixel."""
    kept = np.zeros(mask.shape, dtype=bool)
    for view, out in ((mask, kept), (mask.T, kept.T)):
        runs = _runs(view, 0.2 * view.shape[1])
        for row, start, stop, _ in runs.tolist():
            out[max(0, row - 1) : row + 2, start:stop] = True
    return kept


def _best(mask: Mask) -> Frame | None:
    """Choose among the frames that a mask of the colour may hold."""
    if not mask.any():
        return None
    found = list(_candidates(mask))
    if not found:
        return None
    most = max(frame.covered for frame in found)
    return max((frame for frame in found if frame.covered > 0.93 * most), key=lambda frame: frame.around)


def _candidates(mask: Mask) -> Iterator[Frame]:
    """Pair opposite segments, across and down, and keep the pairs whose four sides are drawn."""
    for down in (False, True):
        view = mask.T if down else mask
        lines = _segments(view, LEAST[down])
        for one, two in combinations(sorted(lines, key=lambda line: line.at), 2):
            if not _opposite(one, two, LEAST[not down]):
                continue
            frame = _frame(view, one, two)
            if frame is not None:
                yield Frame(frame.corners[[0, 3, 2, 1], ::-1], frame.thick, frame.covered) if down else frame


def _opposite(one: _Segment, two: _Segment, least: int) -> bool:
    """Say whether two segments may be opposite sides: alike in place and slope, and apart."""
    shared = min(one.end, two.end) - max(one.start, two.start)
    longest = max(one.end, two.end) - min(one.start, two.start)
    lean = 0.05 * (two.at - one.at)  # a tilted frame's lower side is shifted
    return two.at - one.at >= least and shared + lean >= 0.6 * longest and abs(one.slope - two.slope) < 0.03


def _frame(mask: Mask, one: _Segment, two: _Segment) -> Frame | None:
    """Draw four sides through two segments and measure how much of each is there; None where it is too little."""
    slope = (one.slope + two.slope) / 2
    lean = slope * (two.at - one.at) / 2  # the sides between them stand at right angles
    thick = max(one.thick, two.thick)
    left = min(one.start - lean, two.start + lean) + (thick - 1) / 2
    right = max(one.end - lean, two.end + lean) - (thick - 1) / 2
    ends = ((left + lean, one), (right + lean, one), (right - lean, two), (left - lean, two))
    corners = np.array([(x, line.where(x)) for x, line in ends])
    reach = max(2, round(thick / 2) + 1)
    sides = [_drawn(mask, corners[i], corners[(i + 1) % 4], reach) for i in range(4)]
    covered = float(np.mean(sides))
    if sum(side >= WHOLE_SIDE for side in sides) < 3 or (covered < MOST_MEAN and min(sides) > 0.3):
        return None
    size = sorted((two.at - one.at, right - left))
    if size[0] < SMALL and (min(one.dense, two.dense) < DENSE or sorted(sides)[1] < 0.93):
        return None
    if size[1] < SMALL and _crowded(mask, corners, reach):
        return None
    return Frame(corners, thick, covered)


def _crowded(mask: Mask, corners: NDArray[np.float64], reach: int) -> bool:
    """Say whether the colour goes on right outside of the corners, as it does around a letter of a word."""
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    gap, far = reach + 1, reach + 6
    outer = mask[max(0, int(top) - far) : int(bottom) + far + 1, max(0, int(left) - far) : int(right) + far + 1]
    inner = mask[max(0, int(top) - gap) : int(bottom) + gap + 1, max(0, int(left) - gap) : int(right) + gap + 1]
    return int(outer.sum()) - int(inner.sum()) > 0.05 * (outer.size - inner.size)


def _drawn(mask: Mask, start: NDArray[np.float64], end: NDArray[np.float64], reach: int) -> float:
    """Measure which share of a side is drawn, give or take `reach` pixels across it; an end may be soft."""
    away = end - start
    count = max(8, min(256, int(np.abs(away).max())))
    places = start + np.linspace(0.02, 0.98, count)[:, None] * away
    across = np.arange(-reach, reach + 1)
    flat = abs(away[0]) >= abs(away[1])
    x = np.round(places[:, :1] + (0 if flat else across)).astype(np.int64)
    y = np.round(places[:, 1:] + (across if flat else 0)).astype(np.int64)
    x, y = np.broadcast_arrays(x, y)
    known = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    hit = mask[y.clip(0, mask.shape[0] - 1), x.clip(0, mask.shape[1] - 1)] & known
    return float(hit.any(1).mean())


def _segments(mask: Mask, least: int) -> list[_Segment]:
    """Gather runs of neighbouring rows into thin straight segments, the longest MOST_SEGMENTS; broken ones are also joined."""
    groups: list[list[Run]] = []
    near: list[list[Run]] = []
    for row, start, stop, filled in _runs(mask, least).tolist():
        near = [group for group in near if group[-1][0] >= row - 2]
        run = (row, start, stop, filled)
        home = next((group for group in near if any(_continues(run, other) for other in group[-3:])), None)
        if home is None:
            home = []
            groups.append(home)
            near.append(home)
        home.append(run)
    limit = max(12.0, 0.012 * max(mask.shape))
    lines = [line for line in map(_fit, groups) if line.thick <= limit and abs(line.slope) < 0.08]
    lines.sort(key=lambda line: line.start - line.end)
    lines = lines[:MOST_SEGMENTS]
    return lines + _joined(lines)


def _continues(run: Run, other: Run) -> bool:
    """Say whether a run goes on with the line of another: they meet and are of like length; a thick side meets the next one too."""
    shorter, longer = sorted((run[2] - run[1], other[2] - other[1]))
    return run[1] <= other[2] and other[1] <= run[2] and shorter >= 0.25 * longer


def _fit(runs: list[Run]) -> _Segment:
    """Lay a line through runs by least squares."""
    row, start, stop, filled = np.array(runs, dtype=np.float64).T
    size, middle = stop - start, (start + stop - 1) / 2
    x, y = np.average(middle, weights=size), np.average(row, weights=size)
    spread = float((size * ((middle - x) ** 2 + size**2 / 12)).sum())
    slope = float((size * (middle - x) * (row - y)).sum()) / max(spread, 1.0)
    first, last = float(start.min()), float(stop.max() - 1)
    at = float(y) + slope * ((first + last) / 2 - float(x))
    return _Segment(first, last, at, slope, float(filled.sum()) / (last - first + 1), float(filled.sum() / size.sum()))


def _joined(lines: list[_Segment]) -> list[_Segment]:
    """Join pieces of one broken side: those that lie on each other's line."""
    joined: list[_Segment] = []
    for one, two in combinations(lines, 2):
        first, second = (one, two) if one.start <= two.start else (two, one)
        gap = second.start - first.end
        if 0 < gap < 1.5 * (first.end - first.start + second.end - second.start) and (
            abs(first.where(second.start) - second.where(second.start)) <= 4
            and abs(second.where(first.end) - first.where(first.end)) <= 4
        ):
            ends = (first.start, second.end)
            rise = (second.where(ends[1]) - first.where(ends[0])) / (ends[1] - ends[0])
            at = (second.where(ends[1]) + first.where(ends[0])) / 2
            joined.append(_Segment(*ends, at, rise, max(one.thick, two.thick), min(one.dense, two.dense)))
    return joined[:MOST_SEGMENTS]


def _runs(mask: Mask, least: float) -> NDArray[np.int64]:
    """List the runs of each row that are at least `least` long, gaps bridged: (n, 4) row, start, stop, pixels. At most MOST_RUNS."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    step = np.diff(padded, axis=1)
    row, start = np.nonzero(step == 1)
    stop = np.nonzero(step == -1)[1]
    if row.size == 0:
        return np.zeros((0, 4), dtype=np.int64)
    new = np.ones(row.size, dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (start[1:] - stop[:-1] > GAP)
    first = np.flatnonzero(new)
    filled = np.add.reduceat(stop - start, first)
    merged = np.stack([row[first], start[first], np.maximum.reduceat(stop, first), filled], 1).astype(np.int64)
    size = merged[:, 2] - merged[:, 1]
    merged = merged[(size >= least) & (filled > 0.6 * size)]
    if len(merged) > MOST_RUNS:
        longest = np.argsort(merged[:, 1] - merged[:, 2], kind="stable")[:MOST_RUNS]
        merged = merged[np.sort(longest)]
    return merged
