"""Normalisation, tokens, metrics and the two scorers, against values worked out by hand and against nltk."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr.errors import InvalidValue
from got_ocr.eval import metrics
from got_ocr.eval.normalize import Normalization
from got_ocr.eval.scorers import CorrectedScorer, PaperScorer, mean, micro_cer, split_formatted
from got_ocr.eval.tokens import has_chinese, token_pair, unit_of

SHORT = st.text(alphabet="abc 好\n", max_size=12)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Normalization("keep"), " a\n\nb\u3000ﬁ，"),
        (Normalization("collapse"), "a b ﬁ，"),
        (Normalization("drop"), "abﬁ，"),
        (Normalization("collapse", nfkc=True), "a b fi,"),
    ],
)
def test_normalization_does_what_its_fields_say(how: Normalization, expected: str) -> None:
    assert how.apply(" a\r\n\rb\u3000ﬁ，") == expected


def test_normalization_refuses_an_unknown_step() -> None:
    with pytest.raises(InvalidValue, match="collapse"):
        Normalization("squeeze")  # type: ignore[arg-type]


def test_normalization_describes_both_choices() -> None:
    assert Normalization().describe() == "white space collapsed, no unicode folding"
    assert Normalization("drop", nfkc=True).describe() == "white space dropped, NFKC"


@given(SHORT)
def test_normalization_twice_is_once(text: str) -> None:
    how = Normalization(nfkc=True)
    assert how.apply(how.apply(text)) == how.apply(text)


def test_words_split_at_white_space_and_chinese_by_jieba() -> None:
    assert token_pair("one  two\n", "three", "words") == (["one", "two"], ["three"])
    assert token_pair("我来到北京清华大学", "a b", "words") == (["我", "来到", "北京", "清华大学"], ["a", " ", "b"])
    assert token_pair("ab", "", "characters") == (["a", "b"], [])


def test_jieba_leaves_no_cache_in_the_shared_temporary_folder(tmp_path) -> None:
    code = "from got_ocr.eval.tokens import token_pair; print(token_pair('北京大学', '', 'words')[0])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == "['北京大学']"
    assert list(tmp_path.iterdir()) == []


def test_chinese_is_told_from_other_scripts() -> None:
    assert has_chinese("a好")
    assert not has_chinese("日の".replace("日", "") + "Ω é")
    assert unit_of("scene-en") == "characters"
    assert unit_of("page") == "words"


def test_error_rates_by_hand() -> None:
    assert metrics.edits("kitten", "sitting") == 3
    assert metrics.error_rate("kitten", "sitting") == pytest.approx(3 / 7)
    assert metrics.error_rate("aaaa", "b") == 4.0  # an error rate may pass 1
    assert metrics.error_rate(["the", "cat"], ["the", "black", "cat", "sat"]) == 0.5
    assert metrics.normalized_edit_distance("abc", "abcd") == 0.25
    assert metrics.normalized_edit_distance("", "") == 0.0


def test_error_rate_of_an_empty_reference() -> None:
    assert metrics.error_rate("", "") == 0.0
    assert metrics.error_rate("invented", "") == 1.0
    assert metrics.error_rate("", "lost") == 1.0


@given(SHORT, SHORT)
def test_edit_distance_is_symmetric_bounded_and_zero_only_for_equal(a: str, b: str) -> None:
    distance = metrics.normalized_edit_distance(a, b)
    assert distance == metrics.normalized_edit_distance(b, a)
    assert 0 <= distance <= 1
    assert (distance == 0) == (a == b)


@given(SHORT, SHORT, SHORT)
def test_edits_obey_the_triangle(a: str, b: str, c: str) -> None:
    assert metrics.edits(a, c) <= metrics.edits(a, b) + metrics.edits(b, c)


def test_overlap_with_and_without_counts() -> None:
    guessed, true = ["a", "a", "a", "b"], ["a", "b", "c"]
    assert metrics.unique_overlap(guessed, true) == (1.0, 2 / 3, pytest.approx(0.8))
    assert metrics.multiset_overlap(guessed, true) == (0.5, 2 / 3, pytest.approx(4 / 7))
    assert metrics.multiset_overlap([], []).f1 == 1.0
    assert metrics.multiset_overlap(["a"], []).f1 == 0.0
    assert metrics.unique_overlap(["a"], []) is None


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_multiset_overlap_is_bounded_and_blind_to_order(guessed: list[str], true: list[str]) -> None:
    overlap = metrics.multiset_overlap(guessed, true)
    assert all(0 <= part <= 1 for part in overlap)
    assert overlap == metrics.multiset_overlap(guessed[::-1], true)
    assert (overlap.f1 == 1) == (sorted(guessed) == sorted(true))


def test_bleu_of_equal_and_of_foreign_texts() -> None:
    words = ["the", "quick", "brown", "fox", "jumps"]
    assert metrics.bleu(words, words) == pytest.approx(1.0)
    assert metrics.bleu(["x"] * 5, words) == 0.0
    assert metrics.bleu([], words) == 0.0
    # precisions 4/4, 3/3, 2/2, 1/1 and a brevity penalty of exp(1 - 5/4)
    assert metrics.bleu(words[:4], words) == pytest.approx(math.exp(1 - 5 / 4))


def test_meteor_says_why_it_is_missing_and_never_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [])
    metrics.meteor_reason.cache_clear()
    try:
        assert "WordNet" in (metrics.meteor_reason() or "")
        assert metrics.meteor(["a"], ["a"]) is None
    finally:
        metrics.meteor_reason.cache_clear()


def test_meteor_is_handed_to_nltk_the_published_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    from nltk.translate import meteor_score

    seen = []
    monkeypatch.setattr(metrics, "meteor_reason", lambda: None)
    monkeypatch.setattr(
        meteor_score, "meteor_score", lambda references, hypothesis: seen.append((references, hypothesis)) or 0.5
    )
    score = PaperScorer().score("what was read", "the truth")
    assert score is not None
    assert score.meteor == 0.5
    assert seen == [([["what", "was", "read"]], ["the", "truth"])]


def test_paper_scorer_swaps_prediction_and_reference() -> None:
    from nltk.metrics import f_measure, precision, recall
    from nltk.translate.bleu_score import sentence_bleu

    prediction, reference = "the cat sat on the mat today", "the cat sat on a mat"
    score = PaperScorer().score(prediction, reference)
    assert score is not None
    answer, label = set(prediction.split()), set(reference.split())
    # nltk takes (reference, test); the published scorer hands it (answer, label)
    assert score.precision == precision(answer, label) == 5 / 6
    assert score.recall == recall(answer, label) == 5 / 6
    assert score.f1 == pytest.approx(f_measure(answer, label))
    swapped = sentence_bleu([prediction.split()], reference.split())
    right = sentence_bleu([reference.split()], prediction.split())
    assert score.bleu == pytest.approx(swapped)
    assert abs(swapped - right) > 0.01


def test_paper_precision_is_the_recall() -> None:
    score = PaperScorer().score("a b", "a b c d")
    assert score is not None
    assert (score.precision, score.recall) == (0.5, 1.0)  # half of what is printed was read; nothing was invented


def test_paper_scorer_skips_empty_sides_and_counts_words_once() -> None:
    scorer = PaperScorer()
    assert scorer.score("", "text") is None
    assert scorer.score("text", "") is None
    repeated = scorer.score("go " * 50, "go")
    assert repeated is not None
    assert repeated.f1 == 1.0  # a loop costs nothing here
    assert repeated.edit_distance == pytest.approx(148 / 150)
    blank = scorer.score("  ", "text")
    assert blank is not None
    assert blank.f1 is None
    assert blank.edit_distance == 1.0


def test_paper_scorer_compares_text_as_it_is_and_scene_text_by_character() -> None:
    score = PaperScorer().score("a  b", "a b")
    assert score is not None
    assert score.edit_distance == 0.25
    scene = PaperScorer().score("stop", "post", "characters")
    assert scene is not None
    assert scene.f1 == 1.0


def test_corrected_scorer_by_hand() -> None:
    score = CorrectedScorer().score("the cat\n sat", "the black cat sat")
    assert (score.edits, score.length) == (6, 17)  # "black " is missing
    assert (score.cer, score.edit_distance) == (6 / 17, 6 / 17)
    assert score.wer == 0.25
    assert (score.precision, score.recall, score.f1) == (1.0, 0.75, pytest.approx(6 / 7))


def test_corrected_scorer_counts_silence_as_full_error() -> None:
    score = CorrectedScorer().score("", "text")
    assert (score.cer, score.wer, score.edit_distance, score.f1) == (1.0, 1.0, 1.0, 0.0)


def test_corrected_scorer_sees_the_loop_that_the_paper_scorer_misses() -> None:
    assert CorrectedScorer().score("go " * 50, "go").f1 == pytest.approx(2 / 51)


def test_corrected_scorer_ignores_spacing_of_chinese() -> None:
    assert CorrectedScorer(Normalization("drop")).score("北京 大学", "北京大学").cer == 0.0
    assert CorrectedScorer().score("你好 世界", "你好 世界").f1 == 1.0


@given(SHORT, SHORT)
def test_corrected_scores_are_zero_error_exactly_for_equal_text(a: str, b: str) -> None:
    score = CorrectedScorer().score(a, b)
    same = " ".join(a.split()) == " ".join(b.split())
    assert (score.cer == 0) == same
    assert 0 <= score.edit_distance <= 1
    if same:
        assert (score.wer, score.f1) == (0.0, 1.0)


def test_micro_and_macro_cer_weigh_long_pages_differently() -> None:
    scorer = CorrectedScorer()
    scores = [scorer.score("x", "y"), scorer.score("a" * 99, "a" * 99)]
    assert micro_cer(scores) == 0.01
    assert mean([s.cer for s in scores]) == 0.5
    assert micro_cer([]) is None
    assert mean([None]) is None


def test_scorers_say_which_they_are() -> None:
    assert PaperScorer.note.startswith("paper:")
    assert "swapped" in PaperScorer.note
    assert CorrectedScorer().note.startswith("corrected:")
    assert "NFKC" in CorrectedScorer(Normalization(nfkc=True)).note


def test_formatted_pages_are_cut_as_published() -> None:
    page = (
        "Title \\(a+b\\) and \\(c\\)\n\\[d\\] \\[e\n\\]\n"
        "\\begin{tabular}{c}x\\\\\\end{tabular} \\begin{tabular}{l}open "
    )
    parts = split_formatted(page)
    assert parts["text"] == page.strip()  # formulas and tables stay in the text
    assert parts["formula"] == "a+b\ncd"  # no line break between the two kinds; \[ over two lines is not seen
    assert parts["table"] == "{c}x\\\\\n{l}open "
