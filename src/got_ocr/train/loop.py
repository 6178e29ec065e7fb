"""The training loop: for each stage, batch -> loss -> step; log, save, go on. Knows no metric and no command line.

Read `train` first. The same loop runs on CPU and CUDA. On the CPU a resumed run equals one that never stopped, bit for bit: weights,
optimiser, schedule, data position; nothing else is random. That holds for the same recipe and the same number of processes.
"""

import json
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from got_ocr import pixels
from got_ocr.data.build import recipe as data_recipe
from got_ocr.errors import GotOcrError, InvalidValue, ModelError, NumericError, OutputError
from got_ocr.model.config import GotConfig
from got_ocr.model.got import GotModel
from got_ocr.model.grow import grow
from got_ocr.model.tensors import write_whole
from got_ocr.model.weights import load_model, save_model
from got_ocr.spec import ModelSpec
from got_ocr.tokenizer import Tokenizer
from got_ocr.train import checkpoint
from got_ocr.train.batches import Batch, Feed, stream
from got_ocr.train.distributed import Group, join, leave, mean, mean_gradients, own_device
from got_ocr.train.log import Progress
from got_ocr.train.objective import Learner, losses
from got_ocr.train.optim import compile_layers, freeze, initialise, initialise_head, make_optimizers, rate
from got_ocr.train.recipe import Recipe, Stage

Optimizers = Sequence[torch.optim.Optimizer]


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a run stands: steps done in all, inside which stage, how many of its batches are used."""

    step: int = 0
    stage: int = 0
    stage_step: int = 0
    batches: int = 0


@dataclass(slots=True)
class Run:
    """Hold what a run needs at every step. ends: when its time is up, by the monotonic clock."""

    recipe: Recipe
    learner: Learner
    spec: ModelSpec
    tokenizer: Tokenizer
    vocabulary: Path
    out: Path
    device: torch.device
    progress: Progress
    group: Group
    ends: float = math.inf
    built: int = 0
    skipped: int = 0


def train(
    recipe: Recipe,
    out: Path,
    *,
    base: Path,
    device: str = "cpu",
    resume: bool = False,
    minutes: float = math.inf,
    note: Callable[[str], None],
) -> bool:
    """Train a recipe into folder `out`, whose subfolder `model` holds the newest weights; say whether the run is finished.

    base: where the recipe's paths start. minutes: the run is saved and left when so many have gone by, after the step that was under
    way; resumed, it equals one that was never left. note: receives progress lines. Raises InvalidValue for a folder that holds another
    run and for unknown data, ModelError where the vocabulary is another model's or no checkpoint is whole, GotOcrError where too many
    samples were passed over, NumericError for a loss that is no number.
    """
    ends = time.monotonic() + 60 * minutes
    if not resume and checkpoint.found(out / "checkpoints"):
        raise InvalidValue(f"{out.name} already holds a run: go on with --resume, or name another folder")
    run = _open(recipe, out, base, own_device(device), note)
    run.ends = ends
    say = note if run.group.leads else _nothing
    place, tensors = _resume(run, say) if resume else (Place(), {})
    if run.group.leads:
        run.progress.go_back(place.step)
    if place.stage >= len(recipe.stages):
        say(f"nothing to do: the run is finished, after {place.step} steps")
    for number in range(place.stage, len(recipe.stages)):
        place = run_stage(run, run.recipe.stages[number], replace(place, stage=number), tensors)
        tensors = {}
        if place.stage == number:
            say(f"time is up: saved after step {place.step} of {recipe.steps}; go on with --resume")
            break
    leave(run.group)
    return place.stage >= len(recipe.stages)


def _open(recipe: Recipe, out: Path, base: Path, device: str, note: Callable[[str], None]) -> Run:
    """Make the run as it is before its first step; what is wrong with its files shows now, not in the last stage."""
    stages = tuple(_with_data(stage, base) for stage in recipe.stages)
    vocabulary = base / (recipe.vocabulary or recipe.start)
    tokenizer = Tokenizer.load(vocabulary)
    model = _first_model(recipe, base, tokenizer).to(device)
    if tokenizer.image != model.config.image_token:
        raise ModelError(
            f"the vocabulary's image token is {tokenizer.image}, the model's is {model.config.image_token}"
        )
    learner = Learner(model).to(device)
    initialise_head(learner, recipe.seed)
    compile_layers(learner, recipe.compile)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out.name} (system error {error.errno})") from None
    return Run(
        replace(recipe, stages=stages), learner, model.config.spec, tokenizer, vocabulary, out, torch.device(device),
        Progress(out / "log.jsonl", recipe.steps, note), join(device),
    )  # fmt: skip


def _nothing(line: str) -> None:
    """Say what all but the leading process say."""


def _with_data(stage: Stage, base: Path) -> Stage:
    """Find a stage's synthesis recipe; one that is a file lies relative to the training recipe."""
    data = str(base / stage.data) if stage.data.endswith(".toml") else stage.data
    data_recipe(data)
    return replace(stage, data=data)


def run_stage(run: Run, stage: Stage, place: Place, tensors: dict[str, Tensor]) -> Place:
    """Train one stage from `place` to its end, or until the run's time is up: then the place is still inside the stage.

    tensors: the optimiser's state where the stage is resumed.
    """
    freeze(run.learner, stage)
    optimizers = make_optimizers(run.learner, stage)
    checkpoint.restore_optimizers(optimizers, tensors)
    feed = Feed(stage, run.recipe.seed + 1000 * place.stage, run.spec, run.vocabulary, run.group.rank, run.group.world)
    with closing(_used(run, stream(feed, place.batches, run.recipe.workers))) as batches:
        while place.stage_step < stage.steps:
            place = _step(run, stage, place, optimizers, batches)
            ended = place.stage_step == stage.steps  # saved below, as the beginning of the next stage
            late = not ended and _late(run)
            if (late or place.step % run.recipe.save_every == 0) and not ended and run.group.leads:
                _save(run, place, optimizers)
            if late:
                return place
    done = replace(place, stage=place.stage + 1, stage_step=0, batches=0)
    if run.group.leads:
        _save(run, done, [])
    return done


