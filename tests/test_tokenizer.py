"""Text and ids: round trips, whole characters, both published forms bit for bit, hostile vocabularies."""

import base64
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from got_ocr.data.vocabulary import extend, learn
from got_ocr.errors import InvalidValue, ModelError
from got_ocr.tokenizer import SPECIALS, Tokenizer

TEXTS = (
    "",
    "Ünïcödé, 中文，日本語、한국어 🙂👩‍👩‍👧‍👦 e\u0301",
    "  spaces \t\n\n and\r\nbreaks   ",
    "0123456789 it's I'LL $x^2$ \\frac{a}{b} **kern\t4r\t=1",
    "".join(f"<{i}>" for i in range(50)),
)
SETTINGS = settings(max_examples=200, deadline=None)


@SETTINGS
@given(st.text())
def test_text_comes_back(small: Tokenizer, text: str) -> None:
    import unicodedata

    assert small.decode(small.encode(text)) == unicodedata.normalize("NFC", text)


@SETTINGS
@given(st.lists(st.sampled_from((*SPECIALS, "<|im_end", "|>", "a", " ")), max_size=6).map("".join))
def test_what_looks_special_stays_text(small: Tokenizer, text: str) -> None:
    ids = small.encode(text)
    assert all(i < len(small.ranks) for i in ids)
    assert small.decode(ids) == text


def test_a_lone_surrogate_is_no_crash(small: Tokenizer) -> None:
    assert small.decode(small.encode("a\ud800b")) == "a\ufffdb"


def test_special_ids_follow_the_ranks(qwen: Tokenizer) -> None:
    assert (len(qwen.ranks), len(qwen)) == (151643, 151860)
    assert (qwen.pad, qwen.special("<|im_start|>"), qwen.end) == (151643, 151644, 151645)
    assert (qwen.special("<|extra_0|>"), qwen.special("<|extra_204|>")) == (151646, 151850)
    assert [qwen.special(t) for t in ("<ref>", "</quad>", "<img>", "</img>")] == [151851, 151856, 151857, 151858]
    assert qwen.image == 151859


def test_special_and_foreign_ids_decode_to_nothing(small: Tokenizer) -> None:
    ids = small.encode("text")
    assert small.decode([small.special("<|im_start|>"), *ids, small.end, small.pad, len(small) + 5, -1]) == "text"


@SETTINGS
@given(st.binary(max_size=40))
def test_streamed_pieces_join_to_the_text(small: Tokenizer, data: bytes) -> None:
    """Bytes stand at ids 0 to 255, so any of them can come, whole characters or not."""
    decoder = small.stream()
    pieces = [decoder.push(byte) for byte in data]
    assert "".join(pieces) + decoder.finish() == small.decode(data)


def test_a_stream_gives_whole_characters_only(small: Tokenizer) -> None:
    text = "né 中🙂"
    decoder = small.stream()
    pieces = [decoder.push(byte) for byte in text.encode()]
    assert [piece for piece in pieces if piece] == list(text)
    assert decoder.finish() == ""
    half = small.stream()
    assert [half.push(byte) for byte in "中".encode()[:2]] == ["", ""]
    assert half.finish() == "\ufffd"


def test_a_learned_vocabulary_is_dense_with_its_bytes_first(small: Tokenizer) -> None:
    assert [small.ranks[bytes([b])] for b in range(256)] == list(range(256))
    assert sorted(small.ranks.values()) == list(range(380))
    assert len(small.encode("the quick brown fox")) < 10


def test_learning_needs_room_for_every_byte() -> None:
    with pytest.raises(InvalidValue, match="256"):
        learn(["text"], 255)
    assert len(learn(["ab"], 1000)) < 300  # no more than the texts hold


@pytest.mark.parametrize("text", TEXTS)
def test_both_forms_say_the_same(small: Tokenizer, tmp_path: Path, text: str) -> None:
    from tokenizers import Tokenizer as Fast

    small.save_tokenizer_json(tmp_path / "tokenizer.json")
    again = Tokenizer.load(tmp_path)
    assert dict(again.ranks) == dict(small.ranks)
    assert again.encode(text) == small.encode(text)
    fast = Fast.from_file(str(tmp_path / "tokenizer.json"))
    assert fast.encode(text, add_special_tokens=False).ids == small.encode(text)
    assert [fast.token_to_id(token) for token in SPECIALS] == [small.special(token) for token in SPECIALS]


