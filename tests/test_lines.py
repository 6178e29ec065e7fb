"""Pictures to lines: as many strips as lines, dark on white, whatever the paper, the slope or the size; bounded on nonsense."""

import time
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from got_ocr import lines
from got_ocr.cut import cut
from got_ocr.errors import InvalidValue
from got_ocr.spec import ModelSpec
from got_ocr.task import Task

SPEC = ModelSpec("lines", (32, 1024), (32, 8), "lines", 1, 4096, frozenset({"plain"}))


@lru_cache(maxsize=1)
def pages(count: int, seed: int = 11) -> list[tuple[Image.Image, int]]:
    """Draw pages with the data engine: (picture, number of lines)."""
    build = pytest.importorskip("got_ocr.data.build")
    recipe = build.recipe("pages-small")
    samples = [build.build(recipe, seed, index) for index in range(count)]
    return [(sample.images[0], sample.target.count("\n") + 1) for sample in samples]


def paper(image: Image.Image) -> tuple[int, ...]:
    return tuple(int(v) for v in np.median(np.asarray(image).reshape(-1, 3), 0))


def turned(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper(image))


CHANGES = {
    "as drawn": lambda image: image,
    "negative": ImageOps.invert,
    "turned left": lambda image: turned(image, 1.5),
    "turned right": lambda image: turned(image, -1.5),
    "large": lambda image: image.resize((image.width * 3, image.height * 3)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_synthesised_pages_give_their_lines(change: str) -> None:
    wrong = []
    for at, (image, expected) in enumerate(pages(50)[: 10 if change == "large" else 50]):
        strips = lines.cut_lines(CHANGES[change](image), SPEC)
        wrong += [(at, len(strips), expected)] if len(strips) != expected else []
        assert all(np.asarray(strip.tile).mean() > 127 for strip in strips), f"page {at} is light on dark"
    assert len(wrong) <= 1, wrong


@pytest.mark.slow
def test_many_synthesised_pages_give_their_lines() -> None:
    drawn = pages(1000, 5)
    right = sum(len(lines.cut_lines(image, SPEC)) == expected for image, expected in drawn)
    assert right >= 0.98 * len(drawn)


def test_strips_are_what_the_model_takes() -> None:
    for image, _ in pages(50)[:10]:
        strips = lines.cut_lines(image, SPEC)
        assert [strip.box[1] for strip in strips] == sorted(strip.box[1] for strip in strips)
        for strip in strips:
            left, top, right, bottom = strip.box
            assert 0 <= left < right <= image.width + 1
            assert 0 <= top < bottom <= image.height + 20  # the slope may reach over the edge
            assert (strip.tile.mode, strip.tile.height) == ("RGB", 32)
            assert strip.tile.width % lines.WIDTH_STEP == 0
            assert 0 < strip.tile.width <= 1024


def test_the_same_picture_gives_the_same_pixels() -> None:
    image = pages(50)[3][0]
    once, twice = (lines.cut_lines(image.copy(), SPEC) for _ in range(2))
    assert [np.asarray(a.tile).tobytes() for a in once] == [np.asarray(b.tile).tobytes() for b in twice]


def test_a_line_too_wide_for_a_tile_is_cut_between_words() -> None:
    word = Image.new("RGB", (60, 20), "black")
    wide = Image.new("RGB", (4000, 60), "white")
    for x in range(20, 3900, 100):
        wide.paste(word, (x, 20))
    strips = lines.cut_lines(wide, SPEC)
    assert len(strips) > 1
    assert len({(strip.box[1], strip.box[3]) for strip in strips}) == 1
    assert [strip.joins for strip in strips] == [False] + [True] * (len(strips) - 1)
    edges = [strip.box[2] for strip in strips[:-1]]
    assert all((x - 20) % 100 > 60 for x in edges), edges


@pytest.mark.parametrize("colour", ["white", "black", (90, 120, 200), (255, 250, 240)])
def test_blank_paper_has_no_lines(colour: str) -> None:
    assert lines.cut_lines(Image.new("RGB", (800, 600), colour), SPEC) == []


def test_dark_corners_are_paper() -> None:
    (page, count), *_ = pages(1)
    y, x = np.mgrid[0 : page.height, 0 : page.width]
    far = np.hypot(x / page.width - 0.5, y / page.height - 0.5) / np.hypot(0.5, 0.5)
    light = (1 - 0.6 * far**2)[..., None]
    dim = Image.fromarray((np.asarray(page) * light).astype(np.uint8))
    plain, shaded = lines.cut_lines(page, SPEC), lines.cut_lines(dim, SPEC)
    assert len(shaded) == len(plain) == count
    for a, b in zip(plain, shaded, strict=True):
        assert max(abs(p - q) for p, q in zip(a.box, b.box, strict=True)) <= 4


def test_letters_with_feet_and_heads_are_one_line() -> None:
    def spans(stems: int) -> list[tuple[int, int]]:
        rows = (
            [30] * 2 + [10] * 8 + [80] * 3 + [stems] * 9 + [80] * 3 + [stems] * 9 + [90] * 3
        )  # columns of ink in each row
        return lines.row_spans(np.arange(100)[None] < np.array(rows)[:, None])

    assert spans(30) == [(0, 37)]
    assert len(spans(2)) > 1  # lines that touch in places


def test_shaded_paper_has_no_lines() -> None:
    ramp = np.linspace(180, 240, 800).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp, (600, 800)).copy()).convert("RGB")
    assert lines.cut_lines(image, SPEC) == []


