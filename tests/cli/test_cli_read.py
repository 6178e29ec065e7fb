"""`got-ocr read`: what goes where, in which form, and with which exit status; in this process with a scripted model."""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from got_ocr.cli.main import main
from got_ocr.cli.pages import PageWriter, harmless
from got_ocr.errors import ModelNotFound
from got_ocr.ocr import GotOcr
from got_ocr.tokenizer import Tokenizer

LEAKS = re.compile(r"0x[0-9a-f]{6,}|Traceback|site-packages|File \"")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def model(script: Any, small: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> GotOcr:
    """Let `GotOcr.load` give a scripted model."""
    made = GotOcr(script, small)
    monkeypatch.setattr(GotOcr, "load", lambda *where, **how: made)
    return made


@pytest.fixture
def run(model: GotOcr, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `read` with answers for the model; give the exit status, standard output and standard error."""

    def go(*words: object, answers: Iterable[str | list[int]] = ()) -> tuple[int, str, str]:
        model.backend.answers = [model.tokenizer.encode(a) if isinstance(a, str) else a for a in answers]  # type: ignore[attr-defined]
        status = main(["read", *map(str, words)])
        out, err = capsys.readouterr()
        assert not LEAKS.search(out + err)
        return status, out, err

    return go


def asked(model: GotOcr) -> str:
    text = model.tokenizer.decode(model.backend.prompts[-1])  # type: ignore[attr-defined]
    return text[text.rindex("user\n") + 6 : text.rindex("assistant\n")]


@pytest.fixture
def file(page: Image.Image, tmp_path: Path) -> Path:
    page.save(tmp_path / "page.png")
    return tmp_path / "page.png"


@pytest.fixture
def folder(file: Path, tmp_path: Path) -> Path:
    """Hold four pictures, of which the second is cut short."""
    (tmp_path / "scans").mkdir()
    for number in (1, 2, 3, 10):
        data = file.read_bytes()
        (tmp_path / "scans" / f"{number}.png").write_bytes(data[:-30] if number == 2 else data)
    return tmp_path / "scans"


# What goes where.


def test_text_alone_goes_to_standard_output(run: Run, file: Path) -> None:
    assert run(file, answers=["the fox\njumps"]) == (0, "the fox\njumps\n", "")


def test_pages_stand_apart_and_notices_on_standard_error(run: Run, page: Image.Image, tmp_path: Path) -> None:
    page.save(tmp_path / "a.gif", save_all=True, append_images=[page.rotate(180)])
    page.save(tmp_path / "b.png")
    status, out, err = run(tmp_path / "a.gif", tmp_path / "b.png", "--color", "red", answers=["one", "two"])
    assert (status, out) == (0, "one\n\ntwo\n")
    assert err.splitlines() == [
        "got-ocr: a.gif, page 1: frames_ignored:1",
        "got-ocr: a.gif, page 1: untrained_mode:color",
        "got-ocr: b.png, page 1: untrained_mode:color",
    ]
    assert run(tmp_path / "a.gif", "--quiet", answers=["one"]) == (0, "one\n", "")


def test_the_models_notice_is_told(run: Run, model: GotOcr, file: Path) -> None:
    model.notice = "using the small model"
    assert run(file, answers=["a"])[2] == "got-ocr: using the small model\n"
    assert run(file, "-q", answers=["a"])[2] == ""


def test_standard_input(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert run("-", answers=["piped"]) == (0, "piped\n", "")
    status, _, err = run("-", "-")
    assert status == 2
    assert "once" in err


# Ends.


@pytest.mark.parametrize(
    ("answer", "said"), [([300] * 500, "repeated itself"), (list(range(256, 330)), "--max-new-tokens")]
)
def test_a_page_that_is_not_whole_ends_with_three(
    run: Run, file: Path, answer: list[int], said: str, small: Tokenizer
) -> None:
    status, out, err = run(file, "--max-new-tokens", 70, answers=[answer])
    assert status == 3
    assert small.decode(answer[:1]).strip() in out
    assert said in err
    assert run(file, file, answers=["fine", answer[:65]])[0] == (0 if len(answer) == 74 else 3)


def test_nothing_to_read_is_no_failure(run: Run, file: Path) -> None:
    status, out, err = run(file, answers=[" "])
    assert (status, out) == (0, "\n")
    assert err == "got-ocr: page.png: nothing to read was found\n"


def test_a_broken_picture_fails_alone(run: Run, folder: Path) -> None:
    status, out, err = run(folder, answers=["one", "three", "ten"])
    assert (status, out) == (3, "one\n\nthree\n\nten\n")
    assert re.fullmatch(r"got-ocr: 2\.png, page 1: the PNG ends .* \[image_truncated\]\n", err)
    # A first page that fails leaves no gap where its text would stand.
    assert run(folder / "2.png", folder / "3.png", answers=["three"])[:2] == (3, "three\n")


def bomb(tmp_path: Path) -> Path:
    """Write the header of a PNG of 3.6 gigapixels."""
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(data)
    return tmp_path / "bomb.png"


def locked(tmp_path: Path) -> Path:
    pikepdf = pytest.importorskip("pikepdf")
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
    return tmp_path / "locked.pdf"


def text(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path / "notes.txt"


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (lambda tmp: tmp / "scans" / "2.png", 4, "image_truncated"),
        (lambda tmp: tmp / "absent.png", 4, "input_not_found"),
        (text, 4, "unsupported_image_format"),
        (bomb, 4, "image_too_many_pixels"),
        (locked, 8, "pdf_encrypted"),
    ],
)
def test_a_single_page_that_fails_gives_its_own_status(
    run: Run, folder: Path, tmp_path: Path, make: Callable[[Path], Path], status: int, code: str
) -> None:
    source = make(tmp_path)
    assert run(source)[:2] == (status, "")
    found, out, err = run(source, "--to", "json")
    assert (found, json.loads(out)["error"]["code"]) == (status, code)
    assert f"[{code}]" in err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--box", "1,2,3"),
        ("--box", "9,9,1,1"),
        ("--crop", "--color", "red"),
        ("--max-tiles", "0"),
        ("--max-new-tokens", "0"),
        ("--stream", "--to", "json"),
        ("--mode", "plain", "--type", "format"),
        ("--pages", "7"),
    ],
)
def test_what_cannot_be_asked_ends_with_two(run: Run, file: Path, words: tuple[str, ...]) -> None:
    status, out, err = run(*words, *([file] if words else []))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("--mode", "other"), ("--max-tiles", "x"), ("--nonsense",), ("--to", "pdf")])
def test_words_that_the_parser_refuses_end_with_two(
    file: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["read", str(file), *words])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_missing_model_ends_with_nine(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.txt").write_text("old")
    for model in ("nowhere/at all", str(tmp_path / "nowhere"), str(tmp_path)):
        assert main(["read", str(file), "--model", model, "-o", str(tmp_path / "out.txt")]) == 9
        assert "Traceback" not in capsys.readouterr().err
    assert (tmp_path / "out.txt").read_text() == "old"
    assert ModelNotFound.exit_code == 9


def test_an_interruption_ends_with_130_and_writes_nothing(
    run: Run, model: GotOcr, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "read_job", interrupted)
    assert run(file, "-o", tmp_path / "out.txt") == (130, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


def test_an_internal_error_tells_no_secret(
    run: Run, model: GotOcr, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("<object at 0x7f0123456789> in /usr/lib/site-packages/torch")

    monkeypatch.setattr(model, "read_job", broken)
    status, out, err = run(file)
    assert (status, out) == (1, "")
    assert err == "got-ocr: internal error (RuntimeError); set GOT_OCR_DEBUG=1 to see where [internal]\n"
    monkeypatch.setenv("GOT_OCR_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["read", str(file)])


# Forms.


def test_json_has_a_line_for_every_page_failed_ones_too(run: Run, folder: Path, model: GotOcr) -> None:
    status, out, err = run(folder, "--to", "json", "--quiet", answers=["ünï", [300] * 500, "ten"])
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 3
    assert [(row["source"], row["page"], row["status"]) for row in rows] == [
        ("1.png", 1, "ok"),
        ("2.png", 1, "failed"),
        ("3.png", 1, "loop"),
        ("10.png", 1, "ok"),
    ]
    assert rows[1]["error"]["code"] == "image_truncated"
    assert rows[0] | {"seconds": 0} == {
        "text": "ünï",
        "status": "ok",
        "token_ids": model.tokenizer.encode("ünï"),
        "tokens": len(model.tokenizer.encode("ünï")) + 1,
        "seconds": 0,
        "page": 1,
        "source": "1.png",
        "model": "script",
        "notices": [],
        "steps": len(model.tokenizer.encode("ünï")) + 1,
    }
    assert "ünï" in out  # letters, not escapes
    assert "image_truncated" in err


def test_several_pages_as_one_have_one_line(run: Run, folder: Path, tmp_path: Path) -> None:
    status, out, _ = run(folder, "--multi-page", "--to", "json")
    assert (status, json.loads(out)["status"]) == (4, "failed")
    (folder / "2.png").unlink()
    status, out, _ = run(folder, "--multi-page", "--to", "json", answers=["all"])
    assert (status, json.loads(out)["text"]) == (0, "all")
    status, out, _ = run(folder, tmp_path / "absent.png", "--multi-page", "--to", "json")
    assert (status, json.loads(out)["source"]) == (4, "absent.png")


def test_the_picture_stands_beside_its_text(run: Run, file: Path) -> None:
    alone = run(file, "--to", "html", answers=["the fox"])[1]
    status, out, _ = run(file, "--to", "html", "--side-by-side", answers=["the fox"])
    assert status == 0
    assert ("data:image/jpeg;base64," in out, "data:image" in alone) == (True, False)
    assert run(file, "--side-by-side")[0] == 2


@pytest.mark.parametrize("size", ["1", "2", "8"])
def test_pages_come_in_their_order_however_many_at_once(run: Run, folder: Path, size: str) -> None:
    long = " ".join(f"word{number}" for number in range(30))
    status, out, err = run(folder, "--batch-size", size, answers=[long, "three", "ten"])
    assert (status, out) == (3, f"{long}\n\nthree\n\nten\n")
    assert err.count("image_truncated") == 1
    assert run(folder, "--batch-size", "0")[0] == 2


def test_one_html_page_for_all(run: Run, folder: Path) -> None:
    status, out, _ = run(folder, "--to", "html", answers=["the <fox>", "three", "ten"])
    assert status == 3
    assert out.count("<html") == 1
    assert "the &lt;fox&gt;" in out
    assert "image_truncated" in out
    assert out.index("fox") < out.index("image_truncated") < out.index("three")


def test_markdown(run: Run, file: Path) -> None:
    answer = "\\begin{tabular}{|l|l|}\n\\hline\na & b \\\\\n\\hline\n\\end{tabular}"
    assert run(file, "--to", "md", answers=[answer])[1] == "| a | b |\n| --- | --- |\n"
    assert run(file, "--to", "gfm", answers=["\\(x^2\\)"])[1] == "$x^2$\n"


def test_streamed_text_equals_written_text(run: Run, folder: Path) -> None:
    answers = ["one fox", "", "ten\nlines"]
    assert (
        run(folder, "--stream", answers=answers)[1] == run(folder, answers=answers)[1] == "one fox\n\n\n\nten\nlines\n"
    )


def test_pieces_come_as_they_are_written(model: GotOcr, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Out(io.StringIO):
        flushed: tuple[str, ...] = ()

        def flush(self) -> None:
            self.flushed = (*self.flushed, self.getvalue())

    out = Out()
    monkeypatch.setattr(sys, "stdout", out)
    model.backend.answers = [list(b"ab\xc3\xa9")]  # type: ignore[attr-defined]
    assert main(["read", str(file), "--stream"]) == 0
    assert out.flushed[:4] == ("a", "ab", "abé", "abé\n")


# Output.


def test_a_file_appears_whole_or_not_at_all(
    run: Run, model: GotOcr, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.txt"
    assert run(folder, "-o", out, answers=["one", "three", "tén"])[:2] == (3, "")
    assert out.read_text("utf-8") == "one\n\nthree\n\ntén\n"
    seen: list[str] = []
    plain = model.backend.start

    def spied(*words: Any) -> Any:
        seen.append(out.read_text("utf-8"))
        return plain(*words)

    monkeypatch.setattr(model.backend, "start", spied)
    run(folder, "-o", out, answers=["1", "3", "10"])
    assert seen == ["one\n\nthree\n\ntén\n"] * 3
    assert out.read_text("utf-8") == "1\n\n3\n\n10\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.txt", "page.png", "scans"]


def test_an_output_that_cannot_be_written_ends_with_five(run: Run, file: Path, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "no" / "out.txt", ".", "/", tmp_path / ("x" * 300)):
        status, _, err = run(file, "-o", out, answers=["text"])
        assert status == 5
        assert "[output_failed]" in err


def test_a_full_disk_is_told(
    model: GotOcr, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        model.backend.answers = [model.tokenizer.encode("text")]  # type: ignore[attr-defined]
        assert main(["read", str(file)]) == 5
    assert capsys.readouterr().err == "got-ocr: cannot write the output (system error 28) [output_failed]\n"


def test_a_reader_that_leaves_is_no_error(
    model: GotOcr, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        model.backend.answers = [model.tokenizer.encode("text")]  # type: ignore[attr-defined]
        assert main(["read", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_a_terminal_is_not_steered_by_what_is_printed_on_a_page() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    hostile = "a\x1b[31mred\x07\u202eevil\u2066\x9b1m\x00\u200b\tb\r\n"
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        PageWriter("txt", out).piece(hostile)
    assert terminal.getvalue() == "a[31mredevil1m\tb\n"
    assert file.getvalue() == hostile
    assert harmless("क\u094d\u200dष می\u200cخواهم 中文 🙂") == "क\u094d\u200dष می\u200cخواهم 中文 🙂"


def test_letters_that_the_output_lacks_become_escapes(
    model: GotOcr, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    model.backend.answers = [model.tokenizer.encode("né")]  # type: ignore[attr-defined]
    assert main(["read", str(file)]) == 0
    assert raw.getvalue() == b"n\\xe9\n"


def test_progress_is_for_people_who_watch(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    _, out, err = run(folder, answers=["one", "three", "ten"])
    assert "reading" in err
    assert "reading" not in out
    assert "reading" not in run(folder, "-q", answers=["one", "three", "ten"])[2]


# The names of others.


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (("--image-file", "FILE", "--type", "ocr"), "OCR: "),
        (("--model-name", "any", "--image-file", "FILE", "--type", "format"), "OCR with format: "),
        (("--model_name_or_path", "any", "--image_file", "FILE", "--ocr_type", "format"), "OCR with format: "),
        (
            ("--image_file", "FILE", "--ocr_type", "format", "--multi_crop"),
            "OCR with format upon the patch reference: ",
        ),
        (("--image-file", "FILE", "--multi-page"), "OCR with format across multi pages: "),
        (("--image_file", "FILE", "--multi_page"), "OCR with format across multi pages: "),
        (("--image-file", "FILE", "--type", "ocr", "--color", "red"), "[red] OCR: "),
        (
            ("--image-file", "FILE", "--type", "ocr", "--box", "[22,12,110,60]", "--box-mode", "prompt"),
            "[100, 100, 500, 500] OCR: ",
        ),
    ],
)
def test_flags_of_the_original_and_of_paddlemix(
    run: Run, model: GotOcr, file: Path, words: tuple[str, ...], query: str
) -> None:
    status, out, _ = run(*(file if word == "FILE" else word for word in words), answers=["text"])
    assert (status, out) == (0, "text\n")
    assert asked(model) == query


def test_other_names_reach_the_model_and_the_form(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    plain = GotOcr.load
    monkeypatch.setattr(GotOcr, "load", lambda *where, **how: [loaded.extend(where), plain(*where, **how)][1])
    assert "<html" in run("--model-name", "mine", "--image-file", file, "--type", "ocr", "--render", answers=["a"])[1]
    assert loaded == ["mine"]
    status, _, err = run(file, "--model", "mine", "--model-name", "yours")
    assert status == 2
    assert "'mine'" in err
    assert "'yours'" in err
    assert run(file, "--render", "--to", "json")[0] == 2


def test_offline_is_passed_on(file: Path, model: GotOcr, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(GotOcr, "load", lambda *where, **how: asked.append(how["offline"]) or model)
    model.backend.answers = [model.tokenizer.encode("a")] * 2  # type: ignore[attr-defined]
    assert main(["read", str(file), "--offline"]) == 0
    assert main(["read", str(file)]) == 0
    assert asked == [True, False]
