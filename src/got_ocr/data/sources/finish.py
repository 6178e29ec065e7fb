"""The last touch on a drawn picture: some stay clean, others are worn lightly. Knows no label and no kind of
picture.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from got_ocr.data import augment
from got_ocr.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Finish:
    """Say how pictures are worn: the share that stays clean, how much (0 to 1) and how (`augment.WEAR_NAMES`)."""

    clean_fraction: float
    strength: float
    wear: str

    def __post_init__(self) -> None:
        if not 0 <= self.clean_fraction <= 1 or not 0 <= self.strength <= 1:
            raise InvalidValue("clean_fraction and strength lie between 0 and 1")
        if self.wear not in augment.WEAR_NAMES:
            raise InvalidValue(f"wear is one of {', '.join(augment.WEAR_NAMES)}; not {self.wear!r}")


def touch(rng: np.random.Generator, picture: Image.Image, finish: Finish, size: float) -> Image.Image:
    """Wear a picture, or leave it. size: of its print in pixels; small print bears less."""
    if rng.random() < finish.clean_fraction:
        return picture
    strength = finish.strength * min(1.0, size / 32)
    return Image.fromarray(augment.wear(np.asarray(picture), rng, strength, finish.wear))
