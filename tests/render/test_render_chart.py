"""Chart dictionaries: read as data alone, plotted by form, tabled in full."""

import json
import re

import pytest

from got_ocr.errors import RenderFailed
from got_ocr.render import render, render_result
from got_ocr.render.chart_data import MAX_NESTING, MAX_POINTS, is_chart, number_in, parse_chart
from got_ocr.render.chart_plot import chart_form, nice_ticks


def chart(values: object, **rest: object) -> str:
    return json.dumps(
        {"title": "T", "source": "None", "x_title": "X", "y_title": "Y", "values": values, **rest}, ensure_ascii=False
    )


def svg(text: str) -> str:
    return str(render(text, kind="chart", to="svg"))


@pytest.mark.parametrize(
    ("values", "labels", "series"),
    [
        ({"a": 1, "b": "2"}, ("a", "b"), {"": (1.0, 2.0)}),
        (
            {"s": {"a": 1, "b": 2}, "t": {"b": 3, "c": 4}},
            ("a", "b", "c"),
            {"s": (1.0, 2.0, None), "t": (None, 3.0, 4.0)},
        ),
        ({"s": [1, 2], "t": [3]}, ("1", "2"), {"s": (1.0, 2.0), "t": (3.0, None)}),
        ({"x": ["p", "q"], "s": [1, 2]}, ("p", "q"), {"s": (1.0, 2.0)}),
        ([3, 4], ("1", "2"), {"": (3.0, 4.0)}),
        ([{"name": "s", "data": [1, 2]}], ("1", "2"), {"s": (1.0, 2.0)}),
    ],
)
def test_shapes_of_values(values: object, labels: tuple[str, ...], series: dict[str, tuple[float | None, ...]]) -> None:
    made = parse_chart(chart(values))
    assert made.labels == labels
    assert {one.name: one.numbers for one in made.series} == series


def test_titles_and_none() -> None:
    made = parse_chart(chart({"a": 1}))
    assert (made.title, made.source, made.x_title, made.y_title) == ("T", "", "X", "Y")


def test_python_literals_and_cut_off_text() -> None:
    assert parse_chart("{'title': 'it\\'s', 'values': {'a': 1}}").title == "it's"
    made = parse_chart('{"title": "x", "values": {"s": {"a": 1, "b": 2}, "t": {"a": 3, "b')
    assert [one.name for one in made.series] == ["s", "t"]
    assert made.series[1].numbers == (3.0, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("1,234.5", 1234.5),
            ("12%", 12.0),
            ("$5", 5.0),
            ("-3", -3.0),
            ("−3", -3.0),
            (".5", 0.5),
            ("2e3", 2000.0),
            ("n/a", None),
        ),
        *(("", None), ("1e400", None), ("-", None), ("9" * 400, None)),
    ],
)
def test_numbers_in_words(text: str, value: float | None) -> None:
    assert number_in(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "{",
            "{}",
            "[]",
            "x",
            '{"title": "x"}',
            '{"values": {}}',
            '{"values": []}',
            '{"values": 3}',
            "{" * 2_000,
            '{"a":' * 2_000,
        ),
        *(
            '{"values": ' + "[" * 50 + "]" * 50 + "}",
            "{**x}",
            "{'a': open('x')}",
            "{'values': [x for x in y]}",
            "9" * 9_000,
        ),
        *(
            '{"values": {"a": function(){alert(1)}}}',
            '{"values":{' + ",".join(f'"{k}":1' for k in range(MAX_POINTS + 1)) + "}}",
        ),
    ],
)
def test_what_is_no_chart_is_refused(text: str) -> None:
    with pytest.raises(RenderFailed):
        parse_chart(text)
    made = render_result(text, kind="chart", to="fragment")
    assert made.error == "render_failed"


def test_nesting_is_looked_at_before_parsing() -> None:
    assert not is_chart('{"values": ' + "[" * (MAX_NESTING + 1) + "]" * (MAX_NESTING + 1) + "}")
    assert is_chart('{"title": "' + "[" * 500 + '", "values": {"a": 1}}')


@pytest.mark.parametrize(
    ("form", "values", "found"),
    [
        ("pie", {"a": 1, "b": 2}, "pie"),
        ("pie", {"a": -1, "b": 2}, "bar"),
        ("v_bar", {"a": 1}, "bar"),
        ("h_bar", {"a": 1}, "barh"),
        ("scatter plot", {"1": 1, "2": 3}, "scatter"),
        ("line", {"a": 1}, "line"),
        ("", {str(year): 1 for year in range(1990, 1996)}, "line"),
        ("", {"a": 1, "b": 2}, "bar"),
        ("", {"a very long label of a bar": 1, "b": 2}, "barh"),
    ],
)
def test_forms(form: str, values: object, found: str) -> None:
    assert chart_form(parse_chart(chart(values, type=form))) == found


@pytest.mark.parametrize("form", ["bar", "h_bar", "line", "area", "scatter", "pie", "unheard of"])
@pytest.mark.parametrize(
    "values",
    [
        {"a": 1, "b": 2, "c": 3},
        {"a": -5, "b": 0, "c": 5},
        {"a": 0, "b": 0},
        {"a": 7},
        {"a": 1e14, "b": 1e-9},
        {"a": "n/a", "b": 3},
        {"s": {"1": 1, "2": 2}, "t": {"1": 3, "2": 4}},
        {str(at): at for at in range(500)},
        {f"series {at}": {"x": at} for at in range(60)},
    ],
)
def test_every_form_draws_all_sorts_of_values(form: str, values: object) -> None:
    made = svg(chart(values, type=form))
    assert "nan" not in made
    assert "inf" not in made.replace("infer", "")
    assert len(re.findall(r"<(rect|polyline|circle|path)", made)) > 1


def test_bars_are_as_high_as_their_values() -> None:
    made = svg(chart({"a": 1, "b": 2, "c": 4}, type="bar"))
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" fill="#3366aa"', made)]
    assert heights[1] / heights[0] == pytest.approx(2, rel=0.02)
    assert heights[2] / heights[0] == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 97), (-5, 5), (3, 3), (0, 0), (1e-9, 2e-9), (0, 1e14), (95, 103)]
)
def test_ticks_span_their_range(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low + 1e-12
    assert ticks[-1] >= high - 1e-12
    assert 2 <= len(ticks) <= 12


def test_the_table_has_what_the_plot_shortens() -> None:
    label = "a label that is far longer than any plot has room for, by some measure"
    made = str(render(chart({label: "12 %", "b": 3}), to="fragment"))
    assert "<td" in made
    assert label in made
    assert "12 %</td>" in made
    assert "…" in made


def test_values_without_numbers_are_a_table_alone() -> None:
    made = render_result(chart({"a": "yes", "b": "no"}), to="fragment")
    assert made.error is None
    assert "<svg" not in str(made.content)
    assert "yes</td>" in str(made.content)


def test_markdown_is_a_table() -> None:
    assert str(render(chart({"a": 1, "b": 2}), to="gfm")) == "*T*\n\n| X | Y |\n| --- | --: |\n| a | 1 |\n| b | 2 |\n"


def test_prototype_keys_are_words() -> None:
    made = str(render(chart({"__proto__": 1, "constructor": 2}), to="fragment"))
    assert "__proto__" in made
