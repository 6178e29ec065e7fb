"""What to train: a TOML file -> frozen values. The stage table stands here and nowhere else. Knows no tensor and no data.

A recipe names the model's sizes (or a model to start from), the vocabulary, and its stages; each stage says what it reads, for how
long, and which parts learn. Source of the three-stage form: paper section 3.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_origin

from got_ocr.errors import InvalidValue

T = TypeVar("T")
PARTS = ("vision", "connector", "decoder")
DTYPES = ("float32", "bfloat16")
BACKENDS = ("", "inductor", "eager")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training.

    data: synthesis recipe, by name or TOML file. steps: optimiser steps. batch: samples in a micro-batch of each process;
    accumulate: micro-batches in a step. pool: micro-batches whose samples are sorted by length together. optimizer: adamw, or
    muon (matrices by Muon scaled to AdamW's step size, the rest by AdamW). lr: peak, reached after `warmup` steps, then a cosine
    down to `lr_end`. ctc: weight of the auxiliary loss on the encoder's columns (0: none). learns: parts that are not frozen.
    max_tokens: samples longer than this (prompt and answer) are passed over and counted. samples: how many different ones there
    are; 0 is no end of them. per_sample: most examples taken from one sample, where a page is read in several prompts.
    """

    name: str
    data: str
    steps: int
    batch: int = 32
    accumulate: int = 1
    pool: int = 4
    optimizer: str = "adamw"
    lr: float = 1e-3
    lr_end: float = 1e-5
    warmup: int = 100
    weight_decay: float = 0.05
    clip: float = 1.0
    ctc: float = 0.0
    learns: tuple[str, ...] = PARTS
    max_tokens: int = 4096
    samples: int = 0
    per_sample: int = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole training run. model: fields of `GotConfig`; start: folder of the model whose weights are the first ones.

    With both, the started model is grown to the sizes and the vocabulary of the recipe (see `got_ocr.model.grow`).
    compile: backend of torch.compile for the layers (`inductor` on a GPU, `eager` to try the way there), "" for none.
    """

    name: str
    stages: tuple[Stage, ...]
    seed: int = 0
    start: str = ""
    vocabulary: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "bfloat16"
    compile: str = ""
    workers: int = 1
    save_every: int = 500
    log_every: int = 20
    max_skipped: float = 0.2

    @property
    def steps(self) -> int:
        """Count the optimiser steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """Write the fields as JSON values, for the checkpoint's manifest."""
        return asdict(self)


def load_recipe(path: Path) -> Recipe:
    """Read a training recipe. Raises InvalidValue that names the field which is unknown, missing or out of range."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidValue(f"no training recipe at {path}") from None
    except OSError:
        raise InvalidValue(f"{path.name} is not a file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InvalidValue(f"{path.name} is not valid TOML") from None
    rows = data.pop("stages", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InvalidValue(f"{path.name}: expected at least one [[stages]] table")
    stages = tuple(_take(Stage, row, f"stage {i + 1}") for i, row in enumerate(rows))
    recipe = _take(Recipe, {"name": path.stem, **data, "stages": stages}, path.name)
    for stage in stages:
        _hold(_stage_rules(stage), f"stage {stage.name}")
    _hold(_recipe_rules(recipe), path.name)
    return recipe


def _take(kind: type[T], data: Mapping[str, Any], where: str) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise InvalidValue(f"{where}: unknown fields {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    needed = {name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    missing = sorted(needed - set(data))
    if missing:
        raise InvalidValue(f"{where}: missing fields {', '.join(missing)}")
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
    wrong = sorted(key for key, value in values.items() if not _fits(value, known[key].type))
    if wrong:
        raise InvalidValue(f"{where}: values of the wrong kind for {', '.join(wrong)}")
    return kind(**values)


def _fits(value: object, kind: Any) -> bool:
    """Say whether a TOML value is what a field holds."""
    if kind is float:
        return (type(value) is int or type(value) is float) and math.isfinite(value)
    if kind in (str, int):
        return type(value) is kind  # a bool is no number
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str | Stage) for item in value)
    return isinstance(value, Mapping)


def _stage_rules(stage: Stage) -> tuple[tuple[bool, str], ...]:
    return (
        (stage.steps >= 1, "steps >= 1"),
        (stage.batch >= 1 and stage.accumulate >= 1 and stage.pool >= 1, "batch, accumulate and pool >= 1"),
        (stage.optimizer in ("adamw", "muon"), "optimizer is one of adamw, muon"),
        (stage.lr > 0 and 0 <= stage.lr_end <= stage.lr, "0 <= lr_end <= lr and lr > 0"),
        (0 <= stage.warmup <= stage.steps, "0 <= warmup <= steps"),
        (set(stage.learns) <= set(PARTS) and stage.learns != (), f"learns is some of {', '.join(PARTS)}"),
        (stage.clip > 0 and stage.ctc >= 0, "clip > 0 and ctc >= 0"),
        (stage.weight_decay >= 0, "weight_decay >= 0"),
        (stage.max_tokens >= 1 and stage.samples >= 0, "max_tokens >= 1 and samples >= 0"),
        (stage.per_sample >= 1, "per_sample >= 1"),
    )


def _recipe_rules(recipe: Recipe) -> tuple[tuple[bool, str], ...]:
    return (
        (bool(recipe.model or recipe.start), "a [model] table or start = 'folder of a model'"),
        (recipe.dtype in DTYPES, f"dtype is one of {', '.join(DTYPES)}"),
        (recipe.compile in BACKENDS, "compile is inductor, eager or empty"),
        (recipe.seed >= 0 and recipe.workers >= 0, "seed >= 0 and workers >= 0"),
        (recipe.save_every >= 1 and recipe.log_every >= 1, "save_every and log_every >= 1"),
        (0 <= recipe.max_skipped <= 1, "0 <= max_skipped <= 1"),
    )


def _hold(rules: tuple[tuple[bool, str], ...], where: str) -> None:
    broken = [rule for fine, rule in rules if not fine]
    if broken:
        raise InvalidValue(f"{where}: expected {'; '.join(broken)}")
