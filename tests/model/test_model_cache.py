"""Decoding through the cache against whole sequences, and rows that must not see each other."""

import torch

from got_ocr.model.got import GotModel


def prompts(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(0, 60, (3, 9), generator=torch.Generator().manual_seed(seed))
    return ids, torch.tensor([9, 5, 7])


@torch.inference_mode()
def scores(model: GotModel, ids: torch.Tensor, lengths: torch.Tensor, steps: int, spare: int = 0) -> list[torch.Tensor]:
    """Score after the prompt and after each greedy id, with `spare` more cache positions in reach than needed."""
    cache = model.new_cache(len(ids), ids.shape[1] + steps + spare)
    out = [model.prefill(ids, lengths, None, cache)]
    for _ in range(steps):
        out.append(model.step(out[-1].argmax(-1), cache, int(cache.lengths.max()) + 1 + spare))
    return out


def test_cache_agrees_with_whole_sequences(tiny: GotModel) -> None:
    ids, lengths = prompts(1)
    steps = scores(tiny, ids, lengths, 20)
    for row in range(3):
        answer = torch.stack([step[row].argmax() for step in steps[:-1]])
        whole = tiny(torch.cat((ids[row, : lengths[row]], answer))[None], None)[0]
        cached = torch.stack([step[row] for step in steps])
        assert (whole[lengths[row] - 1 :] - cached).abs().max() < 1e-4


def test_a_neighbour_changes_no_bit(tiny: GotModel) -> None:
    (ids, lengths), (other, _) = prompts(1), prompts(2)
    other[0] = ids[0]
    for one, two in zip(scores(tiny, ids, lengths, 20), scores(tiny, other, lengths, 20), strict=True):
        assert one[0].equal(two[0])
        assert not one[1].equal(two[1])


@torch.inference_mode()
def test_several_ids_at_once_score_as_one_after_another(tiny: GotModel) -> None:
    """Rows of unequal length; then some positions are forgotten, and others stand in their place."""
    ids, lengths = prompts(1)
    more = torch.randint(0, 60, (3, 12), generator=torch.Generator().manual_seed(8))
    one, many = (tiny.new_cache(3, 30) for _ in range(2))
    for cache in (one, many):
        tiny.prefill(ids, lengths, None, cache)
    steps = torch.stack([tiny.step(more[:, i], one, 10 + i) for i in range(12)], 1)
    first = tiny.extend(more[:, :5], many, 14)
    tiny.extend(torch.full((3, 6), 7), many, 20)
    assert (many.lengths - lengths).tolist() == [11, 11, 11]
    many.lengths -= 6
    second = tiny.extend(more[:, 5:], many, 21)
    assert (torch.cat((first, second), 1) - steps).abs().max() < 1e-5
    assert torch.equal(many.lengths, one.lengths)


def test_unfilled_cache_positions_change_nothing(tiny: GotModel) -> None:
    ids, lengths = prompts(1)
    for one, two in zip(scores(tiny, ids, lengths, 8), scores(tiny, ids, lengths, 8, spare=13), strict=True):
        assert (one - two).abs().max() < 1e-5


def test_smaller_tile_uses_the_top_left_positions(tiny: GotModel) -> None:
    pixels = torch.randn(2, 3, 64, 128, generator=torch.Generator().manual_seed(3))
    assert tiny.encode(pixels).shape == (2, 2, 32)
    many = tiny.encode_many([pixels[0], torch.zeros(3, 128, 128), pixels[1]])
    assert [len(tokens) for tokens in many] == [2, 4, 2]
    assert (torch.stack([many[0], many[2]]) - tiny.encode(pixels)).abs().max() < 1e-5
