"""`got-ocr batch` as a user meets it: a tiny model, real processes, statuses, refusals, what is printed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from got_ocr.batch import Progress, supervisor
from got_ocr.cli import batch as command
from got_ocr.cli.main import main

LEAKS = re.compile(r"0x[0-9a-f]{6,}|Traceback|site-packages|Exception ignored")


@pytest.fixture
def source(pictures: list[Image.Image], tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, image in enumerate(pictures):
        image.save(folder / f"page{number}.png")
    frames = [image.convert("L") for image in pictures[:3]]
    frames[0].save(folder / "book.tif", save_all=True, append_images=frames[1:])
    return folder


def run(*words: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "got_ocr.cli.main", "batch", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not LEAKS.search(done.stdout + done.stderr)
    return done


def test_a_folder_is_read_resumed_and_extended(
    source: Path, whole_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = (source, "-o", out, "--model", whole_folder, "--device", "cpu", "--max-new-tokens", 5, "--ladder", "none")
    done = run(*words, "--workers", 2, "--batch-size", 2, "--to", "txt,json")
    statuses = {row["status"] for row in rows(out)}
    assert done.returncode == (0 if statuses <= {"ok", "empty"} else 3)
    assert len(rows(out)) == 7
    assert sum(path.suffix == ".txt" for path in out.iterdir()) == 5
    line = json.loads((out / "book.tif.jsonl").read_text("utf-8").splitlines()[2])
    assert (line["source"], line["page"], line["of"], line["model"]) == ("book.tif", 3, 3, "tiny-whole")
    assert done.stdout.startswith("pages: ")
    assert done.stdout.count("\n") == 1

    words = ("batch", *map(str, words))  # type: ignore[assignment]
    assert main(words) == 2  # an earlier run lies there
    (source / "torn.png").write_bytes((source / "page0.png").read_bytes()[:50])
    assert main([*words, "--resume", "--to", "txt,json"]) == 3
    assert len(rows(out)) == 8
    assert '"code": "image_truncated"' in capfd.readouterr().err


def rows(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "batch-summary.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--to", "doc"], 2),
        (["--to", ""], 2),
        (["--workers", "0"], 2),
        (["--batch-size", "0"], 2),
        (["--pages", "x"], 2),
        (["--dpi", "5"], 2),
        (["--ladder", "jump"], 2),
        (["--max-page-error-rate", "2"], 2),
        (["--page-timeout", "0"], 2),
        (["--page-timeout", "nan"], 2),
        (["--lease-seconds", "0"], 2),
        (["--max-new-tokens", "0"], 2),
        (["--max-tiles", "0"], 2),
        (["--model", "/nowhere/at/all"], 9),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_written(
    source: Path, tmp_path: Path, words: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), *words]) == status
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().err.count("\n") == 1


def test_sources_that_are_none(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch", str(tmp_path / "gone"), "-o", str(tmp_path / "out")]) == 4
    assert main(["batch", str(source), "-o", str(source / "out")]) == 2
    assert main(["batch", str(source), "-o", str(source)]) == 2
    assert "inside a source folder" in capsys.readouterr().err


def test_an_output_folder_that_is_a_file(source: Path, whole_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), "-m", str(whole_folder)]) == 5
    assert (tmp_path / "out").read_text() == "mine"


def test_pdf_without_its_package(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), "--to", "txt,pdf"]) == 6
    assert not (tmp_path / "out").exists()


def test_each_worker_gets_a_device_and_a_share_of_the_cores(
    whole_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from got_ocr.batch import Settings

    given: list[object] = []
    monkeypatch.setattr("got_ocr.backends.torch.pick_device", lambda name: name)
    monkeypatch.setattr("got_ocr.ocr.GotOcr.load", lambda where, device, dtype: given.append(device))
    monkeypatch.setattr(torch, "set_num_threads", lambda number: given.append(number))
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    for number in range(3):
        command._engine(Settings(), number, command.How(whole_folder, ("cuda:0", "cuda:1"), 3))
    command._engine(Settings(), 0, command.How(whole_folder, ("cpu",), 3))
    assert given == ["cuda:0", "cuda:1", "cuda:0", 2, "cpu"]


def test_progress_tells_rate_and_end() -> None:
    told = command._line(Progress(done=50, pages=200, exact=True, not_ok=3, rate=0.5, left=300.0))
    assert told.startswith("50 of 200 pages, 0.50 pages/s, 0:05:00 left (until ")
    assert told.endswith(", 3 not ok")
    assert command._line(Progress(0, 9, False, 0, 0.0, None)) == "0 of about 9 pages, 0.00 pages/min"


def test_ctrl_c_says_how_to_go_on(
    source: Path,
    whole_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*words: object, **rules: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(supervisor._Supervisor, "run", interrupted)
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), "-m", str(whole_folder)]) == 130
    assert "--resume" in capsys.readouterr().err


def test_lines_of_progress_come_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(command.time, "monotonic", lambda: clock.now)
    lines = command._Lines()
    for second in range(100):
        clock.now = float(second)
        lines(Progress(second, 100, True, 0, 1.0, 100.0 - second))
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.parametrize(
    "words", [("--box", "2,2,20,20"), ("--box", "2,2,20,20", "--box-mode", "prompt"), ("--color", "red")]
)
def test_boxes_and_frames_are_asked_for(
    source: Path, whole_folder: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    done = run(
        source, "-o", out, "--model", whole_folder, "--device", "cpu", "--max-new-tokens", 3, *words, "--batch-size", 2
    )
    assert done.returncode in (0, 3), done.stderr
    assert {row["status"] for row in rows(out)} <= {"ok", "empty", "loop", "truncated"}


@pytest.mark.parametrize("words", [("--box", "9,9,1,1"), ("--box", "here"), ("--box", "1,1,9,9", "--color", "red")])
def test_boxes_that_are_none_are_refused(
    source: Path, whole_folder: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert main(["batch", str(source), "-o", str(tmp_path / "out"), "--model", str(whole_folder), *words]) == 2
