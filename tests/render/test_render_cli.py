"""`got-ocr render`: files in, files out, exit statuses."""

import argparse
import io
from pathlib import Path

import pytest

from got_ocr.cli import render as command
from got_ocr.errors import InputNotFound, InvalidValue, OutputError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["render", *words])
    status: int = args.func(args)
    return status


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "page.mmd"
    path.write_text("# Title\n\ntext \\( x \\)", "utf-8")
    return path


def test_a_page_is_written_beside_the_text(text: Path) -> None:
    assert run(str(text)) == 0
    html = text.with_suffix(".html").read_text("utf-8")
    assert "<title>page.mmd</title>" in html
    assert "Title</h2>" in html


@pytest.mark.parametrize(("form", "start"), [("gfm", "# Title"), ("md", "# Title"), ("html", "<!DOCTYPE")])
def test_forms(text: Path, tmp_path: Path, form: str, start: str) -> None:
    assert run(str(text), "--to", form, "-o", str(tmp_path / "out")) == 0
    assert (tmp_path / "out").read_text("utf-8").startswith(start)


def test_kind_and_standard_streams(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\\draw (0,0)--(1,1);"))
    monkeypatch.setattr("sys.stdin", stream)
    assert run("-", "--kind", "tikz", "--to", "svg") == 0
    assert capfdbinary.readouterr().out.startswith(b"<svg")


def test_a_picture_beside_the_text(text: Path, tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    picture.write_bytes(PNG)
    assert run(str(text), "--side-by-side", str(picture), "-o", str(tmp_path / "out.html")) == 0
    assert "data:image/png;base64," in (tmp_path / "out.html").read_text("utf-8")
    with pytest.raises(InvalidValue):
        run(str(text), "--side-by-side", str(picture), "--to", "gfm")


def test_what_could_not_be_drawn_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "x.tikz"
    source.write_text("\\draw (nowhere);", "utf-8")
    assert run(str(source), "--kind", "tikz") == 3
    assert "render_failed" in capsys.readouterr().err


def test_missing_files_and_full_disks(tmp_path: Path, text: Path) -> None:
    with pytest.raises(InputNotFound):
        run(str(tmp_path / "gone"))
    with pytest.raises(InputNotFound):
        run(str(tmp_path))
    with pytest.raises(OutputError):
        run(str(text), "-o", str(tmp_path / "no" / "such" / "folder"))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    source = tmp_path / "x.md"
    source.write_bytes(b"\xff\xfe\x00bad \xed\xa0\x80")
    assert run(str(source), "-o", str(tmp_path / "o.html")) == 0
