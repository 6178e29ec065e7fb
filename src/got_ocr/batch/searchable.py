"""Searchable PDF: the page as it is, and under it the text that was read, unseen, to be found and copied.

Text is placed by the page: its lines stand one below the other over the height of the page, since the model gives no places.
Pages of a PDF are taken over as they are, without what would act when they are opened; pages that have text keep it, and
get no second one, unless they are to be drawn anew. The only file that touches pikepdf.
"""

import unicodedata
from contextlib import suppress
from io import BytesIO
from itertools import count
from typing import Any

import numpy as np
from PIL import Image

from got_ocr.batch.glyphless import ADVANCE, ASCENT, DESCENT, EM, Codes, font_file
from got_ocr.batch.outputs import Finished
from got_ocr.batch.records import Record
from got_ocr.errors import MissingDependency, OutputRefused
from got_ocr.image import Limits, Picture, read_file

_MARGIN = 0.05  # of the page's sides
_LARGEST_TYPE = 12.0  # points
_DPI, _DPI_RANGE = 200.0, (30.0, 2400.0)  # of a picture that does not say, and of one that can be believed
_A4 = (595.0, 842.0)
_MOST_POINTS = 14_400.0  # the longest side that readers of PDF take
_SHOWING = ("Tj", "TJ", "'", '"')
_HARMLESS = ("/URI", "/GoTo")


def check() -> None:
    """Raise MissingDependency where searchable PDFs cannot be made."""
    _pikepdf()


def searchable(finished: Finished, *, replace_text: bool = False, password: str | None = None) -> bytes:
    """Make the PDF of a document; equal documents give equal bytes. Raises OutputRefused, MissingDependency, InputError."""
    pikepdf = _pikepdf()
    with pikepdf.new() as pdf:
        layer = _Layer(pikepdf, pdf)
        if finished.kind == "PDF":
            _add_pdf(pikepdf, pdf, layer, finished, replace_text, password or "")
        else:
            for number, page in finished.pages.items():
                _add_picture(pikepdf, pdf, layer, finished, number, page.text if isinstance(page, Record) else None)
        layer.finish()
        out = BytesIO()
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


def _add_pdf(pikepdf: Any, pdf: Any, layer: "_Layer", finished: Finished, replace_text: bool, password: str) -> None:
    """Take over the pages of a PDF."""
    try:
        source = pikepdf.open(finished.entry.path, password=password)
    except (pikepdf.PdfError, pikepdf.PasswordError, OSError):
        raise OutputRefused("its pages cannot be taken over into another PDF") from None
    with source:
        for number, page in finished.pages.items():
            pdf.pages.append(source.pages[number - 1])
            copied = pdf.pages[-1]
            _disarm(copied)
            if not isinstance(page, Record):
                continue
            if not _has_text(pikepdf, copied):
                layer.add(copied, page.text)
            elif replace_text:
                _, width, height = _seen(copied)
                del pdf.pages[-1]
                _draw(pikepdf, pdf, finished.page(number).load(), b"", (width, height))
                layer.add(pdf.pages[-1], page.text)


def _add_picture(pikepdf: Any, pdf: Any, layer: "_Layer", finished: Finished, number: int, text: str | None) -> None:
    """Make a page of a picture; of one that could not be decoded, an empty one, so that numbers stay."""
    if text is None:
        _new_page(pdf, _A4)
        return
    picture = finished.page(number).load()
    data, dpi = _original(finished, picture)
    width, height = picture.image.size
    points = min(72 / dpi, _MOST_POINTS / max(width, height))
    _draw(pikepdf, pdf, picture, data, (round(width * points, 2), round(height * points, 2)))
    layer.add(pdf.pages[-1], text)


def _original(finished: Finished, picture: Picture) -> tuple[bytes, float]:
    """Give (the JPEG's own bytes where a PDF can show them as they are, or b""; resolution) of a picture file."""
    data = read_file(finished.page(1).path or _nowhere(), Limits().file_bytes)
    dpi, direct = _DPI, False
    # It has been decoded already: its header alone is read once more.
    with suppress(Exception), Image.open(BytesIO(data), formats=[finished.kind]) as header:
        direct = header.format == "JPEG" and header.mode in ("L", "RGB") and not picture.notices
        told = float(header.info.get("dpi", (_DPI,))[0])
        dpi = told if _DPI_RANGE[0] <= told <= _DPI_RANGE[1] else _DPI
    return (data if direct else b""), dpi


