"""What this machine is and can do: idle or not, memory bandwidth, arithmetic. Knows no model.

Sources of truth are Linux's `/proc` files; elsewhere those figures are absent (None).
"""

import ctypes
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from got_ocr.model.fast.linear import pack
from got_ocr.model.native import pack as native
from got_ocr.model.native.load import fork, library
from got_ocr.model.quant import quantise

BUSY = 0.10  # share of the processors that others may use before figures are called disturbed
SWEEP = 64 << 20  # float32 numbers that are read to measure bandwidth: far more than a cache holds
TRIES = 5
WIDTH = 1024  # of the matrices that are read

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Machine:
    """Hold what was measured. bandwidth: bytes/s read. flops: operations/s of the number format in use.

    products: operations/s with quantised weights, None where there are none.
    """

    processor: str
    cores: int
    threads: int
    system: str
    torch: str
    bandwidth: float
    flops: float
    products: float | None = None


def survey(dtype: torch.dtype, clock: Clock = time.perf_counter, scheme: str = "") -> Machine:
    """Measure the machine with the threads that PyTorch uses. scheme: of quantised weights."""
    return Machine(
        processor(),
        os.cpu_count() or 1,
        torch.get_num_threads(),
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        torch.__version__,
        bandwidth(SWEEP, clock),
        flops(dtype, clock),
        products(scheme, clock) if scheme else None,
    )


def bandwidth(numbers: int, clock: Clock) -> float:
    """Read as many bytes as these float32 numbers have: bytes a second, best of some tries and of what reads here."""
    with torch.inference_mode():
        return 4 * numbers / min(_best(reader, clock) for reader in _readers(numbers))


def _readers(numbers: int) -> Iterator[Callable[[], object]]:
    """Give ways to read: a sum, and one row's product with a matrix, as PyTorch packs it and as the kernels do."""
    data = torch.ones(numbers)
    yield data.sum
    row, weight = torch.ones(1, WIDTH), data.view(torch.bfloat16).view(-1, WIDTH)
    packed = pack(weight)
    yield lambda: packed(row.bfloat16())
    kernels = library()
    if kernels is not None:
        matrix, out = native.pack([weight], [], native.Arena()), torch.empty(1, weight.shape[0])
        struct, threads, team = ctypes.byref(matrix.struct), torch.get_num_threads(), fork()
        yield lambda: kernels.got_linear(struct, row.data_ptr(), 1, out.data_ptr(), threads, team)


def flops(dtype: torch.dtype, clock: Clock) -> float:
    """Multiply matrices: operations a second, best of some tries and of both kinds of weights."""
    x, weight = torch.ones(1024, 1024, dtype=dtype), torch.ones(4096, 1024, dtype=dtype)
    maps = [pack(weight), pack(weight, packed=False)]
    with torch.inference_mode():
        return 2 * 1024 * 1024 * 4096 / min(_best(lambda made=made: made(x), clock) for made in maps)  # type: ignore[misc]


def products(scheme: str, clock: Clock) -> float | None:
    """Multiply rows with a quantised matrix on the kernels: operations a second, best of some tries; None without kernels."""
    kernels = library()
    if kernels is None:
        return None
    packed = native.pack([quantise(torch.ones(4096, WIDTH), scheme)], [], native.Arena())
    x, out, struct = torch.ones(512, WIDTH), torch.empty(512, 4096), ctypes.byref(packed.struct)
    threads, team = torch.get_num_threads(), fork()
    best = _best(lambda: kernels.got_linear(struct, x.data_ptr(), len(x), out.data_ptr(), threads, team), clock)
    return 2 * out.numel() * WIDTH / best


def _best(run: Callable[[], object], clock: Clock) -> float:
    run()
    times = []
    for _ in range(TRIES):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def busy(seconds: float = 1.0) -> float | None:
    """Watch for a while what share of all processors others use, 0..1."""
    first = _ticks()
    if first is None:
        return None
    time.sleep(seconds)
    second = _ticks()
    if second is None or second[1] <= first[1]:
        return None
    return 1 - (second[0] - first[0]) / (second[1] - first[1])


def _ticks() -> tuple[int, int] | None:
    """Read the idle and all ticks since start."""
    try:
        line = Path("/proc/stat").read_text("ascii").split("\n", 1)[0]
    except OSError:
        return None
    ticks = [int(part) for part in line.split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def processor() -> str:
    """Name the processor."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
