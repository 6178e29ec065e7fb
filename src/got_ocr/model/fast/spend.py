"""Networks whose weights are used up while another form of them is built, so that no two forms are whole at one time.

Knows neither which forms there are nor a checkpoint.
"""

import copy
import ctypes
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

import torch
from torch import nn

from got_ocr.model.got import GotModel

Part = TypeVar("Part", bound=nn.Module)


def shared(model: GotModel) -> GotModel:
    """Copy a network that shares its numbers with the first one: what happens to one's parameters leaves the other's."""
    # The copying asks this table before it copies a tensor.
    known: dict[int, object] = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in model.parameters()}
    known |= {id(b): b for b in model.buffers()}
    return copy.deepcopy(model, known)


def convert(parameters: Iterable[nn.Parameter], dtype: torch.dtype) -> None:
    """Convert parameters in place."""
    for value in parameters:
        value.data = value.data.to(dtype)


def drained(parts: Iterable[Part], dtype: torch.dtype) -> Iterator[Part]:
    """Give modules one by one, their parameters converted; let go of the numbers when the next one is asked for."""
    for part in parts:
        convert(part.parameters(), dtype)
        yield part
        for value in part.parameters():
            value.data = torch.empty(0, dtype=value.dtype)
        _trim()(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], object]:
    """Find what gives freed memory back to the system: glibc keeps what lies between smaller things, half of a model's size."""
    try:
        found: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # another system's library
        return int
    return found
