"""Atoms and bonds in the plane -> SMILES, with the hands of wedged centres and the sides of double bonds.

Knows no picture. Rings are written with Kekulé bonds. Source of the notation: Daylight, Theory Manual, chapter 3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from got_ocr.molecule.names import Atom

_BARE = {
    "B": (3,),
    "C": (4,),
    "N": (3,),
    "O": (2,),
    "P": (3, 5),
    "S": (2, 4, 6),
    "F": (1,),
    "Cl": (1,),
    "Br": (1,),
    "I": (1,),
}
_LEVEL = (
    0.08  # of the length of two bonds: a neighbour that lies this near to the line of a double bond is on neither side
)
_SMALL_RING = 7  # atoms; double bonds in rings up to this size have one possible side only


@dataclass(frozen=True, slots=True)
class Place:
    """An atom in the plane; y grows downwards."""

    atom: Atom
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Bond:
    """A bond between two atoms by their numbers. order: 1 to 3. wedge: 1 where it comes towards the reader from `a` to `b`, -1 away."""

    a: int
    b: int
    order: int = 1
    wedge: int = 0

    def other(self, atom: int) -> int:
        """Give the atom at the far end."""
        return self.b if atom == self.a else self.a


class Molecule:
    """A graph of atoms and bonds; `smiles` writes it down."""

    def __init__(self, places: Sequence[Place], bonds: Sequence[Bond]) -> None:
        self.places, self.bonds = list(places), list(bonds)
        self.at: list[list[int]] = [[] for _ in places]
        for index, bond in enumerate(self.bonds):
            self.at[bond.a].append(index)
            self.at[bond.b].append(index)

    def vector(self, start: int, end: int) -> tuple[float, float]:
        """Point from one atom to another, y upwards."""
        return self.places[end].x - self.places[start].x, self.places[start].y - self.places[end].y

    def orders(self, atom: int) -> int:
        """Sum the orders of the bonds of an atom."""
        return sum(self.bonds[index].order for index in self.at[atom])

    def shortest_ring(self, bond: int) -> int:
        """Count the atoms of the smallest ring through a bond; 0 where it is in none."""
        start, goal = self.bonds[bond].a, self.bonds[bond].b
        steps, front = {start: 1}, [start]
        while front:
            ahead = []
            for atom in front:
                for index in self.at[atom]:
                    near = self.bonds[index].other(atom)
                    if index != bond and near not in steps:
                        steps[near] = steps[atom] + 1
                        ahead.append(near)
            if goal in steps:
                return steps[goal]
            front = ahead
        return 0


def smiles(molecule: Molecule) -> str:
    """Write a molecule as SMILES; its parts are joined by dots."""
    return ".".join(_Writer(molecule).parts())


class _Writer:
    """The walk over one molecule. order: atoms as they are written; tree and rings: the bonds walked and those that close rings."""

    def __init__(self, molecule: Molecule) -> None:
        self.molecule = molecule
        self.marks = side_marks(molecule)
        self.seen: set[int] = set()
        self.children: dict[int, list[int]] = {}
        self.closures: dict[int, list[int]] = {}  # atom -> ring bonds in the order of their digits
        self.digit: dict[int, int] = {}
        self.came: dict[int, int] = {}

    def parts(self) -> Iterator[str]:
        """Write the parts one after another."""
        for start in range(len(self.molecule.places)):
            if start not in self.seen:
                self._walk(start)
                yield self._text(start)

    def _walk(self, start: int) -> None:
        """Walk depth first and note which bonds lead on and which close a ring."""
        used: set[int] = set()
        self.seen.add(start)
        stack = [(start, iter(self._leaving(start)))]
        while stack:
            atom, bonds = stack[-1]
            index = next(bonds, None)
            if index is None:
                stack.pop()
            elif index not in used:
                used.add(index)
                near = self.molecule.bonds[index].other(atom)
                if near in self.seen:
                    self.digit[index] = len(self.digit) + 1
                    self.closures.setdefault(near, []).append(index)
                    self.closures.setdefault(atom, []).append(index)
                else:
                    self.seen.add(near)
                    self.came[near] = index
                    self.children.setdefault(atom, []).append(index)
                    stack.append((near, iter(self._leaving(near))))

    def _leaving(self, atom: int) -> list[int]:
        """Order the bonds of an atom: marked and double bonds are walked first, so that they close no ring where it can be helped."""
        bonds = self.molecule.bonds
        return sorted(
            self.molecule.at[atom],
            key=lambda i: (not self._marked(i), bonds[i].order == 1, bonds[i].wedge == 0, bonds[i].other(atom)),
        )

    def _marked(self, index: int) -> bool:
        return index in self.marks

    def _text(self, start: int) -> str:
        out: list[str] = []
        stack: list[tuple[str, int]] = [("atom", start)]
        opened: set[int] = set()
        while stack:
            what, atom = stack.pop()
            if what != "atom":
                out.append(what)
                continue
            out.append(self._symbol(atom))
            for index in self.closures.get(atom, ()):
                far = self.molecule.bonds[index].other(atom)
                first = index not in opened
                opened.add(index)
                digit = self.digit[index]
                sign = self._sign(index, atom, far) if first else ""
                out.append(sign + (str(digit) if digit < 10 else f"%{digit:02d}" if digit < 100 else f"%({digit})"))
            ahead = self.children.get(atom, [])
            for place, index in reversed(list(enumerate(ahead))):
                far = self.molecule.bonds[index].other(atom)
                last = place == len(ahead) - 1
                if not last:
                    stack.append((")", -1))
                stack.append(("atom", far))
                stack.append((("" if last else "(") + self._sign(index, atom, far), -1))
        return "".join(out)

    def _sign(self, index: int, start: int, end: int) -> str:
        """Write the bond from `start` to `end`."""
        mark = self.marks.get(index)
        if mark is not None:
            return "/" if mark == (start < end) else "\\"
        return {1: "", 2: "=", 3: "#"}[self.molecule.bonds[index].order]

    def _symbol(self, atom: int) -> str:
        molecule, place = self.molecule, self.molecule.places[atom].atom
        hand = self._hand(atom)
        orders = molecule.orders(atom)
        usual = next((v - orders for v in _BARE.get(place.element, ()) if v >= orders), None)
        if not (hand or place.charge or place.isotope) and usual is not None:
            return place.element
        hydrogens = place.hydrogens if usual is None or place.charge else usual
        count = "" if hydrogens == 0 else "H" if hydrogens == 1 else f"H{hydrogens}"
        charge = "" if not place.charge else f"{place.charge:+d}".replace("+1", "+").replace("-1", "-")
        return f"[{place.isotope or ''}{place.element}{hand}{count}{charge}]"

    def _hand(self, atom: int) -> str:
        """Tell the hand of a centre at which a wedge begins: @ or @@; nothing where none does or it tells nothing."""
        bonds = [self.molecule.bonds[index] for index in self.molecule.at[atom]]
        if not any(bond.wedge and bond.a == atom for bond in bonds) or len(bonds) not in (3, 4):
            return ""
        if any(bond.order > 2 for bond in bonds) or self.molecule.places[atom].atom.element == "H":
            return ""
        ordered = [self.came[atom]] if atom in self.came else []
        hydrogen_at = len(ordered)
        ordered += self.closures.get(atom, []) + self.children.get(atom, [])
        spots = [self._spot(atom, index) for index in ordered]
        if len(spots) == 3:
            spots.insert(hydrogen_at, -np.sum(spots, axis=0))
        turn = float(np.linalg.det([spots[1] - spots[0], spots[2] - spots[0], spots[3] - spots[0]]))
        if abs(turn) < 1e-3:
            return ""
        return "@" if turn < 0 else "@@"

    def _spot(self, atom: int, index: int) -> NDArray[np.float64]:
        """Point to a neighbour in space, at a bond's length."""
        bond = self.molecule.bonds[index]
        x, y = self.molecule.vector(atom, bond.other(atom))
        size = max(1e-6, (x * x + y * y) ** 0.5)
        return np.array([x / size, y / size, bond.wedge if bond.a == atom else 0])


