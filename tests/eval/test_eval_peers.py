"""Other programs as readers, with stand-ins for the programs."""

import sys
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
    assert text == "stdout --psm 3 -l eng+chi_sim (30, 20) RGB"
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
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    monkeypatch.delenv(peers.RAPIDOCR_PYTHON, raising=False)
    with pytest.raises(MissingDependency, match="pip install rapidocr"):
        peers.peer("rapidocr")
    with pytest.raises(InvalidValue, match="tesseract, rapidocr"):
        peers.peer("other")
    program(folder, "")
    with pytest.raises(InvalidValue, match="languages"):
        peers.peer("tesseract:eng -c x=1")


def test_the_segmentation_mode_can_be_named(folder: Path) -> None:
    program(folder, "print(*sys.argv[2:])")
    assert "--psm 7 -l eng" in peers.peer("tesseract:eng:7")((Image.new("RGB", (9, 9)),), Task())[0]
    with pytest.raises(InvalidValue, match="0 to 13"):
        peers.peer("tesseract:eng:77")


PACKAGE = """
import os, sys, types
class RapidOCR:
    def __init__(self, params):
        assert params == {"Global.log_level": "error"}
        print("opening a model")
    def __call__(self, array):
        if array.shape[0] == 13:
            os._exit(3)
        return types.SimpleNamespace(txts=None if array.shape[0] == 9 else (str(array[0, 0].tolist()), "\u00e9 two"))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a package of the name into the child's way."""
    (tmp_path / "rapidocr.py").write_text(PACKAGE)
    facts = tmp_path / "rapidocr-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: rapidocr\nVersion: 1.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(peers.RAPIDOCR_PYTHON, sys.executable)
    return tmp_path


def test_rapidocr_gets_blue_green_red_arrays_in_its_own_process(stand_in: Path) -> None:
    read = peers.peer("rapidocr")
    assert read((Image.new("RGB", (10, 10), (1, 2, 3)),), Task())[:2] == ("[3, 2, 1]\n\u00e9 two", "ok")
    assert read((Image.new("RGB", (10, 9)),), Task())[0] == ""
    assert "rapidocr" not in sys.modules
    with pytest.raises(ChildCrashed):
        read((Image.new("RGB", (10, 13)),), Task())
    with pytest.raises(ChildCrashed):
        read((Image.new("RGB", (10, 10)),), Task())


def test_a_python_without_the_package_is_said_so(monkeypatch: pytest.MonkeyPatch, stand_in: Path) -> None:
    (stand_in / "rapidocr.py").write_text("raise ImportError")
    with pytest.raises(MissingDependency, match="onnxruntime whole"):
        peers.peer("rapidocr")
    monkeypatch.setenv(peers.RAPIDOCR_PYTHON, str(stand_in / "nothing"))
    with pytest.raises(MissingDependency, match="cannot be started"):
        peers.peer("rapidocr")
