"""Recipes: the same bytes every time, errors that name what is allowed, proportions as written."""

import numpy as np
import pytest

from got_ocr.data import build
from got_ocr.data.sample import Sample
from got_ocr.errors import InvalidValue

LINES = '[[mix]]\nsource = "text"\noptions = { lines = [1, 3], chars = [4, 30] }\n'


def prints(sample: Sample) -> tuple:
    return tuple(image.tobytes() for image in sample.images), sample.target, sample.task, sample.lines


def test_a_sample_is_the_same_whenever_it_is_built():
    recipe = build.parse(LINES, "same")
    forwards = [prints(build.build(recipe, 7, index)) for index in range(12)]
    again = build.parse(LINES, "same")
    assert [prints(build.build(again, 7, index)) for index in reversed(range(12))] == forwards[::-1]


def test_seed_index_and_name_each_make_another_sample():
    first = prints(build.build(build.parse(LINES, "one"), 7, 0))
    assert first != prints(build.build(build.parse(LINES, "one"), 8, 0))
    assert first != prints(build.build(build.parse(LINES, "one"), 7, 1))
    assert first != prints(build.build(build.parse(LINES, "two"), 7, 0))


def test_the_stream_of_a_sample_is_fixed():
    # Philox keyed by (SHA-256 of the name, seed), its counter's top word the index: part of the promise of equal bytes.
    assert build.generator("lines", 3, 5).integers(1 << 32, size=3).tolist() == [485227766, 1320850907, 493859131]


def test_streams_do_not_overlap():
    heads = [tuple(build.generator("lines", 1, index).integers(1 << 62, size=2)) for index in range(2000)]
    assert len(set(heads)) == 2000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[mix]]\nsource = "txet"', r"one of text, page.*'txet'"),
        ('[[mix]]\nsource = "text"\noptions = { fnots = "train" }', r"no option fnots; it has .*chars.*fonts"),
        ('[[mix]]\nsource = "text"\noptions = { lines = 3 }', r"lines.*looks like \(1, 1\)"),
        ('[[mix]]\nsource = "text"\noptions = { lines = [4, 2] }', "1 <= least <= most"),
        ('[[mix]]\nsource = "text"\noptions = { lines = [1, 2, 3] }', r"lines.*\[1, 2, 3\]"),
        ('[[mix]]\nsource = "crop"\noptions = { shapes = [] }', "shapes"),
        ('[[mix]]\nsource = "geometry"\noptions = { only = [] }', "only"),
        ('[[mix]]\nsource = "geometry"\noptions = { only = [3] }', "only"),
        (
            '[[mix]]\nsource = "geometry"\noptions = { only = ["square", "wave"] }',
            r"unknown constructions \['square'\]",
        ),
        ('[[mix]]\nsource = "crop"\noptions = { shapes = ["round"] }', "wide, tall, large, spread"),
        ('[[mix]]\nsource = "text"\noptions = { prose = true }', "prose"),
        ('[[mix]]\nsource = "text"\nwieght = 2', "source, weight and options"),
        ('[[mix]]\nsource = "text"\nweight = 0', "weight above 0"),
        ('[[mix]]\nrecipe = "lines"\noptions = {}', "names a recipe"),
        ('[[mix]]\nrecipe = "nothing"', r"recipe is one of .*lines"),
        ("mix = 3", "nothing else"),
        ("[[mix]", "not valid TOML"),
    ],
)
def test_mistakes_are_named(text, says):
    with pytest.raises(InvalidValue, match=says):
        build.parse(text, "wrong")


def test_an_option_that_is_empty_by_default_takes_any_number_of_names():
    (part,) = build.parse('[[mix]]\nsource = "geometry"\noptions = { only = ["wave", "net"] }', "two").parts
    assert part.write.only == ("wave", "net")


def test_a_recipe_cannot_hold_itself():
    with pytest.raises(InvalidValue, match="cannot hold itself"):
        build.parse('[[mix]]\nrecipe = "loop"', "loop")


def test_a_negative_index():
    with pytest.raises(InvalidValue, match="0 or more"):
        build.build(build.parse(LINES, "one"), 0, -1)


def test_a_recipe_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(LINES)
    assert build.recipe(str(path)).name == "mine"
    with pytest.raises(InvalidValue, match=r"no recipe file 'other\.toml'"):
        build.recipe(str(tmp_path / "other.toml"))


def test_weights_are_shares():
    recipe = build.parse('[[mix]]\nsource = "text"\nweight = 3\n[[mix]]\nsource = "page"\nweight = 1', "mix")
    points = np.linspace(0, 1, 4000, endpoint=False)
    text = sum(build.choose(recipe.parts, float(point)).source == "text" for point in points)
    assert abs(text - 3000) <= 1


def test_included_recipes_keep_their_proportions():
    recipe = build.parse('[[mix]]\nrecipe = "pages"\nweight = 8\n[[mix]]\nsource = "text"\nweight = 2', "mix")
    assert [part.weight for part in recipe.parts] == pytest.approx([6, 2, 2])


def test_every_recipe_that_ships_loads():
    pytest.importorskip("rdkit", reason="the recipes need the synth extra")
    for name in build.recipes():
        assert build.recipe(name).parts


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("name", ["lines-short", "lines", "pages-small", "pages-en", "scenes-en", "regions"])
def test_training_recipes_work_on_a_bare_machine(name):
    recipe = build.recipe(name)
    for index in range(30 if "line" in name else 4):
        assert build.build(recipe, 0, index).target


def test_the_stages_have_the_proportions_of_the_paper():
    pytest.importorskip("rdkit", reason="the stages need the synth extra")

    def share(name: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for part in build.recipe(name).parts:
            found[part.source] = found.get(part.source, 0.0) + part.weight
        return found

    first, second, third = share("stage1"), share("stage2"), share("stage3")
    assert sum(first.values()) == pytest.approx(5.0)
    assert first["scene"] == pytest.approx(3.0)
    assert first["page"] == pytest.approx(1.2)
    assert second["scene"] == pytest.approx(0.8 * first["scene"])
    wanted = {
        "formula": 1.0,
        "molecule": 1.0,
        "table": 0.3,
        "document": 1.2,
        "music": 0.5,
        "geometry": 1.0,
        "chart": 2.0,
    }
    assert {name: second[name] for name in wanted} == pytest.approx(wanted)
    assert third["region"] == pytest.approx(0.6)
    assert third["crop"] == pytest.approx(0.5)
    assert third["multipage"] == pytest.approx(0.2)
    assert third["chart"] == pytest.approx(0.8 * second["chart"])
