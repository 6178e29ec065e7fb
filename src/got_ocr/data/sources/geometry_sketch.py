"""A drawing board: constructions are put on it as complex numbers, and it becomes a figure tree in normal form.

Holds the normal form (longer side of fixed length, lower left corner at the origin, two decimals), the marks whose size
does not scale (right angles, angle arcs, ticks), naming, and the choice of label sides. Knows no particular
construction, no pixel.
"""

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from got_ocr.data.sources import geometry_tree as tree
from got_ocr.data.sources.geometry_labels import Wish, place
from got_ocr.data.sources.geometry_tree import PLAIN, Item, Style

_MARK = 0.28  # side of a right-angle mark, cm
_NAMES = ("ABCDEFGHIJKLMNOPQRSTUVW", "PQRSTUVWXYZ", "XYZWUVST", "ABCDEFGHKLMN", "MNPQRSTUV", "KLMNPQRS")


@dataclass(frozen=True, slots=True)
class Frame:
    """The similarity from board to paper: z -> factor * (z or its mirror image) + shift, and the names of points."""

    factor: complex
    shift: complex
    mirror: bool
    names: dict[complex, str]

    def move(self, z: complex) -> complex:
        """Map a place of the board to paper, rounded to two decimals."""
        w = self.factor * (z.conjugate() if self.mirror else z) + self.shift
        return complex(round(w.real, 2), round(w.imag, 2))

    def at(self, z: complex) -> tree.At:
        """Map a place of the board to a place of the figure, by name where it has one."""
        w = self.move(z)
        return tree.At(w.real + 0.0, w.imag + 0.0, self.names.get(z, ""))

    def length(self, value: float) -> float:
        """Map a length."""
        return round(value * abs(self.factor), 2)


Draw = Callable[[Frame], list[Item]]


