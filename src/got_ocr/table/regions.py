"""Page -> where ruled tables stand on it. Knows no text of the page."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from got_ocr.lines import WORKING_SIDE, Box, ink_of, level
from got_ocr.shrink import shrunk
from got_ocr.table.cells import Cut, cut_cells
from got_ocr.table.rules import Rule, ruled

ALIKE = 0.015  # of the page's width by which rules of one table may differ at their ends
MARGIN = 6  # pixels around the outermost rules
TRIES = 24  # stretches of rules that are looked at on one page


def find_tables(page: Image.Image) -> list[tuple[Box, Cut]]:
    """Find the tables of an RGB page that rules frame from above and below, from the top: their boxes in its pixels, and how they cut."""
    small, shrink = shrunk(page, max(page.size), WORKING_SIDE)
    rules = ruled(level(ink_of(small))[0]).across
    found: list[tuple[Box, Cut]] = []
    tries = TRIES
    for group in _alike(rules, ALIKE * small.width):
        first = 0
        while first < len(group) - 1 and tries > 0:
            for last in range(len(group) - 1, first, -1):
                box = _around(group[first : last + 1], small.size, shrink)
                tries -= 1
                cut = cut_cells(page.crop(box), inside=True)
                if cut is not None and cut.framed:
                    found.append((box, cut))
                    first = last
                    break
                if tries == 0:
                    break
            first += 1
    return sorted(found, key=lambda table: table[0][1])


def _alike(rules: Sequence[Rule], off: float) -> Iterator[list[Rule]]:
    """Group whole rules, from the top, that begin and end below each other."""
    left = list(rules)
    while left:
        start, end = left[0].pieces[0][0], left[0].pieces[-1][1]
        group = [r for r in left if abs(r.pieces[0][0] - start) <= off and abs(r.pieces[-1][1] - end) <= off]
        yield group
        left = [rule for rule in left if rule not in group]


def _around(rules: Sequence[Rule], size: tuple[int, int], shrink: float) -> Box:
    left, right = min(r.pieces[0][0] for r in rules), max(r.pieces[-1][1] for r in rules)
    box = left - MARGIN, rules[0].low - MARGIN, right + MARGIN, rules[-1].high + MARGIN
    x0, y0, x1, y1 = np.clip(box, 0, (*size, *size)) * shrink
    return int(x0), int(y0), round(x1), round(y1)
