"""Prompts to ids: ends and their names, limits, bans, rows that know nothing of each other; on a script and on tiny models."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from got_ocr import pixels, prompt
from got_ocr.errors import InvalidValue, NumericError
from got_ocr.generate import Outcome, Request, finish, generate
from got_ocr.ocr import GotOcr
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer

END = 5


def request(length: int = 10, **rules: Any) -> Request:
    return Request([1] * length, [4], END, **rules)


def answers(backend: Any, *given: Sequence[int | None]) -> Any:
    backend.end = END
    backend.answers = [list(answer) for answer in given]
    return backend


def test_an_answer_ends_with_its_end(script: Any) -> None:
    assert finish(generate(answers(script, [9, 8, 7]), [request()])) == [Outcome((9, 8, 7), "ok", 4)]
    assert script.steps == 3  # the first id comes from the prompt itself


def test_an_answer_may_be_nothing(script: Any) -> None:
    assert finish(generate(answers(script, []), [request()])) == [Outcome((), "ok", 1)]
    assert script.steps == 0


def test_no_request_is_no_work(script: Any) -> None:
    assert finish(generate(script, [])) == []
    assert script.prompts == []


def test_the_limit_cuts_and_says_so(script: Any) -> None:
    running = generate(answers(script, range(10, 90)), [request(max_new_tokens=30)])
    assert finish(running) == [Outcome(tuple(range(10, 40)), "truncated", 30)]
    assert script.rooms == [30]
    # The end counts as an id: thirty fit, with the end thirty-one.
    exact = generate(answers(script, range(10, 39)), [request(max_new_tokens=30)])
    assert finish(exact) == [Outcome(tuple(range(10, 39)), "ok", 30)]


def test_the_context_is_a_limit_too(script: Any) -> None:
    room = script.spec.context - 10
    (outcome,) = finish(generate(answers(script, np.arange(3000) % 1900 + 10), [request(max_new_tokens=4096)]))
    assert (outcome.status, outcome.written) == ("truncated", room)
    with pytest.raises(InvalidValue, match=r"2000 tokens.*context of 2000.*fewer tiles"):
        finish(generate(script, [request(), request(2000)]))


@pytest.mark.parametrize("period", [1, 5, 100])
def test_loops_are_stopped_and_cut_to_one_period(script: Any, period: int) -> None:
    head, loop = list(range(100, 140)), list(range(200, 200 + period))
    (outcome,) = finish(generate(answers(script, head + loop * 5000), [request()]))
    assert outcome == Outcome((*head, *loop), "loop", len(head) + 4 * period + 60)


def test_unwatched_loops_run_to_the_limit(script: Any) -> None:
    (outcome,) = finish(generate(answers(script, [9] * 900), [request(watch=False, max_new_tokens=500)]))
    assert outcome == Outcome((9,) * 500, "truncated", 500)


def test_bans_reach_the_scores(script: Any) -> None:
    """With pairs banned, 9 9 may stand once; the prompt's own pairs count as well."""
    asked = Request([1, 2], [], END, ban=2, watch=False, max_new_tokens=6)
    (outcome,) = finish(generate(answers(script, [9, 9, 9, 8, 9, 8]), [asked]))
    assert outcome.ids == (9, 9, 7, 8, 9, 8)
    (outcome,) = finish(generate(answers(script, [1, 2, 3]), [asked]))
    assert outcome.ids == (1, 7, 3)


def test_rows_end_by_themselves(script: Any) -> None:
    backend = answers(script, [9] * 400, [], list(range(10, 60)), [8, 8])
    requests = [request(12), request(3), request(5, max_new_tokens=20), request(30)]
    outcomes = finish(generate(backend, requests))
    assert [outcome.status for outcome in outcomes] == ["loop", "ok", "truncated", "ok"]
    assert [len(outcome.ids) for outcome in outcomes] == [1, 0, 20, 2]
    assert script.steps == 63  # as many as the longest row needs


def test_ids_are_handed_out_as_they_come(script: Any) -> None:
    seen = list(generate(answers(script, [9, 8], [7]), [request(), request()]))
    assert seen == [(0, 9), (1, 7), (0, 8)]


def test_scores_that_are_no_numbers_stop_the_answer(script: Any) -> None:
    with pytest.raises(NumericError):
        finish(generate(answers(script, [9, None]), [request()]))


# On tiny random models.


def asked(model: GotOcr, tokenizer: Tokenizer, tile: np.ndarray, task: Task, most: int = 24, **rules: Any) -> Request:
    features = model.backend.encode([tile])
    count = model.backend.spec.tokens(*tile.shape[1:])
    return Request(
        prompt.build(tokenizer, task, count, (500, 500)).ids, features, tokenizer.end, max_new_tokens=most, **rules
    )


