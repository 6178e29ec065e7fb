"""The commands around training: vocab, train, info."""

import json
import re
from pathlib import Path

import pytest
import torch

from got_ocr.cli.main import main
from got_ocr.hub import VARIABLE
from got_ocr.tokenizer import Tokenizer

RECIPE = """
vocabulary = "."
workers = 0
log_every = 1
seed = 2
dtype = "float32"
[model]
image_token = IMAGE
tiling = "lines"
tiles_per_prompt = 1
reads = ["plain"]
[model.vision]
image = [32, 512]
patch = [32, 8]
width = 16
layers = 1
heads = 2
mlp = 16
window = [1, 16]
global_layers = [0]
neck = 8
strides = [[1, 1], [1, 2]]
[model.decoder]
vocab = VOCAB
width = 16
layers = 1
heads = 2
mlp = 16
context = 512
[[stages]]
name = "only"
data = "lines-short"
steps = 2
batch = 2
pool = 1
warmup = 1
"""


@pytest.fixture
def recipe(tmp_path: Path, small: Tokenizer) -> Path:
    small.save_tiktoken(tmp_path / "vocab.tiktoken")
    path = tmp_path / "run.toml"
    path.write_text(RECIPE.replace("IMAGE", str(small.image)).replace("VOCAB", str(len(small))))
    return path


def test_a_run_and_its_end(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(recipe), "--out", str(tmp_path / "run"), "--device", "cpu", "--threads", "1"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'run' / 'model'}\n"
    assert [line.split("  ")[0] for line in err.splitlines()] == ["only 1/2", "only 2/2"]
    assert re.search(r"loss \d+\.\d+  ctc 0\.000  lr .* samples/s  waits \d+ %  ends in 0 min", err)
    assert main(words) == 2  # not twice into the same folder
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert torch.get_num_threads() == 1


def test_a_run_is_left_when_its_time_is_up(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(recipe), "--out", str(tmp_path / "run"), "--device", "cpu", "--threads", "1"]
    assert main([*words, "--minutes", "1e-9"]) == 11
    assert "time is up: saved after step 1 of 2; go on with --resume" in capsys.readouterr().err
    assert main([*words, "--resume", "--minutes", "50"]) == 0
    assert "going on after step 1" in capsys.readouterr().err
    assert main([*words, "--resume", "--minutes", "0"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "status"), [("steps", "stepz", 2), ("tiling", "tilting", 9), ("lines-short", "absent", 2)]
)
def test_what_is_wrong_is_told_in_a_line(
    recipe: Path, tmp_path: Path, old: str, new: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(recipe.read_text().replace(old, new))
    assert main(["train", str(recipe), "--out", str(tmp_path / "run")]) == status
    err = capsys.readouterr().err
    assert new in err
    assert err.count("\n") == 1
    assert main(["train", str(tmp_path / "absent.toml"), "--out", str(tmp_path / "run")]) == 2


def test_a_vocabulary_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["vocab", "lines-short", "--count", "20", "--size", "300", "--out"]
    assert main([*words, str(tmp_path / "new" / "folder")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'new' / 'folder' / 'vocab.tiktoken'}\n"
    assert len(Tokenizer.load(tmp_path / "new" / "folder").ranks) == 300
    assert main([*words, str(tmp_path / "again")]) == 0
    first, second = ((tmp_path / name / "vocab.tiktoken").read_bytes() for name in ("new/folder", "again"))
    assert first == second


def test_a_vocabulary_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["vocab", "lines-short", "--count", "2", "--out", str(tmp_path / "file")]) == 5
    assert main(["vocab", "lines-short", "--count", "0", "--out", str(tmp_path)]) == 2
    assert main(["vocab", "lines-short", "--count", "2", "--size", "9", "--out", str(tmp_path)]) == 2
    assert main(["vocab", "absent", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 4


def test_info(whole_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(VARIABLE, str(whole_folder))
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["models"][0] == {"name": whole_folder.name, "origin": "environment", "path": str(whole_folder)}
    assert facts["devices"][0] == "cpu"
    assert facts["torch"] == torch.__version__
    assert main(["info"]) == 0
    assert f"model    {whole_folder.name} (environment) {whole_folder}" in capsys.readouterr().out
