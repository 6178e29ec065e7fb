"""The published sizes, in full: opened without double memory, through every layout and back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from got_ocr.model.config import GotConfig
from got_ocr.model.got import GotModel
from got_ocr.model.weights import save_model

LOAD = """
import json, re, sys, time
from pathlib import Path
import torch
from got_ocr.model.weights import load_model
torch.set_num_threads(1)
def peak():
    # Not ru_maxrss: a child inherits its parent's.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1)) / 1024
before = peak()
start = time.perf_counter()
model = load_model(Path(sys.argv[1]))
seconds = time.perf_counter() - start
print(json.dumps([seconds, peak() - before, str(model.dtype)]))
"""


@pytest.fixture(scope="module")
def full() -> GotModel:
    with torch.device("meta"):
        model = GotModel(GotConfig())
    model = model.to(torch.bfloat16).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(1)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.02, generator=generator)
    return model


@pytest.mark.slow
def test_full_size_original_folder(full: GotModel, tmp_path: Path) -> None:
    if not Path("/proc/self/status").is_file():
        pytest.skip("needs /proc to measure memory")
    save_model(full, tmp_path, "original")
    size = (tmp_path / "model.safetensors").stat().st_size
    assert abs(size / 2**20 - (560_528_640 + 151_860 * 1024) * 2 / 2**20) < 1
    done = subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True, check=True)
    seconds, megabytes, dtype = json.loads(done.stdout)
    print(f"opened in {seconds:.1f} s, {megabytes:.0f} MiB more at the peak")
    assert dtype == "torch.bfloat16"
    # Mapped pages count while they are checked; a second copy of the weights would be 1069 MiB more.
    assert megabytes < size / 2**20 + 150
    assert seconds < 60
