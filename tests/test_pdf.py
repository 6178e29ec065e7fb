"""PDF pages drawn by PDFium: boxes, resolution, locks, damage, and nothing that runs."""

import io
import math
import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from got_ocr import document, pdf
from got_ocr.errors import (
    ImageDecodeFailed,
    ImageTooSmall,
    InputError,
    InputNotFound,
    PageRenderFailed,
    PdfCorrupt,
    PdfEncrypted,
)
from got_ocr.image import Limits

pikepdf = pytest.importorskip("pikepdf")


def saved(book: "pikepdf.Pdf", **options: object) -> bytes:
    file = io.BytesIO()
    book.save(file, **options)
    return file.getvalue()


def drawn(
    content: bytes, box: tuple[float, ...] = (0, 0, 200, 100), pages: int = 1, **entries: object
) -> "pikepdf.Pdf":
    """Make a PDF whose pages carry `content` and the given page entries."""
    book = pikepdf.new()
    for _ in range(pages):
        book.add_blank_page(page_size=(200, 100))
        page = book.pages[-1]
        page.MediaBox = pikepdf.Array([pikepdf.Object.parse(f"{value:.3f}".encode()) for value in box])
        page.Contents = book.make_stream(content)
        for name, value in entries.items():
            page[pikepdf.Name("/" + name)] = value
    return book


WORD = "secret"  # what opens the encrypted files below
NO_TEXT = "\udcff"
RED_LEFT = b"1 0 0 rg 0 0 100 100 re f"


def first(data: bytes, **options: object) -> "document.Picture":
    return next(document.pages(data, **options)).load()  # type: ignore[arg-type]


def test_a_page_is_drawn_on_white_at_200_dpi() -> None:
    picture = first(saved(drawn(RED_LEFT)))
    assert picture.image.mode == "RGB"
    assert picture.image.size == (math.ceil(200 / 72 * 200), math.ceil(100 / 72 * 200))
    assert picture.image.getpixel((20, 20)) == (255, 0, 0)
    assert picture.image.getpixel((500, 20)) == (255, 255, 255)
    assert picture.notices == ()


def test_resolution_can_be_asked_for() -> None:
    assert first(saved(drawn(RED_LEFT)), dpi=72).image.size == (200, 100)
    assert first(saved(drawn(RED_LEFT)), dpi=144).notices == ()


def test_turned_pages_stand_upright() -> None:
    picture = first(saved(drawn(RED_LEFT, Rotate=90)), dpi=72)
    assert picture.image.size == (100, 200)
    assert picture.image.getpixel((50, 20)) == (255, 0, 0)
    assert picture.image.getpixel((50, 180)) == (255, 255, 255)


def test_the_crop_box_is_what_is_seen() -> None:
    picture = first(saved(drawn(RED_LEFT, CropBox=pikepdf.Array([90, 0, 130, 40]))), dpi=72)
    assert picture.image.size == (40, 40)
    assert picture.image.getpixel((2, 20)) == (255, 0, 0)
    assert picture.image.getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize(
    "box", [(0, 0, 14400, 14400), (0, 0, 1e9, 1e9), (0, 0, 200_000, 20), (-7200, -7200, 7200, 7200)]
)
@pytest.mark.parametrize("dpi", [None, 300])
def test_huge_pages_are_drawn_smaller(box: tuple[float, ...], dpi: float | None) -> None:
    limits = Limits(pixels=200_000, side=3000, least_side=1)
    picture = first(saved(drawn(RED_LEFT, box)), dpi=dpi, limits=limits)
    width, height = picture.image.size
    assert width * height <= limits.pixels
    assert max(width, height) <= limits.side
    assert picture.notices[0].startswith("dpi_used:")
    assert 1 <= int(picture.notices[0].split(":")[1]) < (dpi or 200)


def test_pages_in_large_units_are_drawn_no_larger_than_useful() -> None:
    picture = first(saved(drawn(RED_LEFT, (0, 0, 2480, 3508))))
    assert max(picture.image.size) <= pdf.DEFAULT_LONG_SIDE
    assert picture.notices == (f"dpi_used:{round(pdf.DEFAULT_LONG_SIDE / 3508 * 72)}",)


@pytest.mark.parametrize("box", [(200, 100, 0, 0), (0, 0, 0, 0), (5, 5, 5, 90)])
def test_odd_boxes_still_give_a_picture(box: tuple[float, ...]) -> None:
    assert min(first(saved(drawn(RED_LEFT, box))).image.size) >= 8


def test_tiny_pages_are_too_small() -> None:
    with pytest.raises(ImageTooSmall):
        first(saved(drawn(RED_LEFT, (0, 0, 1, 200))))


