"""Whole runs: a resumed one equals one that never stopped, frozen parts stay, what goes wrong stops the run with words."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from got_ocr.data.vocabulary import extend
from got_ocr.errors import GotOcrError, InvalidValue, ModelError, NumericError, OutputError
from got_ocr.model.weights import load_model
from got_ocr.ocr import GotOcr
from got_ocr.tokenizer import Tokenizer
from got_ocr.train import checkpoint, loop
from got_ocr.train.loop import train
from got_ocr.train.recipe import Recipe

Make = Callable[..., Recipe]
STEPS = 7  # of the recipe's two stages, the second from step 5 on


class Stopped(Exception):
    """Stand for a kill."""


def run(recipe: Recipe, out: Path, base: Path, *, resume: bool = False) -> list[str]:
    """Train; give what the run said."""
    said: list[str] = []
    assert train(recipe, out, base=base, resume=resume, note=said.append)
    assert (out / "model").is_dir()
    return said


def rows(out: Path) -> list[dict[str, Any]]:
    """Give the log without what depends on the clock."""
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in ("seconds", "waited", "time")} for line in lines]


def states(out: Path) -> dict[int, checkpoint.State]:
    return {int(p.name[5:]): found[1] for p in checkpoint.found(out / "checkpoints") if (found := checkpoint._read(p))}


def assert_same(one: Path, other: Path) -> None:
    """Require that two runs kept the same: weights, auxiliary head, optimisers, places, losses, the finished model."""
    ours, theirs = states(one), states(other)
    assert list(ours) == list(theirs)
    for step, state in ours.items():
        assert set(state.tensors) == set(theirs[step].tensors)
        different = [
            name for name, value in state.tensors.items() if not torch.equal(value, theirs[step].tensors[name])
        ]
        assert different == []
        assert state.facts == theirs[step].facts
    assert rows(one) == rows(other)
    for name in ("model.safetensors", "config.json", "vocab.tiktoken"):
        assert (one / "model" / name).read_bytes() == (other / "model" / name).read_bytes()


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let a run stop in the middle of the step after step `number`: half of its micro-batches are used, nothing is saved."""
    plain = loop._step

    def set_up(number: int) -> None:
        def step(run: Any, stage: Any, place: Any, optimizers: Any, batches: Any) -> Any:
            if place.step == number:
                next(batches)
                raise Stopped
            return plain(run, stage, place, optimizers, batches)

        monkeypatch.setattr(loop, "_step", step)

    def restore() -> None:
        monkeypatch.setattr(loop, "_step", plain)

    set_up.restore = restore  # type: ignore[attr-defined]
    return set_up