def side_marks(molecule: Molecule) -> dict[int, bool]:
    """Tell which single bonds beside double bonds carry / or \\: True where it is / from the atom of lower number to the other.

    Each double bond asks that two of its neighbours lie on the same side or on opposite ones; what an earlier one has marked is kept to.
    """
    marks: dict[int, bool] = {}
    for index, bond in enumerate(molecule.bonds):
        if bond.order != 2 or 0 < molecule.shortest_ring(index) <= _SMALL_RING:
            continue
        first = _side(molecule, bond.a, bond.b, index, marks)
        second = _side(molecule, bond.b, bond.a, index, marks)
        if first is None or second is None:
            continue
        (one, one_up), (two, two_up) = first, second
        a_low = bond.a < molecule.bonds[one].other(bond.a)
        b_low = bond.b < molecule.bonds[two].other(bond.b)
        # From the double bond outwards, / points up: a neighbour above is reached by /, one below by \.
        wanted = (one_up == a_low, two_up == b_low)
        if one in marks and two in marks:
            continue
        flip = (one in marks and marks[one] != wanted[0]) or (two in marks and marks[two] != wanted[1])
        marks[one], marks[two] = wanted[0] != flip, wanted[1] != flip
    return marks


def _side(molecule: Molecule, atom: int, far: int, double: int, marks: dict[int, bool]) -> tuple[int, bool] | None:
    """Choose a neighbour of one end of a double bond, and say whether it lies above the line of the bond; None where none tells."""
    line = molecule.vector(atom, far) if atom < far else molecule.vector(far, atom)
    if len(molecule.at[atom]) > 3 or any(molecule.bonds[i].order > 1 for i in molecule.at[atom] if i != double):
        return None
    found = []
    for index in molecule.at[atom]:
        if index == double:
            continue
        x, y = molecule.vector(atom, molecule.bonds[index].other(atom))
        height = line[0] * y - line[1] * x
        if abs(height) > _LEVEL * np.hypot(*line) * np.hypot(x, y):
            found.append((index not in marks, index, height > 0))
    return (min(found)[1], min(found)[2]) if found else None


