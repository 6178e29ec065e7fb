"""Batch -> loss: next-token cross-entropy, and beside it CTC on the encoder's columns while the encoder learns to see.

The CTC head is part of training only; it is saved with training checkpoints and never with the model. Source of the form: Graves et al.
2006; joint CTC-attention training as in Kim et al. 2017.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from got_ocr.model.got import GotModel, by_size
from got_ocr.prompt import IGNORE
from got_ocr.train.batches import Batch

FEW = 8  # tiles
BLANK = 256  # columns are scored over 256 bytes and the blank


class Learner(nn.Module):
    """Hold what is trained: the model and the auxiliary head over bytes."""

    def __init__(self, model: GotModel) -> None:
        super().__init__()
        self.model = model
        self.ctc = nn.Linear(2 * model.config.vision.neck, BLANK + 1)


@dataclass(frozen=True, slots=True)
class Losses:
    """total is what is minimised; text and ctc are its parts, in nats a token and nats a byte."""

    total: Tensor
    text: Tensor
    ctc: Tensor


def losses(learner: Learner, batch: Batch, scale_bias: Tensor, ctc_weight: float, pad: int) -> Losses:
    """Score one batch. scale_bias: (2, 3, 1, 1), what turns byte pixels into normalised ones. pad: the id that fills rows."""
    model = learner.model
    tiles = [torch.from_numpy(tile) for example in batch.examples for tile in example.tiles]
    features, columns = _see(model, tiles, scale_bias)
    ids, labels = _rows([e.ids for e in batch.examples], pad), _rows([e.labels for e in batch.examples], IGNORE)
    text = model.loss(ids.to(model.device), torch.cat(features), labels.to(model.device))
    ctc = torch.zeros((), device=model.device)
    shown = [column for example in batch.examples for column in example.columns]
    lines = [i for i, column in enumerate(shown) if column]
    if ctc_weight > 0 and lines:
        ctc = column_loss(learner.ctc, [columns[i] for i in lines], [shown[i] for i in lines])
    return Losses(text + ctc_weight * ctc, text.detach(), ctc.detach())


def _see(model: GotModel, tiles: Sequence[Tensor], scale_bias: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Encode tiles of bytes; give image tokens (N, C) and, from the same pass, the finer columns (X, C) of each."""
    features: dict[int, Tensor] = {}
    columns: dict[int, Tensor] = {}
    # On the CPU a few at a time: what lies between two layers then stays in the cache.
    for members, stacked in by_size(tiles, FEW if scale_bias.device.type == "cpu" else 0):
        # As bytes and all at once to the device, where they become numbers: a fourth of the way, and one trip.
        fine = model.vision.trunk(stacked.to(scale_bias.device) * scale_bias[0] + scale_bias[1])
        features.update(zip(members, model.connect(model.vision.down2(fine)), strict=True))
        columns.update(zip(members, fine.mean(2).transpose(1, 2), strict=True))
    return [features[i] for i in range(len(tiles))], [columns[i] for i in range(len(tiles))]


def column_loss(head: nn.Linear, features: Sequence[Tensor], targets: Sequence[bytes]) -> Tensor:
    """Average CTC over bytes: features (N, C) of each tile against the bytes that the tile shows."""
    lengths = torch.tensor([len(f) for f in features])
    padded = nn.utils.rnn.pad_sequence(list(features))  # (N, tiles, C)
    scores = F.log_softmax(head(padded).float(), -1)
    flat = torch.from_numpy(np.frombuffer(b"".join(targets), dtype=np.uint8).astype(np.int64))
    sizes = torch.tensor([len(t) for t in targets])
    total: Tensor = F.ctc_loss(scores, flat.to(scores.device), lengths, sizes, BLANK, "sum", zero_infinity=True)
    return total / max(1, int(sizes.sum()))


def _rows(rows: Sequence[NDArray[np.int64]], fill: int) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.from_numpy(r) for r in rows], batch_first=True, padding_value=fill)
