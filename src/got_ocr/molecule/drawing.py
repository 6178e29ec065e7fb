"""A picture of a molecule -> its labels as strips, and its SMILES once they are read. Holds the order of the steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from got_ocr.labels import Label, label_tile
from got_ocr.lines import Box, Ink
from got_ocr.molecule.graph import Edge, Frame, Vertex, plausible
from got_ocr.molecule.joints import joined
from got_ocr.molecule.letters import (
    LETTER,
    Sorted,
    Tag,
    around,
    capital_height,
    sort_pieces,
    tags,
    with_bars,
    without_dashes,
)
from got_ocr.molecule.names import Atom, atom_of
from got_ocr.molecule.page import Page, Piece, inked, mended, pieces, stroke_width
from got_ocr.molecule.smiles import Bond, Molecule, Place, smiles, with_kekule
from got_ocr.molecule.strokes import Measure, Sketch, bar_rows, measured, sketched, trace_piece
from got_ocr.molecule.touching import parted, straight
from got_ocr.spec import ModelSpec

MOST_INK = 260_000  # pixels of large pieces that are followed
SLIM = (7.0, 34.0)  # stroke widths: a bond is so long
SMALLEST = 0.012  # of the picture's longer side: a bond is longer
SIDE = 75  # pixels of the picture's longer side, at least: letters by themselves are webs of strokes as well
BOND = (1.3, 5.0)  # capital letters long: letters in print are larger than their strokes, those of a drawing smaller
EVEN, LONG, DRAWN = 0.45, 0.42, 0.5  # parts of the lines' length, and of their ink


@dataclass(frozen=True, slots=True)
class MoleculeDrawing:
    """What was seen of a molecule. frame: atoms and bonds. rows: which labels (strips) name each tag of the frame, from the top."""

    frame: Frame
    rows: tuple[tuple[int, ...], ...]
    labels: tuple[Label, ...]

    def write(self, answers: Sequence[str]) -> str:
        """Write the molecule as SMILES. answers: what was read of each label."""
        texts = ["".join(answers[row] for row in rows if row < len(answers)) for rows in self.rows]
        molecule = _molecule(self.frame, texts)
        return smiles(molecule)


def cut_molecule(picture: Image.Image, spec: ModelSpec) -> MoleculeDrawing | None:
    """Find the bonds and labels of a picture of a molecule; None where it shows none."""
    page = inked(picture) if max(picture.size) >= SIDE else None
    seen = analysed(page) if page is not None else None
    if page is None or seen is None or not BOND[0] < seen.unit / seen.capital < BOND[1]:
        return None
    frame = joined(seen.sketch, seen.tags, seen.unit, seen.capital)
    if not plausible(frame, seen.unit):
        return None
    return _drawing(page, frame, seen.tags, spec)


@dataclass(frozen=True, slots=True)
class Analysis:
    """The strokes and labels of a page. unit: length of a bond; capital: height of a letter; both in the page's pixels."""

    sketch: Sketch
    tags: list[Tag]
    unit: float
    capital: float


def analysed(page: Page) -> Analysis | None:
    """Tell strokes and letters apart; None where there are no bonds."""
    found = pieces(page)
    width = stroke_width(page.mask)
    big = [piece for piece in found if max(piece.width, piece.height) > 7 * width]
    if not big or sum(piece.area for piece in big) > MOST_INK:
        return None
    large = {id(piece): trace_piece(piece) for piece in big}
    measure = measured(list(large.values()), width, sum(piece.area for piece in big))
    unit = measure.unit
    if not _drawn_like_bonds(measure, width, max(page.mask.shape)):
        return None
    parts = sort_pieces(mended(page, found, LETTER * unit), width, unit)
    lone = [piece for piece in parts.letters if piece.height > 0.2 * unit]
    known = capital_height(parts.letters, unit) if len(lone) > 2 else 0.0
    letters: list[Piece] = []
    pool: list[Piece] = list(parts.bars)
    for piece in parts.webs + parts.letters:
        is_letter = max(piece.width, piece.height) <= LETTER * unit
        if is_letter and (not known or piece.height <= 1.25 * known):
            letters.append(piece)
            continue
        web = large.get(id(piece)) or trace_piece(piece)
        bar = straight(piece, web, width, unit) if is_letter else None
        cut, rest = parted(piece, web, width, unit, known) if bar is None else ([], [bar])
        letters += cut
        pool += rest
    parts = sort_pieces(pool, width, unit)
    rows, bars = bar_rows(parts.bars, unit)
    dashes = [bar for row in rows if row.kind == "dash" for bar in row.bars]
    letters = without_dashes(letters + parts.letters, dashes, unit)
    capital = capital_height(letters, unit)
    parts = with_bars(Sorted(letters, bars, parts.webs), capital, unit)
    webs = [large.get(id(piece)) or trace_piece(piece) for piece in parts.webs]
    sketch = sketched(webs, rows, parts.bars, page.mask, width, unit)
    return Analysis(sketch, tags(parts.letters, capital), unit, capital) if sketch.strokes else None


