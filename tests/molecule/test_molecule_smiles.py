"""Molecules: atoms and bonds in the plane become SMILES, labels become atoms, lines become segments."""

import math

import numpy as np
import pytest

from got_ocr.molecule.names import Atom, atom_of
from got_ocr.molecule.skeleton import straightened, thinned, traced
from got_ocr.molecule.smiles import Bond, Molecule, Place, smiles, with_kekule


def place(element: str, x: float, y: float, charge: int = 0, hydrogens: int = 0) -> Place:
    return Place(Atom(element, charge, hydrogens), x, y)


@pytest.mark.parametrize(
    ("text", "bonds", "joined", "element", "charge"),
    [
        ("NH", 2, 2, "N", 0),
        ("H2N", 1, 1, "N", 0),
        ("0", 2, 1, "O", 0),
        ("CI", 1, 1, "Cl", 0),
        ("cl", 1, 1, "Cl", 0),
        ("N+", 4, 3, "N", 1),
        ("N", 4, 3, "N", 1),
        ("O-", 1, 1, "O", -1),
        ("OH", 1, 1, "O", 0),
        ("Na+", 0, 0, "Na", 1),
        ("S", 6, 4, "S", 0),
        ("CH3", 1, 1, "C", 0),
    ],
)
def test_labels_become_atoms_that_bear_their_bonds(
    text: str, bonds: int, joined: int, element: str, charge: int
) -> None:
    atom = atom_of(text, bonds, joined)
    assert (atom.element, atom.charge) == (element, charge)


def test_a_chain_and_a_ring_are_written_plainly() -> None:
    chain = Molecule([place("C", 0, 0), place("C", 1, 0), place("O", 2, 1)], [Bond(0, 1), Bond(1, 2)])
    assert smiles(chain) == "CCO"
    ring = Molecule(
        [place("C", math.cos(k), math.sin(k)) for k in range(6)], [Bond(k, (k + 1) % 6, 1 + k % 2) for k in range(6)]
    )
    assert smiles(ring).replace("=", "") == "C1CCCCC1"
    assert smiles(ring).count("=") == 3


def test_parts_and_charges() -> None:
    salt = Molecule([place("Na", 0, 0, 1), place("Cl", 3, 0, -1)], [])
    assert smiles(salt) == "[Na+].[Cl-]"


def test_a_wedge_and_a_hash_are_mirror_images() -> None:
    places = [place("C", 0, 0), place("F", 1, 0.5), place("Cl", -1, 0.5), place("Br", 0, -1)]
    hands = {
        wedge: smiles(Molecule(places, [Bond(0, 1), Bond(0, 2), Bond(0, 3, 1, wedge)])).count("@") for wedge in (-1, 1)
    }
    assert sorted(hands.values()) == [1, 2]


def test_the_hand_is_the_one_that_is_drawn() -> None:
    chem = pytest.importorskip("rdkit.Chem", reason="rdkit is not installed")
    places = [place("C", 0, 0), place("F", 1, 0.5), place("Cl", -1, 0.5), place("Br", 0, -1)]
    ours = smiles(Molecule(places, [Bond(0, 1), Bond(0, 2), Bond(0, 3, 1, 1)]))
    rows = [f"{p.x:10.4f}{-p.y:10.4f}    0.0000 {p.atom.element:<3} 0  0" for p in places]
    block = "\n".join(["", "", "", "  4  3  0  0  0  0  0  0  0  0999 V2000", *rows])
    block += "\n  1  2  1  0\n  1  3  1  0\n  1  4  1  1\nM  END\n"
    assert chem.CanonSmiles(ours) == chem.MolToSmiles(chem.MolFromMolBlock(block))


@pytest.mark.parametrize(("y", "expected"), [(1.0, "F/C=C\\F"), (-1.0, "F/C=C/F")])
def test_sides_of_a_double_bond(y: float, expected: str) -> None:
    chem = pytest.importorskip("rdkit.Chem", reason="rdkit is not installed")
    places = [place("F", -1, 1), place("C", 0, 0), place("C", 1, 0), place("F", 2, y)]
    text = smiles(Molecule(places, [Bond(0, 1), Bond(1, 2, 2), Bond(2, 3)]))
    assert chem.CanonSmiles(text) == chem.CanonSmiles(expected)


def test_aromatic_rings_get_alternating_bonds() -> None:
    pyrrole = [place("N", 0, 0, 0, 1), *(place("C", k, 1) for k in range(4))]
    bonds = [Bond(k, (k + 1) % 5) for k in range(5)]
    done = with_kekule(Molecule(pyrrole, bonds), set(range(5)))
    assert sorted(bond.order for bond in done.bonds) == [1, 1, 1, 2, 2]
    assert done.orders(0) == 2


def test_lines_become_straight_segments() -> None:
    mask = np.zeros((60, 120), dtype=bool)
    mask[28:32, 5:100] = True
    mask[5:32, 50:54] = True
    assert thinned(mask).sum() < 150
    nodes, pairs = straightened(traced(mask), 4.0)
    assert len(pairs) == 3
    lengths = sorted(math.dist(nodes[a], nodes[b]) for a, b in pairs)
    assert lengths[0] == pytest.approx(24, abs=4)
    assert lengths[2] == pytest.approx(47, abs=5)


def test_a_closed_ring_keeps_its_corners() -> None:
    mask = np.zeros((80, 80), dtype=bool)
    mask[10:70, 10:70] = True
    mask[14:66, 14:66] = False
    nodes, pairs = straightened(traced(mask), 4.0)
    assert len(pairs) == 4
    assert all(math.dist(nodes[a], nodes[b]) > 45 for a, b in pairs)
