"""The graph that a drawing shows: places of atoms, bonds as they are drawn. Knows neither how it was found nor what labels say."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

SALT, MOST_PARTS = 2, 4  # parts of a salt; a bond that was missed makes one more
LARGEST = 3  # bonds of the largest of several parts, at least: letters of a script are small webs as well
SLIGHT, ROUND = (
    40.0,
    6,
)  # degrees by which bonds turn at an atom, at least, and how many turn less along a circle, at least
FAIR = 0.6  # of the bonds: so many are of one length


@dataclass(frozen=True, slots=True)
class Vertex:
    """An atom's place in the page's pixels. tag: the number of its label, -1 without one."""

    x: float
    y: float
    tag: int = -1


@dataclass(frozen=True, slots=True)
class Edge:
    """A bond. order: lines drawn. dashed: one of them is dashed. wedge: 1 towards the reader from a to b, -1 away from him."""

    a: int
    b: int
    order: int = 1
    dashed: bool = False
    wedge: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """The graph that a drawing shows."""

    vertices: list[Vertex]
    edges: list[Edge]


def pointed(edges: Sequence[Edge], count: int) -> list[Edge]:
    """Let wedges begin at atoms of three bonds or more, since others have no hand."""
    bonds = [0] * count
    for edge in edges:
        bonds[edge.a] += 1
        bonds[edge.b] += 1
    turned = [edge.wedge != 0 and bonds[edge.a] < 3 <= bonds[edge.b] for edge in edges]
    return [replace(e, a=e.b, b=e.a) if turn else e for e, turn in zip(edges, turned, strict=True)]


def plausible(frame: Frame, unit: float) -> bool:
    """Say whether a graph may be a molecule: atoms with few bonds, bonds of one length, labels on bonds."""
    if not frame.edges or _curved(frame):
        return False
    bonds = [0] * len(frame.vertices)
    fair = 0
    for edge in frame.edges:
        a, b = frame.vertices[edge.a], frame.vertices[edge.b]
        bonds[edge.a] += 1
        bonds[edge.b] += 1
        fair += 0.5 * unit < math.hypot(a.x - b.x, a.y - b.y) < 1.7 * unit
    parts = _parts(frame)
    if len(parts) > MOST_PARTS or (len(parts) > 1 and max(parts) < LARGEST):
        return False
    if len(parts) > SALT and 2 * max(parts) <= sum(parts):
        return False
    if len(parts) > 1 and all(vertex.tag < 0 for vertex in frame.vertices):
        return False  # the parts of a salt have charges
    lost = sum(vertex.tag >= 0 and count == 0 for vertex, count in zip(frame.vertices, bonds, strict=True))
    crowded = sum(count > 4 for count in bonds)
    return fair > FAIR * len(frame.edges) and crowded <= 1 + len(bonds) // 20 and lost <= max(1, len(bonds) // 5)


def _curved(frame: Frame) -> bool:
    """Say whether lines go on after one another like a circle, where bonds would meet under an angle."""
    ends: dict[int, list[int]] = {}
    for edge in frame.edges:
        ends.setdefault(edge.a, []).append(edge.b)
        ends.setdefault(edge.b, []).append(edge.a)
    turns = [_turn(frame, near[0], vertex, near[1]) for vertex, near in ends.items() if len(near) == 2]
    slight = sum(turn < SLIGHT for turn in turns)
    return slight >= ROUND and 2 * slight > len(turns)


def _turn(frame: Frame, before: int, at: int, after: int) -> float:
    """Measure by how many degrees the way turns at a vertex."""
    a, b, c = (frame.vertices[i] for i in (before, at, after))
    turn = math.degrees(math.atan2(c.y - b.y, c.x - b.x) - math.atan2(b.y - a.y, b.x - a.x))
    return abs((turn + 180) % 360 - 180)


def _parts(frame: Frame) -> list[int]:
    """Count the bonds of each part of a graph that holds one."""
    group = list(range(len(frame.vertices)))

    def root(vertex: int) -> int:
        while group[vertex] != vertex:
            vertex = group[vertex]
        return vertex

    for edge in frame.edges:
        group[root(edge.a)] = root(edge.b)
    return list(Counter(root(edge.a) for edge in frame.edges).values())