@dataclass(slots=True)
class Sketch:
    """Collect a construction. fixed: board units are centimetres and nothing is turned, scaled or shifted (axes, solids
    with ellipses say `upright` instead, which forbids turning only). named: points carry letters.
    """

    rng: np.random.Generator
    main: Style = PLAIN
    aux: Style = PLAIN
    tint: str = ""
    named: bool = True
    italic: bool = True
    fixed: bool = False
    upright: bool = False
    letters: str = ""
    _names: dict[complex, str] = field(default_factory=dict)
    _draws: list[Draw] = field(default_factory=list)
    _dots: list[complex] = field(default_factory=list)
    _wishes: list[tuple[Callable[[Frame], Wish], bool]] = field(default_factory=list)
    _reach: list[complex] = field(default_factory=list)

    # -- points and text

    def point(self, z: complex, text: str = "", dot: bool = False) -> complex:
        """Name a place, with the next letter unless `text` says otherwise; without names only the dot stays."""
        self._reach.append(z)
        if dot:
            self._dots.append(z)
        if not self.named or z in self._names:
            return z
        if not text:
            used = set(self._names.values())
            text = next((c for c in self.letters if c not in used), "")
            if not text:
                return z
        self._names[z] = text.replace("_", "")
        shown = f"${text}$" if self.italic or len(text) > 1 else text
        self._wishes.append((lambda f: Wish(f.at(z), shown, "point"), True))
        return z

    def points(self, *zs: complex) -> None:
        """Name several places in order."""
        for z in zs:
            self.point(z)

    def dot(self, z: complex) -> None:
        """Mark a place with a dot."""
        self._reach.append(z)
        self._dots.append(z)

    def side(self, p: complex, q: complex, text: str, away: complex | None = None) -> None:
        """Write a measure beside the middle of a line; away: a place that should lie on the other side."""

        def wish(f: Frame) -> Wish:
            a, b = f.move(p), f.move(q)
            normal = (b - a) * 1j / (abs(b - a) or 1)
            if away is not None and ((f.move(away) - a) * normal.conjugate()).real > 0:
                normal = -normal
            return Wish(
                tree.At(round((a + b).real / 2, 2), round((a + b).imag / 2, 2)),
                f"${text}$",
                "side",
                normal,
                away is not None,
            )

        self._wishes.append((wish, False))

    def text(self, z: complex, text: str, toward: complex = 0) -> None:
        """Write centred on a place (it may slide a little along `toward`)."""
        self._wishes.append((lambda f: Wish(f.at(z), text, "centre", toward), False))

    def note(self, z: complex, text: str, anchor: tree.Anchor) -> None:
        """Write beside a place, on a given side; for boards that are not turned."""
        self._wishes.append((lambda f: Wish(f.at(z), text, "fixed", 0, False, anchor), False))

    # -- lines

    def line(self, *zs: complex, closed: bool = False, style: Style | None = None) -> None:
        """Draw a broken line."""
        self._reach.extend(zs)
        told = self.main if style is None else style
        self._draws.append(lambda f: [tree.Path(tuple(f.at(z) for z in zs), closed, told)])

    def polygon(self, *zs: complex, style: Style | None = None) -> None:
        """Draw a closed line, tinted when the sketch has a tint."""
        told = self.main if style is None else style
        self.line(*zs, closed=True, style=replace(told, fill=self.tint) if self.tint else told)

    def extended(self, p: complex, q: complex, by: float = 0.3, style: Style | None = None) -> tuple[complex, complex]:
        """Draw the line through two places, longer by a share at both ends; give the ends."""
        a, b = p + (p - q) * by, q + (q - p) * by
        self.line(a, b, style=style)
        return a, b

    def circle(self, center: complex, radius: float, style: Style | None = None) -> None:
        """Draw a circle."""
        self._reach.extend(_on(center, radius, radius, 10 * k) for k in range(36))
        told = self.main if style is None else style
        self._draws.append(lambda f: [tree.Circle(f.at(center), f.length(radius), told)])

    def ellipse(self, center: complex, rx: float, ry: float, style: Style | None = None) -> None:
        """Draw an ellipse with level axes; the board must be upright."""
        self._reach.extend((center - rx, center + rx, center - ry * 1j, center + ry * 1j))
        told = self.main if style is None else style
        self._draws.append(lambda f: [tree.Ellipse(f.at(center), f.length(rx), f.length(ry), told)])

    def arc(
        self, center: complex, rx: float, first: float, last: float, ry: float = 0.0, style: Style | None = None
    ) -> None:
        """Draw an arc from angle to angle, counter-clockwise on the board; ry: the other radius, on upright boards."""
        told = self.main if style is None else style
        turn = [first + (last - first) * k / 16 for k in range(17)]
        self._reach.extend(_on(center, rx, ry or rx, a) for a in turn)

        def draw(f: Frame) -> list[Item]:
            start, a, b = _on(center, rx, ry or rx, first), first, last
            if f.mirror:
                start, a, b = _on(center, rx, ry or rx, last), -last, -first
            spin = math.degrees(cmath.phase(f.factor))
            low = round((a + spin) % 360, 1) % 360
            return [tree.Arc(f.at(start), low, round(low + b - a, 1), f.length(rx), f.length(ry or rx), told)]

        self._draws.append(draw)

    def bezier(self, *zs: complex, style: Style | None = None) -> None:
        """Draw a cubic from start over two controls to the end."""
        self._reach.extend(zs)
        told = self.main if style is None else style
        self._draws.append(lambda f: [tree.Bezier(f.at(zs[0]), f.at(zs[1]), f.at(zs[2]), f.at(zs[3]), told)])

    def item(self, item: Item, *reach: complex) -> None:
        """Put a ready item on a fixed board."""
        self._reach.extend(reach)
        self._draws.append(lambda _: [item])

    # -- marks, of one size whatever the scale

    def right(self, vertex: complex, p: complex, q: complex) -> None:
        """Mark a right angle at `vertex` between the directions of p and q."""

        def draw(f: Frame) -> list[Item]:
            v = f.move(vertex)
            a, b = (_unit(f.move(z) - v) * _MARK for z in (p, q))
            return [tree.Path(tuple(_place(z) for z in (v + a, v + a + b, v + b)))]

        self._draws.append(draw)

    def angle(self, vertex: complex, p: complex, q: complex, text: str = "", arcs: int = 1, size: float = 0.45) -> None:
        """Mark the angle (below 180 degrees) between the directions of p and q with arcs, and write in it."""

        def sides(f: Frame) -> tuple[complex, complex, complex]:
            v = f.move(vertex)
            a, b = _unit(f.move(p) - v), _unit(f.move(q) - v)
            return (v, a, b) if (b / a).imag > 0 else (v, b, a)

        def draw(f: Frame) -> list[Item]:
            v, a, b = sides(f)
            first = math.degrees(cmath.phase(a)) % 360
            last = first + math.degrees(cmath.phase(b / a))
            radii = [round(size + 0.1 * k, 2) for k in range(arcs)]
            return [tree.Arc(_place(v + r * a), round(first, 1), round(last, 1), r, r) for r in radii]

        def wish(f: Frame) -> Wish:
            v, a, b = sides(f)
            middle = cmath.exp(0.5j * cmath.phase(b / a)) * a
            # In a narrow angle the text moves out until it fits between the sides.
            away = size + 0.1 * arcs + 0.12 + min(0.9, 0.16 / max(0.1, math.sin(cmath.phase(b / a) / 2)))
            return Wish(_place(v + middle * away), f"${text}$", "centre", middle)

        self._draws.append(draw)
        if text:
            self._wishes.append((wish, False))

    def tick(self, p: complex, q: complex, count: int = 1) -> None:
        """Cross the middle of a side with short strokes, the sign of equal length."""

        def draw(f: Frame) -> list[Item]:
            a, b = f.move(p), f.move(q)
            along = _unit(b - a)
            starts = [(a + b) / 2 + along * 0.09 * (k - (count - 1) / 2) for k in range(count)]
            return [tree.Path((_place(s + 0.12j * along), _place(s - 0.12j * along))) for s in starts]

        self._draws.append(draw)

    def chevron(self, p: complex, q: complex, count: int = 1) -> None:
        """Put arrow heads in the middle of a line, the sign of parallels."""

        def draw(f: Frame) -> list[Item]:
            a, b = f.move(p), f.move(q)
            along = _unit(b - a)
            tips = [(a + b) / 2 + along * 0.14 * k for k in range(count)]
            wings = [(t + 0.13 * along * cmath.exp(2.5j), t, t + 0.13 * along * cmath.exp(-2.5j)) for t in tips]
            return [tree.Path(tuple(_place(z) for z in wing)) for wing in wings]

        self._draws.append(draw)

    # -- the end

    def figure(self, extent: float) -> tree.Figure | None:
        """Turn, scale and place the board, choose label sides; None when a label would lie on lines or on another
        label.

        extent: length of the longer side in centimetres (ignored by a fixed board).
        """
        frame = self._frame(extent)
        drawn = _visible_thickness([item for draw in self._draws for item in draw(frame)])
        labels = place(drawn, [frame.at(z) for z in self._dots], [wish(frame) for wish, _ in self._wishes])
        if labels is None:
            return None
        points = [tree.Point(frame.at(z)) for z in self._names]
        dots = [tree.Dot(frame.at(z)) for z in self._dots]
        fills = [i for i in drawn if _style(i).fill]
        rest = [i for i in drawn if not _style(i).fill]
        return tree.Figure((*points, *fills, *rest, *dots, *labels))

    def _frame(self, extent: float) -> Frame:
        if self.fixed:
            return Frame(1, 0, False, dict(self._names))
        turn = 0.0 if self.upright or self.rng.random() < 0.5 else float(self.rng.uniform(-math.pi, math.pi))
        mirror = bool(self.rng.random() < 0.5)
        if mirror and self.upright:
            turn = math.pi  # with the mirror in the level axis this swaps left and right
        spun = [cmath.exp(1j * turn) * (z.conjugate() if mirror else z) for z in self._reach]
        low = complex(min(z.real for z in spun), min(z.imag for z in spun))
        size = max(max(z.real for z in spun) - low.real, max(z.imag for z in spun) - low.imag)
        scale = extent / size
        return Frame(cmath.exp(1j * turn) * scale, -low * scale, mirror, dict(self._names))


