"""The whole network: encoder, connector, decoder. Knows no file name, prompt text or training loop.

Shapes: P tiles, V x U pixels, N image tokens of a tile, B batch rows, T positions, C decoder width, W vocabulary.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from got_ocr.errors import ModelError
from got_ocr.model.config import GotConfig
from got_ocr.model.decoder import Cache, Decoder
from got_ocr.model.vision import VisionEncoder


class GotModel(nn.Module):
    """Read tiles: `encode`, then `prefill` and `step` (or `forward` for whole sequences). Source: paper section 3."""

    def __init__(self, config: GotConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionEncoder(config.vision, config.decoder.width)
        self.connector = nn.Linear(config.decoder.width, config.decoder.width)
        self.decoder = Decoder(config.decoder)

    @property
    def device(self) -> torch.device:
        """Say where the weights are."""
        return self.connector.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Say in what the weights are."""
        return self.connector.weight.dtype

    def encode(self, pixels: Tensor) -> Tensor:
        """Turn tiles of one size into image tokens in reading order: (P, 3, V, U) -> (P, N, C)."""
        return self.connect(self.vision(pixels))

    def connect(self, features: Tensor) -> Tensor:
        """Turn the encoder's output into image tokens in reading order: (P, C, Y', X') -> (P, N, C)."""
        tokens: Tensor = self.connector(features.flatten(2).transpose(1, 2))
        return tokens

    def encode_many(self, tiles: Sequence[Tensor]) -> list[Tensor]:
        """Turn tiles of any sizes, each (3, V, U), into image tokens, each (N, C); tiles of one size go together."""
        features: dict[int, Tensor] = {}
        for members, pixels in by_size(tiles):
            features.update(zip(members, self.encode(pixels.to(self.device, self.dtype)), strict=True))
        return [features[i] for i in range(len(tiles))]

    def embed(self, ids: Tensor, features: Tensor | None) -> Tensor:
        """Embed ids and put the image tokens in their places: (B, T), (all N, C) -> (B, T, C).

        Raises ModelError when the number of places differs from the number of image tokens.
        """
        x: Tensor = self.decoder.embed(ids)
        if features is None:
            return x
        places = ids == self.config.image_token
        if int(places.sum()) != features.shape[0]:
            raise ModelError(f"the prompt has {int(places.sum())} image places for {features.shape[0]} image tokens")
        return x.masked_scatter(places[..., None], features.to(x.dtype))

    def prefill(self, ids: Tensor, lengths: Tensor, features: Tensor | None, cache: Cache) -> Tensor:
        """Fill the cache with prompts (padded on the right) and score the next id: (B, T), (B,) -> (B, W)."""
        return self.decoder.prefill(self.embed(ids, features), lengths, cache)

    def step(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append one id a row and score the next: (B,) -> (B, W)."""
        return self.decoder.step(ids, cache, reach)

    def extend(self, ids: Tensor, cache: Cache, reach: int) -> Tensor:
        """Append T ids a row, none of them an image token, and score what follows each: (B, T) -> (B, T, W)."""
        return self.decoder.extend(ids, cache, reach)

    def forward(self, ids: Tensor, features: Tensor | None) -> Tensor:
        """Score every position of whole sequences: (B, T), (all N, C) -> (B, T, W)."""
        hidden = self.decoder(self.embed(ids, features))
        return self.decoder.logits(hidden)

    def loss(self, ids: Tensor, features: Tensor | None, labels: Tensor) -> Tensor:
        """Average the cross-entropy over positions with a label >= 0 (label t scores position t-1); scores only those."""
        hidden = self.decoder(self.embed(ids, features))[:, :-1]
        targets = labels[:, 1:]
        kept = targets >= 0
        return F.cross_entropy(self.decoder.logits(hidden[kept]), targets[kept])

    def new_cache(self, rows: int, size: int) -> Cache:
        """Allocate an empty cache of `rows` x `size` positions beside the weights."""
        return Cache(self.config.decoder, rows, size, self.device, self.dtype)


def by_size(tiles: Sequence[Tensor], most: int = 0) -> Iterator[tuple[list[int], Tensor]]:
    """Stack tiles of one size, at most so many (0: all): gives (their places, (P, 3, V, U)) for each stack."""
    groups: dict[torch.Size, list[int]] = {}
    for i, tile in enumerate(tiles):
        groups.setdefault(tile.shape, []).append(i)
    for members in groups.values():
        step = most or len(members)
        for part in (members[i : i + step] for i in range(0, len(members), step)):
            yield part, torch.stack([tiles[i] for i in part])
