"""The GPU's benchmark, dry: every job runs on the CPU, a job that fails costs no other its figures, the report says what was reached."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    import gpu as script

    return script


def test_every_job_runs_dry(gpu: Any, tmp_path: Path) -> None:
    names = [name for name in gpu.JOBS if name != "peer"]  # which takes long to import
    found = gpu.run_all(names, 480, tmp_path / "dry", True)
    assert {name: values["failed"] for name, values in found.items() if "failed" in values} == {}
    written = json.loads((tmp_path / "dry.json").read_text())
    assert written.keys() == found.keys()
    assert found["ids"]["recorded ids equal those of single operations"] is True
    assert found["ids"]["ids equal to the plain network's, float32"] == 1.0
    measured = gpu.figures(found)
    missing = [name for name in gpu.GOALS if "transformers" not in name and not isinstance(measured.get(name), float)]
    assert missing == []
    table = (tmp_path / "dry.md").read_text()
    assert "figures mean nothing" in table
    assert all(name in table for name in gpu.GOALS)


def test_a_failing_job_costs_no_other_its_figures(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setitem(gpu.JOBS, "encoder", SimpleNamespace(run=broken, seconds=5))
    found = gpu.run_all(["encoder", "machine"], 480, None, True)
    assert "illegal memory" in found["encoder"]["failed"]
    assert "failed" not in found["machine"]
    assert "| encoder batch 16, ms a tile <= 2.5 |  | not measured |" in gpu.table(found, True)


def test_what_a_killed_job_had_said_is_kept(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("job", 7, output=b'{"a": 1}\nrubbish\n{"b": 2.5}\n')

    monkeypatch.setattr(gpu.subprocess, "run", killed)
    assert gpu.apart("decode", 7) == {"failed": "took longer than 7 s", "a": 1, "b": 2.5}


def test_goals_and_peers(gpu: Any) -> None:
    found = {
        "encoder": {"encoder batch 16, ms a tile": 2.0},
        "decode": {"decode batch 1, tok/s": 1000.0},
        "peer": {"transformers encoder batch 16, ms a tile": 24.0, "transformers decode batch 1, tok/s": 100.0},
    }
    gpu.against_peer(found)
    table = gpu.table(found, False)
    assert "| encoder batch 16, ms a tile <= 2.5 | 2.0 | yes |" in table
    assert "| encoder batch 16, times transformers >= 10 | 12.0 | yes |" in table
    assert "| decode batch 1, times transformers >= 20 | 10.0 | no |" in table


@pytest.mark.slow
def test_the_script_runs_from_a_shell(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(FOLDER / "gpu.py"),
        "--dry-run",
        "--jobs",
        "machine,peer",
        "--out",
        str(tmp_path / "x"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert "transformers encoder" in done.stdout
