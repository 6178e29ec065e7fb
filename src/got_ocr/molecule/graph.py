"""The graph that a drawing shows: places of atoms, bonds as they are drawn. Knows neither how it was found nor what labels say."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

SALT, MOST_PARTS = 2, 4  # parts of a salt; a bond that was missed makes one more
LARGEST = 3  # bonds of the largest of several parts, at least: letters of a script are small webs as well
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
    if not frame.edges:
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
    lost = sum(vertex.tag >= 0 and count == 0 for vertex, count in zip(frame.vertices, bonds, strict=True))
    crowded = sum(count > 4 for count in bonds)
    return fair > FAIR * len(frame.edges) and crowded <= 1 + len(bonds) // 20 and lost <= max(1, len(bonds) // 5)


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
