"""What is read page by page: a picture, a TIFF of many frames, a PDF, a folder of them.

Pages are named first and decoded when asked for, one at a time, so that a broken page fails alone. Knows no parser
beyond `image` and `pdf`, and no model.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from got_ocr import formats, pdf
from got_ocr.errors import GotOcrError, InputError, InputNotFound, InvalidValue, TooManyPages
from got_ocr.image import Limits, Picture, Source, check_size, decode, display_name, load, read_bytes, read_file

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jfif", ".mpo", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".pdf"}
)
DPI_RANGE = (10, 2400)

_RANGE = re.compile(r"([0-9]*)(-?)([0-9]*)")
_RANGE_LENGTH = 1000
_HEAD = 1024  # bytes; a PDF may carry that much before its first line


@dataclass(frozen=True, slots=True)
class Page:
    """One page that is not decoded yet.

    number: counts from 1. of: pages in its document. source: the document's name, relative to the folder asked for.
    path: the file, None for bytes and objects.
    """

    number: int
    of: int
    source: str
    path: Path | None
    _decode: Callable[[], Picture] = field(repr=False, compare=False)
    _text: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def load(self) -> Picture:
        """Decode the page; raises InputError classes for a broken one."""
        return self._decode()

    @property
    def may_have_text(self) -> bool:
        """Say whether the page is of a kind that can carry its own text."""
        return self._text is not None

    def text(self) -> str:
        """Give the text that the page itself carries, "" for none. Untrusted: a file may carry any text beside any picture."""
        try:
            return self._text() if self._text else ""
        except GotOcrError:
            return ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """One document. decode, text: of a page by its index; text is None where pages carry none."""

    pages: int
    name: str
    path: Path | None
    decode: Callable[[int], Picture]
    text: Callable[[int], str] | None = None


@dataclass(frozen=True, slots=True)
class _Options:
    """How pages are drawn; see `pages`."""

    dpi: float | None
    limits: Limits
    password: str | None = field(repr=False)
    reference: bool


def pages(
    source: Source,
    *,
    pages: str | None = None,
    dpi: float | None = None,
    limits: Limits | None = None,
    password: str | None = None,
    reference: bool = False,
    recursive: bool = False,
) -> Iterator[Page]:
    """Name the pages of a document or of every document in a folder, in order.

    source: as for `image.load`, or a PDF, or a folder (natural order of names; links are not followed, folders inside
    only with `recursive`; hidden files and files that are no picture by name or content are left out). pages: a range
    such as "1-3,7", for one document. dpi: for PDF pages, 200 at most when None. reference: as for `image.load`.
    A single document that cannot be opened raises at once; one in a folder becomes a page that raises when loaded.
    A lowered resolution is noticed as `dpi_used:N`.
    Raises InputNotFound, PdfCorrupt, PdfEncrypted, TooManyPages, picture errors; InvalidValue for a bad argument.
    """
    if dpi is not None and not DPI_RANGE[0] <= dpi <= DPI_RANGE[1]:
        raise InvalidValue(f"the resolution lies between {DPI_RANGE[0]} and {DPI_RANGE[1]} dpi")
    options = _Options(dpi, limits or Limits(), password, reference)
    if isinstance(source, str | Path) and Path(source).is_dir():
        if pages is not None:
            raise InvalidValue("a page range is for one document: leave it out for a folder")
        return _folder(Path(source), recursive, options)
    return iter(_document(source, pages, options))


def count(source: Source, *, limits: Limits | None = None, password: str | None = None) -> int:
    """Count the pages of one document without decoding any; raises as `pages` does, but never TooManyPages."""
    return _opened(source, _Options(None, limits or Limits(), password, False)).pages


def parse_pages(text: str, count: int) -> tuple[int, ...]:
    """Read a page range such as "1-3,7", "2-" or "-4" for a document of `count` pages: page numbers from 1, each once.

    Raises InvalidValue for anything else, and for pages that the document does not have.
    """
    chosen: dict[int, None] = {}
    for part in text[:_RANGE_LENGTH].split(","):
        match = _RANGE.fullmatch(part.strip())
        if len(text) > _RANGE_LENGTH or match is None or not (match[1] or match[3]):
            raise InvalidValue('a page range is written as in "1-3,7", "2-" or "-4"')
        first = int(match[1] or 1)
        last = int(match[3] or count) if match[2] else first
        if not 1 <= first <= last <= count:
            raise InvalidValue(f"the page range does not fit: the document has {count} pages, counted from 1")
        chosen.update(dict.fromkeys(range(first, last + 1)))
    return tuple(chosen)


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Give a sort key that puts "page2" before "page10"; numbers before letters, case only between equals."""
    parts = [part for part in re.split(r"([0-9]+)", name.casefold()) if part]
    numbers = [part.lstrip("0") if part[0] in "0123456789" else None for part in parts]
    # A number is compared by its length, then digit by digit: names may hold more digits than an int is read from.
    key = [
        (1, 0, part) if number is None else (0, len(number), number)
        for part, number in zip(parts, numbers, strict=True)
    ]
    return tuple(key), name


