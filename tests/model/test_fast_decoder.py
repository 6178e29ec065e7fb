"""The fast decoder against the plain one: scores, greedy ids, rows of unequal length, caches that grow."""

import pytest
import torch
from fast_kit import DECODERS, LINES, gap, network
from torch import Tensor

from got_ocr.model.fast import decoder
from got_ocr.model.fast.linear import can_pack
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel

LENGTHS = [[1], [9], [4, 4, 4], [3, 8, 1, 5], [2] * 9]


def pytorch(model: GotModel, packed: bool = True) -> GotModel:
    """Build the fast form without the compiled kernels, which have tests of their own."""
    return fast_model(model, packed=packed and can_pack(model.dtype))


def prompts(model: GotModel, lengths: list[int], seed: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    return torch.randint(0, model.config.image_token, shape, generator=draw), torch.tensor(lengths)


def run(model: GotModel, ids: Tensor, lengths: Tensor, steps: list[Tensor]) -> list[Tensor]:
    """Prefill, then append the given ids; return the scores after each."""
    cache = model.new_cache(ids.shape[0], ids.shape[1] + len(steps))
    scores = [model.prefill(ids, lengths, None, cache)]
    for i, chosen in enumerate(steps):
        scores.append(model.step(chosen, cache, ids.shape[1] + i + 1))
    return scores


def greedy(model: GotModel, ids: Tensor, lengths: Tensor, count: int) -> Tensor:
    """Write `count` ids a row, none twice: random networks with a tied head say one word for ever otherwise."""
    cache = model.new_cache(ids.shape[0], ids.shape[1] + count)
    scores = model.prefill(ids, lengths, None, cache)
    said, written = torch.zeros_like(scores, dtype=torch.bool), []
    for i in range(count):
        written.append(scores.masked_fill(said, -torch.inf).argmax(-1))
        said[torch.arange(len(said)), written[-1]] = True
        scores = model.step(written[-1], cache, ids.shape[1] + i + 1)
    return torch.stack(written)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("name", DECODERS)
def test_float32_scores_equal_the_plain_ones(name: str, lengths: list[int], packed: bool) -> None:
    plain = network(LINES, DECODERS[name], 1)
    ids, sizes = prompts(plain, lengths, 1)
    steps = list(prompts(plain, [len(lengths)] * 6, 2)[0])
    with torch.inference_mode():
        fast = run(pytorch(plain, packed), ids, sizes, steps)
        for got, wanted in zip(fast, run(plain, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 1e-4


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_float32_greedy_ids_are_equal(lengths: list[int]) -> None:
    plain = network(LINES, DECODERS["bundled"], 5)
    ids, sizes = prompts(plain, lengths, 5)
    with torch.inference_mode():
        assert torch.equal(greedy(pytorch(plain), ids, sizes, 60), greedy(plain, ids, sizes, 60))


def in_parts(model: GotModel, ids: Tensor, lengths: Tensor, more: Tensor, parts: list[int]) -> Tensor:
    """Append the same ids in parts of given lengths, each after a wrong one that is forgotten: scores (B, T, W)."""
    cache, found, done = model.new_cache(ids.shape[0], ids.shape[1] + more.shape[1] + 3), [], 0
    model.prefill(ids, lengths, None, cache)
    for count in parts:
        reach = ids.shape[1] + done
        model.extend((more[:, done : done + 3] + 11) % 30, cache, reach + 3)
        cache.lengths -= 3
        found.append(model.extend(more[:, done : done + count], cache, reach + count))
        done += count
    return torch.cat(found, 1)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("lengths", [[9], [3, 8, 1, 5]], ids=str)
@pytest.mark.parametrize("name", DECODERS)
def test_several_ids_at_once_score_as_the_plain_ones_and_as_steps(
    name: str, lengths: list[int], packed: bool | None
) -> None:
    plain = network(LINES, DECODERS[name], 1)
    ids, sizes = prompts(plain, lengths, 1)
    more = prompts(plain, [20] * len(lengths), 2)[0]
    with torch.inference_mode():
        fast = pytorch(plain, packed)
        got = in_parts(fast, ids, sizes, more, [1, 5, 2, 8, 4])
        assert gap(got, in_parts(plain, ids, sizes, more, [1, 5, 2, 8, 4])) <= 1e-4
        assert gap(got, torch.stack(run(fast, ids, sizes, list(more.T))[1:], 1)) <= 1e-4


@pytest.mark.parametrize("lengths", [[9], [3, 8, 1, 5]], ids=str)
def test_greedy_ids_are_equal_several_at_once(lengths: list[int]) -> None:
    """In float32: what steps would choose after each id is what is chosen when they are appended together."""
    plain = network(LINES, DECODERS["bundled"], 5)
    fast = pytorch(plain)
    ids, sizes = prompts(plain, lengths, 5)
    with torch.inference_mode():
        said = greedy(fast, ids, sizes, 48)  # (T, B)
        steps = torch.stack(run(fast, ids, sizes, list(said))[1:], 1).argmax(-1)
        for parts in ([48], [1, 15, 16, 9, 7]):
            assert torch.equal(in_parts(fast, ids, sizes, said.T, parts).argmax(-1), steps)


@pytest.mark.parametrize("whole", [0, 3, 100])
def test_bfloat16_scores_of_several_ids_are_those_of_steps(whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "WHOLE", whole)
    model = pytorch(network(LINES, DECODERS["bundled"], 16, torch.bfloat16))
    ids, sizes = prompts(model, [5, 2, 4], 1)
    more = prompts(model, [20] * 3, 2)[0]
    with torch.inference_mode():
        got = in_parts(model, ids, sizes, more, [6, 1, 9, 4])
        assert gap(got, torch.stack(run(model, ids, sizes, list(more.T))[1:], 1)) <= 0.1


def test_bfloat16_scores_are_as_near_to_float32_as_the_plain_ones() -> None:
    exact, half = (network(LINES, DECODERS["bundled"], 7, dtype) for dtype in (torch.float32, torch.bfloat16))
    ids, sizes = prompts(exact, [30, 12, 25], 7)
    steps = list(prompts(exact, [3] * 40, 8)[0])
    with torch.inference_mode():
        wanted = torch.stack(run(exact, ids, sizes, steps))
        errors = [(torch.stack(run(m, ids, sizes, steps)) - wanted).pow(2).mean() for m in (half, pytorch(half))]
    assert errors[1] <= 1.25 * errors[0]


def test_a_network_with_images_answers_the_same() -> None:
    plain = network(LINES, DECODERS["bundled"], 11)
    ids, sizes = prompts(plain, [9, 7], 3)
    ids[0, 2:5] = ids[1, 1:3] = plain.config.image_token
    features = torch.randn(5, 192)
    with torch.inference_mode():
        pair = [m.prefill(ids, sizes, features, m.new_cache(2, 9)) for m in (plain, pytorch(plain))]
    assert gap(pair[1], pair[0]) <= 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_do_not_touch_each_other(dtype: torch.dtype) -> None:
    """A row's scores are the same bits whatever its neighbours hold."""
    model = pytorch(network(LINES, DECODERS["bundled"], 12, dtype))
    ids, sizes = prompts(model, [6, 9, 3], 1)
    other = ids.clone()
    other[1:] = (other[1:] + 7) % 1000
    steps = list(prompts(model, [3] * 5, 2)[0])
    changed = [step.clone() for step in steps]
    for step in changed:
        step[1:] = (step[1:] + 3) % 1000
    with torch.inference_mode():
        for one, two in zip(run(model, ids, sizes, steps), run(model, other, sizes, changed), strict=True):
            assert torch.equal(one[0], two[0])
            assert not torch.equal(one[1], two[1])


@pytest.mark.parametrize("whole", [0, 3, 100])
def test_what_lies_behind_a_row_is_never_seen(whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "WHOLE", whole)
    model = pytorch(network(LINES, DECODERS["tiny"], 13, torch.bfloat16))
    ids, sizes = prompts(model, [5, 2], 1)
    with torch.inference_mode():
        scores = []
        for rubbish in (0.0, 50.0):
            cache = model.new_cache(2, 8)
            cache.keys.fill_(rubbish)
            cache.values.fill_(rubbish)
            model.prefill(ids, sizes, None, cache)
            scores.append(model.step(torch.tensor([1, 2]), cache, 6))
    assert torch.equal(*scores)


@pytest.mark.parametrize("lengths", [[5], [5, 5], [5, 2, 4]], ids=str)
def test_reading_the_whole_cache_changes_no_score(lengths: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    model = pytorch(network(LINES, DECODERS["bundled"], 16, torch.bfloat16))
    ids, sizes = prompts(model, lengths, 1)
    steps = list(prompts(model, [len(lengths)] * 20, 2)[0])
    with torch.inference_mode():
        whole = run(model, ids, sizes, steps)
        monkeypatch.setattr(decoder, "WHOLE", 0)
        for got, wanted in zip(whole, run(model, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 0.05


def test_rotary_tables_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = network(LINES, DECODERS["tiny"], 14)
    monkeypatch.setattr(decoder, "FIRST_POSITIONS", 4)
    fast = pytorch(plain)
    ids, sizes = prompts(plain, [3, 2], 1)
    steps = list(prompts(plain, [2] * 12, 2)[0])
    with torch.inference_mode():
        for got, wanted in zip(run(fast, ids, sizes, steps), run(plain, ids, sizes, steps), strict=True):
            assert gap(got, wanted) <= 1e-4


def test_small_pieces_of_the_mlp_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = network(LINES, DECODERS["odd"], 15)
    ids, sizes = prompts(plain, [13, 4, 9], 1)
    monkeypatch.setattr(decoder, "ROWS_AT_ONCE", 5)
    with torch.inference_mode():
        assert gap(run(pytorch(plain), ids, sizes, [])[0], run(plain, ids, sizes, [])[0]) <= 1e-4
