"""Other programs as readers, with stand-ins for the programs."""

import sys
import types
from pathlib import Path

import pytest
from PIL import Image

from got_ocr.errors import ChildCrashed, InvalidValue, MissingDependency
from got_ocr.eval import peers
from got_ocr.task import Task


def program(folder: Path, body: str) -> None:
    path = folder / "tesseract"
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom PIL import Image\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_tesseract_gets_the_picture_and_its_options(folder: Path) -> None:
    program(folder, "print(*sys.argv[2:], Image.open(sys.argv[1]).size, Image.open(sys.argv[1]).mode)")
    read = peers.peer("tesseract:eng+chi_sim")
    text, status, seconds = read((Image.new("L", (30, 20)),), Task())
    assert text == "stdout --psm 6 -l eng+chi_sim (30, 20) RGB"
    assert status == "ok"
    assert seconds > 0


def test_boxes_are_cut_out_and_pages_joined(folder: Path) -> None:
    program(folder, "print(Image.open(sys.argv[1]).size)")
    read = peers.peer("tesseract")
    assert read((Image.new("RGB", (30, 20)),), Task(box=(1, 2, 11, 12))).text == "(10, 10)"  # type: ignore[attr-defined]
    pages = (Image.new("RGB", (30, 20)), Image.new("RGB", (40, 20)))
    assert read(pages, Task(multi_page=True)).text == "(30, 20)\n(40, 20)"  # type: ignore[attr-defined]


@pytest.mark.parametrize("task", [Task(color="red"), Task(box=(3, 4))])
def test_what_a_peer_cannot_be_asked_is_said_and_not_scored(folder: Path, task: Task) -> None:
    program(folder, "raise SystemExit(1)")
    assert peers.peer("tesseract")((Image.new("RGB", (30, 20)),), task) == ("", "unsupported", 0.0)


def test_a_failing_program_is_an_error_in_our_words(folder: Path) -> None:
    program(folder, "sys.stderr.write('secret'); raise SystemExit(3)")
    with pytest.raises(ChildCrashed, match="status 3") as error:
        peers.peer("tesseract")((Image.new("RGB", (30, 20)),), Task())
    assert "secret" not in str(error.value)


def test_missing_programs_and_unknown_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingDependency, match="tesseract"):
        peers.peer("tesseract")
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    peers._rapidocr.cache_clear()
    with pytest.raises(MissingDependency, match="pip install rapidocr"):
        peers.peer("rapidocr")
    with pytest.raises(InvalidValue, match="tesseract, rapidocr"):
        peers.peer("other")
    program(folder, "")
    with pytest.raises(InvalidValue, match="languages"):
        peers.peer("tesseract:eng -c x=1")


def test_rapidocr_gets_blue_green_red_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Engine:
        def __init__(self, params):
            assert params == {"Global.log_level": "error"}

        def __call__(self, array):
            seen.append(array[0, 0].tolist())
            return types.SimpleNamespace(txts=("one", "two") if len(seen) == 1 else None)

    monkeypatch.setitem(sys.modules, "rapidocr", types.SimpleNamespace(RapidOCR=Engine))
    peers._rapidocr.cache_clear()
    try:
        read = peers.peer("rapidocr")
        assert read((Image.new("RGB", (10, 10), (1, 2, 3)),), Task()).text == "one\ntwo"  # type: ignore[attr-defined]
        assert read((Image.new("RGB", (10, 10)),), Task()).text == ""  # type: ignore[attr-defined]
        assert seen[0] == [3, 2, 1]
    finally:
        peers._rapidocr.cache_clear()
