"""What the sources write, the renderer draws: every label is kept within what `got_ocr.render` understands."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from got_ocr.data.sources.geometry import NAMES, GeometrySource
from got_ocr.data.sources.molecule import MoleculeSource
from got_ocr.data.sources.music_compose import compose, new_style
from got_ocr.data.sources.music_kern import kern

pytest.importorskip("rdkit", reason="rdkit is not installed")
pytest.importorskip("verovio", reason="verovio is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def molecule(rng: np.random.Generator) -> str:
    return MoleculeSource()(rng).target


def music(rng: np.random.Generator) -> str:
    return kern(compose(rng, new_style(rng, (2, 12), 120)))


def geometry(rng: np.random.Generator) -> str:
    return str(GeometrySource().figure(rng)[1])


WRITERS: dict[str, Callable[[np.random.Generator], str]] = {"smiles": molecule, "kern": music, "tikz": geometry}


MODULES = {"smiles": "got_ocr.render.molecule", "kern": "got_ocr.render.music", "tikz": "got_ocr.render.tikz"}


def rendered(text: str, kind: str, told: bool = True) -> Any:
    spec = find_spec(MODULES[kind])
    if spec is None or spec.origin is None:
        pytest.skip(f"{MODULES[kind]} is not there yet")
    from got_ocr.render import api

    return api.render_result(text, kind=kind if told else "auto", to="fragment")


def check(kind: str, seeds: range) -> None:
    for seed in seeds:
        text = WRITERS[kind](np.random.default_rng([23, seed]))
        result = rendered(text, kind)
        assert (result.kind, result.error) == (kind, None), text
        assert "<svg" in result.content, text


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_are_drawn(kind: str) -> None:
    check(kind, range(10))


@pytest.mark.parametrize("name", NAMES)
def test_every_construction_is_drawn(name: str) -> None:
    text = str(GeometrySource(only=(name,)).figure(np.random.default_rng(3))[1])
    assert rendered(text, "tikz").error is None, text


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_are_known_by_their_looks(kind: str) -> None:
    # A molecule of two atoms looks like a word; nobody can tell.
    texts = [WRITERS[kind](np.random.default_rng([29, seed])) for seed in range(10)]
    assert sum(rendered(text, kind, told=False).kind == kind for text in texts) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_hundreds_of_labels_are_drawn(kind: str) -> None:
    check(kind, range(100, 600))
