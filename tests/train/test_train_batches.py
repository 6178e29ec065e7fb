"""Batches: a position always holds the same one; nothing is taught that is not shown; workers end with their run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from got_ocr.data.sample import Sample
from got_ocr.data.sources.table import TableSource
from got_ocr.errors import ChildCrashed, InvalidValue, MissingDependency, PageRenderFailed
from got_ocr.model.config import GotConfig
from got_ocr.prompt import IGNORE
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer
from got_ocr.train import batches
from got_ocr.train.batches import Batch, Feed, make_chunk, stream
from got_ocr.train.examples import Example, make_examples
from got_ocr.train.recipe import Recipe


@pytest.fixture
def feed(recipe: Callable[..., Recipe], base: Path) -> Feed:
    made = recipe()
    return Feed(made.stages[0], 3, GotConfig.from_json(made.model).spec, base)


def example_of(number: int) -> Example:
    """Make an example that is known by its first id."""
    ids = np.array([number])
    return Example((np.zeros((3, 32, 64), dtype=np.uint8),), ids, ids, (b"",))


def facts(chunk: list[Batch]) -> list[Any]:
    """Say all that is in some batches, in a form that compares."""
    return [
        (b.skipped, b.built, [(e.ids.tobytes(), e.labels.tobytes(), e.columns, *(t.tobytes() for t in e.tiles)) for e in b.examples])
        for b in chunk
    ]  # fmt: skip


def test_a_chunk_is_the_same_every_time(feed: Feed) -> None:
    assert facts(make_chunk(feed, 2)) == facts(make_chunk(feed, 2))
    assert facts(make_chunk(feed, 2)) != facts(make_chunk(feed, 3))
    assert facts(make_chunk(feed, 2)) != facts(make_chunk(replace(feed, seed=4), 2))


def test_a_position_holds_the_same_batch_wherever_one_starts(feed: Feed) -> None:
    whole = list(islice(stream(feed, 0, 0), 10))
    for start in range(1, 8):
        assert facts(list(islice(stream(feed, start, 0), 10 - start))) == facts(whole[start:])


def test_a_chunk_counts_its_samples_and_its_positions(feed: Feed) -> None:
    for number in range(4):
        chunk = make_chunk(feed, number)
        assert len(chunk) == feed.stage.pool
        assert sum(b.built for b in chunk) == feed.stage.batch * feed.stage.pool
        assert sum(len(b.examples) + b.skipped for b in chunk) == 6


def seen(recipe: object, seed: int, index: int) -> Sample:
    """Stand in for `build`: a sample whose target is its index."""
    return Sample((Image.new("RGB", (64, 32), "white"),), str(index), "test")


@pytest.fixture
def indexes(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> Callable[[Feed, int], list[int]]:
    """Give the indexes that a chunk takes, in order of building."""

    def collect(feed: Feed, number: int) -> list[int]:
        built: list[int] = []
        monkeypatch.setattr(batches, "build", lambda recipe, seed, index: [built.append(index), seen(0, 0, index)][1])
        make_chunk(feed, number)
        return built

    return collect


def test_no_index_is_used_twice_by_any_process(feed: Feed, indexes: Callable[[Feed, int], list[int]]) -> None:
    used = [i for rank in range(3) for number in range(4) for i in indexes(replace(feed, rank=rank, world=3), number)]
    assert sorted(used) == list(range(3 * 4 * 6))


def test_a_stage_may_have_only_so_many_samples(feed: Feed, indexes: Callable[[Feed, int], list[int]]) -> None:
    few = replace(feed, stage=replace(feed.stage, samples=4))
    assert [i for number in range(2) for i in indexes(few, number)] == [0, 1, 2, 3] * 3


def test_rows_of_like_length_stand_together(feed: Feed) -> None:
    long = replace(feed, stage=replace(feed.stage, batch=4, pool=6))
    spans = sorted((min(e.size for e in b.examples), max(e.size for e in b.examples)) for b in make_chunk(long, 0))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert len(set(spans)) > 3


def test_processes_take_short_and_long_batches_at_the_same_steps(feed: Feed) -> None:
    two = replace(feed, stage=replace(feed.stage, batch=2, pool=6), world=2)
    ranks = [[max(e.size for e in b.examples) for b in make_chunk(replace(two, rank=rank), 1)] for rank in range(2)]
    assert ranks[0] != ranks[1]
    places = [sorted(range(6), key=sizes.__getitem__) for sizes in ranks]
    assert places[0] == places[1] != list(range(6))


def test_samples_that_cannot_be_used_are_counted(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(recipe: object, seed: int, index: int) -> Sample:
        if index % 3 == 1:
            raise PageRenderFailed("did not fit")
        if index % 3 == 2:
            raise ChildCrashed("the renderer died")
        return seen(recipe, seed, index)

    monkeypatch.setattr(batches, "build", build)
    monkeypatch.setattr(batches, "make_examples", lambda sample, spec, tokenizer: [])
    chunk = make_chunk(feed, 0)
    assert [(len(b.examples), b.skipped, b.built) for b in chunk] == [(0, 6, 6), (0, 0, 0), (0, 0, 0)]


@pytest.mark.parametrize("error", [MissingDependency("no font"), InvalidValue("no such option"), ZeroDivisionError()])
def test_what_would_fail_every_sample_stops(feed: Feed, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def build(*_: object) -> Sample:
        raise error

    monkeypatch.setattr(batches, "build", build)
    with pytest.raises(type(error)):
        make_chunk(feed, 0)


def test_long_samples_are_passed_over(feed: Feed) -> None:
    sizes = sorted(e.size for b in make_chunk(feed, 0) for e in b.examples)
    short = replace(feed, stage=replace(feed.stage, max_tokens=sizes[2]))
    kept = [e.size for b in make_chunk(short, 0) for e in b.examples]
    assert sorted(kept) == [size for size in sizes if size <= sizes[2]]


# Examples.


def test_an_example_shows_what_it_teaches(small: Tokenizer, feed: Feed, page: Image.Image) -> None:
    spec = replace(feed.spec, tiles_per_prompt=3)
    target = "the first line\nand a second one\nthe third"
    [example] = make_examples(Sample((page,), target, "test"), spec, small)
    assert example.columns == tuple(line.encode() for line in target.split("\n"))
    assert all(tile.shape[:2] == (3, 32) and tile.dtype == np.uint8 for tile in example.tiles)
    places = sum(spec.tokens(*tile.shape[1:]) for tile in example.tiles)
    assert list(example.ids).count(small.image) == places
    learned = example.labels != IGNORE
    assert small.decode(example.labels[learned]) == target
    assert (example.ids[learned] == example.labels[learned]).all()
    assert example.labels[-1] == small.end
    assert learned.sum() == len(small.encode(target)) + 1
    assert example.size == len(example.ids) == len(example.labels)


def test_lines_that_are_not_found_as_written_teach_nothing(small: Tokenizer, feed: Feed, page: Image.Image) -> None:
    spec = replace(feed.spec, tiles_per_prompt=3)
    assert make_examples(Sample((page,), "one\ntwo", "test"), spec, small) == []
    assert make_examples(Sample((page,), "a\nb\nc", "test"), replace(spec, context=40), small) == []
    assert len(make_examples(Sample((page,), "a\nb\nc", "test"), spec, small)) == 1


def test_a_page_of_more_lines_than_a_prompt_holds_is_several_examples(
    small: Tokenizer, feed: Feed, page: Image.Image
) -> None:
    spec = replace(feed.spec, tiles_per_prompt=2)
    examples = make_examples(Sample((page,), "first\nsecond\nthird", "test"), spec, small)
    assert [example.columns for example in examples] == [(b"first", b"second"), (b"third",)]
    assert [small.decode(e.labels[e.labels != IGNORE]) for e in examples] == ["first\nsecond", "third"]


def test_cells_of_a_table_are_lines_to_learn(small: Tokenizer, feed: Feed) -> None:
    spec = replace(feed.spec, tiles_per_prompt=2, figure_tokens=96, reads=frozenset({"plain", "table"}))
    samples = [
        TableSource(clean_fraction=1.0, zh=0.0, max_columns=4)(np.random.default_rng(seed)) for seed in range(12)
    ]
    learned = 0
    for sample in samples:
        texts = {text for *_, text in sample.meta["cells"]}  # type: ignore[attr-defined]
        for example in make_examples(sample, spec, small):
            learned += 1
            assert small.decode(example.labels[example.labels != IGNORE]) in texts
            assert [tile.shape[1] for tile in example.tiles] == [32]
            assert small.decode(example.ids).count("OCR with format") == 1
    assert learned > 60
    wrong = replace(samples[0], meta={"cells": [[0, 0, 1, 1, "not what is drawn"]]})
    assert make_examples(samples[0], spec, small)
    assert make_examples(wrong, spec, small) == []


def test_a_figure_is_one_tile_of_several_cells_and_no_line(small: Tokenizer, feed: Feed, page: Image.Image) -> None:
    spec = replace(feed.spec, tile=(256, 1024), figure_tokens=96, reads=frozenset({"plain", "format"}))
    sample = Sample((page,), "\\frac{a}{b}\nc", "test", Task(mode="format"))
    [example] = make_examples(sample, spec, small)
    assert example.columns == (b"",)
    assert len(example.tiles) == 1
    assert example.tiles[0].shape[1] % 32 == 0
    assert example.tiles[0].shape[1] > 32
    assert small.decode(example.labels[example.labels != IGNORE]) == sample.target
    assert make_examples(replace(sample, images=(Image.new("RGB", (90, 60), "white"),)), spec, small) == []


def test_some_examples_of_a_sample_are_taken(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "build", lambda recipe, seed, index: index)
    monkeypatch.setattr(
        batches, "make_examples", lambda sample, spec, tokenizer: [example_of(100 * sample + k) for k in range(9)]
    )
    several = replace(feed, stage=replace(feed.stage, per_sample=4))
    chunk = make_chunk(several, 0)
    taken = sorted(int(e.ids[0]) for b in chunk for e in b.examples)
    assert len(taken) == feed.stage.batch * feed.stage.pool == len(set(taken))
    assert {number // 100 for number in taken} == {0, 1}
    assert sum(b.built for b in chunk) == 2
    assert facts(make_chunk(several, 0)) == facts(chunk)


def test_whole_pictures_show_no_line(small: Tokenizer, whole: Any, page: Image.Image) -> None:
    [example] = make_examples(Sample((page,), "a\nb", "test"), whole.backend.spec, small)
    assert example.columns == (b"",)
    assert example.tiles[0].shape == (3, 128, 128)


# Workers.


def test_workers_make_the_same_batches_and_die_loudly(feed: Feed) -> None:
    running = stream(feed, 2, 2)
    assert facts(list(islice(running, 5))) == facts(list(islice(stream(feed, 2, 0), 5)))
    for child in _children(os.getpid()):
        if "spawn_main" in _words(child):
            os.kill(child, signal.SIGKILL)
    with pytest.raises(ChildCrashed, match="--resume"):
        list(islice(running, 60))
    running.close()


SCRIPT = """
import sys
from itertools import islice
from pathlib import Path
from got_ocr.spec import ModelSpec
from got_ocr.train.batches import Feed, stream
from got_ocr.train.recipe import Stage

if __name__ == "__main__":
    spec = ModelSpec("tiny", (32, 512), (32, 16), "lines", 1, 512, frozenset({"plain"}))
    feed = Feed(Stage("s", "lines-short", 9, batch=2, pool=2), 3, spec, Path(sys.argv[1]))
    running = stream(feed, 0, 1)
    print(len(list(islice(running, 2))), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_run(base: Path, tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py"), str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"2\n"
        workers = [child for child in _children(run.pid) if "spawn_main" in _words(child)]
        assert workers
        run.send_signal(how)
        run.wait(30)
        until = time.monotonic() + 30
        while any(_words(worker) for worker in workers) and time.monotonic() < until:
            time.sleep(0.1)
        assert [_words(worker) for worker in workers] == [""] * len(workers)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _words(pid: int) -> str:
    """Give a process's command line, "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
