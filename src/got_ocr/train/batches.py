"""Stage + position -> batches of examples, made by worker processes. Deterministic: a position always holds the same batch.

The unit of work is a chunk of `pool` batches: its samples are sorted by length, so that rows of a batch pad little, and the batches are
shuffled. A run that stops in a chunk makes that chunk again and skips what it had used. Knows no network.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from got_ocr.data.build import Recipe, build
from got_ocr.data.build import recipe as data_recipe
from got_ocr.errors import ChildCrashed, InputError
from got_ocr.spec import ModelSpec
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.examples import Example, make_examples
from got_ocr.train.recipe import Stage


@dataclass(frozen=True, slots=True)
class Batch:
    """Some examples of like length, and how many samples were passed over while making the batch's chunk."""

    examples: tuple[Example, ...]
    skipped: int = 0
    built: int = 0


@dataclass(frozen=True, slots=True)
class Feed:
    """Say where batches come from: all that a worker needs, small enough to send."""

    stage: Stage
    seed: int
    spec: ModelSpec
    vocabulary: Path
    rank: int = 0
    world: int = 1


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.load(folder)


def make_chunk(feed: Feed, number: int) -> list[Batch]:
    """Make the `pool` batches of this process's chunk `number`.

    No sample index is used twice in a stage, by any process, unless the stage has only so many samples.
    """
    stage = feed.stage
    # All processes take their short batches and their long ones at the same steps, or each would wait for the longest.
    shuffle = np.random.default_rng([feed.seed, number])
    number = number * feed.world + feed.rank
    recipe, tokenizer = data_recipe(stage.data), _tokenizer(feed.vocabulary)
    want = stage.batch * stage.pool
    examples: list[Example] = []
    built = skipped = 0
    for index in range(number * want, (number + 1) * want):
        made = _examples(recipe, feed, tokenizer, index % stage.samples if stage.samples else index)
        built, skipped = built + 1, skipped + (not made)
        examples += made[: want - len(examples)]
        if len(examples) == want:
            break
    examples.sort(key=lambda e: (len(e.tiles), e.tiles[0].shape[1], e.size))
    groups = [tuple(examples[i : i + stage.batch]) for i in range(0, len(examples), stage.batch)]
    order = shuffle.permutation(len(groups))
    # Skipped samples leave the last group short; a chunk always counts `pool` positions.
    batches = [Batch(groups[i]) for i in order]
    batches += [Batch(())] * (stage.pool - len(batches))
    first = batches[0]
    batches[0] = Batch(first.examples, skipped, built)
    return batches


def _examples(recipe: Recipe, feed: Feed, tokenizer: Tokenizer, index: int) -> list[Example]:
    """Make a sample's examples, `per_sample` at most; none of one that could not be drawn or was not cut as written."""
    stage = feed.stage
    try:
        sample = build(recipe, feed.seed, index)
    except (InputError, ChildCrashed):  # this one drawing failed; anything else would fail the next one too
        return []
    made = [e for e in make_examples(sample, feed.spec, tokenizer) if e.size <= stage.max_tokens]
    if len(made) <= stage.per_sample:
        return made
    chosen = np.random.default_rng([feed.seed, index]).choice(len(made), stage.per_sample, replace=False)
    return [made[i] for i in sorted(chosen)]


def _die_with_parent(parent: int) -> None:
    """Let a worker end with the run, and not before: when the run is killed, but not by a Ctrl-C that is meant for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def stream(feed: Feed, start: int, workers: int) -> Generator[Batch, None, None]:
    """Give batches from position `start` on, without end; `workers` processes make chunks ahead (0: made here)."""
    chunk, skip = divmod(start, feed.stage.pool)
    if workers == 0:
        while True:
            yield from make_chunk(feed, chunk)[skip:]
            chunk, skip = chunk + 1, 0
    # Spawned, not forked: a fork of a process with running torch threads may hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _die_with_parent, (os.getpid(),))
    try:
        waiting: deque[Future[list[Batch]]] = deque()
        while True:
            while len(waiting) < workers + 2:
                waiting.append(pool.submit(make_chunk, feed, chunk))
                chunk += 1
            try:
                ready = waiting.popleft().result()
            except (BrokenProcessPool, OSError):
                raise ChildCrashed("a data worker died; start the run again with --resume") from None
            yield from ready[skip:]
            skip = 0
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
