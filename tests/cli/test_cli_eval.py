"""The eval command with a stand-in for the model: scores, resuming, chunks, peers, refusals."""

import argparse
import json
import subprocess
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from got_ocr import hub
from got_ocr.cli import eval as command
from got_ocr.errors import ImageCorrupt, ModelNotFound, UsageError

TRUTHS = ("the first page", "a second page", "and a third one", "the last page")


class FakeModel:
    """Stand in for GotOcr: read the true text, wrong in the last letter, and count."""

    loads = 0
    asked: list[dict]
    broken: frozenset[int] = frozenset()

    @classmethod
    def load(cls, where: Path, device: str, dtype: str) -> "FakeModel":
        cls.loads += 1
        return cls()

    def read(self, source: Path, **options: object) -> types.SimpleNamespace:
        number = int(Path(source).stem)
        type(self).asked.append(options)
        if number in self.broken:
            raise ImageCorrupt("broken")
        return types.SimpleNamespace(text=TRUTHS[number][:-1] + "#", status="ok")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeModel]:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    fake = type("Fake", (FakeModel,), {"asked": [], "loads": 0})
    monkeypatch.setitem(sys.modules, "got_ocr.ocr", types.SimpleNamespace(GotOcr=fake))
    monkeypatch.setattr(hub, "resolve", lambda where: hub.Found(folder, "weights", "folder"))
    return fake


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    folder.mkdir()
    rows = []
    for i, truth in enumerate(TRUTHS):
        Image.new("RGB", (40, 20), "white").save(folder / f"{i}.png")
        turns = [{"from": "human", "value": "OCR: "}, {"from": "gpt", "value": truth}]
        rows.append({"image": f"{i}.png", "conversations": turns, "kind": "page" if i < 3 else "slice"})
    file = folder / "pages.json"
    file.write_text(json.dumps(rows))
    return file


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["eval", *map(str, words)])
    status: int = args.func(args)
    return status


def figures(out: Path) -> dict[tuple[str, str], dict]:
    return {(s["kind"], s["reader"]): s for s in json.loads((out / "report.json").read_text())["scores"]}


