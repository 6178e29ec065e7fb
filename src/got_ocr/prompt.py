"""What the model is told: task + image tokens (+ target when training) -> ids and label mask. Training and reading share it.

The texts that the checkpoints were trained on stand here and nowhere else. Knows no picture and no tensor.
Source: paper section 3.3; the original demo scripts (`original`); transformers' processor (`hf`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from got_ocr.errors import InvalidValue
from got_ocr.task import Box, Task
from got_ocr.tokenizer import Tokenizer

Style = Literal["original", "hf"]

SYSTEM = "You should follow the instructions carefully and explain your answers in detail."
IGNORE = -100  # the label of a position that takes no part in the loss


@dataclass(frozen=True, slots=True)
class Prompt:
    """Hold the ids up to where the answer begins."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Hold a prompt with its answer. labels: one for each id, IGNORE outside the answer and its end."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


def build(
    tokenizer: Tokenizer, task: Task, image_tokens: int, size: tuple[int, int], style: Style = "original"
) -> Prompt:
    """Write the prompt for a picture of `size` (width, height) pixels that became `image_tokens` tokens (all tiles together)."""
    start, end = tokenizer.special("<|im_start|>"), tokenizer.end
    text = tokenizer.encode
    # Text outside (a box, a colour) is encoded as plain text, so it can never close a turn.
    ids = [start, *text(f"system\n{SYSTEM}"), end, start, *text("user\n")]
    ids += [tokenizer.special("<img>"), *[tokenizer.image] * image_tokens, tokenizer.special("</img>")]
    ids += [*text("\n" + query(task, size, style)), end, start, *text("assistant\n")]
    return Prompt(tuple(ids))


def teach(tokenizer: Tokenizer, prompt: Prompt, target: str) -> Lesson:
    """Append the answer and its end; only these are learned."""
    answer = (*tokenizer.encode(target), tokenizer.end)
    return Lesson(prompt.ids + answer, (IGNORE,) * len(prompt.ids) + answer)


def query(task: Task, size: tuple[int, int], style: Style = "original") -> str:
    """Say in the model's words what is asked."""
    box = None if task.box is None or task.box_mode == "crop" else scale_box(task.box, size)
    return _hf_query(task, box) if style == "hf" else _original_query(task, box)


def _original_query(task: Task, box: Sequence[int] | None) -> str:
    form = " with format" if task.mode == "format" else ""
    if task.multi_page:  # the original only ever asked for several pages with format
        return "OCR with format across multi pages: "
    if task.crop:
        return f"OCR{form} upon the patch reference: "
    where = f"[{task.color}] " if task.color else "" if box is None else f"{list(box)} "
    return f"{where}OCR{form}: "


def _hf_query(task: Task, box: Sequence[int] | None) -> str:
    color = f"[{task.color}] " if task.color else ""
    region = "" if box is None else str(list(box))
    form = " with format" if task.mode == "format" else ""
    pages = " across multi pages" if task.multi_page else ""
    patches = " upon the patch reference" if task.crop else ""
    return f"{color}{region} OCR{form}{pages}{patches}: "


def scale_box(box: Box, size: tuple[int, int]) -> list[int]:
    """Turn pixels into thousandths of the picture's width and height. Raises InvalidValue outside the picture."""
    width, height = size
    limits = (width, height) * (len(box) // 2)
    if any(v > limit for v, limit in zip(box, limits, strict=True)):
        raise InvalidValue(f"box {list(box)} lies outside the picture of {width} x {height} pixels")
    return [int(v / limit * 1000) for v, limit in zip(box, limits, strict=True)]