@pytest.fixture(scope="module")
def whole(recipe: Make, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """Give runs that never stopped, one for each optimiser and interval, made when first asked for."""
    made: dict[tuple[str, int], Path] = {}

    def give(optimizer: str, save_every: int) -> Path:
        key = optimizer, save_every
        if key not in made:
            made[key] = tmp_path_factory.mktemp("whole") / "run"
            run(recipe({"optimizer": optimizer}, save_every=save_every), made[key], base)
        return made[key]

    return give


# Resuming.


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize(("killed", "save_every"), [(1, 1), (4, 1), (5, 2), (2, 3)])
def test_a_resumed_run_equals_one_that_never_stopped(
    recipe: Make, base: Path, tmp_path: Path, whole: Any, stop_after: Any, optimizer: str, killed: int, save_every: int
) -> None:
    made = recipe({"optimizer": optimizer}, save_every=save_every)
    stop_after(killed)
    with pytest.raises(Stopped):
        run(made, tmp_path / "run", base)
    stop_after.restore()
    run(made, tmp_path / "run", base, resume=True)
    assert_same(tmp_path / "run", whole(optimizer, save_every))


def test_a_run_killed_again_and_again_equals_one_that_never_stopped(
    recipe: Make, base: Path, tmp_path: Path, whole: Any, stop_after: Any
) -> None:
    for killed in range(STEPS):
        stop_after(killed)
        with pytest.raises(Stopped):
            run(recipe(), tmp_path / "run", base, resume=True)
    stop_after.restore()
    run(recipe(), tmp_path / "run", base, resume=True)
    assert_same(tmp_path / "run", whole("adamw", 1))


def test_workers_change_nothing(recipe: Make, base: Path, tmp_path: Path, whole: Any, stop_after: Any) -> None:
    """One that is resumed with two workers equals one without workers that never stopped."""
    stop_after(3)
    with pytest.raises(Stopped):
        run(recipe(workers=2), tmp_path / "run", base)
    stop_after.restore()
    run(recipe(workers=2), tmp_path / "run", base, resume=True)
    for step, state in states(tmp_path / "run").items():
        expected = states(whole("adamw", 1))[step].tensors
        assert all(torch.equal(value, expected[name]) for name, value in state.tensors.items())
    assert rows(tmp_path / "run") == rows(whole("adamw", 1))


def test_a_torn_checkpoint_costs_one_interval(
    recipe: Make, base: Path, tmp_path: Path, whole: Any, stop_after: Any
) -> None:
    stop_after(6)
    with pytest.raises(Stopped):
        run(recipe(), tmp_path / "run", base)
    stop_after.restore()
    file = tmp_path / "run" / "checkpoints" / "step-0000006" / checkpoint.STATE
    file.write_bytes(file.read_bytes()[:-7])
    with (tmp_path / "run" / "log.jsonl").open("a") as log:
        log.write('{"step": 7, "sta')  # the line that the kill cut
    said = run(recipe(), tmp_path / "run", base, resume=True)
    assert said[:2] == ["step-0000006 is torn or was edited: going back to the one before it", "going on after step 5"]
    assert_same(tmp_path / "run", whole("adamw", 1))


def test_a_finished_run_is_left_alone_and_says_so(recipe: Make, base: Path, tmp_path: Path) -> None:
    run(recipe(), tmp_path / "run", base)
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "run").rglob("*.*") if p.is_file()}
    said = run(recipe(), tmp_path / "run", base, resume=True)
    assert said == ["going on after step 7", "nothing to do: the run is finished, after 7 steps"]
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "run").rglob("*.*") if p.is_file()}
    assert after == before


def test_a_longer_recipe_goes_on(recipe: Make, base: Path, tmp_path: Path, whole: Any) -> None:
    full = recipe()
    run(replace(full, stages=full.stages[:1]), tmp_path / "run", base)
    said = run(full, tmp_path / "run", base, resume=True)
    assert said[0] == "the recipe was changed since the checkpoint was written: going on with it as it is now"
    assert rows(tmp_path / "run") == rows(whole("adamw", 1))


def test_a_run_whose_time_is_up_again_and_again_equals_one_that_was_never_left(
    recipe: Make, base: Path, tmp_path: Path, whole: Any
) -> None:
    """Each piece has no time at all: it does one step, saves and leaves."""
    said: list[str] = []
    pieces = 0
    while not train(recipe(save_every=100), tmp_path / "run", base=base, resume=True, minutes=0.0, note=said.append):
        pieces += 1
        assert said[-1] == f"time is up: saved after step {said[-1].split()[6]} of {STEPS}; go on with --resume"
        assert pieces < STEPS
    assert pieces == STEPS - 2  # each of the two stages saves by itself when it ends
    ours, theirs = states(tmp_path / "run"), states(whole("adamw", 1))
    assert max(ours) == STEPS
    for name, value in ours[STEPS].tensors.items():
        assert torch.equal(value, theirs[STEPS].tensors[name])
    assert rows(tmp_path / "run") == rows(whole("adamw", 1))


def test_a_run_with_time_enough_is_finished(recipe: Make, base: Path, tmp_path: Path, whole: Any) -> None:
    assert train(recipe(), tmp_path / "run", base=base, minutes=60.0, note=lambda line: None)
    assert_same(tmp_path / "run", whole("adamw", 1))


def test_the_log_says_how_long_a_step_waited_for_its_data(recipe: Make, base: Path, tmp_path: Path) -> None:
    said = run(recipe(), tmp_path / "run", base)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert all(0 <= line["waited"] <= line["seconds"] for line in lines)
    assert any(line["waited"] > 0 for line in lines)  # without workers the run makes its data itself
    assert all("samples/s  waits " in line for line in said)


