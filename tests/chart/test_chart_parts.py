"""The parts of reading a chart: scales, numbers, corners of lines, dots, turned words, labels of the source."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from got_ocr.chart import curves, scale
from got_ocr.chart.bars import find_bars
from got_ocr.chart.frame import find_frame
from got_ocr.chart.patches import find_patches
from got_ocr.chart.seen import look
from got_ocr.chart.words import find_letters, group, rows_of, turned
from got_ocr.data.sources.chart import ChartSource


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,200", "1200"),
        ("7%", "7"),
        ("2 5", "2.5"),
        ("-0.50", "-0.50"),
        ("O", "0"),
        ("007", "7"),
        ("Mon", None),
        ("", None),
        ("-", None),
    ],
)
def test_numbers_are_cleaned_up(text: str, number: str | None) -> None:
    assert scale.number(text) == number


def test_a_scale_overrules_numbers_that_were_misread() -> None:
    ticks = [(30.0, "5000"), (96.0, "4000"), (163.0, "3000"), (229.0, "20000"), (296.0, "10000"), (362.0, "0")]
    found = scale.fit(ticks, [], -1, 362.0)
    assert found is not None
    assert abs(found.value(96.0) - 40000) < 400
    found = scale.fit([(0.0, "10"), (100.0, "8"), (200.0, "6"), (300.0, "x"), (400.0, "7")], [], -1)
    assert found is not None
    assert abs(found.value(300.0) - 4) < 0.05


def test_a_scale_needs_two_numbers_or_a_zero() -> None:
    assert scale.fit([(10.0, "5"), (60.0, "?")], [], -1) is None
    assert scale.fit([], [], 1) is None
    found = scale.fit([(10.0, "5"), (60.0, "?")], [], -1, 110.0)
    assert found is not None
    assert abs(found.value(60.0) - 2.5) < 1e-6


def test_a_printed_number_gets_its_point_back() -> None:
    assert scale.agreed("48778", 487.0, 500.0) == "487.78"
    assert scale.agreed("31", 30.4, 100.0) == "31"
    assert scale.agreed("90", 30.4, 100.0) is None
    assert scale.agreed("90", None, 0.0) == "90"
    assert [
        scale.written(v, scale.quantum(m)) for v, m in ((387.4, 960), (3.84, 9.6), (38123, 100000), (-0.01, 9.0))
    ] == ["390", "3.8", "38000", "0.0"]


def test_corners_of_a_line_are_found_between_pixels() -> None:
    large = Image.new("L", (2400, 1200), 0)
    points = [(100.0, 1000.0), (800.0, 200.0), (1500.0, 900.0), (2200.0, 400.0)]
    ImageDraw.Draw(large).line(points, fill=255, width=10, joint="curve")
    share = np.asarray(large.resize((600, 300), Image.Resampling.BOX), np.float32) / np.float32(255)
    mask = share > 0.45
    line = curves.course(mask, share)
    # Ends that are drawn too long stretch all places; the corners say by how much.
    stretched = [22.5, 198.8, 375.2, 551.5]
    places = curves.refined([(line, 0.0), (line, 0.0)], stretched)
    assert np.abs(np.array(places) - [24.5, 199.5, 374.5, 549.5]).max() < 1.2
    heights = curves.corners(line, [24.5, 199.5, 374.5, 549.5], 0.0)
    assert np.abs(np.array(heights) - [249.5, 49.5, 224.5, 99.5]).max() < 0.8


def test_dots_that_touch_are_parted() -> None:
    picture = Image.new("L", (200, 100), 0)
    draw = ImageDraw.Draw(picture)
    spots = [(30, 30), (60, 70), (100, 50), (108, 50), (150, 20)]
    for x, y in spots:
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=255)
    share = np.asarray(picture, np.float32) / np.float32(255)
    found = sorted(curves.dots(share > 0.5, share))
    assert len(found) == len(spots)
    assert max(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in zip(found, sorted(spots), strict=True)) < 3


def drawn() -> Image.Image:
    picture = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(picture)
    draw.line((80, 60, 80, 400), fill="black", width=1)
    draw.line((80, 400, 560, 400), fill="black", width=1)
    for place, (tall, colour) in enumerate([(100, "#c03030"), (200, "#3060c0"), (300, "#c03030"), (50, "#3060c0")]):
        left = 100 + 120 * (place // 2) * 2 + 40 * (place % 2)
        draw.rectangle((left, 400 - tall, left + 38, 399), fill=colour)
    return picture


def test_bars_are_sorted_by_category_and_colour() -> None:
    seen = look(drawn())
    assert seen is not None
    frame = find_frame(seen)
    assert frame is not None
    assert frame.sure
    assert abs(frame.box[0] - 80) <= 1
    assert abs(frame.box[3] - 400) <= 1
    bars = find_bars(find_patches(seen), frame.box)
    assert bars is not None
    assert bars.upright
    assert not bars.stacked
    found = {(bar.column, bar.series): bar.box[3] - bar.box[1] for bar in bars.bars}
    assert {key: round(tall, -1) for key, tall in found.items()} == {(0, 0): 100, (0, 1): 200, (1, 0): 300, (1, 1): 50}


def test_words_are_parted_by_gaps_and_rows() -> None:
    picture = Image.new("L", (400, 120), 0)
    draw = ImageDraw.Draw(picture)
    for y in (20, 34):
        for x in (20, 30, 40, 90, 100):
            draw.rectangle((x, y, x + 6, y + 11), fill=255)
    letters = find_letters(np.asarray(picture))
    assert letters is not None
    everything = letters.inside(0, 0, 400, 120)
    texts = group(letters, everything)
    assert sorted(text.box for text in texts) == [
        (20, 20, 47, 32),
        (20, 34, 47, 46),
        (90, 20, 107, 32),
        (90, 34, 107, 46),
    ]
    assert len(rows_of(letters, texts[0])) == 1


def test_turned_words_are_set_upright() -> None:
    level = Image.new("L", (120, 40), 0)
    ImageDraw.Draw(level).rectangle((10, 15, 110, 24), fill=255)
    for turn in (45, 90):
        ink = np.asarray(level.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC))
        upright = turned(ink, turn) > 128
        assert np.flatnonzero(upright.any(1)).size <= 14
        assert np.flatnonzero(upright.any(0)).size >= 96


@pytest.mark.parametrize("svg", [0.0, 1.0])
def test_the_source_says_where_its_words_stand(svg: float) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("resvg_py")
    for seed in range(4):
        sample = ChartSource(svg=svg, zh=0.0, clean_fraction=1.0)(np.random.default_rng((9, seed)))
        picture = np.asarray(sample.images[0].convert("L"), np.int16)
        drawn = sample.meta["labels"]
        assert isinstance(drawn, list)
        assert len(drawn) >= 3
        for left, top, right, bottom, words in drawn:
            assert words.strip()
            assert "\n" not in words
            part = picture[max(0, top) : bottom + 1, max(0, left) : right + 1]
            assert 0 <= left < right <= picture.shape[1] + 2
            assert np.ptp(part) > 60
