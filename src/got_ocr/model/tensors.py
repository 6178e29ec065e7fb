"""Safetensors files: checked headers, memory-mapped tensors, atomic writes. Knows no model and no layout.

Headers are read here and not left to the library, so that a broken one is refused fast and the error names the tensor.
Source: the safetensors format (8-byte little-endian header length, JSON header, data).
"""

import json
import mmap
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from got_ocr.errors import InvalidWeights, ModelError, OutputError, UnsafeWeights

FLOATS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
DTYPES = {**FLOATS, "I8": torch.int8, "U8": torch.uint8}  # whole numbers are parts of quantised weights
MAX_HEADER = 1 << 20  # bytes; the published checkpoint has about 90 KB
MAX_JSON = 4 << 20
MAX_RANK = 8
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor of a file: where it lies and what it is.

    dtype: as the format spells it ("BF16"). span: (begin, end) in bytes of the data.
    """

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    span: tuple[int, int]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises ModelError where there is none."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_JSON:
            raise ModelError(f"the model folder holds no usable {path.name}")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise ModelError(f"{path.name} is not readable JSON") from None
    if not isinstance(data, dict):
        raise ModelError(f"{path.name} should hold a JSON object")
    return data


def scan(folder: Path) -> dict[str, Stored]:
    """List the tensors of a folder's single file, or of its shards.

    Raises InvalidWeights, UnsafeWeights, ModelError.
    """
    found: dict[str, Stored] = {}
    for file in _files(folder):
        for name, stored in read_header(file).items():
            if name in found:
                raise InvalidWeights(f"tensor {show(name)} lies in more than one shard")
            found[name] = stored
    return found


def _files(folder: Path) -> list[Path]:
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        shards = read_json(folder / INDEX).get("weight_map")
        names = set(shards.values()) if isinstance(shards, dict) and _are_texts(shards.values()) else set()
        # A shard is a plain name beside the index: an index cannot point elsewhere.
        if not names or any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
            raise InvalidWeights(f"{INDEX} should map tensors to *.safetensors files beside it")
        gone = sorted(name for name in names if not (folder / name).is_file())
        if gone:
            raise InvalidWeights(f"{len(gone)} shards are missing: {', '.join(map(show, gone[:20]))}")
        return [folder / name for name in sorted(names)]
    refuse_pickles(folder)
    raise ModelError(f"the model folder holds no {SINGLE}")


def refuse_pickles(folder: Path) -> None:
    """Raise UnsafeWeights where a folder's weights exist only as pickles."""
    if (folder / SINGLE).is_file() or (folder / INDEX).is_file():
        return
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise UnsafeWeights(
            f"the weights exist only as pickles ({', '.join(map(show, pickles[:3]))}), "
            f"which can run code and are never opened: use a checkpoint with {SINGLE}"
        )


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def read_header(file: Path) -> dict[str, Stored]:
    """List the tensors of one file after checking its whole header. Raises InvalidWeights."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if size < 8 or length > min(size - 8, MAX_HEADER):
                raise InvalidWeights(f"{file.name}: the header is longer than the file or than {MAX_HEADER} bytes")
            header = json.loads(stream.read(length))
    except (OSError, ValueError, RecursionError):
        raise InvalidWeights(f"{file.name}: the header is not readable JSON") from None
    if not isinstance(header, dict):
        raise InvalidWeights(f"{file.name}: the header should be a JSON object")
    rows = {name: _row(file, name, row) for name, row in header.items() if name != "__metadata__"}
    _check_spans(file, rows, size - 8 - length)
    return rows


def _row(file: Path, name: str, row: Any) -> Stored:
    """Check one tensor's entry: known type, sizes that are whole numbers, as many bytes as the shape needs."""
    if isinstance(row, dict) and set(row) == {"dtype", "shape", "data_offsets"}:
        dtype, shape, span = row["dtype"], row["shape"], row["data_offsets"]
        if _are_sizes(shape) and _are_sizes(span) and len(span) == 2 and isinstance(dtype, str):
            if dtype not in DTYPES:
                raise InvalidWeights(f"{file.name}: tensor {show(name)} is not one of {', '.join(DTYPES)}")
            if prod(shape) * DTYPES[dtype].itemsize == span[1] - span[0]:
                return Stored(file, name, dtype, tuple(shape), (span[0], span[1]))
    raise InvalidWeights(f"{file.name}: tensor {show(name)} has a broken header entry")


