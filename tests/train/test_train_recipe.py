"""Recipes: what is right is read, what is wrong is named."""

import tomllib
from pathlib import Path

import pytest

from got_ocr.errors import InvalidValue
from got_ocr.tokenizer import Tokenizer
from got_ocr.train.recipe import PARTS, load_recipe

GOOD = """
seed = 4
vocabulary = "."
[model]
name = "small"
[[stages]]
name = "one"
data = "lines"
steps = 10
warmup = 2
lr = 1
learns = ["decoder"]
[[stages]]
name = "two"
data = "pages.toml"
steps = 200
"""


def load(tmp_path: Path, text: str) -> object:
    (tmp_path / "run.toml").write_text(text, "utf-8")
    return load_recipe(tmp_path / "run.toml")


def test_a_recipe_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(GOOD)
    recipe = load_recipe(tmp_path / "run.toml")
    assert (recipe.name, recipe.seed, recipe.steps, recipe.model) == ("run", 4, 210, {"name": "small"})
    one, two = recipe.stages
    assert (one.learns, one.lr, one.samples) == (("decoder",), 1, 0)
    assert (two.learns, two.batch, two.optimizer) == (PARTS, 32, "adamw")
    assert recipe.to_json()["stages"][1]["data"] == "pages.toml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 4", "sede = 4", r"run\.toml: unknown fields sede; known are .*seed"),
        ("seed = 4", "seed = -1", "seed >= 0"),
        ("seed = 4", "seed = 4.5", "wrong kind for seed"),
        ("seed = 4", "seed = true", "wrong kind for seed"),
        ("seed = 4", "dtype = 'float16'", "dtype is one of float32, bfloat16"),
        ("seed = 4", "max_skipped = 1.5", "0 <= max_skipped <= 1"),
        ("seed = 4", "save_every = 0", "save_every and log_every >= 1"),
        ("seed = 4", "workers = '2'", "wrong kind for workers"),
        ('[model]\nname = "small"', "", r"expected a \[model\] table or start"),
        ('[model]\nname = "small"', "model = 5", "wrong kind for model"),
        ("steps = 10", "", "stage 1: missing fields steps"),
        ('name = "one"\ndata = "lines"', "", "stage 1: missing fields data, name"),
        ("steps = 10", "steps = 0", "stage one: expected steps >= 1; 0 <= warmup <= steps"),
        ("steps = 10", "steps = '10'", "stage 1: values of the wrong kind for steps"),
        ("steps = 10", "stepz = 10", "stage 1: unknown fields stepz"),
        ("steps = 10", "steps = 10\nbatch = 0", "batch, accumulate and pool >= 1"),
        ("steps = 10", "steps = 10\noptimizer = 'sgd'", "optimizer is one of adamw, muon"),
        ("steps = 10", "steps = 10\nlr_end = 2.0", "0 <= lr_end <= lr"),
        ("steps = 10", "steps = 10\nclip = nan", "wrong kind for clip"),
        ("steps = 10", "steps = 10\nsamples = -1", "samples >= 0"),
        ("steps = 10", "steps = 10\nweight_decay = -1.0", "weight_decay >= 0"),
        ("warmup = 2", "warmup = 11", "0 <= warmup <= steps"),
        ('["decoder"]', '["ears"]', "learns is some of vision, connector, decoder"),
        ('["decoder"]', "[]", "learns is some of"),
        ('["decoder"]', '"decoder"', "wrong kind for learns"),
        ('["decoder"]', "[1]", "wrong kind for learns"),
        (GOOD, "[stages]\nname = 'one'", "at least one"),
        (GOOD, "stages = [1, 2]", "at least one"),
        (GOOD, "", "at least one"),
        (GOOD, "= nonsense", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(InvalidValue, match=said):
        load(tmp_path, text)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no training recipe"):
        load_recipe(tmp_path / "absent.toml")
    with pytest.raises(InvalidValue, match="not a file"):
        load_recipe(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidValue, match="not valid TOML"):
        load_recipe(tmp_path / "bytes.toml")


def training_recipes() -> list[Path]:
    """List the training recipes that ship; synthesis recipes lie beside them."""
    found = sorted((Path(__file__).parents[2] / "configs").rglob("*.toml"))
    return [path for path in found if "stages" in tomllib.loads(path.read_text("utf-8"))]


@pytest.mark.parametrize("path", training_recipes(), ids=lambda p: p.stem)
def test_the_recipes_that_ship_are_right(path: Path) -> None:
    from got_ocr.data.build import recipe as data_recipe
    from got_ocr.model.config import GotConfig

    recipe = load_recipe(path)
    for stage in recipe.stages:
        assert data_recipe(str(path.parent / stage.data) if stage.data.endswith(".toml") else stage.data).parts
    assert recipe.start or GotConfig.from_json(recipe.model).decoder.vocab > 256
    if recipe.model:
        vocabulary = Tokenizer.load(path.parent / recipe.vocabulary)
        assert vocabulary.image == recipe.model["image_token"]
        assert len(vocabulary) == recipe.model["decoder"]["vocab"]
