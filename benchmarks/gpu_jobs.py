"""The jobs of `gpu.py`: each takes a `Lab` and gives figures by name. Random weights throughout, of the published size."""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from got_ocr.backends.cuda import CudaBackend
from got_ocr.bench.random_model import SIZES, random_network, write_random
from got_ocr.engine import Ended, Engine
from got_ocr.generate import Request
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.choose import choose, prove
from got_ocr.model.gpu.gate import try_eight
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.graphs import Rule, Steps
from got_ocr.model.gpu.ops import PLAIN, Ops, Store, quantise

Figures = dict[str, object]
E8 = torch.float8_e4m3fn


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything. text: ids of a prompt beside its image tokens. page: ids that a page has."""

    size: str = "580m"
    text: int = 31
    tiles: tuple[int, ...] = (1, 16, 32)
    batches: tuple[int, ...] = (1, 8, 32, 128, 256)
    many: tuple[int, ...] = (128, 256)
    context: int = 787
    steps: int = 64
    page: int = 1000
    rounds: int = 5
    trained: tuple[int, ...] = (8, 16, 32)
    packed: int = 1300


DRY = Scale("tiny", 5, (1, 2, 16), (1, 3), (2, 3), 20, 4, 12, 2, (2,), 40)


@dataclass
class Lab:
    """Where jobs run. say: takes figures that are known before a job's end."""

    dry: bool
    say: Callable[[Figures], None] = lambda _: None
    scale: Scale = field(init=False)

    def __post_init__(self) -> None:
        self.scale = DRY if self.dry else Scale()
        self.device = torch.device("cpu" if self.dry else "cuda")
        self.dtype = torch.float32 if self.dry else torch.bfloat16

    @cached_property
    def plain(self) -> GotModel:
        """Build the plain network."""
        return random_network(self.scale.size, self.dtype, self.device)

    @cached_property
    def ops(self) -> Ops:
        """Choose the kernels."""
        return choose(self.plain.config, self.device, self.dtype).ops

    @cached_property
    def gpu(self) -> GpuGot:
        """Build the GPU's form."""
        return GpuGot(self.plain, self.ops).eval()

    def prompt(self, seed: int = 0) -> list[int]:
        """Make a prompt of one tile."""
        spec, image = self.plain.config.spec, self.plain.config.image_token
        text = [int(i) for i in np.random.default_rng(seed).integers(0, image, self.scale.text)]
        return text[: len(text) // 2] + [image] * spec.tokens(*spec.tile) + text[len(text) // 2 :]

    def tile(self, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Draw a tile of noise."""
        return np.random.default_rng(seed).integers(0, 256, (3, *self.plain.config.spec.tile), dtype=np.uint8)

    def wait(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def seconds(self, run: Callable[[], object]) -> float:
        """Time something: the median of some rounds after one that is not counted."""
        times = []
        for _ in range(self.scale.rounds + 1):
            self.wait()
            start = time.perf_counter()
            run()
            self.wait()
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:])


def machine(lab: Lab) -> Figures:
    """Say what the device is and can do."""
    n, found = 256 if lab.dry else 8192, {"torch": torch.__version__}
    if lab.device.type == "cuda":
        found["device"] = torch.cuda.get_device_name()
    a, b = (torch.randn(n, n, device=lab.device).to(lab.dtype) for _ in range(2))
    whole = torch.empty(n * n * 16, dtype=torch.uint8, device=lab.device)
    return {
        **found,
        "matrices, TFLOP/s": round(2 * n**3 / lab.seconds(lambda: a @ b) / 1e12, 1),
        "copying, GB/s read and written": round(2 * whole.numel() / lab.seconds(whole.clone) / 1e9, 1),
    }


def kernels(lab: Lab) -> Figures:
    """Hold every kernel against its definition, at the sizes of the model, in both formats."""
    found: Figures = {}
    for dtype in (torch.float32, lab.dtype):
        tried = choose if lab.dry else prove
        choice = tried(SIZES[lab.scale.size], lab.device, dtype)
        found[f"kernels, {str(dtype)[6:]}"] = choice.ops.name
        found[f"kernels left out, {str(dtype)[6:]}"] = list(choice.left_out)
    return found


def ids(lab: Lab) -> Figures:
    """Write ids with recorded steps and with the plain network on the same device; in float32 they should be the same."""
    exact = random_network(lab.scale.size, torch.float32, lab.device)
    gpu = GpuGot(exact, choose(exact.config, lab.device, torch.float32).ops).eval()
    prompts = [lab.prompt(i)[: 40 + 7 * i] for i in range(3)]
    prompts = [[token for token in p if token != exact.config.image_token] for p in prompts]
    count, rules = lab.scale.steps, [Rule(-1, lab.scale.steps + 1, 2)] * 3
    told = []
    for record in (None, False):
        steps = Steps(gpu, 512, slots=3, record=record)
        steps.admit([0, 1, 2], prompts, None, rules)
        steps.run([0, 1, 2], count)
        told.append([heard.ids for heard in steps.report([0, 1, 2], count + 1).read()])
    scores = [_forced(model, prompts, told[1]) for model in (exact, gpu)]
    tile = torch.from_numpy(lab.tile()).to(lab.device).float()[None] / 128 - 1
    with torch.inference_mode():
        wanted, got = exact.encode(tile), gpu.encode(tile)
    return {
        "recorded ids equal those of single operations": told[0] == told[1],
        "ids equal to the plain network's, float32": round(float((scores[0].argmax(-1) == scores[1].argmax(-1)).float().mean()), 4),
        "largest difference of scores, of their spread": float((scores[0] - scores[1]).abs().max() / scores[0].std()),
        "largest difference of image tokens, of their spread": float((wanted - got).abs().max() / wanted.std()),
    }  # fmt: skip


@torch.inference_mode()
def _forced(model: GotModel, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Tensor:
    """Score every id of given answers: (ids, R, W)."""
    lengths = torch.tensor([len(p) for p in prompts], device=model.device)
    rows = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        rows[row, : len(prompt)] = torch.tensor(prompt)
    cache = model.new_cache(len(prompts), rows.shape[1] + len(answers[0]))
    scores = [model.prefill(rows.to(model.device), lengths, None, cache)]
    for i, column in enumerate(torch.tensor(answers, device=model.device).t()):
        scores.append(model.step(column, cache, rows.shape[1] + i + 1))
    return torch.stack(scores)


@torch.inference_mode()
def encoder(lab: Lab) -> Figures:
    """Encode tiles: the GPU's form, the plain one, and the GPU's form with what lies between its products fused."""
    found: Figures = {}
    for many in lab.scale.tiles:
        batch = torch.randn(many, 3, *lab.plain.config.spec.tile, device=lab.device).to(lab.dtype)
        found[f"encoder batch {many}, ms a tile"] = 1e3 * lab.seconds(lambda b=batch: lab.gpu.encode(b)) / many  # type: ignore[misc]
        lab.say(found)
    batch = batch[:16]
    found["encoder, kernels of PyTorch alone, ms a tile"] = _tile(lab, GpuGot(lab.plain, PLAIN), batch)
    found["encoder, plain, ms a tile"] = _tile(lab, lab.plain, batch)
    lab.say(found)
    if not lab.dry:
        found["encoder batch 16, compiled, ms a tile"] = _tile(lab, GpuGot(lab.plain, lab.ops, compiled=True), batch)
    return found


def _tile(lab: Lab, model: GotModel, batch: Tensor) -> float:
    return 1e3 * lab.seconds(lambda: model.encode(batch)) / batch.shape[0]


@torch.inference_mode()
def prefill(lab: Lab) -> Figures:
    """Read prompts with their picture."""
    prompt, found = lab.prompt(), {}
    for rows in (1, 16):
        tokens = torch.randn(rows * prompt.count(lab.plain.config.image_token), lab.plain.config.decoder.width)
        given, features = torch.tensor([prompt] * rows, device=lab.device), tokens.to(lab.device, lab.dtype)
        lengths = torch.tensor([len(prompt)] * rows, device=lab.device)
        for name, model in (("", lab.gpu), ("plain ", lab.plain)):
            cache = model.new_cache(rows, len(prompt))
            took = lab.seconds(lambda m=model, c=cache, g=given, n=lengths, f=features: m.prefill(g, n, f, c))  # type: ignore[misc]
            found[f"{name}prefill batch {rows}, ms a prompt"] = 1e3 * took / rows
    return dict(found)


def under_way(
    lab: Lab, rows: int, kind: torch.dtype | None = None, ops: Ops | None = None, record: bool | None = None
) -> Steps:
    """Open rows that stand at the context of an average page."""
    model = lab.gpu if ops is None else GpuGot(lab.plain, ops).eval()
    size = lab.scale.context + (lab.scale.rounds + 2) * lab.scale.steps + 2
    steps = Steps(model, size, slots=rows, size=size, kind=kind, record=record)
    steps.admit(range(rows), [[1]] * rows, None, [Rule(-1, size - 1, 20)] * rows)
    steps.cache.lengths[1:] = lab.scale.context
    steps.board.filled[1:] = lab.scale.context + 1
    return steps


def pace(lab: Lab, steps: Steps, rows: int) -> float:
    """Time a step of rows, in seconds."""
    return lab.seconds(lambda: steps.run(range(rows), lab.scale.steps)) / lab.scale.steps


def decode(lab: Lab) -> Figures:
    """Write ids in rows of an average page's context, the ban of repeated 20-grams and the choice on the device included."""
    found: Figures = {}
    for rows in lab.scale.batches:
        found[f"decode batch {rows}, tok/s"] = round(rows / pace(lab, under_way(lab, rows), rows), 1)
        lab.say(found)
    found["decode batch 1, not recorded, tok/s"] = round(1 / pace(lab, under_way(lab, 1, record=False), 1), 1)
    found["decode batch 1, kernels of PyTorch alone, tok/s"] = round(1 / pace(lab, under_way(lab, 1, ops=PLAIN), 1), 1)
    return found


@torch.inference_mode()
def attention(lab: Lab) -> Figures:
    """Attend in a step, one layer, with the positions cut into more or fewer parts: bytes of the cache read a second."""
    d, found = lab.plain.config.decoder, {}
    width = d.width // d.heads
    for rows in (1, lab.scale.many[-1]):
        shape = (rows, d.heads, lab.scale.context + 8, width)
        keys = torch.randn(shape, device=lab.device)
        cos = torch.ones(shape[2], width, device=lab.device, dtype=lab.dtype)
        qkv = torch.randn(rows, 3 * d.width, device=lab.device).to(lab.dtype)
        order, lengths = (
            torch.arange(rows, device=lab.device),
            torch.full((rows,), lab.scale.context, device=lab.device),
        )
        narrow, scale = quantise(keys)
        stores = {
            "": Store(keys.to(lab.dtype), keys.to(lab.dtype), None),
            "eight bits, ": Store(narrow, narrow, (scale, scale)),
        }
        for name, store in stores.items():
            for programs in (1, 128, 512, 2048) if lab.ops.name == "Triton" else (0,):
                took = _attended(
                    lab, programs, lambda s=store, q=qkv, c=cos, o=order, n=lengths: lab.ops.attend(q, (c, c), s, o, n)
                )  # type: ignore[misc]
                size = 2 * rows * d.width * lab.scale.context * store.keys.element_size()
                found[f"attention batch {rows}, {name}programs {programs}, GB/s"] = round(size / took / 1e9, 1)
    return dict(found)


def _attended(lab: Lab, programs: int, run: Callable[[], object]) -> float:
    """Time one call among many, so that launching costs little."""
    if programs:
        from got_ocr.model.gpu import launch

        launch.PROGRAMS = programs
    many = 2 if lab.dry else 50
    return lab.seconds(lambda: [run() for _ in range(many)]) / many


def eight(lab: Lab) -> Figures:
    """Try the eight-bit cache: its gate, then its pace."""
    texts = [[t for t in lab.prompt(i) if t != lab.plain.config.image_token] for i in range(4)]
    gate = try_eight(lab.gpu, texts, None, lab.scale.steps)
    found: Figures = {
        "eight bits, equal ids": round(gate.agreement, 4),
        "eight bits, distance of scores": round(gate.gap, 4),
    }
    lab.say(found)
    for rows in lab.scale.many:
        found[f"decode batch {rows}, eight bits, tok/s"] = round(rows / pace(lab, under_way(lab, rows, E8), rows), 1)
        lab.say(found)
    return found


def pages(lab: Lab, kind: torch.dtype | None = None, name: str = "pages/s") -> Figures:
    """Read pages from bytes to ids: tiles are encoded beside the steps of the pages before them."""
    found: Figures = {}
    for rows in lab.scale.many:
        found[f"{name}, batch {rows}"] = round(_pages(lab, rows, kind), 2)
        found[f"{name}, best"] = max(float(str(value)) for value in found.values())
        lab.say(found)
    return found


def _pages(lab: Lab, rows: int, kind: torch.dtype | None) -> float:
    backend, prompt, tiles = CudaBackend(lab.gpu), lab.prompt(), [lab.tile(i) for i in range(16)]
    most = len(prompt) + lab.scale.page + 1
    steps = Steps(lab.gpu, most, slots=rows, size=most, kind=kind)

    def seen(first: int) -> list[Any]:
        return backend.encode(tiles[: min(16, rows - first)])

    def write(features: Sequence[Any], count: int) -> list[Any]:
        """Write pages, and encode the following ones meanwhile; the host hears of every step, one report late."""
        for start in range(0, rows, 16):
            slots = range(start, min(rows, start + 16))
            tokens = torch.cat([features[slot].settled() for slot in slots])
            steps.admit(slots, [prompt] * len(slots), tokens, [Rule(-1, count + 1, 20)] * len(slots))
        after: list[Any] = []
        report = steps.report(range(rows), 24)
        for step in range(0, count, 20):
            steps.run(range(rows), min(20, count - step))
            report, before = steps.report(range(rows), 24), report
            after += seen(len(after)) if len(after) < rows else []
            before.read()
        report.read()
        while len(after) < rows:
            after += seen(len(after))
        return after

    first = [one for start in range(0, rows, 16) for one in seen(start)]
    following = write(first, min(lab.scale.page, 40))  # records the graphs
    lab.wait()
    start = time.perf_counter()
    for _ in range(2):
        following = write(following, lab.scale.page)
    lab.wait()
    return 2 * rows / (time.perf_counter() - start)


def engine(lab: Lab) -> Figures:
    """Read through the engine, as everything else does: the host takes every id and watches for loops."""
    backend, prompt = CudaBackend(lab.gpu), lab.prompt()
    features, rows = backend.encode([lab.tile()]), lab.scale.many[0]
    length = max(4, lab.scale.page // 4)

    def run() -> None:
        working = Engine(backend.slots(rows), backend.spec.context)
        for _ in range(rows):
            working.submit(Request(prompt, features, -1, ban=0, watch=False, max_new_tokens=length))
        ended = 0
        while not working.idle:
            ended += sum(isinstance(event, Ended) for event in working.turn())
        assert ended == rows  # noqa: S101

    run()
    lab.wait()
    start = time.perf_counter()
    run()
    return {f"engine of {rows} slots, tok/s": round(rows * length / (time.perf_counter() - start), 1)}


def training(lab: Lab) -> Figures:
    """Train all of the network: packed rows, each with one tile, one step of AdamW under bfloat16 autocast."""
    found: Figures = {}
    for rows in lab.scale.trained:
        try:
            found[f"training batch {rows}, samples/s"] = round(rows / _trained(lab, rows), 2)
        except torch.OutOfMemoryError:
            found[f"training batch {rows}, samples/s"] = "too little memory"
        numbers = [
            value for key, value in found.items() if key.startswith("training batch") and isinstance(value, float)
        ]
        found["training, samples/s"] = max(numbers, default=None)
        lab.say(found)
    return found


def _trained(lab: Lab, rows: int) -> float:
    model = random_network(lab.scale.size, torch.float32, lab.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=lab.device.type == "cuda")
    prompt, length = lab.prompt(), lab.scale.packed
    draw = torch.Generator().manual_seed(1)
    answers = torch.randint(0, model.config.image_token, (rows, length - len(prompt)), generator=draw)
    whole = torch.cat((torch.tensor([prompt] * rows), answers), 1).to(lab.device)
    labels = whole.clone()
    labels[:, : len(prompt)] = -100
    tiles = torch.randn(rows, 3, *model.config.spec.tile, device=lab.device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(lab.device.type, torch.bfloat16):
            loss = model.loss(whole, model.encode(tiles).flatten(0, 1), labels)
        loss.backward()
        optimizer.step()

    return lab.seconds(step)


def peer(lab: Lab) -> Figures:
    """Run transformers on the same machine: its encoder, and its decoder step by step."""
    from transformers import DynamicCache, GotOcr2ForConditionalGeneration

    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        write_random(Path(scratch), lab.scale.size, lab.dtype, layout="hf")
        network = GotOcr2ForConditionalGeneration.from_pretrained(scratch, dtype=lab.dtype).to(lab.device).eval()
        batch = torch.randn(16, 3, *SIZES[lab.scale.size].spec.tile, device=lab.device).to(lab.dtype)
        took = lab.seconds(lambda: network.model.get_image_features(batch))
        found: Figures = {"transformers encoder batch 16, ms a tile": 1e3 * took / 16}
        lab.say(found)
        cache, token = DynamicCache(), torch.ones(1, lab.scale.context, dtype=torch.long, device=lab.device)

        def step(given: Tensor) -> Tensor:
            out = network.model.language_model(input_ids=given, past_key_values=cache, use_cache=True)
            best: Tensor = network.lm_head(out.last_hidden_state[:, -1]).argmax(-1)[:, None]
            best.tolist()  # its generation asks after every id whether it is the end
            return best

        token = step(token)
        took = lab.seconds(lambda: [step(token) for _ in range(lab.scale.steps)]) / lab.scale.steps
    return {**found, "transformers decode batch 1, tok/s": round(1 / took, 1)}


@dataclass(frozen=True, slots=True)
class Job:
    """One job. seconds: its time limit, the start of its process included."""

    run: Callable[[Lab], Figures]
    seconds: float


JOBS = {
    "machine": Job(machine, 30),
    "kernels": Job(kernels, 90),
    "ids": Job(ids, 60),
    "encoder": Job(encoder, 90),
    "decode": Job(decode, 60),
    "pages": Job(pages, 75),
    "eight": Job(eight, 45),
    "pages eight": Job(lambda lab: pages(lab, E8, "pages/s, eight bits"), 60),
    "training": Job(training, 75),
    "peer": Job(peer, 60),
    "prefill": Job(prefill, 30),
    "attention": Job(attention, 40),
    "engine": Job(engine, 45),
}
