"""Pieces of lines and the names of places -> closed lines, and the pieces that belong to none. Knows no TikZ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from got_ocr.geometry.colours import Fill
from got_ocr.geometry.plan import Piece, Plan, Style

MOST_CORNERS = 8
OFF = 0.3  # centimetres by which the middle of a fill may be off that of its polygon


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed line: its corners in order, and how it looks."""

    places: tuple[int, ...]
    style: Style
    fill: str = ""


def find_polygons(plan: Plan, names: Mapping[int, str], order: Sequence[int]) -> list[Polygon]:
    """Find closed lines: along the letters in order, then along those that follow, then around fills."""
    found: list[Polygon] = []
    row = [k for k in order if len(names[k]) == 1 and not (names[k] == "O" and _inner(plan, k))]
    if not names and plan.scene.dots and not plan.scene.net.arcs:
        return []
    dotted = {plan.scene.net.place_at(z) for z in plan.scene.dots}
    for first in range(len(row)):
        if found and row[first] in {k for p in found for k in p.places}:
            continue
        for size in range(min(MOST_CORNERS, len(row) - first), 2, -1):
            corners = row[first : first + size]
            one = _closed(plan, corners)
            if (
                one is not None
                and not set(corners) <= dotted
                and not _tangents(plan, corners)
                and (first == 0 or size == 3)
                and _new(found, corners)
            ):
                found.append(one)
                break
        if first > 3:
            break
    if not names:
        found = _hull(plan)
    return _filled(plan, found)


def _hull(plan: Plan) -> list[Polygon]:
    """Without names, take the outer places for a polygon where lines join them."""
    ends = {k for piece in plan.pieces for k in (piece.places[0], piece.places[-1])}
    spots = sorted((plan.place(k).real, plan.place(k).imag, k) for k in ends)
    if len(spots) < 3:
        return []
    ring: list[int] = []
    for row in (spots, spots[::-1]):
        half: list[int] = []
        for _, _, k in row:
            while len(half) > 1 and _turn(plan, half[-2], half[-1], k) <= 0.02:
                half.pop()
            half.append(k)
        ring += half[:-1]
    one = _closed(plan, ring) if 3 <= len(ring) <= MOST_CORNERS else None
    return [one] if one else []


def _turn(plan: Plan, a: int, b: int, c: int) -> float:
    return ((plan.place(b) - plan.place(a)).conjugate() * (plan.place(c) - plan.place(b))).imag


def _tangents(plan: Plan, corners: Sequence[int]) -> bool:
    """Say whether three places are a spot and where its tangents touch a circle with a dot in it."""
    z = [plan.scene.net.places[k] for k in corners]
    if len(z) != 3:
        return False
    for arc in plan.scene.net.arcs:
        touched = arc.whole and arc.round and all(abs(abs(p - arc.center) - arc.rx) < 0.05 * plan.unit for p in z[1:])
        lean = abs(((z[1] - z[0]).conjugate() * (z[1] - arc.center)).real)
        if touched and lean < 0.05 * abs(z[1] - z[0]) * arc.rx:
            return True
    return False


def _new(found: Sequence[Polygon], corners: Sequence[int]) -> bool:
    taken = {k for p in found for k in p.places}
    return not taken & set(corners)


def _inner(plan: Plan, place: int) -> bool:
    z = plan.scene.net.places[place]
    return any(abs(arc.center - z) < 0.05 * plan.unit for arc in plan.scene.net.arcs) or any(
        abs(dot - z) < 0.05 * plan.unit for dot in plan.scene.dots
    )