def tiles(count: int, width: int = 128, height: int = 128) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (3, height, width), dtype=np.uint8) for _ in range(count)]


def test_alone_and_together_are_equal(whole: GotOcr, small: Tokenizer) -> None:
    """Rows of unequal prompts, some with a ban; each as if the others were not there, bit for bit."""
    tasks = [Task(), Task(box=(1, 2, 300, 400), box_mode="prompt"), Task(color="red"), Task("format"), Task()]
    requests = [
        asked(whole, small, tile, task, most=10 + 9 * i, ban=3 * (i % 2))
        for i, (tile, task) in enumerate(zip(tiles(5), tasks, strict=True))
    ]
    assert len({len(r.prompt) for r in requests}) > 2
    together = finish(generate(whole.backend, requests))
    alone = [outcome for r in requests for outcome in finish(generate(whole.backend, [r]))]
    assert together == alone
    assert finish(generate(whole.backend, requests[::-1])) == together[::-1]
    assert len({outcome.ids[:10] for outcome in together}) == 5, "pictures change nothing: equality would prove little"


def test_a_neighbour_changes_no_bit(whole: GotOcr, small: Tokenizer) -> None:
    """The scores themselves are equal whatever stands beside a row of the same length."""
    first, *others = tiles(4)
    requests = [asked(whole, small, tile, Task()) for tile in (first, *others)]

    def scores(neighbour: Request) -> torch.Tensor:
        rows = whole.backend.start(
            [requests[0].prompt, neighbour.prompt], [requests[0].features, neighbour.features], 4
        )
        found = [rows.prefill()._logits[0].clone()]  # type: ignore[attr-defined]
        found += [rows.step([token, token + 50])._logits[0].clone() for token in (40, 41, 42)]  # type: ignore[attr-defined]
        return torch.stack(found)

    expected = scores(requests[1])
    assert all(torch.equal(scores(neighbour), expected) for neighbour in requests[2:])


def test_the_cache_grows_without_a_trace(whole: GotOcr, small: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    from got_ocr.backends import torch as backend

    requests = [asked(whole, small, tile, Task(), most=60, watch=False) for tile in tiles(2)]
    expected = finish(generate(whole.backend, requests))
    monkeypatch.setattr(backend, "FIRST_ROOM", 3)
    assert finish(generate(whole.backend, requests)) == expected
    assert all(outcome.written == 60 for outcome in expected)


def test_bans_hold_on_a_real_model(whole: GotOcr, small: Tokenizer) -> None:
    free, held = (
        finish(generate(whole.backend, [asked(whole, small, tiles(1)[0], Task(), 120, ban=ban, watch=False)]))[0].ids
        for ban in (0, 2)
    )
    assert len(set(pairwise(free))) < len(free) - 1, "nothing repeats: the ban has nothing to do"
    pairs = list(pairwise(held))
    assert len(set(pairs)) == len(pairs)


def test_broken_weights_are_a_numeric_error(whole: GotOcr, small: Tokenizer) -> None:
    from got_ocr.backends.torch import TorchBackend
    from got_ocr.model.got import GotModel

    model = GotModel(whole.backend.model.config)  # type: ignore[attr-defined]
    with torch.no_grad():
        model.decoder.norm.weight.fill_(float("nan"))
    broken = GotOcr(TorchBackend(model), small)
    with pytest.raises(NumericError, match="not numbers"):
        finish(generate(broken.backend, [asked(broken, small, tiles(1)[0], Task())]))


def test_lines_of_unequal_widths_are_independent(lines: GotOcr, small: Tokenizer) -> None:
    strips = [tile for width in (64, 128, 256, 192) for tile in tiles(1, width, 32)]
    requests = [asked(lines, small, strip, Task()) for strip in strips]
    together = finish(generate(lines.backend, requests))
    assert together == [outcome for r in requests for outcome in finish(generate(lines.backend, [r]))]


def test_pixels_are_normalised_inside(whole: GotOcr) -> None:
    from PIL import Image

    tile = Image.fromarray(tiles(1)[0].transpose(1, 2, 0))
    (features,) = whole.backend.encode([pixels.raw(tile)])
    model = whole.backend.model  # type: ignore[attr-defined]
    with torch.inference_mode():
        expected = model.encode(torch.from_numpy(pixels.normalise(tile))[None])[0]
    assert torch.allclose(features, expected, atol=1e-5)
