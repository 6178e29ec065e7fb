"""What is looked at: a file, bytes, an array or a PIL picture becomes one upright RGB picture.

The border where untrusted bytes enter: the format is told by the bytes, sizes are held against `Limits` from the header
alone, and everything that a parser may throw leaves as one of our errors in our words. Knows no tile, PDF or model.
"""

import importlib
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, features

from got_ocr import formats
from got_ocr.colour import to_rgb, to_rgb_plainly
from got_ocr.errors import (
    BodyTooLarge,
    ImageCorrupt,
    ImageDecodeFailed,
    ImageTooManyPixels,
    ImageTooSmall,
    ImageTruncated,
    InputError,
    InputNotFound,
    InvalidValue,
    UnsupportedImageFormat,
)

Source = str | Path | bytes | Image.Image | NDArray[Any] | IO[bytes]

_ACCEPTED = "PNG, JPEG, WebP, GIF, BMP, TIFF and AVIF are read"
_PLUGINS = {
    "PNG": "PngImagePlugin",
    "JPEG": "JpegImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "BMP": "BmpImagePlugin",
    "TIFF": "TiffImagePlugin",
    "AVIF": "AvifImagePlugin",
}
# The decoder of WebP holds two canvases and a copy beside the picture: half as much again as any other would need.
_PIXEL_SHARE = {"WEBP": 0.7}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The filters of `warnings` belong to the whole process: two threads that save and restore them must not interleave.
_QUIET = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound what is accepted.

    pixels: of one picture or rendered page (seven tenths of it for a WebP). side, least_side: in pixels.
    pages: of one document (None: any number). file_bytes: of one picture file.
    """

    pixels: int = 50_000_000
    side: int = 30_000
    least_side: int = 8
    pages: int | None = None
    file_bytes: int = 1 << 29


@dataclass(frozen=True, slots=True)
class Picture:
    """One upright RGB picture; `notices` tell what was done to it, `source` names where it is from."""

    image: Image.Image
    notices: tuple[str, ...] = ()
    source: str = "picture"


def load(source: Source, *, reference: bool = False, limits: Limits | None = None) -> Picture:
    """Load one picture as upright RGB.

    source: path, bytes, open binary file, PIL picture, or array (H, W), (H, W, 3) or (H, W, 4) of uint8, uint16, bool
    or floats in 0..1. Of an animation the first frame is taken. reference: do what other ports of the model do (no EXIF
    orientation, alpha dropped, 16-bit values clipped) for comparisons with them.
    Notices: `orientation_applied`, `frames_ignored:N`. Raises InputError classes; InvalidValue for a source of no kind.
    """
    limits = limits or Limits()
    if isinstance(source, np.ndarray):
        source = from_array(source, limits)
    if isinstance(source, Image.Image):
        with _border(b"", ""):
            return _finish(source, "picture", reference, limits)
    data, name = read_bytes(source, limits)
    return decode(data, name, reference=reference, limits=limits)


def decode(data: bytes, name: str, *, reference: bool = False, limits: Limits | None = None) -> Picture:
    """Decode the first frame of the picture that `data` holds; see `load`."""
    limits = limits or Limits()
    kind = formats.sniff(data)
    if kind not in _PLUGINS or (kind == "AVIF" and not features.check("avif")):
        raise _unsupported(data, kind)
    if kind in _PIXEL_SHARE:
        limits = replace(limits, pixels=int(limits.pixels * _PIXEL_SHARE[kind]))
    size = formats.size(data, kind)
    if size is not None:
        check_size(size, limits)
    frames = formats.frames(data, kind)
    with _border(data, kind):
        # Handed on unnamed: a large picture must be gone before its RGB form is made from the upright one.
        return _finish(_open(formats.clean_png(data) if kind == "PNG" else data, kind), name, reference, limits, frames)


def read_bytes(source: str | Path | bytes | bytearray | memoryview | IO[bytes], limits: Limits) -> tuple[bytes, str]:
    """Read (bytes, name) from a regular file, from bytes, or from an open binary file's present position on.

    Raises InputNotFound for a path that is absent, unreadable or no regular file; BodyTooLarge over `limits.file_bytes`.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), "picture"
    elif isinstance(source, str | Path):
        path = Path(source)
        data, name = read_file(path, limits.file_bytes + 1), display_name(path.name)
    elif hasattr(source, "read"):
        data, name = source.read(limits.file_bytes + 1), "picture"
    else:
        raise InvalidValue("a picture is a path, bytes, an open binary file, a PIL picture or a numpy array")
    if not isinstance(data, bytes):
        raise InvalidValue("the file is open as text: open it in binary mode")
    if len(data) > limits.file_bytes:
        raise BodyTooLarge(f"the file is larger than the limit of {limits.file_bytes} bytes")
    return data, name


