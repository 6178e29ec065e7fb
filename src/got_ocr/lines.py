"""Picture -> text lines: the tiling of models that read one line a tile. Knows no model weights, prompt or file.

A projection-profile method: local paper colour, ink mask, skew, rows of ink, one strip for each row, dark on white, scaled to the
tile's height. The same code cuts pictures for training and for reading, so both see the same strips. A picture that a text fills is
looked at again by its colours (`ground.py`) and unbent (`bend.py`).
Strips go from top to bottom, one text column after another (`columns.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from got_ocr.bend import straightened
from got_ocr.columns import reading_order, runs, without_specks
from got_ocr.ground import ink_on_ground
from got_ocr.shrink import shrunk
from got_ocr.spec import ModelSpec

Box = tuple[int, int, int, int]  # left, top, right, bottom
Ink = NDArray[np.uint8]  # (height, width), 0 paper .. 255 ink

WORKING_SIDE = 2600  # pixels; larger pictures are shrunk before the search, since a strip is 32 pixels high anyway
MARGIN = 0.09  # white above and below the ink, as a fraction of the strip's height
SQUEEZE = 1.5  # a line may be this much wider than the tile before it is cut in two
INK = 100  # of 255: what counts as drawn
EVEN = 48  # grey levels by which paper may vary and still be called even
SOFT_EDGE = 2  # rows beside a line that still hold the soft edge of its strokes
RULE, LONG = (
    0.25,
    6,
)  # of the usual height of a line: what is lower and longer is a rule, over a footnote or under a heading
WIDTH_STEP = 64  # strips are padded to a multiple of this many pixels, so that strips of like widths share a batch
BARE = 0.2  # of the ink of full rows that rows between touching lines may have
FEW = 4  # strips, at most, of a picture that may hold a single text
FILLED = 0.3  # of the picture's height that its tallest strip has, at least
MOST_STRIPS = 600  # of one picture: more than any page of text has; a pattern of dots could have tens of thousands


@dataclass(frozen=True, slots=True)
class Strip:
    """One text line: an RGB tile, dark on white, and where it was found: (left, top, right, bottom) of the picture's pixels.

    Boxes are those of the levelled picture; with skew they are off by the height of the slope. joins: it goes on with the row of the
    strip before it, which was too wide for one tile.
    """

    tile: Image.Image
    box: tuple[int, int, int, int]
    joins: bool = False


def cut_lines(picture: Image.Image, spec: ModelSpec) -> list[Strip]:
    """Find the text lines of an RGB picture from top to bottom, MOST_STRIPS at most. A blank picture has none."""
    picture, shrink = shrunk(picture, max(picture.size), WORKING_SIDE)
    ink, mask = level(ink_of(picture))
    strips = _strips(ink, mask, reading_order(without_specks(mask)), spec, shrink)
    tall, tallest = picture.height * shrink, max((strip.box[3] - strip.box[1] for strip in strips), default=0)
    if strips and (len(strips) > FEW or tallest < FILLED * tall):
        return strips
    # No page, but a text that fills its picture: a sign or a line by itself, on ground that may be anything.
    found = ink_on_ground(picture)
    if found is None:
        return strips
    ink, smaller = straightened(found[0]), found[1]
    alone = _strips(ink, ink > INK, [(0, 0, ink.shape[1], ink.shape[0])], spec, shrink * smaller)
    return alone if 0 < len(alone) <= max(1, len(strips)) else strips


def _strips(ink: Ink, mask: NDArray[np.bool_], parts: list[Box], spec: ModelSpec, shrink: float) -> list[Strip]:
    """Cut the parts of a picture's ink into strips. shrink: how many times smaller it is than what boxes are told for."""
    strips: list[Strip] = []
    for left, top, right, bottom in parts:
        part = (slice(top, bottom), slice(left, right))
        for tile, box, joins in _part_lines(ink[part], mask[part], spec):
            if len(strips) == MOST_STRIPS:
                return strips
            there = (box[0] + left, box[1] + top, box[2] + left, box[3] + top)
            x0, y0, x1, y1 = (round(value * shrink) for value in there)
            strips.append(Strip(tile, (x0, y0, x1, y1), joins))
    return strips


