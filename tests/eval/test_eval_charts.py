"""Chart answers and SCRM on cases whose matches can be counted by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr.eval.charts import MAX_CHARS, MAX_TRIPLES, Triple, parse_chart
from got_ocr.eval.scrm import (
    HIGH,
    SLIGHT,
    STRICT,
    ChartScore,
    corrected_similarity,
    published_similarity,
    score_chart,
)


def answer(values: object, **rest: str) -> str:
    return json.dumps({"title": "t", "source": "s", "x_title": "x", "y_title": "y", "values": values, **rest})


def similarity(rule, guessed: object, true: object, tolerance) -> float:
    ours, theirs = parse_chart(answer(guessed)), parse_chart(answer(true))
    assert ours is not None
    assert theirs is not None
    return rule(ours, theirs, tolerance)


def score(guessed: object, true: object) -> ChartScore:
    found = score_chart(answer(guessed), answer(true))
    assert found is not None
    return found


def test_json_and_python_literals_are_read_and_braces_completed() -> None:
    for text in (
        '{"values": {"A": 1, "B": {"x": 2}}}',
        "{'values': {'A': 1, 'B': {'x': 2}}}",
        '{"data": {"A": 1, "B": {"x": 2',
    ):
        chart = parse_chart(text)
        assert chart is not None
        assert chart.points == (("A", "value", 1), ("B", "x", 2))
        assert not chart.titled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no chart",
        "[1, 2]",
        '{"title": "only"}',
        '{"values": [1, 2]}',
        '{"values": {}}',
        '{"values": {"a": __import__("os").getcwd()}}',
        '{"values": ' + "{" * 50 + "1",
        '{"values": {"a": ' + "-" * 40_000 + "1}}",
        '{"values": {"a": ' + "9" * 5000 + "}}",
        answer({"a": "x" * MAX_CHARS}),
        answer({str(i): 1 for i in range(MAX_TRIPLES + 1)}),
    ],
    ids=range(12),
)
def test_anything_else_is_no_chart(text: str) -> None:
    assert parse_chart(text) is None


def test_numbers_too_long_to_write_and_odd_escapes_break_nothing(recwarn: pytest.WarningsRecorder) -> None:
    chart = parse_chart(
        "{'values': {'a\\d': " + "0x" + "f" * 40_000 + ", 0x" + "f" * 4000 + ": [0x" + "f" * 4000 + "]}}"
    )
    assert chart is not None
    assert [t.value for t in chart.triples()] == ["", ""]
    assert [t.value for t in chart.published_triples()] == ["", ""]
    assert list(recwarn) == []


@given(st.text(alphabet="{}[]'\"a:1,- ", max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    parse_chart(text)
    parse_chart('{"values": ' + text)


def test_values_lose_their_units() -> None:
    chart = parse_chart(answer({"A": "$1,200", "B": "-3.5 %", "C": "n/a", "D": True, "E": 1e22, "F": [1, 2]}))
    assert chart is not None
    assert [t.value for t in chart.triples()] == [1200.0, -3.5, "n/a", "true", 1e22, "[1, 2]"]
    # the published rule keeps digits, dots and minus signs only
    assert [t.value for t in chart.published_triples()] == [1200.0, -3.5, "", "", 122.0, 12.0]
    assert chart.triples()[0] == Triple("a", "value", 1200.0)


def test_equal_charts_score_one_at_every_tolerance() -> None:
    found = score({"A": 1, "B": {"x": 2, "y": "n/a"}}, {"A": 1, "B": {"x": 2, "y": "n/a"}})
    assert found == (True, (1, 1, 1), (1, 1, 1))


def test_three_of_four_points() -> None:
    true, guessed = {"A": 1, "B": 2, "C": 3, "D": 4}, {"A": 1, "B": 2, "C": 3, "D": 9}
    # three matched of five points in the union: 0.6 reaches 0.50, 0.55 and 0.60
    assert similarity(corrected_similarity, guessed, true, STRICT) == pytest.approx(3 / 5)
    found = score(guessed, true)
    assert found.corrected.strict == 0.3
    # the published thresholds come from floats added up, whose third is a hair above 0.6
    assert found.published.strict == 0.2


@pytest.mark.parametrize("rule", [published_similarity, corrected_similarity])
def test_tolerances_of_names_and_values(rule) -> None:
    name = {"population": 100.0}
    for guess, strict, slight, high in (
        ({"population": 100.0}, 1, 1, 1),
        ({"population": 104.0}, 0, 1, 1),
        ({"population": 109.0}, 0, 0, 1),
        ({"population": 111.0}, 0, 0, 0),
        ({"popilatiom": 100.0}, 0, 1, 1),  # two letters wrong
        ({"popxxxxion": 100.0}, 0, 0, 1),  # four
        ({"pxxxxxxion": 100.0}, 0, 0, 0),  # six
    ):
        found = [similarity(rule, guess, name, tolerance) for tolerance in (STRICT, SLIGHT, HIGH)]
        assert found == [strict, slight, high], guess


def test_exactly_five_percent_is_within_five_percent() -> None:
    assert similarity(corrected_similarity, {"a": 1.05}, {"a": 1.0}, SLIGHT) == 1
    assert similarity(corrected_similarity, {"a": 0}, {"a": 0}, STRICT) == 1
    assert similarity(corrected_similarity, {"a": 0.001}, {"a": 0}, HIGH) == 0


def test_swapped_series_and_category_are_the_same_point() -> None:
    ours, theirs = {"2010": {"Men": 3}, "2011": {"Men": 4}}, {"Men": {"2010": 3, "2011": 4}}
    assert similarity(corrected_similarity, ours, theirs, STRICT) == 1
    assert similarity(published_similarity, ours, theirs, STRICT) == 1


def test_a_flat_reference_takes_the_category_away() -> None:
    ours, theirs = {"Men": {"share": 3}, "Women": {"share": 4}}, {"Men": 3, "Women": 4}
    assert similarity(corrected_similarity, ours, theirs, STRICT) == 1
    assert similarity(published_similarity, ours, theirs, STRICT) == 1


def test_published_quirks_that_the_corrected_rule_drops() -> None:
    # a name that holds the other one matches even when strict
    assert similarity(published_similarity, {"America": 5}, {"North America": 5}, STRICT) == 1
    assert similarity(corrected_similarity, {"America": 5}, {"North America": 5}, STRICT) == 0
    # several guesses share one true point, and the similarity passes 1
    ours, theirs = {"a": {"x": 5, "xx": 5}}, {"a": {"x": 5}}
    assert similarity(published_similarity, ours, theirs, STRICT) == 2.0
    assert similarity(corrected_similarity, ours, theirs, HIGH) == 0.5


def test_corrected_matching_is_the_largest_one() -> None:
    # "aa" fits both true names, "aabb" only the first: a greedy choice would leave "aabb" without a partner
    ours, theirs = {"aa": 1, "aabb": 1}, {"aab": 1, "axxx": 1}
    assert similarity(corrected_similarity, ours, theirs, HIGH) == 1
    chain = {"aaaa": 1, "aabb": 1, "bbbb": 1}
    assert similarity(corrected_similarity, chain, {"aaab": 1, "abbb": 1, "aaaaaa": 1}, SLIGHT) == 1


def test_unparsable_answers_lower_the_precision_by_the_parsed_fraction() -> None:
    true = answer({"A": 1})
    scores = [score_chart(text, true) for text in (true, true, true, "no chart")]
    parsed = [s for s in scores if s is not None and s.parsed]
    overall = sum(s.published.strict for s in scores if s is not None) / 4
    fraction = len(parsed) / 4
    assert overall == sum(s.published.strict for s in parsed) / len(parsed) * fraction == 0.75


def test_an_answer_without_titles_is_unparsable_in_the_published_rule_only() -> None:
    found = score_chart('{"values": {"A": 1}}', answer({"A": 1}))
    assert found == (True, (0, 0, 0), (1, 1, 1))


def test_a_reference_that_is_no_chart_has_no_score() -> None:
    assert score_chart(answer({"A": 1}), "text") is None


VALUES = st.dictionaries(
    st.sampled_from(["a", "ab", "bcd", "value"]), st.sampled_from([0, 1, 1.05, 7, "n"]), min_size=1
)


@given(VALUES, VALUES)
def test_corrected_similarity_is_bounded_and_grows_with_tolerance(ours: dict, theirs: dict) -> None:
    found = [similarity(corrected_similarity, ours, theirs, tolerance) for tolerance in (STRICT, SLIGHT, HIGH)]
    assert 0 <= found[0] <= found[1] <= found[2] <= 1
    assert similarity(corrected_similarity, ours, ours, STRICT) == 1
