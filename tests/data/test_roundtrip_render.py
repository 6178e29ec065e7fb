"""What the sources write, the renderer draws: every label is kept within what `got_ocr.render` understands."""

import re
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from got_ocr.data.latex import forms, label
from got_ocr.data.sources import geometry_svg
from got_ocr.data.sources import geometry_tree as tree
from got_ocr.data.sources.geometry import NAMES, GeometrySource
from got_ocr.data.sources.molecule import MoleculeSource
from got_ocr.data.sources.music_compose import compose, new_style
from got_ocr.data.sources.music_kern import kern
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.data.tables import fill
from got_ocr.data.tables import label as notation
from got_ocr.render import Rendered, music_child, render, render_result

cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
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


def rendered(text: str, kind: str) -> Rendered:
    return render_result(text, kind=kind, to="fragment")


def check(kind: str, seeds: range) -> None:
    for seed in seeds:
        text = WRITERS[kind](np.random.default_rng([23, seed]))
        result = rendered(text, kind)
        assert (result.kind, result.error) == (kind, None), text
        assert "<svg" in str(result.content), text


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_are_drawn(kind: str) -> None:
    check(kind, range(10))


@pytest.mark.parametrize("name", NAMES)
def test_every_construction_is_drawn(name: str) -> None:
    text = str(GeometrySource(only=(name,)).figure(np.random.default_rng(3))[1])
    assert rendered(text, "tikz").error is None, text


SCALE = 60.0  # pixels of a centimetre
POINTS = 72.27 / 2.54  # of a centimetre


def inked(svg: str, left: float, top: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw SVG and paste its ink on a sheet; (left, top): where its corner lies on the sheet, in pixels."""
    dark = np.asarray(rasterise(svg)).min(axis=2) < 250
    sheet = np.zeros(shape, dtype=bool)
    x, y = round(left), round(top)
    sheet[y : y + dark.shape[0], x : x + dark.shape[1]] = dark
    return sheet


@pytest.mark.parametrize("name", NAMES)
def test_two_drawings_of_one_text_agree(name: str) -> None:
    """The source's picture and the renderer's, made by different code, put their strokes in the same places."""
    whole = GeometrySource(only=(name,)).figure(np.random.default_rng([31, 1]))[1]
    figure = tree.Figure(tuple(i for i in whole.items if not isinstance(i, tree.Label | tree.Ticks | tree.Point)))
    figure = tree.Figure(tuple(unnamed(item) for item in figure.items))
    look = geometry_svg.Look(scale=SCALE)
    low, _, _, high = geometry_svg.extent(figure, look)
    origin = 400.0
    shape = (1600, 1600)
    mine = inked(geometry_svg.svg(figure, look), origin + low * SCALE, 900 - high * SCALE, shape)
    theirs = svg_of(str(figure))
    x, y, width, _ = map(float, re.search(r'viewBox="([^"]*)"', theirs).group(1).split())  # type: ignore[union-attr]
    scaled = re.sub(r'width="[^"]*" height="[^"]*"', f'width="{width / POINTS * SCALE:.2f}"', theirs, count=1)
    other = inked(scaled, origin + x / POINTS * SCALE, 900 + y / POINTS * SCALE, shape)
    for first, second in ((mine, other), (other, mine)):
        far = cv2.distanceTransform((~second).astype(np.uint8), cv2.DIST_L2, 3)
        # Dashes may begin elsewhere and arrow heads differ; a wrong arc or place would be off by much more.
        assert (far[first] > 5).mean() < 0.01, (name, str(figure))


def unnamed(item: tree.Item) -> tree.Item:
    """Write places as numbers, so that the points can be left out."""
    places = {f.name: replace(v, name="") for f in fields(item) if isinstance(v := getattr(item, f.name), tree.At)}
    if isinstance(item, tree.Path):
        places["points"] = tuple(replace(p, name="") for p in item.points)  # type: ignore[assignment]
    return replace(item, **places)  # type: ignore[arg-type]


def svg_of(text: str) -> str:
    return str(render(text, kind="tikz", to="svg"))


@pytest.mark.parametrize("kind", WRITERS)
def test_labels_are_known_by_their_looks(kind: str) -> None:
    # A molecule of two atoms looks like a word; nobody can tell.
    texts = [WRITERS[kind](np.random.default_rng([29, seed])) for seed in range(10)]
    assert sum(rendered(text, "auto").kind == kind for text in texts) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_hundreds_of_labels_are_drawn(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores are engraved in this process: starting one for each takes most of the time, and is tested elsewhere."""
    monkeypatch.setattr("got_ocr.render.music.run_child", engraved_here)
    check(kind, range(100, 600))


def engraved_here(module: str, text: str, library: str) -> str:
    svg = music_child.engraved(text)
    assert svg is not None, text
    return svg.decode()


def formula(rng: np.random.Generator) -> str:
    return label.display(forms.formula(rng, int(rng.integers(1, 4))))


def table(rng: np.random.Generator) -> str:
    rows, width = int(rng.integers(2, 13)), int(rng.integers(2, 9))
    return notation.tabular(fill.table(rng, fill.Voice("en", "train"), rows, width, str(rng.choice(fill.RULES))))


def check_written(write: Callable[[np.random.Generator], str], kind: str, count: int) -> None:
    """Every label becomes a page in which no formula stands as its source."""
    rng = np.random.default_rng(77)
    for _ in range(count):
        text = write(rng)
        result = rendered(text, kind)
        assert result.error is None, text
        assert "math-source" not in str(result.content), text


@pytest.mark.parametrize(("write", "kind"), [(formula, "markdown"), (table, "table")])
def test_formulas_and_tables_are_drawn(write: Callable[[np.random.Generator], str], kind: str) -> None:
    check_written(write, kind, 12)


@pytest.mark.slow
@pytest.mark.parametrize(("write", "kind"), [(formula, "markdown"), (table, "table")])
def test_hundreds_of_formulas_and_tables_are_drawn(write: Callable[[np.random.Generator], str], kind: str) -> None:
    check_written(write, kind, 500)
