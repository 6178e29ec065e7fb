"""Corpora: splits never mix, text holds label characters only, extractors drop markup."""

import gzip

import numpy as np
import pytest

from got_ocr.data import charset, corpus, extract, own_text
from got_ocr.errors import InvalidValue


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_splits_share_no_corpus_and_no_file():
    train = [one for one in corpus.CORPORA if one.split == "train"]
    heldout = [one for one in corpus.CORPORA if one.split == "heldout"]
    assert {one.language for one in train} == {one.language for one in heldout} == {"en", "zh"}
    assert not {one.name for one in train} & {one.name for one in heldout}
    files = {path for one in train if one.language == "en" for path in one.files()}
    assert not files & {path for one in heldout if one.language == "en" for path in one.files()}


def test_all_is_both():
    names = {text.name for text in corpus.load("train")} | {text.name for text in corpus.load("heldout")}
    assert {text.name for text in corpus.load("all")} == names or names == {"own"}


@pytest.mark.parametrize("split", ["train", "heldout"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_paragraphs_hold_label_characters_and_single_spaces(split, language):
    allowed = charset.alphabet(language)
    for text in corpus.load(split, language):
        for paragraph in text.paragraphs[:: max(1, len(text.paragraphs) // 200)]:
            assert allowed.issuperset(paragraph), text.name
            assert paragraph == " ".join(paragraph.split())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_passage_is_as_long_as_asked_and_repeats_by_seed(language):
    for seed in range(20):
        text = corpus.passage("train", rng(seed), 300, language)
        assert len(text) >= 300
        assert text == corpus.passage("train", rng(seed), 300, language)


@pytest.mark.usefixtures("bare")
def test_a_bare_machine_has_our_own_sentences_apart_by_split():
    train, heldout = (set(corpus.load(split)[0].paragraphs) for split in ("train", "heldout"))
    assert len(train) >= 40
    assert not train & heldout
    assert corpus.load("train", "zh")[0].name == "own"
    assert not set(own_text.chinese_sentences(True)) & set(own_text.chinese_sentences(False))


def test_unknown_split_and_language():
    with pytest.raises(InvalidValue, match=r"train, heldout, all.*'test'"):
        corpus.load("test")
    with pytest.raises(InvalidValue, match=r"en, zh.*'fr'"):
        corpus.load("train", "fr")


def test_cleaning_folds_what_a_font_lacks():
    plain = frozenset(charset.ASCII)
    assert charset.clean("  “It’s”\n\tnaïve – déjà…  ", plain) == '"It\'s" naive - deja...'
    assert charset.clean("“It’s” naïve", charset.LATIN) == "“It’s” naïve"
    assert charset.clean("ﬁne Ωmega 中", plain) == "fine mega"
    assert charset.clean("e\u0301tude", charset.LATIN) == "étude"


def test_chinese_alphabet_is_gb2312():
    assert len([char for char in charset.chinese() if "\u4e00" <= char <= "\u9fff"]) == 6763


def test_html_keeps_prose_and_drops_code(tmp_path):
    path = tmp_path / "a.html"
    path.write_text(
        "<html><h1>Head¶</h1><p>One <b>bold</b> &amp; two.</p><pre>x = 1</pre><script>no()</script><li>Item</li>"
    )
    assert [part.strip() for part in extract.html(path)] == ["Head", "One bold & two.", "Item"]


def test_pod_keeps_prose_and_unwraps_codes(tmp_path):
    path = tmp_path / "a.pod"
    path.write_text("=head1 NAME\n\nUse C<print> or B<I<say>> here.\n\n    verbatim code\n\nAn E<gt> escape.\n")
    assert extract.pod(path) == ["Use print or say here."]


def test_man_keeps_filled_text(tmp_path):
    path = tmp_path / "a.1.gz"
    page = ".TH A 1\n.SH NAME\nThe\n.B first\nword \\- and \\fIsecond\\fR one.\n.PP\n.BR ls (1)\nlists files of a folder.\n"
    path.write_bytes(gzip.compress(page.encode()))
    assert [" ".join(part.split()) for part in extract.man(path)] == [
        "The first word - and second one.",
        "ls(1) lists files of a folder.",
    ]


def test_dictionary_and_fortunes(tmp_path):
    path = tmp_path / "a.dict.dz"
    path.write_bytes(
        gzip.compress(b"Word \\Word\\\n   A {unit} of speech here. [1913 Webster]\n\n   Second sense of it all.\n")
    )
    assert [part.strip() for part in extract.dictionary(path)][-1] == "Second sense of it all."
    assert "{" not in "".join(extract.dictionary(path))
    jokes = tmp_path / "jokes"
    jokes.write_text("First joke of the day.\n%\nSecond one\n   +------+   |  x |\n%\nThird joke of the day.\n")
    assert extract.fortunes(jokes) == ["First joke of the day.", "Third joke of the day.\n"]


def test_chinese_text_keeps_no_space_of_the_file_layout(tmp_path):
    path = tmp_path / "poems"
    path.write_text(
        "题目：《塞上》\n作者：柳开\n长河直上一千尺，\n天静无风声更干。\n%  \n使用 Debian 的“ 系统 ”，\n很好很好很好。\n"
    )
    rows = corpus._wanted(extract.fortunes_zh(path), "zh")
    assert rows == ["题目：《塞上》作者：柳开长河直上一千尺，天静无风声更干。", "使用 Debian 的“系统”，很好很好很好。"]


def test_a_file_that_is_no_gzip_is_empty(tmp_path):
    path = tmp_path / "broken.gz"
    path.write_bytes(b"\x1f\x8b broken")
    assert extract.read(path) == ""
