"""The unit of training data: pictures, what is asked, what should be answered. Knows no source, font, file or model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image

from got_ocr.task import Task


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: its text and its ink box (left, top, right, bottom) in pixels of the picture."""

    text: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """One training example.

    images: RGB pictures, upright, at their natural size (tiling happens later, by the model's spec). kind: the source's name.
    target: the exact text to answer. lines: known line boxes in reading order where the source knows them (else empty).
    meta: facts for the manifest (font files, corpus names), JSON-able.
    """

    images: tuple[Image.Image, ...]
    target: str
    kind: str
    task: Task = field(default_factory=Task)
    lines: tuple[Line, ...] = ()
    meta: Mapping[str, object] = field(default_factory=dict)
