"""The command `synth`."""

import argparse

import pytest

from got_ocr.cli import synth
from got_ocr.errors import UsageError


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    synth.add_parser(parser.add_subparsers())
    args = parser.parse_args(["synth", *words])
    status: int = args.func(args)
    return status


def test_it_writes_and_tells(tmp_path, capsys):
    out = tmp_path / "out"
    assert run("lines-short", "--count", "5", "--part", "2", "--seed", "4", "--out", str(out)) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == str(out / "manifest.json")
    assert "5/5 samples" in printed.err
    assert len((out / "data.jsonl").read_text().splitlines()) == 5
    assert '"<image>\\nOCR: "' in (out / "data.jsonl").read_text()


def test_it_packs(tmp_path):
    assert run("lines-short", "--count", "3", "--shards", "--out", str(tmp_path / "out")) == 0
    assert (tmp_path / "out/shard-00000.tar").exists()


def test_it_lists_recipes(capsys):
    assert run("--list") == 0
    assert {"lines", "stage1", "heldout-printed"} <= set(capsys.readouterr().out.split())


def test_it_previews_a_recipe(tmp_path):
    page = tmp_path / "page.html"
    assert run("lines-short", "--count", "2", "--preview", str(page)) == 0
    assert page.read_text().count("<section>") == 2


def test_it_asks_for_what_is_missing():
    with pytest.raises(UsageError, match="a recipe and --out"):
        run("lines")
