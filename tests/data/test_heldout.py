"""What is measured was never trained on: fonts, texts, structures, engraving fonts and seeds of the held-out recipes."""

import tomllib
from itertools import chain
from pathlib import Path

import pytest

from got_ocr.data import corpus, fonts
from got_ocr.data.build import build, generator, recipe, recipes, source_class
from got_ocr.errors import InvalidValue, MissingDependency

REPO = Path(__file__).parents[2]
HELDOUT = tuple(name for name in recipes() if name.startswith("heldout-"))
TRAINING = tuple(name for name in recipes() if name not in HELDOUT)
AXES = ("fonts", "corpus")  # options that choose what training may see


def trained_recipes() -> list[str]:
    """Name all that training may draw from: the recipes that ship, and those that lie beside the training recipes."""
    files = sorted(REPO.glob("configs/**/*.toml"))
    data = [path for path in files if "mix" in tomllib.loads(path.read_text("utf-8"))]
    return [*TRAINING, *map(str, data)]


def test_every_target_has_a_list() -> None:
    sources = {part.source for name in HELDOUT for part in recipe(name).parts}
    assert {"page", "scene", "formula", "table", "molecule", "music", "geometry", "chart", "region"} <= sources


@pytest.mark.parametrize("name", HELDOUT)
def test_a_heldout_recipe_takes_what_is_held_out_where_its_source_can(name: str) -> None:
    for part in recipe(name).parts:
        fields = source_class(part.source).__dataclass_fields__
        assert {axis: part.options.get(axis) for axis in AXES if axis in fields} == {
            axis: "heldout" for axis in AXES if axis in fields
        }
        assert not part.options.get("handwriting"), "handwriting fonts are all for training"
        assert part.options.get("zh", 0.0) == 0.0, "no Chinese text of a mixture is held out"


@pytest.mark.parametrize("name", trained_recipes())
def test_no_training_recipe_takes_what_is_held_out(name: str) -> None:
    for part in recipe(name).parts:
        assert not [axis for axis in AXES if part.options.get(axis) in ("heldout", "zh-heldout", "all")]
        assert not part.options.get("latex"), "LaTeX as a renderer is held out"


def test_the_splits_share_nothing() -> None:
    texts = {split: corpus.load(split) for split in ("train", "heldout")}
    assert not {t.name for t in texts["train"]} & {t.name for t in texts["heldout"]}
    held = set(chain.from_iterable(text.paragraphs for text in texts["heldout"]))
    common = [p for text in texts["train"] for p in text.paragraphs if p in held and len(p) > 60]
    assert not common


def test_the_fonts_share_nothing() -> None:
    if not (fonts.available("heldout") and fonts.available("train")):
        pytest.skip("needs fonts of both pools")
    held, trained = ({font.family for font in fonts.pool(name)} for name in ("heldout", "train"))
    assert not held & trained


def test_structures_and_engraving_fonts_are_split() -> None:
    pytest.importorskip("rdkit", reason="needs rdkit")
    from got_ocr.data.sources.molecule_pool import real_smiles, split_smiles
    from got_ocr.data.sources.music_engrave import FONTS, HELDOUT, new_look

    held, trained = set(split_smiles("heldout")), set(split_smiles("train"))
    assert not held & trained
    assert held | trained == set(split_smiles("all")) == set(real_smiles())
    assert 0.04 < len(held) / len(real_smiles()) < 0.09
    with pytest.raises(InvalidValue):
        split_smiles("some")
    looks = {
        pool: {new_look(generator("looks", 0, i), pool).font for i in range(60)} for pool in ("train", "heldout", "all")
    }
    assert looks == {"train": set(FONTS) - set(HELDOUT), "heldout": set(HELDOUT), "all": set(FONTS)}


def labels(name: str, seed: int, count: int) -> set[str]:
    made = recipe(name)
    try:
        return {build(made, seed, index).target for index in range(count)}
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("held", "trained"),
    [
        ("heldout-formulas", "printed"), ("heldout-molecules", "kinds"), ("heldout-scenes", "scenes"),
        ("heldout-printed", "pages-small"),
    ],
)  # fmt: skip
def test_labels_do_not_meet(held: str, trained: str) -> None:
    few = {text for text in labels(held, 20240903, 12) if len(text) > 12}
    assert not few & labels(trained, 20261120, 12)


@pytest.mark.slow
@pytest.mark.parametrize("held", HELDOUT)
def test_long_labels_do_not_meet(held: str) -> None:
    """No label of some length is also one of the same source in training."""
    sources = {part.source for part in recipe(held).parts}
    long = {text for text in labels(held, 20240903, 60) if len(text) > 24}
    for name in TRAINING:
        if {part.source for part in recipe(name).parts} & sources and len(recipe(name).parts) < 4:
            assert not long & labels(name, 20261120, 60)


def test_clean_and_worn_pages_are_the_same_pages() -> None:
    if not fonts.available("heldout"):
        pytest.skip("needs a font of the pool heldout")
    clean, worn = (build(recipe(f"heldout-pages-{look}"), 20240903, 5) for look in ("clean", "worn"))
    assert clean.target == worn.target
    assert clean.images[0].tobytes() != worn.images[0].tobytes()
    assert 15 <= len(clean.lines) <= 44