def with_kekule(molecule: Molecule, aromatic: set[int]) -> Molecule:
    """Give bonds that are drawn as aromatic orders of one and two, so that every atom that can has one double bond."""
    atoms = {end for index in aromatic for end in (molecule.bonds[index].a, molecule.bonds[index].b)}
    open_atoms = {atom for atom in atoms if _wants_double(molecule, atom, aromatic)}
    double = _matched(molecule, aromatic, open_atoms)
    bonds = [
        replace(bond, order=2 if index in double else 1) if index in aromatic else bond
        for index, bond in enumerate(molecule.bonds)
    ]
    return Molecule(molecule.places, bonds)


def _wants_double(molecule: Molecule, atom: int, aromatic: set[int]) -> bool:
    what = molecule.places[atom].atom
    others = [molecule.bonds[index] for index in molecule.at[atom] if index not in aromatic]
    if any(bond.order > 1 for bond in others):
        return False
    joined = len(molecule.at[atom])
    if what.element == "C":
        return what.charge == 0
    if what.element in ("N", "P", "As"):
        return joined + what.hydrogens == (3 if what.charge == 1 else 2)
    return what.element in ("O", "S", "Se") and what.charge == 1


def _matched(molecule: Molecule, aromatic: set[int], open_atoms: set[int]) -> set[int]:
    """Find double bonds that reach all open atoms, or as many as can be found in bounded time."""
    best: set[int] = set()
    budget = 4000
    stack: list[tuple[frozenset[int], frozenset[int]]] = [(frozenset(open_atoms), frozenset())]
    while stack and budget:
        budget -= 1
        left, chosen = stack.pop()
        if len(chosen) > len(best):
            best = set(chosen)
        options = {
            atom: [i for i in molecule.at[atom] if i in aromatic and molecule.bonds[i].other(atom) in left]
            for atom in left
        }
        options = {atom: bonds for atom, bonds in options.items() if bonds}
        if not options:
            if 2 * len(best) >= len(open_atoms) - 1:
                break
            continue
        atom = min(options, key=lambda a: (len(options[a]), a))
        for index in reversed(options[atom]):
            stack.append((left - {atom, molecule.bonds[index].other(atom)}, chosen | {index}))
    return best