def test_a_benchmark_is_read_scored_and_reported(
    bench: Path, model: type[FakeModel], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(bench, "--out", tmp_path / "out", "--max-new-tokens", 64) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out/report.md").read_text()
    assert "paper:" in printed
    assert "corrected:" in printed
    found = figures(tmp_path / "out")
    assert set(found) == {("page", "weights"), ("slice", "weights"), ("all", "weights")}
    length = sum(map(len, TRUTHS))
    assert found["all", "weights"]["figures"]["cer"]["value"] == pytest.approx(4 / length)
    assert model.loads == 1
    assert model.asked[0]["mode"] == "plain"
    assert model.asked[0]["max_new_tokens"] == 64


def test_a_second_run_loads_no_model_and_other_weights_read_again(
    bench: Path, model: type[FakeModel], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(bench, "--out", out)
    first = capsys.readouterr().out
    run(bench, "--out", out)
    assert capsys.readouterr().out == first
    assert model.loads == 1
    run(bench, "--out", out, "--max-new-tokens", 9)
    (tmp_path / "weights" / "model.safetensors").write_bytes(b"two")
    run(bench, "--out", out)
    assert model.loads == 3
    assert len(model.asked) == 12


def test_chunks_are_joined_by_joining_their_files(
    bench: Path, model: type[FakeModel], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in (1, 2, 3):
        run(bench, "--chunk", f"{part}/3", "--predictions", tmp_path / f"{part}.jsonl")
    assert len(model.asked) == 4
    joined = tmp_path / "joined.jsonl"
    joined.write_text("".join((tmp_path / f"{part}.jsonl").read_text() for part in (3, 1, 2)))
    run(bench, "--no-model", "--predictions", joined, "--out", tmp_path / "parts")
    run(bench, "--out", tmp_path / "whole")
    parts, whole = figures(tmp_path / "parts"), figures(tmp_path / "whole")
    assert parts["all", "weights"]["figures"] == whole["all", "weights"]["figures"]


def test_pages_of_one_document_are_read_as_one_and_others_one_by_one(
    bench: Path, model: type[FakeModel], tmp_path: Path
) -> None:
    rows = [
        {"image": ["0.png", "1.png"], "conversations": [{"value": prompt}, {"value": "x"}]}
        for prompt in ("OCR with format across multi pages: ", "OCR: ")
    ]
    bench.write_text(json.dumps(rows))
    asked = []

    def read(self: FakeModel, source: object, **options: object) -> object:
        asked.append(([p.name for p in source] if isinstance(source, list) else source.name, options["multi_page"]))  # type: ignore[attr-defined]
        reading = types.SimpleNamespace(text="x", status="truncated" if len(asked) == 2 else "ok")
        return [reading, reading] if len(asked) == 3 else reading  # a file of several pages gives a list

    model.read = read  # type: ignore[method-assign, assignment]
    run(bench, "--out", tmp_path / "out")
    assert asked == [(["0.png", "1.png"], True), ("0.png", False), ("1.png", False)]
    first, second = map(json.loads, (tmp_path / "out/predictions.jsonl").read_text().splitlines())
    assert (first["text"], first["status"]) == ("x", "ok")
    assert (second["text"], second["status"]) == ("x\nx\nx", "truncated")


def test_failed_pictures_count_and_show_in_the_exit_status(bench: Path, model: type[FakeModel], tmp_path: Path) -> None:
    model.broken = frozenset({0})
    assert run(bench, "--out", tmp_path / "out") == 3
    found = figures(tmp_path / "out")["page", "weights"]
    assert (found["n"], found["failed"], found["paper_skipped"]) == (3, 1, 1)
    model.broken = frozenset()
    assert run(bench, "--out", tmp_path / "out") == 3
    assert run(bench, "--out", tmp_path / "out", "--retry-failed") == 0


def test_a_missing_model_stops_the_command(bench: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(where: object) -> hub.Found:
        raise ModelNotFound("no model")

    monkeypatch.setattr(hub, "resolve", missing)
    with pytest.raises(ModelNotFound):
        run(bench, "--out", tmp_path / "out")


def test_peers_stand_beside_the_model(
    bench: Path,
    model: type[FakeModel],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho 'the first page'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert run(bench, "--peer", "tesseract", "--limit", 1, "--out", tmp_path / "out") == 0
    assert "## Readers side by side" in capsys.readouterr().out
    found = figures(tmp_path / "out")
    assert found["page", "tesseract"]["figures"]["cer"]["value"] == 0.0
    assert found["page", "weights"]["figures"]["cer"]["value"] > 0


def test_answers_of_another_program_are_scored_without_a_model(bench: Path, tmp_path: Path) -> None:
    rows = [{"image": f"{i}.png", "label": truth, "answer": truth} for i, truth in enumerate(TRUTHS)]
    (tmp_path / "results_final.json").write_text(json.dumps(rows))
    assert run(bench, "--no-model", "--answers", tmp_path / "results_final.json", "--out", tmp_path / "out") == 0
    assert figures(tmp_path / "out")["all", "results_final"]["figures"]["cer"]["value"] == 0.0


def test_synthesised_pictures_are_read(model: type[FakeModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from got_ocr.data import build
    from got_ocr.data.sample import Sample

    def sample(recipe: object, seed: int, index: int) -> Sample:
        return Sample((Image.new("RGB", (30 + seed, 20)),), f"text {index}", "text")

    monkeypatch.setattr(build, "recipe", lambda name: types.SimpleNamespace(name=name))
    monkeypatch.setattr(build, "build", sample)
    model.read = lambda self, source, **options: types.SimpleNamespace(  # type: ignore[method-assign, assignment]
        text=f"{source.width}", status="loop"
    )
    assert run("--recipe", "lines", "--count", 3, "--seed", 5, "--out", tmp_path / "out") == 0
    found = figures(tmp_path / "out")["text", "weights"]
    assert (found["n"], found["loops"]) == (3, 1.0)
    lines = (tmp_path / "out/predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"lines/5/{i:06d}" for i in range(3)]
    assert json.loads(lines[0])["text"] == "35"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["BENCH", "--recipe", "lines"],
        ["BENCH", "--no-model"],
        ["BENCH", "--chunk", "0/2"],
        ["BENCH", "--chunk", "3/2"],
        ["BENCH", "--chunk", "1"],
        ["BENCH", "--limit", "0"],
        ["--recipe", "lines", "--count", "0"],
        ["--recipe", "lines", "--images", "."],
        ["BENCH", "--chunk", "5/5", "--no-model", "--predictions", "none.jsonl"],
    ],
)
def test_requests_that_make_no_sense_are_refused(
    words: Sequence[str], bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        run(*(str(bench) if word == "BENCH" else word for word in words))


def test_importing_the_command_and_the_room_loads_no_heavy_package() -> None:
    names = [
        "benches",
        "charts",
        "intervals",
        "metrics",
        "molecule",
        "normalize",
        "peers",
        "predict",
        "report",
        "score",
    ]
    modules = [*(f"got_ocr.eval.{name}" for name in [*names, "scorers", "scrm", "tables", "teds", "tokens"])]
    code = (
        f"import sys, {', '.join(modules)}, got_ocr.cli.eval\n"
        "heavy = {'torch', 'nltk', 'jieba', 'apted', 'rdkit', 'rapidfuzz', 'got_ocr.train', 'got_ocr.ocr'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
