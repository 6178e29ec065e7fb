"""Open and write model folders. The only door between files and a GotModel; knows no picture, prompt or training.

Opening is strict: every missing, unexpected, mis-shaped or non-finite tensor is named. Only safetensors and JSON are
read; pickles are refused, and Python files beside the weights are never run.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from got_ocr.errors import InvalidWeights, ModelError, ModelNotFound, OutputError
from got_ocr.model.config import GotConfig
from got_ocr.model.configs import read_config, write_config
from got_ocr.model.got import GotModel
from got_ocr.model.layouts import LAYOUTS, NATIVE, Layout, LayoutName
from got_ocr.model.quant import is_part, set_dtype
from got_ocr.model.tensors import (
    DTYPES,
    FLOATS,
    Stored,
    read_json,
    read_tensors,
    refuse_pickles,
    scan,
    show,
    write_tensors,
    write_text,
)

NAMED = 20  # at most so many tensors are named in one error
EMBEDDING = "decoder.embed.weight"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model folder whose configuration and headers fit together; no tensor has been read.

    raw: its config.json. tensors: by our names. head: the stored copy of the embedding, where there is one.
    """

    folder: Path
    layout: Layout
    config: GotConfig
    raw: Mapping[str, Any]
    tensors: Mapping[str, Stored]
    head: Stored | None

    @property
    def dtype(self) -> torch.dtype | None:
        """Say in what the weights are stored, quantised ones aside; None where they are of several types."""
        kinds = {stored.dtype for name, stored in self.tensors.items() if not is_part(name)}
        return DTYPES[kinds.pop()] if len(kinds) == 1 else None


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder's configuration and headers and check them against each other, without reading a tensor.

    Raises ModelNotFound, ModelError, UnsafeWeights, InvalidWeights.
    """
    if not folder.is_dir():
        raise ModelNotFound("the model folder does not exist")
    refuse_pickles(folder)
    raw = read_json(folder / "config.json")
    layout = next((known for known in LAYOUTS.values() if known.model_type == raw.get("model_type")), None)
    if layout is None:
        expected = ", ".join(known.model_type for known in LAYOUTS.values())
        raise ModelError(f"config.json: model_type is not supported: expected one of {expected}")
    stored = scan(folder)
    found = {name: stored[real] for name, real in layout.canonical(stored).items()}
    head = found.pop(layout.head, None) if layout.head else None
    config = read_config(layout.name, raw, {name: row.shape for name, row in found.items()})
    empty = _empty(config).state_dict()
    names = {layout.theirs(name): name for name in empty}
    _check_names({name: tuple(empty[ours].shape) for name, ours in names.items()}, found)
    _check_types({name: empty[ours].dtype if is_part(ours) else None for name, ours in names.items()}, found)
    tensors = {names[name]: row for name, row in found.items()}
    return Checkpoint(folder, layout, config, raw, tensors, head)


def _empty(config: GotConfig) -> GotModel:
    """Build the network without memory for its parameters. Raises ModelError for sizes that no computer can count."""
    try:
        with torch.device("meta"):
            return GotModel(config)
    except RuntimeError:
        raise ModelError("config.json: the sizes are too large") from None


def _check_names(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, Stored]) -> None:
    """Raise InvalidWeights that names what is missing, unexpected or of a wrong shape."""
    problems = [f"missing {name}" for name in expected if name not in found]
    problems += [f"unexpected {show(row.name)}" for name, row in found.items() if name not in expected]
    problems += [
        f"{show(row.name)} is {list(row.shape)} instead of {list(expected[name])}"
        for name, row in found.items()
        if name in expected and row.shape != expected[name]
    ]
    _refuse(problems, "not as the configuration says")


def _check_types(expected: Mapping[str, torch.dtype | None], found: Mapping[str, Stored]) -> None:
    """Raise InvalidWeights that names tensors of a wrong type: quantised parts have one each, others (None) are floats."""
    problems = []
    for name, row in found.items():
        fitting = [kind for kind in DTYPES if DTYPES[kind] == expected[name]] if expected[name] else list(FLOATS)
        if row.dtype not in fitting:
            problems.append(f"{show(row.name)} is not one of {', '.join(fitting)}")
    _refuse(problems, "of a wrong type")


def _refuse(problems: list[str], what: str) -> None:
    if problems:
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        count = "1 tensor" if len(problems) == 1 else f"{len(problems)} tensors"
        raise InvalidWeights(f"{count} {what}: {'; '.join(problems[:NAMED])}{more}")


def load_model(
    folder: Path, *, dtype: torch.dtype | None = None, device: str | torch.device = "cpu", stored: bool = False
) -> GotModel:
    """Open a model folder of any layout: native, original (`GOT`) or transformers (`got_ocr2`).

    dtype: of the parameters; None keeps what is stored. Without a dtype or a device the tensors stay memory-mapped. stored:
    keep what is stored even of several types; for `fast_model`, which converts tensor by tensor.
    Raises ModelNotFound, ModelError, UnsafeWeights, InvalidWeights.
    """
    checkpoint = open_checkpoint(folder)
    if dtype is None and checkpoint.dtype is None and not stored:
        raise InvalidWeights("the tensors are stored in several types: ask for one")
    _check_head(checkpoint)
    model = _empty(checkpoint.config)
    kinds = dict.fromkeys((name for name in checkpoint.tensors if not is_part(name)), dtype)
    state = {name: value.to(device, kinds.get(name)) for name, value in _finite(checkpoint.tensors)}
    model.load_state_dict(state, assign=True)
    set_dtype(model, model.dtype)
    return model.eval()


def _finite(stored: Mapping[str, Stored]) -> Iterator[tuple[str, Tensor]]:
    """Read tensors; after the last, raise InvalidWeights that names those with NaN or infinity."""
    broken = []
    for name, value in read_tensors(stored):
        # The extremes carry every NaN and infinity, without a copy of the tensor.
        low, high = torch.aminmax(value)
        if not (torch.isfinite(low) and torch.isfinite(high)):
            broken.append(show(stored[name].name))
        yield name, value
    _refuse(broken, "with NaN or infinity")


def _check_head(checkpoint: Checkpoint) -> None:
    """Raise InvalidWeights unless the stored output head is the embedding; the network ties them and keeps one."""
    if checkpoint.head is None:
        return
    head, embedding = checkpoint.head, checkpoint.tensors[EMBEDDING]
    if (head.shape, head.dtype) == (embedding.shape, embedding.dtype):
        pair = dict(read_tensors({"head": head, "embedding": embedding}))
        if torch.equal(pair["head"], pair["embedding"]):
            return
    raise InvalidWeights(f"1 tensor cannot be tied: {show(head.name)} differs from {show(embedding.name)}")


def save_model(
    model: GotModel,
    folder: Path,
    layout: LayoutName = "native",
    *,
    dtype: torch.dtype | None = None,
    like: Path | None = None,
) -> None:
    """Write config.json and model.safetensors, each whole or not at all.

    dtype: of the stored tensors; None keeps the model's. like: the folder that the model came from; where its layout is
    the same, its tensor names, its stored head and the configuration fields that this package does not know are kept.
    Raises ModelError that names the field which the layout has no place for, and OutputError.
    """
    target = LAYOUTS[layout]
    dtype = dtype or model.dtype
    source = open_checkpoint(like) if like is not None else None
    if source is not None and (source.layout is not target or source.config != model.config):
        source = None
    config = _config_text(model.config, target, str(dtype).removeprefix("torch."), source)
    kinds = {name: None if is_part(name) else dtype for name in model.state_dict()}
    state = {name: value.detach().to("cpu", kinds[name]).contiguous() for name, value in model.state_dict().items()}
    tensors = {(source.tensors[name].name if source else target.theirs(name)): value for name, value in state.items()}
    head = _head_name(target, source)
    if head is not None:
        tensors[head] = state[EMBEDDING].clone()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the model folder (system error {error.errno})") from None
    write_tensors(folder / "model.safetensors", tensors)
    write_text(folder / "config.json", config)


def _head_name(target: Layout, source: Checkpoint | None) -> str | None:
    if source is not None:
        return source.head.name if source.head else None
    return target.head if target.stores_head else None


def _config_text(config: GotConfig, target: Layout, dtype: str, source: Checkpoint | None) -> str:
    if source is None:
        return json.dumps(write_config(target.name, config, dtype), indent=2) + "\n"
    if target is NATIVE or str(source.dtype) == f"torch.{dtype}":
        return (source.folder / "config.json").read_text("utf-8")
    known = [key for key in ("dtype", "torch_dtype") if key in source.raw]
    return json.dumps({**source.raw, **dict.fromkeys(known, dtype)}, indent=2) + "\n"
