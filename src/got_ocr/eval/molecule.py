"""Molecules: whether two SMILES strings name the same one, how alike they are. RDKit is optional; knows no picture."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

# Canonical numbering takes long on very large graphs; real molecules of a page are far below this.
MAX_CHARS = 1000

_TAGS = re.compile(r"</?smiles>", re.I)


class MoleculeScore(NamedTuple):
    """same: equal canonical forms. similarity: Tanimoto of Morgan fingerprints (radius 2), None without RDKit."""

    same: bool
    similarity: float | None


def score_molecule(prediction: str, reference: str) -> MoleculeScore:
    """Compare two SMILES strings, `<smiles>` tags and white space aside.

    A prediction that names no molecule scores 0. Without RDKit, or where it cannot read the reference, strings are
    compared.
    """
    guessed, true = plain_smiles(prediction), plain_smiles(reference)
    chem = _rdkit()
    target = _molecule(chem, true) if chem is not None else None
    if chem is None or target is None:
        return MoleculeScore(bool(guessed) and guessed == true, None)
    found = _molecule(chem, guessed)
    if found is None:
        return MoleculeScore(False, 0.0)
    from rdkit import DataStructs
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    similarity = DataStructs.TanimotoSimilarity(generator.GetFingerprint(found), generator.GetFingerprint(target))
    return MoleculeScore(chem.MolToSmiles(found) == chem.MolToSmiles(target), float(similarity))


def plain_smiles(text: str) -> str:
    """Take tags and white space off."""
    return "".join(_TAGS.sub("", text).split())


def molecule_reason() -> str | None:
    """Say why molecules are compared as strings here, or None when they are not."""
    return None if _rdkit() is not None else "RDKit is not installed, SMILES are compared as strings"


@lru_cache(maxsize=1)
def _rdkit() -> Any:
    try:
        from rdkit import Chem
    except ImportError:
        return None
    return Chem


def _molecule(chem: Any, smiles: str) -> Any:
    """Parse one SMILES string; None for an empty, oversized or wrong one."""
    if not smiles or len(smiles) > MAX_CHARS:
        return None
    from rdkit import rdBase

    with rdBase.BlockLogs():  # RDKit reports every wrong string on stderr, contents included
        return chem.MolFromSmiles(smiles)
