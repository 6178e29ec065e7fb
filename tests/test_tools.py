"""The tools beside the package: curves, failures, the card's tables, sealing."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

REPO = Path(__file__).parents[1]


def tool(name: str) -> ModuleType:
    """Load a file of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", REPO / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def score(reader: str, cer: float, loops: float = 0.0) -> dict[str, object]:
    figures = {
        "cer": {"value": cer, "n": 8, "interval": [cer / 2, cer * 2]},
        "f1": {"value": 0.9, "n": 8, "interval": None},
    }
    return {"kind": "page", "reader": reader, "n": 8, "failed": 0, "loops": loops, "seconds": 1.0, "figures": figures}


def write(folder: Path, recipe: str, *scores: dict[str, object]) -> None:
    (folder / f"{recipe}.json").write_text(json.dumps({"format": 1, "scores": scores}))


def run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *args: object) -> int:
    monkeypatch.setattr(sys, "argv", ["tool", *map(str, args)])
    return int(module.main())


def test_the_card_says_what_the_reports_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tool("card")
    write(tmp_path, "heldout-pages-clean", score("bundled", 0.02), score("tesseract", 0.01))
    write(tmp_path, "heldout-pages-worn", score("bundled", 0.041, 0.02))
    file = tmp_path / "CARD.md"
    file.write_text(
        "before\n<!-- targets -->\nold\n<!-- /targets -->\nkept\n<!-- comparison -->\n<!-- /comparison -->\nafter\n"
    )
    arguments = ("--card", file, "--results", tmp_path)
    assert run(card, monkeypatch, *arguments, "--check") == 1
    assert run(card, monkeypatch, *arguments) == 0
    assert run(card, monkeypatch, *arguments, "--check") == 0
    text = file.read_text()
    assert "old" not in text
    assert text.startswith("before\n")
    assert "\nkept\n" in text
    rows = {row.split(" (`")[0]: row for row in text.splitlines() if row.startswith("| ") and "(`" in row}
    assert rows["| printed pages, clean"].endswith("| cer | <= 0.030 | 0.020 | 0.010 - 0.040 | 8 | met |")
    assert rows["| printed pages, scanned-looking"].endswith("| 0.041 | 0.021 - 0.082 | 8 | **not met** |")
    assert rows["| pages that ran in circles"].endswith("| 0.020 |  | 8 | **not met** |")
    assert "not measured" in rows["| music"]
    assert "| `heldout-pages-clean` | Tesseract 5 (--psm 3) | 0.010 | 0.005 - 0.020 | 0.900 | 8 | 0 |" in text
    assert "`heldout-pages-worn` | this model" not in text  # nobody else read it
    file.write_text("no marks\n")
    with pytest.raises(SystemExit, match="targets"):
        run(card, monkeypatch, *arguments)


def test_the_card_that_ships_is_up_to_date_with_the_reports_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tool("card"), monkeypatch, "--check") == 0


def test_targets_name_recipes_and_figures_that_exist() -> None:
    import tomllib

    from got_ocr.data.build import recipes

    measure = tool("measure")
    rows = tomllib.loads(measure.TARGETS.read_text("utf-8"))["target"]
    assert {row["recipe"] for row in rows} <= set(recipes())
    assert not [row for row in rows if "most" in row and "least" in row]
    assert set(measure.lists(measure.TARGETS)) == {row["recipe"] for row in rows}
    assert measure.peers(measure.TARGETS, "heldout-scenes") == ["--peer", "tesseract:eng:7", "--peer", "rapidocr"]
    assert measure.peers(measure.TARGETS, "heldout-music") == []


def log(folder: Path, name: str, first: int, stage: str) -> Path:
    rows = [{"step": first + i, "stage": stage, "loss": 7.0 / (1 + i), "ctc": 20.0 / (1 + i)} for i in range(600)]
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_curves_are_small_and_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    curves = tool("curves")
    logs = [log(tmp_path, "one.jsonl", 1, "short"), log(tmp_path, "two.jsonl", 1, "lines")]
    curve = curves.read(logs)
    assert curve.stages == [(1, "short"), (601, "lines")]
    assert curve.steps[-1] == 1200
    write(tmp_path, "report", score("bundled", 0.04))
    outs = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for out in outs:
        assert run(curves, monkeypatch, *logs, "--cer", f"1200={tmp_path}/report.json", "-o", out) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert outs[0].stat().st_size < 60_000
    assert "short" in outs[0].read_text()


def test_the_worst_lines_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from got_ocr.data import fonts
    from got_ocr.data.build import build, recipe

    if not fonts.available("heldout"):
        pytest.skip("needs a font of the pool heldout")
    failures = tool("failures")
    made, rows = recipe("heldout-printed"), []
    for number in range(5):
        lines = build(made, 3, number).target.split("\n")
        text = "\n".join([*lines[:-1], lines[-1][: len(lines[-1]) // 2]]) if number % 2 else "\n".join(lines)
        rows.append({"reader": "bundled", "id": f"heldout-printed/3/{number:06d}", "text": text})
        rows.append({"reader": "other", "id": f"heldout-printed/3/{number:06d}", "text": ""})
    file = tmp_path / "predictions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = failures.worst(build(made, 3, 1), failures.answers(file, "bundled")[3, 1])
    truth = build(made, 3, 1).target.split("\n")[-1]
    assert (found.truth, found.reading) == (truth, truth[: len(truth) // 2])
    out = tmp_path / "f.png"
    assert run(failures, monkeypatch, "heldout-printed", file, "-o", out) == 0
    assert out.stat().st_size < 200_000
    again = out.read_bytes()
    assert run(failures, monkeypatch, "heldout-printed", file, "-o", out) == 0
    assert out.read_bytes() == again
    with Image.open(out) as sheet:
        assert sheet.width == failures.WIDTH


def test_the_whole_picture_stands_for_a_sample_without_lines() -> None:
    failures = tool("failures")
    from got_ocr.data.sample import Sample

    sample = Sample((Image.new("RGB", (40, 30), "white"),), "x^2", "formula")
    found = failures.worst(sample, "x")
    assert (found.truth, found.reading) == ("x^2", "x")
    assert failures.sheet([found]).size[0] == failures.WIDTH


def test_the_folder_is_sealed_again_after_an_edit_of_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tool("bundle")
    monkeypatch.setattr(bundle, "BUNDLED", tmp_path / "bundled")
    for folder in ("lines", "staves"):
        (tmp_path / folder).mkdir()
        for name in bundle.FILES:
            (tmp_path / folder / name).write_text(f"{folder} {name}")
    sums = tmp_path / "bundled" / "checksums.json"
    assert run(bundle, monkeypatch, tmp_path / "lines", "--part", f"music={tmp_path / 'staves'}") == 0
    first = json.loads(sums.read_text())
    assert set(first) == {*bundle.FILES, *(f"music/{name}" for name in bundle.FILES)}
    (tmp_path / "bundled" / "CARD.md").write_text("two")
    assert run(bundle, monkeypatch) == 0
    second = json.loads(sums.read_text())
    assert {name for name in second if first.get(name) != second[name]} == {"CARD.md"}
    assert run(bundle, monkeypatch, tmp_path) == 2  # which holds no model
    assert json.loads(sums.read_text()) == second
