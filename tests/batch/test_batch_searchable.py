"""Searchable PDF: looks as before, holds the text that was read, does nothing by itself, comes out the same each time."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from batch_stand import Script, batch, events, outputs, picture, run_here, tiff
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw

from got_ocr.batch import Seen, glyphless
from got_ocr.batch import searchable as room_of_searchable
from got_ocr.batch.searchable import searchable
from got_ocr.errors import MissingDependency
from got_ocr.reading import Reading
from got_ocr.task import Task

TEXTS = {
    "latin": "The quick brown fox\njumps over the lazy dog.\nÄrger, coût, naïve, €42",
    "chinese": "第一页的文字\n光学字符识别，真好。",
    "mixed": "Ελληνικά Кириллица עברית العربية\n日本語 한국어\n𝛼+𝛽 😀 \\(x^2\\)",
}


class Telling(Script):
    """Read a given text on every page."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = texts

    def one(self, seen: Seen, task: Task) -> Reading:
        return replace(super().one(seen, task), text=self.texts[(seen.page.number - 1) % len(self.texts)])


def drawn(data: bytes, page: int = 0, scale: float = 1.0) -> Image.Image:
    with pypdfium2.PdfDocument(data) as document:
        return document[page].render(scale=scale).to_pil().convert("RGB")


def extracted(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as document:
        return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document]


def made(room: Path, texts: Sequence[str], **changes: object) -> dict[str, bytes]:
    run_here(batch(room / "in", room / "out", formats=("pdf",), **changes), Telling(*texts))
    return outputs(room / "out")


def sketch(size: tuple[int, int] = (300, 400), mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", size, (250, 240, 200))
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 60, 200, 90), fill=(10, 90, 30))
    pen.ellipse((size[0] - 80, size[1] - 80, size[0] - 20, size[1] - 20), fill=(200, 30, 40))
    return image.convert(mode)


