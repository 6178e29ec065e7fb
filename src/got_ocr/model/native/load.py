"""Find the compiled kernels and describe their structures. Gives None where this machine or installation has none.

The structures mirror `kernels/decoder.cpp` and `kernels/linear.hpp` field by field.
"""

import ctypes
from ctypes import POINTER, Structure, c_float, c_int, c_int64, c_void_p
from functools import lru_cache
from pathlib import Path

from got_ocr.model.native.build import library_path

FEATURES = frozenset(["avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni", "avx512_bf16", "fma", "f16c"])


class LinearStruct(Structure):
    """Describe one packed matrix."""

    _fields_ = (
        ("weight", c_void_p), ("scale", c_void_p), ("bias", c_void_p),
        ("outs", c_int64), ("ins", c_int64), ("kind", c_int64),
    )  # fmt: skip


class LayerStruct(Structure):
    """Describe one layer."""

    _fields_ = (
        ("input_norm", c_void_p), ("post_norm", c_void_p),
        *((name, LinearStruct) for name in ("qkv", "out", "gate", "up", "down")),
    )  # fmt: skip


class ModelStruct(Structure):
    """Describe the decoder."""

    _fields_ = (
        *((name, c_int64) for name in ("layers", "width", "heads", "half")), ("eps", c_float),
        ("layer", POINTER(LayerStruct)), ("norm", c_void_p), ("head", LinearStruct),
    )  # fmt: skip


class CallStruct(Structure):
    """Describe one call."""

    _fields_ = (
        ("batch", c_int64), *((name, c_void_p) for name in ("rows", "starts", "counts", "x", "keys", "values")),
        *((name, c_int64) for name in ("layer_stride", "row_stride", "head_stride", "stride")),
        ("cos", c_void_p), ("sin", c_void_p), ("last", c_int64), ("logits", c_void_p), ("threads", c_int64), ("fork", c_void_p),
    )  # fmt: skip


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """Load the kernels; None where they were not built or the processor lacks what they need."""
    path = library_path()
    if not path.is_file() or not features() >= FEATURES:
        return None
    try:
        found = ctypes.CDLL(str(path))
        found.got_run.argtypes = (POINTER(ModelStruct), POINTER(CallStruct))
        found.got_linear.argtypes = (POINTER(LinearStruct), c_void_p, c_int64, c_void_p, c_int64, c_void_p)
        found.got_embed.argtypes = (POINTER(LinearStruct), c_void_p, c_int64, c_void_p)
    except (OSError, AttributeError):
        return None
    found.got_run.restype = found.got_linear.restype = c_int
    found.got_embed.restype = None
    return found


@lru_cache(maxsize=1)
def fork() -> c_void_p:
    """Find the entry of the OpenMP library that PyTorch has loaded; a null address where there is none."""
    import torch  # noqa: F401  # loads it

    try:
        lines = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
    except OSError:
        return c_void_p()
    paths = dict.fromkeys(
        line.split(maxsplit=5)[5] for line in lines if line.count(" ") >= 5 and "omp" in line.rsplit("/", 1)[-1]
    )
    for path in paths:
        if not Path(path).name.startswith(("libgomp", "libiomp", "libomp")):
            continue
        try:
            return ctypes.cast(ctypes.CDLL(path).GOMP_parallel, c_void_p)
        except (OSError, AttributeError):
            continue
    return c_void_p()


def features() -> frozenset[str]:
    """List what the processor says it can do; empty where Linux does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())
