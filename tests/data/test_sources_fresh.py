"""Bytes of molecules, scores and figures do not depend on the process that made them, and their facts are JSON."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, json
import numpy as np
from got_ocr.data.sources.geometry import GeometrySource
from got_ocr.data.sources.molecule import MoleculeSource
from got_ocr.data.sources.music import MusicSource
out = []
for source in (MoleculeSource(), MusicSource(), GeometrySource()):
    for seed in range(6):
        sample = source(np.random.default_rng([1, seed]))
        pixels = hashlib.sha256(sample.images[0].tobytes()).hexdigest()
        out.append([sample.kind, sample.target, pixels, dict(sample.meta)])
print(json.dumps(out))
"""


def fresh(hash_seed: str) -> list[list[object]]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    rows: list[list[object]] = json.loads(done.stdout)
    return rows


@pytest.mark.slow
def test_two_processes_make_the_same_bytes() -> None:
    for package in ("rdkit", "verovio", "matplotlib", "resvg_py"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    first, second = fresh("1"), fresh("2")
    assert first == second
    assert {row[0] for row in first} == {"molecule", "music", "geometry"}
