"""Borders of columns and rows -> cells, some of which span several: a text crosses, or a rule is missing. Knows no text."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from got_ocr.columns import runs
from got_ocr.table.gaps import GAP
from got_ocr.table.seen import Seen, Span

Place = tuple[int, int]  # row, column
Area = tuple[int, int, int, int]  # row, column, rows, columns


@dataclass(frozen=True, slots=True)
class Net:
    """Borders of rows and columns over what is seen of a table. gaps: between columns. barred: told by rules."""

    seen: Seen
    xs: Sequence[float]
    ys: Sequence[float]
    gaps: Sequence[Span]
    barred: bool

    def areas(self, beside: Sequence[Place]) -> list[Area]:
        """List the cells. beside: places known to hang together with the one below."""
        right = [(place, (place[0], place[1] + 1)) for place in self._right() + self._headed()]
        down = [(place, (place[0] + 1, place[1])) for place in [*self._down(), *beside]]
        return _rectangles(len(self.ys) - 1, len(self.xs) - 1, right + down)

    def border(self, column: int, top: float, bottom: float) -> float | None:
        """Find where a column ends in some rows: in the middle of the bare paper that reaches into its gap; None if there is none."""
        if self.barred:
            return sum(self.gaps[column]) / 2
        first, last = self.gaps[column]
        left = self.gaps[column - 1][1] if column else self.seen.area[0]
        right = self.gaps[column + 1][0] if column + 1 < len(self.gaps) else self.seen.area[2]
        rows = self.seen.part(left, top + 2, right, bottom - 1)
        bare = [(left + a, left + b) for a, b in runs(~np.any(rows, axis=0))]
        near = [(a, b) for a, b in bare if a < last and first < b and b - a >= min(GAP * self.seen.em, last - first)]
        if not near:
            return None
        a, b = max(near, key=lambda span: min(span[1], last) - max(span[0], first))
        return (max(a, first) + min(b, last)) / 2

    def _right(self) -> list[Place]:
        """List the places that hang together with the one on their right."""
        out = []
        for row, (top, bottom) in enumerate(pairwise(self.ys)):
            if self.barred:
                apart = self._ruled_apart(top, bottom)
            else:
                apart = [self.border(column, top, bottom) is not None for column in range(len(self.gaps))]
            out += [(row, column) for column, parted in enumerate(apart) if not parted]
        return out

    def _ruled_apart(self, top: float, bottom: float) -> list[bool]:
        """Say at which borders a row is parted by rules; on a dark band they are not seen, and texts side by side tell it."""
        inner = self.xs[1:-1]
        apart = [any(rule.cover(top, bottom) > 0.4 for rule in self.seen.upright_at(x)) for x in inner]
        if any(apart):
            return apart
        texts = [self.seen.part(left, top + 2, right, bottom - 2).any() for left, right in pairwise(self.xs)]
        bare = not any(self.seen.part(x - 1, top + 2, x + 2, bottom - 2).any() for x in inner)
        return [bare and 2 * sum(map(bool, texts)) > len(texts)] * len(inner)

    def _down(self) -> list[Place]:
        """List the places that hang together with the one below them."""
        out = []
        for row, (top, y, bottom) in enumerate(zip(self.ys, self.ys[1:], self.ys[2:], strict=False)):
            rules = self.seen.across_at(y)
            for column, (left, right) in enumerate(pairwise(self.xs)):
                if any(rule.cover(left, right) > 0.5 for rule in rules):
                    continue
                both = self.seen.lines(left, top, right, y) and self.seen.lines(left, y, right, bottom)
                crosses = self.seen.part(left, round(y) - 1, right, round(y) + 2).any()
                if crosses or (rules and (self.barred or not both)):
                    out.append((row, column))
        return out

    def _headed(self) -> list[Place]:
        """List the places of the first row that hang together with the one on their right: what a piece of a rule underlines."""
        rules = self.seen.across_at(self.ys[1])
        under = np.array([any(rule.cover(*span) > 0.5 for rule in rules) for span in pairwise(self.xs)], dtype=np.bool_)
        if self.barred or under.all():
            return []
        out = []
        for first, last in runs(under):
            middles = []
            for left, right in pairwise(self.xs[first : last + 1]):
                inked = np.flatnonzero(self.seen.part(left, self.ys[0], right, self.ys[1]).any(0))
                middles.append(left + (inked[0] + inked[-1]) / 2 if inked.size else None)
            out += [(0, first + column) for column in _headings(middles, self.xs[first : last + 1])]
        return out


def _headings(middles: Sequence[float | None], xs: Sequence[float]) -> list[int]:
    """Share columns out among the texts over them, so that each stands in the middle of its own: columns joined to the next one."""
    count = len(middles)
    if all(middle is not None for middle in middles) or all(middle is None for middle in middles):
        return []
    best: list[tuple[float, list[int]]] = [(0.0, [])]
    for end in range(1, count + 1):
        tries = []
        for start in range(end):
            texts = [middle for middle in middles[start:end] if middle is not None]
            if len(texts) == 1:
                off = abs(texts[0] - (xs[start] + xs[end]) / 2)
                tries.append((best[start][0] + off, best[start][1] + list(range(start, end - 1))))
        best.append(min(tries, default=(float("inf"), [])))
    return best[count][1]


def _rectangles(rows: int, columns: int, links: Sequence[tuple[Place, Place]]) -> list[Area]:
    """Join places to cells. Joints that make no rectangle are dropped."""
    owner = {(row, column): (row, column) for row in range(rows) for column in range(columns)}

    def root(place: Place) -> Place:
        while owner[place] != place:
            place = owner[place]
        return place

    for first, second in links:
        a, b = sorted((root(first), root(second)))
        owner[b] = a
    groups: dict[Place, list[Place]] = {}
    for place in owner:
        groups.setdefault(root(place), []).append(place)
    out = []
    for group in groups.values():
        (top, bottom), (left, far) = ((min(p[i] for p in group), max(p[i] for p in group) + 1) for i in (0, 1))
        if (bottom - top) * (far - left) == len(group):
            out.append((top, left, bottom - top, far - left))
        else:
            out += [(row, column, 1, 1) for row, column in group]
    return sorted(out)
