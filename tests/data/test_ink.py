"""Ink: every box holds its ink and touches it on all sides, straight or turned."""

from itertools import pairwise

import numpy as np
import pytest

from got_ocr.data import fonts, geometry, ink

TEXTS = ("Hamburgefonstiv (jQ)", "gypsy, Ålborg", "x", '"quoted" _under_')


def face(size: int = 30):
    return fonts.load(fonts.pool("train")[0], size)


def extent(cover: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(cover.max(axis=1) > 40), np.flatnonzero(cover.max(axis=0) > 40)
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("align", ink.ALIGNMENTS)
def test_boxes_hold_all_ink_and_no_more(align):
    inked, shown = ink.block(TEXTS, face(), 42, align)
    assert shown == TEXTS
    height, width = inked.ink.shape
    left = inked.ink.copy()
    for points in inked.outlines:
        x1, y1, x2, y2 = ink.box(points, width, height)
        assert extent(inked.ink[y1:y2])[1::2] == (0, y2 - y1)
        view = np.zeros_like(left)
        view[y1:y2, x1:x2] = inked.ink[y1:y2, x1:x2]
        assert extent(view) == (x1, y1, x2, y2)
        left[y1:y2, x1:x2] = 0
    assert left.max() <= 40


def test_lines_never_meet_however_tight():
    inked, _ = ink.block(("gjpqy_(", "ÀÉÎ|l(", "gjpqy_("), face(), 4, "left")
    spans = sorted(ink.bounds(points)[1::2] for points in inked.outlines)
    assert all(above[1] < below[0] for above, below in pairwise(spans))


def test_alignment():
    inked, _ = ink.block(("mmmmmmmmmm", "mm"), face(), 42, "right")
    (long, short) = (ink.bounds(points) for points in inked.outlines)
    assert abs(long[2] - short[2]) <= 2
    assert short[0] > long[0]


def test_justified_lines_end_together_but_for_the_last():
    rows = ("seven words make a rather fine row", "seven words make a shorter fine row", "the end")
    inked, _ = ink.block(rows, face(), 42, "justified")
    ends = [ink.bounds(points)[2] for points in inked.outlines]
    assert abs(ends[0] - ends[1]) <= 3
    assert ends[2] < ends[0] / 2


@pytest.mark.parametrize("degrees", [-7.0, 1.3, 30.0])
def test_turned_boxes_are_tight(degrees):
    for text in TEXTS:
        inked, _ = ink.block((text,), face(), 42, "left")
        height, width = inked.ink.shape
        moved = ink.turned(inked, geometry.turn(width, height, degrees), (5, 6, 7, 8))
        box = ink.box(moved.outlines[0], moved.ink.shape[1], moved.ink.shape[0])
        seen = extent(moved.ink)
        assert all(abs(one - other) <= 2 for one, other in zip(box, seen, strict=True)), (text, box, seen)


def test_bent_boxes_are_tight():
    rng = np.random.default_rng(4)
    for _ in range(10):
        inked, _ = ink.block(("Perspective view",), face(), 42, "left")
        height, width = inked.ink.shape
        moved = ink.turned(inked, geometry.perspective(rng, width, height, 0.2))
        box = ink.box(moved.outlines[0], moved.ink.shape[1], moved.ink.shape[0])
        assert all(abs(one - other) <= 3 for one, other in zip(box, extent(moved.ink), strict=True))


def test_nothing_drawn_is_nothing_shown():
    assert ink.strip(" ", face()) is None
    inked, shown = ink.block((" ",), face(), 40, "left")
    assert shown == ()
    assert inked.outlines == ()


def test_a_case_draws_the_line_that_a_font_draws():
    font = face()
    text = "the same words, the same line"
    whole, set_ = ink.strip(text, font), ink.Case(font).line(text)
    assert abs(whole.ink.shape[1] - set_.ink.shape[1]) <= 4
    assert whole.ink.shape[0] == set_.ink.shape[0]
    assert whole.top == set_.top


def test_points_follow_pixels():
    # A square of ink must land where its corners land.
    picture = np.zeros((60, 80), dtype=np.uint8)
    picture[20:30, 30:50] = 255
    corners = np.array([[30, 20], [50, 20], [50, 30], [30, 30]], dtype=np.float32)
    matrix = geometry.shift(7, 3) @ geometry.turn(80, 60, 90)
    moved = geometry.move(corners, matrix)
    seen = extent(geometry.warp(picture, matrix, (100, 90), 0))
    assert ink.box(moved, 100, 90) == seen