def _document(source: Source, chosen: str | None, options: _Options, name: str | None = None) -> list[Page]:
    """Name the chosen pages of one document."""
    found = _opened(source, options)
    numbers: Iterable[int] = range(1, found.pages + 1)
    if chosen is not None:
        numbers = parse_pages(chosen, found.pages)
    wanted, most = len(list(numbers)), options.limits.pages
    if most is not None and wanted > most:
        raise TooManyPages(f"{wanted} pages were asked for and at most {most} are read: choose a range of pages")
    title, text = name or found.name, found.text
    return [
        Page(n, found.pages, title, found.path, partial(found.decode, n - 1), partial(text, n - 1) if text else None)
        for n in numbers
    ]


def _opened(source: Source, options: _Options) -> _Opened:
    """Open one document; only a TIFF is read whole for that."""
    limits, reference = options.limits, options.reference
    if isinstance(source, np.ndarray | Image.Image):
        return _Opened(1, "picture", None, lambda index: load(source, reference=reference, limits=limits))
    path = Path(source) if isinstance(source, str | Path) else None
    if path is not None:
        name, kind = display_name(path.name), formats.sniff(read_file(path, _HEAD))
        if kind == "PDF":
            return _opened_pdf(path, name, path, options)
        if kind != "TIFF":
            return _Opened(1, name, path, lambda index: load(path, reference=reference, limits=limits))
    data, name = read_bytes(source, limits)
    kind = formats.sniff(data)
    if kind == "PDF":
        return _opened_pdf(data, name, path, options)
    if kind == "TIFF":
        return _opened_tiff(data, name, path, options)
    return _Opened(1, name, path, lambda index: decode(data, name, reference=reference, limits=limits))


def _opened_pdf(file: Path | bytes, name: str, path: Path | None, options: _Options) -> _Opened:
    def draw(index: int) -> Picture:
        drawn, used = pdf.render(file, index, password=options.password, dpi=options.dpi, limits=options.limits)
        check_size(drawn.size, options.limits)
        lowered = used < (options.dpi or pdf.DEFAULT_DPI) - 0.5
        return Picture(drawn, (f"dpi_used:{max(round(used), 1)}",) if lowered else (), name)

    def text(index: int) -> str:
        return pdf.text(file, index, options.password)

    return _Opened(pdf.count(file, options.password), name, path, draw, text)


def _opened_tiff(data: bytes, name: str, path: Path | None, options: _Options) -> _Opened:
    starts = formats.tiff_directories(data)
    if len(starts) > formats.FRAMES_COUNTED:
        raise TooManyPages(f"the TIFF has more than {formats.FRAMES_COUNTED} pages")

    held = data if path is None else None  # a file is read again for each page: many may be named before any is read

    def cut(index: int) -> Picture:
        whole = read_bytes(path, options.limits)[0] if path is not None else held or b""
        frame = formats.tiff_page(whole, starts[index]) if len(starts) > 1 else whole
        return decode(frame, name, reference=options.reference, limits=options.limits)

    return _Opened(max(len(starts), 1), name, path, cut)


def _folder(root: Path, recursive: bool, options: _Options) -> Iterator[Page]:
    """List the folder now, open its documents one after another."""
    found = list(_listed(root, recursive))
    if not found:
        raise InputNotFound(f"no picture or PDF lies in the folder {display_name(root.name)}")
    found.sort(key=lambda path: [natural_key(part) for part in path.relative_to(root).parts])
    return (page for path in found for page in _folder_entry(path, display_name(str(path.relative_to(root))), options))


def _folder_entry(path: Path, name: str, options: _Options) -> list[Page]:
    try:
        if path.is_symlink():
            raise InputNotFound(f"not a regular file: {name}")
        return _document(path, None, options, name)
    except InputError as error:
        return [Page(1, 1, name, path, partial(_fail, error))]


def _fail(error: InputError, index: int = 0) -> Picture:
    raise error


def _listed(folder: Path, recursive: bool) -> Iterator[Path]:
    """Find what is, or by its name claims to be, a picture or a PDF. Links and devices are named, never opened."""
    try:
        with os.scandir(folder) as entries:
            listed = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:
        raise InputNotFound(f"the folder cannot be read: {display_name(folder.name)}") from None
    for entry in listed:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if recursive:
                yield from _listed(path, recursive)
        elif path.suffix.lower() in SUFFIXES or (entry.is_file(follow_symlinks=False) and _looks_readable(path)):
            yield path


def _looks_readable(path: Path) -> bool:
    try:
        head = read_file(path, _HEAD)
    except InputNotFound:
        return False
    kind = formats.sniff(head)
    if kind == "PDF":  # a program or a text may well speak of PDFs in its first lines
        return head.startswith(b"%PDF-")
    return kind not in (None, "BMP")  # two letters are too little to tell a BMP from a text
