"""Sample -> example: pixels, ids, labels, by the same tiles and prompt that reading uses. Torch-free: runs in data workers."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from got_ocr import pixels, prompt
from got_ocr.cut import as_figure, settle
from got_ocr.data.sample import Sample
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.columns import columns


@dataclass(frozen=True, slots=True)
class Example:
    """One sample, ready for the network.

    tiles: uint8 (3, V, U) each. ids, labels: int64 of one length. columns: for each tile the bytes of the text line that it shows, or
    what stands for a formula (empty where it shows neither): the target of the auxiliary loss.
    """

    tiles: tuple[NDArray[np.uint8], ...]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    columns: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Measure the work of this example: its number of positions."""
        return len(self.ids)


def make_examples(sample: Sample, spec: ModelSpec, tokenizer: Tokenizer) -> list[Example]:
    """Cut and encode a sample as reading does, which may ask for its lines in several prompts.

    None where its lines were not found as written, so that nothing unseen is taught; none that is longer than the context.
    """
    task, parts = settle(sample.images, sample.task, spec)
    sample = replace(sample, task=task)
    arrays = tuple(pixels.raw(piece.tile) for part in parts for piece in part)
    size = sample.images[0].size
    if spec.tiling == "whole" or as_figure(sample.task, spec):
        shown = (columns(sample) if len(arrays) == 1 else b"",) * len(arrays)
        made = [_example(arrays, shown, sample.target, sample, size, spec, tokenizer)] if arrays else []
    else:
        # A strip is asked for as what it is, whatever part of the page was asked for.
        sample = replace(sample, task=Task(sample.task.mode))
        texts = sample.target.split("\n")
        if len(arrays) != len(texts):
            return []
        starts = range(0, len(texts), spec.tiles_per_prompt)
        made = [
            _example(
                arrays[part],
                tuple(text.encode() for text in texts[part]),
                "\n".join(texts[part]),
                sample,
                size,
                spec,
                tokenizer,
            )
            for part in (slice(start, start + spec.tiles_per_prompt) for start in starts)
        ]
    return [example for example in made if len(example.ids) <= spec.context]


def _example(
    arrays: tuple[NDArray[np.uint8], ...],
    shown: tuple[bytes, ...],
    target: str,
    sample: Sample,
    size: tuple[int, int],
    spec: ModelSpec,
    tokenizer: Tokenizer,
) -> Example:
    count = sum(spec.tokens(a.shape[1], a.shape[2]) for a in arrays)
    lesson = prompt.teach(tokenizer, prompt.build(tokenizer, sample.task, count, size), target)
    return Example(arrays, np.array(lesson.ids), np.array(lesson.labels), shown)
