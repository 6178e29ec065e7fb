"""Parallel lines cut by one other: in which order, and from which end, they are drawn. Knows no TikZ and no ink.

Parallels come first, by their names or, without names, from the one whose marked angle opens along it; the line that cuts them comes
last, from the first of them on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from got_ocr.geometry.chains import LATE
from got_ocr.geometry.net import along
from got_ocr.geometry.plan import Plan

PARALLEL, LEVEL, TURNED = (
    0.02,
    0.012,
    0.1,
)  # sines: of parallels, of level lines, between a line and the side of an angle on it


@dataclass(frozen=True, slots=True)
class Cut:
    """order: segments of the plan's net in order. starts: for each, the place that it begins with."""

    order: tuple[int, ...]
    starts: Mapping[int, int]

    def rank(self, plan: Plan, place: int) -> int:
        """Give the number, in order, of the first line through a place."""
        return next((n for n, i in enumerate(self.order) if place in plan.scene.net.on[i]), len(self.order))


def find_cut(plan: Plan, ranks: Mapping[int, int]) -> Cut | None:
    """Find parallels that one line cuts; None where there are none. ranks: of named places."""
    net = plan.scene.net
    count = len(net.segments)
    if net.arcs or not 3 <= count <= 5 or not plan.scene.angles:
        return None
    for cutting in range(count):
        rest = [i for i in range(count) if i != cutting]
        ways = [net.segments[i].along for i in rest]
        same = all(abs((ways[0].conjugate() * way).imag) < PARALLEL for way in ways)
        crossed = [next((k for k in net.on[i][1:-1] if k in net.on[cutting][1:-1]), None) for i in rest]
        if same and None not in crossed:
            return _ordered(plan, ranks, cutting, {i: k for i, k in zip(rest, crossed, strict=True) if k is not None})
    return None


def _ordered(plan: Plan, ranks: Mapping[int, int], cutting: int, crossed: Mapping[int, int]) -> Cut:
    """Order lines. crossed: of each parallel the place where it is cut."""
    net = plan.scene.net
    far = {i: along(net.segments[cutting], net.places[k]) for i, k in crossed.items()}
    named = {i: min(ranks.get(k, LATE) for k in net.on[i]) for i in crossed}
    way = _way(plan, list(crossed))
    if len(set(named.values())) > 1:
        order = sorted(crossed, key=lambda i: named[i])
    else:
        order = sorted(crossed, key=lambda i: far[i])
        if not _opens(plan, crossed[order[0]], way):
            order.reverse()
    starts = {}
    for i in order:
        ends = net.ends[i]
        forwards = (net.segments[i].along * way.conjugate()).real > 0
        known = [ranks[k] for k in ends if k in ranks]
        starts[i] = min(ends, key=lambda k: ranks.get(k, LATE)) if known else ends[0 if forwards else 1]
    first_half = far[order[0]] < far[order[-1]]
    starts[cutting] = net.ends[cutting][0 if first_half else 1]
    return Cut((*order, cutting), starts)


def _way(plan: Plan, rows: list[int]) -> complex:
    """Say in which direction parallels are drawn: that of their arrow heads, else to the right."""
    net = plan.scene.net
    heads = [net.segments[head.segment].along * head.way for head in plan.scene.heads if head.segment in rows]
    way = heads[0] if heads else net.segments[rows[0]].along
    return way if heads or way.real > LEVEL or (abs(way.real) <= LEVEL and way.imag > 0) else -way


def _opens(plan: Plan, place: int, way: complex) -> bool:
    """Say whether an angle that is marked in a place has a side in a direction."""
    marks = [mark for mark in plan.scene.angles if mark.place == place]
    return any(abs(side - way) < TURNED for mark in marks for side in (mark.first, mark.second))
