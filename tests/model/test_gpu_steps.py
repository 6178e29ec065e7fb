"""Answers under way on the device, run on the CPU: buckets, spare rows, growth, limits and bans, against one request after another."""

import random
from collections.abc import Callable

import pytest
import torch
from fast_kit import DECODERS, LINES, network

from got_ocr.errors import ModelError
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.graphs import Rule, Steps, bucket
from got_ocr.model.gpu.ops import PLAIN
from got_ocr.sampling import NgramBan


@pytest.fixture(scope="module")
def plain() -> GotModel:
    """Build a network that does not say one id for ever."""
    model = network(LINES, DECODERS["tiny"], 1)
    with torch.no_grad():
        model.decoder.embed.weight.mul_(0.1)
    return model


@pytest.fixture(scope="module")
def gpu(plain: GotModel) -> GpuGot:
    return GpuGot(plain, PLAIN).eval()


@torch.inference_mode()
def alone(model: GotModel, prompt: list[int], rule: Rule) -> list[int]:
    """Write one answer, its end included, with the plain network and the sampler's ban."""
    cache = model.new_cache(1, len(prompt) + rule.most)
    scores = model.prefill(torch.tensor([prompt]), torch.tensor([len(prompt)]), None, cache)
    ban, ids = NgramBan(rule.ban, prompt) if rule.ban else None, []
    while len(ids) < rule.most and (not ids or ids[-1] != rule.end):
        scores[0, list(ban.banned()) if ban else []] = -torch.inf
        ids.append(int(scores.argmax()))
        if ban:
            ban.push(ids[-1])
        scores = model.step(torch.tensor(ids[-1:]), cache, len(prompt) + len(ids))
    return ids


def some(seed: int, count: int) -> list[tuple[list[int], Rule]]:
    rng = random.Random(seed)
    prompts = [[rng.randrange(40) for _ in range(rng.randrange(1, 9))] for _ in range(count)]
    return [(p, Rule(rng.choice([5, 40, 63]), rng.randrange(2, 50), rng.choice([0, 1, 2, 3]))) for p in prompts]


def test_buckets() -> None:
    assert [bucket(n, (1, 2, 4, 8)) for n in (1, 2, 3, 4, 5, 8, 9, 16, 17)] == [1, 2, 4, 4, 8, 8, 16, 16, 24]


@pytest.mark.parametrize("slots", [1, 7])
def test_answers_equal_those_written_alone(plain: GotModel, gpu: GpuGot, slots: int) -> None:
    """Slots and positions grow from almost nothing; rows of all kinds stand side by side; reports come every few steps."""
    asked = some(1, 6)
    prompt, rule = asked[0]
    asked[0] = prompt, Rule(alone(plain, prompt, Rule(-1, 9, rule.ban))[7], 49, rule.ban)  # which meets its end
    steps = Steps(gpu, 200, slots=slots, size=4)
    steps.admit([0, 4, 2], [p for p, _ in asked[:3]], None, [r for _, r in asked[:3]])
    heard: dict[int, list[int]] = {slot: [] for slot in (0, 4, 2, 1, 3, 5)}
    live = dict.fromkeys(heard, True)
    for turn in range(30):
        if turn == 2:
            steps.admit([1, 3, 5], [p for p, _ in asked[3:]], None, [r for _, r in asked[3:]])
        under_way = [0, 4, 2] if turn < 2 else list(heard)
        steps.run(under_way, 3)
        for slot, told in zip(under_way, steps.report(under_way, 4).read(), strict=True):
            heard[slot] += told.ids
            live[slot] = told.live
            assert not told.wrong
        if turn >= 2 and not any(live.values()):
            break
    assert not any(live.values())
    for (prompt, rule), ids in zip(asked, heard.values(), strict=True):
        assert ids == alone(plain, prompt, rule)
    assert any(len(ids) < rule.most for (_, rule), ids in zip(asked, heard.values(), strict=True))


def test_a_slot_that_is_used_again_knows_nothing_of_before(plain: GotModel, gpu: GpuGot) -> None:
    steps, asked = Steps(gpu, 200, slots=2, size=60), some(2, 4)
    for prompt, rule in asked:
        steps.admit([1], [prompt], None, [rule])
        steps.run([1], rule.most)
        (told,) = steps.report([1], rule.most).read()
        assert told.ids == alone(plain, prompt, rule)
        assert not told.live
        steps.retire([1])


