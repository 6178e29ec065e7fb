"""Charts are read without a network but for their words: clean ones come out right, other pictures are refused, nothing breaks."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from got_ocr.chart.cut import cut_chart
from got_ocr.data.sample import Sample
from got_ocr.data.sources.chart import ChartSource
from got_ocr.eval.scrm import score_chart
from got_ocr.labels import Drawing
from got_ocr.spec import ModelSpec

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytest.importorskip("resvg_py", reason="resvg-py is not installed")

SPEC = ModelSpec("small", (128, 1024), (32, 8), "lines", 1, 512, frozenset({"plain"}))


def overlap(one: Sequence[int], two: Sequence[int]) -> float:
    wide = min(one[2], two[2]) - max(one[0], two[0])
    tall = min(one[3], two[3]) - max(one[1], two[1])
    if min(wide, tall) <= 0:
        return 0.0
    both = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1])
    return wide * tall / (both - wide * tall)


def read(drawing: Drawing, sample: Sample) -> list[str]:
    """Read each strip without an error: the text that was drawn where it was found."""
    drawn = sample.meta["labels"]
    assert isinstance(drawn, list)
    out = []
    for label in drawing.labels:
        near = [overlap(one, label.box) for one in drawn]
        out.append(drawn[int(np.argmax(near))][4] if max(near) > 0.12 else "")
    return out


def score(kind: str, svg: float, count: int) -> float:
    source = ChartSource(kinds=(kind,), svg=svg, zh=0.0, clean_fraction=1.0)
    scores = []
    for seed in range(count):
        sample = source(np.random.default_rng((17, seed)))
        drawing = cut_chart(sample.images[0], SPEC)
        written = drawing.write(read(drawing, sample)) if drawing else ""
        found = score_chart(written, sample.target)
        assert found is not None
        scores.append(found.corrected.slight)
    return float(np.mean(scores))


@pytest.mark.parametrize("kind", ["bar", "barh", "stacked", "line", "pie", "scatter"])
@pytest.mark.parametrize("svg", [0.0, 1.0])
def test_clean_charts_come_out_right_when_their_words_are_read_right(kind: str, svg: float) -> None:
    assert score(kind, svg, 4) >= 0.7


def test_values_are_measured_where_they_are_not_printed() -> None:
    source = ChartSource(kinds=("bar",), svg=0.0, zh=0.0, valued=0.0, clean_fraction=1.0)
    sample = source(np.random.default_rng(3))
    drawing = cut_chart(sample.images[0], SPEC)
    assert drawing is not None
    found = score_chart(drawing.write(read(drawing, sample)), sample.target)
    assert found is not None
    assert found.corrected.strict == 1.0


def test_whatever_was_read_a_dictionary_is_written() -> None:
    for kind in ("bar", "stacked", "line", "pie", "scatter"):
        sample = ChartSource(kinds=(kind,), svg=0.0, zh=0.0, clean_fraction=1.0)(np.random.default_rng(5))
        drawing = cut_chart(sample.images[0], SPEC)
        assert drawing is not None
        count = len(drawing.labels)
        for answers in (
            [],
            [""] * count,
            ['"\\\n\0{'] * count,
            ["9" * 400] * count,
            ["-.-"] * count,
            ["1e9"] * (count + 3),
        ):
            written = drawing.write(answers)
            assert "\n" not in written
            assert set(json.loads(written)) == {"title", "source", "x_title", "y_title", "values"}


def hostile() -> dict[str, Image.Image]:
    rng = np.random.default_rng(1)
    stripes = np.zeros((700, 900, 3), np.uint8) + 255
    stripes[:, ::12] = stripes[:, 1::12] = 0
    squares = np.full((800, 800, 3), 255, np.uint8)
    for y in range(5, 790, 15):
        for x in range(5, 790, 15):
            squares[y : y + 9, x : x + 9] = rng.integers(0, 200, 3)
    frame = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(frame).rectangle((50, 50, 550, 350), outline="black")
    return {
        "one pixel": Image.new("RGB", (1, 1)),
        "blank": Image.new("RGB", (800, 600), "white"),
        "black": Image.new("RGB", (800, 600), "black"),
        "noise": Image.fromarray(rng.integers(0, 256, (600, 800, 3), np.uint8)),
        "salt": Image.fromarray(np.where(rng.random((600, 800, 1)) < 0.05, 0, 255).astype(np.uint8).repeat(3, 2)),
        "narrow": Image.new("RGB", (4000, 3), "white"),
        "stripes": Image.fromarray(stripes),
        "squares": Image.fromarray(squares),
        "frame": frame,
    }


@pytest.mark.parametrize("name", sorted(hostile()))
def test_what_is_no_chart_is_refused(name: str) -> None:
    drawing = cut_chart(hostile()[name], SPEC)
    assert drawing is None or json.loads(drawing.write([]))


def test_a_page_of_lines_is_no_chart() -> None:
    page = Image.new("RGB", (900, 1200), "white")
    draw = ImageDraw.Draw(page)
    for row in range(40):
        draw.text((60, 40 + 28 * row), "the quick brown fox jumps over the lazy dog 12.5 " * 2, fill="black")
    assert cut_chart(page, SPEC) is None


def test_boxes_are_told_in_the_pixels_of_the_picture() -> None:
    sample = ChartSource(kinds=("bar",), svg=0.0, zh=0.0, clean_fraction=1.0)(np.random.default_rng(7))
    picture = sample.images[0]
    scale = 2000 / max(picture.size)
    large = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    drawing = cut_chart(large, SPEC)
    assert drawing is not None
    drawn = [[round(edge * scale) for edge in one[:4]] for one in sample.meta["labels"]]  # type: ignore[attr-defined]
    near = sum(max(overlap(one, label.box) for one in drawn) > 0.3 for label in drawing.labels)
    assert near >= 0.8 * len(drawing.labels)
