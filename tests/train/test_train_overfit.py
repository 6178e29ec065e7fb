"""The whole of it: a network that begins with random numbers learns 32 pictures by heart and reads every letter of them."""

from pathlib import Path

import pytest
import torch

from got_ocr.data.build import build
from got_ocr.data.build import recipe as data_recipe
from got_ocr.ocr import GotOcr
from got_ocr.train.loop import train
from got_ocr.train.recipe import load_recipe

RECIPE = Path(__file__).parents[2] / "configs" / "tests" / "overfit.toml"


@pytest.mark.slow
def test_32_pictures_are_learned_by_heart(tmp_path: Path) -> None:
    recipe = load_recipe(RECIPE)
    torch.set_num_threads(1)
    train(recipe, tmp_path, base=RECIPE.parent, note=lambda line: None)
    model = GotOcr.load(tmp_path / "model", device="cpu")
    samples = [build(data_recipe(recipe.stages[0].data), recipe.seed, index) for index in range(32)]
    readings = model.read_many([sample.images[0] for sample in samples])
    assert [reading.text for reading in readings] == [sample.target for sample in samples]
    assert {reading.status for reading in readings} == {"ok"}
