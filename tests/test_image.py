"""Files, bytes, arrays and PIL pictures to upright RGB."""

import io
import os
import struct
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from got_ocr import image
from got_ocr.errors import (
    BodyTooLarge,
    ImageTooManyPixels,
    ImageTooSmall,
    InputNotFound,
    InvalidValue,
)
from got_ocr.image import Limits

KINDS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]
ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def quiet(recwarn: pytest.WarningsRecorder, capfd: pytest.CaptureFixture[str]) -> None:
    """Keep what C libraries print out of the report; warnings are errors in this file."""
    warnings.simplefilter("error")


def noise(width: int = 32, height: int = 24, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(source: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    source.copy().save(file, kind, **options)  # a picture remembers the encoder of its last file
    return file.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def same(loaded: image.Picture, expected: Image.Image) -> bool:
    return np.array_equal(np.asarray(loaded.image), np.asarray(expected))


# --- sources ------------------------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same_pixels(tmp_path: Path) -> None:
    picture = noise()
    data = encoded(picture, "PNG")
    path = tmp_path / "a picture.png"
    path.write_bytes(data)
    sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), picture, np.asarray(picture)]
    for source in sources:
        loaded = image.load(source)  # type: ignore[arg-type]
        assert same(loaded, picture)
        assert loaded.image.mode == "RGB"
        assert loaded.notices == ()
    assert image.load(path).source == "a picture.png"


@pytest.mark.parametrize("kind", KINDS)
def test_every_accepted_format_loads_whatever_its_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "lies.txt"
    path.write_bytes(encoded(Image.new("RGB", (40, 30), (200, 30, 60)), kind))
    loaded = image.load(path)
    assert loaded.image.size == (40, 30)
    assert np.abs(np.asarray(loaded.image).astype(int) - (200, 30, 60)).max() <= 6
    assert loaded.image.info == {}


@pytest.mark.parametrize(
    ("array", "corner"),
    [
        (np.full((9, 10), 7, np.uint8), (7, 7, 7)),
        (np.full((9, 10, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((9, 10), 0x8180, np.uint16), (0x81, 0x81, 0x81)),
        (np.full((9, 10, 3), 0.5), (128, 128, 128)),
        (np.full((9, 10, 3), 1, np.float16), (255, 255, 255)),
        (np.ones((9, 10), bool), (255, 255, 255)),
        (np.zeros((9, 10, 4), np.uint8), (255, 255, 255)),
        (np.full((20, 20), 7, np.uint8)[::2, ::-2], (7, 7, 7)),
    ],
)
def test_arrays(array: np.ndarray, corner: tuple[int, int, int]) -> None:
    loaded = image.load(array)
    assert loaded.image.size == (array.shape[1], array.shape[0])
    assert loaded.image.getpixel((0, 0)) == corner


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((9, 9), np.int64),
        np.full((9, 9), 255.0),
        np.full((9, 9), np.nan),
        np.full((9, 9), -0.1),
        np.zeros((3, 9, 9), np.uint8),
        np.zeros((9, 9, 9, 3), np.uint8),
        np.full((9, 9), "a"),
        np.zeros(9, np.uint8),
        np.asarray(7),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray) -> None:
    with pytest.raises(InvalidValue):
        image.load(array)


@pytest.mark.parametrize("source", [None, 3, io.StringIO("text"), ["a.png"]])
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(InvalidValue):
        image.load(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["missing.png", "a\0b.png", "x" * 300, "."])
def test_absent_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputNotFound):
        image.load(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputNotFound, match="not a regular file"):
        image.load(tmp_path / "pipe.png")


def test_messages_show_a_safe_name_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound) as caught:
        image.load(tmp_path / "a\x1b[31m\nb\udcff.png")
    assert str(caught.value).encode("utf-8")
    assert "a?[31m?b?.png" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_file_size_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(noise(), "PNG"))
    for source in (path, path.read_bytes(), path.open("rb")):
        with pytest.raises(BodyTooLarge, match="100 bytes"):
            image.load(source, limits=Limits(file_bytes=100))
        if hasattr(source, "close"):
            source.close()


