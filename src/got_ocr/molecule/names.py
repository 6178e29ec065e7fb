"""What was read of a label, with the bonds at hand -> the element, its hydrogens and its charge.

Every atom that a drawing may show under these bonds is written as a drawing would write it; the one whose text is nearest to what was
read is taken. So a misread letter cannot break a valence. Knows no picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 12  # letters of a label; more than any atom has


@dataclass(frozen=True, slots=True)
class Atom:
    """An element with what its label says. isotope: 0 where none is told. hydrogens: that belong to it."""

    element: str
    charge: int = 0
    hydrogens: int = 0
    isotope: int = 0


# Valences by element and charge, smallest first: hydrogens fill up to the first that holds all bonds. Source: Daylight, Theory Manual.
VALENCES: dict[str, dict[int, tuple[int, ...]]] = {
    "C": {0: (4,), 1: (3,), -1: (3,)},
    "N": {0: (3,), 1: (4,), -1: (2,)},
    "O": {0: (2,), -1: (1,), 1: (3,)},
    "S": {0: (2, 4, 6), 1: (3, 5), -1: (1,)},
    "F": {0: (1,), -1: (0,)},
    "Cl": {0: (1, 3, 5, 7), -1: (0,)},
    "Br": {0: (1, 3, 5), -1: (0,)},
    "I": {0: (1, 3, 5), -1: (0,), 1: (2,)},
    "P": {0: (3, 5), 1: (4,), -1: (6,)},
    "B": {0: (3,), -1: (4,)},
    "Si": {0: (4,)},
    "Se": {0: (2, 4, 6), 1: (3,)},
    "As": {0: (3, 5), 1: (4,)},
    "H": {0: (1,), 1: (0,)},
    "Sn": {0: (2, 4)},
    "Hg": {0: (2,), 1: (1,), 2: (0,)},
    "Ge": {0: (4,)},
    "Te": {0: (2, 4)},
    "Sb": {0: (3, 5)},
    "Bi": {0: (3,)},
    "Pb": {0: (4,)},
    "Na": {1: (0,)},
    "K": {1: (0,)},
    "Li": {1: (0,)},
    "Mg": {2: (0,)},
    "Ca": {2: (0,)},
    "Zn": {2: (0,), 0: (2,)},
    "Cu": {2: (0,)},
    "Pt": {0: (2, 4), 2: (0,)},
}
_ISOTOPES = {"H": (2, 3), "C": (13, 14), "N": (15,), "O": (18,), "F": (18,), "S": (35,), "I": (125, 131)}
_RARE = {"C": 0.1, "N": 0.0, "O": 0.0, "S": 0.02, "F": 0.03, "Cl": 0.03, "Br": 0.05, "I": 0.08, "P": 0.06, "H": 0.15}
_UNUSUAL = 0.3  # what an element that is not in the list of common ones costs, in letters
_LIKE = ("O0oQDC", "Il1|!i", "S5s$", "B8", "Cc(", "Nn", "Hh", "Ff", "Pp", "Kk", "-_–—~", "+t", "2zZ", "3", "rn")


@lru_cache(maxsize=4096)
def atom_of(text: str, bonds: int, joined: int) -> Atom:
    """Choose the atom for what was read of its label. bonds: the sum of the orders of its bonds. joined: how many bonds there are."""
    read = "".join(text.split())[:LONGEST]
    best, least = Atom("C"), 1e9
    for atom, written, extra in _possible(bonds, joined):
        cost = extra + _distance(read, written)
        if cost < least:
            best, least = atom, cost
    return best


@lru_cache(maxsize=64)
def _possible(bonds: int, joined: int) -> tuple[tuple[Atom, str, float], ...]:
    """List the atoms that may have such bonds, how each is written, and what its rarity costs."""
    found = []
    for element, charges in VALENCES.items():
        for charge, valences in charges.items():
            hydrogens = next((valence - bonds for valence in valences if valence >= bonds), None)
            extra = _RARE.get(element, _UNUSUAL) + 0.06 * abs(charge)
            if hydrogens is None:
                hydrogens, extra = 0, extra + 1.5  # more bonds than it bears: seen wrongly, but a label is a label
            for isotope in (0, *_ISOTOPES.get(element, ())):
                atom = Atom(element, charge, hydrogens, isotope)
                rare = extra + (0.4 if isotope else 0.0)
                found += [(atom, text, rare) for text in set(_written(atom))]
    return tuple(sorted(found, key=lambda entry: (entry[2], entry[1])))


def _written(atom: Atom) -> Iterator[str]:
    """Write an atom in the orders that drawings use."""
    symbol = (str(atom.isotope) if atom.isotope else "") + atom.element
    count = str(atom.hydrogens) if atom.hydrogens > 1 else ""
    hydrogens = f"H{count}" if atom.hydrogens else ""
    size = str(abs(atom.charge)) if abs(atom.charge) > 1 else ""
    charge = "" if not atom.charge else size + ("+" if atom.charge > 0 else "-")
    yield symbol + hydrogens + charge
    if hydrogens:
        yield hydrogens + symbol + charge
        yield symbol + charge + hydrogens
        yield hydrogens + charge + symbol
    if atom.element == "H" and atom.isotope == 2:
        yield "D"


def _swap(a: str, b: str) -> float:
    """Tell what it costs to take one letter for another."""
    if a == b:
        return 0.0
    if a.lower() == b.lower():
        return 0.15
    return 0.35 if any(a in like and b in like for like in _LIKE) else 1.0


def _lone(letter: str) -> float:
    """Tell what it costs that a letter was missed, or read where none is."""
    return 0.6 if letter in "+-H23" else 0.8


def _distance(read: str, written: str) -> float:
    """Measure the edit distance of two labels, alike letters at a lower cost."""
    row = [0.0]
    for letter in written:
        row.append(row[-1] + _lone(letter))
    for a in read:
        above, row = row, [row[0] + _lone(a)]
        for column, b in enumerate(written):
            row.append(min(above[column] + _swap(a, b), above[column + 1] + _lone(a), row[-1] + _lone(b)))
    return row[-1]
