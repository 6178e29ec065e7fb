"""Where the letters of a drawn molecule lie and what each label says, read from the SVG of the same drawing.

Holds the way from RDKit's outlines, one a letter in the order of the text, to labels: the letters of one atom that stand in one row.
An "H" that stands over or under its "N" is a label of its own. Knows no picture and no style.
"""

import re
from collections.abc import Sequence
from itertools import permutations
from typing import Any, NamedTuple

Mol = Any
Box = tuple[float, float, float, float]

_GLYPH = re.compile(r"<path class='atom-(\d+)' d='([^']*)'")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Text(NamedTuple):
    """One label: its box in pixels (left, top, right, bottom) and what it says from left to right."""

    box: Box
    text: str


class _Part(NamedTuple):
    """Letters of a label that stay together. kind: isotope, symbol, hydrogens or charge."""

    kind: str
    text: str


def texts(svg: str, mol: Mol, spots: Sequence[tuple[float, float]]) -> tuple[Text, ...]:
    """List the labels of a drawing. svg: as RDKit writes it. spots: where the atoms of the molecule lie in it."""
    glyphs: dict[int, list[Box]] = {}
    for atom, outline in _GLYPH.findall(svg):
        numbers = [float(number) for number in _NUMBER.findall(outline)]
        xs, ys = numbers[::2], numbers[1::2]
        glyphs.setdefault(int(atom), []).append((min(xs), min(ys), max(xs), max(ys)))
    found: list[Text] = []
    for index, boxes in glyphs.items():
        found += _of_atom(mol.GetAtomWithIdx(index), boxes, spots[index])
    return tuple(found)


def _of_atom(atom: Mol, boxes: list[Box], spot: tuple[float, float]) -> list[Text]:
    """Tell what the letters of one atom say, row by row; nothing where they are not what the atom should show."""
    parts = _parts(atom)
    if sum(len(part.text) for part in parts) != len(boxes):
        parts = [part for part in parts if part.kind != "hydrogens"]
    if not parts or sum(len(part.text) for part in parts) != len(boxes):
        return []
    order = min(permutations(parts), key=lambda parts: _misfit(parts, boxes, spot))
    placed = list(zip(order, _cut(order, boxes), strict=True))
    symbol = next(where for part, where in placed if part.kind == "symbol")
    above_or_below = [
        part.kind == "hydrogens" and abs(_middle(where[0])[1] - _middle(symbol[0])[1]) > 0.5 * _height(symbol[0])
        for part, where in placed
    ]
    rows = []
    for stacked in (False, True):
        row = [pair for pair, apart in zip(placed, above_or_below, strict=True) if apart == stacked]
        if row:
            rows.append(Text(_around([b for _, where in row for b in where]), "".join(part.text for part, _ in row)))
    return rows


def _parts(atom: Mol) -> list[_Part]:
    hydrogens, charge = atom.GetTotalNumHs(), atom.GetFormalCharge()
    parts = [_Part("symbol", atom.GetSymbol())]
    if atom.GetIsotope():
        parts.append(_Part("isotope", str(atom.GetIsotope())))
    if hydrogens:
        parts.append(_Part("hydrogens", "H" + (str(hydrogens) if hydrogens > 1 else "")))
    if charge:
        parts.append(_Part("charge", (str(abs(charge)) if abs(charge) > 1 else "") + ("+" if charge > 0 else "-")))
    return parts


def _cut(parts: Sequence[_Part], boxes: list[Box]) -> list[list[Box]]:
    cut, start = [], 0
    for part in parts:
        cut.append(boxes[start : start + len(part.text)])
        start += len(part.text)
    return cut


def _misfit(parts: Sequence[_Part], boxes: list[Box], spot: tuple[float, float]) -> float:
    """Measure how badly an order of the parts explains where the letters stand.

    The symbol lies on its atom, isotope and charge stand high, the number of hydrogens stands low and is small.
    """
    places = dict(zip((part.kind for part in parts), _cut(parts, boxes), strict=True))
    symbol = places["symbol"][0]
    x, y = _middle(symbol)
    cost = abs(x - spot[0]) + abs(y - spot[1])
    tallest = max(_height(box) for box in boxes)
    cost += 2 * (tallest - _height(symbol))
    for kind in ("isotope", "charge"):
        cost += sum(max(0.0, _middle(box)[1] - y + 0.1 * tallest) * 3 for box in places.get(kind, ()))
    if "hydrogens" in places:
        letter, *number = places["hydrogens"]
        cost += 2 * (tallest - _height(letter))
        cost += sum(max(0.0, _middle(letter)[1] + 0.1 * tallest - _middle(box)[1]) * 3 for box in number)
    return cost


def _around(boxes: list[Box]) -> Box:
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _height(box: Box) -> float:
    return box[3] - box[1]
