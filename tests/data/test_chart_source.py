"""Charts: the dictionary holds what is drawn, to the pixel, by either renderer."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from got_ocr.data import fonts
from got_ocr.data.charts import fill, label, look, scale, svg
from got_ocr.data.charts.figure import KINDS, Chart, Series
from got_ocr.data.sources.chart import ChartSource
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.data.tools import matplotlib, outlines
from got_ocr.errors import InvalidValue, MissingDependency

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytest.importorskip("resvg_py", reason="resvg-py is not installed")

COLOURS = ("#d00000", "#00a000", "#0000d0", "#d0a000")
RENDERERS = {"matplotlib": matplotlib.draw, "svg": lambda chart, chosen: rasterise(svg.write(chart, chosen))}


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def dejavu() -> fonts.Font:
    return next(font for font in fonts.index() if font.family == "DejaVu Sans" and font.style == "Book")


def plain(chart: Chart) -> look.Look:
    """Give a chart a look with colours of our choice and nothing that crosses its marks."""
    chosen = look.choose(rng(1), chart, dejavu())
    quiet = {"grid": "none", "hatched": False, "hole": 0.0, "thick": 2.5, "marks": True, "ink": "#000000"}
    colours = COLOURS[: len(chosen.colours)]
    return replace(chosen, colours=colours, paper="#ffffff", panel="#ffffff", **quiet)


def shape(image: Image.Image, colour: str) -> NDArray[np.bool_]:
    wanted = np.array(look.rgb(colour))
    found: NDArray[np.bool_] = np.abs(np.asarray(image).astype(int) - wanted).max(axis=2) < 12
    return found


def chart(kind: str, *rows: tuple[str, tuple[str, ...]], keys: tuple[str, ...] = ("ab", "cd", "ef")) -> Chart:
    return Chart(kind, tuple(Series(name, keys, values) for name, values in rows), title="Size of things")


def test_the_same_seed_gives_the_same_bytes() -> None:
    for share in (0.0, 1.0):
        source = ChartSource(svg=share)
        for seed in range(4):
            first, second = source(rng(seed)), source(rng(seed))
            assert first.target == second.target
            assert first.images[0].tobytes() == second.images[0].tobytes()
    assert len({ChartSource(svg=1.0)(rng(seed)).target for seed in range(12)}) == 12


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    import matplotlib as library

    made = chart("bar", ("one", ("1", "2", "3")))
    before = matplotlib.draw(made, plain(made)).tobytes()
    with library.rc_context({"font.size": 30, "axes.facecolor": "red", "axes.titlesize": 40}):
        assert matplotlib.draw(made, plain(made)).tobytes() == before
        assert library.rcParams["font.size"] == 30


def test_labels_are_dictionaries_with_the_scorers_keys() -> None:
    kinds, shapes = set(), set()
    for seed in range(200):
        one = rng(3, seed)
        kind = KINDS[seed % len(KINDS)]
        made = fill.chart(one, kind, "en", "train", seed % 4 < 2)
        read = json.loads(label.dictionary(made))
        assert list(read) == ["title", "source", "x_title", "y_title", "values"]
        assert all(isinstance(read[key], str) and read[key] for key in list(read)[:4])
        numbers = read["values"]
        if len(made.series) == 1:
            numbers = {made.series[0].name: numbers}
        assert numbers == {
            series.name: {key: float(value) for key, value in zip(series.keys, series.values, strict=True)}
            for series in made.series
        }
        kinds.add((kind, made.valued))
        shapes.add(len(made.series))
    assert {kind for kind, _ in kinds} == set(KINDS)
    assert {("bar", True), ("bar", False), ("line", True), ("pie", True), ("scatter", False)} <= kinds
    assert shapes >= {1, 2, 3}


def test_what_is_not_drawn_is_none_and_digits_stay_as_printed() -> None:
    made = Chart("bar", (Series("s", ("a", 'b"'), ("12.50", "-3")),), y_title="y")
    text = '{"title": "None", "source": "None", "x_title": "None", "y_title": "y", "values": {"a": 12.50, "b\\"": -3}}'
    assert label.dictionary(made) == text


def test_values_are_numbers_that_json_and_python_read_alike() -> None:
    for seed in range(300):
        made = fill.chart(rng(4, seed), KINDS[seed % 6], "en", "train", seed % 3 == 0)
        for series in made.series:
            assert all(value == str(json.loads(value)) or "." in value for value in series.values)
            assert all(value not in ("-0", "-0.0", "-0.00") for value in series.values)
        if made.kind == "pie":
            assert abs(sum(made.series[0].numbers) - 100) < 1e-9
            assert min(made.series[0].numbers) >= 3


@pytest.mark.parametrize("renderer", RENDERERS)
def test_bars_are_as_tall_as_their_numbers(renderer: str) -> None:
    made = chart("bar", ("one", ("40", "90", "15")), ("two", ("75", "20", "60")))
    image = RENDERERS[renderer](made, replace(plain(made), legend="none"))
    for series, colour in zip(made.series, COLOURS, strict=False):
        tall = runs(shape(image, colour).sum(axis=0))
        assert np.allclose(np.array(tall) / tall[0], np.array(series.numbers) / series.numbers[0], rtol=0.03), tall


def runs(counts: NDArray[np.int_]) -> list[int]:
    """Give the largest count of each run of columns that hold something."""
    out: list[int] = []
    for place, count in enumerate(counts):
        if count and (place == 0 or not counts[place - 1]):
            out.append(0)
        if count:
            out[-1] = max(out[-1], int(count))
    return out


@pytest.mark.parametrize("renderer", RENDERERS)
def test_level_bars_are_as_long_as_their_numbers(renderer: str) -> None:
    made = chart("barh", ("one", ("40", "90", "15")))
    image = RENDERERS[renderer](made, plain(made))
    long = runs(shape(image, COLOURS[0]).sum(axis=1))
    assert np.allclose(np.array(long) / long[0], np.array((40, 90, 15)) / 40, rtol=0.03), long


@pytest.mark.parametrize("renderer", RENDERERS)
def test_stacked_bars_show_each_part(renderer: str) -> None:
    made = chart("stacked", ("one", ("40", "90", "15")), ("two", ("75", "20", "60")))
    image = RENDERERS[renderer](made, replace(plain(made), legend="none"))
    tall = [runs(shape(image, colour).sum(axis=0)) for colour in COLOURS[:2]]
    assert np.allclose(np.array(tall) / tall[0][0], np.array([one.numbers for one in made.series]) / 40, rtol=0.05), (
        tall
    )


@pytest.mark.parametrize("renderer", RENDERERS)
def test_slices_are_as_large_as_their_shares(renderer: str) -> None:
    made = chart("pie", ("share", ("50.0", "12.5", "37.5")))
    image = RENDERERS[renderer](made, replace(plain(made), legend="none"))
    areas = np.array([shape(image, colour).sum() for colour in COLOURS[:3]])
    assert np.allclose(areas / areas.sum(), (0.5, 0.125, 0.375), atol=0.01), areas


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("kind", ["line", "scatter"])
def test_points_lie_where_their_numbers_say(renderer: str, kind: str) -> None:
    keys = ("10", "30", "60", "90")
    made = chart(kind, ("one", ("20", "80", "35", "65")), keys=keys)
    image = RENDERERS[renderer](made, replace(plain(made), thick=2.0 if kind == "line" else 4.0))
    found = shape(image, COLOURS[0])
    xs, ys = centres(found, 4) if kind == "scatter" else turns(found)
    numbers = np.array((20, 80, 35, 65))
    assert np.corrcoef(ys, numbers)[0, 1] < -0.999
    assert np.abs(np.polyval(np.polyfit(numbers, ys, 1), numbers) - ys).max() < 4
    if kind == "scatter":
        assert np.abs(np.polyval(np.polyfit([10, 30, 60, 90], xs, 1), [10, 30, 60, 90]) - xs).max() < 2


def centres(found: NDArray[np.bool_], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the middles of marks that stand apart from left to right."""
    columns = np.flatnonzero(found.any(axis=0))
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    assert len(groups) == count
    rows = [np.flatnonzero(found[:, group].any(axis=1)) for group in groups]
    return np.array([group.mean() for group in groups]), np.array([row.mean() for row in rows])


