"""The bundled model: whole, small enough, and it reads the samples."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz.distance import Levenshtein

from got_ocr import GotOcr, hub
from got_ocr.data.charts.label import dictionary
from got_ocr.eval.molecule import score_molecule

SAMPLES = Path(__file__).parents[1] / "samples"
WORDS: dict[str, Any] = runpy.run_path(str(SAMPLES / "make.py"))


@pytest.fixture(scope="module")
def reader() -> GotOcr:
    return GotOcr.load("bundled")


def test_it_is_whole_and_small() -> None:
    folder = hub.resolve("bundled").path  # checks every file against checksums.json
    assert (folder / "CARD.md").is_file()
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 60e6


@pytest.mark.parametrize(
    ("name", "text", "most"),
    [("letter.png", "LETTER", 0.05), ("notice.png", "NOTICE", 0.1), ("receipt.jpg", "RECEIPT", 0.1)],
)
def test_it_reads_a_sample(reader: GotOcr, name: str, text: str, most: float) -> None:
    reading = reader.read(SAMPLES / name)
    assert not isinstance(reading, list)
    assert reading.status == "ok"
    assert Levenshtein.distance(reading.text, WORDS[text]) <= most * len(WORDS[text])


def test_it_reads_a_document_page_by_page(reader: GotOcr) -> None:
    readings = reader.read(SAMPLES / "three-pages.pdf")
    assert isinstance(readings, list)
    assert [reading.page for reading in readings] == [1, 2, 3]
    for reading, text in zip(readings, WORDS["PAGES"], strict=True):
        assert Levenshtein.distance(reading.text, text) <= 0.1 * len(text)


def cells(text: str) -> list[list[str]]:
    """Read the rows of a tabular without its rules."""
    body = text.split("\\begin{tabular}")[1].split("\\end{tabular}")[0].split("\n", 1)[1]
    rows = (row.replace("\\hline", "").strip() for row in body.split("\\\\"))
    return [[cell.strip() for cell in row.split("&")] for row in rows if row]


@pytest.mark.parametrize(("name", "rows"), [("planets.png", "PLANETS"), ("report.png", "PRICES")])
def test_it_reads_a_table(reader: GotOcr, name: str, rows: str) -> None:
    reading = reader.read(SAMPLES / "tables" / name, mode="format")
    assert not isinstance(reading, list)
    found, written = cells(reading.text), WORDS[rows]
    assert [len(row) for row in found] == [len(row) for row in written]
    read, true = (" ".join(cell for row in part for cell in row) for part in (found, written))
    assert Levenshtein.normalized_distance(read, true) <= 0.1
    if name == "report.png":
        assert reading.text.index("Bread of the week") < reading.text.index("tabular")


def test_it_reads_drawings(reader: GotOcr) -> None:
    def read(name: str) -> str:
        reading = reader.read(SAMPLES / "drawings" / name, mode="format")
        assert not isinstance(reading, list)
        assert (reading.status, reading.notices) == ("ok", ())
        return reading.text

    assert json.loads(read("coffee.png")) == json.loads(dictionary(WORDS["CUPS"]))
    assert score_molecule(read("caffeine.png"), WORDS["CAFFEINE"]).same
    drawing = read("thales.png")
    for line in (r"\coordinate (C) at (2.16,5.88);", r"\draw (A)--(B)--(C)--cycle;", r"\draw (3,3) circle (3);"):
        assert line in drawing.split("\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("basel.png", r"\[ \sum_{n=1}^{\infty}\frac{1}{n^{2}}=\frac{\pi^{2}}{6} \]"),
        ("pythagoras.png", r"\[ a^{2}+b^{2}=c^{2} \]"),
    ],
)
def test_it_reads_formulas(reader: GotOcr, name: str, text: str) -> None:
    reading = reader.read(SAMPLES / "formulas" / name, mode="format")
    assert not isinstance(reading, list)
    assert (reading.text, reading.notices) == (text, ())


def test_it_reads_a_tune(reader: GotOcr) -> None:
    (reading,) = reader.read_many([SAMPLES / "music" / "joy.png"], mode="format")
    assert reading.notices == ()
    assert Levenshtein.normalized_distance(reading.text, WORDS["TUNE"]) <= 0.1


def test_a_picture_among_many_reads_as_alone(reader: GotOcr) -> None:
    names = [SAMPLES / "notice.png", SAMPLES / "letter.png"]
    together = reader.read_many(names, batch_size=2)
    alone = [reader.read(name) for name in names]
    assert [reading.text for reading in together] == [one.text for one in alone if not isinstance(one, list)]
