"""What peers share that have the decoder alone: pictures go through got-ocr's encoder, ids through the checkpoint's embedding.

So that a peer of `got-ocr bench` may be asked for prompts with pictures in them and its ids compared. Meant for `--jobs
prefill,decode`: what such a peer takes for a picture is got-ocr's own time. Knows no peer.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from got_ocr.backends.torch import open_backend
from got_ocr.errors import InvalidValue
from got_ocr.model.tensors import read_tensors
from got_ocr.model.weights import EMBEDDING, open_checkpoint

Numbers = NDArray[np.float32]


class Source:
    """Read a model folder for a peer. config: of the whole model."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._checkpoint = folder, open_checkpoint(folder)
        self.config, self.spec = self._checkpoint.config, self._checkpoint.config.spec
        if self.config.decoder.quantization:
            raise InvalidValue("a peer takes weights that are not quantised")
        self._table = self.tensors()[EMBEDDING]

    def tensors(self) -> Mapping[str, Tensor]:
        """Give the decoder's tensors by got-ocr's names."""
        found = {name: stored for name, stored in self._checkpoint.tensors.items() if name.startswith("decoder.")}
        return dict(read_tensors(found))

    def encode(self, tiles: Sequence[NDArray[np.uint8]]) -> list[Numbers]:
        """Encode tiles as got-ocr does; the encoder is let go of afterwards."""
        return [one.float().numpy() for one in open_backend(self._folder, "cpu", "bfloat16").encode(tiles)]

    def embed(self, ids: Sequence[int], features: Sequence[Numbers] = ()) -> Numbers:
        """Look ids up and put image tokens into their places: (T, C)."""
        x: Numbers = self._table[list(ids)].float().numpy()
        if features:
            x[np.array(ids) == self.config.image_token] = np.concatenate(features)
        return x


def keep() -> Path:
    """Give the folder for what a peer writes, the script's argument. Raises InvalidValue without one."""
    if len(sys.argv) < 2:
        raise InvalidValue(
            f'say where weights may be written: --peer "PYTHON benchmarks/{Path(sys.argv[0]).name} FOLDER"'
        )
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    return folder
