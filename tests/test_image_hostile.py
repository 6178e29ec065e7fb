"""Hostile bytes to our errors: other formats, cuts, damage, bombs, polyglots, mutants."""

import io
import random
import struct
import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, features

from got_ocr import image
from got_ocr.errors import (
    ImageCorrupt,
    ImageTruncated,
    InputError,
    UnsupportedImageFormat,
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


def png_of(width: int, height: int, body: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data", [b"<svg/>", b"%!PS-Adobe EPSF", b"8BPS" + bytes(60), b"\0\0\0\x18ftypheic" + bytes(60)]
)
def test_other_formats_are_refused_unread(data: bytes) -> None:
    with pytest.raises(UnsupportedImageFormat, match="PNG, JPEG"):
        image.load(data)


def test_only_the_parser_of_the_sniffed_format_is_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[object] = []
    plain = Image.open
    monkeypatch.setattr(Image, "open", lambda *args, formats: entered.append(formats) or plain(*args, formats=formats))
    with pytest.raises(UnsupportedImageFormat):
        image.load(b"%!PS-Adobe-3.0 EPSF-3.0" + bytes(60))
    image.load(encoded(noise(), "PNG"))
    assert entered == [["PNG"]]


def test_a_pdf_says_so_and_an_empty_file_too() -> None:
    with pytest.raises(UnsupportedImageFormat, match="PDF"):
        image.load(b"%PDF-1.7\n")
    with pytest.raises(ImageTruncated, match="empty"):
        image.load(b"")


@pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without AVIF")
def test_avif_without_its_decoder_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(noise(), "AVIF")
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(UnsupportedImageFormat):
        image.load(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.1, 0.3, 0.6, 0.9])
def test_cut_files_are_truncated(kind: str, kept: float) -> None:
    data = encoded(noise(100, 80), kind)
    with pytest.raises(ImageTruncated if kind != "TIFF" or kept > 0.1 else InputError):
        image.load(data[: max(int(len(data) * kept), 20)])


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg", "packbits"])
def test_cut_compressed_tiff_is_an_input_error(compression: str) -> None:
    data = encoded(noise(100, 80), "TIFF", compression=compression)
    with pytest.raises((ImageTruncated, ImageCorrupt)):
        image.load(data[: len(data) // 2])


def test_wrong_checksums_and_broken_streams_are_corrupt() -> None:
    data = bytearray(encoded(noise(), "PNG"))
    data[data.index(b"IDAT") + 20] ^= 0xFF
    with pytest.raises(ImageCorrupt):
        image.load(bytes(data))
    with pytest.raises(ImageCorrupt):
        image.load(png_of(20, 20, b"no zlib stream"))


def test_text_bombs_and_broken_profiles_are_dropped() -> None:
    picture = noise()
    data = encoded(picture, "PNG")
    bomb = b"Comment\0\0" + zlib.compress(bytes(80 << 20), 9)
    extra = chunk(b"zTXt", bomb) + chunk(b"iCCP", b"x\0\0broken") + chunk(b"tEXt", b"a" * (2 << 20))
    assert same(image.load(data[:33] + extra + data[33:]), picture)


def test_polyglots_give_their_pixels_only() -> None:
    picture = noise()
    data = encoded(picture, "PNG")
    html = b"<html><script>alert(1)</script></html>"
    assert same(image.load(data + html + b"PK\5\6" + bytes(18)), picture)
    assert same(image.load(data[:33] + chunk(b"tEXt", b"x\0" + html) + data[33:]), picture)


MODES = ("1", "L", "P", "LA", "RGBA", "CMYK", "F", "I")


def fuzz_seeds() -> list[bytes]:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture = noise(48, 40)
    made = [encoded(picture, kind, exif=exif.tobytes()) for kind in ("PNG", "JPEG", "WEBP")]
    for kind in ("PNG", "WEBP", "GIF", "TIFF", "MPO"):
        made.append(encoded(picture, kind, save_all=True, append_images=[noise(48, 40, 1)]))
    made += [encoded(picture, "JPEG", progressive=True), encoded(picture, "BMP"), encoded(picture, "AVIF")]
    made.append(encoded(picture, "WEBP", lossless=True))
    made += [encoded(picture, "TIFF", compression=name) for name in ("raw", "tiff_lzw", "tiff_deflate", "jpeg")]
    made += [encoded(picture.convert("1"), "TIFF", compression="group4")]
    made += [encoded(picture.convert(mode), "TIFF") for mode in MODES]
    return made + [encoded(picture.convert(mode), "PNG") for mode in MODES[:5]]


def mutated(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice([1, 2, 6, 20])):
        at = int(dice.random() ** 2 * len(changed))  # more often in the header
        kind = dice.randrange(5)
        if kind == 0:
            changed[at : at + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            changed[at : at + 4] = dice.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\x80"])
        elif kind == 2:
            del changed[at : at + dice.randrange(1, 40)]
        elif kind == 3:
            changed[at:at] = dice.randbytes(dice.randrange(1, 40))
        else:
            start = dice.randrange(len(changed) + 1)
            changed[at:at] = changed[start : start + 60]
    return bytes(changed)


def outcome(data: bytes) -> str:
    try:
        loaded = image.load(data)
    except InputError as caught:
        error = caught
    else:
        assert loaded.image.mode == "RGB"
        assert loaded.image.width * loaded.image.height <= Limits().pixels
        return "ok"
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert "0x" not in str(error)
    assert len(str(error)) < 200
    return type(error).__name__


def check_mutants(seed: int, count: int) -> None:
    dice, seeds = random.Random(seed), fuzz_seeds()
    outcomes: set[str] = set()
    for number in range(count):
        data = mutated(seeds[number % len(seeds)], dice)
        start = time.process_time()
        outcomes.add(outcome(data))
        assert time.process_time() - start < 5
    assert outcomes >= {"ok", "ImageCorrupt", "ImageTruncated", "UnsupportedImageFormat"}


def test_mutated_files_raise_input_errors_only() -> None:
    check_mutants(seed=11, count=1500)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_many_mutated_files_raise_input_errors_only(seed: int) -> None:
    check_mutants(seed=100 + seed, count=3000)


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), OverflowError(), KeyError("secret 0xdead")])
def test_whatever_a_parser_raises_is_told_in_our_words(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(InputError) as caught:
        image.load(encoded(noise(), "PNG"))
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__
