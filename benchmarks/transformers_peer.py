"""transformers as a peer of `got-ocr bench`: same weights, inputs and threads, in turn.

Run `got-ocr bench --peer benchmarks/transformers_peer.py`. It lies outside the package because transformers is a tool of its tests
alone. The peer's language model is called with what its `generate` would give it; its search for stop strings is left out.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from got_ocr import pixels
from got_ocr.bench.peer import Scores, serve
from got_ocr.model.weights import open_checkpoint

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Rows:
    """Prompts of one length with transformers' own cache."""

    def __init__(self, network: Any, prompts: Sequence[Sequence[int]], features: Sequence[Tensor]) -> None:
        from transformers import DynamicCache

        self._network, self._cache = network, DynamicCache()
        self._ids, self._features = torch.tensor(prompts), torch.cat(list(features))

    @torch.inference_mode()
    def prefill(self) -> Scores:
        """Read the prompts."""
        x = self._network.get_input_embeddings()(self._ids)
        places = (self._ids == self._network.config.image_token_id)[..., None]
        return self._forward(inputs_embeds=x.masked_scatter(places, self._features))

    @torch.inference_mode()
    def step(self, ids: Sequence[int]) -> Scores:
        """Append one id to each row."""
        return self._forward(input_ids=torch.tensor(ids)[:, None])

    def _forward(self, **inputs: Tensor) -> Scores:
        out = self._network.model.language_model(**inputs, past_key_values=self._cache, use_cache=True)
        return Scores(self._network.lm_head(out.last_hidden_state[:, -1]))


class Peer:
    """Run transformers' GotOcr2 as a backend."""

    def __init__(self, folder: Path, dtype: str) -> None:
        from transformers import GotOcr2ForConditionalGeneration

        self._network = GotOcr2ForConditionalGeneration.from_pretrained(folder, dtype=DTYPES[dtype]).eval()
        self._scale, self._bias = (torch.from_numpy(v.copy()).view(3, 1, 1) for v in pixels.scale_bias())
        self.spec = open_checkpoint(folder).config.spec

    @torch.inference_mode()
    def encode(self, tiles: Sequence[NDArray[np.uint8]]) -> list[Tensor]:
        """Encode tiles of one size."""
        batch = torch.stack([torch.from_numpy(tile) * self._scale + self._bias for tile in tiles])
        out = self._network.model.get_image_features(batch.to(self._network.dtype))
        features = out if isinstance(out, Tensor) else out.pooler_output
        return list(features)

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[Tensor]], room: int) -> Rows:
        """Open rows."""
        return Rows(self._network, prompts, [f for row in features for f in row])


if __name__ == "__main__":
    sys.exit(serve(Peer))
