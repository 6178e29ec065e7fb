"""One benchmark from start to end: survey, load, rounds, report. Other contenders come in as functions."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from got_ocr.backends.base import Backend
from got_ocr.backends.torch import DTYPES, TorchBackend, open_backend
from got_ocr.bench import machine, run, work
from got_ocr.bench.random_model import write_random
from got_ocr.bench.report import Report
from got_ocr.bench.sides import STEPS, Side, jobs
from got_ocr.errors import ChildCrashed, InvalidValue
from got_ocr.model.config import GotConfig
from got_ocr.model.layouts import LayoutName
from got_ocr.model.weights import load_model, open_checkpoint

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
Opener = Callable[[Path, str], Backend]  # folder, dtype


@dataclass(frozen=True, slots=True)
class Plan:
    """Say what to measure. model: a folder, or None for random weights of `size`."""

    model: Path | None = None
    size: str = "580m"
    dtype: str = "bfloat16"
    rounds: int = 5
    batches: tuple[int, ...] = (1, 4, 16)
    page_tokens: int = 100
    layout: LayoutName = "native"  # of random weights
    clock: str = "wall"  # or processor: what all threads together used, for a machine that is not idle

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "bfloat16"):
            raise InvalidValue(f"dtype is float32 or bfloat16; not {self.dtype[:40]!r}")
        if self.clock not in CLOCKS:
            raise InvalidValue(f"clock is one of {', '.join(CLOCKS)}; not {self.clock[:40]!r}")
        if not 1 <= self.rounds <= 20:
            raise InvalidValue("rounds lie between 1 and 20")
        if not self.batches or not all(1 <= rows <= 256 for rows in self.batches):
            raise InvalidValue("batches are whole numbers between 1 and 256")


def open_plain(folder: Path, dtype: str) -> TorchBackend:
    """Open a model in its plain form."""
    return TorchBackend(load_model(folder, dtype=DTYPES[dtype]))


def open_ours(folder: Path, dtype: str) -> Backend:
    """Open a model as everything else does."""
    return open_backend(folder, "cpu", dtype)


def bench(plan: Plan, openers: Mapping[str, Opener], tell: Callable[[str], None] = lambda _: None) -> Report:
    """Measure every side of `openers`; the first one is what the others are compared with."""
    before = machine.busy()
    tell("ceilings of this machine")
    found = machine.survey(DTYPES[plan.dtype], CLOCKS[plan.clock])
    with tempfile.TemporaryDirectory() as scratch:
        folder = plan.model or _random(plan, Path(scratch))
        config = open_checkpoint(folder).config
        load, sides = {}, {}
        for name, opener in openers.items():
            tell(f"load {name}")
            start = time.perf_counter()
            backend = opener(folder, plan.dtype)
            load[name] = time.perf_counter() - start, machine.peak_memory()
            sides[name] = Side(backend, config.image_token, CLOCKS[plan.clock])
        timings = run.measure({n: jobs(s, plan.batches, plan.page_tokens) for n, s in sides.items()}, plan.rounds, tell)
    first = next(iter(sides.values()))
    return Report(
        found, plan.model.name if plan.model else f"random weights, {plan.size}", plan.dtype,
        plan.clock, plan.rounds, timings,
        limits(plan, config, len(first.prompt), found), load, machine.peak_memory(), (before, machine.busy()),
        run.agreement([side.ids for side in sides.values()]),
    )  # fmt: skip


def limits(plan: Plan, config: GotConfig, prompt: int, found: machine.Machine) -> dict[str, float]:
    """Say how fast each job could be at best between the ceilings."""
    size = DTYPES[plan.dtype].itemsize
    # The middle round's context, counted with the one that is not timed.
    context = prompt + STEPS * (plan.rounds // 2 + 1)
    steps = {rows: work.step(config, rows, context, size) for rows in plan.batches}
    one = {
        "encode 1 tile": work.encode(config, size),
        f"prefill {prompt}": work.prefill(config, prompt, size),
    }
    least = {name: job.seconds(found.flops, found.bandwidth) for name, job in one.items()}
    least |= {f"decode batch {n}": s.seconds(found.flops, found.bandwidth) / n for n, s in steps.items()}
    if plan.page_tokens:
        step = work.step(config, 1, prompt + plan.page_tokens // 2, size).seconds(found.flops, found.bandwidth)
        least[f"page of {plan.page_tokens} ids"] = sum(least[name] for name in one) + plan.page_tokens * step
    return least


def _random(plan: Plan, folder: Path) -> Path:
    """Write random weights in a process of its own, so that making them does not count as memory of loading."""
    dtype: torch.dtype = DTYPES[plan.dtype]
    child = multiprocessing.get_context("spawn").Process(
        target=write_random, args=(folder, plan.size, dtype, 1, plan.layout)
    )
    child.start()
    child.join()
    if child.exitcode != 0:
        raise ChildCrashed("the random weights could not be written; is there disk space for them?")
    return folder