def test_a_report_tells_the_rest_later(gpu: GpuGot) -> None:
    steps = Steps(gpu, 200)
    steps.admit([0], [[1, 2]], None, [Rule(-1, 12)])
    steps.run([0], 11)
    parts = [steps.report([0], 5).read()[0].ids for _ in range(4)]
    assert [len(part) for part in parts] == [5, 5, 2, 0]
    once = Steps(gpu, 200)
    once.admit([0], [[1, 2]], None, [Rule(-1, 12)])
    once.run([0], 40)
    assert once.report([0], 50).read()[0].ids == [token for part in parts for token in part]


def test_going_back_and_choosing_another(plain: GotModel, gpu: GpuGot) -> None:
    prompt, rule = [3, 1, 4], Rule(-1, 20)
    ids = alone(plain, prompt, rule)
    steps = Steps(gpu, 200)
    steps.admit([0], [prompt], None, [rule])
    steps.run([0], 15)
    other = steps.redo(0, 3 + 4, {ids[4]})
    assert other not in (None, ids[4])
    steps.run([0], 30)
    got = steps.report([0], 30).read()[0].ids
    assert [*ids[:4], other, *got] == alone_after(plain, prompt, [*ids[:4], int(other or 0)], 20)
    steps.force(0, 3 + 2, ids[2])
    steps.run([0], 30)
    assert [*ids[:3], *steps.report([0], 30).read()[0].ids] == ids


def alone_after(model: GotModel, prompt: list[int], ids: list[int], most: int) -> list[int]:
    return [*ids, *alone(model, prompt + ids, Rule(-1, most - len(ids)))]


def test_scores_that_are_no_numbers_stop_their_row_alone(plain: GotModel) -> None:
    broken = network(LINES, DECODERS["tiny"], 1)
    broken.load_state_dict(plain.state_dict())
    gpu, prompt = GpuGot(broken, PLAIN).eval(), [3, 1, 4]
    steps = Steps(gpu, 200, slots=2)
    steps.admit([0, 1], [prompt, prompt], None, [Rule(-1, 9), Rule(-1, 9)])
    steps.cache.values[:, 2, :, 1] = torch.nan  # of slot 1
    steps.run([0, 1], 20)
    sound, wrong = steps.report([0, 1], 20).read()
    assert (sound.ids, sound.wrong) == (alone(plain, prompt, Rule(-1, 9)), False)
    assert wrong.wrong
    assert not wrong.live
    assert wrong.ids[0] == sound.ids[0]
    # Another answer in that slot, whose cache holds no numbers behind it, is sound.
    steps.admit([1], [prompt[:1]], None, [Rule(-1, 9)])
    steps.run([0, 1], 20)
    assert steps.report([1], 20).read()[0].ids == alone(plain, prompt[:1], Rule(-1, 9))


def test_an_answer_that_would_outgrow_its_slot_is_refused(gpu: GpuGot) -> None:
    steps = Steps(gpu, 20)
    with pytest.raises(ModelError, match="20 positions"):
        steps.admit([0], [[1] * 11], None, [Rule(-1, 10)])
    steps.admit([0], [[1] * 10], None, [Rule(-1, 10)])
    steps.run([0], 30)
    assert len(steps.report([0], 30).read()[0].ids) == 10


def test_steps_are_recorded_once_for_each_bucket(gpu: GpuGot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that is only remembered and run again stands for CUDA's."""

    class Recording:
        def __init__(self, again: Callable[[], None]) -> None:
            self.replay = again

    made: list[tuple[int, int]] = []

    def record(self: Steps, size: int, most: int) -> Recording:
        made.append((size, most))
        rows = self._standing(size, ())
        return Recording(lambda: self._once(rows, most))

    monkeypatch.setattr(Steps, "_recorded", record)
    asked = some(1, 3)
    wanted = Steps(gpu, 200, slots=3, size=30)
    replayed = Steps(gpu, 200, slots=3, size=30, record=True)
    told = []
    for steps in (wanted, replayed):
        steps.admit([0, 1, 2], [p for p, _ in asked], None, [Rule(-1, 40, r.ban) for _, r in asked])
        steps.run([0, 1, 2], 5)
        steps.run([1], 2)
        steps.run([2, 1, 0], 5)
        steps.run([2, 1, 0], 30)
        told.append(steps.report([0, 1, 2], 60).read())
    assert told[0] == told[1]
    longest = max(rule.ban for _, rule in asked)
    assert made == [(4, longest), (1, asked[1][1].ban), (4, longest)]  # anew after the slots grew
