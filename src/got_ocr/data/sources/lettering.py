"""Which font may letter a picture: one of a pool that draws all of its characters. Knows no kind of picture."""

from collections.abc import Callable

import numpy as np

from got_ocr.data import fonts
from got_ocr.errors import MissingDependency


def chinese(pool: str) -> str:
    """Name the Chinese pool that goes with a Latin one; empty where no font of it is installed."""
    name = "zh-heldout" if pool == "heldout" else "zh"
    try:
        return name if fonts.pool(name) else ""
    except MissingDependency:
        return ""


def covering(
    rng: np.random.Generator, pool: str, text: str, fits: Callable[[fonts.Font], bool] = lambda _font: True
) -> fonts.Font:
    """Draw a font of the pool that has every character of `text` and fits. Raises MissingDependency where none does."""
    needed = frozenset(char for char in text if not char.isspace())
    for _ in range(200):
        font = fonts.pick(pool, rng)
        if fonts.covered(font, needed) == needed and fits(font):
            return font
    raise MissingDependency(f"no font of the pool {pool!r} draws all of a text; install DejaVu or WenQuanYi fonts")
