"""Is it a school geometry drawing? Formulas, tables, charts, sheet music and molecules have lines as well. Knows no TikZ."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from got_ocr.geometry.board import is_number, note_of
from got_ocr.geometry.marks import rays
from got_ocr.geometry.net import along, off_line
from got_ocr.geometry.places import Stands
from got_ocr.geometry.scene import Scene

MOST_LINES, MOST_LETTERS = 60, 60
SMALL, TALL = 0.11, 0.52  # centimetres of the height of most texts
NEAR, FAR = 0.03, 0.26  # centimetres between lines of double bonds and of staves
FEW_PAIRS = 2
ON_AXES, EXPLAINED, LITTLE, NEAR_STAND = 0.3, 0.6, 0.5, 0.17
ALIKE, MOSTLY = 0.15, 0.7  # how far lengths of bonds differ, and how many are as long as most
WIDE, FEW_TEXTS = 2.8, 3  # times its height; texts that such a drawing has at least
NAMED = 0.9  # of the places
SHORT, MANY = 0.95, 7  # centimetres of most lines, where there are many


def is_drawing(scene: Scene, found: Sequence[Stands]) -> bool:
    """Say whether lines and texts stand to each other as in a drawing of geometry."""
    segments = scene.net.segments
    if not (segments or scene.net.arcs) or len(segments) > MOST_LINES or len(scene.texts) > MOST_LETTERS:
        return False
    heights = [(text.box[3] - text.box[1]) / scene.unit for text in scene.texts]
    if heights and not SMALL < float(np.median(heights)) < TALL:
        return False
    if not _spread(scene):
        return False
    if scene.axes is not None:
        return _told(scene, found) >= ON_AXES
    long = [s.length / scene.unit for s in segments]
    if len(long) >= MANY and float(np.median(long)) < SHORT:
        return False
    if _double(scene) > FEW_PAIRS or (_bonded(scene) and not _all_named(scene, found)):
        return False
    level = all(min(abs(s.along.real), abs(s.along.imag)) < 0.01 for s in segments)
    marked = scene.corners or scene.ticks
    if level and not scene.net.arcs and not marked and len(segments) not in (1, 4) and len(scene.texts) >= 3:
        return False
    circles = sum(arc.whole and arc.round for arc in scene.net.arcs)
    if _wide(scene):
        return len(scene.texts) >= FEW_TEXTS and _told(scene, found) >= NAMED
    needed = 0.0 if circles >= 2 else LITTLE if circles or len(scene.texts) <= MANY else EXPLAINED
    return len(scene.texts) < 2 or _told(scene, found) >= needed


def _spread(scene: Scene) -> bool:
    """Say whether lines, and not texts, make up the picture."""
    ys, xs = np.nonzero(scene.seen.written | scene.seen.drawn)
    if not len(xs):
        return False
    tall, wide = float(np.ptp(ys)), float(np.ptp(xs))
    spots = np.array([*scene.net.places, *(arc.at(t) for arc in scene.net.arcs for t in (arc.first, 90, 180, 270))])
    return bool(max(np.ptp(spots.real) / max(wide, 1), np.ptp(spots.imag) / max(tall, 1)) > 0.6
                and max(np.ptp(spots.real), np.ptp(spots.imag)) > 0.6 * max(wide, tall))  # fmt: skip


def _wide(scene: Scene) -> bool:
    """Say whether a drawing is as wide for its height as formulas are."""
    ys, xs = np.nonzero(scene.seen.written | scene.seen.drawn)
    return bool(np.ptp(xs) > WIDE * np.ptp(ys))


def _double(scene: Scene) -> int:
    """Count pairs of lines close beside each other."""
    pairs = 0
    for a, b in combinations(scene.net.segments[:MOST_LINES], 2):
        if abs((a.along.conjugate() * b.along).imag) > 0.03:
            continue
        ends = sorted((along(a, b.p), along(a, b.q)))
        shared = min(ends[1], a.length) - max(ends[0], 0.0)
        if NEAR * scene.unit < off_line(a, (b.p + b.q) / 2) < FAR * scene.unit and shared > 0.5 * min(
            a.length, b.length
        ):
            pairs += 1
    return pairs


def _bonded(scene: Scene) -> bool:
    """Say whether lines, nearly all of one length, meet mostly under 120 degrees, as bonds of carbon do."""
    if any(arc.whole for arc in scene.net.arcs):
        return False
    long = np.array([segment.length for segment in scene.net.segments])
    if not len(long) or (np.abs(long / np.median(long) - 1) < ALIKE).mean() < MOSTLY:
        return False
    corners = [rays(scene.net, k) for k in range(len(scene.net.places))]
    corners = [ways for ways in corners if 2 <= len(ways) <= 3]
    wide = sum(any(abs((a / b).real + 0.5) < 0.06 for a, b in combinations(ways, 2)) for ways in corners)
    return wide >= 3 and wide >= 0.5 * len(corners)


def _all_named(scene: Scene, found: Sequence[Stands]) -> bool:
    """Say whether nearly all places have names, which most atoms of a molecule have not."""
    return len(scene.texts) > NAMED * len(scene.net.places) and _told(scene, found) > NAMED


def _told(scene: Scene, found: Sequence[Stands]) -> float:
    """Say which share of the texts stands where a text would."""
    good = 0
    for text, stand in zip(scene.texts, found, strict=True):
        offs = [s.off for s in (stand.point, stand.measure, stand.angle) if s is not None]
        good += min(offs, default=1.0) < NEAR_STAND or is_number(scene, text) or note_of(scene, text) is not None
    return good / max(1, len(scene.texts))
