"""Headers and block lengths: formats, frames, cuts."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from got_ocr import formats
from got_ocr.errors import ImageCorrupt, ImageTruncated


def picture(shade: int = 0) -> Image.Image:
    rng = np.random.default_rng(shade)
    return Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))


def encoded(kind: str, frames: int = 1, **options: object) -> bytes:
    file = io.BytesIO()
    extra = {"save_all": True, "append_images": [picture(n) for n in range(1, frames)]} if frames > 1 else {}
    picture().save(file, kind, **extra, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


KINDS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]


@pytest.mark.parametrize("kind", KINDS)
def test_accepted_formats_are_told_by_their_bytes(kind: str) -> None:
    assert formats.sniff(encoded(kind)) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"8BPS\0\1",
        b"SIMPLE  =                    T",
        b"\0\0\1\0\1\0",
        b"\xd7\xcd\xc6\x9a",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"P6 4 4 255\n",
        b"PK\3\4",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"qoif",
    ],
)
def test_everything_else_is_unknown(data: bytes) -> None:
    assert formats.sniff(data.ljust(64, b"\0")) is None


def test_pdf_is_known_even_behind_some_junk_but_a_picture_wins() -> None:
    assert formats.sniff(b"%PDF-1.7\n") == "PDF"
    assert formats.sniff(b"junk\n" * 20 + b"%PDF-1.7\n") == "PDF"
    assert formats.sniff(b"x" * 1024 + b"%PDF-1.7\n") is None
    assert formats.sniff(formats.PNG_MAGIC + b"%PDF-1.7\n") == "PNG"


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_size_of_every_kind_of_webp(options: dict[str, object]) -> None:
    assert formats.size(encoded("WEBP", **options), "WEBP") == (32, 24)


def test_size_of_png_and_of_others() -> None:
    assert formats.size(encoded("PNG"), "PNG") == (32, 24)
    assert formats.size(encoded("JPEG"), "JPEG") is None


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frames_are_counted_without_decoding(kind: str, frames: int) -> None:
    data = encoded(kind, frames)
    assert formats.frames(data, kind) == frames
    with Image.open(io.BytesIO(data)) as opened:
        assert getattr(opened, "n_frames", 1) == frames


def test_frames_of_a_png_whose_default_picture_stands_apart() -> None:
    data = encoded("PNG", 3, default_image=True)
    assert formats.frames(data, "PNG") == 3


def test_frames_of_a_palette_gif_with_a_comment() -> None:
    file = io.BytesIO()
    frames = [picture(n).quantize(8) for n in range(4)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], comment=b"x" * 700, loop=0)
    assert formats.frames(file.getvalue(), "GIF") == 4


def test_frames_stop_being_counted() -> None:
    gif = encoded("GIF")
    image_block = b"," + bytes(9) + b"\2\0"
    assert formats.frames(gif[:13] + image_block * (formats.FRAMES_COUNTED * 2), "GIF") == formats.FRAMES_COUNTED


def test_clean_png_drops_what_is_no_pixel() -> None:
    data = encoded("PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 20)))
    noisy = data[:33] + text + chunk(b"iCCP", b"broken") + data[33:] + b"trailing <html>"
    assert formats.clean_png(noisy) == formats.clean_png(data)
    assert b"zTXt" not in formats.clean_png(noisy)


def test_clean_png_checks_what_it_keeps() -> None:
    data = bytearray(encoded("PNG"))
    data[data.index(b"IDAT") + 9] ^= 1
    with pytest.raises(ImageCorrupt):
        formats.clean_png(bytes(data))


def test_clean_png_needs_the_last_chunk() -> None:
    with pytest.raises(ImageTruncated):
        formats.clean_png(encoded("PNG")[:-12])


def test_many_empty_chunks_take_bounded_time() -> None:
    data = encoded("PNG")
    start = time.process_time()
    formats.clean_png(data[:33] + chunk(b"IDAT", b"") * 100_000 + data[33:])
    assert time.process_time() - start < 2


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "AVIF", "GIF"])
def test_cut_files_end_early_and_whole_ones_do_not(kind: str) -> None:
    data = encoded(kind)
    assert not formats.ends_early(data, kind)
    for cut in (20, len(data) // 2, len(data) - 3):
        assert formats.ends_early(data[:cut], kind)


def test_thumbnail_in_a_jpeg_header_does_not_hide_a_cut() -> None:
    data = encoded("JPEG")
    header = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    assert formats.ends_early(data[:2] + header + data[2:-40], "JPEG")


@pytest.mark.parametrize("big", [False, True])
def test_pages_of_a_tiff_are_cut_out_alone(big: bool) -> None:
    data = encoded("TIFF", 3, big_tiff=big)
    starts = formats.tiff_directories(data)
    assert len(starts) == 3
    for number, start in enumerate(starts):
        page = formats.tiff_page(data, start)
        assert formats.frames(page, "TIFF") == 1
        with Image.open(io.BytesIO(page)) as opened:
            assert np.array_equal(np.asarray(opened), np.asarray(picture(number)))


def test_directories_in_a_circle_are_followed_once() -> None:
    data = bytearray(encoded("TIFF", 2))
    first, second = formats.tiff_directories(bytes(data))
    entries = struct.unpack_from("<H", data, second)[0]
    struct.pack_into("<I", data, second + 2 + 12 * entries, first)
    assert formats.tiff_directories(bytes(data)) == (first, second)


def test_a_directory_whose_link_is_cut_off_is_still_a_page() -> None:
    data = encoded("TIFF")
    (start,) = formats.tiff_directories(data)
    entries = struct.unpack_from("<H", data, start)[0]
    cut = data[: start + 2 + 12 * entries + 2]
    assert formats.tiff_directories(cut) == (start,)
    assert formats.tiff_page(cut, start) == cut


def test_a_page_that_is_no_longer_there_is_told() -> None:
    data = encoded("TIFF", 3)
    last = formats.tiff_directories(data)[-1]
    with pytest.raises(ImageTruncated):
        formats.tiff_page(data[:last], last)


def test_boxes_that_reach_to_the_end_or_have_long_sizes() -> None:
    head = b"\0\0\0\x10ftypavif" + bytes(4)
    assert not formats.ends_early(head + b"\0\0\0\0mdat" + bytes(9), "AVIF")
    long_box = struct.pack(">I4sQ", 1, b"mdat", 40) + bytes(24)
    assert not formats.ends_early(head + long_box, "AVIF")
    assert formats.ends_early(head + long_box[:-1], "AVIF")
