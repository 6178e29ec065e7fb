"""Drawings (charts, molecules, geometry) -> their texts as strips, and what was read of these -> the drawing written down.

Holds who is asked, in which order, and nothing of how a drawing is seen. Knows no model weights.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
from PIL import Image

from got_ocr.chart.cut import cut_chart
from got_ocr.chart.plan import Plan
from got_ocr.geometry.figure import GeometryDrawing, cut_geometry
from got_ocr.labels import Drawing
from got_ocr.molecule.drawing import cut_molecule
from got_ocr.spec import ModelSpec

Reader = Callable[[Image.Image, ModelSpec], Drawing | None]

# By the names that `ModelSpec.reads` gives them; whoever is surest of what is no drawing of his comes first.
READERS: Mapping[str, Reader] = {"chart": cut_chart, "molecule": cut_molecule, "geometry": cut_geometry}


# A drawing may be of any kind, and a reader that divides by the length of nothing must not take the whole page with it.
LOST = (ArithmeticError, LookupError, ValueError, cv2.error)


def see(picture: Image.Image, spec: ModelSpec) -> Drawing | None:
    """Find out which drawing of those that a model reads an RGB picture shows; None where it shows none."""
    found = (_seen(read, picture, spec) for kind, read in READERS.items() if kind in spec.reads)
    first = next((drawing for drawing in found if drawing is not None), None)
    if first is None or "geometry" not in spec.reads or not _doubtful(first):
        return first
    other = _seen(cut_geometry, picture, spec)
    return other if isinstance(other, GeometryDrawing) and other.sure else first


def _doubtful(drawing: Drawing) -> bool:
    """Say whether a chart may be geometry: vectors on a grid look like a line chart, but have no title and no legend."""
    chart = drawing if isinstance(drawing, Plan) and not drawing.bars else None
    return chart is not None and not chart.heads.title and all(row.name is None for row in chart.rows)


def write(drawings: Sequence[Drawing], answers: Sequence[str]) -> str | None:
    """Write drawings down, one below the other. answers: what was read of their labels, one after another.

    None where one of them cannot be written: its labels fit no such drawing.
    """
    rest = iter(answers)
    texts = [_written(drawing, [next(rest, "") for _ in drawing.labels]) for drawing in drawings]
    return "\n".join(texts) if all(texts) else None


def _seen(read: Reader, picture: Image.Image, spec: ModelSpec) -> Drawing | None:
    try:
        return read(picture, spec)
    except LOST:
        return None


def _written(drawing: Drawing, answers: Sequence[str]) -> str:
    try:
        return drawing.write(answers)
    except LOST:
        return ""
