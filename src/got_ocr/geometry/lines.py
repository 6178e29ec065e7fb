"""Ink of a drawing -> its straight pieces, placed to a fraction of a pixel. Knows no name, no mark and no curve."""

from dataclasses import dataclass

import cv2
import numpy as np

from got_ocr.columns import runs
from got_ocr.geometry.ink import Floats, Grey, Mask, Seen

TURNS = 720  # directions that are tried
GAP = 0.14  # centimetres: the widest gap of a dashed line
SOLID = 0.42  # centimetres of a stretch that is no dash
BOW = 0.55  # pixels that the middle of a straight piece may stand off the line of its ends
NEW = 0.4  # of the ink of a piece that no other has taken
FAINTEST = 30.0  # of 255: an end is no fainter, also where a gap lies before the last dash
FILLED, DOTTED = 0.6, 0.075  # of a dotted line that is ink, at most; centimetres of a dot, at most
MOST_POINTS = 16000
MOST_PEELS = 60


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight piece from p to q, pixels. dash: "", "dashed" or "dotted". weight: ink across, in pixels of full ink. rough: how far
    its ink leaves the line, in pixels, as a rule.
    """

    p: complex
    q: complex
    dash: str
    weight: float
    rough: float = 0.0

    @property
    def length(self) -> float:
        """Give its length."""
        return abs(self.q - self.p)

    @property
    def along(self) -> complex:
        """Give its direction."""
        return (self.q - self.p) / (abs(self.q - self.p) or 1.0)


class Peeler:
    """Finds the longest straight run of ink again and again, taking away what was found."""

    def __init__(self, seen: Seen, loose: float = 0.0) -> None:
        """Count the ink along all lines. loose: pixels by which a hand may leave its line."""
        self._seen = seen
        self._all = np.where(seen.drawn, seen.ink, 0).astype(np.uint8)
        self._left = self._all.copy()
        self._loose = loose
        self._ridge = _ridge(self._left, seen.level)
        self._cos = np.cos(np.arange(TURNS) * np.pi / TURNS).astype(np.float32)
        self._sin = np.sin(np.arange(TURNS) * np.pi / TURNS).astype(np.float32)
        self._offset = int(np.hypot(*self._left.shape)) + 2
        self._votes = np.zeros((TURNS, 2 * self._offset + 3), dtype=np.int32)
        self._vote(self._ridge, 1)

    @property
    def left(self) -> Grey:
        """Give the ink that is not taken yet."""
        return self._left

    @property
    def all(self) -> Grey:
        """Give all ink of strokes."""
        return self._all

    def _vote(self, ridge: Mask, sign: int) -> None:
        ys, xs = np.nonzero(ridge)
        width = self._votes.shape[1]
        for first in range(0, len(xs), 4000):
            part = slice(first, first + 4000)
            x, y = xs[part, None].astype(np.float32), ys[part, None].astype(np.float32)
            at = np.rint(x * self._cos + y * self._sin).astype(np.int64) + self._offset + np.arange(TURNS) * width
            self._votes += sign * np.bincount(at.ravel(), minlength=self._votes.size).reshape(self._votes.shape).astype(
                np.int32
            )

    def peel(self, least: float) -> list[Segment]:
        """Take all pieces that are `least` pixels long or longer."""
        found: list[Segment] = []
        tired = np.zeros(self._votes.shape, dtype=np.bool_)
        for _ in range(MOST_PEELS):
            sums = self._votes.copy()
            sums[:, 1:-1] += self._votes[:, :-2] + self._votes[:, 2:]
            sums[tired] = 0
            at = int(sums.argmax())
            turn, place = divmod(at, sums.shape[1])
            if sums[turn, place] < 0.3 * least:
                break
            run = self._longest(turn, place - self._offset, least)
            if run is None:
                for step in range(-3, 4):
                    tired[(turn + step) % TURNS, max(0, place - 3) : place + 4] = True
                continue
            found.append(run)
            self.take(run)
        return found

    def _longest(self, turn: int, place: int, least: float) -> Segment | None:
        """Refine a line, and find its longest run of ink."""
        normal = complex(float(self._cos[turn]), float(self._sin[turn]))
        middle = normal * place
        a, b = self._chord(middle, normal * 1j)
        half = self._seen.stroke / 2 + 2.0 + self._loose
        gap = GAP * self._seen.unit
        for attempt in range(3):
            if abs(b - a) < 6:
                return None
            strip = self._strip(a, b, half + (1.5 if attempt == 0 else 0))
            on = _covered(strip, self._seen, self._loose)
            spans = _joined(runs(on), gap)
            if not spans:
                return None
            first, last = max(spans, key=lambda s: s[1] - s[0])
            if last - first < 0.7 * least:
                return None
            a, b = _fitted(strip, a, b, first, last)
            if abs(b - a) < 1:
                return None
            if attempt < 2:
                reach = (b - a) / abs(b - a) * (gap + 6)
                a, b = a - reach, b + reach
        strip = self._strip(a - (b - a) / abs(b - a) * 8, b + (b - a) / abs(b - a) * 8, half)
        u = (b - a) / abs(b - a)
        found = _best_stretch(strip, _covered(strip, self._seen, self._loose), self._seen)
        if found is None or found[1] - found[0] < least:
            return None
        start = a - 8 * u
        first, last, dash = found
        inner = strip[:, first:last]
        if _bow(inner) > BOW + 0.3 * self._seen.stroke + 2 * self._loose:
            return None
        weight = (
            float(np.median(inner.sum(0)[inner.max(0) > 1.3 * self._seen.level])) / 255 / 2
            if (inner.max(0) > 1.3 * self._seen.level).any()
            else 0.0
        )
        ends = _edge(strip, first, -1), _edge(strip, last - 1, 1)
        run = Segment(start + u * ends[0], start + u * ends[1], dash, weight, _roughness(inner))
        return run if self._new(run) else None

    def _new(self, run: Segment) -> bool:
        """Say whether enough of a run is not taken yet."""
        part = [
            strip(ink, run.p, run.q, max(2.0, self._loose)).max(0) > 1.3 * self._seen.level
            for ink in (self._left, self._all)
        ]
        return bool(part[0].sum() >= NEW * max(1, part[1].sum()))

    def _chord(self, at: complex, along: complex) -> tuple[complex, complex]:
        """Cut a line at the edges of the picture."""
        height, width = self._left.shape
        low, high = -1e9, 1e9
        for place, step, most in ((at.real, along.real, width), (at.imag, along.imag, height)):
            if abs(step) > 1e-6:
                ends = sorted(((-1 - place) / step, (most - place) / step))
                low, high = max(low, ends[0]), min(high, ends[1])
        return at + along * low, at + along * max(low, high)

    def _strip(self, a: complex, b: complex, half: float) -> Floats:
        return strip(self._all, a, b, half)

    def take(self, run: Segment, width: float | None = None) -> None:
        """Take the ink of a piece away."""
        gone = np.zeros(self._left.shape, dtype=np.uint8)
        thick = max(3, round(max(self._seen.stroke, run.weight) + 2.2 + 2 * self._loose)) if width is None else width
        ends = [(round(z.real * 16), round(z.imag * 16)) for z in (run.p, run.q)]
        cv2.line(gone, ends[0], ends[1], 255, int(thick), cv2.LINE_8, 4)
        self.remove(gone > 0)

    def remove(self, gone: Mask) -> None:
        """Take the ink of a mask away."""
        self._vote(self._ridge & gone, -1)
        self._ridge = self._ridge & ~gone
        self._left = np.where(gone, 0, self._left).astype(np.uint8)


def strip(ink: Grey, a: complex, b: complex, half: float) -> Floats:
    """Sample the ink beside the way from a to b: (offsets, half a pixel apart; steps of a pixel)."""
    u = (b - a) / abs(b - a)
    steps = np.arange(int(abs(b - a)) + 1, dtype=np.float32)
    aside = np.arange(-2 * round(half), 2 * round(half) + 1, dtype=np.float32)[:, None] / 2
    x = a.real + u.real * steps - u.imag * aside
    y = a.imag + u.imag * steps + u.real * aside
    read: Floats = cv2.remap(ink, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    return read


def _ridge(ink: Grey, level: float) -> Mask:
    """Keep the middle of strokes."""
    soft = cv2.GaussianBlur(ink, (0, 0), 1.0).astype(np.int16)
    across = (soft >= np.roll(soft, 1, 1)) & (soft >= np.roll(soft, -1, 1))
    down = (soft >= np.roll(soft, 1, 0)) & (soft >= np.roll(soft, -1, 0))
    ridge = (ink > level) & (across | down)
    ys, xs = np.nonzero(ridge)
    if len(xs) > MOST_POINTS:
        keep = np.zeros_like(ridge)
        step = -(-len(xs) // MOST_POINTS)
        keep[ys[::step], xs[::step]] = True
        return np.asarray(keep)
    return np.asarray(ridge)


def _covered(strip: Floats, seen: Seen, loose: float) -> Mask:
    """Say at each step whether ink lies on the line."""
    middle, reach = strip.shape[0] // 2, max(2, round(seen.stroke) + round(2 * loose))
    near = strip[max(0, middle - reach) : middle + reach + 1]
    return np.asarray(near.max(0) > 1.3 * seen.level)


def _joined(spans: list[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for first, last in spans:
        if out and first - out[-1][1] <= gap:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return out


def _fitted(strip: Floats, a: complex, b: complex, first: int, last: int) -> tuple[complex, complex]:
    """Fit a line to the middle of the ink at each step; bulges, where others cross, are left out."""
    part = strip[:, first:last]
    total = part.sum(0)
    aside = (np.arange(strip.shape[0]) - strip.shape[0] // 2) / 2
    kept = total > 100
    usual = np.median(total[kept]) if kept.any() else 0
    kept &= (total < 1.35 * usual) & (total > 0.3 * usual)
    u = (b - a) / abs(b - a)
    if kept.sum() < 4:
        return a + u * first, a + u * (last - 1)
    t = np.flatnonzero(kept).astype(np.float64) + first
    c = (part[:, kept] * aside[:, None]).sum(0) / total[kept]
    good = np.ones(len(t), dtype=np.bool_)
    slope, shift = 0.0, 0.0
    for _ in range(4):
        if good.sum() < 4 or np.ptp(t[good]) < 3:
            break
        slope, shift = np.polyfit(t[good], c[good], 1)
        off = np.abs(c - slope * t - shift)
        good = off <= max(0.25, 2.2 * float(np.median(off[good])))
    ends = [a + u * s + u * 1j * (slope * s + shift) for s in (first, last - 1)]
    return complex(ends[0]), complex(ends[1])


def _bow(part: Floats) -> float:
    """Measure how far the middle of a run stands off the line of its ends: much on a piece of a circle."""
    total = part.sum(0)
    kept = total > 100
    if kept.sum() < 12:
        return 0.0
    kept &= total < 1.35 * np.median(total[kept])
    aside = (np.arange(part.shape[0]) - part.shape[0] // 2) / 2
    t = np.linspace(-1, 1, part.shape[1])[kept]
    centre = (part[:, kept] * aside[:, None]).sum(0) / total[kept]
    return float(abs(np.polyfit(t, centre, 2)[0])) if kept.sum() >= 8 else 0.0


def _roughness(part: Floats) -> float:
    """Measure how far the middle of the ink strays from the line, as a rule."""
    total = part.sum(0)
    kept = total > 100
    if kept.sum() < 8:
        return 0.0
    kept &= total < 1.3 * np.median(total[kept])
    aside = (np.arange(part.shape[0]) - part.shape[0] // 2) / 2
    return float(np.median(np.abs((part[:, kept] * aside[:, None]).sum(0) / total[kept]))) if kept.any() else 0.0


def _best_stretch(strip: Floats, on: Mask, seen: Seen) -> tuple[int, int, str] | None:
    """Find the longest stretch of one kind: solid, or dashes."""
    u = seen.unit
    pieces = runs(on)
    if not pieces:
        return None
    stretches: list[tuple[int, int, str]] = []
    dashes: list[tuple[int, int]] = []
    pieces = _joined(pieces, 0.028 * u + 0.6)

    def flush() -> None:
        for first, last, inside in _chains(dashes, GAP * u):
            if len(inside) >= 3:
                filled = sum(b - a for a, b in inside) / max(1, last - first)
                usual = float(np.median([b - a for a, b in inside]))
                stretches.append((first, last, broken(filled, usual / u)))
        dashes.clear()

    for first, last in pieces:
        if last - first > SOLID * u:
            flush()
            stretches.append((first, last, ""))
        else:
            dashes.append((first, last))
    flush()
    stretches += [(a, b, "") for a, b in pieces if 0.15 * u < b - a <= SOLID * u]
    stretches = _healed(stretches, u)
    return max(stretches, key=lambda s: s[1] - s[0], default=None)


def broken(filled: float, usual: float) -> str:
    """Tell dots from dashes. filled: share of a line that is ink. usual: length of most pieces, centimetres."""
    return "dotted" if filled < FILLED and usual < DOTTED else "dashed"


def _healed(stretches: list[tuple[int, int, str]], u: float) -> list[tuple[int, int, str]]:
    """Join dashes on both sides of a short solid stretch: there something crosses them."""
    out = sorted(stretches)
    joined = True
    while joined:
        joined = False
        for i, (a, b, kind) in enumerate(out):
            if kind or b - a > 0.8 * u:
                continue
            before = [s for s in out if s[2] and 0 <= a - s[1] <= GAP * u]
            after = [s for s in out if s[2] and 0 <= s[0] - b <= GAP * u]
            if before and after:
                left, right = before[0], after[0]
                out = [s for j, s in enumerate(out) if j != i and s not in (left, right)]
                out.append((left[0], right[1], left[2]))
                joined = True
                break
    return out


def _chains(spans: list[tuple[int, int]], gap: float) -> list[tuple[int, int, list[tuple[int, int]]]]:
    out: list[tuple[int, int, list[tuple[int, int]]]] = []
    for first, last in spans:
        if out and first - out[-1][1] <= gap:
            out[-1] = (out[-1][0], last, [*out[-1][2], (first, last)])
        else:
            out.append((first, last, [(first, last)]))
    return out


def _edge(strip: Floats, at: int, way: int) -> float:
    """Find where the ink ends to a fraction of a pixel: at half the strength that it has inside."""
    middle = strip.shape[0] // 2
    profile = strip[max(0, middle - 2) : middle + 3].max(0)
    inside = [at - way * k for k in range(2, 8) if 0 <= at - way * k < len(profile)]
    level = max(FAINTEST, 0.5 * float(np.median(profile[inside]))) if inside else 100.0
    while 0 < at < len(profile) - 1 and profile[at] >= level:
        at += way
    while (
        0 < at - way < len(profile) - 1
        and profile[at] < level
        and 0 <= at - way < len(profile)
        and profile[at - way] < level
    ):
        at -= way
    before = at - way
    if not 0 <= before < len(profile) or profile[before] <= profile[at]:
        return float(at)
    return before + way * float(np.clip((profile[before] - level) / (profile[before] - profile[at]), 0, 1))
