"""The peers that have a decoder alone: what they are given, and what they say where their library is not installed."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from got_ocr.bench.random_model import SIZES, write_random
from got_ocr.errors import InvalidValue
from got_ocr.model.weights import load_model

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a tiny checkpoint as peers get it."""
    path: Path = tmp_path_factory.mktemp("tiny")
    write_random(path, "tiny", torch.bfloat16, layout="hf")
    return path


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_prompts_are_embedded_as_the_network_does(folder: Path) -> None:
    source = importlib.import_module("decoder_only").Source(folder)
    token = SIZES["tiny"].image_token
    features = np.full((2, 32), 7, np.float32)
    found = source.embed([3, token, token, 5], [features])
    table = load_model(folder).decoder.embed.weight.detach().float().numpy()
    assert np.array_equal(found, np.stack([table[3], features[0], features[1], table[5]]))


def test_every_tensor_has_a_name_of_its_own_in_gguf(folder: Path) -> None:
    source = importlib.import_module("decoder_only").Source(folder)
    names = importlib.import_module("llama_peer").NAMES
    told = {names.theirs(name) for name in source.tensors()}
    assert len(told) == len(source.tensors())
    assert {name for name in told if "decoder" in name or "proj" in name} == set()
    assert "blk.1.attn_output.weight" in told


@pytest.mark.parametrize(("peer", "library"), [("llama_peer", "llama_cpp"), ("openvino_peer", "openvino")])
def test_a_peer_says_how_its_library_is_installed(
    folder: Path, peer: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InvalidValue, match="pip install"):
        importlib.import_module(peer).Peer(folder, "bfloat16")


def test_a_peer_asks_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks/llama_peer.py"])
    with pytest.raises(InvalidValue, match="FOLDER"):
        importlib.import_module("decoder_only").keep()