@pytest.mark.parametrize(("width", "height"), [(0.1, 14400), (595, 842), (842.01, 595.02), (3, 3), (1e7, 1.0)])
@pytest.mark.parametrize("pixels", [1000, 777_777, 50_000_000])
def test_scale_never_breaks_the_pixel_limit(width: float, height: float, pixels: int) -> None:
    limits = Limits(pixels=pixels)
    for dpi in (None, 10, 200, 2400):
        scale = pdf._scale(width, height, dpi, limits)
        assert 0 < math.ceil(width * scale) * math.ceil(height * scale) <= pixels
        assert max(width, height) * scale <= limits.side * 1.0001


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (math.nan, 5), (math.inf, 5)])
def test_pages_without_area_fail(size: tuple[float, float]) -> None:
    with pytest.raises(PageRenderFailed):
        pdf._scale(*size, None, Limits())


def test_filled_in_forms_are_drawn_and_their_scripts_never_run() -> None:
    book = drawn(b"")
    look = book.make_stream(RED_LEFT)
    look.Type, look.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    look.BBox = pikepdf.Array([0, 0, 100, 50])
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1); this.getField('a').value = '2';")
    field = book.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Widget,
            FT=pikepdf.Name.Tx,
            T="a",
            V="1",
            Rect=pikepdf.Array([20, 20, 120, 70]),
            F=4,
            AP=pikepdf.Dictionary(N=look),
            A=script,
        )
    )
    book.pages[0].Annots = pikepdf.Array([field])
    book.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]), XFA="<xdp/>")
    book.Root.OpenAction = script
    picture = first(saved(book), dpi=72)
    assert picture.image.getpixel((60, 50)) == (255, 0, 0)
    assert picture.image.getpixel((5, 5)) == (255, 255, 255)


def test_links_and_launches_reach_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    book = drawn(RED_LEFT)
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=f"/usr/bin/touch {canary}")
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([0, 0, 200, 100]), A=action
    )
    book.pages[0].Annots = pikepdf.Array([book.make_indirect(link)])
    book.Root.OpenAction = action
    book.attachments["evil.png"] = b"not read"
    assert first(saved(book), dpi=72).image.getpixel((5, 5)) == (255, 0, 0)
    assert not canary.exists()


def test_encrypted_files_open_with_their_password_alone() -> None:
    data = saved(drawn(RED_LEFT), encryption=pikepdf.Encryption(owner="boss", user=WORD))
    with pytest.raises(PdfEncrypted, match="give its password"):
        document.count(data)
    with pytest.raises(PdfEncrypted, match="does not open") as caught:
        document.pages(data, password=WORD + "!")
    assert WORD not in str(caught.value)
    assert document.count(data, password=WORD) == 1
    for password in (WORD, "boss"):
        assert first(data, dpi=72, password=password).image.getpixel((5, 5)) == (255, 0, 0)


def test_a_password_is_never_shown() -> None:
    data = saved(drawn(RED_LEFT), encryption=pikepdf.Encryption(owner="boss", user=WORD))
    (page,) = document.pages(data, password=WORD)
    assert WORD not in repr(page)


