"""Training checkpoints: everything that a run needs to go on as if it had never stopped. Safetensors and JSON only.

A checkpoint is a folder `step-NNNNNNN` that appears whole or not at all: files are written beside it, synced, listed with their sha256
in `manifest.json`, and the folder is renamed into place. Loading checks every file, and the manifest against its own seal, and falls
back to the newest whole one.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from got_ocr.errors import ModelError, OutputError

MANIFEST = "manifest.json"
STATE = "state.safetensors"


@dataclass(frozen=True, slots=True)
class State:
    """What a run is at a step: tensors by name, and JSON facts (stage, position, recipe)."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


def optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Flatten the state of optimisers into named tensors."""
    return {
        f"optimizer.{which}.{i}.{key}": value
        for which, optimizer in enumerate(optimizers)
        for i, row in optimizer.state_dict()["state"].items()
        for key, value in row.items()
    }


def restore_optimizers(optimizers: Sequence[torch.optim.Optimizer], tensors: Mapping[str, Tensor]) -> None:
    """Put named tensors back into fresh optimisers over the same parameters."""
    for which, optimizer in enumerate(optimizers):
        prefix = f"optimizer.{which}."
        rows: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(prefix):
                index, key = name.removeprefix(prefix).split(".")
                rows.setdefault(int(index), {})[key] = value
        optimizer.load_state_dict({"state": rows, "param_groups": optimizer.state_dict()["param_groups"]})


def save(folder: Path, step: int, state: State, keep: int = 2) -> Path:
    """Write a checkpoint and delete all but the newest `keep`. Raises OutputError where the disk refuses."""
    final, work = folder / f"step-{step:07d}", folder / f".step-{step:07d}.tmp"
    try:
        for torn in folder.glob(".step-*.tmp"):  # left by a run that was killed while it saved
            shutil.rmtree(torn, ignore_errors=True)
        work.mkdir(parents=True)
        (work / STATE).touch(0o666)
        mode = (work / STATE).stat().st_mode  # as this user's files are; safetensors writes for its owner alone
        save_file({k: v.detach().cpu().contiguous().clone() for k, v in state.tensors.items()}, work / STATE)
        (work / STATE).chmod(mode & 0o777)
        manifest = {"step": step, "facts": state.facts, "sha256": {STATE: _digest(work / STATE)}}
        text = json.dumps({**manifest, "seal": _seal(manifest)}, indent=1)
        (work / MANIFEST).write_text(text, "utf-8")
        for path in (work / STATE, work / MANIFEST, work):
            _sync(path)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(work, final)
        _sync(folder)
        for old in found(folder)[keep:]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"cannot write a checkpoint (system error {error.errno})") from None
    except SafetensorError:  # wraps what the system said
        raise OutputError("cannot write a checkpoint: is the disk full?") from None
    return final


def found(folder: Path) -> list[Path]:
    """List the checkpoints in a folder, whole or not, the newest first."""
    return sorted(folder.glob("step-*"), reverse=True)


def newest(folder: Path, note: Callable[[str], None] = lambda line: None) -> tuple[int, State] | None:
    """Read the newest checkpoint that is whole; torn or edited ones are passed over and named to `note`.

    None where there is no checkpoint. Raises ModelError where there are some and none is whole.
    """
    paths = found(folder)
    for path in paths:
        read = _read(path)
        if read is not None:
            return read
        note(f"{path.name} is torn or was edited: going back to the one before it")
    if paths:
        raise ModelError("no checkpoint is whole: start again in another folder")
    return None


def _read(path: Path) -> tuple[int, State] | None:
    try:
        manifest = json.loads((path / MANIFEST).read_text("utf-8"))
        seal = manifest.pop("seal", None)  # None: from before there were seals
        if seal not in (None, _seal(manifest)) or _digest(path / STATE) != manifest["sha256"][STATE]:
            return None
        return int(manifest["step"]), State(load_file(path / STATE), manifest["facts"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError):
        return None


def _seal(manifest: Mapping[str, Any]) -> str:
    """Hash what a manifest says."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
