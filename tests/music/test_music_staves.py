"""Staves of engraved pages are found, system by system, and nothing else is taken for one."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr.cut import settle
from got_ocr.data.sample import Sample
from got_ocr.data.sources.music import MusicSource
from got_ocr.music.staves import cut_staves, find_systems
from got_ocr.spec import ModelSpec
from got_ocr.task import Task
from got_ocr.train.columns import staff_columns

pytest.importorskip("verovio")
SPEC = ModelSpec("lines", (96, 1024), (96, 8), "lines", 1, 4096, frozenset({"plain", "formula", "music"}), 80, 32)
FORMAT = Task(mode="format")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [MusicSource()(np.random.default_rng((31, seed))) for seed in range(24)]


def drawn(sample: Sample) -> list[int]:
    return [len(system) for system in sample.meta["parts"]]  # type: ignore[attr-defined]


def found(picture: Image.Image) -> list[int]:
    places = [strip.place for strip in cut_staves(picture, SPEC)]
    return [
        sum(system == number for system, _ in places) for number in range(max((s for s, _ in places), default=-1) + 1)
    ]


def test_systems_and_their_staves(samples: list[Sample]) -> None:
    right = [found(sample.images[0]) == drawn(sample) for sample in samples]
    assert sum(right) >= 22


def test_strips_show_their_lines_at_the_same_height(samples: list[Sample]) -> None:
    for sample in samples[:6]:
        for strip in cut_staves(sample.images[0], SPEC):
            ink = 255 - np.asarray(strip.tile.convert("L"), dtype=float)
            assert ink.shape[0] == 96
            assert ink.shape[1] % 64 == 0
            rows = np.median(ink[:, 40 : ink.shape[1] - 90], axis=1)
            lines = [48 + step * 96 / 13.5 for step in (-2, -1, 0, 1, 2)]
            assert all(rows[round(y) - 2 : round(y) + 3].max() > 40 for y in lines)
            left, top, right, bottom = strip.box
            assert right - left > 40
            assert bottom - top > 20


def test_drawings_patterns_and_paper_have_none() -> None:
    grid = Image.new("RGB", (600, 400), "white")
    pen = ImageDraw.Draw(grid)
    for y in range(40, 380, 12):
        pen.line((20, y, 580, y), fill="black")
    chart = Image.new("RGB", (600, 400), "white")
    pen = ImageDraw.Draw(chart)
    for y in range(60, 360, 60):
        pen.line((60, y, 580, y), fill="grey")
    noise = Image.effect_noise((700, 500), 80).convert("RGB")
    for picture in (grid, chart, noise, Image.new("RGB", (300, 300), "white"), Image.new("RGB", (1, 1))):
        assert cut_staves(picture, SPEC) == []


def test_five_lines_with_notes_on_them_are_a_staff() -> None:
    ink = np.zeros((200, 600), np.uint8)
    ink[60:110:10, 30:560] = 200
    assert find_systems(ink) == []  # the rules of an empty table
    for left in (80, 200, 320):
        ink[64:77, left : left + 13] = 255
    [[staff]] = find_systems(ink)
    assert (staff.top, staff.bottom, staff.left, staff.right, staff.space) == (60, 100, 30, 560, 10)


def test_music_is_asked_for_staff_by_staff_and_put_together(samples: list[Sample]) -> None:
    sample = next(s for s in samples if len(drawn(s)) > 1 and found(s.images[0]) == drawn(s))
    task, [part], together, compose, by = settle(list(sample.images), FORMAT, SPEC)
    assert (task, together, by) == (FORMAT, 1, "music")
    texts = [text for system in sample.meta["parts"] for text in system]  # type: ignore[attr-defined]
    assert len(part) == len(texts)
    assert compose is not None
    assert compose(texts) == sample.target
    assert settle(list(sample.images), FORMAT, replace(SPEC, reads=frozenset({"plain"}))).compose is None


def test_columns_of_a_staff_are_its_notes() -> None:
    one = staff_columns("*clefG2\n*k[f#]\n4ff#L\n8r\n=\n(4ff 4aa)\n==")
    assert len(one) == 8
    assert one[4:5] == one[7:8] == b"="
    assert one[0] == one[5]
    assert staff_columns("*clefG2\n*^\n.\t4c\n4d\t.\n=") == staff_columns("4c\n4d\n=")


def test_a_table_of_five_rules_is_no_staff() -> None:
    image = Image.new("RGB", (1000, 150), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(21)
    for y in range(20, 125, 26):
        pen.line((20, y, 980, y), "black")
        for x in range(20, 981, 120):
            if y < 124:
                pen.line((x, y, x, y + 26), "black", 2)
                pen.text((x + 8, y - 1), "Mgyjl 0.2", "black", font)
    assert cut_staves(image, SPEC) == []
