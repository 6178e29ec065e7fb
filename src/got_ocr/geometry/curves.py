"""Ink of a drawing -> its circles, level ellipses and arcs of both. Knows no name and no mark.

Three points make a circle and four a level ellipse: many are tried by luck with a fixed seed, the best is fitted to the ink around it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.columns import runs
from got_ocr.geometry.ink import Grey, Mask, Seen
from got_ocr.geometry.lines import GAP, SOLID, Peeler, broken

TRIES = 1500
SAMPLE = 300  # points that each try is held against
SMALLEST, LARGEST = 0.85, 9.0  # centimetres of a radius
LEAST = 1.1  # centimetres of ink on a curve
FAVOUR = 1.22  # times as much ink an ellipse must explain than a circle
FEWEST = 4  # points on a curve, weighted by the share of it that is drawn
LEAST_TURN = 36  # degrees of an arc
SPECK = 0.025  # centimetres of the smallest piece of ink, such as a dot of a dotted circle
WHOLE = 0.62  # of a turn that is drawn, of a curve that goes all around
FRESH = 0.55  # of the ink of an arc that no line has taken
MOST_CURVES = 8
STEPS = 720


@dataclass(frozen=True, slots=True)
class Arc:
    """A piece of a curve from angle to angle, counter-clockwise in a plane with y upwards; degrees. whole: all around."""

    center: complex
    rx: float
    ry: float
    first: float
    last: float
    dash: str
    weight: float

    @property
    def whole(self) -> bool:
        """Say whether it is closed."""
        return self.last - self.first >= 359.5

    @property
    def round(self) -> bool:
        """Say whether it is a piece of a circle."""
        return self.rx == self.ry

    def at(self, degrees: float) -> complex:
        """Give the place at an angle, with y upwards."""
        t = np.radians(degrees)
        return self.center + complex(self.rx * np.cos(t), self.ry * np.sin(t))


def find_arcs(peeler: Peeler, seen: Seen, loose: float, closed: bool = False) -> list[Arc]:
    """Find curves in what no line has taken, and take them. closed: only what goes all around."""
    rng = np.random.default_rng(0)
    found: list[Arc] = []
    for _ in range(MOST_CURVES):
        points = _points(peeler.left, seen)
        if len(points) * 1.0 < LEAST * seen.unit:
            break
        shape = _guess(points, seen, rng, 1.3 + 0.3 * seen.stroke + loose)
        if shape is None:
            break
        arcs = _arcs(shape, peeler, seen, loose)
        drawn = sum((arc.last - arc.first) / 360 * 2 * np.pi * max(arc.rx, arc.ry) for arc in arcs)
        if drawn < LEAST * seen.unit or (closed and not any(arc.whole for arc in arcs)):
            break
        found += arcs
        for arc in arcs:
            take_arc(peeler, arc, seen, loose)
    return found


def _points(left: Grey, seen: Seen) -> NDArray[np.float64]:
    """List the middle of strokes, as (x, y)."""
    mask = left > 1.6 * seen.level
    _, places, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    large = stats[:, 2:4].max(axis=1) >= SPECK * seen.unit
    large[0] = False
    soft = cv2.GaussianBlur(left, (0, 0), 1.0).astype(np.int16)
    ridge = (soft >= np.roll(soft, 1, 1)) & (soft >= np.roll(soft, -1, 1))
    ridge |= (soft >= np.roll(soft, 1, 0)) & (soft >= np.roll(soft, -1, 0))
    ys, xs = np.nonzero(mask & ridge & large[places])
    return np.stack([xs, ys], axis=1).astype(np.float64)


Shape = tuple[complex, float, float]


def _guess(points: NDArray[np.float64], seen: Seen, rng: np.random.Generator, reach: float) -> Shape | None:
    """Try circles and ellipses through points chosen by luck."""
    some = points[rng.permutation(len(points))[:SAMPLE]]
    best: tuple[float, Shape] | None = None
    for maker, size, dear in ((_circles, 3, 1.0), (_ellipses, 4, FAVOUR)):
        picks = some[rng.integers(0, len(some), (TRIES, size))]
        shapes = maker(picks)
        with np.errstate(all="ignore"):
            good = np.isfinite(shapes).all(1) & (shapes[:, 2:] > SMALLEST * 0.3 * seen.unit).all(1)
            good &= (shapes[:, 2:] < LARGEST * seen.unit).all(1) & (shapes[:, 2] > SMALLEST * seen.unit)
        shapes = shapes[good]
        if not len(shapes):
            continue
        dx = (some[None, :, 0] - shapes[:, None, 0]) / shapes[:, None, 2]
        dy = (some[None, :, 1] - shapes[:, None, 1]) / shapes[:, None, 3]
        level = np.sqrt(dx * dx + dy * dy)
        slope = np.sqrt((dx / shapes[:, None, 2]) ** 2 + (dy / shapes[:, None, 3]) ** 2) / np.maximum(level, 1e-9)
        near = np.abs(level - 1) / np.maximum(slope, 1e-9) < reach
        # One curve whose ink goes around is likelier than a larger one that takes parts of two with it.
        share = near.sum(1) * (len(points) / len(some)) / _around(shapes[:, 2], shapes[:, 3])
        counts = near.sum(1) / dear * np.sqrt(np.minimum(share, 1.0))
        top = int(counts.argmax())
        if best is None or counts[top] > best[0]:
            cx, cy, rx, ry = shapes[top]
            best = float(counts[top]), (complex(cx, cy), float(rx), float(ry))
    return best[1] if best and best[0] >= FEWEST else None


def _around(rx: NDArray[np.float64], ry: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure the way around ellipses, about."""
    return np.pi * np.sqrt(2 * (rx * rx + ry * ry))


