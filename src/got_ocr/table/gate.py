"""Say whether a grid that was found is one of a table, not of a page, a chart or a drawing. Knows no picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from got_ocr.columns import runs
from got_ocr.lines import Box
from got_ocr.table.gaps import GAP, inner_rules
from got_ocr.table.grid import Grid
from got_ocr.table.rules import EDGE, Rule
from got_ocr.table.seen import Mask, Seen, Span

FILLED, USUAL = 0.55, 0.8  # of the cells of a table hold something, and of its lines are as high as text
WIDEST = 40  # times the text height, a line in a cell at most
WHOLE = 0.85  # of the width, or of the height with vertical rules between columns, that a rule covers
SHORT = 10  # times the text height, half the lines at most in a table without rules: lines of text columns are longer
STROKE = 0.2  # of the longer side of all ink that letters reach over in both directions, at most
INSIDE = 0.15  # of the text that stands in a frame with rules on four sides, at least
TICKS = 6  # places where axes are crossed, at least
BESIDE = EDGE + 1  # pixels beside a rule that its soft edge does not reach
FULL, SINGLE = 0.8, 0.6  # of the cells of a table without rules hold something, and of these are one line


def plausible(grid: Grid[Box], seen: Seen) -> bool:
    """Say whether a grid is filled as tables are: staves, axes and drawings leave most of it bare or put other things there.

    A row that is bare from side to side lies between two tables.
    """
    filled = [cell for cell in grid.cells if cell.content]
    boxes = [box for cell in filled for box in cell.content]
    usual = sum(0.5 * seen.em < box[3] - box[1] < 2.2 * seen.em for box in boxes)
    return (
        len(filled) >= FILLED * len(grid.cells)
        and usual >= USUAL * len(boxes)
        and len(seen.across) <= grid.rows + 3
        and not any(cell.columns == grid.columns and not cell.content for cell in grid.cells)
        and max(box[2] - box[0] for box in boxes) <= WIDEST * seen.em
    )


def drawn(seen: Seen, inked: Mask) -> bool:
    """Say whether lines make a drawing: a stroke that is no rule, texts around a frame, ticks along an axis or two.

    inked: all ink but rules, also specks.
    """
    side = max(seen.area[2] - seen.area[0], seen.area[3] - seen.area[1])
    sizes = cv2.connectedComponentsWithStats(seen.mask.view(np.uint8), connectivity=8)[2][1:]
    if float(np.minimum(sizes[:, cv2.CC_STAT_WIDTH], sizes[:, cv2.CC_STAT_HEIGHT]).max()) > STROKE * side:
        return True
    if len(seen.across) > 1 and len(seen.upright) > 1:
        inside = seen.part(seen.upright[0].low, seen.across[0].low, seen.upright[-1].high, seen.across[-1].high)
        return float(inside.sum()) < INSIDE * float(seen.mask.sum())
    if len(seen.across) == 1 and len(seen.upright) <= 1:
        ticks = _ticks(inked, seen.across[0]) + sum(_ticks(inked.T, rule) for rule in seen.upright)
        return ticks >= TICKS
    return False


def _ticks(mask: Mask, rule: Rule) -> int:
    """Count the places where something crosses a rule; texts in a table stand clear of it."""
    above, below = rule.low - BESIDE, rule.high + BESIDE - 1
    return len(runs(mask[above] & mask[below])) if above >= 0 and below < len(mask) else 0


def framed(seen: Seen) -> bool:
    """Say whether two horizontal rules go over the whole width, or one and vertical ones between columns."""
    left, top, right, bottom = seen.area
    wide = sum(rule.cover(left, right) > WHOLE for rule in seen.across)
    return wide > 1 or (wide > 0 and any(rule.cover(top, bottom) > WHOLE for rule in inner_rules(seen)))


def even(grid: Grid[Box], gaps: Sequence[Span], em: float) -> bool:
    """Say whether a grid without rules is a table: several rows, hardly a cell bare, clear gaps, short texts."""
    filled = [cell for cell in grid.cells if cell.content]
    widths = [box[2] - box[0] for cell in filled for box in cell.content]
    return (
        grid.rows >= 3
        and len(filled) >= FULL * len(grid.cells)
        and min(b - a for a, b in gaps) >= (em if grid.rows < 6 else GAP * em)
        and float(np.median(widths)) <= SHORT * em
        and sum(len(cell.content) == 1 for cell in filled) >= SINGLE * len(filled)
    )
