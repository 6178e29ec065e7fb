"""Kinds of drawings that have an order, a shape or a gate of their own: waves, sets, nets, parallels, solids, dashed lines, fills."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from test_geometry_reader import LOOK, oracle

from got_ocr import drawings
from got_ocr.chart.plan import Heads, Plan, Row
from got_ocr.data.sources import geometry_svg
from got_ocr.data.sources.geometry import GeometrySource
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.eval.metrics import normalized_edit_distance
from got_ocr.geometry.colours import Look, agreed
from got_ocr.geometry.figure import GeometryDrawing, WaveDrawing, cut_geometry
from got_ocr.geometry.ink import look_at
from got_ocr.geometry.lines import Peeler
from got_ocr.geometry.marks import dots
from got_ocr.geometry.mend import in_wedge, mended
from got_ocr.labels import Drawing
from got_ocr.spec import ModelSpec

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytest.importorskip("resvg_py", reason="resvg-py is not installed")

SPEC = ModelSpec("lines", (32, 1024), (32, 8), "lines", 8, 1024, frozenset({"plain", "chart", "molecule", "geometry"}))


def read(name: str, seed: int, plain: float = 1.0) -> tuple[float, Drawing, str]:
    _, figure = GeometrySource(only=(name,), plain=plain).figure(np.random.default_rng((23, seed)))
    drawing = cut_geometry(rasterise(geometry_svg.svg(figure, LOOK)), SPEC)
    assert drawing is not None, name
    text = drawing.write(oracle(drawing, geometry_svg.label_boxes(figure, LOOK)))
    return normalized_edit_distance(text, str(figure)), drawing, text


@pytest.mark.parametrize(
    "name", ["wave", "venn", "net", "parallels", "cylinder", "cone", "concentric", "pythagoras", "prism"]
)
def test_each_kind_comes_out_nearly_as_it_went_in(name: str) -> None:
    assert np.mean([read(name, seed)[0] for seed in range(2)]) < 0.12


def test_a_wave_is_fitted_to_a_hundredth_of_its_length() -> None:
    for seed in (0, 4, 5):
        off, drawing, text = read("wave", seed)
        assert isinstance(drawing, WaveDrawing)
        assert off < 0.1
        assert text.count("controls") == 1
    assert drawing.write([]).startswith("\\begin{tikzpicture}")  # whatever is read of its names
    assert "\\coordinate" not in drawing.write(["?"] * 9)


def test_a_wave_by_hand_is_a_wave() -> None:
    sample = GeometrySource(only=("wave",), plain=1.0, hand=1.0)(np.random.default_rng(4))
    assert isinstance(cut_geometry(sample.images[0], SPEC), WaveDrawing)


@pytest.mark.parametrize("word", ["minimum", "value", "\u221a"])
def test_letters_are_no_wave(word: str) -> None:
    image = Image.new("RGB", (600, 160), "white")
    ImageDraw.Draw(image).text((20, 20), word, "black", ImageFont.load_default(90))
    assert cut_geometry(image, SPEC) is None


def test_lines_that_look_alike_have_one_colour() -> None:
    black, grey = Look("", 1.0, 200.0, 150.0), Look("gray", 1.5, 190.0, 140.0)
    assert {look.color for look in agreed([black, black, grey], [])} == {""}
    assert {look.color for look in agreed([black, grey, grey, grey], [])} == {"gray"}
    faint = Look("gray", 0.8, 100.0, 80.0)
    assert [look.color for look in agreed([black, faint], [])] == ["", "gray"]
    red = Look("red", 1.0, 250.0, 200.0)
    assert agreed([red, grey], [])[0] is red
    # Half as much ink as in the marks, which are black and thin.
    assert [look.color for look in agreed([Look("", 0.5, 100.0, 80.0)], [1.0, 1.0])] == ["gray"]


def sharp_corner() -> Image.Image:
    image = Image.new("RGB", (600, 420), "white")
    pen = ImageDraw.Draw(image)
    pen.polygon([(60, 360), (540, 360), (500, 60)], outline="black", width=7)
    pen.ellipse((56, 66, 68, 78), "black")
    return image


def test_the_tip_of_a_thick_corner_is_no_dot() -> None:
    seen = look_at(sharp_corner())
    assert seen is not None
    long = Peeler(seen).peel(2 * seen.unit)
    kept = [z for z in dots(seen, seen.unit) if not in_wedge(z, long, seen)]
    assert len(kept) == 1
    assert abs(kept[0] - (62 - 72j)) < 3


def test_dashes_that_stick_to_a_mark_lengthen_their_line() -> None:
    image = Image.new("RGB", (700, 500), "white")
    pen = ImageDraw.Draw(image)
    pen.line((600, 400, 100, 400, 300, 60), "black", 2)
    for y in range(60, 390, 17):
        pen.line((300, y, 300, y + 9), "black", 2)
    pen.line((300, 372, 328, 372, 328, 400), "black", 2)  # the mark hides where the dashes end
    seen = look_at(image)
    assert seen is not None
    long = Peeler(seen).peel(1.2 * seen.unit)
    dashed = next(segment for segment in long if segment.dash)
    lengthened = mended(dashed, long, [], seen)
    assert max(lengthened.p.imag, lengthened.q.imag) == pytest.approx(400, abs=2)
    solid = next(segment for segment in long if not segment.dash)
    assert mended(solid, long, [], seen) is solid


def test_lines_that_cross_are_no_axes_where_others_reach_beyond_them() -> None:
    _, drawing, text = read("pythagoras", 0)
    assert isinstance(drawing, GeometryDrawing)
    assert drawing.plan.scene.axes is None
    assert "->" not in text


def test_named_corners_are_surely_geometry_and_go_before_a_chart_without_a_title(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, figure = GeometrySource(only=("on_quadrilateral",), plain=1.0).figure(np.random.default_rng(2))
    picture = rasterise(geometry_svg.svg(figure, LOOK))
    chart = Plan((), Heads(), (), (Row(None, ()),), ())

    def see(chart: Plan, picture: Image.Image) -> Drawing | None:
        monkeypatch.setattr(drawings, "READERS", {**drawings.READERS, "chart": lambda _picture, _spec: chart})
        return drawings.see(picture, SPEC)

    seen = see(chart, picture)
    assert isinstance(seen, GeometryDrawing)
    assert seen.sure
    for titled in (
        replace(chart, heads=Heads(title=(0,))),
        replace(chart, rows=(Row(0, ()),)),
        replace(chart, bars=True),
    ):
        assert see(titled, picture) is titled
    assert see(chart, Image.new("RGB", (300, 300), "white")) is chart


def test_a_regular_hexagon_with_names_is_no_ring_of_atoms() -> None:
    assert read("regular", 3)[0] < 0.2
    with_names = [read("cuboid", seed)[0] for seed in range(2)]
    assert max(with_names) < 0.2