@pytest.mark.slow
def test_compiled_layers_learn_the_same(recipe: Make, base: Path, tmp_path: Path, whole: Any) -> None:
    """By the backend that changes no arithmetic: the names of the weights stay, and what they learn."""
    torch._dynamo.reset()
    run(recipe(compile="eager"), tmp_path / "run", base)
    ours, theirs = states(tmp_path / "run")[STEPS].tensors, states(whole("adamw", 1))[STEPS].tensors
    assert set(ours) == set(theirs)
    assert all(torch.allclose(value, theirs[name], atol=1e-5) for name, value in ours.items())
    torch._dynamo.reset()


def test_resuming_nothing_begins(recipe: Make, base: Path, tmp_path: Path, whole: Any) -> None:
    run(recipe(), tmp_path / "run", base, resume=True)
    assert_same(tmp_path / "run", whole("adamw", 1))


def test_a_second_run_does_not_mix_with_the_first(recipe: Make, base: Path, tmp_path: Path) -> None:
    run(recipe(), tmp_path / "run", base)
    with pytest.raises(InvalidValue, match="already holds a run"):
        run(recipe(), tmp_path / "run", base)


def test_a_network_of_other_sizes_is_not_resumed(recipe: Make, base: Path, tmp_path: Path) -> None:
    made = recipe()
    run(made, tmp_path / "run", base)
    other = {**made.model, "decoder": {**made.model["decoder"], "mlp": 32}}
    with pytest.raises(ModelError, match="other sizes"):
        run(replace(made, model=other), tmp_path / "run", base, resume=True)


# What a run does.


def test_a_run_leaves_a_model_that_reads(recipe: Make, base: Path, tmp_path: Path, page: Any) -> None:
    said = run(recipe(), tmp_path / "run", base)
    assert [line.split("  ")[0] for line in said] == ["short 2/7", "short 4/7", "late 6/7"]
    model = GotOcr.load(tmp_path / "run" / "model", device="cpu")
    assert model.backend.spec.name == "tiny"
    assert len(model.read(page, max_new_tokens=4).token_ids) > 0
    stored, trained = load_model(tmp_path / "run" / "model"), states(tmp_path / "run")[STEPS].tensors
    assert stored.dtype == torch.bfloat16
    assert all(torch.equal(v, trained[f"learner.model.{name}"].bfloat16()) for name, v in stored.state_dict().items())


def test_the_log_has_a_line_for_every_step(whole: Any) -> None:
    log = rows(whole("adamw", 1))
    assert [row["step"] for row in log] == list(range(1, STEPS + 1))
    assert [row["stage"] for row in log] == ["short"] * 4 + ["late"] * 3
    assert all(math.isfinite(row["loss"]) and row["grad"] > 0 and row["samples"] > 0 for row in log)
    assert all((row["ctc"] > 0) == (row["stage"] == "short") for row in log)
    assert [round(row["lr"], 8) for row in log[:3]] == [5e-4, 1e-3, 1e-3]  # two steps of warm-up


@pytest.mark.parametrize("learns", [("vision",), ("connector",), ("decoder",), ("vision", "decoder")])
def test_frozen_parts_stay_as_they_are(recipe: Make, base: Path, tmp_path: Path, learns: tuple[str, ...]) -> None:
    made = recipe({"learns": learns, "ctc": 0.0, "steps": 2}, save_every=1)
    run(replace(made, stages=made.stages[:1]), tmp_path / "run", base)
    first, last = states(tmp_path / "run")[1].tensors, states(tmp_path / "run")[2].tensors
    weights = [name for name in first if name.startswith("learner.")]
    moved = {
        name.split(".")[2]
        for name in weights
        if name.startswith("learner.model.") and not torch.equal(first[name], last[name])
    }
    assert moved == set(learns)
    assert all(torch.equal(first[name], last[name]) for name in weights if ".ctc." in name)


def test_a_run_may_start_from_a_model(recipe: Make, base: Path, tmp_path: Path) -> None:
    run(recipe(), tmp_path / "first", base)
    made = recipe(start=str(tmp_path / "first" / "model"), model={}, vocabulary="")
    made = replace(made, stages=(replace(made.stages[1], steps=1, lr=1e-9, lr_end=0.0),))
    run(made, tmp_path / "second", base)
    one, two = (load_model(tmp_path / name / "model").state_dict() for name in ("first", "second"))
    assert all(torch.equal(one[name], two[name]) for name in one if name.startswith("vision"))
    assert all(torch.allclose(one[name].float(), two[name].float(), atol=1e-4) for name in one)