def pdf_of(image: Image.Image, rotate: int = 0, box: Sequence[float] = (0, 0, 300, 400), text: str = "") -> bytes:
    """Make a PDF with one page by pikepdf: a picture, turned, cropped, and visible text where one is given."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(300, 400))
    page = pdf.pages[0]
    stream = pikepdf.Stream(pdf, image.convert("RGB").tobytes())
    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    stream.Width, stream.Height, stream.BitsPerComponent = image.width, image.height, 8
    stream.ColorSpace = pikepdf.Name.DeviceRGB
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.Resources = pikepdf.Dictionary(XObject={"/Im": stream}, Font={"/F": pdf.make_indirect(font)})
    words = f" BT /F 20 Tf 50 200 Td ({text}) Tj ET" if text else ""
    page.Contents = pikepdf.Stream(pdf, f"q 300 0 0 400 0 0 cm /Im Do Q{words} 2 0 0 2 9 9 cm q".encode())
    page.Rotate, page.CropBox = rotate, list(box)
    out = BytesIO()
    pdf.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_text_can_be_found_and_copied_in_any_script(room: Path, name: str) -> None:
    (room / "in").mkdir()
    sketch().save(room / "in" / "a.png")
    (text,) = extracted(made(room, [TEXTS[name]])["a.png.pdf"])
    right_to_left = str.maketrans("", "", "עבריתالعربية")  # a reader gives these back in its own order
    assert text.translate(right_to_left).split() == TEXTS[name].translate(right_to_left).split()
    assert sorted(text.replace("\n", " ")) == sorted(TEXTS[name].replace("\n", " "))


@pytest.mark.parametrize(
    ("suffix", "modes"),
    [
        ("png", ["RGB", "L", "1", "P", "RGBA"]),
        ("jpg", ["RGB", "L", "CMYK"]),
        ("tif", ["RGB", "L", "1", "P", "RGBA", "CMYK"]),
    ],
)
def test_pictures_look_as_before(room: Path, suffix: str, modes: list[str]) -> None:
    (room / "in").mkdir()
    for mode in modes:
        sketch(mode=mode).save(room / "in" / f"{mode}.{suffix}", dpi=(72, 72))
    for name, data in made(room, ["Text"]).items():
        mode = name.partition(".")[0]
        shown, expected = np.asarray(drawn(data), int), np.asarray(sketch(mode=mode).convert("RGB"), int)
        assert shown.shape == expected.shape
        assert np.abs(shown - expected).mean() <= (2 if suffix == "jpg" or mode == "CMYK" else 0), name
        assert extracted(data) == ["Text"]


def test_a_jpeg_goes_in_as_it_is(room: Path) -> None:
    (room / "in").mkdir()
    sketch().save(room / "in" / "a.jpg", quality=50)
    turned = Image.Exif()
    turned[0x0112] = 6
    sketch().save(room / "in" / "turned.jpg", exif=turned)
    found = made(room, ["Text"])
    assert (room / "in" / "a.jpg").read_bytes() in found["a.jpg.pdf"]
    upright = drawn(found["turned.jpg.pdf"])
    assert upright.width > upright.height


def test_the_resolution_of_a_picture_gives_its_size_on_paper(room: Path) -> None:
    (room / "in").mkdir()
    sketch((600, 300)).save(room / "in" / "told.png", dpi=(300, 300))
    sketch((600, 300)).save(room / "in" / "silent.png")
    sketch((600, 300)).save(room / "in" / "wild.png", dpi=(1, 1))
    found = made(room, ["Text"])
    assert drawn(found["told.png.pdf"]).size == (144, 72)
    assert drawn(found["silent.png.pdf"]).size == drawn(found["wild.png.pdf"]).size == (216, 108)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("box", [(0, 0, 300, 400), (30, 50, 250, 370)])
def test_pages_of_a_pdf_stay_and_get_the_text_upright(room: Path, rotate: int, box: Sequence[float]) -> None:
    (room / "in").mkdir()
    before = pdf_of(sketch(), rotate, box)
    (room / "in" / "a.pdf").write_bytes(before)
    data = made(room, ["First line\nSecond line"])["a.pdf.pdf"]
    assert np.array_equal(np.asarray(drawn(before)), np.asarray(drawn(data)))
    assert extracted(data) == ["First line\nSecond line"]
    with pypdfium2.PdfDocument(data) as document:
        text = document[0].get_textpage()
        width, height = document[0].get_size()
        places = [text.get_charbox(at, loose=True) for at in range(text.count_chars())]
        inside = document[0].get_cropbox()
    for left, bottom, right, top in (place for place in places if place[2] > place[0]):
        assert inside[0] <= left <= right <= inside[2]
        assert inside[1] <= bottom <= top <= inside[3]
    upright = drawn(data)
    assert (upright.width > upright.height) == (width > height)


def test_pages_that_have_text_keep_it_or_are_drawn_anew(room: Path) -> None:
    (room / "in").mkdir()
    (room / "in" / "a.pdf").write_bytes(pdf_of(sketch(), text="Printed words"))
    before = drawn((room / "in" / "a.pdf").read_bytes())
    kept = made(room, ["Read words"])["a.pdf.pdf"]
    assert extracted(kept) == ["Printed words"]
    assert np.array_equal(np.asarray(drawn(kept)), np.asarray(before))
    anew = made(room, ["Read words"], replace_text=True)["a.pdf.pdf"]
    assert extracted(anew) == ["Read words"]
    difference = np.abs(np.asarray(drawn(anew), int) - np.asarray(before, int))
    assert difference.mean() < 2
    assert drawn(anew).size == before.size


def test_text_inside_a_form_counts_as_text(room: Path) -> None:
    (room / "in").mkdir()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(300, 400))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        form = pikepdf.Stream(pdf, b"BT /F 20 Tf 50 200 Td (Inside) Tj ET")
        form.Type, form.Subtype, form.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, [0, 0, 300, 400]
        form.Resources = pikepdf.Dictionary(Font={"/F": font})
        form.Resources.XObject = pikepdf.Dictionary()
        pdf.pages[0].Resources = pikepdf.Dictionary(XObject={"/Fm": pdf.make_indirect(form)})
        pdf.pages[0].Contents = pikepdf.Stream(pdf, b"/Fm Do")
        pdf.save(room / "in" / "a.pdf")
    assert extracted(made(room, ["Read words"])["a.pdf.pdf"]) == ["Inside"]


def test_nothing_acts_in_the_copy(room: Path) -> None:
    (room / "in").mkdir()
    with pikepdf.open(BytesIO(pdf_of(sketch()))) as pdf:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        launch = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe"))
        link = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.org/kept"))
        rect = [10, 10, 50, 50]
        notes = [
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=rect, A=action)
            for action in (script, launch, link)
        ]
        notes[2].AA = pikepdf.Dictionary(E=script)
        pdf.Root.OpenAction = script
        pdf.Root.Names = pikepdf.Dictionary(JavaScript={"/Names": [pikepdf.String("x"), script]})
        pdf.attachments["evil.exe"] = b"MZ evil"
        pdf.pages[0].AA = pikepdf.Dictionary(O=script)
        pdf.pages[0].Annots = pikepdf.Array(notes)
        pdf.save(room / "in" / "a.pdf")
    data = made(room, ["Text"])["a.pdf.pdf"]
    with pikepdf.open(BytesIO(data)) as pdf:
        plain = BytesIO()
        pdf.save(
            plain,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    for evil in (b"JavaScript", b"Launch", b"calc.exe", b"OpenAction", b"/AA", b"evil"):
        assert evil not in plain.getvalue()
    assert b"https://example.org/kept" in plain.getvalue()


def test_chosen_and_broken_pages(room: Path) -> None:
    (room / "in").mkdir()
    tiff(room / "in" / "corrupt.tif", 4)
    (room / "in" / "torn.png").write_bytes(picture(room / "p.png").read_bytes()[:60])
    found = made(room, ["one", "two", "three", "four"], chosen="2-4")
    assert list(found) == ["corrupt.tif.pdf"]  # there is nothing to show of the other
    assert extracted(found["corrupt.tif.pdf"]) == ["", "three", ""]
    with pikepdf.open(BytesIO(pdf_of(sketch()))) as pdf:
        pdf.pages.append(pdf.pages[0])
        pdf.pages.append(pdf.pages[0])
        pdf.save(room / "in" / "corrupt.pdf")
    found = made(room, ["one", "two", "three"], chosen="2-3")
    assert extracted(found["corrupt.pdf.pdf"]) == ["", "three"]
    assert drawn(found["corrupt.pdf.pdf"], 0).size == (300, 400)


def test_equal_documents_give_equal_bytes(room: Path) -> None:
    (room / "in").mkdir()
    sketch().save(room / "in" / "a.png")
    (room / "in" / "a.pdf").write_bytes(pdf_of(sketch()))
    one, two = (made_again(room, f"out{number}") for number in range(2))
    assert one == two


def made_again(room: Path, out: str) -> dict[str, bytes]:
    run_here(batch(room / "in", room / out, formats=("pdf",)), Telling(TEXTS["mixed"]))
    return outputs(room / out)


def test_letters_without_form_and_empty_pages(room: Path) -> None:
    (room / "in").mkdir()
    sketch().save(room / "in" / "a.png")
    sketch((301, 400)).save(room / "in" / "blank.png")
    found = made(room, ["a\tb\x00c\x1b[31m\ud800d\n\n\n \nlast"])
    assert extracted(found["a.png.pdf"]) == ["a bc[31m?d\nlast"]
    assert extracted(made_blank(room)) == [""]


def made_blank(room: Path) -> bytes:
    run_here(batch(room / "in", room / "out2", formats=("pdf",)), Telling(""))
    return outputs(room / "out2")["blank.png.pdf"]


def test_many_lines_and_long_ones_stay_on_the_page(room: Path) -> None:
    (room / "in").mkdir()
    sketch().save(room / "in" / "a.png")
    text = "\n".join(f"line {number} " + "long " * 100 for number in range(300))
    data = made(room, [text])["a.png.pdf"]
    (found,) = extracted(data)
    assert found.split() == text.split()


def test_the_font_is_a_font() -> None:
    font = TTFont(BytesIO(glyphless.font_file()), checkChecksums=2)
    assert font["maxp"].numGlyphs == 2
    assert font["head"].unitsPerEm == glyphless.EM
    assert font["hmtx"].metrics["glyph00001"] == (glyphless.ADVANCE, 0)
    empty, letter = (font["glyf"][name] for name in font.getGlyphOrder())
    assert empty.numberOfContours == 0
    assert (letter.xMin, letter.yMin, letter.xMax, letter.yMax) == (0, -200, 500, 800)
    assert list(letter.coordinates) == [(0, -200), (500, 800)]
    assert (font["hhea"].ascent, font["hhea"].descent) == (glyphless.ASCENT, glyphless.DESCENT)


def test_codes_end_where_the_font_ends() -> None:
    codes = glyphless.Codes()
    letters = "".join(chr(code) for code in range(0x20, 0x11000) if not 0xD800 <= code < 0xE000)
    assert len(codes.encode(letters)) == 2 * 0xFFFE
    assert codes.encode(letters[-1] + "A") == codes.encode("A") != b""
    assert codes.count == 0xFFFE
    assert len(codes.glyphs()) == 2 * 0xFFFF


def test_without_pikepdf_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pikepdf", None)
    with pytest.raises(MissingDependency, match="pip install"):
        searchable(None)  # type: ignore[arg-type]


def test_a_pdf_that_changes_before_it_is_joined_is_read_again(room: Path) -> None:
    """Its pages are shown: they must be the ones that were read."""
    path = picture(room / "in" / "a.png", 1)
    run_here(batch(room / "in", room / "out"))
    picture(path, 2)
    engine = Script()
    run_here(batch(room / "in", room / "out", formats=("pdf",)), engine)
    assert len(engine.asked) == 1


def test_pages_that_share_their_resources_share_the_font(room: Path) -> None:
    (room / "in").mkdir()
    with pikepdf.open(BytesIO(pdf_of(sketch()))) as pdf:
        pdf.pages[0].Resources.Font["/Unseen0"] = pdf.pages[0].Resources.Font["/F"]  # a name of ours, taken by another
        pdf.pages[0].Resources = pdf.make_indirect(pdf.pages[0].Resources)
        pdf.pages.append(pdf.pages[0])
        pdf.save(room / "in" / "a.pdf")
    data = made(room, ["first", "second"])["a.pdf.pdf"]
    assert extracted(data) == ["first", "second"]
    with pikepdf.open(BytesIO(data)) as pdf:
        assert sorted(pdf.pages[1].Resources.Font.keys()) == ["/F", "/Unseen0", "/Unseen1"]


@pytest.mark.parametrize("kind", ["PdfError", "PasswordError"])
def test_a_pdf_that_cannot_be_taken_over_fails_its_pdf_alone(
    room: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def refuse(path: str, password: str) -> None:
        raise getattr(pikepdf, kind)("secret words of the library")

    (room / "in").mkdir()
    (room / "in" / "a.pdf").write_bytes(pdf_of(sketch()))
    monkeypatch.setattr(pikepdf, "open", refuse)
    run_here(batch(room / "in", room / "out", formats=("pdf",)))
    (told,) = events(room / "out", "unwritten")
    assert told["code"] == "output_refused"
    assert "secret" not in str(told)


def test_a_page_that_cannot_be_parsed_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(page: object, operators: str) -> None:
        raise pikepdf.PdfError

    monkeypatch.setattr(pikepdf, "parse_content_stream", refuse)
    with pikepdf.open(BytesIO(pdf_of(sketch(), text="Printed"))) as pdf:
        assert not room_of_searchable._has_text(pikepdf, pdf.pages[0])


def test_forms_inside_forms_are_looked_at_once() -> None:
    """Each of thirty forms draws all of them: a walk over every path would not end."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        steps = " ".join(f"/F{number} Do" for number in range(30)).encode()
        forms = {f"/F{number}": pdf.make_indirect(pikepdf.Stream(pdf, steps)) for number in range(30)}
        shared = pdf.make_indirect(pikepdf.Dictionary(XObject=forms))
        for form in forms.values():
            form.Type, form.Subtype, form.Resources = pikepdf.Name.XObject, pikepdf.Name.Form, shared
        pdf.pages[0].Resources = shared
        pdf.pages[0].Contents = pikepdf.Stream(pdf, steps)
        assert not room_of_searchable._has_text(pikepdf, pdf.pages[0])
        forms["/F29"].write(b"BT (text) Tj ET")
        assert room_of_searchable._has_text(pikepdf, pdf.pages[0])


def test_a_closed_pdf_opens_with_its_password(room: Path) -> None:
    word = "secret"
    (room / "in").mkdir()
    plain = pikepdf.open(BytesIO(pdf_of(sketch())))
    plain.save(room / "in" / "closed.pdf", encryption=pikepdf.Encryption(owner="o", user=word))
    refused = room / "refused"
    run_here(batch(room / "in", refused, formats=("txt",)))
    assert [event["code"] for event in events(refused, "unreadable")] == ["pdf_encrypted"]
    out = room / "out"
    run_here(batch(room / "in", out, formats=("txt", "pdf"), password=word))
    found = outputs(out)
    assert found["closed.pdf.txt"].startswith(b"Text of closed.pdf")
    assert "Text of closed.pdf, page 1" in extracted(found["closed.pdf.pdf"])[0]
    assert all(b"secret" not in path.read_bytes() for path in out.rglob("*") if path.is_file())