def _circles(picks: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = picks[:, 0], picks[:, 1], picks[:, 2]
    ab, ac = b - a, c - a
    with np.errstate(all="ignore"):
        d = 2 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])
        sb, sc = (ab**2).sum(1), (ac**2).sum(1)
        x = (ac[:, 1] * sb - ab[:, 1] * sc) / d
        y = (ab[:, 0] * sc - ac[:, 0] * sb) / d
        r = np.hypot(x, y)
    return np.stack([a[:, 0] + x, a[:, 1] + y, r, r], axis=1)


def _ellipses(picks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve x^2 + b y^2 + c x + d y + e = 0 through four points each."""
    origin = picks[:, :1]
    p = picks - origin
    x, y = p[:, :, 0], p[:, :, 1]
    matrix = np.stack([y * y, x, y, np.ones_like(x)], axis=2)
    determinant = np.linalg.det(matrix)
    matrix[np.abs(determinant) < 1e-3] = np.eye(4)
    b, c, d, e = np.linalg.solve(matrix, -(x * x)[:, :, None])[:, :, 0].T
    with np.errstate(all="ignore"):
        cx, cy = -c / 2, -d / (2 * b)
        k = cx * cx + b * cy * cy - e
        rx, ry = np.sqrt(k), np.sqrt(k / b)
    out: NDArray[np.float64] = np.stack([cx + origin[:, 0, 0], cy + origin[:, 0, 1], rx, ry], axis=1)
    out[np.abs(determinant) < 1e-3] = np.nan
    return out


def unrolled(ink: Grey, shape: Shape, half: float) -> NDArray[np.float32]:
    """Sample the ink along a curve: (offsets, half a pixel apart, outwards; STEPS angles, counter-clockwise from the right)."""
    center, rx, ry = shape
    t = np.arange(STEPS) * (2 * np.pi / STEPS)
    nx, ny = np.cos(t) / rx, np.sin(t) / ry
    norm = np.hypot(nx, ny)
    aside = np.arange(-2 * round(half), 2 * round(half) + 1)[:, None] / 2
    x = center.real + rx * np.cos(t) + aside * nx / norm
    y = center.imag - ry * np.sin(t) - aside * ny / norm
    read: NDArray[np.float32] = cv2.remap(ink, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(
        np.float32
    )
    return read


def _fit(shape: Shape, ink: Grey, half: float) -> Shape:
    """Move and stretch a curve onto the middle of its ink, twice."""
    for _ in range(3):
        center, rx, ry = shape
        part = unrolled(ink, shape, half)
        total = part.sum(0)
        kept = total > 100
        if kept.sum() < 20:
            return shape
        kept &= total < 1.5 * np.median(total[kept])
        aside = (np.arange(part.shape[0]) - part.shape[0] // 2) / 2
        off = (part[:, kept] * aside[:, None]).sum(0) / total[kept]
        t = np.flatnonzero(kept) * (2 * np.pi / STEPS)
        nx, ny = np.cos(t) / rx, np.sin(t) / ry
        norm = np.hypot(nx, ny)
        nx, ny = nx / norm, ny / norm
        round_ = rx == ry
        columns = [nx, -ny, np.ones_like(nx)] if round_ else [nx, -ny, nx * np.cos(t), ny * np.sin(t)]
        matrix = np.stack(columns, axis=1)
        good = np.ones(len(t), dtype=np.bool_)
        step = np.zeros(matrix.shape[1])
        for _ in range(3):
            if good.sum() < 12:
                return shape
            step, *_ = np.linalg.lstsq(matrix[good], off[good], rcond=None)
            rest = np.abs(off - matrix @ step)
            good = rest <= max(0.3, 2.5 * float(np.median(rest[good])))
        if np.abs(step).max() > 4 * half:
            return shape
        center += complex(step[0], step[1])
        shape = (center, rx + step[2], rx + step[2]) if round_ else (center, rx + step[2], ry + step[3])
    return shape


def _arcs(shape: Shape, peeler: Peeler, seen: Seen, loose: float) -> list[Arc]:
    """Fit a curve, and find which parts of it are drawn, and how."""
    half = seen.stroke / 2 + 2 + loose
    shape = _fit(shape, peeler.left, half)
    center, rx, ry = shape[0], float(shape[1]), float(shape[2])
    if min(rx, ry) < 3 or max(rx, ry) < SMALLEST * seen.unit:
        return []
    part = unrolled(peeler.all, shape, max(1.5, seen.stroke / 2 + loose))
    rest = unrolled(peeler.left, shape, max(1.5, seen.stroke / 2 + loose))
    step = max(rx, ry) * 2 * np.pi / STEPS  # pixels, about
    on = part.max(0) > 1.3 * seen.level
    total = unrolled(peeler.left, shape, half).sum(0)
    weight = float(np.median(total[total > 60])) / 255 / 2 if (total > 60).any() else 0.0
    stretches = _closed(_stretches(on, step, seen.unit))
    if rx != ry:
        stretches = _halves(stretches)
    found = [
        Arc(center, rx, ry, first * 360 / STEPS, last * 360 / STEPS, dash, weight)
        for first, last, dash in stretches
        if (rest.max(0)[np.arange(first, last) % STEPS] > 1.3 * seen.level).sum()
        > FRESH * on[np.arange(first, last) % STEPS].sum()
    ]
    return [
        arc
        for arc in found
        if arc.last - arc.first > LEAST_TURN
        and (arc.last - arc.first) / 360 * 2 * np.pi * max(rx, ry) > 0.7 * seen.unit
    ]


def _stretches(on: Mask, step: float, unit: float) -> list[tuple[int, int, str]]:
    """Cut the ink around a curve into solid and dashed stretches, (first, behind the last), which may pass the full turn."""
    if not on.any():
        return []
    start = 0 if on.all() else int(np.flatnonzero(~on)[np.argmax(_room(on))])
    turned = np.roll(on, -start)
    pieces: list[list[int]] = []
    for a, b in runs(turned):
        if pieces and (a - pieces[-1][1]) * step <= 0.03 * unit + 1.2:
            pieces[-1][1] = b
        else:
            pieces.append([a, b])
    groups: list[list[list[int]]] = []
    for piece in pieces:
        if groups and (piece[0] - groups[-1][-1][1]) * step <= (GAP + 0.02) * unit:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    out: list[tuple[int, int, str]] = []
    for group in groups:
        out += _kinds(group, step, unit)
    if len(out) == 1 and STEPS - (out[0][1] - out[0][0]) <= (GAP + 0.04) * unit / step + 2:
        return [(0, STEPS, out[0][2])]
    return [(a + start, b + start, kind) for a, b, kind in out]


def _halves(stretches: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Take an ellipse that is partly dashed for the two halves of the edge of a solid; short pieces of ellipses are none."""
    drawn = sum(b - a for a, b, _ in stretches)
    if any(kind for _, _, kind in stretches) and drawn > 0.7 * STEPS:
        dash = next(kind for _, _, kind in stretches if kind)
        return [(STEPS // 2, STEPS, ""), (0, STEPS // 2, dash)]
    return [s for s in stretches if s[1] - s[0] > STEPS // 3]


def _closed(stretches: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Take what is drawn over most of the turn for a whole curve."""
    told = {kind: sum(b - a for a, b, k in stretches if k == kind) for kind in ("", "dashed", "dotted")}
    kind = max(told, key=lambda k: told[k])
    if sum(told.values()) < WHOLE * STEPS or (
        told[kind] < 0.8 * sum(told.values()) and min(told[""], sum(told.values()) - told[""]) > 0.25 * STEPS
    ):
        return stretches
    return [(0, STEPS, kind)]


def _room(on: Mask) -> NDArray[np.int64]:
    """For each place without ink, count how far the next ink is, so that the widest gap can be found."""
    bare = np.flatnonzero(~on)
    twice = np.concatenate([on, on])
    following = np.flatnonzero(twice)
    return following[np.searchsorted(following, bare)] - bare


def _kinds(group: list[list[int]], step: float, unit: float) -> list[tuple[int, int, str]]:
    """Part a chain of pieces into solid stretches and stretches of dashes."""
    out: list[tuple[int, int, str]] = []
    short: list[list[int]] = []

    def flush() -> None:
        if len(short) >= 3:
            filled = sum(b - a for a, b in short) / (short[-1][1] - short[0][0])
            usual = float(np.median([b - a for a, b in short])) * step
            out.append((short[0][0], short[-1][1], broken(filled, usual / unit)))
        short.clear()

    whole = sum((b - a) * step > SOLID * unit for a, b in group)
    mostly_dashes = len(group) >= 8 and whole <= 0.25 * len(group)
    for a, b in group:
        if (b - a) * step > SOLID * unit and not mostly_dashes:
            flush()
            out.append((a, b, ""))
        else:
            short.append([a, b])
    flush()
    return out


def take_arc(peeler: Peeler, arc: Arc, seen: Seen, loose: float) -> None:
    """Take the ink of an arc away; its centre with y downwards."""
    gone = np.zeros(peeler.left.shape, dtype=np.uint8)
    thick = max(3, round(max(seen.stroke, arc.weight) + 2.4 + 2 * loose))
    t = np.radians(np.linspace(arc.first, arc.last, 181))
    x, y = arc.center.real + arc.rx * np.cos(t), arc.center.imag - arc.ry * np.sin(t)
    points = np.stack([np.round(x * 16), np.round(y * 16)], axis=1).astype(np.int32)
    cv2.polylines(gone, [points], False, 255, thick, cv2.LINE_8, 4)
    peeler.remove(gone > 0)