def test_the_real_vocabulary_survives_both_forms(qwen: Tokenizer, qwen_file: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer as Fast

    qwen.save_tiktoken(tmp_path / "qwen.tiktoken")
    assert (tmp_path / "qwen.tiktoken").read_bytes().split() == qwen_file.read_bytes().split()
    (tmp_path / "other").mkdir()
    qwen.save_tokenizer_json(tmp_path / "other" / "tokenizer.json")
    assert dict(Tokenizer.load(tmp_path / "other").ranks) == dict(qwen.ranks)
    fast = Fast.from_file(str(tmp_path / "other" / "tokenizer.json"))
    for text in TEXTS:
        assert fast.encode(text, add_special_tokens=False).ids == qwen.encode(text)


def test_tiktoken_comes_before_json(small: Tokenizer, tmp_path: Path) -> None:
    small.save_tiktoken(tmp_path / "vocab.tiktoken")
    (tmp_path / "tokenizer.json").write_text("no json")
    assert len(Tokenizer.load(tmp_path)) == len(small)


def rows(*changed: tuple[bytes, object]) -> bytes:
    """Write the single bytes as a vocabulary, with some lines of another kind behind them."""
    lines = [(bytes([b]), b) for b in range(256)]
    return b"".join(base64.b64encode(piece) + f" {rank}\n".encode() for piece, rank in [*lines, *changed])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "dense|byte"),
        (b"\xff\xfe\x00", "line 1"),
        (b"AA== 0 0", "line 1"),
        (b"A$== 0", "line 1"),
        (b"AA== zero", "line 1"),
        (b"AA== \xd9\xa1", "line 1"),
        (rows((b"ab", 300)), "dense"),
        (rows((b"ab", -1)), "dense"),
        (rows((b"ab", 5)), "dense"),
        (rows((b"", 256)), "line 257|dense"),
        (b"".join(rows().splitlines(keepends=True)[:-1]), "byte"),
        (rows((b"ab", "1" * 5000)), "line 257|dense"),
    ],
)
def test_hostile_tiktoken_files(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "qwen.tiktoken").write_bytes(content)
    with pytest.raises(ModelError, match=said) as caught:
        Tokenizer.load(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def fast_vocabulary(small: Tokenizer) -> dict:
    from got_ocr.tokenizer import _tokenizer_json

    return _tokenizer_json(small.ranks)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"model": []}',
        b'{"model": {"type": "BPE", "vocab": []}}',
        b'{"model": {"type": "BPE", "vocab": {"\\u4e2d": 0}}}',
        b'{"model": {"type": "BPE", "vocab": {}, "x": 1}, "added_tokens": 5}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_hostile_json_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("rank", ["5", None, 5.0, True, [], 1e400])
def test_ranks_are_whole_numbers(small: Tokenizer, tmp_path: Path, rank: object) -> None:
    data = fast_vocabulary(small)
    first = next(iter(data["model"]["vocab"]))
    data["model"]["vocab"][first] = rank
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError):
        Tokenizer.load(tmp_path)


def test_other_kinds_and_other_special_ids_are_refused(small: Tokenizer, tmp_path: Path) -> None:
    data = fast_vocabulary(small)
    data["added_tokens"][2]["id"] += 1
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError, match="im_end"):
        Tokenizer.load(tmp_path)
    data["model"]["type"] = "WordPiece"
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ModelError, match="byte-level BPE"):
        Tokenizer.load(tmp_path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no vocabulary"):
        Tokenizer.load(tmp_path)
    with pytest.raises(ModelError, match="no vocabulary"):
        Tokenizer.load(tmp_path / "absent")
    (tmp_path / "tokenizer.json").mkdir()
    with pytest.raises(ModelError, match="regular file"):
        Tokenizer.load(tmp_path)
    os.mkfifo(tmp_path / "a.tiktoken")  # would wait for a writer for ever
    with pytest.raises(ModelError, match="regular file"):
        Tokenizer.load(tmp_path)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "qwen.tiktoken").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match="larger"):
        Tokenizer.load(tmp_path)


def test_every_merge_joins_two_pieces_of_lower_rank(small: Tokenizer) -> None:
    data = fast_vocabulary(small)
    vocab = data["model"]["vocab"]
    merged = [vocab[left + right] for left, right in data["model"]["merges"]]
    assert len(merged) == len(vocab) - 256
    assert all(a < b for a, b in pairwise(merged))
    assert all(max(vocab[a], vocab[b]) < vocab[a + b] for a, b in data["model"]["merges"])


def test_a_vocabulary_is_learned_on(small: Tokenizer) -> None:
    texts = ["\\alpha=\\beta", "\\alpha"] * 3
    more = Tokenizer(extend(small.ranks, texts, len(small.ranks) + 8))
    assert all(more.ranks[piece] == rank for piece, rank in small.ranks.items())
    assert len(more) == len(small) + 8
    assert len(more.encode(texts[0])) < len(small.encode(texts[0]))
    assert more.decode(more.encode(texts[0])) == texts[0]
    assert more.made_of(small)[-1] == [small.image]
    assert more.made_of(small)[5] == [5]
    new = len(small.ranks)
    piece = more.decode([new])
    assert small.decode(more.made_of(small)[new]) == piece
    assert len(more.made_of(small)[new]) > 1
    assert extend(small.ranks, ["ab"], 10_000) == dict(small.ranks)  # nothing occurs twice
    with pytest.raises(InvalidValue, match="cannot be extended to 300"):
        extend(small.ranks, texts, 300)