# --- upright ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    corners = Image.new("RGB", (32, 16), "white")  # upright: red above left, green above right
    corners.paste("red", (0, 0, 16, 8))
    corners.paste("green", (16, 0, 32, 8))
    stored = {
        1: lambda p: p,
        2: lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda p: p.transpose(Image.Transpose.ROTATE_180),
        4: lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda p: p.transpose(Image.Transpose.TRANSPOSE),
        6: lambda p: p.transpose(Image.Transpose.ROTATE_90),
        7: lambda p: p.transpose(Image.Transpose.TRANSVERSE),
        8: lambda p: p.transpose(Image.Transpose.ROTATE_270),
    }[orientation](corners)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(kind, {})
    loaded = image.load(encoded(stored, kind, exif=exif.tobytes(), **options))
    assert np.abs(np.asarray(loaded.image).astype(int) - np.asarray(corners)).max() <= (12 if kind == "JPEG" else 0)
    assert loaded.notices == (("orientation_applied",) if orientation > 1 else ())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "I;16", "F"])
def test_orientation_works_in_every_mode(mode: str) -> None:
    values = np.zeros((16, 32), np.uint16)
    values[:8, :16] = 65535
    stored = (
        Image.fromarray(values) if mode == "I;16" else Image.fromarray((values >> 8).astype(np.uint8)).convert(mode)
    )
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    loaded = image.load(encoded(stored, "TIFF", exif=exif))
    assert loaded.image.size == (16, 32)
    bright = np.asarray(loaded.image)[..., 0] > 100
    assert bright[:16, 8:].all()
    assert bright.sum() == 128


def test_an_opened_picture_is_turned_too() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for kind in ("PNG", "TIFF"):
        opened = Image.open(io.BytesIO(encoded(noise(), kind, exif=exif)))
        loaded = image.load(opened)
        assert loaded.image.size == (24, 32)
        assert loaded.notices == ("orientation_applied",)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_bad_exif_is_ignored(kind: str, exif: bytes) -> None:
    picture = Image.new("RGB", (32, 24), "white")
    loaded = image.load(encoded(picture, kind, exif=exif))
    assert loaded.image.size == (32, 24)
    assert loaded.notices == ()


