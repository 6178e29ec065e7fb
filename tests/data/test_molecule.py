"""Molecules: what the picture shows is what the SMILES says."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from got_ocr.data.sources import molecule_build, molecule_draw
from got_ocr.data.sources.molecule import MoleculeSource
from got_ocr.data.sources.molecule_pool import real_smiles
from got_ocr.errors import InvalidValue

Chem = pytest.importorskip("rdkit.Chem", reason="rdkit is not installed")


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def ink(image: object) -> NDArray[np.bool_]:
    return np.asarray(image, dtype=int).min(axis=2) < 200


def drawn(smiles: str, seed: int = 0) -> molecule_draw.Drawing:
    drawing = next(d for i in range(20) if (d := molecule_draw.draw(rng(seed, i), molecule_build.parse(smiles), 1024)))
    assert isinstance(drawing, molecule_draw.Drawing)
    return drawing


def test_the_same_seed_gives_the_same_bytes() -> None:
    source = MoleculeSource()
    for seed in range(6):
        first, second = source(rng(seed)), source(rng(seed))
        assert first.target == second.target
        assert first.images[0].tobytes() == second.images[0].tobytes()
    assert len({source(rng(seed)).target for seed in range(20)}) > 15


def test_bytes_do_not_depend_on_what_was_drawn_before() -> None:
    source = MoleculeSource()
    seeds = range(60)
    forward = {seed: source(rng(4, seed)).images[0].tobytes() for seed in seeds}
    assert all(source(rng(4, seed)).images[0].tobytes() == forward[seed] for seed in reversed(seeds))


@pytest.mark.parametrize("origin", range(5), ids=("real", "crossed", "edited", "grown", "assembled"))
def test_labels_are_canonical_whatever_the_origin(origin: int) -> None:
    source = MoleculeSource(weights=tuple(float(i == origin) for i in range(5)), max_atoms=30)
    for seed in range(12):
        sample = source(rng(origin, seed))
        mol = Chem.MolFromSmiles(sample.target)
        assert Chem.MolToSmiles(mol) == sample.target
        assert 2 <= mol.GetNumAtoms() <= 30
        assert sample.kind == "molecule"
        assert sample.task.mode == "format"
        assert sample.images[0].mode == "RGB"
        assert max(sample.images[0].size) <= source.max_side


def test_every_atom_lies_on_the_canvas_and_under_ink() -> None:
    pool = real_smiles()
    seen = 0
    for seed in range(40):
        mol = molecule_build.real(rng(seed), pool)
        drawing = molecule_draw.draw(rng(seed), mol, 1024) if mol is not None else None
        if drawing is None:
            continue
        dark = ink(drawing.image)
        assert len(drawing.atoms) >= Chem.MolFromSmiles(drawing.smiles).GetNumAtoms()
        for x, y in drawing.atoms:
            assert 0 <= x < dark.shape[1]
            assert 0 <= y < dark.shape[0]
            # A letter leaves its centre open at times, and bonds stop before letters: look a third of a bond around.
            near = dark[max(0, int(y) - 7) : int(y) + 8, max(0, int(x) - 7) : int(x) + 8]
            assert near.any()
        seen += 1
    assert seen > 25


def test_nothing_is_cut_off_at_the_edge() -> None:
    for seed in range(15):
        dark = ink(MoleculeSource(clean_fraction=1.0)(rng(3, seed)).images[0])
        assert not np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]]).any()


def test_hands_are_kept_when_drawn_and_dropped_when_flat() -> None:
    alanine = "C[C@H](N)C(=O)O"
    assert "@" in drawn(alanine).smiles
    assert Chem.CanonSmiles(drawn(alanine).smiles) == Chem.CanonSmiles(alanine)
    flat = molecule_build.without_stereo(molecule_build.parse(alanine))
    assert molecule_draw.draw(rng(1), flat, 1024).smiles == "CC(N)C(=O)O"  # type: ignore[union-attr]
    assert not any("@" in MoleculeSource(flat=1.0)(rng(seed)).target for seed in range(25))


def test_both_hands_of_one_molecule_differ_in_picture_and_label() -> None:
    left, right = drawn("C[C@H](N)C(=O)O", 5), drawn("C[C@@H](N)C(=O)O", 5)
    assert left.smiles != right.smiles
    assert left.image.tobytes() != right.image.tobytes()


def test_a_double_bond_is_labelled_as_it_is_drawn() -> None:
    # The open form leaves the arrangement to the drawing, so the label has to decide.
    assert re.search(r"[/\\]", drawn("CC=CC").smiles)
    assert drawn("C/C=C/C").smiles == "C/C=C/C"
    assert drawn("C/C=C\\C").smiles == "C/C=C\\C"


def test_a_crowded_layout_is_refused() -> None:
    mol = molecule_build.parse("CCO")
    xyz = np.array([(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (0.2, 0.1, 0.0)])
    assert not molecule_draw._readable(mol, xyz)
    assert molecule_draw._readable(mol, np.array([(0.0, 0.0, 0.0), (1.5, 0.0, 0.0), (2.2, 1.3, 0.0)]))


def test_isotopes_and_charges_reach_the_label() -> None:
    labels = [MoleculeSource(isotope=1.0)(rng(seed)).target for seed in range(8)]
    assert all(re.search(r"\[\d+[A-Za-z]", label) for label in labels)
    assert any(re.search(r"[+-]\]", MoleculeSource()(rng(seed)).target) for seed in range(80))


def test_the_terminal_stays_silent(capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(20):
        MoleculeSource(weights=(0, 1, 1, 1, 0))(rng(seed))
    assert capfd.readouterr() == ("", "")


def test_the_pool_is_found_inside_the_package() -> None:
    pool = real_smiles()
    assert len(pool) > 15_000
    assert len(set(pool)) == len(pool)


def test_options_are_checked() -> None:
    with pytest.raises(InvalidValue):
        MoleculeSource(weights=(1.0, 1.0))
    with pytest.raises(InvalidValue):
        MoleculeSource(max_atoms=1)
