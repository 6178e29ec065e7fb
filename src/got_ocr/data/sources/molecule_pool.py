"""The real structures that RDKit's wheel carries for its own tests and documents (BSD-3-Clause), as raw SMILES.

Holds where they lie inside the installed package and how each file is cut. Nothing is parsed here: a string that RDKit
refuses is dropped by whoever draws it.
"""

import hashlib
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from got_ocr.data.corpus import SPLITS
from got_ocr.errors import InvalidValue, MissingDependency

# (file inside the package, lines to skip, separator, columns that hold SMILES)
_FILES: tuple[tuple[str, int, str, tuple[int, ...]], ...] = (
    ("Data/NCI/first_5K.smi", 0, "\t", (0,)),
    ("Data/Pains/test_data/wehi_mols.csv", 0, ",", (0,)),
    (
        "Contrib/NIBRSubstructureFilters/SubstructureFilter_HitTriaging_wPubChemExamples.csv",
        1,
        ",",
        (-10, -8, -6, -4, -2),
    ),
    ("Data/Pains/test_data/test_set3.txt", 0, "\t", (2,)),
    ("Contrib/FreeWilson/data/CHEMBL2321810.smi", 0, " ", (0,)),
    ("Contrib/SA_Score/data/zim.100.txt", 1, "\t", (0,)),
    ("Contrib/fraggle/data/ChEMBL_11265_actives.smi", 0, " ", (0,)),
    ("Contrib/Fastcluster/cdk2.smi", 0, "\t", (1,)),
    ("Contrib/mmpa/data/sample.smi", 0, " ", (0,)),
)
_HELD_OUT = 16  # one structure in so many
_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()=#/\\%.]{3,200}\Z")


@lru_cache(maxsize=1)
def real_smiles() -> tuple[str, ...]:
    """List the SMILES strings of the installed RDKit, each once, in a fixed order (about 18,000).

    Raises MissingDependency when RDKit is absent or carries none of the files.
    """
    spec = find_spec("rdkit")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency("molecules need the package rdkit: pip install 'got-ocr[synth]'")
    root = Path(next(iter(spec.submodule_search_locations)))
    found: dict[str, None] = {}
    for name, skip, separator, columns in _FILES:
        path = root / name
        if path.is_file():
            found.update(dict.fromkeys(_cut(path, skip, separator, columns)))
    if not found:
        raise MissingDependency("this rdkit carries no example structures: install the wheel from PyPI, rdkit>=2024.9")
    return tuple(found)


@lru_cache(maxsize=4)
def split_smiles(split: str) -> tuple[str, ...]:
    """List the structures of a split (`train`, `heldout`, `all`); each belongs to one by the hash of its string.

    Raises InvalidValue for another split, MissingDependency as `real_smiles` does.
    """
    if split not in SPLITS:
        raise InvalidValue(f"corpus split is one of {', '.join(SPLITS)}; not {split!r}")
    return tuple(text for text in real_smiles() if split == "all" or _held_out(text) == (split == "heldout"))


def _held_out(smiles: str) -> bool:
    return hashlib.sha256(smiles.encode()).digest()[0] % _HELD_OUT == 0


def _cut(path: Path, skip: int, separator: str, columns: tuple[int, ...]) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[skip:]
    out = []
    for line in lines:
        if line.startswith("#"):
            continue
        fields = [field.strip().strip('"') for field in line.split(separator)]
        out += [fields[c] for c in columns if -len(fields) <= c < len(fields) and _SMILES.match(fields[c])]
    return out
