"""The command line as a process: streams, signals, pipes and statuses that only a process has; with a tiny model."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "got_ocr.cli.main"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
LEAKS = re.compile(r"0x[0-9a-f]{6,}|Traceback|site-packages|Exception ignored")


@pytest.fixture
def file(page: Image.Image, tmp_path: Path) -> Path:
    page.save(tmp_path / "page.png")
    return tmp_path / "page.png"


def run(*words: object, **rules: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(  # type: ignore[call-overload]
        [*COMMAND, *map(str, words)],
        capture_output="stdout" not in rules,
        text=True,
        env=ENVIRONMENT,
        timeout=120,
        **rules,
    )
    assert not LEAKS.search((done.stdout or "") + (done.stderr or ""))
    return done


def test_pictures_are_read_with_text_and_notices_apart(file: Path, lines_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(file.read_bytes()[:-30])
    done = run("read", file, tmp_path / "cut.png", "--model", lines_folder, "--max-new-tokens", 3, "--device", "cpu")
    assert done.returncode == 3
    assert done.stdout.strip()
    *notices, failure = done.stderr.splitlines()
    assert {line.split(": ")[1] for line in notices} == {"page.png, page 1"}
    assert "--max-new-tokens" in notices[-1]
    assert failure.startswith("got-ocr: cut.png, page 1: ")
    assert failure.endswith("[image_truncated]")


def test_statuses_reach_the_shell() -> None:
    assert run("read").returncode == 2
    assert run("nonsense").returncode == 2
    assert run("--version").returncode == 0


@pytest.mark.parametrize("words", [("--help",), ("read", "--help")])
def test_help_into_nowhere_is_no_crash(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        assert run(*words, stdout=pipe, stderr=subprocess.PIPE).stderr == ""


def test_ctrl_c_ends_with_130_and_no_trace() -> None:
    with subprocess.Popen(
        [*COMMAND, "read", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        _until_it_waits(process.pid)
        process.send_signal(signal.SIGINT)
        # Standard input stays open: it is the signal that ends the wait.
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def _until_it_waits(pid: int) -> None:
    """Wait until a process has loaded what it needs and sleeps in a read."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        time.sleep(5)
        return
    used, since = -1, time.monotonic()
    while time.monotonic() - since < 1:
        fields = stat.read_text().rsplit(") ", 1)[1].split()
        if int(fields[11]) + int(fields[12]) != used or fields[0] != "S":
            used, since = int(fields[11]) + int(fields[12]), time.monotonic()
        time.sleep(0.05)


def test_help_loads_no_torch() -> None:
    code = "import sys; from got_ocr.cli.main import main\ntry: main(['read', '--help'])\nexcept SystemExit: pass\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "print([m for m in ('torch', 'PIL', 'numpy') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--max-new-tokens" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
