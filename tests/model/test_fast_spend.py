"""Weights that are used up while the fast form is built: what is left, what it costs in memory, what the files allow."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fast_kit import DECODERS, LINES, gap, network, pixels
from torch import nn

from got_ocr.model.fast.pick import fast_model
from got_ocr.model.fast.spend import drained, shared
from got_ocr.model.tensors import read_header, read_tensors, write_tensors
from got_ocr.model.weights import load_model, save_model

PEAK = """
import re, sys, torch
from pathlib import Path
import got_ocr.backends.torch as backend

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

backend.open_backend(Path(sys.argv[3]), "cpu", sys.argv[2])  # what a first model loads besides itself does not count
before = peak()
made = backend.open_backend(Path(sys.argv[1]), "cpu", sys.argv[2])
assert "torch._dynamo" not in sys.modules  # a second of time, for nothing
print(peak() - before)
"""


def test_a_network_is_whole_after_its_fast_form_was_made() -> None:
    plain = network(LINES, DECODERS["tiny"], 1)
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    fast_model(plain, dtype=torch.bfloat16)
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())


def test_a_spent_network_has_given_its_layers_up() -> None:
    plain, tiles = network(LINES, DECODERS["tiny"], 1), pixels(2, 32, 64, 1)
    with torch.inference_mode():
        wanted = plain.encode(tiles)
        fast = fast_model(plain, spend=True)
        assert gap(fast.encode(tiles), wanted) <= 1e-4
    layers = [value for name, value in plain.named_parameters() if ".layers." in name]
    assert layers
    assert sum(value.numel() for value in layers) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_converting_on_the_way_gives_what_converting_first_gives(tmp_path: Path, dtype: torch.dtype) -> None:
    save_model(network(LINES, DECODERS["tiny"], 2, torch.bfloat16), tmp_path)
    tiles = pixels(2, 32, 256, 2, dtype)
    late = fast_model(load_model(tmp_path, stored=True), dtype=dtype, spend=True)
    early = fast_model(load_model(tmp_path, dtype=dtype))
    assert late.dtype is dtype
    with torch.inference_mode():
        assert torch.equal(late.encode(tiles), early.encode(tiles))
        ids, lengths = torch.tensor([[1, 2, 3, 4]]), torch.tensor([4])
        assert torch.equal(
            late.prefill(ids, lengths, None, late.new_cache(1, 8)),
            early.prefill(ids, lengths, None, early.new_cache(1, 8)),
        )


def test_modules_are_let_go_of_one_by_one() -> None:
    parts = [nn.Linear(3, 3) for _ in range(3)]
    left = []
    for _ in drained(parts, torch.bfloat16):
        left.append([part.weight.numel() for part in parts])
    assert left == [[9, 9, 9], [0, 9, 9], [0, 0, 9]]
    assert parts[2].weight.numel() == 0


def test_a_copy_shares_numbers_and_buffers() -> None:
    plain = network(LINES, DECODERS["tiny"], 3)
    plain.register_buffer("extra", torch.ones(2))
    copy = shared(plain)
    assert copy.connector.weight.data_ptr() == plain.connector.weight.data_ptr()
    assert copy.get_buffer("extra") is plain.get_buffer("extra")
    copy.connector.weight.data = torch.empty(0)
    assert plain.connector.weight.numel()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_loading_holds_the_weights_once(tmp_path: Path, dtype: str) -> None:
    """The peak of loading stays under one and a half times the weights, though they are packed and float32 is made of bfloat16."""
    from got_ocr.model.config import DecoderConfig, VisionConfig

    vision = VisionConfig((64, 64), (16, 16), 384, 12, 6, 1536, (3, 3), (2,), 32)
    model = network(vision, DecoderConfig(vocab=512, width=512, layers=16, heads=8, mlp=1408), 1, torch.bfloat16)
    save_model(model, tmp_path / "large")
    save_model(network(LINES, DECODERS["tiny"], 1, torch.bfloat16), tmp_path / "small")
    size = sum(value.numel() for value in model.parameters()) * (4 if dtype == "float32" else 2)
    assert size > 120e6
    command = [sys.executable, "-c", PEAK, str(tmp_path / "large"), dtype, str(tmp_path / "small")]
    peak = int(subprocess.run(command, check=True, capture_output=True, timeout=300).stdout)
    assert size <= peak <= 1.5 * size + 32e6


def test_tensors_are_mapped_each_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_tensors(file, {"one": torch.arange(5000.0), "two": torch.ones(3, 7).bfloat16(), "none": torch.zeros(0, 4)})
    read = dict(read_tensors(read_header(file)))
    assert torch.equal(read["one"], torch.arange(5000.0))
    assert torch.equal(read["two"], torch.ones(3, 7).bfloat16())
    assert read["none"].shape == (0, 4)
    read["one"].zero_()  # stays here
    assert torch.equal(dict(read_tensors(read_header(file)))["one"], torch.arange(5000.0))


def test_numbers_may_begin_anywhere(tmp_path: Path) -> None:
    data = torch.arange(9.0)
    header = json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}).encode()
    header += b" " * (1 - len(header) % 2)  # an odd length: no number begins at a multiple of its size
    file = tmp_path / "a.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + data.numpy().tobytes())
    assert (8 + len(header)) % 4
    assert torch.equal(dict(read_tensors(read_header(file)))["a"], data)
