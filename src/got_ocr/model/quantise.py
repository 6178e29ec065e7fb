"""Whole networks to quantised ones and back. What quantising means stands in `quant`; files are `weights`' concern."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from got_ocr.errors import InvalidValue, ModelError
from got_ocr.model.got import GotModel
from got_ocr.model.quant import SCHEMES, QuantEmbedding, QuantLinear, QuantMatrix

Change = Callable[[nn.Module], nn.Module | None]


def quantise_model(model: GotModel, scheme: str) -> None:
    """Quantise the decoder's matrices in place, one by one; the encoder keeps its numbers.

    Raises InvalidValue for an unknown scheme, ModelError where another one has been used already.
    """
    if scheme not in SCHEMES:
        raise InvalidValue(f"quantisation is one of {', '.join(SCHEMES)}; not {scheme[:40]!r}")
    found = model.config.decoder.quantization
    if found not in ("", scheme):
        raise ModelError(f"the model is quantised as {found} already: {scheme} is made from the weights it came from")
    if not found:
        _replace(model, scheme, lambda child: _quantised(child, scheme))


def dense_model(model: GotModel) -> None:
    """Turn quantised matrices into plain ones that stand for the same, in place."""
    if model.config.decoder.quantization:
        _replace(model, "", _dense)


def _replace(model: GotModel, scheme: str, change: Change) -> None:
    for parent in list(model.decoder.modules()):
        for name, child in list(parent.named_children()):
            new = change(child)
            if new is not None:
                setattr(parent, name, new.train(child.training))
    decoder = replace(model.config.decoder, quantization=scheme)
    model.config = replace(model.config, decoder=decoder)
    model.decoder.config = decoder


def _quantised(child: nn.Module, scheme: str) -> QuantMatrix | None:
    # Made on the meta device, so that zeros which are replaced at once take no memory.
    with torch.device("meta"):
        if isinstance(child, nn.Linear):
            made: QuantMatrix = QuantLinear(scheme, child.in_features, child.out_features, False)
            made.bias = child.bias
        elif isinstance(child, nn.Embedding):
            made = QuantEmbedding("int8", child.num_embeddings, child.embedding_dim)
        else:
            return None
    made.take(child.weight)
    return made


def _dense(child: nn.Module) -> nn.Module | None:
    if not isinstance(child, QuantMatrix):
        return None
    weight = child.weight
    with torch.device("meta"):
        made: nn.Linear | nn.Embedding
        if isinstance(child, QuantLinear):
            made = nn.Linear(weight.shape[1], weight.shape[0], False)
            made.register_parameter("bias", child.bias)
        else:
            made = nn.Embedding(*weight.shape)
    made.weight = nn.Parameter(weight, requires_grad=False)
    return made
