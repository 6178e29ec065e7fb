"""Many requests together against one by one: ids a second at the published size with random weights.

`python benchmarks/engine.py` forces answers of unequal lengths (no end is ever written), first some of them one by one, then all
through the engine, and prints a table. Prompts carry random image tokens, so that no picture is encoded. Before that, it times
single steps of some numbers of rows, whose lengths differ by `APART` from row to row.
"""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from got_ocr.backends.base import Features, Slots, SlotScores
from got_ocr.backends.torch import DTYPES, TorchBackend
from got_ocr.bench import machine
from got_ocr.bench.random_model import SIZES
from got_ocr.engine import Engine, Wrote
from got_ocr.generate import Request, generate
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel

TEXT = 31  # ids of a prompt beside its image tokens
IMAGE = 256
CONTEXT = 300  # of the longest row, where single steps are timed
APART = 4
ROUNDS = 7  # of which the first does not count


@dataclass
class Timed:
    """Slots that count what prompts and steps take. widths: requests in each step."""

    slots: Slots
    prompts: float = 0.0
    steps: float = 0.0
    widths: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Say how many requests can be under way."""
        return self.slots.count

    def admit(self, slot: int, prompt: Sequence[int], features: Sequence[Features], room: int) -> SlotScores:
        """Read a prompt."""
        start = time.perf_counter()
        scores = self.slots.admit(slot, prompt, features, room)
        self.prompts += time.perf_counter() - start
        return scores

    def step(self, ids: Mapping[int, int]) -> SlotScores:
        """Append one id to each slot."""
        start = time.perf_counter()
        scores = self.slots.step(ids)
        self.steps += time.perf_counter() - start
        self.widths.append(len(ids))
        return scores

    def retire(self, slot: int) -> None:
        """Free a slot."""
        self.slots.retire(slot)


def random_backend(size: str, dtype: torch.dtype, packed: bool | None) -> TorchBackend:
    """Build a network of random weights. packed: see `fast_model`; None is the form in which everything else runs it."""
    with torch.device("meta"):
        model = GotModel(SIZES[size])
    model = model.to(dtype).to_empty(device="cpu").eval()
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in model.decoder.parameters():
            value.fill_(1.0) if value.dim() == 1 else value.uniform_(-0.04, 0.04, generator=draw)
        for value in (*model.vision.parameters(), *model.connector.parameters()):
            value.zero_()
    return TorchBackend(fast_model(model, packed=packed, spend=True))


@torch.inference_mode()
def step_seconds(model: GotModel, rows: int) -> float:
    """Time one step of some rows of unequal lengths, the choice of ids included: the median."""
    cache = model.new_cache(rows, CONTEXT + CONTEXT // 8)
    # Memory that was never written is one page of zeros, which costs nothing to read.
    cache.keys.fill_(0.1)
    cache.values.fill_(0.1)
    ids, lengths = torch.full((rows,), 7), CONTEXT - APART * torch.arange(rows)
    times = []
    for _ in range(ROUNDS):
        cache.lengths.copy_(lengths)
        start = time.perf_counter()
        model.step(ids, cache, CONTEXT + 1).max(-1)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def requests(backend: TorchBackend, count: int, shortest: int, longest: int) -> list[Request]:
    """Draw requests whose answers will have lengths between the given ones, spread evenly, in random order."""
    rng, config = np.random.default_rng(1), backend.model.config
    lengths = rng.permutation(np.linspace(shortest, longest, count).round().astype(int)).tolist()
    made = []
    for length in lengths:
        text = rng.integers(0, config.image_token, TEXT).tolist()
        prompt = text[: TEXT // 2] + [config.image_token] * IMAGE + text[TEXT // 2 :]
        tokens = torch.randn(IMAGE, config.decoder.width).to(backend.model.dtype)
        # Random networks repeat themselves, and a watched answer would end there.
        made.append(Request(prompt, [tokens], -1, ban=20, watch=False, max_new_tokens=length))
    return made


def one_by_one(backend: TorchBackend, asked: Sequence[Request]) -> tuple[float, float, list[list[int]]]:
    """Write each answer alone: seconds of prompts, ids a second of the steps, the ids."""
    prompts, steps, answers = 0.0, 0.0, []
    for one in asked:
        start = time.perf_counter()
        running = generate(backend, [one])
        first = next(running)[1]
        begun = time.perf_counter()
        answers.append([first, *(token for _, token in running)])
        prompts += begun - start
        steps += time.perf_counter() - begun
    return prompts, sum(len(a) - 1 for a in answers) / steps, answers


def together(
    backend: TorchBackend, asked: Sequence[Request], slots: int
) -> tuple[float, float, float, float, dict[int, list[int]]]:
    """Write all answers in slots: seconds of prompts, ids a second of the steps, that of full steps' time, width, the ids."""
    timed = Timed(backend.slots(slots))
    engine = Engine(timed, backend.spec.context)
    answers: dict[int, list[int]] = {engine.submit(one): [] for one in asked}
    start = time.perf_counter()
    while not engine.idle:
        for event in engine.turn():
            if isinstance(event, Wrote):
                answers[event.ticket].append(event.token)
    wall = time.perf_counter() - start
    written = sum(map(len, answers.values())) - len(asked)
    decoding = wall - timed.prompts
    return timed.prompts, written / decoding, 1 - timed.steps / decoding, float(np.mean(timed.widths)), answers


def compare(backend: TorchBackend, args: argparse.Namespace) -> None:
    """Measure requests alone and together, and print."""
    asked = requests(backend, args.requests, *args.lengths)
    one_by_one(backend, [asked[0]])
    prompts, alone, answers = one_by_one(backend, asked[: args.alone])
    all_prompts, rate, host, width, found = together(backend, asked, args.slots)
    same = sum(a == b for a, b in zip(answers, list(found.values())[: len(answers)], strict=True))
    print("| | prompt | steps |\n|---|---|---|")
    print(f"| one by one ({args.alone} requests) | {prompts / args.alone:.2f} s | {alone:.1f} tok/s |")
    print(f"| {args.requests} in {args.slots} slots | {all_prompts / args.requests:.2f} s | {rate:.1f} tok/s |")
    print(f"{rate / alone:.2f} times; {width:.1f} rows a step; rules and choice of ids {100 * host:.1f} % of the steps' time; "
          f"equal answers {same} of {len(answers)}")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="580m")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--alone", type=int, default=3, help="how many of them are written one by one")
    parser.add_argument(
        "--lengths", type=int, nargs=2, default=(56, 80), metavar="N", help="shortest and longest answer"
    )
    parser.add_argument("--rows", type=int, nargs="*", default=(1, 2, 4, 8, 16, 32), help="of single steps")
    parser.add_argument("--pytorch", action="store_true", help="without compiled kernels")
    args = parser.parse_args()
    backend = random_backend(args.size, DTYPES[args.dtype], True if args.pytorch else None)
    print(f"{machine.processor()}, {torch.get_num_threads()} threads, {args.dtype}, {args.size}")
    print("| rows of a step | |\n|---|---|")
    for rows in args.rows:
        print(f"| {rows} | {rows / step_seconds(backend.model, rows):.1f} tok/s |", flush=True)
    if args.requests:
        compare(backend, args)


if __name__ == "__main__":
    main()
