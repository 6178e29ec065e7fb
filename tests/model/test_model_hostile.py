"""Mutated safetensors files: each ends in a typed error within a second, or in the very same tensors."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from got_ocr.errors import InvalidWeights, ModelError
from got_ocr.model.got import GotModel
from got_ocr.model.weights import load_model


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: bytes, body: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + body


Header = dict[str, Any]
Change = Callable[[Header, str, np.random.Generator], object]


def overlap(header: Header, name: str, rng: np.random.Generator) -> None:
    other = str(rng.choice([n for n in header if n not in (name, "__metadata__")]))
    header[other] = dict(header[name])


HEADER_CHANGES: tuple[Change, ...] = (
    lambda header, name, rng: header[name].update(data_offsets=rng.integers(-(1 << 40), 1 << 40, 2).tolist()),
    lambda header, name, rng: header[name].update(shape=[1 << 40] * int(rng.integers(1, 2000))),
    lambda header, name, rng: header[name].update(shape=[float(v) for v in header[name]["shape"]]),
    lambda header, name, rng: header[name].update(shape=[*header[name]["shape"], 0]),
    lambda header, name, rng: header[name].update(dtype=str(rng.choice(["F64", "I8", "BOOL", "F8_E4M3", "", "f32"]))),
    lambda header, name, rng: header.update({name: (None, 3, "x", [])[int(rng.integers(4))]}),
    lambda header, name, rng: header.update({name + "\x1b[31m\n" * 40: header.pop(name)}),
    lambda header, name, rng: header.update(__metadata__=(None, 3, {"format": 1})[int(rng.integers(3))]),
    overlap,
)


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip one bit of the header."""
    at = 8 + int(rng.integers(int.from_bytes(data[:8], "little")))
    return data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :]


FILE_CHANGES: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    lambda data, rng: int(rng.integers(1 << 62)).to_bytes(8, "little") + data[8:],
    lambda data, rng: data[: int(rng.integers(len(data)))],
    lambda data, rng: data + bytes(int(rng.integers(1, 99))),
    lambda data, rng: joined(b"[" * int(rng.integers(1, 1 << 20)), parts(data)[1]),
    lambda data, rng: joined(json.dumps(parts(data)[0]).encode("utf-16"), parts(data)[1]),
    flip,
    flip,
)


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Break one thing of a good file."""
    kind = int(rng.integers(len(HEADER_CHANGES) + len(FILE_CHANGES)))
    if kind >= len(HEADER_CHANGES):
        return FILE_CHANGES[kind - len(HEADER_CHANGES)](data, rng)
    header, body = parts(data)
    name = str(rng.choice([name for name in header if name != "__metadata__"]))
    HEADER_CHANGES[kind](header, name, rng)
    return joined(json.dumps(header).encode(), body)


def load(folder: Path) -> GotModel | ModelError:
    try:
        return load_model(folder)
    except ModelError as error:
        return error


@pytest.mark.parametrize("seed", range(100))
def test_mutated_file_is_refused_fast(original: Path, seed: int) -> None:
    path = original / "model.safetensors"
    good = path.read_bytes()
    state = {name: value.clone() for name, value in load_model(original).state_dict().items()}
    path.unlink()  # the loaded tensors map this file: write a new one
    path.write_bytes(mutate(good, np.random.default_rng(seed)))
    start = time.perf_counter()
    outcome = load(original)
    assert time.perf_counter() - start < 1
    if isinstance(outcome, GotModel):  # such as a flipped bit in the metadata
        assert all(value.equal(state[name]) for name, value in outcome.state_dict().items())
    else:
        assert len(str(outcome)) < 4000
        assert str(outcome).isprintable()
        assert str(original) not in str(outcome)


def test_most_mutations_are_refused(original: Path) -> None:
    """Guard the test above: its mutations do break files."""
    path = original / "model.safetensors"
    good, refused = path.read_bytes(), 0
    for seed in range(100):
        path.unlink()
        path.write_bytes(mutate(good, np.random.default_rng(seed)))
        refused += isinstance(load(original), ModelError)
    assert refused >= 90


def test_a_huge_header_length_reads_nothing(original: Path) -> None:
    path = original / "model.safetensors"
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    with pytest.raises(InvalidWeights, match="longer than the file"):
        load_model(original)


def test_a_gap_names_the_tensor_behind_it(original: Path) -> None:
    path = original / "model.safetensors"
    header, body = parts(path.read_bytes())
    victim = max((row["data_offsets"][0], name) for name, row in header.items() if name != "__metadata__")[1]
    header[victim]["data_offsets"] = [offset + 4 for offset in header[victim]["data_offsets"]]
    path.write_bytes(joined(json.dumps(header).encode(), body + bytes(4)))
    with pytest.raises(InvalidWeights, match=victim.replace(".", r"\.")):
        load_model(original)
