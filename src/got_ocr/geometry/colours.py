"""The look of lines and areas: colour by name, thick or thin, fills. Knows no shape.

Colours are those that TikZ names; black is the colour of the letters. Places are pixels with y upwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from got_ocr.geometry.ink import Seen
from got_ocr.geometry.marks import sample

Spots = NDArray[np.complexfloating[Any, Any]]

RGB = {
    "red": (255, 0, 0),
    "blue": (0, 0, 255),
    "teal": (0, 128, 128),
    "orange": (255, 128, 0),
    "violet": (128, 0, 128),
    "gray": (128, 128, 128),
}
TINT = 0.2  # of the colour in a fill
THIN = 0.012  # centimetres of full ink across the thinnest black line
BLACKER = 0.0165  # more than of the widest thin grey line
THICKER = 1.5  # times as much ink across a thick line as across a thin one
APART = 1.24  # from the thickest thin line to the thinnest thick one
GREY = 128  # how far grey is from white paper
LIKE, MOSTLY = 0.65, 0.67  # how alike lines are that have one colour; of them grey, where all are
FAINTER = 0.7  # of the weight of a black line
OTHER_TONE = 26  # of 255: what is farther from all tints is no fill
LEAST_FILL = 0.12  # square centimetres


@dataclass(frozen=True, slots=True)
class Look:
    """Colour of a line, "" for black, and how much full ink lies across it, in pixels.

    total, peak: how far it is from the paper: across it, and at most.
    """

    color: str
    weight: float
    total: float = 0.0
    peak: float = 0.0


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled area: colour, and its corners, about, pixels with y upwards."""

    color: str
    outline: tuple[complex, ...]


class Palette:
    """Tells the colours of one drawing."""

    def __init__(self, seen: Seen, unit: float) -> None:
        """Learn the colours of paper and letters."""
        self._seen, self._unit = seen, unit
        self._layers = [
            np.clip(seen.ground[:, :, c].astype(np.int16) - seen.rgb[:, :, c], 0, 255).astype(np.uint8)
            for c in range(3)
        ]
        rim = [
            seen.ground[:3].reshape(-1, 3),
            seen.ground[-3:].reshape(-1, 3),
            seen.ground[:, :3].reshape(-1, 3),
            seen.ground[:, -3:].reshape(-1, 3),
        ]
        self.paper = np.median(np.concatenate(rim), axis=0)
        self._full = max(120.0, float(np.percentile(seen.away[seen.written], 93)) if seen.written.sum() > 30 else 255.0)
        self._ink = self.paper - self._inked() * min(self._full, float(self.paper.min()))

    def _ways_on(self, spots: Spots) -> dict[str, NDArray[np.float64]]:
        """Say how each colour differs from the ground at some spots, the strongest channel as 1."""
        height, width = self._seen.ink.shape
        ys = np.clip(np.round(-spots.imag).astype(int), 0, height - 1)
        xs = np.clip(np.round(spots.real).astype(int), 0, width - 1)
        ground = np.median(self._seen.ground[ys, xs], axis=0)
        inks = {name: np.array(rgb, dtype=np.float64) for name, rgb in RGB.items() if name != "gray"}
        inks[""] = self._ink
        return {name: (a := np.clip(ground - ink, 0, 255)) / max(1.0, float(a.max())) for name, ink in inks.items()}

    def _inked(self) -> NDArray[np.float64]:
        if self._seen.written.sum() < 30:
            return np.ones(3)
        strong = self._seen.written & (self._seen.away >= 0.8 * self._full)
        away = np.array([float(np.median(layer[strong])) if strong.any() else 200.0 for layer in self._layers])
        return away / max(1.0, float(away.max()))

    def look(self, spots: Spots, across: Spots, dash: str = "") -> Look:
        """Measure a line. spots: along its middle. across: unit normals there. dash: how it is broken."""
        reach = self._seen.stroke + 2.5
        aside = np.arange(-reach, reach + 0.1, 0.5)
        net = spots[None, :] + aside[:, None] * across[None, :]
        layers = np.stack([sample(layer, net) for layer in self._layers])
        away = layers.max(0)
        total = away.sum(0) / 2
        kept = away.max(0) > 40
        if kept.sum() < 3:
            return Look("", 0.0)
        usual = float(np.percentile(total[kept], {"": 50, "dashed": 70, "dotted": 88}[dash]))
        kept &= (total <= 1.3 * usual) & (total >= 0.5 * usual)
        if not kept.any():
            return Look("", 0.0)
        peaks = layers[:, :, kept].sum(1)
        way = np.median(peaks / np.maximum(1, peaks.max(0)), axis=1)
        ways = self._ways_on(spots)
        color = min(ways, key=lambda name: float(((ways[name] - way) ** 2).sum()))
        peak = float(np.percentile(away[:, kept].max(0), 75))
        if not color and self._grey(peak, usual):
            return Look("gray", usual / GREY, usual, peak)
        full = self._full if not color else max(1.0, float((self.paper - RGB[color]).max()))
        return Look(color, usual / full, usual, peak)

    def _grey(self, peak: float, total: float) -> bool:
        """Tell grey from black: by the ink across the line where it is thin, by its strength where it is wide."""
        ink = total / self._full / self._unit
        if peak > 0.72 * self._full:
            return False
        if ink < THIN:
            return True
        return peak < 0.6 * self._full and total / peak > (1.9 if ink < BLACKER else 3.2)