def _are_sizes(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= MAX_RANK
        and all(type(value) is int and 0 <= value < 1 << 48 for value in values)
    )


def _check_spans(file: Path, rows: Mapping[str, Stored], size: int) -> None:
    """Require that the tensors fill the data without a gap or an overlap."""
    spans = sorted(((0, 0, ""), *((*row.span, row.name) for row in rows.values())), key=lambda span: span[:2])
    for before, after in pairwise(spans):
        if after[0] != before[1]:
            raise InvalidWeights(f"{file.name}: tensor {show(after[2])} does not begin where the one before it ends")
    if spans[-1][1] != size:
        raise InvalidWeights(f"{file.name}: the data ends at {size} bytes, the header says {spans[-1][1]}")


def show(name: str) -> str:
    """Make a name from a file fit for a message: printable ASCII, at most 100 characters."""
    plain = name.encode("ascii", "backslashreplace").decode().translate({c: "?" for c in (*range(32), 127)})
    return plain if len(plain) <= 100 else plain[:97] + "..."


def read_tensors(stored: Mapping[str, Stored]) -> Iterator[tuple[str, Tensor]]:
    """Give the tensors memory-mapped, file by file, each under its key. Raises InvalidWeights.

    Each has a mapping of its own: letting go of a tensor gives its memory back. Writing into one does not reach the file.
    """
    from safetensors import SafetensorError, safe_open

    files: dict[Path, list[str]] = {}
    for key, row in stored.items():
        files.setdefault(row.file, []).append(key)
    for file, keys in files.items():
        try:
            # The library maps a file as a whole; what it refuses is refused here too.
            with safe_open(file, framework="pt", device="cpu"), file.open("rb") as stream:
                start = 8 + int.from_bytes(stream.read(8), "little")
                for key in keys:
                    yield key, _mapped(stream, start, stored[key])
        except (OSError, ValueError, SafetensorError):
            raise InvalidWeights(f"{file.name}: the tensors cannot be read") from None


def _mapped(stream: BinaryIO, start: int, row: Stored) -> Tensor:
    """Map one tensor. start: of the file's data."""
    dtype = DTYPES[row.dtype]
    begin, size = start + row.span[0], row.span[1] - row.span[0]
    if not size:
        return torch.empty(row.shape, dtype=dtype)
    before = begin % mmap.ALLOCATIONGRANULARITY
    pages = mmap.mmap(stream.fileno(), before + size, access=mmap.ACCESS_COPY, offset=begin - before)
    flat = torch.frombuffer(pages, dtype=torch.uint8, offset=before, count=size)
    if before % dtype.itemsize:  # the format does not promise that numbers begin where a processor likes them
        flat = flat.clone()
    return flat.view(dtype).view(row.shape)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write one safetensors file, whole or not at all. Raises OutputError."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        write_whole(path, lambda work: save_file(dict(tensors), work, metadata={"format": "pt"}))
    except SafetensorError:  # wraps what the system said
        raise OutputError(f"cannot write {path.name}: is the disk full?") from None


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, sync it and put it in its place. Raises OutputError."""
    work = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        work.touch(0o666, exist_ok=False)
        mode = work.stat().st_mode  # as this user's files are; safetensors writes for its owner alone
        write(work)
        work.chmod(mode & 0o777)
        _sync(work)
        os.replace(work, path)
        _sync(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path.name} (system error {error.errno})") from None
    finally:
        work.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all. Raises OutputError."""
    write_whole(path, lambda work: work.write_text(text, "utf-8"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
