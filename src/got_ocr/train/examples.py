"""Sample -> example: pixels, ids, labels, by the same tiles and prompt that reading uses. Torch-free: runs in data workers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from got_ocr import pixels, prompt
from got_ocr.cut import Piece, settle
from got_ocr.data.sample import Sample
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.columns import columns, staff_columns

NEARLY = 0.25  # of the area of two boxes that they share where they are of one text: worn pictures shift, turned texts have wide boxes


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
    settled = settle(sample.images, sample.task, spec)
    together = settled.together
    if "labels" in sample.meta and "format" not in spec.reads and settled.compose is None:
        return []  # a drawing that was not seen as one is no text line and no formula either
    sample = replace(sample, task=settled.task)
    whole = [piece for part in settled.parts for piece in part]
    arrays = tuple(pixels.raw(piece.tile) for piece in whole)
    size = sample.images[0].size
    if not together:
        shown = (columns(sample) if len(arrays) == 1 else b"",) * len(arrays)
        made = [_example(arrays, shown, sample.target, sample, size, spec, tokenizer)] if arrays else []
    else:
        # A strip is asked for as what it is, whatever part of the page was asked for.
        sample = replace(sample, task=Task(sample.task.mode))
        texts, music = _texts(sample, whole), sample.kind == "music"
        made = [
            _example(
                arrays[part],
                tuple(staff_columns(text or "") if music else (text or "").encode() for text in texts[part]),
                "\n".join(text or "" for text in texts[part]),
                sample,
                size,
                spec,
                tokenizer,
            )
            for part in (slice(start, start + together) for start in range(0, len(texts), together))
            if None not in texts[part]
        ]
    return [example for example in made if len(example.ids) <= spec.context]


def _texts(sample: Sample, whole: Sequence[Piece]) -> Sequence[str | None]:
    """Say what stands in each text line; None where that is not known, nothing at all where lines were not found as written."""
    if "labels" in sample.meta:
        labels = cast("list[list[Any]]", sample.meta["labels"])
        return [named(piece.box, labels) if piece.box else None for piece in whole]
    if not whole or whole[0].place is None:
        texts = sample.target.split("\n")
        return texts if len(texts) == len(whole) else []
    if sample.kind == "music":
        systems = cast("list[list[str]]", sample.meta.get("parts", []))
        staves = {(i, k, 1, 1): text for i, system in enumerate(systems) for k, text in enumerate(system)}
        return [staves[piece.place] for piece in whole if piece.place] if [*staves] == [p.place for p in whole] else []
    cells = {tuple(place): text for *place, text in cast("list[list[Any]]", sample.meta.get("cells", []))}
    lines = Counter(piece.place for piece in whole)
    if set(lines) != set(cells):
        return []
    # Where a text was broken into lines is known to the renderer alone.
    return [cells[piece.place] if lines[piece.place] == 1 else None for piece in whole if piece.place]


def named(box: Sequence[float], labels: Sequence[Sequence[Any]]) -> str | None:
    """Say which text of a drawing a strip shows: the one whose box (left, top, right, bottom, text) is nearly the strip's."""
    shares = [(_overlap(box, label[:4]), str(label[4])) for label in labels]
    share, text = max(shares, default=(0.0, ""))
    return text if share >= NEARLY else None


def _overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Measure the area that two boxes share, of that which they cover together."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, width) * max(0.0, height)
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)) - shared
    return shared / both if both > 0 else 0.0


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