def test_a_model_may_start_from_a_smaller_one(recipe: Make, base: Path, small: Tokenizer, tmp_path: Path) -> None:
    run(recipe(), tmp_path / "first", base)
    more = Tokenizer(extend(small.ranks, ["\\alpha \\alpha \\alpha"] * 5, len(small.ranks) + 3))
    (tmp_path / "more").mkdir()
    more.save_tiktoken(tmp_path / "more" / "vocab.tiktoken")
    plain = recipe()
    vision = {**plain.model["vision"], "image": [96, 512], "strides": [[3, 1], [1, 2]]}
    decoder = {**plain.model["decoder"], "vocab": len(more)}
    model = {**plain.model, "vision": vision, "decoder": decoder, "image_token": more.image, "line_height": 32}
    made = recipe(start=str(tmp_path / "first" / "model"), model=model, vocabulary=str(tmp_path / "more"))
    made = replace(made, stages=(replace(made.stages[1], steps=1, lr=1e-9, lr_end=0.0),))
    run(made, tmp_path / "second", base)
    one, two = (load_model(tmp_path / name / "model").state_dict() for name in ("first", "second"))
    assert all(torch.equal(one[name], two[name]) for name in one if name.startswith("vision") and "pos" not in name)
    old, new = one["decoder.embed.weight"].float(), two["decoder.embed.weight"].float()
    count = len(small.ranks)
    assert torch.allclose(new[:count], old[:count], atol=1e-4)
    assert torch.allclose(new[count + 3 :], old[count:], atol=1e-4)


def test_synthesis_recipes_lie_beside_the_training_recipe(recipe: Make, base: Path, tmp_path: Path) -> None:
    (base / "mine.toml").write_text('[[mix]]\nsource = "text"\noptions = { lines = [1, 1], chars = [2, 8] }\n')
    made = recipe({"data": "mine.toml", "steps": 1, "warmup": 0})
    run(replace(made, stages=made.stages[:1]), tmp_path / "run", base)
    assert len(rows(tmp_path / "run")) == 1


# What goes wrong.


def test_what_is_wrong_with_files_shows_before_the_first_step(
    recipe: Make, base: Path, tmp_path: Path, small: Any
) -> None:
    made = recipe()
    late = replace(made, stages=(made.stages[0], replace(made.stages[1], data="no-such-data")))
    with pytest.raises(InvalidValue, match="no-such-data"):
        run(late, tmp_path / "run", base)
    late = replace(made, stages=(made.stages[0], replace(made.stages[1], data="absent.toml")))
    with pytest.raises(InvalidValue, match=r"absent\.toml"):
        run(late, tmp_path / "run", base)
    with pytest.raises(ModelError, match="no vocabulary"):
        run(replace(made, vocabulary="absent"), tmp_path / "run", base)
    with pytest.raises(ModelError, match=f"image token is {small.image}, the model's is 5"):
        run(replace(made, model={**made.model, "image_token": 5}), tmp_path / "run", base)
    with pytest.raises(ModelError, match="unknown fields"):
        run(replace(made, model={**made.model, "depth": 5}), tmp_path / "run", base)
    assert not (tmp_path / "run").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        run(made, tmp_path / "file" / "run", base)


def test_too_many_samples_that_cannot_be_used_stop_the_run(recipe: Make, base: Path, tmp_path: Path) -> None:
    made = recipe({"max_tokens": 1, "batch": 64, "pool": 8, "ctc": 0.0, "accumulate": 1}, max_skipped=0.5)
    with pytest.raises(GotOcrError, match=r"100 % of the samples could not be used \(limit 50 %\)"):
        run(made, tmp_path / "run", base)


def test_a_loss_that_is_no_number_stops_before_the_weights_are_spoiled(
    recipe: Make, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = loop.losses, []

    def broken(*words: Any) -> Any:
        calls.append(1)
        made = plain(*words)
        return replace(made, total=made.total * math.nan) if len(calls) > 4 else made

    monkeypatch.setattr(loop, "losses", broken)
    with pytest.raises(NumericError, match=r"step 2.*lower lr"):
        run(recipe(), tmp_path / "run", base)
    assert max(states(tmp_path / "run")) == 2
    assert all(torch.isfinite(v).all() for v in states(tmp_path / "run")[2].tensors.values())
