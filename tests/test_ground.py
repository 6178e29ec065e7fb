"""Ink by colour: what lies on patterned, coloured, framed ground is found; the ground is not."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from got_ocr import lines
from got_ocr.ground import ink_on_ground
from got_ocr.spec import ModelSpec

SPEC = ModelSpec("lines", (32, 1024), (32, 8), "lines", 1, 4096, frozenset({"plain"}))
Colour = tuple[int, int, int]
WIDE, TALL = 300, 60
LETTERS = [(x, 18, x + 12, 42) for x in range(30, 260, 24)]  # upright bars stand for letters


def written(ground: Image.Image, colour: Colour, outline: Colour | None = None, soft: float = 0.7) -> Image.Image:
    draw = ImageDraw.Draw(ground)
    for left, top, right, bottom in LETTERS:
        if outline:
            draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), outline)
        draw.rectangle((left, top, right, bottom), colour)
    return ground.filter(ImageFilter.GaussianBlur(soft))


def striped() -> Image.Image:
    ground = Image.new("RGB", (WIDE, TALL), (40, 60, 140))
    for x in range(-60, WIDE, 28):
        ImageDraw.Draw(ground).line((x, 0, x + 30, TALL), (120, 200, 210), 9)
    return ground


def bricks() -> Image.Image:
    ground = Image.new("RGB", (WIDE, TALL), (150, 60, 50))
    draw = ImageDraw.Draw(ground)
    for row, y in enumerate(range(6, TALL, 22)):
        draw.line((0, y, WIDE, y), (215, 205, 200), 2)
        for x in range(row % 2 * 20, WIDE, 40):
            draw.line((x, y, x, y + 22), (215, 205, 200), 2)
    return ground


def card() -> Image.Image:
    ground = striped()
    ImageDraw.Draw(ground).rectangle((7, 6, WIDE - 8, TALL - 7), (240, 236, 225))
    return ground


def panels() -> Image.Image:
    ground = Image.new("RGB", (WIDE, TALL), (30, 40, 60))
    ground.paste((130, 130, 150), (WIDE // 2, 0, WIDE, TALL))
    return ground


def noisy() -> Image.Image:
    grain = np.random.default_rng(4).normal(0, 9, (TALL, WIDE, 1)) + np.array([90, 120, 80])
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


def share(ink: np.ndarray) -> tuple[float, float]:
    """Measure ink in the letters and outside of them, 0..1 each."""
    inside = np.zeros(ink.shape, dtype=bool)
    near = np.zeros(ink.shape, dtype=bool)
    for left, top, right, bottom in LETTERS:
        inside[top + 2 : bottom - 1, left + 2 : right - 1] = True
        near[top - 3 : bottom + 4, left - 3 : right + 4] = True
    return float(ink[inside].mean() / 255), float(ink[~near].mean() / 255)


@pytest.mark.parametrize(
    ("ground", "colour"),
    [
        (striped, (250, 230, 60)),
        (bricks, (15, 15, 25)),
        (bricks, (120, 220, 90)),
        (card, (200, 60, 120)),
        (panels, (250, 200, 80)),
        (noisy, (200, 70, 60)),
    ],
)
def test_letters_are_ink_and_their_ground_is_not(ground: Callable[[], Image.Image], colour: Colour) -> None:
    found = ink_on_ground(written(ground(), colour))
    assert found is not None
    letters, bare = share(found[0])
    assert letters > 0.9
    assert bare < 0.05


def test_colour_tells_where_grey_does_not() -> None:
    ground, letters = (200, 40, 40), (25, 122, 60)
    picture = written(Image.new("RGB", (WIDE, TALL), ground), letters)
    assert np.ptp(np.asarray(picture.convert("L"))) < 12
    assert share(lines.ink_of(picture))[0] < 0.2
    (strip,) = lines.cut_lines(picture, SPEC)
    assert abs(strip.box[1] - 18) <= 2
    assert abs(strip.box[3] - 43) <= 2


@pytest.mark.parametrize(("fill", "outline"), [((240, 240, 240), (0, 0, 0)), ((20, 20, 90), (255, 255, 255))])
def test_an_outline_is_no_ink(fill: Colour, outline: Colour) -> None:
    found = ink_on_ground(written(Image.new("RGB", (WIDE, TALL), (128, 118, 110)), fill, outline))
    assert found is not None
    ink = found[0]
    assert share(ink)[0] > 0.9
    left, top, _, bottom = LETTERS[3]
    assert ink[top + 4 : bottom - 4, left - 2].mean() < 60


def test_letters_that_touch_the_edge_are_letters() -> None:
    picture = written(striped(), (250, 230, 60), soft=0)
    left, top, _, bottom = LETTERS[0]
    found = ink_on_ground(picture.crop((left + 4, 0, WIDE, TALL)))
    assert found is not None
    assert found[0][top + 2 : bottom - 2, :6].mean() > 200


@pytest.mark.parametrize("size", [(1, 1), (5, 400), (400, 5), (9, 9), (16, 16), (3000, 20), (20, 3000)])
def test_bare_ground_and_small_pictures_have_no_ink(size: tuple[int, int]) -> None:
    assert ink_on_ground(Image.new("RGB", size, (90, 140, 60))) is None


def test_a_card_is_cut_as_one_line_without_its_edge() -> None:
    picture = written(card(), (200, 60, 120))
    (strip,) = lines.cut_lines(picture, SPEC)
    assert abs(strip.box[0] - 30) <= 3
    assert abs(strip.box[1] - 18) <= 3
    assert abs(strip.box[3] - 43) <= 3


def test_a_high_picture_is_looked_at_small_and_told_in_its_own_pixels() -> None:
    picture = written(bricks(), (15, 15, 25)).resize((WIDE * 6, TALL * 6))
    (strip,) = lines.cut_lines(picture, SPEC)
    assert abs(strip.box[0] - 180) <= 24
    assert abs(strip.box[1] - 108) <= 24
    assert abs(strip.box[3] - 258) <= 24