def agreed(looks: Sequence[Look], marks: Sequence[float]) -> list[Look]:
    """Take lines that look alike for black, or for grey where most of them are: single ones cannot be told for sure.

    marks: weights of marks, which are thin and black: what is far fainter is grey.
    """
    known = list(marks) or [look.weight for look in looks if look.color not in ("", "gray") and look.total > 0]
    faint = FAINTER * float(np.median(known)) if marks else FAINTER * min(known, default=0.0)
    looks = [replace(look, color="gray", weight=look.total / GREY) if not look.color and 0 < look.weight < faint else look
             for look in looks]  # fmt: skip
    black, grey = ([look for look in looks if look.color == color and look.total > 0] for color in ("", "gray"))
    if not black or not grey:
        return list(looks)
    totals, peaks = (
        [float(np.median([getattr(look, name) for look in some])) for some in (black, grey)]
        for name in ("total", "peak")
    )
    if min(totals) < LIKE * max(totals) or min(peaks) < LIKE * max(peaks):
        return list(looks)
    full = float(np.median([look.total / look.weight for look in black]))
    mostly = len(grey) > MOSTLY * (len(black) + len(grey))
    color, level = ("gray", GREY) if mostly else ("", full)
    return [
        replace(look, color=color, weight=look.total / level) if look.color in ("", "gray") else look for look in looks
    ]


def thickness(weights: Sequence[float]) -> float | None:
    """Find the weight that parts thick lines from thin ones; None where all are alike."""
    known = sorted(w for w in weights if w > 0)
    if not known or known[-1] < THICKER * known[0]:
        return None
    jumps = [(b / a, (a * b) ** 0.5) for a, b in pairwise(known)]
    ratio, border = max(jumps)
    return border if ratio > APART else None


def fills(seen: Seen, palette: Palette, unit: float) -> list[Fill]:
    """Find the filled areas."""
    off = np.abs(seen.ground.astype(np.int16) - palette.paper.astype(np.int16)).max(axis=2)
    mask = (off > 12).astype(np.uint8)
    if not 0.001 < mask.mean() < 0.85:
        return []
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    found: list[Fill] = []
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:4]:
        if cv2.contourArea(outline) < LEAST_FILL * unit * unit:
            break
        inside = np.zeros(mask.shape, dtype=np.uint8)
        cv2.drawContours(inside, [outline], -1, 1, -1)
        inside = cv2.erode(inside, np.ones((7, 7), np.uint8))
        if not inside.any():
            continue
        tone = np.median(seen.ground[inside > 0], axis=0)
        color = _tint(tone, palette.paper)
        if not color:
            continue
        corners = cv2.approxPolyDP(outline, 0.12 * unit, True)[:, 0]
        found.append(Fill(color, tuple(complex(float(x), -float(y)) for x, y in corners)))
    return found


def _tint(tone: NDArray[np.float64], paper: NDArray[np.float64]) -> str:
    """Name the colour of a fill, which covers its paper or darkens with it; empty where it is none."""
    bare = {name: TINT * np.array(rgb) + (1 - TINT) * 255 for name, rgb in RGB.items()}
    tints = [(name, tint * shade) for name, tint in bare.items() for shade in (1.0, paper / 255)]
    color, tint = min(tints, key=lambda one: float(((one[1] - tone) ** 2).sum()))
    return color if float(np.abs(tint - tone).max()) <= OTHER_TONE else ""
