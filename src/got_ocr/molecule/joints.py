"""Strokes and labels -> atoms and bonds: which ends meet in one atom, which strokes make one bond, where lines merely cross.

Knows lengths and directions only, no letters and no chemistry.
"""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from got_ocr.lines import Box
from got_ocr.molecule.graph import Edge, Frame, Vertex, pointed
from got_ocr.molecule.letters import Tag
from got_ocr.molecule.strokes import Point, Sketch, Stroke

# All in lengths of a bond.
MEET = 0.25  # ends that lie nearer meet
MEET_NARROW, MEET_BROAD = 0.8, 0.4  # the same for the ends of rows of hashes, whose first ones are faint
ASIDE = 0.2  # what lies farther from the axis of a row of hashes is not its atom
STUB = 0.3  # a piece between two joints that is shorter is part of the joint
DIRT = 0.6  # a stroke by itself that is shorter is no bond
SPUR = 0.2  # an end that is shorter is no bond
REACH = 0.45  # from the end of a bond to its letter
PAST = 0.13  # by which a bond may pass its letter
BESIDE = (0.04, 0.34)  # between the lines of a double bond
CROSSED = 1.6  # two pieces of one bond that another crosses
LINEAR = 1.55  # a double or triple bond that is longer goes on through an atom between straight bonds
BROKEN = 1.4  # two pieces that go straight on and are not longer together are one bond
STRAIGHT = 0.22  # radians by which two strokes may differ and still go straight on, or lie parallel


def joined(sketch: Sketch, tags: Sequence[Tag], unit: float, capital: float) -> Frame:
    """Make a graph of strokes and labels."""
    joiner = _Joiner(sketch, tags, unit, capital)
    joiner.contract()
    joiner.uncross()
    joiner.mend()
    joiner.set_beside()
    joiner.attach()
    joiner.meet()
    joiner.mend()
    joiner.pass_through()
    return joiner.frame()