def test_reference_does_what_other_ports_do(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    cases = {
        "turned.jpg": encoded(noise(), "JPEG", exif=exif),
        "clear.png": encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"),
        "clear-palette.png": encoded(Image.new("P", (20, 20)), "PNG", transparency=0),
        "deep.png": encoded(Image.fromarray(np.full((20, 20), 300, np.uint16)), "PNG"),
        "ink.tif": encoded(Image.new("CMYK", (20, 20), (255, 0, 0, 0)), "TIFF"),
    }
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        with Image.open(path) as opened:
            expected = opened.convert("RGB")
        assert same(image.load(path, reference=True), expected), name
    assert not same(image.load(tmp_path / "clear.png"), Image.new("RGB", (20, 20)))
    assert image.load(tmp_path / "turned.jpg", reference=True).image.size == (32, 24)


def test_sixteen_bit_grey_png_is_right() -> None:
    ramp = np.linspace(0, 65535, 32 * 24).astype(np.uint16).reshape(24, 32)
    loaded = image.load(encoded(Image.fromarray(ramp), "PNG"))
    assert np.array_equal(np.asarray(loaded.image)[..., 2], ramp >> 8)


def test_adobe_cmyk_jpeg_is_not_inverted() -> None:
    loaded = image.load(encoded(Image.new("CMYK", (32, 32), (0, 0, 0, 0)), "JPEG"))
    assert np.asarray(loaded.image).min() >= 250


# --- frames -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF", "AVIF", "MPO"])
def test_first_frame_is_taken_and_the_rest_counted(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    loaded = image.load(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert np.abs(np.asarray(loaded.image).astype(int) - (255, 0, 0)).max() <= 6
    assert loaded.notices == ("frames_ignored:2",)


# --- limits -------------------------------------------------------------------------------------------------


def png_of(width: int, height: int, body: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def patched(kind: str, width: int, height: int) -> bytes:
    """Write another size into the header of a small file."""
    data = bytearray(encoded(noise(16, 16), kind))
    if kind == "GIF":
        struct.pack_into("<HH", data, 6, width, height)
        at = data.index(b",", 13 + 3 * 256)
        struct.pack_into("<HH", data, at + 5, width, height)
    elif kind == "BMP":
        struct.pack_into("<ii", data, 18, width, height)
    elif kind == "JPEG":
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    elif kind == "WEBP":
        struct.pack_into("<HH", data, 26, width, height)
    elif kind == "TIFF":
        entries = struct.unpack_from("<I", data, 4)[0] + 2
        struct.pack_into("<HHII", data, entries, 256, 4, 1, width)
        struct.pack_into("<HHII", data, entries + 12, 257, 4, 1, height)
    elif kind == "AVIF":
        struct.pack_into(">II", data, data.index(b"ispe") + 8, width, height)
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_bombs_are_refused_by_their_header(kind: str) -> None:
    side = 16383 if kind == "WEBP" else 13_000
    bomb = png_of(side, side, zlib.compress(bytes(1000))) if kind == "PNG" else patched(kind, side, side)
    image.load(encoded(noise(), kind))  # the parser's own import is not what is timed
    start = time.process_time()
    with pytest.raises(ImageTooManyPixels):
        image.load(bomb)
    assert time.process_time() - start < 0.05


def test_a_real_bomb_is_refused_before_it_is_inflated() -> None:
    bomb = png_of(13_000, 13_000, zlib.compress(bytes(169_000_000), 1))
    start = time.process_time()
    with pytest.raises(ImageTooManyPixels, match="13000 x 13000"):
        image.load(bomb)
    assert time.process_time() - start < 0.05


@pytest.mark.parametrize(("width", "height"), [(30_001, 8), (8, 30_001), (7100, 7100), (2**31 - 1, 2**31 - 1)])
def test_sides_and_pixels_are_both_limited(width: int, height: int) -> None:
    with pytest.raises(ImageTooManyPixels):
        image.load(png_of(width, height))


@pytest.mark.parametrize(("width", "height"), [(0, 10), (1, 1), (1, 10_000), (7, 100)])
def test_too_small_pictures(width: int, height: int) -> None:
    with pytest.raises(ImageTooSmall):
        image.load(png_of(width, height))


def test_limits_hold_for_arrays_and_opened_pictures() -> None:
    limits = Limits(pixels=100, least_side=4)
    for source in (noise(20, 20), np.zeros((20, 20), np.uint8)):
        with pytest.raises(ImageTooManyPixels):
            image.load(source, limits=limits)
    with pytest.raises(ImageTooSmall):
        image.load(np.zeros((3, 30), np.uint8), limits=limits)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_tiff_that_counts_from_white_is_not_a_negative(dtype: type) -> None:
    """Ink is the great value there: eight bits Pillow turns round by itself, wider ones it does not."""
    most = 1.0 if dtype is np.float32 else np.iinfo(dtype).max
    ink = np.zeros((16, 32), dtype)
    ink[4:8, 4:8] = most
    out = io.BytesIO()
    Image.fromarray(ink).save(out, "TIFF", tiffinfo={262: 0})
    data = out.getvalue()
    if dtype is np.uint8:  # which Pillow turns round as it writes, too
        data = encoded(Image.fromarray(255 - ink), "TIFF", tiffinfo={262: 0})
    grey = np.asarray(image.load(data).image)[..., 0]
    assert (grey[0, 0], grey[5, 5]) == (255, 0)
