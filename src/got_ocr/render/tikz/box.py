"""Boxes of set text: a width, a height over and a depth under the baseline, and what stands in them. Lengths in points."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from got_ocr.render.tikz import metrics


@dataclass(frozen=True, slots=True)
class Font:
    """How a run is set."""

    size: float = 10.0
    italic: bool = False
    bold: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that start at (x, y); y grows upwards from the baseline of the box."""

    x: float
    y: float
    text: str
    font: Font


@dataclass(frozen=True, slots=True)
class Mark:
    """A stroke through points, for fraction bars, roots and accents."""

    points: tuple[tuple[float, float], ...]
    width: float


@dataclass(frozen=True, slots=True)
class Box:
    """Set text; the origin is the left end of its baseline."""

    width: float = 0.0
    height: float = 0.0
    depth: float = 0.0
    runs: tuple[Run, ...] = ()
    marks: tuple[Mark, ...] = ()


def word(text: str, font: Font) -> Box:
    """Return a box of one run."""
    if not text:
        return Box()
    width = (
        len(text) * font.size * 0.6
        if font.fixed
        else metrics.width(text, font.size, italic=font.italic, bold=font.bold)
    )
    tall = any(char.isupper() or char.isdigit() or char in "bdfhklt|()[]{}′" or char > "\u2000" for char in text)
    deep = any(char in "gjpqy()[]{}|,;Qβγμρφψξζη" for char in text)
    return Box(
        width, font.size * (0.68 if tall else 0.46), font.size * (0.21 if deep else 0.0), (Run(0, 0, text, font),)
    )


def space(width: float) -> Box:
    """Return an empty box."""
    return Box(width)


def shifted(box: Box, x: float, y: float) -> Box:
    """Return the box with its content moved; its width stays."""
    return replace(
        box,
        height=box.height + y,
        depth=max(0.0, box.depth - y),
        runs=tuple(replace(run, x=run.x + x, y=run.y + y) for run in box.runs),
        marks=tuple(replace(mark, points=tuple((a + x, b + y) for a, b in mark.points)) for mark in box.marks),
    )


def row(boxes: Iterable[Box]) -> Box:
    """Return boxes one behind the other on one baseline; runs of one font that touch become one run."""
    at, height, depth = 0.0, 0.0, 0.0
    runs, marks = list[Run](), list[Mark]()
    for box in boxes:
        moved = shifted(box, at, 0.0)
        for run in moved.runs:
            last = runs[-1] if runs else None
            joins = last is not None and last.font == run.font and last.y == run.y and box.runs[0].x == 0
            if last is not None and joins and abs(_end(last) - run.x) < 1e-6:
                runs[-1] = replace(last, text=last.text + run.text)
            else:
                runs.append(run)
        marks.extend(moved.marks)
        height, depth = max(height, box.height), max(depth, box.depth)
        at += box.width
    return Box(at, height, depth, tuple(runs), tuple(marks))


def _end(run: Run) -> float:
    return run.x + word(run.text, run.font).width


def over(boxes: list[tuple[float, float, Box]], width: float) -> Box:
    """Return boxes laid at (x, y) into one box of the given width."""
    placed = [shifted(box, x, y) for x, y, box in boxes]
    return Box(
        width,
        max((box.height for box in placed), default=0.0),
        max((box.depth for box in placed), default=0.0),
        tuple(run for box in placed for run in box.runs),
        tuple(mark for box in placed for mark in box.marks),
    )
