"""One contender: a backend and the same small jobs for every contender, each timed by itself.

A job gives seconds: of one tile, one prompt, one written id, one page. Rows of a decode job stay open between rounds, so
that only steps are timed; their context grows by `STEPS` a round on every side alike.
"""

import io
import time
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from got_ocr import cut, image, pixels
from got_ocr.backends.base import Backend, Features, Rows
from got_ocr.generate import Request, finish, generate
from got_ocr.task import Task

Job = Callable[[], float]

TEXT = 31  # ids of a prompt beside its image tokens; with 256 of them that is GOT's 287
STEPS = 8  # ids a row in one timing
PAGE = (1000, 1400)  # of the picture that is preprocessed and read end to end


class Side:
    """Time one backend. image_token: its place holder in prompts. ids: what it wrote, for comparing sides."""

    def __init__(
        self, backend: Backend, image_token: int, clock: Callable[[], float] = time.perf_counter, seed: int = 1
    ) -> None:
        self.backend = backend
        self._clock = clock
        rng = np.random.default_rng(seed)
        height, width = backend.spec.tile
        self.tile = rng.integers(0, 256, (3, height, width), dtype=np.uint8)
        many = backend.spec.tokens(height, width)
        text = [int(i) for i in rng.integers(0, image_token, TEXT)]
        self.prompt = text[: TEXT // 2] + [image_token] * many + text[TEXT // 2 :]
        self.png = _page(rng)
        self.ids: dict[int, list[int]] = {}
        self._seen: list[Features] = []  # the tile's image tokens, once a job needs them
        self._rows: dict[int, Rows] = {}

    @property
    def _features(self) -> Features:
        if not self._seen:
            self._seen = self.backend.encode([self.tile])
        return self._seen[0]

    def encode(self) -> float:
        """Encode one tile."""
        start = self._clock()
        self.backend.encode([self.tile])
        return self._clock() - start

    def prefill(self) -> float:
        """Read one prompt with its picture."""
        features = self._features
        start = self._clock()
        self.backend.start([self.prompt], [[features]], 1).prefill().best([()])
        return self._clock() - start

    def decode(self, rows: int) -> float:
        """Write some ids in each of several rows: seconds per id."""
        if rows not in self._rows:
            self._rows[rows] = self.backend.start([self.prompt] * rows, [[self._features]] * rows, 32 * STEPS)
            self.ids[rows] = self._rows[rows].prefill().best([()] * rows)
            self._step(rows)
        start = self._clock()
        for _ in range(STEPS):
            self._step(rows)
        return (self._clock() - start) / (STEPS * rows)

    def _step(self, rows: int) -> None:
        last = self.ids[rows][-rows:]
        self.ids[rows] += self._rows[rows].step(last).best([()] * rows)

    def preprocess(self) -> float:
        """Turn a PNG into tiles of numbers."""
        start = self._clock()
        self._tiles()
        return self._clock() - start

    def page(self, tokens: int) -> float:
        """Read a page end to end and write so many ids."""
        start = self._clock()
        features = self.backend.encode(self._tiles()[:1])
        finish(generate(self.backend, [Request(self.prompt, features, -1, watch=False, max_new_tokens=tokens)]))
        return self._clock() - start

    def _tiles(self) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        picture = image.load(self.png).image
        tiles = cut.cut([picture], Task(), self.backend.spec)
        return [pixels.raw(tile) for tile in tiles] if self.backend.spec.tiling == "whole" else [self.tile]


def jobs(side: Side, batches: tuple[int, ...], page_tokens: int) -> Mapping[str, Job]:
    """List the jobs of one side by name, in the order in which they run."""
    named: dict[str, Job] = {"preprocess": side.preprocess, "encode 1 tile": side.encode}
    named[f"prefill {len(side.prompt)}"] = side.prefill
    for rows in batches:
        named[f"decode batch {rows}"] = lambda rows=rows: side.decode(rows)  # type: ignore[misc]
    if page_tokens:
        named[f"page of {page_tokens} ids"] = lambda: side.page(page_tokens)
    return named


def _page(rng: np.random.Generator) -> bytes:
    """Draw a grey page with dark rows, as a PNG."""
    width, height = PAGE
    rows = np.full((height, width), 245, dtype=np.uint8)
    for top in range(60, height - 60, 28):
        rows[top : top + 14, 60:-60] = rng.integers(0, 256, (14, width - 120), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(rows).convert("RGB").save(out, "PNG")
    return out.getvalue()