def pattern(kind: str, width: int, height: int) -> Image.Image:
    rng, x, y = np.random.default_rng(0), np.arange(width)[None], np.arange(height)[:, None]
    drawn = {
        "noise": lambda: rng.integers(0, 256, (height, width)),
        "salt": lambda: np.where(rng.random((height, width)) < 0.01, 0, 255),
        "stripes": lambda: (y // 4 % 2 * 255) + 0 * x,
        "bars": lambda: (x % 2 * 255) + 0 * y,
        "dots": lambda: np.where((x % 6 == 0) & (y % 6 == 0), 0, 255),
        "board": lambda: (x // 8 + y // 8) % 2 * 255,
    }[kind]()
    return Image.fromarray(drawn.astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("kind", ["noise", "salt", "stripes", "bars", "dots", "board"])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 500), (500, 1), (2, 3), (8, 8), (10000, 8), (8, 10000), (600, 400), (3000, 2600)]
)
def test_hostile_pictures_end_soon_with_strips_that_fit(kind: str, size: tuple[int, int]) -> None:
    image = pattern(kind, *size)
    started = time.process_time()
    strips = lines.cut_lines(image, SPEC)
    assert time.process_time() - started < 5
    assert len(strips) <= lines.MOST_STRIPS
    assert all(strip.tile.height == 32 and 0 < strip.tile.width <= 1024 for strip in strips)


def test_large_pages_are_cut_in_time() -> None:
    image = pages(50)[7][0].resize((5000, 7000))
    started = time.process_time()
    lines.cut_lines(image, SPEC)
    assert time.process_time() - started < 3


def test_cutting_joins_pictures_and_takes_boxes() -> None:
    (first, one), (second, two) = pages(50)[:2]
    assert len(cut([first, second], Task(multi_page=True), SPEC)) == one + two
    strips = lines.cut_lines(first, SPEC)
    _, top, _, bottom = strips[0].box
    assert len(cut([first], Task(box=(0, 0, first.width, bottom + 2)), SPEC)) == 1
    assert len(cut([first], Task(box=(0, 0, first.width, max(1, top - 2))), SPEC)) == 0
    with pytest.raises(InvalidValue, match="outside"):
        cut([first], Task(box=(first.width, 0, first.width + 9, 9)), SPEC)


def test_a_ruled_line_is_no_text() -> None:
    page = Image.new("RGB", (700, 300), "white")
    pen = ImageDraw.Draw(page)
    for y in (40, 90, 240):
        pen.text((40, y), "words of a page with a footnote", font_size=26, fill="black")
    pen.line((40, 200, 300, 200), fill="black", width=2)
    assert len(lines.cut_lines(page, SPEC)) == 3
    pen.text((40, 150), "- - - - - - - - - -", font_size=26, fill="black")
    assert len(lines.cut_lines(page, SPEC)) > 3