def test_files_with_an_owner_password_alone_open() -> None:
    data = saved(drawn(RED_LEFT), encryption=pikepdf.Encryption(owner="boss", user=""))
    assert document.count(data) == 1
    assert document.count(data, password=WORD) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7",
        b"%PDF-1.7\n" + bytes(2000),
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF",
        b"%PDF-1.4\ntrailer<</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF",
    ],
)
def test_broken_files_are_corrupt(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(data)
    for source in (data, path):
        with pytest.raises(PdfCorrupt):
            document.count(source)


def test_a_circle_of_page_nodes_ends() -> None:
    data = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 40>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    start = time.process_time()
    with pytest.raises((PdfCorrupt, PageRenderFailed)):
        [page.load() for page in document.pages(data)]
    assert time.process_time() - start < 10


def test_a_broken_cross_reference_is_repaired() -> None:
    data = saved(drawn(RED_LEFT))
    broken = data[: data.rindex(b"startxref")] + b"startxref\n99999\n%%EOF"
    assert first(broken, dpi=72).image.getpixel((5, 5)) == (255, 0, 0)


def test_one_broken_page_of_many_fails_alone() -> None:
    book = drawn(RED_LEFT, pages=3)
    data = saved(book, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    pages = list(document.pages(data))
    marker = b"/Type /Page\n"
    marker = marker if marker in data else b"/Type /Page "
    second = data.index(marker, data.index(marker) + 1)
    broken = data[:second] + marker.replace(b"Page", b"Fake") + data[second + len(marker) :]
    outcomes = []
    for page in document.pages(broken):
        try:
            page.load()
            outcomes.append("ok")
        except PageRenderFailed as error:
            outcomes.append(error.code)
    assert len(outcomes) == len(pages) == 3
    assert outcomes[0] == outcomes[2] == "ok"


def test_failures_of_the_wrapper_are_told_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    import pypdfium2

    data = saved(drawn(RED_LEFT))
    for raised, expected in ((RuntimeError("at 0xdeadbeef"), PageRenderFailed), (MemoryError(), ImageDecodeFailed)):

        def fail(*_: object, raised: Exception = raised, **__: object) -> None:
            raise raised

        with monkeypatch.context() as patch:
            patch.setattr(pypdfium2.PdfPage, "render", fail)
            with pytest.raises(expected) as caught:
                first(data)
        assert "0x" not in str(caught.value)
    assert first(data).image.size, "a failure releases the lock"


def test_two_threads_never_enter_pdfium_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import pypdfium2

    inside, most = 0, 0
    plain = pypdfium2.PdfPage.render

    def watched(self: object, **options: object) -> object:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.002)
        try:
            return plain(self, **options)
        finally:
            inside -= 1

    monkeypatch.setattr(pypdfium2.PdfPage, "render", watched)
    pages = list(document.pages(saved(drawn(RED_LEFT, pages=12))))
    results: list[tuple[int, int]] = []
    threads = [
        threading.Thread(target=lambda part=part: results.extend(p.load().image.size for p in part))
        for part in (pages[:4], pages[4:8], pages[8:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 12
    assert most == 1


def test_pages_are_drawn_one_at_a_time_and_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    plain = pdf.render
    monkeypatch.setattr(pdf, "render", lambda file, index, **rest: calls.append(index) or plain(file, index, **rest))
    pages = list(document.pages(saved(drawn(RED_LEFT, pages=5))))
    assert calls == []
    pages[3].load()
    assert calls == [3]


def fuzz(seed: int, count: int) -> set[str]:
    dice = random.Random(seed)
    plain = drawn(RED_LEFT, pages=2)
    scan = io.BytesIO()
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (60, 90, 3), dtype=np.uint8)).save(scan, "PDF")
    seeds = [
        saved(plain),
        saved(plain, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        saved(plain, encryption=pikepdf.Encryption(owner="o", user="")),
        scan.getvalue(),
    ]
    outcomes: set[str] = set()
    for number in range(count):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(dice.choice([1, 3, 12])):
            at = dice.randrange(len(data))
            if dice.random() < 0.6:
                data[at] = dice.randrange(256)
            elif dice.random() < 0.5:
                del data[at : at + dice.randrange(1, 30)]
            else:
                data[at:at] = dice.randbytes(20)
        start = time.process_time()
        try:
            for page in document.pages(bytes(data), dpi=72):
                page.load()
            outcomes.add("ok")
        except InputError as error:
            outcomes.add(type(error).__name__)
        assert time.process_time() - start < 10
    return outcomes


def test_mutated_files_raise_input_errors_only() -> None:
    assert fuzz(3, 300) >= {"ok", "PdfCorrupt"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_many_mutated_files_raise_input_errors_only(seed: int) -> None:
    assert fuzz(50 + seed, 2000) >= {"ok", "PdfCorrupt"}


def test_a_file_that_went_away_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        pdf.count(tmp_path / "missing.pdf", None)


def test_a_page_without_area_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    import pypdfium2

    monkeypatch.setattr(pypdfium2.PdfPage, "get_size", lambda self: (0.0, 5.0))
    with pytest.raises(PageRenderFailed, match="no area"):
        first(saved(drawn(RED_LEFT)))


def test_a_password_that_is_no_text_does_not_open() -> None:
    data = saved(drawn(RED_LEFT), encryption=pikepdf.Encryption(owner="boss", user=WORD))
    with pytest.raises(PdfEncrypted):
        document.count(data, password=NO_TEXT)
    assert document.count(saved(drawn(RED_LEFT)), password=NO_TEXT) == 1


def lettered(text: bytes, pages: int = 1, **entries: object) -> bytes:
    """Make a PDF whose pages carry a line of text."""
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    content = b"BT /F1 12 Tf 10 50 Td (" + text + b") Tj ET"
    return saved(drawn(content, pages=pages, Resources=resources, **entries))


def test_a_page_gives_the_text_that_it_carries() -> None:
    first_page, second = document.pages(lettered(b"the quick brown fox", 2))
    assert first_page.may_have_text
    assert second.text() == "the quick brown fox"
    assert next(document.pages(saved(drawn(RED_LEFT)))).text() == ""


def test_text_outside_the_page_is_not_seen() -> None:
    assert next(document.pages(lettered(b"hidden", CropBox=pikepdf.Array([100, 0, 200, 20])))).text() == ""


def test_too_much_text_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_LETTERS", 5)
    assert next(document.pages(lettered(b"the quick"))).text() == ""


def test_text_that_cannot_be_had_is_none(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(lettered(b"the fox"))
    page = next(document.pages(path))
    path.write_bytes(b"%PDF-1.4 broken")
    assert page.text() == ""
    path.unlink()
    assert page.text() == ""


def test_pictures_carry_no_text() -> None:
    page = next(document.pages(Image.new("RGB", (50, 50))))
    assert (page.may_have_text, page.text()) == (False, "")
