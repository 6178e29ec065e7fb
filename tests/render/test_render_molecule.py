"""SMILES by RDKit: drawn through the gate, refused without a crash."""

import sys

import pytest

pytest.importorskip("rdkit", reason="rdkit is not installed")

from got_ocr.errors import MissingDependency, RenderFailed
from got_ocr.render import render, render_result
from got_ocr.render.molecule import MAX_SMILES, to_svg


@pytest.mark.parametrize(
    "smiles", ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "[Na+].[Cl-]", "C[C@@H](N)C(=O)O", "F/C=C/F", "*CC"]
)
def test_molecules_are_drawn(smiles: str) -> None:
    svg = to_svg(smiles)
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ')
    assert "<path" in svg
    assert "style=" not in svg
    assert "class=" not in svg


def test_an_impossible_valence_is_still_shown() -> None:
    assert "<path" in to_svg("CN(C)(C)(C)C")


def test_the_same_molecule_gives_the_same_bytes() -> None:
    assert to_svg("CC(=O)O") == to_svg("CC(=O)O") == to_svg(" CC(=O)\nO ")


HOSTILE = [
    *(
        "",
        "hello!",
        "C(",
        "C)",
        "C1CC",
        "[",
        "[Xx]",
        "[Na",
        "C%1",
        "(" * 900,
        ")" * 900,
        "C1" * 400,
        "[" + "9" * 900 + "C]",
    ),
    *(
        "C" * MAX_SMILES,
        "C" * (MAX_SMILES + 1),
        "." * 500,
        "=" * 500,
        "C=" * 400,
        "[C" + "@" * 500 + "]",
        "\x00",
        "é",
        "C\u202eC",
        "%" * 800,
    ),
    *(
        "C" + "(C" * 450 + ")" * 450,
        "[C+999999999]",
        "[999999C]",
        "C:C:C:" * 50,
        "C>>C",
        "[#999]",
        "[*:99999999999]",
        "C |$a;b$|",
        "CC name",
    ),
    "C" * 198 + "1" + "C1" * 3,
    "C12C3C4C1C5C2C3C45" * 12,
    ".".join(["C1CC1"] * 60),
]


@pytest.mark.parametrize("smiles", HOSTILE, ids=range(len(HOSTILE)))
def test_garbage_ends_with_a_clear_outcome(smiles: str) -> None:
    made = render_result(smiles, kind="smiles", to="fragment")
    assert made.error in (None, "render_failed")


def test_too_large_molecules_are_refused() -> None:
    with pytest.raises(RenderFailed):
        to_svg("C" * 300)
    with pytest.raises(RenderFailed):
        to_svg("C" * (MAX_SMILES + 1))


def test_nothing_is_said_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    render("C1CC(", kind="smiles", to="fragment")
    assert capfd.readouterr() == ("", "")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(MissingDependency, match=r"got-ocr\[render\]"):
        to_svg("CCO")
    made = render_result("CCO", kind="smiles", to="html")
    assert made.error == "missing_dependency"
    assert 'data-render-error="missing_dependency"' in str(made.content)
