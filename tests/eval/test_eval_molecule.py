"""Molecules by canonical form."""

import pytest

from got_ocr.eval import molecule
from got_ocr.eval.molecule import score_molecule


@pytest.fixture(autouse=True)
def _needs_rdkit() -> None:
    pytest.importorskip("rdkit", reason="canonical forms need RDKit")


def test_the_same_molecule_written_otherwise() -> None:
    assert score_molecule("<smiles> OCC </smiles>", "C(O)C") == (True, 1.0)
    assert score_molecule("c1ccccc1", "C1=CC=CC=C1").same


def test_another_molecule_is_no_match_but_may_be_alike() -> None:
    found = score_molecule("CCO", "CCCO")
    assert not found.same
    assert found.similarity is not None
    assert 0 < found.similarity < 1
    assert not score_molecule("C[C@H](N)O", "C[C@@H](N)O").same  # mirror images


@pytest.mark.parametrize("text", ["", "C1CC", "no molecule", "C" * 1001])
def test_what_names_no_molecule_scores_nothing(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert score_molecule(text, "CCO") == (False, 0.0)
    assert capfd.readouterr().err == ""


def test_without_rdkit_strings_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(molecule, "_rdkit", lambda: None)
    assert score_molecule("CCO", " CCO") == (True, None)
    assert score_molecule("OCC", "CCO") == (False, None)
    assert "RDKit" in (molecule.molecule_reason() or "")
