"""From answers to the printed report: figures by hand, and the whole text of one report."""

import json
from pathlib import Path

import numpy as np
import pytest

from got_ocr.errors import OutputError
from got_ocr.eval.benches import Example
from got_ocr.eval.predict import Prediction
from got_ocr.eval.report import Report, to_json, to_markdown, write
from got_ocr.eval.score import Figure, KindScores, Row, score_row, summarize
from got_ocr.task import Task

TABLE = "\\begin{tabular}{cc}a & b\\\\\\end{tabular}"
CHART = '{"title": "", "source": "", "x_title": "", "y_title": "", "values": {"A": 1}}'


def row(text: str, truth: str, kind: str = "page", status: str = "ok", reader: str = "got-ocr", **rest) -> Row:
    task, pages, seconds = rest.get("task", Task()), rest.get("pages", 1), rest.get("seconds", 1.0)
    example = Example("id", tuple(Path(f"{i}.png") for i in range(pages)), task, truth, kind)
    return score_row(example, Prediction("id", "k", reader, "", text, status, seconds))


def scores(*rows: Row) -> dict[tuple[str, str], KindScores]:
    return {(s.kind, s.reader): s for s in summarize(rows, np.random.default_rng(0), draws=20)}


def value(found: KindScores, name: str) -> float | None:
    return found.figures[name].value


def test_counts_of_a_kind() -> None:
    rows = (
        row("abc", "abc", seconds=3.0, pages=3),
        row("abcabc", "abc", status="loop", seconds=1.0),
        row("", "abc", status="failed"),
        row("", "abc", status="unsupported"),
    )
    found = scores(*rows)["page", "got-ocr"]
    assert (found.n, found.failed, found.unsupported, found.paper_skipped) == (3, 1, 1, 1)
    assert found.statuses == {"ok": 1, "loop": 1, "failed": 1, "unsupported": 1}
    assert found.loops == pytest.approx(1 / 3)
    assert found.seconds == 1.0  # 4 s over 4 pictures that were read
    assert value(found, "cer") == 6 / 9
    assert value(found, "cer_macro") == pytest.approx(2 / 3)
    assert value(found, "edit_distance") == pytest.approx((0 + 0.5 + 1) / 3)
    assert value(found, "paper_edit_distance") == 0.25  # the failed picture does not count there
    assert found.figures["paper_edit_distance"].n == 2


def test_kinds_keep_their_order_and_all_of_them_close_the_list() -> None:
    rows = (row("a", "a", "zebra"), row("b", "bbbb", "ape"), row("a", "a", "zebra", reader="peer"))
    found = summarize(rows, np.random.default_rng(0), draws=20)
    assert [(s.kind, s.reader) for s in found] == [
        ("zebra", "got-ocr"),
        ("ape", "got-ocr"),
        ("zebra", "peer"),
        ("all", "got-ocr"),
    ]
    assert value(found[3], "cer") == 3 / 5
    assert value(found[3], "cer_macro") == 3 / 8


def test_each_kind_gets_its_own_scores() -> None:
    assert row(TABLE, TABLE).special == {"teds": 1.0, "teds_structure": 1.0}
    assert row("", CHART).special["chart_parsed"] == 0.0
    assert row(CHART, CHART).special["paper_chart_ap_strict"] == pytest.approx(1)
    assert row("OCC", "CCO", "molecule").special["smiles_match"] in (0.0, 1.0)
    assert row("<smiles>CCO</smiles>", "<smiles>CCO</smiles>").special["smiles_match"] == 1.0
    assert row("X:1", "X:1", "music").special == {}
    page = row("\\(a\\) b", "\\(a\\) c", task=Task(mode="format"))
    assert page.special == {"paper_formula_edit_distance": 0.0, "paper_formula_f1": 1.0}


def test_scene_text_is_compared_by_characters() -> None:
    assert row("stop", "post", "scene").corrected.f1 == 1.0
    assert row("stop", "post", "page").corrected.f1 == 0.0


def test_the_same_seed_gives_the_same_report() -> None:
    rows = [row("ab" * i, "ab" * 5) for i in range(8)]
    first, second = (summarize(rows, np.random.default_rng(7)) for _ in range(2))
    assert first == second
    interval = first[0].figures["cer"].interval
    assert interval is not None
    assert interval.low < (value(first[0], "cer") or 0) < interval.high


def report() -> Report:
    from got_ocr.eval.intervals import Interval

    figures = {
        "cer": Figure(0.0354, 2, Interval(0.01, 0.0612)),
        "cer_macro": Figure(0.04, 2),
        "edit_distance": Figure(0.034, 2),
        "f1": Figure(0.97, 2),
        "paper_edit_distance": Figure(0.033, 1),
        "paper_f1": Figure(None, 0),
        "teds": Figure(0.5, 1, Interval(0.25, 0.75)),
    }
    ours = KindScores("page|a", "got-ocr", 2, 1, 0, 1, {"loop": 1, "failed": 1}, 0.5, 0.7, figures)
    theirs = KindScores("page|a", "tesseract", 0, 0, 2, 0, {"unsupported": 2}, 0.0, None, {"cer": Figure(None, 0)})
    return Report("fox", 3, 1000, (ours, theirs), ("rule one.", "rule two."))


GOLDEN = r"""# Scores: fox

| kind    | reader    | n | CER   | 95 %           | edit distance (paper) | edit distance (corrected) | F1 (paper) | F1 (corrected) | loops % | failed | s/picture |
| ------- | --------- | - | ----- | -------------- | --------------------- | ------------------------- | ---------- | -------------- | ------- | ------ | --------- |
| page\|a | got-ocr   | 2 | 0.035 | [0.010, 0.061] | 0.033                 | 0.034                     | -          | 0.970          | 50.0    | 1      | 0.70      |
| page\|a | tesseract | 0 | -     | -              | -                     | -                         | -          | -              | 0.0     | 0      | -         |

## Readers side by side

| kind    | CER got-ocr          | F1 got-ocr | CER tesseract | F1 tesseract |
| ------- | -------------------- | ---------- | ------------- | ------------ |
| page\|a | 0.035 [0.010, 0.061] | 0.970      | -             | -            |

## Further scores

| kind    | reader  | score     | n | value | 95 %           |
| ------- | ------- | --------- | - | ----- | -------------- |
| page\|a | got-ocr | cer_macro | 2 | 0.040 | -              |
| page\|a | got-ocr | teds      | 1 | 0.500 | [0.250, 0.750] |

## How to read this

- rule one.
- rule two.
- 95 %: bootstrap over pictures, 1000 draws, seed 3.
"""  # noqa: E501


def test_the_whole_markdown_report() -> None:
    assert to_markdown(report()) == GOLDEN


def test_json_holds_everything_unrounded() -> None:
    data = json.loads(to_json(report()))
    assert data["format"] == 1
    assert data["scores"][0]["figures"]["cer"] == {"value": 0.0354, "n": 2, "interval": [0.01, 0.0612]}
    assert data["notes"] == ["rule one.", "rule two."]


def test_reports_are_written_whole(tmp_path: Path) -> None:
    paths = write(report(), tmp_path / "out")
    assert [p.name for p in paths] == ["report.md", "report.json"]
    assert paths[0].read_text(encoding="utf-8") == GOLDEN
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["report.json", "report.md"]


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="out"):
        write(report(), tmp_path / "file" / "out")