def turns(found: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the rows of a line at its four evenly spaced points."""
    columns = np.flatnonzero(found.any(axis=0))
    xs = np.linspace(columns[0] + 4, columns[-1] - 4, 4)
    return xs, np.array([np.flatnonzero(found[:, round(x)]).mean() for x in xs])


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_the_label_is_in_the_picture(renderer: str, kind: str) -> None:
    keys = ("10", "20", "30") if kind == "scatter" else ("Abc", "Def", "Ghi")
    rows = [Series("share", keys, ("20", "50", "30"))]
    if kind != "pie":
        rows.append(Series("other", keys, ("12", "44", "25")))
    made = Chart(kind, tuple(rows), title="Title", source="Somebody", x_title="Level", y_title="Upright")
    made = replace(made, x_title="", y_title="") if kind == "pie" else made
    chosen = plain(made)
    before = RENDERERS[renderer](made, chosen)
    changed = [replace(made, title="Tetle"), replace(made, source="Somebady"), replace(made, title="")]
    if kind != "pie":
        changed += [replace(made, x_title="Lovel"), replace(made, y_title="Uprught")]
        changed.append(replace(made, series=(replace(rows[0], name="shore"), rows[1])))
    if kind != "scatter":
        swapped = ("Abc", "Dof", "Ghi")
        changed.append(replace(made, series=tuple(replace(row, keys=swapped) for row in rows)))
    for other in changed:
        after = RENDERERS[renderer](other, chosen)
        assert after.size != before.size or after.tobytes() != before.tobytes(), other


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("kind", ["bar", "barh", "stacked", "line"])
def test_values_are_printed_when_the_chart_says_so(renderer: str, kind: str) -> None:
    made = chart(kind, ("one", ("40", "90", "15")))
    chosen = replace(plain(made), ink="#ff00ff")
    counts = [
        int(shape(RENDERERS[renderer](one, chosen), "#ff00ff").sum()) for one in (made, replace(made, valued=True))
    ]
    assert counts[1] > counts[0] + 25, counts


def test_ink_keeps_clear_of_the_edges() -> None:
    for share in (0.0, 1.0):
        source = ChartSource(svg=share, clean_fraction=1.0)
        for seed in range(8):
            pixels = np.asarray(source(rng(5, seed)).images[0]).astype(int)
            ink = np.abs(pixels - pixels[0, 0]).max(axis=2) > 40
            edge = np.concatenate([ink[:4].ravel(), ink[-4:].ravel(), ink[:, :4].ravel(), ink[:, -4:].ravel()])
            assert not edge.any(), (share, seed)


def test_labels_of_a_pie_do_not_touch() -> None:
    placed = 0
    for seed in range(60):
        made = fill.chart(rng(6, seed), "pie", "en", "train", True)
        chosen = look.choose(rng(seed), made, dejavu())
        assert chosen.legend != "none" or chosen.spots
        boxes = [look.box(spot, chosen.height * 0.32) for spot in chosen.spots]
        for place, one in enumerate(boxes):
            for two in boxes[:place]:
                assert one[0] >= two[2] or two[0] >= one[2] or one[1] >= two[3] or two[1] >= one[3]
        placed += bool(chosen.spots)
    assert placed > 30


def test_ticks_are_round_and_reach_around_the_numbers() -> None:
    for low, high in ((0, 97), (-3.2, 8.8), (0, 0.07), (12000, 98000), (5, 5)):
        found = scale.ticks(low, high, 5)
        assert found[0] <= low
        assert found[-1] >= high - 1e-9
        assert 2 <= len(found) <= 9
        steps = np.diff(found)
        assert np.allclose(steps, steps[0])
    assert [scale.printed(value) for value in (0.0, -0.0, 2.50, 1e5, -0.05)] == ["0", "0", "2.5", "100000", "-0.05"]


def test_outlines_measure_like_pillow_and_refuse_what_the_font_lacks() -> None:
    font = dejavu()
    wide = outlines.width(font, "Hamburg 1999", 100)
    assert abs(wide - fonts.load(font, 100).getlength("Hamburg 1999")) < 4
    assert outlines.text(font, "A b", 20, 5, 6, "center", 90).count("<path") == 2
    with pytest.raises(InvalidValue, match=r"U\+E000"):
        outlines.width(font, "\ue000", 20)


def test_fonts_of_bitmaps_and_later_faces_are_not_given_to_matplotlib() -> None:
    assert matplotlib.usable(dejavu())
    assert not matplotlib.usable(replace(dejavu(), face=1))


def test_chinese_charts_are_drawn_in_chinese_fonts() -> None:
    try:
        fonts.pool("zh")
    except MissingDependency:
        pytest.skip("no Chinese font is installed")
    sample = ChartSource(zh=1.0)(rng(2))
    assert sample.meta["language"] == "zh"
    assert any("一" <= char <= "鿿" for char in sample.target)


@pytest.mark.parametrize(
    "options", [{"kinds": ("radar",)}, {"kinds": ()}, {"zh": 1.5}, {"valued": -1.0}, {"svg": 2.0}, {"wear": "soap"}]
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        ChartSource(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rows",
    [(), (Series("a", ("x", "x"), ("1", "2")),), (Series("a", ("x",), ()),), (Series("a", ("x",), ("1",)),) * 2],
)
def test_charts_that_make_no_sense_are_refused(rows: tuple[Series, ...]) -> None:
    with pytest.raises(InvalidValue):
        Chart("bar", rows)
