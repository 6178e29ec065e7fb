"""Sample -> example: pixels, ids, labels, by the same tiles and prompt that reading uses. Torch-free: runs in data workers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from got_ocr import pixels, prompt
from got_ocr.cut import cut
from got_ocr.data.sample import Sample
from got_ocr.spec import ModelSpec
from got_ocr.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Example:
    """One sample, ready for the network.

    tiles: uint8 (3, V, U) each. ids, labels: int64 of one length. columns: for each tile the bytes of the text that it shows,
    where that is known (else empty): the target of the auxiliary loss.
    """

    tiles: tuple[NDArray[np.uint8], ...]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    columns: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Measure the work of this example: its number of positions."""
        return len(self.ids)


def make_example(sample: Sample, spec: ModelSpec, tokenizer: Tokenizer) -> Example | None:
    """Cut and encode a sample; None where its lines were not found as written, so that nothing unseen is taught."""
    parts = cut(sample.images, sample.task, spec)
    columns: tuple[bytes, ...] = ()
    if spec.tiling == "lines":
        texts = sample.target.split("\n")
        if len(parts) != len(texts) or len(parts) > spec.tiles_per_prompt:
            return None
        columns = tuple(text.encode() for text in texts)
    arrays = tuple(pixels.raw(tile) for tile in parts)
    count = sum(spec.tokens(a.shape[1], a.shape[2]) for a in arrays)
    asked = prompt.build(tokenizer, sample.task, count, sample.images[0].size)
    lesson = prompt.teach(tokenizer, asked, sample.target)
    if len(lesson.ids) > spec.context:
        return None
    return Example(arrays, np.array(lesson.ids), np.array(lesson.labels), columns)
