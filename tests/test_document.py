"""Pages of pictures, TIFFs, PDFs and folders; page ranges; natural order."""

import contextlib
import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from got_ocr import document
from got_ocr.document import natural_key, parse_pages
from got_ocr.errors import (
    ImageCorrupt,
    ImageTruncated,
    InputError,
    InputNotFound,
    InvalidValue,
    PdfCorrupt,
    TooManyPages,
    UnsupportedImageFormat,
)
from got_ocr.image import Limits

COLOURS = ("red", "lime", "blue", "white", "black")


def encoded(kind: str, count: int = 1) -> bytes:
    frames = [Image.new("RGB", (40, 30), COLOURS[n % 5]) for n in range(count)]
    file = io.BytesIO()
    frames[0].save(file, kind, **({"save_all": True, "append_images": frames[1:]} if count > 1 else {}))
    return file.getvalue()


def colour(page: document.Page) -> str:
    """Name the colour in the middle of a page."""
    image = page.load().image
    middle = np.asarray(image.getpixel((image.width // 2, image.height // 2)))
    return min(COLOURS, key=lambda name: np.abs(middle - Image.new("RGB", (1, 1), name).getpixel((0, 0))).sum())


# --- ranges and order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("1-3,7", 9, (1, 2, 3, 7)),
        ("2-", 4, (2, 3, 4)),
        ("-4", 6, (1, 2, 3, 4)),
        ("5", 5, (5,)),
        (" 1 - 2 , 4 ".replace(" - ", "-"), 4, (1, 2, 4)),
        ("3,1,3,1-2", 3, (3, 1, 2)),
        ("007", 7, (7,)),
    ],
)
def test_page_ranges(text: str, count: int, expected: tuple[int, ...]) -> None:
    assert parse_pages(text, count) == expected


BAD_RANGES = ["-", ",", "1,", "0", "0-2", "3-2", "6", "2-6", "a", "1-2-3", "--2", "1..3", "+1", "²", "١", "1;2", "1\n2"]


@pytest.mark.parametrize("text", ["", *BAD_RANGES, "9" * 900, "1," * 600 + "1", "1-" + "9" * 400])
def test_bad_page_ranges_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_pages(text, 5)


@pytest.mark.parametrize("text", ["9" * 900, "1," * 600 + "1", "1-" + "9" * 400])
def test_long_page_ranges_are_refused_too(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_pages(text, 5)


@given(st.text(alphabet="0123456789-, ", max_size=12), st.integers(1, 30))
@settings(max_examples=300, database=None, derandomize=True)
def test_any_range_gives_pages_of_the_document_or_is_refused(text: str, count: int) -> None:
    try:
        chosen = parse_pages(text, count)
    except InvalidValue:
        return
    assert chosen
    assert set(chosen) <= set(range(1, count + 1))
    assert len(set(chosen)) == len(chosen)


def test_natural_order() -> None:
    names = ["1.png", "2.png", "10.png", "a2b1", "a2b10", "a02c", "A10", "b", "page-9", "page-10", "é"]
    shuffled = names.copy()
    random.Random(4).shuffle(shuffled)
    assert sorted(shuffled, key=natural_key) == names
    assert sorted(["a01", "a1", "A1"], key=natural_key) == ["A1", "a01", "a1"]
    assert natural_key("9" * 5000 + "a") < natural_key("1" + "0" * 5000 + "a")
    assert sorted(["x", "²", "٣", ""], key=natural_key)[0] == ""


# --- single documents ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_one_page(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "one.bin"
    path.write_bytes(encoded(kind))
    opened = Image.open(path)
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), opened, np.asarray(opened)):
        (page,) = document.pages(source)
        assert (page.number, page.of) == (1, 1)
        assert colour(page) == "red"
        assert document.count(path) == 1
    (page,) = document.pages(path)
    assert page.source == "one.bin"
    assert page.path == path
    assert page.load().source == "one.bin"


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_pages_of_a_document_in_any_order(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_bytes(encoded(kind, 5))
    for source in (path, path.read_bytes()):
        assert document.count(source) == 5
        found = list(document.pages(source))
        assert [page.number for page in found] == [1, 2, 3, 4, 5]
        assert {page.of for page in found} == {5}
        assert [colour(page) for page in reversed(found)] == list(reversed(COLOURS))
        assert [colour(page) for page in document.pages(source, pages="4-,2")] == ["white", "black", "lime"]
        assert all(page.load().notices == () for page in found)


def test_an_animation_is_one_page_with_a_notice() -> None:
    (page,) = document.pages(encoded("GIF", 3))
    assert page.load().notices == ("frames_ignored:2",)


def test_tiff_pages_fail_alone() -> None:
    data = bytearray(encoded("TIFF", 3))
    position = len(data) // 2
    found = list(document.pages(bytes(data[: position + 40])))
    outcomes = []
    for page in found:
        try:
            outcomes.append(colour(page))
        except InputError as error:
            outcomes.append(type(error).__name__)
    assert outcomes[0] == "red"
    assert outcomes[-1] in ("ImageTruncated", "ImageCorrupt")


def test_a_page_range_beyond_the_document_is_refused_at_once() -> None:
    with pytest.raises(InvalidValue, match="3 pages"):
        document.pages(encoded("TIFF", 3), pages="2-4")
    with pytest.raises(InvalidValue, match="1 pages"):
        document.pages(encoded("PNG"), pages="2")


def test_pages_are_limited_after_the_range() -> None:
    limits = Limits(pages=2)
    data = encoded("PDF", 4)
    with pytest.raises(TooManyPages, match="at most 2"):
        document.pages(data, limits=limits)
    assert len(list(document.pages(data, pages="3-4", limits=limits))) == 2
    assert document.count(data, limits=limits) == 4


@pytest.mark.parametrize("dpi", [0, -1, 9.9, 2401, float("nan"), float("inf")])
def test_odd_resolutions_are_refused(dpi: float) -> None:
    with pytest.raises(InvalidValue):
        document.pages(encoded("PNG"), dpi=dpi)


def test_broken_pictures_raise_when_loaded() -> None:
    (page,) = document.pages(encoded("PNG")[:-20])
    with pytest.raises(ImageTruncated):
        page.load()
    (page,) = document.pages(b"<svg/>")
    with pytest.raises(UnsupportedImageFormat):
        page.load()
    with pytest.raises(ImageCorrupt):
        next(document.pages(b"BM" + bytes(60))).load()


def test_absent_sources(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        document.pages(tmp_path / "missing.pdf")
    with pytest.raises(InvalidValue):
        document.pages(3)  # type: ignore[arg-type]


def test_reference_reaches_the_picture() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    (page,) = document.pages(clear, reference=True)
    assert colour(page) == "black"
    (page,) = document.pages(clear)
    assert colour(page) == "white"


# --- folders ------------------------------------------------------------------------------------------------


def fill(folder: Path) -> None:
    (folder / "page10.png").write_bytes(encoded("PNG"))
    (folder / "page2.jpg").write_bytes(encoded("JPEG"))
    (folder / "Page1.PNG").write_bytes(encoded("PNG"))
    (folder / "scan").write_bytes(encoded("TIFF", 2))
    (folder / "book.pdf").write_bytes(encoded("PDF", 2))
    (folder / "notes.txt").write_text("BM is how some words begin")
    (folder / "empty.txt").write_bytes(b"")
    (folder / ".hidden.png").write_bytes(encoded("PNG"))
    (folder / "sub").mkdir()
    (folder / "sub" / "page3.png").write_bytes(encoded("PNG"))


def test_folder_in_natural_order(tmp_path: Path) -> None:
    fill(tmp_path)
    found = [(page.source, page.number, page.of) for page in document.pages(tmp_path)]
    assert found == [
        ("book.pdf", 1, 2),
        ("book.pdf", 2, 2),
        ("Page1.PNG", 1, 1),
        ("page2.jpg", 1, 1),
        ("page10.png", 1, 1),
        ("scan", 1, 2),
        ("scan", 2, 2),
    ]


def test_folders_inside_are_followed_when_asked(tmp_path: Path) -> None:
    fill(tmp_path)
    found = [page.source for page in document.pages(str(tmp_path), recursive=True)]
    assert found[-1] == os.path.join("sub", "page3.png")
    assert len(found) == 8


def test_broken_files_of_a_folder_fail_alone(tmp_path: Path) -> None:
    (tmp_path / "1.pdf").write_bytes(b"%PDF-1.7 junk")
    (tmp_path / "2.png").write_bytes(encoded("PNG")[:-20])
    (tmp_path / "3.png").write_bytes(b"no picture")
    (tmp_path / "4.png").write_bytes(encoded("PNG"))
    (tmp_path / "5.pdf").write_bytes(encoded("PDF", 4))
    outcomes: list[str] = []
    for page in document.pages(tmp_path, limits=Limits(pages=3)):
        try:
            outcomes.append(colour(page))
        except InputError as error:
            outcomes.append(type(error).__name__)
    assert outcomes == ["PdfCorrupt", "ImageTruncated", "UnsupportedImageFormat", "red", "TooManyPages"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no links or named pipes")
def test_links_pipes_and_loops_are_named_but_never_opened(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(encoded("PNG"))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "9.png").write_bytes(encoded("PNG"))
    (folder / "1.png").symlink_to(outside / "secret.png")
    (folder / "2.png").symlink_to(folder / "2.png")
    (folder / "3.png").symlink_to(tmp_path / "nowhere")
    (folder / "loop").symlink_to(folder)
    (folder / "away").symlink_to(outside)
    os.mkfifo(folder / "4.png")
    os.mkfifo(folder / "pipe")
    outcomes: dict[str, str] = {}
    for page in document.pages(folder, recursive=True):
        try:
            outcomes[page.source] = colour(page)
        except InputNotFound as error:
            outcomes[page.source] = str(error).split(":")[0]
    refused = "not a regular file"
    assert outcomes == {"1.png": refused, "2.png": refused, "3.png": refused, "4.png": refused, "9.png": "red"}


def test_odd_names_in_a_folder(tmp_path: Path) -> None:
    names = ["a\nb.png", "ü😀.png", "x" * 251 + ".png", "..png", "-rf.png"]
    for name in names:
        (tmp_path / name).write_bytes(encoded("PNG"))
    with contextlib.suppress(OSError):  # some file systems take UTF-8 alone
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).write_bytes(encoded("PNG"))
    found = list(document.pages(tmp_path))
    assert len(found) >= 4
    for page in found:
        assert page.source.isprintable()
        assert page.source.encode("utf-8")
        assert colour(page) == "red"


def test_a_file_that_goes_away_fails_alone(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.pdf"):
        (tmp_path / name).write_bytes(encoded(name[2:].upper()))
    walk = document.pages(tmp_path)
    first = next(walk)
    for name in ("1.png", "3.pdf"):
        (tmp_path / name).unlink()
    with pytest.raises(InputNotFound):
        first.load()
    second, third = walk
    assert colour(second) == "red"
    with pytest.raises(InputNotFound):
        third.load()


def test_folders_without_pictures_and_ranges_on_folders(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="no picture"):
        document.pages(tmp_path)
    fill(tmp_path)
    with pytest.raises(InvalidValue, match="folder"):
        document.pages(tmp_path, pages="1")


def test_a_document_that_changed_after_listing_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "book.pdf"
    path.write_bytes(encoded("PDF", 3))
    found = list(document.pages(path))
    path.write_bytes(encoded("PDF", 1))
    assert colour(found[0]) == "red"
    with pytest.raises(InputError):
        found[2].load()
    path.write_bytes(b"junk")
    with pytest.raises(PdfCorrupt):
        found[0].load()


def test_a_folder_or_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    plain = Path.open

    def refused(self: Path, *args: object, **rest: object) -> object:
        if self.name == "scan":
            raise PermissionError
        return plain(self, *args, **rest)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refused)
    assert "scan" not in [page.source for page in document.pages(tmp_path)]

    def closed(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(InputNotFound, match="cannot be read"):
        document.pages(tmp_path)


def test_a_tiff_of_endless_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document.formats, "FRAMES_COUNTED", 2)
    with pytest.raises(TooManyPages, match="more than 2"):
        document.count(encoded("TIFF", 4))
    assert document.count(encoded("TIFF", 2)) == 2


def test_a_program_that_speaks_of_pdf_is_no_page_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("HEAD = b'%PDF-1.7'\n")
    Image.new("L", (20, 20), 255).save(tmp_path / "page.png")
    assert [page.source for page in document.pages(tmp_path)] == ["page.png"]


def test_pages_of_a_tiff_file_hold_none_of_it(tmp_path: Path) -> None:
    """Many may be named before one is read; a file that was cut since then fails the page that is gone."""
    path = tmp_path / "a.tiff"
    path.write_bytes(encoded("TIFF", 3))
    found = list(document.pages(path))
    first, last = colour(found[0]), found[2]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError):
        last.load()
    path.write_bytes(encoded("TIFF", 3))
    assert colour(found[0]) == first
