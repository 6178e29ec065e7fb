"""`got-ocr read --server`: the same outputs, notices and exit statuses as reading here."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from serve_kit import LEAKS, Running, Start, png

import got_ocr
from got_ocr import remote as module
from got_ocr.cli.main import main
from got_ocr.client import Client

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(shared: Running, capsys: pytest.CaptureFixture[str]) -> Run:
    """Read by the shared service; give the exit status, standard output and standard error."""

    def go(*words: object, server: str = shared.url) -> tuple[int, str, str]:
        status = main(["read", "--server", server, *map(str, words)])
        out, err = capsys.readouterr()
        assert not LEAKS.search((out + err).encode())
        return status, out, err

    return go


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def tiff(path: Path, pages: int) -> Path:
    frames = [Image.new("L", (64, 32)) for _ in range(pages)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def test_the_client_is_at_the_front_door() -> None:
    assert got_ocr.Client is Client


def test_text_alone_goes_to_standard_output(run: Run, tmp_path: Path) -> None:
    page = write(tmp_path / "seite.png", png())
    assert run(page) == (0, "scripted text\n", "")
    assert run(page, "--stream") == (0, "scripted text\n", "")


def test_forms_and_files(run: Run, tmp_path: Path) -> None:
    page = write(tmp_path / "seite.png", png())
    status, out, _ = run(page, "--to", "json")
    row = json.loads(out)
    assert (status, row["text"], row["source"], row["page"], row["model"]) == (
        0,
        "scripted text",
        "seite.png",
        1,
        "scripted",
    )
    assert run(page, "--to", "html", "--side-by-side", "-o", tmp_path / "out.html")[0] == 0
    assert "scripted text" in (tmp_path / "out.html").read_text()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_folder_is_read_page_by_page(
    run: Run, tmp_path: Path, streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages go a few at a time; a broken file and a page that ran in circles are told, and cost no other."""
    monkeypatch.setattr(module, "PAGES_AT_ONCE", 2)
    inner = tmp_path / "in"
    inner.mkdir()
    write(inner / "1.png", png(110))
    tiff(inner / "2.tiff", 5)
    write(inner / "3.png", png()[:60])
    write(inner / "4.png", png(106))
    status, out, err = run(inner, *(["--stream"] if streamed else []))
    assert status == 3
    texts = out.split("\n\n")
    assert texts[:-1] == ["héllo wörld 你好", *["scripted text"] * 5]
    assert texts[-1].startswith("around")
    assert [line.partition("[")[2] for line in err.splitlines() if "[" in line] == ["image_truncated]"]
    assert "4.png, page 1: the model repeated itself" in err


def test_a_range_of_pages(run: Run, tmp_path: Path) -> None:
    status, out, _ = run(tiff(tmp_path / "a.tiff", 9), "--pages", "2-4,8", "--to", "json")
    assert status == 0
    assert [(row["source"], row["page"]) for row in map(json.loads, out.splitlines())] == [
        ("a.tiff", n) for n in (2, 3, 4, 8)
    ]


def test_several_pages_as_one_text(run: Run, tmp_path: Path) -> None:
    assert run(tiff(tmp_path / "a.tiff", 3), write(tmp_path / "b.png", png()), "--multi-page") == (
        0,
        "scripted text\n",
        "",
    )


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(png())))
    assert run("-") == (0, "scripted text\n", "")


def test_exit_statuses_are_those_of_reading_here(run: Run, tmp_path: Path) -> None:
    for data, status in ((png()[:60], 4), (b"words", 4), (png(106), 3), (png(107), 3), (png(109), 0), (png(103), 1)):
        assert run(write(tmp_path / "a.png", data))[0] == status
    assert run(tmp_path / "nothing.png")[0] == 4


@pytest.mark.parametrize("words", [["--model", "bundled"], ["--revision", "main"], ["--max-new-tokens", "0"]])
def test_what_a_server_cannot_be_told_is_refused(run: Run, tmp_path: Path, words: list[str]) -> None:
    assert run(write(tmp_path / "a.png", png()), *words)[0] == 2


def test_a_server_that_is_not_there_is_exit_10(run: Run, tmp_path: Path) -> None:
    page = write(tmp_path / "a.png", png())
    assert run(page, server="not an address")[0] == 2
    status, out, err = run(page, page, server="http://127.0.0.1:9")
    assert (status, out) == (10, "")
    assert err.count("[remote_error]") == 2


def test_the_key_comes_from_the_option_or_the_environment(
    start: Start, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, page = start(api_keys="the-key"), write(tmp_path / "a.png", png())
    status, _, err = run(page, server=running.url)
    assert (status, "unauthorized" in err) == (10, True)
    assert run(page, "--api-key", "the-key", server=running.url)[0] == 0
    monkeypatch.setenv("GOT_OCR_API_KEY", "the-key")
    assert run(page, server=running.url)[0] == 0