def _visible_thickness(items: list[Item]) -> list[Item]:
    """Say `thick` only where something thin stands beside it: otherwise nobody can see it."""
    if any(not _style(i).thick for i in items):
        return items
    return [replace(i, style=replace(i.style, thick=False)) if isinstance(i, tree.Stroke) else i for i in items]


def _style(item: Item) -> Style:
    return item.style if isinstance(item, tree.Stroke) else PLAIN


def _unit(z: complex) -> complex:
    return z / abs(z)


def _place(z: complex) -> tree.At:
    return tree.At(round(z.real, 2) + 0.0, round(z.imag, 2) + 0.0)


def _on(center: complex, rx: float, ry: float, degrees: float) -> complex:
    return center + complex(rx * math.cos(math.radians(degrees)), ry * math.sin(math.radians(degrees)))


def new_sketch(rng: np.random.Generator, plain: float) -> Sketch:
    """Take a fresh board with styles drawn by luck. plain: chance of black lines only."""
    sketch = Sketch(rng)
    sketch.letters = str(rng.choice(_NAMES, p=(0.6, 0.1, 0.06, 0.14, 0.05, 0.05)))
    sketch.italic = bool(rng.random() < 0.85)
    sketch.named = bool(rng.random() < 0.92)
    colors: Sequence[str] = tree.COLORS
    if rng.random() < 0.25:
        sketch.main = replace(sketch.main, thick=True)
    dash = str(rng.choice(("", "dashed", "dotted"), p=(0.5, 0.44, 0.06)))
    sketch.aux = replace(sketch.aux, dash=dash)  # type: ignore[arg-type]
    if rng.random() >= plain:
        if rng.random() < 0.5:
            sketch.main = replace(sketch.main, color=str(rng.choice(colors)))
        if rng.random() < 0.7:
            sketch.aux = replace(sketch.aux, color=str(rng.choice(colors)))
        if rng.random() < 0.4:
            sketch.tint = str(rng.choice(colors))
    return sketch
