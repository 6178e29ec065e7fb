"""Carry weights over into a network of other outer sizes: a larger vocabulary, higher or lower tiles. Knows no file and no text.

Widths and depths stay. What the old network computed stays nearly the same: old ids keep their rows, the top left positions theirs.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from got_ocr.errors import ModelError
from got_ocr.model.config import GotConfig
from got_ocr.model.got import GotModel


def grow(model: GotModel, config: GotConfig, made_of: Sequence[Sequence[int]]) -> GotModel:
    """Make a network of `config` that starts from `model`'s weights.

    made_of: for every new id the old ids that it stands for; its row begins as their mean. Raises ModelError where the sizes inside
    the layers differ, or ids are missing.
    """
    if len(made_of) != config.decoder.vocab or not all(made_of):
        raise ModelError(f"the vocabulary names {len(made_of)} ids, the model {config.decoder.vocab}")
    grown = GotModel(config)
    old, new = model.state_dict(), {}
    for name, value in grown.state_dict().items():
        if name not in old:
            raise ModelError(f"the model to start from has no {name}: its layers are others")
        new[name] = _carried(name, old[name], value.shape, made_of)
    grown.load_state_dict(new)
    return grown


def _carried(name: str, old: Tensor, shape: torch.Size, made_of: Sequence[Sequence[int]]) -> Tensor:
    """Fit one tensor to its new shape, or raise ModelError."""
    if name == "decoder.embed.weight":
        fitted = torch.stack([old[list(ids)].mean(0) for ids in made_of])
    elif "rel_pos" in name:
        middle = (old.shape[0] - 1) // 2
        reach = (shape[0] - 1) // 2
        fitted = old[(torch.arange(-reach, reach + 1) + middle).clamp(0, old.shape[0] - 1)]
    elif name.endswith("pos_embed"):
        rows, columns = (torch.arange(shape[axis]).clamp(max=old.shape[axis] - 1) for axis in (1, 2))
        fitted = old[:, rows][:, :, columns]
    else:
        fitted = old
    if fitted.shape != shape:
        raise ModelError(f"{name} has the shape {tuple(old.shape)} in the model to start from, and {tuple(shape)} here")
    return fitted
