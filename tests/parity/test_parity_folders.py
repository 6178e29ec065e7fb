"""Folders in the transformers layout: ours are read by transformers, theirs survive us, down to the last bit."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, safe_open
from torch import Tensor

from got_ocr.cli import convert
from got_ocr.model.weights import load_model, open_checkpoint, save_model
from got_ocr.tokenizer import Tokenizer


def tensors_of(folder: Path) -> dict[str, Tensor]:
    return {name: value for file in sorted(folder.glob("*.safetensors")) for name, value in load_file(file).items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert set(one) == set(other)
    assert [name for name in one if one[name].dtype != other[name].dtype or not one[name].equal(other[name])] == []


def run_convert(*words: str) -> int:
    parser = argparse.ArgumentParser()
    convert.add_parser(parser.add_subparsers())
    args = parser.parse_args(["convert", *words])
    return int(args.func(args))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_saved_by_transformers_loaded_and_saved_again_is_equal(oracle: Any, tmp_path: Path, dtype: torch.dtype) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    network = type(oracle.network)(oracle.network.config).to(dtype)
    network.load_state_dict(oracle.network.state_dict())
    network.save_pretrained(theirs)
    for like in (theirs, None):
        save_model(load_model(theirs), ours, "hf", like=like)
        assert_same(tensors_of(theirs), tensors_of(ours))
        with safe_open(ours / "model.safetensors", "pt") as file:
            assert file.metadata() == {"format": "pt"}
        assert open_checkpoint(ours).config == open_checkpoint(theirs).config
    save_model(load_model(theirs), ours, "hf", like=theirs)
    assert (ours / "config.json").read_bytes() == (theirs / "config.json").read_bytes()


@pytest.mark.parametrize("rename", ["newer", "bare", "oldest"])
def test_names_of_every_release_load_and_are_kept(oracle: Any, tmp_path: Path, rename: str) -> None:
    from safetensors.torch import save_file

    names = {
        "newer": {
            "language_model.model.": "model.language_model.",
            "vision_": "model.vision_",
            "multi_": "model.multi_",
        },
        "bare": {"language_model.model.": "language_model."},
        "oldest": {},
    }[rename]
    tensors = tensors_of(oracle.folder)
    for old, new in names.items():
        tensors = {new + k.removeprefix(old) if k.startswith(old) else k: v for k, v in tensors.items()}
    head = "lm_head.weight" if rename == "newer" else "language_model.lm_head.weight"
    tensors[head] = next(v for k, v in tensors.items() if "embed_tokens" in k).clone()
    (tmp_path / "config.json").write_bytes((oracle.folder / "config.json").read_bytes())
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    model = load_model(tmp_path)
    assert_same(dict(model.state_dict()), dict(oracle.ours.state_dict()))
    save_model(model, tmp_path / "again", "hf", like=tmp_path)
    assert_same(tensors, tensors_of(tmp_path / "again"))


def test_shards_load(oracle: Any, tmp_path: Path) -> None:
    oracle.network.save_pretrained(tmp_path, max_shard_size="100KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()
    assert_same(dict(load_model(tmp_path).state_dict()), dict(oracle.ours.state_dict()))


def test_converted_folder_is_read_by_transformers(
    oracle: Any, tmp_path: Path, vocabulary: Path, fast_tokenizer: Any, pictures: list[Any]
) -> None:
    import transformers

    native, hf, original = tmp_path / "native", tmp_path / "hf", tmp_path / "original"
    save_model(oracle.ours, native)
    (native / "vocab.tiktoken").write_bytes(vocabulary.read_bytes())
    assert run_convert(str(native), str(hf), "--layout", "hf") == 0
    assert run_convert(str(hf), str(original), "--layout", "original") == 0
    assert (original / "qwen.tiktoken").read_bytes() == vocabulary.read_bytes()

    network = transformers.AutoModelForImageTextToText.from_pretrained(hf)
    assert_same(dict(network.state_dict()), dict(oracle.network.state_dict()))
    assert network.generation_config.eos_token_id == Tokenizer.load(hf).end
    processor = transformers.AutoProcessor.from_pretrained(hf)
    expected = oracle.processor(pictures[0], return_tensors="pt", num_image_tokens=4, format=True)
    inputs = processor(pictures[0], return_tensors="pt", num_image_tokens=4, format=True)
    assert inputs["input_ids"].equal(expected["input_ids"])
    assert (inputs["pixel_values"] - expected["pixel_values"]).abs().max() < 1e-6
    text = "Größe 12345 数学公式 \\sqrt{x}\n\n\tI'll see"
    assert processor.tokenizer(text)["input_ids"] == fast_tokenizer(text)["input_ids"]


def test_config_without_text_fields_means_the_published_sizes(oracle: Any) -> None:
    import transformers

    from got_ocr.model.config import GotConfig
    from got_ocr.model.configs import read_config

    for raw in ({"model_type": "got_ocr2"}, transformers.GotOcr2Config().to_dict()):
        assert read_config("hf", json.loads(json.dumps(raw)), {}) == GotConfig()
