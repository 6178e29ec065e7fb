"""A formula that goes on below itself: where its rows are, and how they are written as one. Knows no picture and no network.

Each row after the first begins with a relation sign (`=` mostly), and these stand below each other. From afar a heading of two lines
may look the same; whether it is one is told by what was read of the rows.
"""

import re
from collections.abc import Sequence

from got_ocr.lines import Box

MOST = 16  # pieces that rows are found in; what has more is a page
INDENT, ALIGNED = (
    0.5,
    0.3,
)  # of the height of a low piece: where rows after the first begin, at least; how far they differ at most
RELATION = re.compile(
    r":?[=<>]|\\(?:"
    r"leq|geq|le|ge|neq|ne|equiv|approx|sim|simeq|cong|propto|asymp|doteq|triangleq|coloneqq|ll|gg|lesssim|gtrsim|leqslant|geqslant|"
    r"prec|succ|preceq|succeq|subset|supset|subseteq|supseteq|sqsubseteq|sqsupseteq|in|ni|notin|to|mapsto|rightarrow|leftarrow|"
    r"leftrightarrow|Rightarrow|Leftarrow|Leftrightarrow|implies|iff|longrightarrow|vdash|dashv|models|perp|parallel|mid|bowtie|not|"
    r"nleq|ngeq|nless|ngtr|nsim|ncong|nsubseteq|nsupseteq|subsetneq|supsetneq)(?![A-Za-z])"
)
WHOLE = re.compile(r"\\\[(.+)\\\]", re.DOTALL)
OPENING, CLOSING = "{([", "})]"


def rows_of(boxes: Sequence[Box]) -> list[Box]:
    """Put pieces of ink, from top to bottom, together to rows that begin below each other, right of where the first begins.

    Limits above and below signs are pieces of their own; they belong to the row that is nearest. Empty where there are no such rows.
    """
    if not 2 <= len(boxes) <= MOST:
        return []
    height = sorted(bottom - top for _, top, _, bottom in boxes)[len(boxes) // 4]  # of a low one: fractions are tall
    left = min(box[0] for box in boxes)
    hanging = [box for box in boxes if box[0] > left + INDENT * height]
    if not hanging:
        return []
    edge = min(box[0] for box in hanging)
    heads = [box for box in boxes if box[0] <= edge + ALIGNED * height]
    if len(heads) < 2 or any(box not in hanging for box in heads[1:]):
        return []
    rows = list(heads)
    for box in boxes:
        if box not in heads:
            near = min(range(len(heads)), key=lambda i: _gap(box, heads[i]))
            rows[near] = _around(rows[near], box)
    return rows


def written(answers: Sequence[str]) -> str | None:
    """Write rows as one formula. answers: each row as a formula by itself. None where they are no such rows."""
    bare = [found[1].strip() for answer in answers if (found := WHOLE.fullmatch(answer.strip()))]
    first = _broken(bare[0]) if bare else None
    if first is None or len(bare) < len(answers) or not any(RELATION.match(row) for row in bare[1:]):
        return None  # one sign may be misread, all of them hardly
    return "\\[ \\begin{aligned} " + " \\\\ ".join([first, *(f" & {row}" for row in bare[1:])]) + " \\end{aligned} \\]"


def _broken(row: str) -> str | None:
    """Set the mark of the place that rows share before the first relation that stands in no group; None where there is none."""
    depth = 0
    for at, sign in enumerate(row):
        depth += (sign in OPENING) - (sign in CLOSING)
        if depth == 0 and at and RELATION.match(row, at):
            return f"{row[:at].rstrip()} & {row[at:]}"
    return None


def _gap(one: Box, other: Box) -> int:
    return max(one[1] - other[3], other[1] - one[3])


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
