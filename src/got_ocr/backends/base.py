"""What a backend is: something that encodes tiles and writes ids. The corridor knows only this.

Implementations keep their own arrays behind `Features`, `Scores` and `Rows`; nothing outside looks into them.
"""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from got_ocr.spec import ModelSpec

Features = Any  # the image tokens of one tile, in the backend's own form


class Scores(Protocol):
    """Hold the scores of the next id for some rows."""

    def best(self, banned: Sequence[Collection[int]]) -> list[int]:
        """Choose each row's best id outside its banned ones. Raises NumericError for scores that are no numbers."""
        ...


class Rows(Protocol):
    """Hold some requests under way, with their caches."""

    def prefill(self) -> Scores:
        """Read the prompts."""
        ...

    def step(self, ids: Sequence[int]) -> Scores:
        """Append one id to each row."""
        ...


class Backend(Protocol):
    """Compute. spec: of the loaded model."""

    @property
    def spec(self) -> ModelSpec:
        """Describe the model."""
        ...

    def encode(self, tiles: Sequence[NDArray[np.uint8]]) -> list[Features]:
        """Turn tiles, uint8 (3, H, W) of any sizes, into image tokens."""
        ...

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Features]], room: int) -> Rows:
        """Open rows for prompts with their image tokens, each with room for `room` more ids."""
        ...
