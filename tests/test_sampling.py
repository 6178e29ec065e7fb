"""Rules on ids: the n-gram ban against its slow definition and transformers' own, the loop watch's promise and its mercy."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr.sampling import PERIODS, REPEATS, SLACK, LoopWatch, NgramBan
from got_ocr.tokenizer import Tokenizer

FEW = st.lists(st.integers(0, 2), max_size=40)


def slow_ban(ids: list[int], size: int) -> set[int]:
    """Say it as it is defined: an id is banned where it would complete an n-gram that is already there."""
    grams = {tuple(ids[i : i + size]) for i in range(len(ids) - size + 1)}
    start = tuple(ids[len(ids) - size + 1 :])
    return {gram[-1] for gram in grams if gram[:-1] == start} if len(ids) >= size - 1 else set()


@settings(max_examples=300, deadline=None)
@given(FEW, FEW, st.integers(1, 5))
def test_ban_equals_its_slow_definition(prompt: list[int], answer: list[int], size: int) -> None:
    ban = NgramBan(size, prompt)
    seen = list(prompt)
    assert set(ban.banned()) == slow_ban(seen, size)
    for token in answer:
        ban.push(token)
        seen.append(token)
        assert set(ban.banned()) == slow_ban(seen, size)


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_ban_equals_transformers(size: int) -> None:
    import torch

    transformers = pytest.importorskip("transformers")
    theirs = transformers.NoRepeatNGramLogitsProcessor(size)
    rng = np.random.default_rng(size)
    block = rng.integers(0, 3 if size < 20 else 50, 25).tolist()
    ids = block + block + rng.integers(0, 3, 20).tolist() + block
    ban, hits = NgramBan(size, ids[:7]), 0
    for at in range(7, len(ids)):
        scores = theirs(torch.tensor([ids[:at]]), torch.zeros(1, 60))
        expected = set(torch.nonzero(torch.isinf(scores[0])).flatten().tolist())
        assert set(ban.banned()) == expected
        hits += len(expected)
        ban.push(ids[at])
    assert hits, "nothing was ever banned: equality would prove little"


def stopped(ids: list[int]) -> tuple[int, int]:
    """Give after how many ids the watch stops and how many of them it calls surplus; (0, 0) where it never does."""
    watch = LoopWatch()
    for at, token in enumerate(ids, 1):
        surplus = watch.push(token)
        if surplus:
            return at, surplus
    return 0, 0


@pytest.mark.parametrize("period", [1, 2, 3, 7, 31, 64, 100, 127, 128])
@pytest.mark.parametrize("before", [0, 1, 300])
def test_loops_stop_in_time_and_leave_one_period(period: int, before: int) -> None:
    rng = np.random.default_rng(period)
    head = rng.integers(1000, 2000, before).tolist()
    loop = rng.permutation(500)[:period].tolist()
    ids = head + loop * (5 + 70 // period)
    at, surplus = stopped(ids)
    assert 0 < at - before <= REPEATS * period + 64
    assert ids[: at - surplus] == head + loop


def test_every_period_is_watched() -> None:
    rng = np.random.default_rng(0)
    assert PERIODS == 128
    for period in range(1, PERIODS + 1):
        loop = rng.permutation(500)[:period].tolist()
        at, surplus = stopped(loop * (5 + 70 // period))
        assert at == REPEATS * period + SLACK
        assert at - surplus == period


def test_longer_periods_are_not_loops() -> None:
    loop = np.random.default_rng(0).permutation(500)[: PERIODS + 1].tolist()
    assert stopped(loop * 20) == (0, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(4, 200))
def test_surplus_only_repeats_what_stands_before(loop: list[int], length: int) -> None:
    """Whatever is cut is written already: the kept part, continued by its own period, is what was cut."""
    ids = (loop * (length // len(loop) + 2))[:length]
    at, surplus = stopped(ids)
    if not at:
        return
    kept, cut = ids[: at - surplus], ids[at - surplus : at]
    assert any(cut == (kept[-p:] * (len(cut) // p + 1))[: len(cut)] for p in range(1, len(kept) + 1))


def slow_watch(ids: list[int]) -> int:
    """Say it as it is defined: the shortest period that the last ids have kept for long enough."""
    for period in range(1, PERIODS + 1):
        kept = 0
        while kept + period < len(ids) and ids[-1 - kept] == ids[-1 - kept - period]:
            kept += 1
        if kept >= (REPEATS - 1) * period + SLACK:
            return kept
    return 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(0, 260), st.lists(st.integers(0, 3), max_size=9)
)
def test_watch_equals_its_slow_definition(loop: list[int], length: int, tail: list[int]) -> None:
    ids = [*(loop * (length // len(loop) + 1))[:length], *tail, *loop, *loop]
    watch = LoopWatch()
    for at, token in enumerate(ids, 1):
        assert watch.push(token) == slow_watch(ids[:at])


# What real pages hold. Each repeats, and none is a loop.
LEGIT = {
    "dot leaders": "".join(f"Chapter {i} {'.' * 60} {7 * i}\n" for i in range(1, 40)),
    "spaced dot leaders": "".join(f"Section {i} {'. ' * 30}{i}\n" for i in range(1, 20)),
    "numbered rows": "\\begin{tabular}{|c|c|}\n\\hline\n" + "".join(f"{i} & 0 \\\\\n" for i in range(60)),
    "equal rows": "\\hline\n" + "0 & 0 \\\\\n" * 8,
    "rests in kern": "".join(f"={i}\t={i}\n4r\t4r\n4r\t4r\n4r\t4r\n4r\t4r\n" for i in range(1, 40)),
    "rules": "-" * 60 + "\n" + "_" * 60 + "\n" + "=" * 60,
    "a grid": "".join(f"\\draw (0,{i}) -- (9,{i});\n" for i in range(40)),
    "a chain of carbon": "C" * 60 + "(=O)O",
    "a form": "姓名：________ 性別：________ 年齡：________\n" * 3,
    "zeros": "0.000000, 0.000000, 0.000000, 0.000000\n" * 2,
    "code": "    }\n" * 12,
}
# The price of stopping within 4 periods and 60 ids: pages like these exist, and are stopped.
STOPPED = {
    "longer dot leaders": ("small", "." * 70),
    "a form of twenty empty rows": ("qwen", " & & & \\\\ \\hline\n" * 20),
    "a bar of equal notes in two voices": ("qwen", "16cc\t16c\n" * 16),
}


@pytest.mark.parametrize("name", LEGIT)
@pytest.mark.parametrize("vocabulary", ["small", "qwen"])
def test_legitimate_repeats_go_on(name: str, vocabulary: str, request: pytest.FixtureRequest) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(vocabulary)
    assert stopped(tokenizer.encode(LEGIT[name])) == (0, 0)


@pytest.mark.parametrize("name", STOPPED)
def test_what_repeats_for_longer_is_stopped_legitimate_or_not(name: str, request: pytest.FixtureRequest) -> None:
    vocabulary, text = STOPPED[name]
    tokenizer: Tokenizer = request.getfixturevalue(vocabulary)
    ids = tokenizer.encode(text)
    at, surplus = stopped(ids)
    assert at
    assert text.startswith(tokenizer.decode(ids[: at - surplus]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["table", "text", "molecule", "formula", "geometry", "chart", "music", "page"])
def test_no_label_of_the_data_engine_is_called_a_loop(kind: str, qwen: Tokenizer) -> None:
    build = pytest.importorskip("got_ocr.data.build")
    write = build.source(kind, {})
    for index in range(300):
        target = write(build.generator(f"loops-{kind}", 1, index)).target
        assert stopped(qwen.encode(target)) == (0, 0), target


def test_a_step_takes_a_constant_time() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, 3000).tolist()
    watch, ban = LoopWatch(), NgramBan(20, ids)
    started = time.process_time()
    for token in ids:
        watch.push(token)
        ban.push(token)
        ban.banned()
    assert (time.process_time() - started) / len(ids) < 2e-4
