"""One benchmark from start to end: survey, start contenders, rounds, report. Each contender is a process of its own."""

import multiprocessing
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch

from got_ocr.backends.torch import DTYPES
from got_ocr.bench import machine, run, work
from got_ocr.bench.child import Child, command
from got_ocr.bench.peer import CLOCKS, OURS
from got_ocr.bench.random_model import write_random
from got_ocr.bench.report import Report
from got_ocr.bench.sides import STEPS, TEXT, Job
from got_ocr.errors import ChildCrashed, InvalidValue
from got_ocr.model.config import GotConfig
from got_ocr.model.layouts import LayoutName
from got_ocr.model.quant import SCHEMES
from got_ocr.model.weights import open_checkpoint

KINDS = ("preprocess", "encode", "prefill", "decode", "page")  # of jobs, as their names begin


@dataclass(frozen=True, slots=True)
class Plan:
    """Say what to measure. model: a folder, or None for random weights of `size`. jobs: kinds of them."""

    model: Path | None = None
    size: str = "580m"
    dtype: str = "bfloat16"
    rounds: int = 5
    batches: tuple[int, ...] = (1, 4, 16)
    page_tokens: int = 100
    jobs: tuple[str, ...] = KINDS
    clock: str = "wall"  # or processor: what all threads together used, for a machine that is not idle

    def __post_init__(self) -> None:
        if self.dtype not in work.SIZES:
            raise InvalidValue(f"dtype is one of {', '.join(work.SIZES)}; not {self.dtype[:40]!r}")
        if self.clock not in CLOCKS:
            raise InvalidValue(f"clock is one of {', '.join(CLOCKS)}; not {self.clock[:40]!r}")
        if not 1 <= self.rounds <= 20:
            raise InvalidValue("rounds lie between 1 and 20")
        if not self.batches or not all(1 <= rows <= 256 for rows in self.batches):
            raise InvalidValue("batches are whole numbers between 1 and 256")
        if not self.jobs or not set(self.jobs) <= set(KINDS):
            raise InvalidValue(f"jobs are some of {', '.join(KINDS)}")

    @property
    def numbers(self) -> torch.dtype:
        """Say in what format what is not quantised is."""
        return DTYPES.get(self.dtype, torch.bfloat16)


def bench(plan: Plan, peers: Sequence[str] = (), tell: Callable[[str], None] = lambda _: None) -> Report:
    """Measure got-ocr and its peers (see `child.command`); raises InvalidValue, ChildCrashed."""
    commands = dict(command(peer) for peer in ("got-ocr", *peers))
    before = machine.busy()
    tell("ceilings of this machine")
    found = machine.survey(plan.numbers, CLOCKS[plan.clock], plan.dtype if plan.dtype in SCHEMES else "")
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        # Peers read what transformers writes.
        folder = plan.model or _random(plan, Path(scratch), "native" if set(commands) <= set(OURS) else "hf")
        config = open_checkpoint(folder).config
        asked = {
            "folder": str(folder), "dtype": plan.dtype, "image_token": config.image_token, "clock": plan.clock,
            "batches": plan.batches, "page_tokens": plan.page_tokens,
        }  # fmt: skip
        children, sides = [], {}
        for name, words in commands.items():
            tell(f"load {name}")
            children.append(stack.enter_context(Child(name, words, torch.get_num_threads())))
            sides[name] = _chosen(children[-1].open(asked), plan.jobs)
        timings = run.measure(sides, plan.rounds, tell)
        load = {child.name: child.load() for child in children}
        wrote = [child.ids() for child in children]
    prompt = TEXT + config.spec.tokens(*config.spec.tile)
    return Report(
        found, plan.model.name if plan.model else f"random weights, {plan.size}", plan.dtype, plan.clock, plan.rounds,
        timings, {name: s for name, s in limits(plan, config, prompt, found).items() if name in timings},
        load, (before, machine.busy()),
        {child.name: run.agreement(wrote[0], ids) for child, ids in zip(children[1:], wrote[1:], strict=True)},
    )  # fmt: skip


def _chosen(jobs: Mapping[str, Job], kinds: tuple[str, ...]) -> dict[str, Job]:
    return {name: job for name, job in jobs.items() if name.split()[0] in kinds}


def limits(plan: Plan, config: GotConfig, prompt: int, found: machine.Machine) -> dict[str, float]:
    """Say how fast each job could be at best between the ceilings."""
    size, decoding = work.SIZES[plan.dtype], found.products or found.flops
    # The middle round's context, counted with the one that is not timed.
    context = prompt + STEPS * (plan.rounds // 2 + 1)
    steps = {rows: work.step(config, rows, context, size) for rows in plan.batches}
    least = {
        "encode 1 tile": work.encode(config, plan.numbers.itemsize).seconds(found.flops, found.bandwidth),
        f"prefill {prompt}": work.prefill(config, prompt, size).seconds(decoding, found.bandwidth),
    }
    once = sum(least.values())
    least |= {f"decode batch {n}": s.seconds(decoding, found.bandwidth) / n for n, s in steps.items()}
    if plan.page_tokens:
        step = work.step(config, 1, prompt + plan.page_tokens // 2, size).seconds(decoding, found.bandwidth)
        least[f"page of {plan.page_tokens} ids"] = once + plan.page_tokens * step
    return least


def _random(plan: Plan, folder: Path, layout: LayoutName) -> Path:
    """Write random weights in a process of its own, so that this one stays small."""
    child = multiprocessing.get_context("spawn").Process(
        target=write_random, args=(folder, plan.size, plan.numbers, 1, layout)
    )
    child.start()
    child.join()
    if child.exitcode != 0:
        raise ChildCrashed("the random weights could not be written; is there disk space for them?")
    return folder
