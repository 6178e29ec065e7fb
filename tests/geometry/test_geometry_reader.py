"""Drawings made by the geometry source are read back; other pictures are refused; nothing raises."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr.data.sources import geometry_svg
from got_ocr.data.sources.geometry import GeometrySource
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.eval.metrics import normalized_edit_distance
from got_ocr.geometry import spelling
from got_ocr.geometry.axes import Axes
from got_ocr.geometry.figure import cut_geometry
from got_ocr.geometry.ink import look_at
from got_ocr.geometry.lines import Segment
from got_ocr.geometry.names import ordered
from got_ocr.geometry.net import build, meet
from got_ocr.geometry.numbers import NumberLine
from got_ocr.geometry.plots import expressions
from got_ocr.labels import Drawing
from got_ocr.spec import ModelSpec

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytest.importorskip("resvg_py", reason="resvg-py is not installed")

SPEC = ModelSpec("lines", (32, 1024), (32, 8), "lines", 8, 1024, frozenset({"plain"}))
LOOK = geometry_svg.Look(scale=70.0, weight=1.2)


def oracle(drawing: Drawing, labels: Sequence[Sequence[object]]) -> list[str]:
    """Read each strip from the boxes that the source noted."""
    answers = []
    for label in drawing.labels:
        x, y = (label.box[0] + label.box[2]) / 2, (label.box[1] + label.box[3]) / 2
        inside = [str(row[4]) for row in labels if row[0] - 2 <= x <= row[2] + 2 and row[1] - 2 <= y <= row[3] + 2]  # type: ignore[operator]
        answers.append(inside[0] if inside else "")
    return answers


def read(name: str, seed: int) -> float:
    _, figure = GeometrySource(only=(name,), plain=1.0).figure(np.random.default_rng((17, seed)))
    drawing = cut_geometry(rasterise(geometry_svg.svg(figure, LOOK)), SPEC)
    assert drawing is not None, name
    text = drawing.write(oracle(drawing, geometry_svg.label_boxes(figure, LOOK)))
    return normalized_edit_distance(text, str(figure))


@pytest.mark.parametrize("name", ["general", "right_triangle", "altitude", "rays", "lattice", "folded"])
def test_clean_drawings_come_out_nearly_as_they_went_in(name: str) -> None:
    assert np.mean([read(name, seed) for seed in range(2)]) < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_number_lines_come_out_as_they_went_in(seed: int) -> None:
    sample = GeometrySource(only=("number_line",), plain=1.0, hand=0.0)(np.random.default_rng((9, seed)))
    drawing = cut_geometry(sample.images[0], SPEC)
    assert isinstance(drawing, NumberLine)
    labels = cast("list[list[object]]", sample.meta["labels"])
    assert normalized_edit_distance(drawing.write(oracle(drawing, labels)), sample.target) < 0.05
    assert drawing.write([]) == drawing.write(["x"] * 30) == ""  # nothing tells where zero is
    assert drawing.write(["1"] * len(drawing.labels)) == ""


def test_write_takes_any_answers() -> None:
    _, figure = GeometrySource(only=("on_triangle",)).figure(np.random.default_rng(3))
    drawing = cut_geometry(rasterise(geometry_svg.svg(figure, LOOK)), SPEC)
    assert drawing is not None
    for answers in ([], [""] * 40, ["}{\\$&%"] * len(drawing.labels), ["A"] * len(drawing.labels)):
        text = drawing.write(answers)
        assert text.startswith("\\begin{tikzpicture}")
        assert text.endswith("\\end{tikzpicture}")


def level_line(ticks: int, above: int) -> Image.Image:
    """Draw a line over a whole picture, with ticks or without, and letters above and below."""
    image = Image.new("RGB", (480, 140), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    pen.line((30, 70, 450, 70), "black", 2)
    for k in range(ticks):
        x = 30 + 420 * k // (ticks - 1)
        pen.line((x, 62, x, 79), "black", 2)
        pen.text((x - 6, 88), "ABCDE"[k], "black", font)
    for k in range(above):
        pen.text((60 + 40 * k, 38), "x", "black", font)
        pen.text((60 + 40 * k, 80), "y", "black", font)
    return image


def test_a_segment_is_a_drawing_and_the_bar_of_a_fraction_is_none() -> None:
    assert look_at(level_line(3, 0)) is not None
    assert look_at(level_line(0, 5)) is None


def test_a_circle_is_enough_of_a_drawing() -> None:
    image = Image.new("RGB", (420, 420), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    pen.ellipse((40, 40, 380, 380), outline="black", width=2)
    pen.line((210, 210, 380, 210), "black", 2)
    for at in ((200, 212), (388, 200), (290, 180)):
        pen.text(at, "O", "black", font)
    drawing = cut_geometry(image, SPEC)
    assert drawing is not None
    assert "circle" in drawing.write(["O", "A", "r"])


def hostile() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    lines = Image.new("RGB", (500, 500), "white")
    draw = ImageDraw.Draw(lines)
    for _ in range(60):
        draw.line([tuple(int(v) for v in rng.integers(0, 500, 2)) for _ in range(2)], "black", 2)
    return [
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (300, 200), "white"),
        Image.new("RGB", (4000, 3), "black"),
        Image.fromarray(rng.integers(0, 255, (300, 300, 3), dtype=np.uint8)),
        lines,
    ]


@pytest.mark.parametrize("number", range(5))
def test_hostile_pictures_do_not_raise(number: int) -> None:
    drawing = cut_geometry(hostile()[number], SPEC)
    assert drawing is None or drawing.write([]).startswith("\\begin")


def test_a_page_of_text_is_refused() -> None:
    page = Image.new("RGB", (900, 700), "white")
    draw = ImageDraw.Draw(page)
    for row in range(30):
        draw.text((40, 20 + 22 * row), "the quick brown fox jumps over the lazy dog " * 2, fill="black")
    assert cut_geometry(page, SPEC) is None


def test_ends_move_to_where_lines_meet() -> None:
    segments = [Segment(0j, 100 + 1j, "", 1.0), Segment(99 + 3j, 99 + 80j, "", 1.0)]
    net = build(segments, [], 1.0, 20.0, 0.0, [])
    assert len(net.places) == 3
    corner = meet(*segments)
    assert corner is not None
    assert min(abs(z - corner) for z in net.places) < 0.5


def test_names_and_labels_are_spelt_as_in_tikz() -> None:
    assert spelling.formula("60°") == r"$60^\circ$"
    assert spelling.formula("2√3") == r"$2\sqrt{3}$"
    assert spelling.formula("5 cm") == r"$5\,\mathrm{cm}$"
    assert spelling.formula("B1") == "$B_1$"
    assert spelling.name_of("B′") == "B'"
    assert spelling.name_of("12") == ""
    assert spelling.number(-0.001) == "0"
    assert spelling.number(2.50) == "2.5"
    assert ordered({7: "B", 3: "A", 5: "A'", 1: "O"}, centre_first=True) == [1, 3, 7, 5]


def test_axes_and_functions_agree_with_the_source() -> None:
    axes = Axes(100 - 100j, 50.0, -2 - 1j, 3 + 2j)
    assert axes.ends == (-2.3, 3.4, -1.3, 2.4)
    assert axes.pixel(axes.move(10 + 5j)) == pytest.approx(10 + 5j)
    texts = dict(expressions())
    assert texts[r"0.5*\x*\x-\x+1"](2.0) == pytest.approx(1.0)
