"""Peak memory of decoding what is just accepted, each in a process of its own."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux alone"),
]

SIDE = 7064  # 49.9 megapixels
MEGABYTES = 600
CHILD = """
import resource, sys
from pathlib import Path
from got_ocr import image
picture = image.load(Path(sys.argv[1]))
assert picture.image.mode == "RGB"
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(path: Path) -> int:
    ran = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    return int(ran.stdout)


def deep_png(path: Path) -> None:
    """Write 16-bit RGB, which Pillow reads but does not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(1)
    body = b"".join(packer.compress(bytes(1 + 6 * SIDE)) for _ in range(SIDE)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 16, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("1", "PNG", {}),
        ("L", "PNG", {}),
        ("P", "PNG", {}),
        ("LA", "PNG", {}),
        ("RGB", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("RGBA", "PNG", {"turned": True}),
        ("I;16", "PNG", {}),
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
        ("CMYK", "JPEG", {}),
        ("CMYK", "TIFF", {"compression": "tiff_deflate"}),
        ("F", "TIFF", {"compression": "tiff_deflate"}),
        ("I", "TIFF", {"compression": "tiff_deflate"}),
        ("RGBA", "WEBP", {"side": 5910, "method": 0}),
    ],
)
def test_peak_memory_at_the_limit(tmp_path: Path, mode: str, kind: str, options: dict[str, object]) -> None:
    options = dict(options)
    side = options.pop("side", SIDE)
    assert isinstance(side, int)
    if options.pop("turned", False):
        exif = Image.Exif()
        exif[0x0112] = 6
        options["exif"] = exif
    grey = Image.linear_gradient("L").resize((side, side))
    deep = mode == "I;16"
    source = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if deep else grey.convert(mode)
    path = tmp_path / "picture"
    source.save(path, kind, **options)
    assert peak(path) <= MEGABYTES


def test_peak_memory_of_sixteen_bit_colour(tmp_path: Path) -> None:
    deep_png(tmp_path / "picture")
    assert peak(tmp_path / "picture") <= MEGABYTES
