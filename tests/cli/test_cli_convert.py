"""`got-ocr convert` between layouts."""

import argparse
import base64
import json
from pathlib import Path

import pytest
import torch

from got_ocr.cli import convert
from got_ocr.errors import InvalidValue, ModelError, UsageError
from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.got import GotModel
from got_ocr.model.weights import load_model, save_model
from got_ocr.ocr import GotOcr
from got_ocr.tokenizer import SPECIALS, Tokenizer

VOCAB = 256 + 1 + len(SPECIALS)


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    convert.add_parser(parser.add_subparsers())
    args = parser.parse_args(["convert", *map(str, words)])
    return int(args.func(args))


@pytest.fixture
def native(tmp_path: Path) -> Path:
    vision = VisionConfig((64, 64), (16, 16), 8, 1, 1, 8, (3, 3), (), 4)
    decoder = DecoderConfig(vocab=VOCAB, width=8, layers=1, heads=1, mlp=8, context=64)
    model = GotModel(GotConfig(vision, decoder, image_token=VOCAB - 1))
    torch.manual_seed(1)
    for value in model.parameters():
        torch.nn.init.normal_(value)
    folder = tmp_path / "native"
    save_model(model, folder)
    pieces = [*(bytes([byte]) for byte in range(256)), b"ab"]
    rows = [f"{base64.b64encode(piece).decode()} {rank}\n" for rank, piece in enumerate(pieces)]
    (folder / "vocab.tiktoken").write_text("".join(rows))
    return folder


def test_there_and_back(native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hf, original, back = tmp_path / "hf", tmp_path / "original", tmp_path / "back"
    assert run(native, hf, "--layout", "hf") == 0
    assert run(hf, original, "--layout", "original") == 0
    assert run(original, back, "--layout", "native") == 0
    assert (back / "model.safetensors").read_bytes() == (native / "model.safetensors").read_bytes()
    assert (back / "vocab.tiktoken").read_bytes() == (native / "vocab.tiktoken").read_bytes()
    tokenizer = Tokenizer.load(hf)
    assert tokenizer.encode("abba") == Tokenizer.load(native).encode("abba")
    assert json.loads((hf / "generation_config.json").read_text())["eos_token_id"] == tokenizer.end
    assert json.loads((hf / "preprocessor_config.json").read_text())["size"] == {"height": 64, "width": 64}
    assert f"  {hf / 'tokenizer.json'}\n" in capsys.readouterr().out


def test_same_layout_keeps_what_lies_beside_but_no_code(native: Path, tmp_path: Path) -> None:
    hf, again = tmp_path / "hf", tmp_path / "again"
    run(native, hf, "--layout", "hf")
    (hf / "tokenizer_config.json").write_text('{"own": 1}')
    (hf / "modeling.py").write_text("")
    (hf / "pytorch_model.bin").write_bytes(b"")
    run(hf, again, "--layout", "hf", "--dtype", "bfloat16")
    assert (again / "tokenizer_config.json").read_text() == '{"own": 1}'
    assert load_model(again).dtype == torch.bfloat16
    assert json.loads((again / "config.json").read_text())["dtype"] == "bfloat16"
    assert sorted(path.suffix for path in again.iterdir() if path.suffix != ".json") == [".safetensors"]


@pytest.mark.parametrize("scheme", ["int8", "int4"])
def test_quantised_weights_are_written_and_read(native: Path, tmp_path: Path, scheme: str) -> None:
    hf, target = tmp_path / "hf", tmp_path / scheme
    run(native, hf, "--layout", "hf")
    run(hf, target, "--dtype", scheme)
    config = json.loads((target / "config.json").read_text())
    assert (config["model_type"], config["decoder"]["quantization"]) == ("got-ocr", scheme)
    model = GotOcr.load(target, device="cpu").backend.model  # type: ignore[attr-defined]
    assert (model.config.decoder.quantization, model.dtype) == (scheme, torch.bfloat16)
    # Quantised when loaded, the same weights give the same scores.
    fresh = GotOcr.load(native, device="cpu", dtype=scheme).backend.model  # type: ignore[attr-defined]
    scores = [m.prefill(torch.tensor([[5, 6]]), torch.tensor([2]), None, m.new_cache(1, 2)) for m in (model, fresh)]
    assert torch.equal(*scores)
    with pytest.raises(ModelError, match="quantization"):
        run(target, tmp_path / "other", "--layout", "hf")
    with pytest.raises(UsageError, match="layout"):
        run(native, tmp_path / "other")


def test_refusals(native: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="source"):
        run(native, native, "--layout", "native", "--force")
    target = tmp_path / "hf"
    run(native, target, "--layout", "hf")
    with pytest.raises(InvalidValue, match="--force"):
        run(native, target, "--layout", "original")
    assert run(native, target, "--layout", "hf", "--force") == 0
    (native / "vocab.tiktoken").unlink()
    with pytest.raises(ModelError, match="vocabulary"):
        run(native, tmp_path / "other", "--layout", "original")


def test_a_foreign_vocabulary_is_refused(native: Path, tmp_path: Path) -> None:
    with (native / "vocab.tiktoken").open("a") as file:
        file.write(f"{base64.b64encode(b'ba').decode()} 257\n")
    with pytest.raises(ModelError, match="image token"):
        run(native, tmp_path / "hf", "--layout", "hf")