class _Joiner:
    """The strokes while they are put together. group: of nodes that are one atom; at: where each group lies."""

    def __init__(self, sketch: Sketch, tags: Sequence[Tag], unit: float, capital: float) -> None:
        self.nodes = list(sketch.nodes)
        self.strokes = list(sketch.strokes)
        self.tags, self.unit, self.capital = tags, unit, capital
        self.group = list(range(len(self.nodes)))
        self.beside: list[tuple[Stroke, Stroke]] = []  # an inner line and the stroke that it doubles
        self.tag_of: dict[int, int] = {}  # group -> label
        self.labelled: dict[int, int] = {}  # label -> group
        self.made: set[int] = set()  # atoms put on long straight bonds

    def root(self, node: int) -> int:
        """Find the group of a node."""
        while self.group[node] != node:
            self.group[node] = self.group[self.group[node]]
            node = self.group[node]
        return node

    def merge(self, a: int, b: int) -> None:
        """Make one group of two."""
        a, b = self.root(a), self.root(b)
        if a != b:
            self.group[b] = a
            if b in self.tag_of:
                self.tag_of.setdefault(a, self.tag_of.pop(b))

    def ends(self) -> dict[int, list[tuple[Stroke, int]]]:
        """List the strokes that end in each group, with the node at which they do."""
        found: dict[int, list[tuple[Stroke, int]]] = {}
        for stroke in self.strokes:
            for node in (stroke.a, stroke.b):
                found.setdefault(self.root(node), []).append((stroke, node))
        return found

    def length(self, stroke: Stroke) -> float:
        """Measure a stroke in bonds."""
        return math.dist(self.nodes[stroke.a], self.nodes[stroke.b]) / self.unit

    def far(self, stroke: Stroke, node: int) -> int:
        """Give the other end of a stroke."""
        return stroke.b if node == stroke.a else stroke.a

    def turn(self, stroke: Stroke, node: int) -> float:
        """Give the direction in which a stroke leaves one of its nodes."""
        (x0, y0), (x1, y1) = self.nodes[node], self.nodes[self.far(stroke, node)]
        return math.atan2(y1 - y0, x1 - x0)

    def contract(self) -> None:
        """Merge the ends of pieces so short that they belong to a joint; drop spurs."""
        degree: dict[int, int] = {}
        for stroke in self.strokes:
            for node in (stroke.a, stroke.b):
                degree[node] = degree.get(node, 0) + 1
        kept = []
        for stroke in self.strokes:
            size = self.length(stroke)
            loose = [node for node in (stroke.a, stroke.b) if degree[node] == 1]
            if len(loose) == 0 and size < STUB:
                self.merge(stroke.a, stroke.b)
            elif len(loose) == 1 and size < SPUR:
                continue
            else:
                kept.append(stroke)
        self.strokes = [s for s in kept if self.root(s.a) != self.root(s.b)]

    def uncross(self) -> None:
        """Part two bonds that cross where no atom is: four short pieces that go straight on in pairs."""
        for ends in self.ends().values():
            if len(ends) != 4:
                continue
            pairs = self._straight_pairs(ends)
            if pairs is None or any(self.length(a[0]) + self.length(b[0]) > CROSSED for a, b in pairs):
                continue
            for (one, node_one), (two, node_two) in pairs:
                self.strokes = [s for s in self.strokes if s is not one and s is not two]
                self.strokes.append(Stroke(self.far(one, node_one), self.far(two, node_two)))

    def _straight_pairs(
        self, ends: list[tuple[Stroke, int]]
    ) -> list[tuple[tuple[Stroke, int], tuple[Stroke, int]]] | None:
        """Pair four strokes that go straight on through their joint."""
        first, rest = ends[0], ends[1:]
        for index, other in enumerate(rest):
            last = [end for i, end in enumerate(rest) if i != index]
            if self._opposite(first, other) and self._opposite(last[0], last[1]):
                return [(first, other), (last[0], last[1])]
        return None

    def _opposite(self, one: tuple[Stroke, int], two: tuple[Stroke, int]) -> bool:
        turn = abs(self.turn(*one) - self.turn(*two)) % (2 * math.pi)
        return abs(turn - math.pi) < STRAIGHT

    def mend(self) -> None:
        """Make one stroke of two short ones that go straight on where nothing else meets."""
        for group, ends in self.ends().items():
            if len(ends) != 2 or group in self.tag_of:
                continue
            (one, node_one), (two, node_two) = ends
            same = {one.kind, two.kind} == {"line"} and one in self.strokes and two in self.strokes
            if not same or self.length(one) + self.length(two) > BROKEN or not self._opposite(*ends):
                continue
            if self.root(self.far(one, node_one)) == self.root(self.far(two, node_two)):
                continue
            self.strokes = [s for s in self.strokes if s is not one and s is not two]
            whole = Stroke(self.far(one, node_one), self.far(two, node_two), "line", one.free and two.free)
            self.strokes.append(whole)
            self.beside = [(own, whole if main is one or main is two else main) for own, main in self.beside]

    def set_beside(self) -> None:
        """Set aside the inner lines of double and triple bonds, and all dashed lines."""
        doubled: dict[int, Stroke] = {}
        order = sorted(range(len(self.strokes)), key=lambda i: (self.length(self.strokes[i]), i))
        for index in order:
            stroke = self.strokes[index]
            if not stroke.free or stroke.kind not in ("line", "dash"):
                continue
            mains = [
                main
                for i, main in enumerate(self.strokes)
                if i != index and main.kind in ("line", "wedge") and i not in doubled and self._doubles(stroke, main)
            ]
            if mains:
                doubled[index] = min(mains, key=lambda main: self._gap(stroke, main))
        self.beside = [(self.strokes[index], main) for index, main in doubled.items()]
        self.strokes = [s for i, s in enumerate(self.strokes) if i not in doubled and s.kind != "dash"]

    def _axis(self, stroke: Stroke) -> tuple[np.ndarray, np.ndarray, float]:
        start, end = np.array(self.nodes[stroke.a]), np.array(self.nodes[stroke.b])
        size = max(1e-6, float(np.hypot(*(end - start))))
        return start, (end - start) / size, size

    def _gap(self, stroke: Stroke, main: Stroke) -> float:
        """Measure how far the middle of a stroke lies beside the line of another, in bonds."""
        start, along, _ = self._axis(main)
        x, y = (np.array(self.nodes[stroke.a]) + self.nodes[stroke.b]) / 2 - start
        return abs(float(along[0] * y - along[1] * x)) / self.unit

    def _doubles(self, stroke: Stroke, main: Stroke) -> bool:
        """Say whether a stroke runs beside another that is no shorter."""
        start, along, size = self._axis(main)
        own_start, own_along, own_size = self._axis(stroke)
        if own_size > 1.1 * size or abs(float(along @ own_along)) < math.cos(STRAIGHT):
            return False
        if not BESIDE[0] < self._gap(stroke, main) < BESIDE[1]:
            return False
        spots = sorted((float((own_start - start) @ along), float((own_start + own_along * own_size - start) @ along)))
        shared = min(spots[1], size) - max(spots[0], 0.0)
        return shared > 0.6 * own_size

    def label_ahead(self, stroke: Stroke, node: int) -> int | None:
        """Find the label that a stroke's end points at."""
        x, y = self.nodes[node]
        back = self.turn(stroke, node)
        ahead = (-math.cos(back), -math.sin(back))
        best, least = None, REACH * self.unit
        for index, tag in enumerate(self.tags):
            away = min(_distance(box, x, y) for box in tag.boxes)
            if away < least and any(_hit(box, (x, y), ahead, PAST * self.unit) for box in tag.boxes):
                best, least = index, away
        return best

    def attach(self) -> None:
        """Give loose ends to the labels they point at."""
        for group, ends in self.ends().items():
            if len(ends) != 1:
                continue
            stroke, node = ends[0]
            tag = self.label_ahead(stroke, node)
            if tag is None:
                continue
            if tag in self.labelled:
                self.merge(self.labelled[tag], group)
            else:
                self.labelled[tag] = group
                self.tag_of[group] = tag

    def meet(self) -> None:
        """Merge loose ends with what lies near: the two lines of a double bond at its end, hashes and their atoms."""
        for hashed in (False, True):
            for group, ends in self.ends().items():
                if len(ends) != 1 or group in self.tag_of or (ends[0][0].kind == "hash") != hashed:
                    continue
                stroke, node = ends[0]
                known = {self.root(node), self.root(self.far(stroke, node))}
                away = {
                    other: self._away(stroke, node, spot) for other, spot in self.spots().items() if other not in known
                }
                best = min(away, key=lambda other: away[other], default=None)
                reach = MEET if not hashed else MEET_NARROW if node == stroke.a else MEET_BROAD
                if best is not None and away[best] < reach:
                    self.merge(best, node)

    def _away(self, stroke: Stroke, node: int, spot: Point) -> float:
        """Measure how far a point is from the end of a stroke, in bonds; of hashes, straight ahead."""
        (x, y), turn = self.nodes[node], self.turn(stroke, node)
        dx, dy = (spot[0] - x) / self.unit, (spot[1] - y) / self.unit
        if stroke.kind != "hash":
            return math.hypot(dx, dy)
        ahead, aside = -dx * math.cos(turn) - dy * math.sin(turn), dx * math.sin(turn) - dy * math.cos(turn)
        return abs(ahead) if ahead > -0.2 and abs(aside) < ASIDE else 9.0

    def spots(self) -> dict[int, Point]:
        """Say where each group lies: in the middle of the nodes at which its strokes end."""
        return {
            group: (
                float(np.mean([self.nodes[node][0] for _, node in ends])),
                float(np.mean([self.nodes[node][1] for _, node in ends])),
            )
            for group, ends in self.ends().items()
        }

    def pass_through(self) -> None:
        """Put atoms on long straight bonds of which a part is drawn double or triple."""
        out: list[Stroke] = []
        for stroke in self.strokes:
            whole = self._whole(stroke)
            count = round(whole)
            inner = [own for own, main in self.beside if main is stroke]
            twin = any(
                s is not stroke and {self.root(s.a), self.root(s.b)} == {self.root(stroke.a), self.root(stroke.b)}
                for s in self.strokes
            )
            if whole < LINEAR or count < 2 or not (inner or twin):
                out.append(stroke)
                continue
            out += self._split(stroke, count, inner)
        self.strokes = out
        # Two lines of one bond that are both cut give one atom.
        for one, two in combinations(sorted(self.made), 2):
            if math.dist(self.nodes[one], self.nodes[two]) < MEET * self.unit:
                self.merge(one, two)

    def _whole(self, stroke: Stroke) -> float:
        """Measure a stroke from atom to atom: a label's atom lies behind the end."""
        more = sum(self.root(node) in self.tag_of for node in (stroke.a, stroke.b)) * (
            0.12 + 0.5 * self.capital / self.unit
        )
        return self.length(stroke) + more

    def _split(self, stroke: Stroke, count: int, inner: list[Stroke]) -> list[Stroke]:
        """Cut a stroke into bonds of one length, and give each the inner lines that run beside it."""
        start, along, _ = self._axis(stroke)
        lead = (0.12 * self.unit + 0.5 * self.capital) if self.root(stroke.a) in self.tag_of else 0.0
        step = self._whole(stroke) * self.unit / count
        chain = [stroke.a]
        for k in range(1, count):
            x, y = start + along * (step * k - lead)
            self.nodes.append((float(x), float(y)))
            self.group.append(len(self.nodes) - 1)
            chain.append(len(self.nodes) - 1)
        self.made = self.made | set(chain[1:])
        chain.append(stroke.b)
        parts = [Stroke(a, b) for a, b in pairwise(chain)]
        self.beside = [pair for pair in self.beside if pair[1] is not stroke]
        for own in inner:
            spots = sorted(float((np.array(self.nodes[node]) - start) @ along) + lead for node in (own.a, own.b))
            for k, part in enumerate(parts):
                shared = min(spots[1], step * (k + 1)) - max(spots[0], step * k)
                if shared > 0.4 * min(step, spots[1] - spots[0]):
                    self.beside.append((own, part))
        return parts

    def frame(self) -> Frame:
        """Read the graph off; what hangs on nothing and is shorter than a bond is dirt or a dash."""
        met = self.ends()
        solid = [
            stroke
            for stroke in self.strokes
            if self.length(stroke) > DIRT
            or any(len(met[self.root(node)]) > 1 or self.root(node) in self.tag_of for node in (stroke.a, stroke.b))
        ]
        self.strokes = solid or self.strokes
        groups = sorted({self.root(node) for stroke in self.strokes for node in (stroke.a, stroke.b)})
        number = {group: index for index, group in enumerate(groups)}
        vertices = self._vertices(groups)
        shown = {vertex.tag for vertex in vertices}
        for index, tag in enumerate(self.tags):
            if index not in shown:
                vertices.append(Vertex((tag.box[0] + tag.box[2]) / 2, (tag.box[1] + tag.box[3]) / 2, index))
        edges: dict[tuple[int, int], Edge] = {}
        for stroke in self.strokes:
            a, b = number[self.root(stroke.a)], number[self.root(stroke.b)]
            if a == b:
                continue
            inner = [own for own, main in self.beside if main is stroke]
            dashed = any(own.kind == "dash" for own in inner)
            wedge = {"wedge": 1, "hash": -1}.get(stroke.kind, 0)
            order = 1 + sum(own.kind == "line" for own in inner)
            known = edges.get((min(a, b), max(a, b)))
            if known is not None:
                edge = Edge(known.a, known.b, min(3, known.order + order), known.dashed or dashed, 0)
            else:
                edge = Edge(a, b, min(3, order), dashed, wedge)
            edges[min(a, b), max(a, b)] = edge
        return Frame(vertices, pointed(list(edges.values()), len(vertices)))

    def _vertices(self, groups: Sequence[int]) -> list[Vertex]:
        """Place the atoms; those with a label lie behind the ends of their strokes."""
        spots, all_ends, found = self.spots(), self.ends(), []
        for group in groups:
            tag, (x, y) = self.tag_of.get(group, -1), spots[group]
            if tag >= 0:
                more = 0.08 * self.unit + 0.5 * self.capital
                turns = [self.turn(stroke, node) for stroke, node in all_ends[group]]
                x -= more * float(np.mean([math.cos(turn) for turn in turns]))
                y -= more * float(np.mean([math.sin(turn) for turn in turns]))
            found.append(Vertex(x, y, tag))
        return found


def _distance(box: Box, x: float, y: float) -> float:
    left, top, right, bottom = box
    return math.hypot(max(left - x, 0.0, x - right), max(top - y, 0.0, y - bottom))


def _hit(box: Box, start: Point, ahead: Point, more: float) -> bool:
    """Say whether a ray meets a box that is widened by `more`."""
    low, high = 0.0, 1e9
    for place, step, near, far in (
        (start[0], ahead[0], box[0] - more, box[2] + more),
        (start[1], ahead[1], box[1] - more, box[3] + more),
    ):
        if abs(step) < 1e-9:
            if not near <= place <= far:
                return False
            continue
        one, two = sorted(((near - place) / step, (far - place) / step))
        low, high = max(low, one), min(high, two)
    return low <= high
