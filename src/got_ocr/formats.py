"""What bytes say of themselves before anything is decoded: format, size, number of frames, whether they end early.

Reads headers and block lengths only, in time bounded by the file's length. Knows no pixel and raises only input errors.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

from got_ocr.errors import ImageCorrupt, ImageTruncated

FRAMES_COUNTED = 10_000

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Text and profile chunks may be bombs and say nothing of pixels; the animation's chunks are not needed for frame 0.
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG_EXIF_LIMIT = 1 << 20


def sniff(data: bytes) -> str | None:
    """Name the format by its first bytes, as Pillow names it, or PDF; None for anything not on the allow-list."""
    if data.startswith(b"RIFF"):
        return "WEBP" if data[8:12] == b"WEBP" else None
    if data[4:8] == b"ftyp":
        return "AVIF" if data[8:12] in (b"avif", b"avis") else None
    magics = (
        (PNG_MAGIC, "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"BM", "BMP"),
    )
    kind = next((name for magic, name in magics if data.startswith(magic)), None)
    return "PDF" if kind is None and b"%PDF-" in data[:1024] else kind


def size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Read (width, height) of a PNG or WebP, whose parsers do work before they can be asked; None for the others."""
    if kind == "PNG" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    if kind == "WEBP" and len(data) >= 30:
        return _webp_size(data)
    return None


def frames(data: bytes, kind: str) -> int:
    """Count the frames of an animation or the pages of a TIFF, up to FRAMES_COUNTED; 1 where the format holds one."""
    counters: dict[str, Callable[[bytes], Iterator[object]]] = {
        "PNG": _apng_frames,
        "GIF": _gif_frames,
        "WEBP": _webp_frames,
        "TIFF": _tiff_chain,
    }
    if kind not in counters:
        return 1
    return max(sum(1 for _ in islice(counters[kind](data), FRAMES_COUNTED)), 1)


def tiff_directories(data: bytes) -> tuple[int, ...]:
    """Find where the pages of a TIFF are described, FRAMES_COUNTED + 1 at most."""
    return tuple(islice((start for start, _ in _tiff_chain(data)), FRAMES_COUNTED + 1))


def tiff_page(data: bytes, start: int) -> bytes:
    """Give a copy of a TIFF whose only page is the one described at `start`: to seek the n-th would cost n steps.

    Raises ImageTruncated where nothing is at `start`.
    """
    order, _, _, link_size = _tiff_layout(data)
    page = bytearray(data)
    at = 4 if link_size == 4 else 8
    page[at : at + link_size] = start.to_bytes(link_size, order)
    _, link = next(_tiff_chain(page), (0, 0))
    if not link:
        raise ImageTruncated("the TIFF ends before this page")
    if link + link_size <= len(page):
        page[link : link + link_size] = bytes(link_size)
    return bytes(page)


def clean_png(data: bytes) -> bytes:
    """Keep what makes the upright pixels of a PNG; raises ImageTruncated, or ImageCorrupt for a wrong checksum."""
    kept = [PNG_MAGIC]
    for name, start, end in _png_chunks(data):
        small_exif = name == b"eXIf" and end - start <= _PNG_EXIF_LIMIT
        if name not in _PNG_KEPT and not small_exif:
            continue
        chunk = memoryview(data)[start:end]
        if name != b"eXIf" and zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise ImageCorrupt("the PNG is damaged: a checksum does not match")
        kept.append(bytes(chunk))
    return b"".join(kept)


def ends_early(data: bytes, kind: str) -> bool:
    """Tell whether the bytes of a picture that failed to decode stop before its own structure says."""
    length = len(data)
    if kind == "JPEG":
        return b"\xff\xd9" not in data[_jpeg_scan(data) :]
    if kind == "GIF":
        return data[-1:] != b";"
    if kind == "WEBP":
        return length < 12 or int.from_bytes(data[4:8], "little") + 8 > length
    if kind == "BMP":
        return length < 26 or int.from_bytes(data[2:6], "little") > length
    if kind == "AVIF":
        return _box_end(data) > length
    return False


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Walk (name, start, end) of the chunks up to IEND."""
    start = len(PNG_MAGIC)
    while start + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if end > len(data):
            break
        yield name, start, end
        if name == b"IEND":
            return
        start = end
    raise ImageTruncated("the PNG ends before its last chunk")


def _apng_frames(data: bytes) -> Iterator[object]:
    seen: set[bytes] = set()
    for name, _, _ in _png_chunks(data):
        default_picture = name == b"IDAT" and not seen  # one that stands before the animation, outside of it
        if name == b"fcTL" or default_picture:
            seen.add(name)
            yield name


def _gif_frames(data: bytes) -> Iterator[object]:
    at = 13 + _gif_palette(data, 10)
    while at < len(data):
        if data[at] == 0x2C:  # an image: descriptor, palette, code size, data
            yield at
            at += 11 + _gif_palette(data, at + 9)
        elif data[at] == 0x21:
            at += 2
        else:
            return
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1


def _gif_palette(data: bytes, at: int) -> int:
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp_size(data: bytes) -> tuple[int, int] | None:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _webp_frames(data: bytes) -> Iterator[object]:
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] == b"ANMF":
            yield at
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2


def _tiff_layout(data: bytes | bytearray) -> tuple[Literal["little", "big"], int, int, int]:
    """Give the byte order and the bytes of an entry count, an entry and a link, in classic or big TIFF."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    return (order, 8, 20, 8) if data[2:4] in (b"+\0", b"\0+") else (order, 2, 12, 4)


def _tiff_chain(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Follow the directories, once each, without reading their entries: (start, place of the link to the next)."""
    order, count_size, entry_size, link_size = _tiff_layout(data)
    at = int.from_bytes(data[4:8] if link_size == 4 else data[8:16], order)
    seen: set[int] = set()
    while 0 < at <= len(data) - count_size and at not in seen:
        seen.add(at)
        link = at + count_size + entry_size * int.from_bytes(data[at : at + count_size], order)
        yield at, link
        at = int.from_bytes(data[link : link + link_size], order)


def _jpeg_scan(data: bytes) -> int:
    """Find where the compressed data of a JPEG starts, past the thumbnails that its headers may hold."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            break
    return at


def _box_end(data: bytes) -> int:
    """Add up the top boxes of an ISO media file; more than its length when it is cut."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 0:
            return len(data)
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        at += max(length, 8)
    return at if at >= len(data) else len(data) + 1
