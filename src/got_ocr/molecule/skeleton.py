"""Strokes that hang together -> straight segments between joints. Holds thinning, tracing and simplification; knows no chemistry."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]  # (N, 2) of x, y

MOST_ROUNDS = 30  # of thinning: half the width of the widest stroke
MOST_POINTS = 400_000  # of ink in one piece
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # rows, columns, clockwise from above


def _removable(step: int) -> NDArray[np.bool_]:
    """Tabulate by the eight neighbours which pixel a round of thinning takes away. Source: Zhang and Suen, 1984."""
    table = np.zeros(256, dtype=bool)
    for code in range(256):
        n = [code >> k & 1 for k in range(8)]
        changes = sum(n[k] == 0 and n[(k + 1) % 8] == 1 for k in range(8))
        up, right, down, left = n[0], n[2], n[4], n[6]
        corners = (up * right * down, right * down * left) if step == 0 else (up * right * left, up * down * left)
        table[code] = 2 <= sum(n) <= 6 and changes == 1 and not any(corners)
    return table


def _idle() -> NDArray[np.bool_]:
    """Tabulate by the eight neighbours which pixel of a thin line holds nothing together, as corners of stairs. Source: Yokoi, 1975."""
    table = np.zeros(256, dtype=bool)
    for code in range(256):
        gap = [1 - (code >> k & 1) for k in range(8)]
        parts = sum(gap[k] - gap[k] * gap[k + 1] * gap[(k + 2) % 8] for k in (0, 2, 4, 6))
        table[code] = sum(gap) <= 6 and parts == 1
    return table


_TABLES = (_removable(0), _removable(1))
_IDLE = _idle()


def thinned(mask: Mask) -> Mask:
    """Thin strokes to lines of one pixel."""
    flat = np.pad(mask, 1).astype(np.uint8).ravel()
    stride = mask.shape[1] + 2
    around = np.array([row * stride + column for row, column in _AROUND])
    weights = (1 << np.arange(8)).astype(np.int64)
    left = np.flatnonzero(flat)
    for _ in range(MOST_ROUNDS):
        before = left.size
        for table in _TABLES:
            gone = table[flat[left[:, None] + around] @ weights]
            flat[left[gone]] = 0
            left = left[~gone]
        if left.size == before:
            break
    for spot in left.tolist():  # one by one, since of two that touch only one may go
        if _IDLE[int(flat[spot + around] @ weights)]:
            flat[spot] = 0
    out: Mask = flat.reshape(mask.shape[0] + 2, stride)[1:-1, 1:-1].astype(bool)
    return out


@dataclass(slots=True)
class Web:
    """Joints and ends of strokes, and the lines between them. nodes: x, y. paths: from node to node, with the points between."""

    nodes: list[tuple[float, float]] = field(default_factory=list)
    paths: list[tuple[int, int, Points]] = field(default_factory=list)

    def degree(self) -> list[int]:
        """Count the line ends at each node."""
        count = [0] * len(self.nodes)
        for a, b, _ in self.paths:
            count[a] += 1
            count[b] += 1
        return count


def traced(mask: Mask) -> Web:
    """Follow the thinned lines of one piece of ink and drop the spurs that thinning leaves at corners and broad ends."""
    if mask.sum() > MOST_POINTS:
        return Web()
    away = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    web = _traced(thinned(mask))
    for _ in range(3):
        joined = _joined(_pruned(web, away))
        if len(joined.paths) == len(web.paths):
            return joined
        web = joined
    return web


def _traced(lines: Mask) -> Web:
    """Make nodes of ends and crossings of one-pixel lines, and paths of what lies between."""
    ys, xs = np.nonzero(lines)
    spots = set(zip(xs.tolist(), ys.tolist(), strict=True))
    beside = {spot: [s for dy, dx in _AROUND if (s := (spot[0] + dx, spot[1] + dy)) in spots] for spot in sorted(spots)}
    web, owner = Web(), dict[tuple[int, int], int]()
    for spot, near in beside.items():
        if len(near) != 2 and spot not in owner:
            _own_cluster(spot, beside, owner, web)
    seen: set[tuple[int, int]] = set()
    for spot, node in list(owner.items()):
        for start in beside[spot]:
            if start not in owner and start not in seen:
                _follow(web, owner, beside, seen, (node, spot, start))
    for spot in beside:  # closed rings without any crossing
        if spot not in seen and spot not in owner and len(beside[spot]) == 2:
            owner[spot] = len(web.nodes)
            web.nodes.append(spot)
            _follow(web, owner, beside, seen, (owner[spot], spot, beside[spot][0]))
    return web


def _own_cluster(
    spot: tuple[int, int],
    beside: dict[tuple[int, int], list[tuple[int, int]]],
    owner: dict[tuple[int, int], int],
    web: Web,
) -> None:
    """Make one node of a crossing, whose pixels may be several."""
    cluster, waiting = [], [spot]
    owner[spot] = len(web.nodes)
    while waiting:
        here = waiting.pop()
        cluster.append(here)
        for near in beside[here]:
            if len(beside[near]) > 2 and near not in owner and len(beside[here]) > 2:
                owner[near] = len(web.nodes)
                waiting.append(near)
    x, y = np.mean(cluster, axis=0)
    web.nodes.append((float(x), float(y)))


def _follow(
    web: Web,
    owner: dict[tuple[int, int], int],
    beside: dict[tuple[int, int], list[tuple[int, int]]],
    seen: set[tuple[int, int]],
    start: tuple[int, tuple[int, int], tuple[int, int]],
) -> None:
    """Walk from a node along a line to the next node. start: the node, its pixel, the first pixel of the line."""
    node, before, here = start
    points = [web.nodes[node]]
    while True:
        seen.add(here)
        points.append(here)
        ahead = [s for s in beside[here] if s != before and (s in owner or s not in seen)]
        ends = [s for s in ahead if s in owner and (owner[s] != node or len(points) > 4)]
        if ends:
            end = owner[ends[0]]
            web.paths.append((node, end, np.array([*points, web.nodes[end]], dtype=np.float64)))
            return
        onward = [s for s in ahead if s not in owner]
        if not onward:
            return
        before, here = here, onward[0]


def _pruned(web: Web, away: NDArray[np.float32]) -> Web:
    """Drop ends no longer than the stroke that they leave is wide."""
    degree, height, width = web.degree(), *away.shape
    kept = []
    for a, b, points in web.paths:
        joint = b if degree[a] == 1 else a
        if min(degree[a], degree[b]) == 1 and degree[joint] > 2 and a != b:
            x, y = (round(value) for value in web.nodes[joint])
            radius = away[max(0, y - 1) : min(height, y + 2), max(0, x - 1) : min(width, x + 2)].max(initial=0)
            if length(points) <= 1.6 * radius + 2:
                continue
        kept.append((a, b, points))
    return Web(list(web.nodes), kept)


def _joined(web: Web) -> Web:
    """Make one path of two that meet where no third begins."""
    paths: list[tuple[int, int, Points] | None] = list(web.paths)
    at: list[set[int]] = [set() for _ in web.nodes]
    for index, (a, b, _) in enumerate(web.paths):
        at[a].add(index)
        at[b].add(index)
    for node, ends in enumerate(at):
        if len(ends) != 2:
            continue
        first, second = sorted(ends)
        one, two = paths[first], paths[second]
        if one is None or two is None or one[0] == one[1] or two[0] == two[1]:
            continue
        a, left = (one[0], one[2]) if one[1] == node else (one[1], one[2][::-1])
        b, right = (two[1], two[2]) if two[0] == node else (two[0], two[2][::-1])
        paths[first], paths[second] = (a, b, np.concatenate([left, right[1:]])), None
        at[b].discard(second)
        at[b].add(first)
    return Web(list(web.nodes), [path for path in paths if path is not None])


def length(points: Points) -> float:
    """Measure a line of many points from end to end of its chain of steps, smoothed over four steps."""
    coarse = np.concatenate([points[:-1:4], points[-1:]])
    return float(np.hypot(*np.diff(coarse, axis=0).T).sum())


def straightened(web: Web, tolerance: float) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    """Replace each path by straight segments that stay within `tolerance` of it: nodes and pairs of them."""
    nodes, pairs = list(web.nodes), []
    degree = web.degree()
    for a, b, points in web.paths:
        if a == b and degree[a] == 2:
            points = _from_corner(points)
            nodes[a] = (float(points[0][0]), float(points[0][1]))
        chain = [a]
        for x, y in _corners(points, tolerance):
            nodes.append((x, y))
            chain.append(len(nodes) - 1)
        chain.append(b)
        pairs += list(pairwise(chain))
    return nodes, pairs


def _from_corner(points: Points) -> Points:
    """Let a closed line begin at the point that is farthest from its middle: a corner."""
    ring = points[:-1]
    start = int(np.argmax(np.hypot(*(ring - ring.mean(0)).T)))
    turned = np.roll(ring, -start, axis=0)
    return np.concatenate([turned, turned[:1]])


def _corners(points: Points, tolerance: float) -> Iterator[tuple[float, float]]:
    """Find where a line bends, its ends left out."""
    if np.hypot(*(points[0] - points[-1])) < 1:  # closed: bend it open at the far side
        far = int(np.argmax(np.hypot(*(points - points[0]).T)))
        yield from _corners(points[: far + 1], tolerance)
        yield float(points[far][0]), float(points[far][1])
        yield from _corners(points[far:], tolerance)
        return
    simple = cv2.approxPolyDP(points.astype(np.float32).reshape(-1, 1, 2), tolerance, closed=False).reshape(-1, 2)
    for x, y in simple[1:-1]:
        yield float(x), float(y)