def _drawn_like_bonds(measure: Measure, width: float, side: int) -> bool:
    """Say whether lines are of one length mostly and neither as stout as letters nor as long as those of charts and figures."""
    if not SLIM[0] * width < measure.unit < SLIM[1] * width or measure.unit < SMALLEST * side:
        return False
    return measure.even > EVEN and measure.long < LONG and measure.drawn > DRAWN


def _drawing(page: Page, frame: Frame, names: Sequence[Tag], spec: ModelSpec) -> MoleculeDrawing:
    """Make the strips of all labels; each shows its own letters alone."""
    labels: list[Label] = []
    rows = []
    for tag in names:
        rows.append(tuple(range(len(labels), len(labels) + len(tag.rows))))
        labels += [_label(page, row, spec) for row in tag.rows]
    return MoleculeDrawing(frame, tuple(rows), tuple(labels))


def _label(page: Page, row: Sequence[Piece], spec: ModelSpec) -> Label:
    left, top, right, bottom = around(row)
    margin = 4
    ink: Ink = np.zeros((bottom - top + 2 * margin, right - left + 2 * margin), dtype=np.uint8)
    for piece in row:
        x0, y0, x1, y1 = piece.box
        grown = np.pad(piece.mask, margin)
        soft = np.zeros_like(grown)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                soft |= np.roll(grown, (dy, dx), (0, 1))
        part = _window(page.ink, (x0 - margin, y0 - margin, x1 + margin, y1 + margin)) * soft
        place = ink[y0 - top : y1 - top + 2 * margin, x0 - left : x1 - left + 2 * margin]
        np.maximum(place, part, out=place)
    box = (margin, margin, margin + right - left, margin + bottom - top)
    spot = tuple(round(side / page.scale) for side in (left, top, right, bottom))
    return Label(label_tile(ink, box, spec), (spot[0], spot[1], spot[2], spot[3]))


def _window(ink: Ink, box: Box) -> Ink:
    """Cut a box out; what lies outside the page is paper."""
    left, top, right, bottom = box
    height, width = ink.shape
    part = ink[max(0, top) : bottom, max(0, left) : right]
    return np.pad(part, ((max(0, -top), max(0, bottom - height)), (max(0, -left), max(0, right - width))))


def _molecule(frame: Frame, texts: Sequence[str]) -> Molecule:
    """Name the atoms of a frame. texts: what its labels say."""
    bonds = [Bond(edge.a, edge.b, edge.order, edge.wedge) for edge in frame.edges]
    dashed = {index for index, edge in enumerate(frame.edges) if edge.dashed}
    orders, joins, aromatic = _orders(frame.vertices, frame.edges)
    kept = [
        index for index, vertex in enumerate(frame.vertices) if joins[index] or _stands_alone(texts[vertex.tag], vertex)
    ]
    number = {old: new for new, old in enumerate(kept)}
    places = [
        Place(_atom(vertex, texts, orders[index], joins[index], aromatic[index]), vertex.x, vertex.y)
        for index, vertex in ((index, frame.vertices[index]) for index in kept)
    ]
    molecule = Molecule(places, [replace(bond, a=number[bond.a], b=number[bond.b]) for bond in bonds])
    return with_kekule(molecule, dashed) if dashed else molecule


def _stands_alone(text: str, vertex: Vertex) -> bool:
    """Say whether a label without bonds is an ion or a molecule of its own; hydrogens belong to an atom nearby."""
    return vertex.tag >= 0 and any(letter.isalpha() and letter not in "Hh" for letter in text)


def _orders(vertices: Sequence[Vertex], edges: Sequence[Edge]) -> tuple[list[int], list[int], list[bool]]:
    """Sum the bond orders of each atom, count its bonds, and say whether one of them is dashed."""
    orders, joins, dashed = [0] * len(vertices), [0] * len(vertices), [False] * len(vertices)
    for edge in edges:
        for end in (edge.a, edge.b):
            orders[end] += edge.order
            joins[end] += 1
            dashed[end] |= edge.dashed
    return orders, joins, dashed


def _atom(vertex: Vertex, texts: Sequence[str], orders: int, joins: int, aromatic: bool) -> Atom:
    """Name an atom. aromatic: one of its bonds may be double."""
    if vertex.tag < 0:
        return Atom("C")
    text = texts[vertex.tag]
    atom = atom_of(text, orders, joins)
    if aromatic and ("+" in text or atom.element == "C" or (atom.element == "N" and joins == 2 and "H" not in text)):
        return atom_of(text, orders + 1, joins)
    return atom
