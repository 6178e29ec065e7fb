"""How read pages are written down: plain text, Markdown, one HTML page, or a JSON line for each. Knows no model."""

import json
import unicodedata
from dataclasses import asdict
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from got_ocr.errors import GotOcrError
    from got_ocr.reading import Reading

FORMATS = ("txt", "md", "gfm", "html", "json")
JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Persian, Hindi and others


class PageWriter:
    """Write pages to `out` in a form of FORMATS, each as soon as it is there; html waits for `close`."""

    def __init__(self, form: str, out: IO[str]) -> None:
        self._form = form
        self._out = out
        self._for_eyes = out.isatty()
        self._begun = False  # whether a text stands above the next one
        self._piece_written = False
        self._sheets: list[tuple[str, bytes | None]] = []

    def piece(self, text: str) -> None:
        """Print a piece of the page that is being read."""
        if not self._piece_written:
            self._gap()
            self._piece_written = True
        self._write(text)

    def reading(self, reading: "Reading", *, printed: bool, picture: bytes | None = None) -> None:
        """Write a page; `printed` says that its pieces are out already. picture: stands beside the text in html."""
        if self._form == "json":
            self._write(json.dumps(asdict(reading), ensure_ascii=False) + "\n")
        elif self._form == "html":
            self._sheets.append((reading.text, picture))
        elif printed and self._piece_written:
            self._end_line()
        else:
            self._gap()
            self._write(self._text(reading.text) + "\n")

    def failure(self, source: str, page: int, error: "GotOcrError") -> None:
        """Write what stands in a failed page's place: nothing in a text."""
        if self._form == "json":
            said = {"code": error.code, "message": str(error)}
            row = {"source": source, "page": page, "status": "failed", "error": said}
            self._write(json.dumps(row, ensure_ascii=False) + "\n")
        elif self._form == "html":
            self._sheets.append((f"[{error.code}] {error}", None))
        elif self._piece_written:
            self._end_line()

    def close(self) -> None:
        """Write what could not be written page by page."""
        if self._form == "html":
            from got_ocr.render import render_pages

            self._write(render_pages(self._sheets, "got-ocr"))

    def _text(self, text: str) -> str:
        if self._form == "txt":
            return text
        from got_ocr.render import render

        return str(render(text, to=self._form)).rstrip("\n")

    def _gap(self) -> None:
        if self._begun:
            self._write("\n")
        self._begun = True

    def _end_line(self) -> None:
        self._write("\n")
        self._piece_written = False

    def _write(self, text: str) -> None:
        self._out.write(harmless(text) if self._for_eyes else text)
        self._out.flush()


def thumbnail(picture: "Image.Image") -> bytes:
    """Make a JPEG to look at, at most 1600 pixels wide or high."""
    import io

    shown = picture.copy()
    shown.thumbnail((1600, 1600))
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=85)
    return file.getvalue()


def harmless(text: str) -> str:
    """Drop what could steer a terminal or turn the direction of writing: a page may have any text printed on it."""
    return "".join(c for c in text if c in "\n\t" or c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf"))