def _nowhere() -> Any:
    raise OutputRefused("the document has no file")


def _draw(pikepdf: Any, pdf: Any, picture: Picture, jpeg: bytes, size: tuple[float, float]) -> None:
    """Append a page of `size` points that shows a picture, without loss, or by the JPEG's own bytes."""
    image = picture.image
    if not jpeg and _is_grey(image):
        image = image.getchannel(0)
    stream = pikepdf.Stream(pdf, jpeg or _png_rows(image))
    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    stream.Width, stream.Height = image.size
    stream.BitsPerComponent = 8
    grey = image.mode == "L" or (jpeg and _jpeg_is_grey(jpeg))
    stream.ColorSpace = pikepdf.Name.DeviceGray if grey else pikepdf.Name.DeviceRGB
    stream.Filter = pikepdf.Name.DCTDecode if jpeg else pikepdf.Name.FlateDecode
    if not jpeg:
        stream.DecodeParms = pikepdf.Dictionary(Predictor=15, Colors=1 if grey else 3, Columns=image.width)
    page = _new_page(pdf, size)
    page.add_resource(stream, pikepdf.Name.XObject, pikepdf.Name.Page)
    page.contents_add(f"q {size[0]:.4f} 0 0 {size[1]:.4f} 0 0 cm /Page Do Q\n".encode("ascii"))


def _new_page(pdf: Any, size: tuple[float, float]) -> Any:
    pdf.add_blank_page(page_size=size)
    page = pdf.pages[-1]
    del page.obj["/Contents"]  # a stream of no bytes, which some readers take for a broken one
    return page


def _is_grey(image: Image.Image) -> bool:
    pixels = np.asarray(image)
    return bool((pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all())


def _jpeg_is_grey(data: bytes) -> bool:
    with Image.open(BytesIO(data), formats=["JPEG"]) as header:
        return header.mode == "L"


def _png_rows(image: Image.Image) -> bytes:
    """Give a picture's compressed rows as PNG writes them, which a PDF takes as they are."""
    out = BytesIO()
    image.save(out, "PNG")
    data, at, rows = out.getvalue(), 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            rows.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(rows)


class _Layer:
    """Add unseen text to pages; the font that all of them share is completed at the end."""

    def __init__(self, pikepdf: Any, pdf: Any) -> None:
        self._pikepdf, self._pdf = pikepdf, pdf
        self._codes = Codes()
        self._font = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Font))

    def add(self, page: Any, text: str) -> None:
        """Set a page's text, line by line from its top."""
        lines = [line for line in (_clean(line) for line in text.splitlines()) if line]
        if not lines:
            return
        matrix, width, height = _seen(page)
        step = height * (1 - 2 * _MARGIN) / len(lines)
        size = min(_LARGEST_TYPE, step * 0.9)
        parts = [f"q {' '.join(f'{value:g}' for value in matrix)} cm BT 3 Tr {self._name(page)} {size:.4f} Tf"]
        for at, line in enumerate(lines):
            code = self._codes.encode(line)
            wide = size * len(code) / 2 * ADVANCE / EM
            squeeze = min(1.0, width * (1 - 2 * _MARGIN) / max(wide, 1e-6))
            top = height * (1 - _MARGIN) - at * step
            below = f"1 0 0 1 {width * _MARGIN:.4f} {top - size * ASCENT / EM:.4f} Tm"
            parts.append(f"{squeeze * 100:.4f} Tz {below} <{code.hex()}> Tj")
        # Before the page's own marks, which may leave the axes bent behind them.
        page.contents_add(("\n".join(parts) + "\nET Q\n").encode("ascii"), prepend=True)

    def _name(self, page: Any) -> str:
        """Make the font known to a page, whose resources other pages may share, under a name that is free."""
        fonts = page.resources.get("/Font", {})
        for number in count():
            name = f"/Unseen{number}"
            if name not in fonts:
                page.add_resource(self._font, self._pikepdf.Name.Font, self._pikepdf.Name(name))
                return name
            if fonts[name].objgen == self._font.objgen:
                return name
        raise AssertionError  # counting has no end

    def finish(self) -> None:
        """Complete the font."""
        p, pdf = self._pikepdf, self._pdf
        file = p.Stream(pdf, font_file())
        file.Length1 = len(font_file())
        label = p.Name("/GOTOCR+Unseen")
        descriptor = p.Dictionary(
            Type=p.Name.FontDescriptor,
            FontName=label,
            Flags=4,
            FontBBox=[0, DESCENT, ADVANCE, ASCENT],
            ItalicAngle=0,
            Ascent=ASCENT,
            Descent=DESCENT,
            CapHeight=ASCENT,
            StemV=80,
            FontFile2=pdf.make_indirect(file),
        )
        letters = p.Dictionary(
            Type=p.Name.Font,
            Subtype=p.Name.CIDFontType2,
            BaseFont=label,
            CIDSystemInfo=p.Dictionary(Registry=p.String("Adobe"), Ordering=p.String("Identity"), Supplement=0),
            DW=ADVANCE,
            FontDescriptor=pdf.make_indirect(descriptor),
            CIDToGIDMap=pdf.make_indirect(p.Stream(pdf, self._codes.glyphs())),
        )
        self._font.Subtype, self._font.BaseFont = p.Name.Type0, label
        self._font.Encoding = p.Name("/Identity-H")
        self._font.DescendantFonts = p.Array([pdf.make_indirect(letters)])
        self._font.ToUnicode = pdf.make_indirect(p.Stream(pdf, self._codes.to_unicode()))


