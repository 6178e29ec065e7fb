"""What a finished path gets on top: rounded corners and arrow tips. Pure geometry on segments."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from got_ocr.render.tikz.canvas import Canvas
from got_ocr.render.tikz.geometry import Point, Segment, add, along, angle, distance, polar
from got_ocr.render.tikz.style import Style


def round_corners(segments: Sequence[Segment], radius: float) -> list[Segment]:
    """Return the path with the corners between straight lines rounded."""
    result: list[Segment] = []
    for subpath in subpaths(segments):
        if all(segment.kind in ("M", "L", "Z") for segment in subpath):
            result.extend(_rounded(subpath, radius))
        else:
            result.extend(subpath)
    return result


def subpaths(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Cut a path at its moves."""
    parts: list[list[Segment]] = []
    for segment in segments:
        if segment.kind == "M" or not parts:
            parts.append([])
        parts[-1].append(segment)
    return parts


def _rounded(subpath: list[Segment], radius: float) -> list[Segment]:
    points = [segment.points[0] for segment in subpath if segment.points]
    closed = subpath[-1].kind == "Z"
    if closed and len(points) > 1 and distance(points[0], points[-1]) < 1e-6:
        points.pop()
    if len(points) < 3:
        return subpath
    result: list[Segment] = []
    for at, point in enumerate(points):
        if not closed and at in (0, len(points) - 1):
            result.append(Segment("M" if not result else "L", (point,)))
            continue
        before, behind = points[at - 1], points[(at + 1) % len(points)]
        start = _toward(point, before, radius)
        end = _toward(point, behind, radius)
        result.append(Segment("M" if not result else "L", (start,)))
        result.append(Segment("C", (along(start, point, 0.55), along(end, point, 0.55), end)))
    return [*result, Segment("Z")] if closed else result


def _toward(point: Point, other: Point, radius: float) -> Point:
    away = distance(point, other)
    return along(point, other, min(0.5, radius / away)) if away > 1e-9 else point


def brace(segments: Sequence[Segment], amplitude: float, *, mirrored: bool) -> list[Segment]:
    """Return a curly brace over each straight line of the path, on its left or, mirrored, on its right."""
    result: list[Segment] = []
    for subpath in subpaths(segments):
        points = [segment.points[-1] for segment in subpath if segment.points]
        for start, end in pairwise(points):
            way, tall = distance(start, end), amplitude * (-1 if mirrored else 1)
            bend = min(abs(tall), way / 4)
            turn = angle(start, end)

            def at(x: float, y: float, start: Point = start, turn: float = turn) -> Point:
                return add(start, add(polar(turn, x), polar(turn + 90, y)))

            half, top = way / 2, tall / 2
            result += [
                Segment("M", (start,)),
                Segment("C", (at(0, top), at(0, top), at(bend, top))),
                Segment("L", (at(half - bend, top),)),
                Segment("C", (at(half, top), at(half, top), at(half, tall))),
                Segment("C", (at(half, top), at(half, top), at(half + bend, top))),
                Segment("L", (at(way - bend, top),)),
                Segment("C", (at(way, top), at(way, top), at(way, 0))),
            ]
    return result


def draw_arrows(canvas: Canvas, segments: Sequence[Segment], style: Style) -> list[Segment]:
    """Draw the style's tips at the path's ends and return the path shortened to their backs."""
    parts = subpaths(segments)
    if not parts or not style.draw or parts[-1][-1].kind == "Z":
        return list(segments)
    start, end = style.arrows
    if end and len(parts[-1]) > 1:
        parts[-1] = _tipped(canvas, parts[-1], style, end)
    if start and len(parts[0]) > 1:
        parts[0] = _reversed(_tipped(canvas, _reversed(parts[0]), style, start))
    return [segment for part in parts for segment in part]


def _reversed(part: list[Segment]) -> list[Segment]:
    points = [segment.points for segment in part]
    result = [Segment("M", (points[-1][-1],))]
    for at in range(len(part) - 1, 0, -1):
        start = points[at - 1][-1]
        controls = tuple(reversed(points[at][:-1]))
        result.append(Segment(part[at].kind, (*controls, start)))
    return result


def _tipped(canvas: Canvas, part: list[Segment], style: Style, tip: str) -> list[Segment]:
    """Draw a tip at a subpath's end; return the subpath up to the tip's back."""
    last = part[-1]
    end = last.points[-1]
    before = next((p for p in reversed((*part[-2].points, *last.points[:-1])) if distance(p, end) > 1e-6), None)
    if before is None:
        return part
    direction = angle(before, end)
    size = 2.2 + 2.4 * style.width
    back = _draw_tip(canvas, style, tip, end, direction, size)
    back = min(back, distance(before, end) * 0.9)
    moved = add(end, polar(direction, -back))
    return [*part[:-1], Segment(last.kind, (*last.points[:-1], moved))]


def _draw_tip(canvas: Canvas, style: Style, tip: str, end: Point, direction: float, size: float) -> float:
    """Draw one tip; return how far the line's end steps back."""

    def at(x: float, y: float) -> Point:
        return add(end, add(polar(direction, x * size), polar(direction + 90, y * size)))

    solid = replace(style, fill=style.draw, dash=(), arrows=("", ""), width=style.width * 0.5, join="miter")
    open_ = replace(style, fill=None, dash=(), arrows=("", ""), width=max(style.width, 0.5), cap="round", join="round")
    if tip in ("latex", "Latex", "triangle", "Triangle", ">", "<"):
        reach = 1.5
        canvas.path(_closed([at(0, 0), at(-reach, 0.5), at(-reach, -0.5)]), solid)
        return reach * size * 0.8
    if tip in ("stealth", "Stealth"):
        canvas.path(_closed([at(0, 0), at(-1.5, 0.55), at(-1.0, 0), at(-1.5, -0.55)]), solid)
        return size * 0.9
    if tip == "|":
        canvas.path([Segment("M", (at(0, 0.8),)), Segment("L", (at(0, -0.8),))], open_)
        return 0.0
    if tip in ("*", "o"):
        ring = [at(-0.5 + 0.5 * math.cos(k * math.pi / 6), 0.5 * math.sin(k * math.pi / 6)) for k in range(12)]
        canvas.path(_closed(ring), solid if tip == "*" else open_)
        return size * (0.5 if tip == "*" else 1.0)
    arm = [Segment("M", (at(-0.75, 0.75),)), Segment("C", (at(-0.6, 0.3), at(-0.25, 0.08), at(0, 0)))]
    canvas.path([*arm, Segment("C", (at(-0.25, -0.08), at(-0.6, -0.3), at(-0.75, -0.75)))], open_)
    return style.width * 0.5


def _closed(points: Sequence[Point]) -> list[Segment]:
    return [Segment("M", (points[0],)), *(Segment("L", (point,)) for point in points[1:]), Segment("Z")]
