"""Which side of a point its label goes to, so that neither lines nor other labels run through it.

Holds a greedy choice over the eight sides that TikZ knows. Knows no construction: strokes come in as polylines.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from got_ocr.data.sources import geometry_tree as tree
from got_ocr.data.sources.geometry_strokes import dense, strokes
from got_ocr.data.sources.geometry_text import box, glyphs

Box = tuple[float, float, float, float]

_SIDES: dict[tree.Anchor, complex] = {
    "right": 1,
    "above right": (1 + 1j) / math.sqrt(2),
    "above": 1j,
    "above left": (-1 + 1j) / math.sqrt(2),
    "left": -1,
    "below left": (-1 - 1j) / math.sqrt(2),
    "below": -1j,
    "below right": (1 - 1j) / math.sqrt(2),
}
_STEP = 0.05  # centimetres between samples of a stroke
_BEARABLE = 4.0  # samples of a stroke that may touch a label: its very corner


@dataclass(frozen=True, slots=True)
class Wish:
    """A label that looks for its side.

    kind: `point` (any side, outwards preferred), `side` (either side of a line with normal `toward`), `centre` (on the
    place, may slide along `toward`), `fixed` (at `anchor`, or at another diagonal when the anchor is diagonal and
    taken). strict: only the half plane of `toward`.
    """

    at: tree.At
    text: str
    kind: Literal["point", "side", "centre", "fixed"]
    toward: complex = 0
    strict: bool = False
    anchor: tree.Anchor = ""


def place(items: list[tree.Item], dots: list[tree.At], wishes: list[Wish]) -> list[tree.Label] | None:
    """Choose a side for every label, in order; None when one finds no bearable side."""
    lines = [line for item in items for line in strokes(item) if not isinstance(item, tree.Grid)]
    ink = np.concatenate([dense(lines, _STEP), *[_disc(d) for d in dots]])
    taken: list[Box] = [_tick_box(item, v) for item in items if isinstance(item, tree.Ticks) for v in item.at]
    middle = ink.mean(axis=0) if len(ink) else np.zeros(2)
    labels: list[tree.Label | None] = [None] * len(wishes)
    # The least free come first: fixed, then centred, then sides, then points.
    for rank in sorted(range(len(wishes)), key=lambda i: ("fixed", "centre", "side", "point").index(wishes[i].kind)):
        wish = wishes[rank]
        scored = [(_cost(label, wish, ink, taken, middle), label) for label in _options(wish)]
        cost, label = min(scored, key=lambda pair: pair[0])
        if cost > _BEARABLE + 1 and wish.kind != "fixed":
            return None
        taken.append(_box(label))
        labels[rank] = label
    return [label for label in labels if label is not None]


def _options(wish: Wish) -> list[tree.Label]:
    at = wish.at
    if wish.kind == "fixed":
        diagonal: tuple[tree.Anchor, ...] = ("below left", "below right", "above left", "above right")
        others = diagonal if wish.anchor in diagonal else ()
        return [tree.Label(at, side, wish.text) for side in dict.fromkeys((wish.anchor, *others))]
    if wish.kind == "centre":
        slides = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7) if wish.toward else (0.0,)
        moved = [complex(at.x, at.y) + wish.toward * s for s in slides]
        return [
            tree.Label(
                tree.At(round(z.real, 2) + 0.0, round(z.imag, 2) + 0.0, at.name if s == 0 else ""), "", wish.text
            )
            for z, s in zip(moved, slides, strict=True)
        ]
    sides = list(_SIDES)
    if wish.kind == "side":
        good = [s for s in sides if _dot(_SIDES[s], wish.toward) > 0.7]
        sides = good if wish.strict else good + [s for s in sides if _dot(_SIDES[s], -wish.toward) > 0.7]
    return [tree.Label(at, side, wish.text) for side in sides]


def _cost(
    label: tree.Label, wish: Wish, ink: NDArray[np.float64], taken: list[Box], middle: NDArray[np.float64]
) -> float:
    """Count what lies in the label's box: samples of strokes, other labels (dear), and a taste for the outer side
    (cheap).
    """
    left, bottom, right, top = _box(label)
    grown = (left - 0.03, bottom - 0.03, right + 0.03, top + 0.03)
    inside = (ink[:, 0] > grown[0]) & (ink[:, 0] < grown[2]) & (ink[:, 1] > grown[1]) & (ink[:, 1] < grown[3])
    cost = float(inside.sum())
    cost += sum(60.0 for b in taken if b[0] < grown[2] and b[2] > grown[0] and b[1] < grown[3] and b[3] > grown[1])
    if wish.kind == "point":
        out = complex(label.at.x - middle[0], label.at.y - middle[1])
        cost += 0.5 - 0.5 * _dot(_SIDES[label.anchor], out / abs(out)) if abs(out) > 1e-6 else 0.0
        near = (
            (ink[:, 0] > left - 0.12)
            & (ink[:, 0] < right + 0.12)
            & (ink[:, 1] > bottom - 0.12)
            & (ink[:, 1] < top + 0.12)
        ).sum()
        cost += 0.05 * float(near)
    elif wish.kind == "side":
        cost += 0.8 - 0.8 * _dot(_SIDES[label.anchor], wish.toward)
    elif wish.kind == "fixed":
        cost += 3.0 * (label.anchor != wish.anchor)
    elif wish.kind == "centre":
        cost += abs(complex(label.at.x - wish.at.x, label.at.y - wish.at.y))
    return cost


def _box(label: tree.Label) -> Box:
    shape = glyphs(label.text)
    return box(label.at.x, label.at.y, label.anchor, (shape.width, shape.height))


def _tick_box(item: tree.Ticks, value: int) -> Box:
    shape = glyphs(f"${value}$")
    size = (shape.width, shape.height)
    return box(value, -0.1, "below", size) if item.axis == "x" else box(-0.1, value, "left", size)


def _disc(at: tree.At) -> NDArray[np.float64]:
    return np.array([(at.x - 0.04, at.y), (at.x + 0.04, at.y)])


def _dot(a: complex, b: complex) -> float:
    return (a * b.conjugate()).real
