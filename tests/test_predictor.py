"""Models inside a model's folder: who reads what, one vocabulary each, in every way of reading."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from got_ocr.data.vocabulary import learn
from got_ocr.errors import ModelError
from got_ocr.ocr import GotOcr
from got_ocr.predictor import Predictor
from got_ocr.reading import Reading
from got_ocr.spec import ModelSpec
from got_ocr.tokenizer import Tokenizer

TALL = ModelSpec("tall", (96, 1024), (96, 8), "lines", 1, 2000, frozenset({"plain"}), 80, 32)


@pytest.fixture(scope="module")
def other() -> Tokenizer:
    """Learn another vocabulary than the usual one of tests."""
    return Tokenizer(learn(("**kern *clefG2 4c 8dL 8eJ = == *-",) * 5, 300))


@pytest.fixture(scope="module")
def staff() -> Image.Image:
    """Draw a staff with notes."""
    image = Image.new("RGB", (700, 160), "white")
    pen = ImageDraw.Draw(image)
    for y in range(60, 101, 10):
        pen.line((30, y, 670, y), "black")
    for k, x in enumerate(range(80, 640, 40)):
        y = 60 + 5 * (k % 9)
        pen.ellipse((x, y - 5, x + 13, y + 5), "black")
        pen.line((x + 13, y, x + 13, y - 34), "black", 2)
    return image


@pytest.fixture
def team(line_script: Any, small: Tokenizer, other: Tokenizer) -> GotOcr:
    """Make a model that reads lines and leaves staves to another one."""
    line_script.spec = TALL
    staves = type(line_script)(TALL, other.end)
    return GotOcr(line_script, small, "", {"music": lambda: Predictor(staves, other)})


def tell(team: GotOcr, *answers: str) -> None:
    """Say what is answered; a text that begins with a star is the other model's."""
    staves = team._others["music"]()
    team.backend.answers = [team.tokenizer.encode(a) for a in answers if a[0] != "*"]  # type: ignore[attr-defined]
    staves.backend.answers = [staves.tokenizer.encode(a) for a in answers if a[0] == "*"]  # type: ignore[attr-defined]


def test_a_staff_is_read_by_whom_it_is_left_to(team: GotOcr, staff: Image.Image, page: Image.Image) -> None:
    assert team.spec.reads == {"plain", "music"}
    tell(team, "*clefG2\n4c\n==")
    reading = team.read(staff, mode="format")
    assert isinstance(reading, Reading)
    assert reading.text == "**kern\n*clefG2\n4c\n==\n*-"
    assert (reading.status, reading.notices, reading.model) == ("ok", (), "tall")
    tell(team, "the", "quick", "fox")
    assert team.read(page).text == "the\nquick\nfox"  # type: ignore[union-attr]


def test_it_is_so_among_many_and_streamed(team: GotOcr, staff: Image.Image, page: Image.Image) -> None:
    tell(team, "the", "quick", "fox", "*clefG2\n4c\n==", "*clefF4\n8dL\n==")
    first, second, third = team.read_many([staff, page, staff], mode="format")
    assert (first.text.split("\n")[1:3], third.text.split("\n")[1:3]) == (["*clefG2", "4c"], ["*clefF4", "8dL"])
    assert second.text == "the\nquick\nfox"
    tell(team, "*clefG2\n4c\n==")
    *pieces, last = team.stream(staff, mode="format")
    assert isinstance(last, Reading)
    assert "".join(map(str, pieces)) == last.text == first.text


def test_an_error_of_the_other_is_that_page_s_alone(team: GotOcr, staff: Image.Image, page: Image.Image) -> None:
    tell(team, "the", "quick", "fox")
    team._others["music"]().backend.answers = [[None]]  # type: ignore[attr-defined]
    broken, sound = team.read_many([staff, page], mode="format", on_error="keep")
    assert getattr(broken, "code", "") == "internal_numeric"
    assert isinstance(sound, Reading)


def test_a_formula_is_read_by_whom_it_is_left_to(line_script: Any, small: Tokenizer, other: Tokenizer) -> None:
    line_script.spec = replace(TALL, reads=frozenset({"plain", "formula"}))
    formulas = type(line_script)(line_script.spec, other.end)
    team = GotOcr(line_script, small, "", {"formula": lambda: Predictor(formulas, other)})
    formulas.answers = [other.encode("= 4 = 8")]
    image = Image.new("RGB", (300, 90), "white")
    pen = ImageDraw.Draw(image)
    for x in range(30, 260, 40):
        pen.rectangle((x, 30, x + 14, 60), "black")
    reading = team.read(image, mode="format")
    assert isinstance(reading, Reading)
    assert (reading.text, reading.notices) == ("= 4 = 8", ())


def test_every_backend_is_wrapped(team: GotOcr, staff: Image.Image) -> None:
    seen: list[object] = []

    def wrap(backend: Any) -> Any:
        seen.append(backend)
        return backend

    tell(team, "*clefG2\n4c\n==")
    team.through(wrap).read(staff, mode="format")
    assert {id(backend) for backend in seen} == {id(team.backend), id(team._others["music"]().backend)}


def test_a_folder_in_the_folder_is_opened_when_it_is_asked(lines_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(lines_folder, tmp_path / "model")
    shutil.copytree(lines_folder, tmp_path / "model" / "music")
    reader = GotOcr.load(tmp_path / "model", device="cpu")
    assert "music" in reader.spec.reads
    opened = reader._others["music"]()
    assert opened is reader._others["music"]()
    assert opened.backend is not reader.backend
    (tmp_path / "model" / "music" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError):
        GotOcr.load(tmp_path / "model", device="cpu")._others["music"]()


def test_both_see_the_same_tiles(lines_folder: Path, whole_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(lines_folder, tmp_path / "model")
    shutil.copytree(whole_folder, tmp_path / "model" / "music")
    with pytest.raises(ModelError, match="other tiles"):
        GotOcr.load(tmp_path / "model", device="cpu")._others["music"]()


def test_a_converted_folder_keeps_its_parts(lines_folder: Path, tmp_path: Path) -> None:
    from got_ocr.cli.main import main

    shutil.copytree(lines_folder, tmp_path / "model")
    shutil.copytree(lines_folder, tmp_path / "model" / "music")
    assert (
        main(["convert", str(tmp_path / "model"), str(tmp_path / "half"), "--layout", "native", "--dtype", "bfloat16"])
        == 0
    )
    reader = GotOcr.load(tmp_path / "half", device="cpu")
    tile = np.zeros((3, 32, 64), np.uint8)
    assert len(reader._others["music"]().backend.encode([tile])) == 1
