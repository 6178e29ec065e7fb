"""Lines of text in the columns of a table -> its rows. Knows no picture and no rule.

Cells of one row stand side by side, a broken text centred beside the others. So the lines are shared out at the least cost: a row
costs, a line that is taken for the next one of a broken text costs less, and a cell off the middle of its row costs nearly a row.
"""

from collections.abc import Sequence
from itertools import pairwise

Span = tuple[int, int]  # top, bottom

ROW = 1.0
ASTRAY = 0.8  # a cell that does not stand in the middle of its row
OFF = 0.45  # of the text height: how far it may be off
LEVEL = 0.5  # of its height by which a line overlaps the first of its level
LEADING, LOOSE = (
    1.1,
    0.3,
)  # times the least distance of lines, and of the text height: those farther apart are no broken text
FARTHEST = 2.6  # of the text height, without descenders: the same
DEEPEST = 14  # levels in one row


def share(columns: Sequence[Sequence[Span]], em: float) -> list[Span]:
    """Find rows from top to bottom: what is taken up by their lines. columns: lines of each. em: usual height of a line."""
    columns = [lines for lines in columns if lines]
    lines = sorted((line for lines in columns for line in lines), key=sum)
    if not lines:
        return []
    levels: list[list[Span]] = [[lines[0]]]
    for line in lines[1:]:
        first = levels[-1][0]
        if min(line[1], first[1]) - max(line[0], first[0]) >= LEVEL * min(line[1] - line[0], first[1] - first[0]):
            levels[-1].append(line)
        else:
            levels.append([line])
    least = min((_middle(b) - _middle(a) for lines in columns for a, b in pairwise(lines)), default=0.0)
    leading = min(LEADING * least + LOOSE * em, FARTHEST * em)
    wrap = min(0.9, 2 / len(columns)) * ROW
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(levels) + 1):
        starts = range(max(0, end - DEEPEST), end)
        best.append(
            min((best[start][0] + _cost(columns, levels[start:end], em, leading, wrap), start) for start in starts)
        )
    rows: list[Span] = []
    end = len(levels)
    while end:
        start = best[end][1]
        inside = [line for level in levels[start:end] for line in level]
        rows.append((min(a for a, _ in inside), max(b for _, b in inside)))
        end = start
    return rows[::-1]


def _cost(
    columns: Sequence[Sequence[Span]], levels: Sequence[Sequence[Span]], em: float, leading: float, wrap: float
) -> float:
    """Say what it costs to take some levels for one row."""
    low, high = _middle(levels[0][0]) - 0.01, max(map(_middle, levels[-1])) + 0.01
    cells = [inside for lines in columns if (inside := [line for line in lines if low <= _middle(line) <= high])]
    means = sorted(sum(map(_middle, cell)) / len(cell) for cell in cells)
    middle = means[len(means) // 2]
    astray = sum(abs(mean - middle) > OFF * em for mean in means)
    broken = 0.0
    for cell in cells:
        for a, b in pairwise(cell):
            broken += wrap if _middle(b) - _middle(a) <= leading else 4 * ROW
    return ROW + min(astray, len(cells) - astray + 1) * ASTRAY + broken


def _middle(line: Span) -> float:
    return (line[0] + line[1]) / 2
