"""A training run so small that it takes a second: two stages over short printed lines, a network of a few thousand numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from got_ocr.tokenizer import Tokenizer
from got_ocr.train.recipe import Recipe, Stage

MODEL: dict[str, Any] = {
    "name": "tiny",
    "tiling": "lines",
    "tiles_per_prompt": 1,
    "reads": ["plain"],
    "vision": {
        "image": [32, 512],
        "patch": [32, 8],
        "width": 16,
        "layers": 2,
        "heads": 2,
        "mlp": 24,
        "window": [1, 16],
        "global_layers": [1],
        "neck": 8,
        "strides": [[1, 1], [1, 2]],
    },
    "decoder": {"width": 16, "layers": 1, "heads": 2, "mlp": 24, "context": 512},
}
SHORT = Stage("short", "lines-short", 4, batch=2, accumulate=2, pool=3, warmup=2, ctc=0.5)
LATE = Stage("late", "lines-short", 3, batch=2, pool=2, warmup=0, optimizer="muon", learns=("connector", "decoder"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base(small: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the vocabulary that recipes name."""
    folder = tmp_path_factory.mktemp("recipes")
    small.save_tiktoken(folder / "vocab.tiktoken")
    return folder


@pytest.fixture(scope="session")
def recipe(small: Tokenizer) -> Callable[..., Recipe]:
    """Make the recipe, with some of its fields changed; `stage` changes those of the first stage."""
    model = {**MODEL, "image_token": small.image}
    model["decoder"] = {**MODEL["decoder"], "vocab": len(small)}

    def make(stage: dict[str, Any] | None = None, **changes: Any) -> Recipe:
        stages = (replace(SHORT, **(stage or {})), LATE)
        fields = {"seed": 3, "vocabulary": ".", "dtype": "float32", "workers": 0, "save_every": 1, "log_every": 2}
        return Recipe("tiny", **{"stages": stages, "model": model, **fields, **changes})

    return make
