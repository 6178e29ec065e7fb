"""Ink of a page -> parts to read one after another: text columns side by side become parts of their own. Knows no model.

A gutter is a tall strip of bare paper with rows of text that fill their side, left and right of it. What stands above or below a gutter
stays across. Rows of a price list or a table do not fill their sides and are left whole.
"""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]  # (height, width), where there is ink
Part = tuple[int, int, int, int]  # left, top, right, bottom

GUTTER = 0.013  # least width of a gutter, of the page's width
TALL = 0.22  # least height of a gutter, of the height of the ink
LEAST_ROWS = 7  # rows of text on either side
CLEAR = 1.1  # least width of a gutter, of the height of the rows beside it: words stand closer than that
BROAD = 0.2  # least width of the text on either side, of the page's width: prices and numbers are no column of text
FILLED = 0.55  # of the width of their side that rows of text reach, as a median
DEEPEST = 3  # columns within columns
SPECK = 4  # pixels around a pixel that are looked at to tell dirt from letters
LETTER = 10  # pixels of ink in that neighbourhood that make it part of a letter


def reading_order(mask: Mask, depth: int = 0) -> list[Part]:
    """Cut a page into parts in reading order: above a gutter, left of it, right of it, below it."""
    height, width = mask.shape
    found = _gutter(mask) if depth < DEEPEST and min(height, width) > 60 else None
    if found is None:
        return [(0, 0, width, height)]
    left, right, top, bottom = found
    middle = (left + right) // 2
    pieces = [(0, 0, width, top), (0, top, middle, bottom), (middle, top, width, bottom), (0, bottom, width, height)]
    parts: list[Part] = []
    for x0, y0, x1, y1 in pieces:
        piece = mask[y0:y1, x0:x1]
        if piece.any():
            parts += [(a + x0, b + y0, c + x0, d + y0) for a, b, c, d in reading_order(piece, depth + 1)]
    return parts


def without_specks(mask: Mask) -> Mask:
    """Drop ink that stands alone: dirt in a gutter would close it. Dots of letters may go as well."""
    side = 2 * SPECK + 1
    sums = np.cumsum(np.cumsum(np.pad(mask, SPECK + 1), 0, dtype=np.int32), 1)[:-1, :-1]
    near = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return mask & (near >= LETTER)


def _gutter(mask: Mask) -> tuple[int, int, int, int] | None:
    """Find the tallest gutter: (left, right, top, bottom)."""
    width = mask.shape[1]
    wide = max(8, round(GUTTER * width))
    rows = np.flatnonzero(mask.any(1))
    if rows.size == 0:
        return None
    least = max(60, int(TALL * (rows[-1] - rows[0] + 1)))
    # Counts of ink left of each column tell at once how much ink any strip holds in any row.
    ink = np.pad(np.cumsum(mask, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    best: tuple[int, int, int, int] | None = None
    for left in range(int(0.2 * width), int(0.8 * width) - wide, max(2, wide // 3)):
        top, bottom = _longest(ink[:, left + wide] == ink[:, left])
        if bottom - top >= max(least, best[3] - best[2] + 1 if best else 0) and _two_texts(
            mask, left, wide, top, bottom
        ):
            best = (left, left + wide, top, bottom)
    return best


def runs(on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Find where a row of yes and no says yes: (first, behind the last), in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.view(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _longest(bare: Mask) -> tuple[int, int]:
    """Find the longest run of bare rows, the first of equals."""
    return max(runs(bare), key=lambda run: run[1] - run[0], default=(0, 0))


def _two_texts(mask: Mask, left: int, wide: int, top: int, bottom: int) -> bool:
    """Say whether rows of text fill both sides of a bare strip."""
    sides = mask[top:bottom, :left], mask[top:bottom, left + wide :]
    bare = left + wide + _edge(sides[1]) - (left - _edge(sides[0][:, ::-1]))
    return all(_filled(side, bare, BROAD * mask.shape[1]) for side in sides)


def _edge(side: Mask) -> int:
    """Count the bare columns before the first ink."""
    inked = side.any(0)
    return int(np.argmax(inked)) if inked.any() else 0


def _filled(side: Mask, gutter: int, least: float) -> bool:
    """Say whether a side holds rows of text that fill it, none of them so tall that the gutter may be a gap of words."""
    inked = np.flatnonzero(side.any(0))
    if inked.size == 0 or inked[-1] - inked[0] < least:
        return False
    side = side[:, inked[0] : inked[-1] + 1]
    spans = [(a, b) for a, b in runs(np.any(side, axis=1)) if b - a >= 4]
    if len(spans) < LEAST_ROWS or gutter < CLEAR * np.median([b - a for a, b in spans]):
        return False
    reach = [np.flatnonzero(side[a:b].any(0)) for a, b in spans]
    return bool(np.median([r[-1] - r[0] + 1 for r in reach]) >= FILLED * side.shape[1])
