"""Tree-edit-distance similarity of tables (TEDS), with and without the cells' text.

Source: Zhong et al., PubTabNet, arXiv 1911.10683. Rows hang directly below the table (no thead and tbody level),
since LaTeX has no such sections. Knows no benchmark or report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from got_ocr.errors import MissingDependency
from got_ocr.eval.metrics import normalized_edit_distance
from got_ocr.eval.tables import Cell, Table, find_tables

# Rows and cells of one table. The distance grows with the product of both sizes: two tables of this size take seconds.
MAX_NODES = 400


class TableScore(NamedTuple):
    """Similarity between 0 and 1: with cell texts, and of the structure (rows, cells, spans) alone."""

    teds: float
    structure: float


def score_tables(prediction: str, reference: str) -> TableScore | None:
    """Compare the tables of two texts in reading order; a missing or surplus table counts 0.

    Returns None when the reference holds no table, or one over `MAX_NODES`: such a picture has no score. A predicted
    table over the limit counts 0, so that a runaway answer costs the reader and not the scorer.
    """
    true = find_tables(reference)
    if not true or any(t.size > MAX_NODES for t in true):
        return None
    guessed = find_tables(prediction)
    scores = [compare(g, t) for g, t in zip(guessed, true, strict=False)]
    count = max(len(true), len(guessed))
    return TableScore(sum(s.teds for s in scores) / count, sum(s.structure for s in scores) / count)


def compare(prediction: Table, reference: Table) -> TableScore:
    """Compare two tables; symmetric, 1 for equal ones, 0 when either is over `MAX_NODES`."""
    largest = max(prediction.size, reference.size)
    if largest > MAX_NODES:
        return TableScore(0.0, 0.0)
    if not largest:
        return TableScore(1.0, 1.0)
    with_text, structure = (_distance(_tree(prediction, keep), _tree(reference, keep)) for keep in (True, False))
    return TableScore(max(0.0, 1 - with_text / largest), max(0.0, 1 - structure / largest))


@dataclass(frozen=True, slots=True)
class _Node:
    """A node as apted wants it: `label` decides equality, `text` the cost of a rename between equal labels."""

    label: tuple[str, int, int]
    text: str = ""
    children: Sequence["_Node"] = ()


def _tree(table: Table, keep_text: bool) -> _Node:
    rows = [_Node(("row", 0, 0), "", [_leaf(cell, keep_text) for cell in row]) for row in table.rows]
    return _Node(("table", 0, 0), "", rows)


def _leaf(cell: Cell, keep_text: bool) -> _Node:
    return _Node(("cell", cell.columns, cell.rows), cell.text if keep_text else "")


def _distance(first: _Node, second: _Node) -> float:
    if first == second:
        return 0.0  # the usual case for the structure of a good reading, and far cheaper to see than to search
    try:
        from apted import APTED, Config
    except ImportError:
        raise MissingDependency("TEDS needs apted: pip install 'got-ocr[eval]'") from None

    class Costs(Config):  # type: ignore[misc]  # apted is untyped; the class lives here because apted loads here
        valuecls = float

        def rename(self, node1: _Node, node2: _Node) -> float:
            if node1.label != node2.label:
                return 1.0
            return normalized_edit_distance(node1.text, node2.text)

        def children(self, node: _Node) -> Sequence[_Node]:
            return node.children

    return float(APTED(first, second, Costs()).compute_edit_distance())
