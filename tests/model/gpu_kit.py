"""What the tests of the GPU's form share: random caches and boards, and Triton's interpreter where it is installed.

Import this before anything that imports Triton: it reads its environment then.
"""

import os
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from got_ocr.model.gpu.ops import Board, Ops, Store, quantise

if not torch.cuda.is_available() and "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"


def interpreted() -> Ops:
    """Give the Triton kernels, run by its interpreter on the CPU; skip where they cannot run so."""
    if find_spec("triton") is None:
        pytest.skip("needs Triton, for its interpreter (pip install triton)")
    if os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("Triton was imported without its interpreter, or there is a GPU: see the tests marked gpu")
    from got_ocr.model.gpu.launch import TRITON

    return TRITON


def draw(seed: int, *shape: int, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Tensor:
    """Draw normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device, dtype)


def store(seed: int, slots: int, heads: int, size: int, d: int, dtype: torch.dtype, device: str = "cpu") -> Store:
    """Draw one layer's cache, full to the end."""
    keys, values = (draw(seed + i, slots, heads, size, d, device=device) for i in range(2))
    if dtype != torch.float8_e4m3fn:
        return Store(keys.to(dtype), values.to(dtype), None)
    (keys, key_scales), (values, value_scales) = quantise(keys), quantise(values)
    return Store(keys, values, (key_scales, value_scales))


def copied(made: Store) -> Store:
    """Copy a cache, for a second run on the same numbers."""
    scales = None if made.scales is None else (made.scales[0].clone(), made.scales[1].clone())
    return Store(made.keys.clone(), made.values.clone(), scales)


def board(slots: int, size: int, device: str = "cpu") -> Board:
    """Make an empty board."""
    whole = [torch.zeros(slots, dtype=torch.long, device=device) for _ in range(5)]
    flags = [torch.zeros(slots, dtype=torch.int8, device=device) for _ in range(2)]
    last, filled, ends, limits, bans = whole
    return Board(last, torch.zeros(slots, size, dtype=torch.int32, device=device), filled, *flags, ends, limits, bans)
