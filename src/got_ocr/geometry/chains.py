"""Straight pieces -> broken lines, in the order in which such drawings are written, and from which end. Knows no TikZ."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from got_ocr.geometry.plan import Piece, Plan

LATE = 500  # the place in the order of what has no name
Key = tuple[float, ...]


def chained(plan: Plan, names: Mapping[int, str], order: Mapping[int, int], pieces: Sequence[Piece]) -> list[Piece]:
    """Join pieces of one style into the broken lines as which such drawings write them."""
    left = list(pieces)
    out: list[Piece] = []
    for path in _solids(plan, names, order, left) or _known(plan, names, left):
        found = [_between(left, a, b) for a, b in pairwise(path)]
        if any(piece is None for piece in found) or len({piece.style for piece in found if piece}) != 1:
            continue
        left = [piece for piece in left if piece not in found]
        out.append(Piece(tuple(path), found[0].style))  # type: ignore[union-attr]
    return out + _through_nameless(plan, names, left)


def _between(pieces: Sequence[Piece], a: int, b: int) -> Piece | None:
    return next((p for p in pieces if {p.places[0], p.places[-1]} == {a, b}), None)


def _solids(plan: Plan, names: Mapping[int, str], order: Mapping[int, int], pieces: Sequence[Piece]) -> list[list[int]]:
    """List the broken lines of a named cuboid, prism or pyramid; none where it is no such solid."""
    row = sorted(names, key=lambda k: order[k])
    plain = [k for k in row if len(names[k]) == 1]
    dashed = {frozenset((p.places[0], p.places[-1])) for p in pieces if p.style.dash}

    def hidden(*pairs: tuple[int, int]) -> bool:
        return all(frozenset(pair) in dashed for pair in pairs)

    if len(row) == 8:
        a, b, c, d, e, f, g, h = row
        if hidden((a, d), (c, d), (h, d)):
            return [[a, b, c, g, h, e, a], [e, f, g], [b, f], [a, d], [c, d], [h, d]]
    if len(row) == 6:
        a, b, c, d, e, f = row
        if hidden((a, c), (b, c), (c, f)):
            return [[a, b, e, d, a], [d, f, e], [a, c, b], [c, f]]
    if len(row) in (5, 6) and len(plain) == len(row):
        a, b, c, d, tip = row[:5]
        if hidden((c, d), (d, a), (d, tip)):
            return [[a, b, c], [c, d, a], [d, tip], [b, tip], [a, tip, c]]
    if len(row) in (4, 5) and len(plain) == len(row):
        a, b, c, tip = row[:4]
        if hidden((a, c)) and _between(pieces, c, tip):
            return [[a, b, c], [a, c], [a, tip, b], [c, tip]]
    return []


def _known(plan: Plan, names: Mapping[int, str], pieces: Sequence[Piece]) -> list[list[int]]:
    """List other broken lines: the legs of an angle in a circle, the radii of a sector, the ways to the foci, the sides of a cone."""
    by = {name: k for k, name in names.items()}
    places, near = plan.scene.net.places, 0.06 * plan.unit
    out: list[list[int]] = []
    if "F1" in by and "F2" in by and "P" in by:
        out.append([by["F1"], by["P"], by["F2"]])
    for arc in plan.scene.net.arcs:
        on = [k for k in names if abs(abs(places[k] - arc.center) - arc.rx) < near]
        on.sort(key=lambda k: names[k])
        centre = next((k for k in names if abs(places[k] - arc.center) < near), None)
        if arc.round and not arc.whole and centre is not None and len(on) == 2:
            out.append([on[0], centre, on[1]])
        elif arc.round and arc.whole and len(on) == 3 and len(names) == 4 and not _between(pieces, on[1], on[2]):
            out.append([on[1], on[0], on[2]])
            if centre is not None:
                out.append([on[1], centre, on[2]])
        elif not arc.round and "O" in by:
            tip = next((by[n] for n in "SPV" if n in by), None)
            sides = [
                k
                for p in pieces
                if tip in (p.places[0], p.places[-1])
                for k in (p.places[0], p.places[-1])
                if k not in names
            ]
            sides = sorted(set(sides), key=lambda k: places[k].real)
            if tip is not None and len(sides) == 2:
                if _between(pieces, by["O"], sides[0]):
                    sides.reverse()  # as its mirror image, whose radius goes to the left
                out += [[sides[0], tip, sides[1]], [tip, by["O"], sides[1]]]
    return out


def _through_nameless(plan: Plan, names: Mapping[int, str], pieces: Sequence[Piece]) -> list[Piece]:
    """Join pieces at places without a name where just two of them end."""
    left = list(pieces)
    if not names:
        return [Piece(_corners(plan, p.places), p.style) for p in left]
    merged = True
    while merged:
        merged = False
        for place in {k for p in left for k in (p.places[0], p.places[-1])} - set(names):
            two = [p for p in left if place in (p.places[0], p.places[-1])]
            if len(two) == 2 and two[0].style == two[1].style and two[0].places[0] != two[0].places[-1]:
                first, second = ((p.places if p.places[-1] == place else p.places[::-1]) for p in two)
                corners = (*_corners(plan, first), *_corners(plan, second)[::-1][1:])
                left = [p for p in left if p not in two] + [Piece(corners, two[0].style)]
                merged = True
                break
    return [Piece(_corners(plan, p.places), p.style) for p in left]


def _corners(plan: Plan, places: tuple[int, ...]) -> tuple[int, ...]:
    """Drop places that lie on the straight way between others."""
    z = [plan.scene.net.places[k] for k in places]
    inner = [i for i in range(1, len(z) - 1) if abs(((z[i] - z[i - 1]).conjugate() * (z[i + 1] - z[i])).imag)
             > 0.08 * abs(z[i] - z[i - 1]) * abs(z[i + 1] - z[i])]  # fmt: skip
    return (places[0], *(places[i] for i in inner), places[-1])


def chain_key(
    plan: Plan, names: Mapping[int, str], order: Mapping[int, int], chain: Piece, webbed: bool
) -> tuple[Key, tuple[int, ...]]:
    """Say where a broken line stands in the order, and from which end it is written. webbed: it is an edge of a graph."""
    places = chain.places
    ranks = [order.get(k, LATE) for k in places]
    if len(places) == 4 and places[0] in names and places[-1] in names and not {places[1], places[2]} & set(names):
        # A square on the side of a triangle: from B to A, from C to B, from A to C.
        late = ranks[0] > ranks[-1]
        turn = abs(ranks[0] - ranks[-1]) == 1
        if late != turn:
            places = places[::-1]
        return (1, LATE, 0, 0 if turn else 1, order.get(places[0], LATE)), places
    if len(places) > 2:
        return (0.8, -1.0 if ranks[0] >= 0 else 0.0), places
    z = [plan.place(k) for k in places]
    if (ranks[1], z[1].real, z[1].imag) < (ranks[0], z[0].real, z[0].imag):
        places, ranks = places[::-1], ranks[::-1]
    if webbed:
        return (1, ranks[1], 0, ranks[0]), places[::-1]
    if names and min(ranks) == LATE:
        return (-0.2, 0, 0, 0), places
    return (1, ranks[1], 0, ranks[0]), places
