"""Sizes of the network: the published count, the JSON form, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from got_ocr.errors import ModelError
from got_ocr.model.config import GotConfig, VisionConfig
from got_ocr.model.got import GotModel


def test_default_is_the_published_model() -> None:
    with torch.device("meta"):
        model = GotModel(GotConfig())
    assert sum(value.numel() for value in model.parameters()) == 560_528_640
    assert sum(value.numel() for value in model.vision.parameters()) == 89_670_912 + 256 * 512 * 9 + 512 * 1024 * 9
    assert GotConfig().spec.tokens(1024, 1024) == 256


def test_json_round_trip() -> None:
    vision = VisionConfig(image=(32, 256), patch=(8, 8), strides=((2, 1), (2, 2)), window=(4, 8))
    config = replace(GotConfig(vision=vision), name="small", tiling="lines", reads=("plain",))
    assert GotConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert GotConfig.from_json({}) == GotConfig()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"vision": {"patch": [0, 0]}}, "at least 1"),
        ({"vision": {"heads": True}}, "vision.heads"),
        ({"vision": {"heads": 7}}, "vision.heads"),
        ({"vision": {"image": [1024]}}, "vision.image"),
        ({"vision": {"image": [1000, 1000]}}, "vision.image"),
        ({"vision": 3}, "vision"),
        ({"vision": {"strides": [[1, 1]]}}, "vision.strides"),
        ({"decoder": {"eps": float("nan")}}, "decoder.eps"),
        ({"decoder": {"layers": 100_000}}, "decoder.layers"),
        ({"decoder": {"vocab": 1 << 40}}, "decoder.vocab"),
        ({"decoder": {"surprise": 1}}, "decoder.surprise"),
        ({"reads": "plain"}, "reads"),
        ({"tiling": "round"}, "tiling"),
        ({"image_token": 151860}, "image_token"),
    ],
)
def test_wrong_fields_are_named(data: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        GotConfig.from_json(data)