def _clean(line: str) -> str:
    """Drop what is no letter to a reader of PDF; a tab becomes a blank."""
    kept = (c for c in line.replace("\t", " ") if unicodedata.category(c) not in ("Cc", "Cs", "Cn"))
    return "".join(kept).strip()


def _seen(page: Any) -> tuple[tuple[float, ...], float, float]:
    """Give (matrix from the page as it is seen to its own axes, width, height as seen)."""
    x0, y0, x1, y1 = (float(value) for value in page.cropbox)
    x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    turn = int(page.obj.get("/Rotate", 0)) % 360
    width, height = (y1 - y0, x1 - x0) if turn in (90, 270) else (x1 - x0, y1 - y0)
    matrices = {90: (0, 1, -1, 0, x1, y0), 180: (-1, 0, 0, -1, x1, y1), 270: (0, -1, 1, 0, x0, y1)}
    return matrices.get(turn, (1, 0, 0, 1, x0, y0)), width, height


def _has_text(pikepdf: Any, page: Any) -> bool:
    """Say whether a page, or a form that it draws, shows text; a stream that cannot be parsed shows none."""
    waiting, known = [(page, page.resources)], set()
    while waiting:
        drawn, resources = waiting.pop()
        try:
            steps = pikepdf.parse_content_stream(drawn, "Tj TJ ' \" Do")
        except (pikepdf.PdfError, TypeError):
            continue
        if any(str(operator) in _SHOWING for _, operator in steps):
            return True
        found = resources.get("/XObject", {})
        for name in {str(operands[0]) for operands, _ in steps if operands}:
            form = found.get(name)
            if form is not None and form.get("/Subtype") == "/Form" and form.objgen not in known:
                known.add(form.objgen)
                waiting.append((form, form.get("/Resources", {})))
    return False


def _disarm(page: Any) -> None:
    """Take away what would act by itself or start anything: actions other than links."""
    for key in ("/AA", "/Metadata", "/Thumb"):
        if key in page.obj:
            del page.obj[key]
    with suppress(TypeError, ValueError):
        for note in page.obj.get("/Annots", []):
            if "/AA" in note:
                del note["/AA"]
            if "/A" in note and note["/A"].get("/S") not in _HARMLESS:
                del note["/A"]


def _pikepdf() -> Any:
    try:
        import pikepdf
    except ImportError:
        raise MissingDependency("searchable PDF needs pikepdf: pip install 'got-ocr[batch]'") from None
    return pikepdf
