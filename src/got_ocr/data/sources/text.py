"""Printed English text on a picture just big enough for it: one line or a small block. Knows no page, task or model."""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from got_ocr.data import augment, fonts, geometry, ink, paper, wording
from got_ocr.data.charset import LATIN
from got_ocr.data.sample import Line, Sample
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

if TYPE_CHECKING:
    import numpy as np

    from got_ocr.data.ink import Inked


@dataclass(frozen=True, slots=True)
class TextSource:
    """Write text samples.

    fonts: pool of data.fonts; handwriting: share drawn with handwriting fonts (training pools only). corpus: split of
    data.corpus. lines and chars: (least, most) lines and characters a line. sizes: (least, most) font size in pixels,
    drawn evenly on a logarithmic scale. prose: share of running text. clean_fraction: share without any degradation.
    strength: of the degradation, 0 to 1. angle: largest turn in degrees. ligatures: share drawn
    with the ligatures of the font, where it has any; labels always hold the letters. format: share that is asked for in
    format mode, of which plain letters come out alike.
    """

    fonts: str = "train"
    handwriting: float = 0.0
    corpus: str = "train"
    lines: tuple[int, int] = (1, 1)
    chars: tuple[int, int] = (4, 60)
    sizes: tuple[int, int] = (14, 64)
    prose: float = 0.7
    clean_fraction: float = 0.3
    strength: float = 0.7
    angle: float = 1.5
    ligatures: float = 0.2
    format: float = 0.0

    def __post_init__(self) -> None:
        for name, (least, most) in {"lines": self.lines, "chars": self.chars, "sizes": self.sizes}.items():
            if not 1 <= least <= most:
                raise InvalidValue(f"{name} is (least, most) with 1 <= least <= most; not {(least, most)}")

    def __call__(self, rng: "np.random.Generator") -> Sample:
        """Write one sample; every character of its label is drawn by its font."""
        written = rng.random() < self.handwriting and fonts.available("handwriting")
        font = fonts.pick("handwriting" if written else self.fonts, rng)
        size = round(math.exp(rng.uniform(math.log(self.sizes[0]), math.log(self.sizes[1] + 0.49))))
        texts = self._texts(rng, fonts.covered(font, LATIN))
        pitch = size * (1.05 + 0.75 * float(rng.beta(1.2, 2.2)))
        align = ink.ALIGNMENTS[int(rng.choice(4, p=(0.6, 0.15, 0.1, 0.15)))]
        spell = partial(fonts.ligated, font=font) if rng.random() < self.ligatures else str
        inked, shown = ink.block(texts, fonts.load(font, size), pitch, align, spell)
        degraded = rng.random() >= self.clean_fraction
        angle = float(rng.uniform(-self.angle, self.angle)) if degraded and rng.random() < 0.5 else 0.0
        inked = _framed(inked, rng, size, angle)
        pixels = _painted(inked, rng)
        if degraded:
            # Small print bears less: a strength that suits 32 pixels would wipe out 14.
            pixels = augment.light(pixels, rng, self.strength * min(1.0, size / 32))
        made = _sample(pixels, inked, shown, font)
        return replace(made, task=Task(mode="format")) if self.format and rng.random() < self.format else made

    def _texts(self, rng: "np.random.Generator", allowed: frozenset[str]) -> list[str]:
        count = int(rng.integers(self.lines[0], self.lines[1] + 1))
        for _ in range(8):
            texts = wording.lines(rng, self.corpus, count, self.chars, allowed, self.prose)
            if len(texts) >= self.lines[0]:
                return texts
        return ["Page"] * self.lines[0]


def _framed(inked: "Inked", rng: "np.random.Generator", size: int, angle: float) -> "Inked":
    """Turn the ink about its centre and give it margins, each drawn on its own."""
    import numpy as np

    left, top, right, bottom = (int(value) for value in rng.uniform(2, 4 + 0.9 * size, size=4))
    height, width = inked.ink.shape
    if angle == 0.0:
        moved = np.pad(inked.ink, ((top, bottom), (left, right)))
        return ink.Inked(moved, tuple(points + np.array((left, top), dtype=np.float32) for points in inked.outlines))
    return ink.turned(inked, geometry.turn(width, height, angle), (left, top, right, bottom))


def _painted(inked: "Inked", rng: "np.random.Generator") -> "ink.Pixels":
    ground, color = paper.colors(rng)
    power = (1.0, 1.0, 0.7, 0.8, 1.25)[int(rng.integers(5))]
    cover = inked.ink if power == 1.0 else ink.curve(power)[inked.ink]
    return paper.printed(rng, cover, ground, color)


def _sample(pixels: "ink.Pixels", inked: "Inked", texts: tuple[str, ...], font: fonts.Font) -> Sample:
    from PIL import Image

    height, width = pixels.shape[:2]
    rows = tuple(Line(text, ink.box(points, width, height)) for text, points in zip(texts, inked.outlines, strict=True))
    return Sample((Image.fromarray(pixels),), "\n".join(texts), "text", lines=rows, meta={"fonts": [font.facts]})
