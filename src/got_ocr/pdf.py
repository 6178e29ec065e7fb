"""One page of a PDF to an RGB picture, and the text that it carries, by PDFium; the only file that touches it.

Scripts, actions, links and attachments are never run or followed: PDFium's form and script environment is not started.
Each call opens the document anew and closes it, so that nothing of an untrusted file outlives its page. Knows no page
range, folder or model.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from got_ocr.errors import ImageDecodeFailed, InputNotFound, PageRenderFailed, PdfCorrupt, PdfEncrypted
from got_ocr.image import Limits

POINTS_PER_INCH = 72
DEFAULT_DPI = 200
# Pages drawn in large units (a scan of one point per pixel, a poster) gain nothing from more: tiles are far smaller.
DEFAULT_LONG_SIDE = 6000

MOST_LETTERS = 100_000  # of a page's text: one with more is not worth its time

_PASSWORD_CODES = (4, 5)  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

# PDFium keeps global state: two calls at once, on any two documents, may corrupt it.
_PDFIUM = threading.Lock()


def count(file: Path | bytes, password: str | None) -> int:
    """Count the pages of a PDF, at least one; raises PdfCorrupt or PdfEncrypted."""
    with _opened(file, password) as document:
        return len(document)


def render(
    file: Path | bytes, index: int, *, password: str | None, dpi: float | None, limits: Limits
) -> tuple[Image.Image, float]:
    """Draw page `index` (from 0) on white and give it with the resolution used.

    dpi: None takes DEFAULT_DPI, or less where the long side would pass DEFAULT_LONG_SIDE. A resolution that would break
    the limits is lowered before anything is drawn. Raises PageRenderFailed for a broken page.
    """
    with _opened(file, password) as document, _page_border():
        _lay_down_fields(document, index)
        page = document[index]
        try:
            width, height = page.get_size()
            scale = _scale(width, height, dpi, limits)
            bitmap = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
            try:
                return bitmap.to_pil(), scale * POINTS_PER_INCH
            finally:
                bitmap.close()
        finally:
            page.close()


def text(file: Path | bytes, index: int, password: str | None) -> str:
    """Give the text that page `index` (from 0) carries inside its box, as the file tells it: nothing says that it is what is seen.

    "" where there is none, or more than MOST_LETTERS. Raises PageRenderFailed for a broken page.
    """
    with _opened(file, password) as document, _page_border():
        page = document[index]
        try:
            letters = page.get_textpage()
            try:
                return str(letters.get_text_bounded()) if 0 < letters.count_chars() <= MOST_LETTERS else ""
            finally:
                letters.close()
        finally:
            page.close()


def _lay_down_fields(document: Any, index: int) -> None:
    """Make what is filled into the fields of a form a part of its page, in memory: PDFium would draw it by its form
    environment alone, which is also what runs scripts. A page that refuses is drawn without."""
    import pypdfium2.raw as pdfium

    if pdfium.FPDF_GetFormType(document) == pdfium.FORMTYPE_NONE:
        return
    page = document[index]
    try:
        pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
    finally:
        page.close()  # takes effect in a page loaded after


def _scale(width: float, height: float, dpi: float | None, limits: Limits) -> float:
    """Give pixels per point so that the page, (width, height) in points, fits the limits."""
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise PageRenderFailed("the page has no area")
    long_side = limits.side if dpi is not None else min(DEFAULT_LONG_SIDE, limits.side)
    scale = (dpi or DEFAULT_DPI) / POINTS_PER_INCH
    scale = min(scale, long_side / max(width, height), math.sqrt(limits.pixels / (width * height)))
    while math.ceil(width * scale) * math.ceil(height * scale) > limits.pixels:
        scale *= 0.999
    return scale


@contextmanager
def _opened(file: Path | bytes, password: str | None) -> Iterator[Any]:
    with _PDFIUM:
        document = _open(file, password)
        try:
            yield document
        finally:
            document.close()


def _open(file: Path | bytes, password: str | None) -> Any:
    import pypdfium2

    code = None
    # A file that needs no password is refused with a wrong one: the second attempt is without.
    for attempt in dict.fromkeys((password or None, None)):
        try:
            return pypdfium2.PdfDocument(file, password=attempt)
        except pypdfium2.PdfiumError as error:
            code = error.err_code
        except OSError:
            raise InputNotFound("the PDF is no longer there, or not readable") from None
        except ValueError:  # a password that is no text
            code = _PASSWORD_CODES[0]
    if code in _PASSWORD_CODES:
        tried = "the password does not open it" if password else "give its password"
        raise PdfEncrypted(f"the PDF is encrypted: {tried}")
    raise PdfCorrupt("the PDF is damaged, or holds no page")


@contextmanager
def _page_border() -> Iterator[None]:
    try:
        yield
    except PageRenderFailed:
        raise
    except MemoryError:
        raise ImageDecodeFailed("the page needs more memory than there is") from None
    except Exception:  # PDFium's wrapper raises many kinds for a broken page
        raise PageRenderFailed("the page is damaged and cannot be drawn") from None
