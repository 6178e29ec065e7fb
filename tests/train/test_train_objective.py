"""The losses against their plain definitions; who gets which optimiser, which rate and which first weights."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from got_ocr import pixels
from got_ocr.model.config import GotConfig
from got_ocr.model.got import GotModel
from got_ocr.prompt import IGNORE
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.batches import Batch, Feed, stream
from got_ocr.train.distributed import Group, join, leave, mean, mean_gradients, own_device
from got_ocr.train.objective import BLANK, Learner, column_loss, losses
from got_ocr.train.optim import freeze, initialise, initialise_head, make_optimizers, rate
from got_ocr.train.recipe import PARTS, Recipe, Stage

SCALE_BIAS = torch.stack([torch.from_numpy(v.copy()).view(3, 1, 1) for v in pixels.scale_bias()])
Make = Callable[..., Recipe]


@pytest.fixture
def learner(recipe: Make) -> Learner:
    model = GotModel(GotConfig.from_json(recipe().model))
    initialise(model, 1)
    made = Learner(model)
    initialise_head(made, 1)
    return made


@pytest.fixture
def batch(recipe: Make, base: Path) -> Batch:
    """Make a batch of four samples of unequal widths and lengths."""
    made = recipe({"batch": 4, "pool": 1})
    feed = Feed(made.stages[0], 3, GotConfig.from_json(made.model).spec, base)
    found = next(b for b in islice(stream(feed, 0, 0), 9) if len({t.shape for e in b.examples for t in e.tiles}) > 1)
    assert len({e.size for e in found.examples}) > 1
    return found


def plainly(learner: Learner, batch: Batch) -> tuple[Tensor, Tensor]:
    """Score samples one by one, as the losses are defined: (text, columns)."""
    text, count, columns, size = torch.zeros(()), 0, torch.zeros(()), 0
    for example in batch.examples:
        (tile,) = (torch.from_numpy(tile) * SCALE_BIAS[0] + SCALE_BIAS[1] for tile in example.tiles)
        features = learner.model.encode(tile[None])[0]
        logits = learner.model(torch.from_numpy(example.ids)[None], features)[0]
        for at, label in enumerate(example.labels):
            if label != IGNORE:
                text = text - F.log_softmax(logits[at - 1], -1)[int(label)]
                count += 1
        fine = learner.model.vision.trunk(tile[None])[0].mean(1).T  # (X, C)
        scores = F.log_softmax(learner.ctc(fine), -1)
        target = torch.tensor(list(example.columns[0]))
        columns = columns + F.ctc_loss(scores, target, (len(fine),), (len(target),), BLANK, "sum", zero_infinity=True)
        size += len(target)
    return text / count, columns / size


def test_losses_are_the_mean_over_answers_and_over_bytes(learner: Learner, batch: Batch, small: Tokenizer) -> None:
    """No smoothing, no prompt, no padding: the same as sample by sample."""
    text, columns = plainly(learner, batch)
    found = losses(learner, batch, SCALE_BIAS, 0.5, small.pad)
    assert torch.allclose(found.text, text, atol=1e-5)
    assert torch.allclose(found.ctc, columns, atol=1e-4)
    assert torch.allclose(found.total, text + 0.5 * columns, atol=1e-4)
    assert found.total.requires_grad
    assert not found.text.requires_grad


def test_padding_changes_nothing(learner: Learner, batch: Batch) -> None:
    one, other = (losses(learner, batch, SCALE_BIAS, 0.0, pad).total for pad in (3, 77))
    assert torch.equal(one, other)


def test_without_weight_there_is_no_column_loss(learner: Learner, batch: Batch, small: Tokenizer) -> None:
    found = losses(learner, batch, SCALE_BIAS, 0.0, small.pad)
    assert float(found.ctc) == 0
    assert torch.equal(found.total, found.text)
    bare = Batch(tuple(replace(example, columns=()) for example in batch.examples))
    assert float(losses(learner, bare, SCALE_BIAS, 1.0, small.pad).ctc) == 0


def test_the_column_loss_teaches(learner: Learner, batch: Batch) -> None:
    head = torch.nn.Linear(8, BLANK + 1)
    features = [torch.randn(24, 8, generator=torch.Generator().manual_seed(i)).requires_grad_() for i in range(2)]
    optimizer = torch.optim.Adam([*head.parameters(), *features], lr=0.05)
    seen = []
    for _ in range(60):
        loss = column_loss(head, features, [b"fox", b"dog "])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    assert seen[-1] < 0.1 * seen[0]
    best = head(features[0]).argmax(-1).tolist()
    spelt = [c for at, c in enumerate(best) if c != BLANK and (at == 0 or best[at - 1] != c)]
    assert bytes(spelt) == b"fox"


def test_a_text_longer_than_its_columns_teaches_nothing() -> None:
    features = [torch.randn(3, 8, requires_grad=True)]
    loss = column_loss(torch.nn.Linear(8, BLANK + 1), features, [b"far too long"])
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.equal(features[0].grad, torch.zeros(3, 8))  # type: ignore[arg-type]


# Optimisers.


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_every_parameter_has_one_optimiser(learner: Learner, optimizer: str) -> None:
    stage = Stage("s", "lines", 1, optimizer=optimizer, ctc=1.0, weight_decay=0.3)
    freeze(learner, stage)
    made = make_optimizers(learner, stage)
    groups = [group for one in made for group in one.param_groups]
    held = [id(value) for group in groups for value in group["params"]]
    names = {id(value): name for name, value in learner.named_parameters()}
    assert sorted(held) == sorted(names)
    still = {names[id(v)] for group in groups if group["weight_decay"] == 0 for v in group["params"]}
    assert still == {n for n, v in learner.named_parameters() if v.dim() < 2 or "embed" in n or "rel_pos" in n}
    by_muon = {names[id(v)] for one in made[1:] for group in one.param_groups for v in group["params"]}
    expected = {n for n, v in learner.named_parameters() if v.dim() == 2 and n not in still and not n.startswith("ctc")}
    assert by_muon == (expected if optimizer == "muon" else set())


@pytest.mark.parametrize("learns", [("vision",), ("connector",), ("decoder",), PARTS])
@pytest.mark.parametrize("ctc", [0.0, 1.0])
def test_freezing_decides_who_learns(learner: Learner, learns: tuple[str, ...], ctc: float) -> None:
    for value in learner.parameters():
        value.grad = torch.ones_like(value)
    freeze(learner, Stage("s", "lines", 1, learns=learns, ctc=ctc))
    parts = {
        name.split(".")[1 if name.startswith("model.") else 0]
        for name, v in learner.named_parameters()
        if v.requires_grad
    }
    assert parts == {*learns, *(["ctc"] if ctc else [])}
    assert all(value.grad is None for value in learner.parameters())


def test_the_rate_rises_then_falls() -> None:
    stage = Stage("s", "lines", 110, lr=1.0, lr_end=0.1, warmup=10)
    rates = [rate(stage, step) for step in range(110)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1.0
    assert rates[60] == pytest.approx(0.55)
    assert 0.1 <= rates[-1] < 0.101
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rate(replace(stage, warmup=0), 0) == 1.0
    assert rate(replace(stage, warmup=110), 109) == 1.0


def test_first_weights_come_from_the_seed_alone(recipe: Make) -> None:
    def weights(seed: int) -> dict[str, Tensor]:
        torch.manual_seed(torch.randint(1 << 30, ()).item())  # type: ignore[arg-type]
        made = Learner(GotModel(GotConfig.from_json(recipe().model)))
        initialise(made.model, seed)
        initialise_head(made, seed)
        return made.state_dict()

    one, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    drawn = [name for name, value in one.items() if value.dim() > 1 and "rel_pos" not in name]
    assert not any(torch.equal(one[name], other[name]) for name in drawn)
    assert all(torch.isfinite(value).all() for value in one.values())
    assert math.isclose(float(one["model.decoder.norm.weight"].mean()), 1.0)


# Several processes; two real ones are tried elsewhere.


def test_alone_there_is_nothing_to_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = join("cpu")
    assert (group, group.leads, Group(1, 2).leads) == (Group(0, 1), True, False)
    value = torch.nn.Parameter(torch.ones(2))
    mean_gradients([value], group)
    assert value.grad is None
    assert torch.equal(mean(torch.ones(2), group), torch.ones(2))
    leave(group)


def test_each_process_takes_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert [own_device(name) for name in ("cuda", "cpu", "cuda:1")] == ["cuda:3", "cpu", "cuda:1"]
    monkeypatch.delenv("LOCAL_RANK")
    assert own_device("cuda") == "cuda"
