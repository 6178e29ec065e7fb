"""Files put in place whole."""

import pytest

from got_ocr.data import cache
from got_ocr.errors import OutputError


def test_an_entry_comes_back_under_its_own_digest_only(monkeypatch, tmp_path):
    monkeypatch.setenv("GOT_OCR_CACHE", str(tmp_path / "cache"))
    key = cache.digest("kind", [1, 2])
    assert cache.read("kind", key) is None
    cache.write("kind", key, {"text": "é"})
    assert cache.read("kind", key) == {"text": "é"}
    assert cache.read("kind", cache.digest("kind", [2, 1])) is None


def test_a_broken_entry_counts_as_absent(monkeypatch, tmp_path):
    monkeypatch.setenv("GOT_OCR_CACHE", str(tmp_path))
    (tmp_path / "kind-1.json").write_text("{half")
    assert cache.read("kind", "1") is None


def test_a_cache_that_cannot_be_written_is_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GOT_OCR_CACHE", str(tmp_path / "file" / "cache"))
    cache.write("kind", "1", [])
    with pytest.raises(OutputError):
        cache.replace(tmp_path / "file" / "x", b"")


def test_the_cache_lies_where_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("GOT_OCR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "got-ocr"


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "data"
    cache.replace(path, b"old")

    def fail() -> None:
        with cache.replacing(path) as file:
            file.write(b"half of the n")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]
    assert oct(path.stat().st_mode & 0o777) == "0o644"