def read_file(path: Path, most: int) -> bytes:
    """Read the first `most` bytes of a regular file; raises InputNotFound for anything else, without opening it."""
    name = display_name(path.name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputNotFound(f"not a regular file: {name}")
        with path.open("rb") as file:
            return file.read(most)
    except (OSError, ValueError):  # ValueError: a null byte in the name
        raise InputNotFound(f"no such file, or not readable: {name}") from None


def display_name(name: str) -> str:
    """Make a file name fit to be shown: control characters and bytes that are no text become question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Hold (width, height) against the limits; raises ImageTooManyPixels or ImageTooSmall."""
    width, height = size
    if min(size) < limits.least_side:
        raise ImageTooSmall(f"the picture is {width} x {height} pixels; each side needs at least {limits.least_side}")
    if max(size) > limits.side or width * height > limits.pixels:
        raise ImageTooManyPixels(
            f"the picture is {width} x {height} pixels; at most {limits.pixels} pixels and {limits.side} a side"
            " are read: scale it down"
        )


def from_array(array: NDArray[Any], limits: Limits) -> Image.Image:
    """Make a picture of an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); see `load` for the types it may have."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise InvalidValue(
            "an array of a picture has the shape (height, width), with 3 or 4 channels last if in colour"
        )
    check_size((array.shape[1], array.shape[0]), limits)
    if array.dtype == np.bool_:
        array = array * np.uint8(255)
    elif array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    elif np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):  # false for NaN too
            raise InvalidValue("an array of floats holds values between 0 and 1: divide by its greatest value")
        array = np.rint(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise InvalidValue("an array of a picture holds uint8, uint16, bool or floats between 0 and 1")
    return Image.fromarray(np.ascontiguousarray(array))


def _unsupported(data: bytes, kind: str | None) -> InputError:
    if not data:
        return ImageTruncated("the file is empty")
    if kind == "PDF":
        return UnsupportedImageFormat("this is a PDF, not a picture: read it as a document")
    return UnsupportedImageFormat(f"the bytes are of no format on the list: {_ACCEPTED}")


def _open(data: bytes, kind: str) -> Image.Image:
    importlib.import_module(f"PIL.{_PLUGINS[kind]}")  # or Pillow would import every parser that it has
    with _quiet():
        return Image.open(BytesIO(data), formats=[kind])


def _extra_pictures(opened: Image.Image) -> int:
    """Count the pictures of formats whose header Pillow has read already (MPO, AVIF)."""
    return int(opened.n_frames) if opened.format in ("MPO", "AVIF") else 1  # type: ignore[attr-defined]


def _finish(image: Image.Image, name: str, reference: bool, limits: Limits, frames: int = 0) -> Picture:
    """Load, turn and convert an opened picture. frames: as counted in its file, 0 when it came opened."""
    check_size(image.size, limits)
    if frames:
        frames = max(frames, _extra_pictures(image))
    notices = (f"frames_ignored:{frames - 1}",) if frames > 1 else ()
    depth, white_is_zero = _grey_depth(image), _white_is_zero(image)
    turned = False
    if image.format == "TIFF":
        turned = _orientation(image) in _UPRIGHT
        with _quiet():
            image.load()  # turns it upright on its own
    else:
        image.load()  # before its EXIF is asked for, which would load it too and hide a failure
    if reference:
        return Picture(to_rgb_plainly(image), notices, name)
    if (orientation := _orientation(image)) in _UPRIGHT:
        turned, image = True, image.transpose(_UPRIGHT[orientation])
    if turned:
        notices = (*notices, "orientation_applied")
    return Picture(to_rgb(image, depth=depth, white_is_zero=white_is_zero), notices, name)


def _orientation(image: Image.Image) -> int:
    """Read the EXIF orientation; 1 where there is none or where the block is broken."""
    with _quiet():
        try:
            value = image.getexif().get(0x0112, 1)
        except Exception:  # metadata alone must never fail a picture, and its parser may raise anything
            return 1
    return value if isinstance(value, int) else 1


def _grey_depth(image: Image.Image) -> int:
    """Give the bits of 16-bit grey samples: twelve where a TIFF packs them so."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return 12 if any("I;12" in str(tile[3]) for tile in tiles) else 16


def _white_is_zero(image: Image.Image) -> bool:
    """Tell whether a TIFF counts from white; see `to_rgb`."""
    return image.format == "TIFF" and image.tag_v2.get(0x0106) == 0  # type: ignore[attr-defined]


@contextmanager
def _border(data: bytes, kind: str) -> Iterator[None]:
    """Turn whatever a parser raises into an error in our words: its own text may carry addresses and content."""
    try:
        yield
    except InputError:
        raise
    except MemoryError:
        raise ImageDecodeFailed("the picture needs more memory than there is") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooManyPixels("the picture has far more pixels than are read: scale it down") from None
    except Exception as error:  # a parser that is fed untrusted bytes may raise anything
        told = kind in ("", "TIFF") and "truncated" in str(error)  # its structure does not tell, or is not at hand
        if told or formats.ends_early(data, kind):
            raise ImageTruncated("the picture ends early: the file was cut short") from None
        raise ImageCorrupt("the picture is damaged and cannot be decoded") from None


@contextmanager
def _quiet() -> Iterator[None]:
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