def _late(run: Run) -> bool:
    """Say whether the run's time is up, for all its processes as soon as it is for one."""
    if math.isinf(run.ends):
        return False
    late = torch.tensor(float(time.monotonic() >= run.ends), device=run.device)
    return float(mean(late, run.group)) > 0


def _step(run: Run, stage: Stage, place: Place, optimizers: Optimizers, batches: Iterator[Batch]) -> Place:
    """Do one optimiser step over `accumulate` micro-batches."""
    started = time.perf_counter()
    lr = rate(stage, place.stage_step)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.zero_grad(set_to_none=True)
    scale_bias = torch.stack([torch.from_numpy(v.copy()).view(3, 1, 1) for v in pixels.scale_bias()]).to(run.device)
    sums, samples, used, waited = torch.zeros(2, device=run.device), 0, 0, 0.0
    cast = torch.autocast(run.device.type, torch.bfloat16, enabled=run.recipe.dtype == "bfloat16")
    while used < stage.accumulate:
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        used += 1
        if not batch.examples:
            continue
        with cast:
            loss = losses(run.learner, batch, scale_bias, stage.ctc, run.tokenizer.pad)
        (loss.total / stage.accumulate).backward()  # type: ignore[no-untyped-call]
        sums += torch.stack((loss.text, loss.ctc)).float() / stage.accumulate
        samples += len(batch.examples)
    mean_gradients(run.learner.parameters(), run.group)
    sums = mean(sums, run.group)
    norm = torch.nn.utils.clip_grad_norm_(run.learner.parameters(), stage.clip)
    text, ctc, grad = float(sums[0]), float(sums[1]), float(norm)
    if not all(map(torch.isfinite, (sums.sum(), norm))):
        raise NumericError(f"the loss is not a number at step {place.step}: lower lr or use dtype = 'float32'")
    for optimizer in optimizers:
        optimizer.step()
    step = place.step + 1
    seconds = time.perf_counter() - started
    row = {"step": step, "stage": stage.name, "loss": text, "ctc": ctc, "grad": grad, "lr": lr}
    if run.group.leads:
        run.progress.add(row, samples * run.group.world, seconds, waited, show=step % run.recipe.log_every == 0)
    return Place(step, place.stage, place.stage_step + 1, place.batches + used)


def _used(run: Run, batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """Count samples passed over, and stop the run where they are too many to be chance."""
    for batch in batches:
        run.built += batch.built
        run.skipped += batch.skipped
        if run.built > 500 and run.skipped > run.recipe.max_skipped * run.built:
            share = 100 * run.skipped / run.built
            raise GotOcrError(
                f"{share:.0f} % of the samples could not be used (limit {100 * run.recipe.max_skipped:.0f} %)"
            )
        yield batch


def _first_model(recipe: Recipe, base: Path, tokenizer: Tokenizer) -> GotModel:
    if recipe.start and recipe.model:
        started, known = load_model(base / recipe.start, dtype=torch.float32), Tokenizer.load(base / recipe.start)
        return grow(started, GotConfig.from_json(recipe.model), tokenizer.made_of(known))
    if recipe.start:
        return load_model(base / recipe.start, dtype=torch.float32)
    model = GotModel(GotConfig.from_json(recipe.model))
    initialise(model, recipe.seed)
    return model


def save_model_folder(run: Run, folder: Path) -> Path:
    """Write the model alone (bfloat16, vocabulary beside it), as reading opens it; the newest state at any time."""
    folder.mkdir(parents=True, exist_ok=True)
    save_model(run.learner.model, folder, dtype=torch.bfloat16)
    write_whole(folder / "vocab.tiktoken", run.tokenizer.save_tiktoken)
    return folder


def _save(run: Run, place: Place, optimizers: Optimizers) -> None:
    tensors = {f"learner.{k}": v for k, v in run.learner.state_dict().items()}
    tensors |= checkpoint.optimizer_tensors(optimizers)
    where = {"step": place.step, "stage": place.stage, "stage_step": place.stage_step, "batches": place.batches}
    facts = {"place": where, "recipe": run.recipe.to_json(), "built": run.built, "skipped": run.skipped}
    save_model_folder(run, run.out / "model")
    checkpoint.save(run.out / "checkpoints", place.step, checkpoint.State(tensors, facts))


def _resume(run: Run, note: Callable[[str], None]) -> tuple[Place, dict[str, Tensor]]:
    """Put the newest whole checkpoint into the run; from the beginning where there is none."""
    found = checkpoint.newest(run.out / "checkpoints", note)
    if found is None:
        return Place(), {}
    step, state = found
    if json.loads(json.dumps(run.recipe.to_json())) != state.facts["recipe"]:
        note("the recipe was changed since the checkpoint was written: going on with it as it is now")
    weights = {k.removeprefix("learner."): v for k, v in state.tensors.items() if k.startswith("learner.")}
    try:
        run.learner.load_state_dict(weights)
    except RuntimeError:
        raise ModelError(
            "the checkpoint is of a network of other sizes: name another folder, or the old recipe"
        ) from None
    run.built, run.skipped = state.facts["built"], state.facts["skipped"]
    note(f"going on after step {step}")
    return Place(**state.facts["place"]), {k: v for k, v in state.tensors.items() if k.startswith("optimizer.")}