def _closed(plan: Plan, corners: Sequence[int]) -> Polygon | None:
    """Say whether sides of one style join corners in order, without a corner on the way from one to the next."""
    styles = [side_style(plan, a, b) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
    looks = {(s.color, s.dash) for s in styles if s is not None}
    if None in styles or len(looks) > 1:
        return None
    usual = Counter(styles).most_common(1)[0][0]
    z = [plan.place(k) for k in corners]
    n = len(z)
    turns = [((z[i] - z[i - 1]).conjugate() * (z[(i + 1) % n] - z[i])).imag for i in range(n)]
    if any(abs(t) < 0.03 * abs(z[i] - z[i - 1]) * abs(z[(i + 1) % n] - z[i]) for i, t in enumerate(turns)):
        return None
    if n > 3 and min(turns) < 0 < max(turns):
        return None
    if (n > 4 and not _concyclic(z)) or (n == 4 and _solid(plan, corners)):
        return None
    return Polygon(tuple(corners), usual)  # type: ignore[arg-type]


def _solid(plan: Plan, corners: Sequence[int]) -> bool:
    """Say whether one diagonal is seen and the other hidden, as in a pyramid."""
    diagonals = [side_style(plan, corners[i], corners[i + 2]) for i in (0, 1)]
    return None not in diagonals and sum(bool(style.dash) for style in diagonals if style) == 1


def _concyclic(z: Sequence[complex]) -> bool:
    """Say whether corners lie on one circle."""
    matrix = np.array([(2 * p.real, 2 * p.imag, 1.0) for p in z])
    x, y, _ = np.linalg.lstsq(matrix, np.array([abs(p) ** 2 for p in z]), rcond=None)[0]
    away = [abs(p - complex(x, y)) for p in z]
    return max(away) - min(away) < 0.06


def side_style(plan: Plan, a: int, b: int) -> Style | None:
    """Give the style of the line that joins two places; None where none does."""
    for piece in plan.pieces:
        if a in piece.places and b in piece.places:
            return piece.style
    return None


def _filled(plan: Plan, found: list[Polygon]) -> list[Polygon]:
    """Give fills to the polygons that they fill, or make polygons of their outlines."""
    out = list(found)
    for fill in plan.scene.fills:
        same = next((i for i, p in enumerate(out) if _fits(plan, p, fill)), None)
        if same is not None:
            out[same] = Polygon(out[same].places, out[same].style, fill.color)
            continue
        near = [plan.scene.net.place_at(z, 0.4 * plan.unit) for z in fill.outline]
        ring = list(dict.fromkeys(k for k in near if k is not None))
        if len(ring) < 3:
            continue
        style = side_style(plan, ring[0], ring[1]) or Style()
        out.append(Polygon(tuple(ring), style, fill.color))
    return out


def _fits(plan: Plan, p: Polygon, fill: Fill) -> bool:
    """Say whether an area is that of a polygon."""
    own, middle = _area([plan.scene.net.places[k] for k in p.places])
    area, other = _area(fill.outline)
    return 0.6 * own < area < 1.15 * own and abs(middle - other) < OFF * plan.unit


def _area(corners: Sequence[complex]) -> tuple[float, complex]:
    """Measure a polygon: its area, and where its middle is."""
    z = np.array(corners)
    base = z[0]  # near it, so that large coordinates take nothing away
    z = z - base
    parts = (z.conjugate() * np.roll(z, -1)).imag / 2
    whole = float(parts.sum())
    return abs(whole), complex(base + ((z + np.roll(z, -1)) / 3 * parts).sum() / (whole or 1.0))


def rest(plan: Plan, polygons: Sequence[Polygon]) -> list[Piece]:
    """Take the sides of polygons out of the pieces."""
    out: list[Piece] = []
    sides = [(a, b) for p in polygons for a, b in zip(p.places, (*p.places[1:], p.places[0]), strict=True)]
    for piece in plan.pieces:
        covered = [False] * (len(piece.places) - 1)
        for a, b in sides:
            if a in piece.places and b in piece.places:
                i, j = sorted((piece.places.index(a), piece.places.index(b)))
                covered[i:j] = [True] * (j - i)
        start = 0
        for i in range(len(covered) + 1):
            if i == len(covered) or covered[i]:
                if i > start:
                    out.append(Piece(piece.places[start : i + 1], piece.style))
                start = i + 1
    return out
