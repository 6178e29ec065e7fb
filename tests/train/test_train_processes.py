"""Two processes under torchrun: they see different samples, take the same steps, and end with the same weights."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from got_ocr.train.recipe import Recipe

SCRIPT = """
import json, os, sys
from pathlib import Path
from safetensors.torch import save_file
import torch
from got_ocr.train import loop
from got_ocr.train.recipe import Recipe, Stage

def leave(group):
    save_file(dict(kept[0].learner.state_dict()), out / f"rank{group.rank}.safetensors")
    plain(group)

if __name__ == "__main__":
    torch.set_num_threads(1)
    fields, base, out = json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    kept, plain, opened = [], loop.leave, loop._open
    loop.leave = leave
    loop._open = lambda *words: [kept.append(opened(*words)), kept[-1]][1]
    stages = tuple(Stage(**{**s, "learns": tuple(s["learns"])}) for s in fields.pop("stages"))
    loop.train(Recipe(**fields, stages=stages), out, base=base, resume="--resume" in sys.argv, note=lambda line: None)
"""


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="needs gloo")
def test_two_processes_end_with_equal_weights(recipe: Callable[..., Recipe], base: Path, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    out = tmp_path / "run"
    words = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *(str(tmp_path / "run.py"), json.dumps(recipe(save_every=100).to_json()), str(base), str(out)),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (load_file(out / f"rank{rank}.safetensors") for rank in (0, 1))
    assert all(torch.isfinite(value).all() for value in first.values())
    assert [name for name, value in first.items() if not torch.equal(value, second[name])] == []
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 8))  # one of them writes the log
    assert (out / "model" / "model.safetensors").is_file()