def _part_lines(ink: Ink, mask: NDArray[np.bool_], spec: ModelSpec) -> Iterator[tuple[Image.Image, Box, bool]]:
    """Find the lines of one column, from top to bottom: (tile, box in the part's pixels, whether it goes on with the row before)."""
    rows = row_spans(mask)
    # Lines of one picture mostly share one size: a line without ascenders or descenders is not blown up.
    usual = float(np.median([bottom - top for top, bottom in rows])) if rows else 0.0
    for i, (top, bottom) in enumerate(rows):
        if _is_rule(mask[top:bottom], usual):
            continue
        height = even_height(bottom - top, usual)
        above = max(rows[i - 1][1] if i else 0, top - SOFT_EDGE)
        below = min(rows[i + 1][0] if i + 1 < len(rows) else ink.shape[0], bottom + SOFT_EDGE)
        for part, (left, right) in enumerate(_column_spans(mask[top:bottom], spec, height)):
            yield strip_tile(ink[above:below], (left, right), height, spec), (left, top, right, bottom), part > 0


def ink_of(picture: Image.Image) -> Ink:
    """Measure how far each pixel is from the paper around it, stretched so that the darkest 1 % of ink is 255."""
    grey = picture.convert("L")
    # The paper is what a wide median sees; on a small copy, since a median over many pixels is slow.
    small = grey.copy()
    small.thumbnail((192, 192), Image.Resampling.BILINEAR)
    flat = np.asarray(small)
    middle = float(np.median(flat))
    paper = _paper(flat, middle)
    full = np.asarray(Image.fromarray(paper).resize(grey.size, Image.Resampling.BILINEAR), dtype=np.int16)
    away = np.abs(np.asarray(grey, dtype=np.int16) - full)
    strong = away[away > 24]
    top = float(np.percentile(strong[:: max(1, strong.size // 20000)], 90)) if strong.size else 255.0
    ink: Ink = np.clip(away * (255.0 / max(top, 24.0)), 0, 255).astype(np.uint8)
    return ink


def _paper(flat: NDArray[np.uint8], middle: float) -> NDArray[np.uint8]:
    """Estimate the paper's brightness everywhere on a small grey copy. middle: its median."""
    shaded = _shading(flat)
    low, high = np.percentile(shaded, (2, 98))
    if high - low > EVEN:
        return shaded
    # Slow shading only: pixels far from the overall paper colour (ink) do not pull it.
    near = np.where(np.abs(flat - middle) < 40, flat, middle).astype(np.uint8)
    return np.asarray(Image.fromarray(near).filter(ImageFilter.BoxBlur(12)))


def _shading(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Follow paper that darkens towards an edge or a corner: what most of a neighbourhood outshines is ink."""
    blurred = np.asarray(Image.fromarray(flat).filter(ImageFilter.BoxBlur(8)), dtype=np.int64)
    lighter = ((flat - blurred) ** 3).sum() > 0  # what stands out is lighter than the paper around it
    share = 0.2 if lighter else 0.8
    small = Image.fromarray(flat).resize((max(1, flat.shape[1] // 2), max(1, flat.shape[0] // 2)), Image.Resampling.BOX)
    around = 9
    ranked = small.filter(ImageFilter.RankFilter(around, int(share * (around * around - 1))))
    wide = ranked.filter(ImageFilter.BoxBlur(around // 2))
    return np.asarray(wide.resize((flat.shape[1], flat.shape[0]), Image.Resampling.BILINEAR))


def level(ink: Ink) -> tuple[Ink, NDArray[np.bool_]]:
    """Undo a small slope of the lines; return the ink and where it counts as ink."""
    mask = ink > INK
    slope = _slope(mask)
    if abs(slope) * ink.shape[1] < 2:
        return ink, mask
    width = ink.shape[1]
    pad = int(abs(slope) * width / 2) + 1
    image = Image.fromarray(np.pad(ink, ((pad, pad), (0, 0))))
    # y' = y + slope * (x - width / 2): a shear, which for a degree or two is as good as a rotation.
    data = (1, 0, 0, slope, 1, -slope * width / 2)
    image = image.transform(image.size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    ink = np.asarray(image)
    return ink, ink > INK


def _slope(mask: NDArray[np.bool_], limit: float = 0.06, step: float = 0.004) -> float:
    """Find the slope under which rows of ink are sharpest, in pixels down per pixel right."""
    places_y, places_x = np.nonzero(mask)
    if places_y.size < 50:
        return 0.0
    pick = slice(None, None, max(1, places_y.size // 15000))
    ys, xs = places_y[pick].astype(np.float32), places_x[pick] - np.float32(mask.shape[1] / 2)

    def sharpness(slope: float) -> float:
        rows = np.bincount(((ys - slope * xs) - (ys.min() - limit * mask.shape[1])).astype(np.int64).clip(0))
        return float((rows.astype(np.float64) ** 2).sum())

    tries = np.arange(-limit, limit + step / 2, step)
    best = max(tries, key=lambda s: sharpness(float(s)) * (1 - 0.2 * abs(s)))
    fine = np.arange(best - step, best + step * 1.01, step / 4)
    return float(max((*fine, 0.0), key=lambda s: sharpness(float(s)) * (1.01 if s == 0 else 1)))


def row_spans(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Find the rows of text: (top, bottom) with ink between, from top to bottom."""
    profile = mask.sum(1).astype(np.float64)
    noise = max(1.0, 0.003 * mask.shape[1]) if profile.max(initial=0) > 6 else 0.0
    spans = runs(profile > noise)
    spans = [span for span in spans if span[1] - span[0] >= 2 or profile[span[0] : span[1]].max() > 4]
    if not spans:
        return []
    spans = [part for span in spans for part in _split_tall(profile, span, spans)]
    return _join_marks(profile, spans)


def _split_tall(
    profile: NDArray[np.float64], span: tuple[int, int], spans: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Cut a run of rows that holds several touching lines, where its profile repeats."""
    top, bottom = span
    height = bottom - top
    if height < 24:
        return [span]
    rows = profile[top:bottom]
    pitch = _pitch(rows)
    if pitch is None:
        return [span]
    count = max(1, round(height / pitch))
    cuts, smooth = [0], np.convolve(rows, np.ones(3) / 3, "same")
    for _ in range(count - 1):
        low, high = cuts[-1] + int(0.6 * pitch), cuts[-1] + int(1.4 * pitch) + 1
        if high >= height - int(0.35 * pitch):
            high = height - int(0.35 * pitch)
        if high <= low:
            break
        cuts.append(low + int(np.argmin(smooth[low:high])))
    if len(cuts) > 1 and np.median(smooth[cuts[1:]]) > BARE * np.percentile(rows, 90):
        return [span]  # through the letters of one line, whose feet and heads repeat as well
    cuts.append(height)
    return [(top + a, top + b) for a, b in pairwise(cuts)]


def _pitch(rows: NDArray[np.float64]) -> float | None:
    """Measure the line distance inside a tall run by autocorrelation; None where nothing repeats deeply."""
    centred = rows - rows.mean()
    power = np.fft.rfft(centred, 2 * rows.size)
    auto = np.fft.irfft(power * np.conj(power))[: rows.size]
    if auto[0] <= 0:
        return None
    auto = auto / auto[0] * (rows.size / (rows.size - np.arange(rows.size)))
    end = int(rows.size * 0.62)
    peaks = [i for i in range(10, end) if auto[i] > 0.35 and auto[i] == auto[max(0, i - 4) : i + 5].max()]
    if not peaks:
        return None
    pitch = peaks[0]
    # A real gap between lines is deep; strokes inside one line (x-height against capitals) are not.
    edge = np.convolve(rows, np.ones(3) / 3, "same")
    valley = edge[int(0.5 * pitch) : int(1.5 * pitch)].min()
    return float(pitch) if valley < 0.3 * np.percentile(rows, 90) else None


def _join_marks(profile: NDArray[np.float64], spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give low runs that are no lines (dots, accents, underlines) to the nearest line, or drop specks."""
    heights = sorted(b - a for a, b in spans)
    typical = heights[(len(heights) * 3) // 4]
    lines: list[tuple[int, int]] = []
    for i, (top, bottom) in enumerate(spans):
        low = bottom - top < 0.34 * typical
        if not low:
            lines.append((top, bottom))
            continue
        above = top - lines[-1][1] if lines else 10**9
        below = spans[i + 1][0] - bottom if i + 1 < len(spans) else 10**9
        near = min(above, below)
        if near > 0.45 * typical:
            if profile[top:bottom].sum() > 0.15 * typical**2:
                lines.append((top, bottom))
        elif above <= below:
            lines[-1] = (lines[-1][0], bottom)
        else:
            spans[i + 1] = (top, spans[i + 1][1])
    return lines


def _reach(mask: NDArray[np.bool_], height: int) -> tuple[int, int]:
    """Find where the ink of a row begins and ends, without specks of dirt far from its text."""
    inked = mask.sum(0)
    found = runs(inked > 0)
    speck, far = max(4.0, 0.02 * height**2), 1.5 * height
    while len(found) > 1 and inked[slice(*found[0])].sum() <= speck and found[1][0] - found[0][1] > far:
        found = found[1:]
    while len(found) > 1 and inked[slice(*found[-1])].sum() <= speck and found[-1][0] - found[-2][1] > far:
        found = found[:-1]
    return (found[0][0], found[-1][1]) if found else (0, 0)


def _column_spans(mask: NDArray[np.bool_], spec: ModelSpec, height: int) -> list[tuple[int, int]]:
    """Find where a line's ink begins and ends; cut at the widest gaps what is too wide for a tile."""
    left, right = _reach(mask, height)
    if left == right:
        return []
    room = int(spec.tile[1] * SQUEEZE * height * (1 + 2 * MARGIN) / spec.line)
    parts = -(-(right - left) // max(room, 1))
    if parts == 1:
        return [(left, right)]
    gaps = runs(mask[:, left:right].sum(0) == 0)
    edges = [left]
    for k in range(1, parts):
        goal = left + (right - left) * k // parts
        reach = (right - left) / parts / 2
        near = [g for g in gaps if abs(left + sum(g) / 2 - goal) < reach]
        best = max(near, key=lambda g: g[1] - g[0], default=(goal - left, goal - left))
        edges.append(left + sum(best) // 2)
    edges.append(right)
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _is_rule(row: NDArray[np.bool_], usual: float) -> bool:
    """Say whether a row is a ruled line and no text: low, and drawn through over the width of many letters."""
    unbroken = max((b - a for a, b in runs(np.any(row, axis=0))), default=0)
    return row.shape[0] <= RULE * usual and unbroken >= LONG * usual


def even_height(height: int, usual: float) -> int:
    """Give a line the usual height where only ascenders or descenders are missing."""
    return round(usual) if 0.5 * usual < height < usual else height


def strip_tile(row: Ink, span: tuple[int, int], height: int, spec: ModelSpec) -> Image.Image:
    """Cut one line out of its rows, scale it to the tile's height, turn it dark on white, pad it on the right."""
    (left, right), tall, wide = span, spec.line, spec.tile[1]
    height = max(height, 1)
    room = height * MARGIN / (1 - 2 * MARGIN)
    scale = tall / (height + 2 * room)
    width = min(wide, max(spec.cell[1], round((right - left + 2 * room) * scale)))
    middle = row.shape[0] / 2
    area = (left - room, middle - height / 2 - room, right + room, middle + height / 2 + room)
    strip = _cut(row, area, (width, tall))
    step = max(WIDTH_STEP, spec.cell[1])
    padded = Image.new("L", (min(wide, -(-width // step) * step), tall), 255)
    padded.paste(ImageOps.invert(strip), (0, 0))
    return padded.convert("RGB")


def _cut(ink: Ink, area: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image:
    """Resample an area that may reach over the edge (there is paper) to `size`."""
    x0, y0 = int(np.floor(area[0])), int(np.floor(area[1]))
    x1, y1 = int(np.ceil(area[2])), int(np.ceil(area[3]))
    image = Image.fromarray(ink).crop((x0, y0, x1, y1))  # outside is 0, which is paper
    local = (area[0] - x0, area[1] - y0, area[2] - x0, area[3] - y0)
    return image.resize(size, Image.Resampling.BICUBIC, box=local)
