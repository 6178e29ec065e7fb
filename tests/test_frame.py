"""Frames in a colour: found, told from coloured letters, cut out."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from got_ocr import frame
from got_ocr.cut import cut
from got_ocr.ocr import GotOcr
from got_ocr.spec import ModelSpec
from got_ocr.task import COLORS, Color, Task

Box = tuple[int, int, int, int]
WIDE = ModelSpec("strips", (32, 1024), (32, 8), "lines", 1, 2000, frozenset({"plain"}))
SHADES: dict[Color, tuple[tuple[int, int, int], ...]] = {
    "red": ((255, 0, 0), (200, 30, 30), (139, 0, 0), (230, 60, 50)),
    "green": ((0, 128, 0), (0, 200, 0), (40, 150, 60)),
    "blue": ((0, 0, 255), (30, 60, 200), (20, 20, 139)),
}
WORDS = "the quick brown fox jumps over a lazy dog and Emil Tofte hums: LIFT the Lid, Ill be Back in 1911"


def written(rng: np.random.Generator, ink: tuple[int, int, int] = (20, 20, 20)) -> tuple[Image.Image, list[Box]]:
    """Draw a page of lines with a little noise: the picture and the box of every line."""
    size = int(rng.integers(14, 26))
    paper = tuple(int(v) for v in rng.integers(232, 256, size=3))
    page = Image.new("RGB", (int(rng.integers(420, 620)), int(rng.integers(380, 560))), paper)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    boxes, top = [], 24
    while top + 2 * size < page.height - 20:
        text = " ".join(rng.choice(WORDS.split(), size=int(rng.integers(2, 9))))
        left = 24 + int(rng.integers(0, 40))
        pen.text((left, top), text, ink, font)
        edge = pen.textbbox((left, top), text, font)
        boxes.append((int(edge[0]), int(edge[1]), min(page.width - 10, int(edge[2])), int(edge[3])))
        top += int(size * 1.6)
    noise = rng.normal(0, 3, (page.height, page.width, 3))
    return Image.fromarray((np.asarray(page) + noise).clip(0, 255).astype(np.uint8)), boxes


def around(boxes: list[Box], rng: np.random.Generator) -> Box:
    """Box one to five neighbouring lines."""
    first = int(rng.integers(len(boxes)))
    some = boxes[first : first + 1 + int(rng.integers(5))]
    left, top = min(b[0] for b in some) - 4, some[0][1] - 3
    return left, top, max(b[2] for b in some) + 4, some[-1][3] + 3


def draw(page: Image.Image, box: Box, shade: tuple[int, int, int], width: int) -> Image.Image:
    """Draw a frame whose inside is the box."""
    page = page.copy()
    outer = (box[0] - width, box[1] - width, box[2] + width - 1, box[3] + width - 1)
    ImageDraw.Draw(page).rectangle(outer, outline=shade, width=width)
    return page


def jpeg(page: Image.Image) -> Image.Image:
    file = BytesIO()
    page.save(file, "JPEG", quality=35)
    return Image.open(file).convert("RGB")


def half(page: Image.Image) -> Image.Image:
    return page.resize((page.width * 2 // 3, page.height * 2 // 3), Image.Resampling.BICUBIC)


def near(found: Box | None, box: Box, tolerance: float) -> bool:
    return found is not None and max(abs(a - b) for a, b in zip(found, box, strict=True)) <= tolerance


def case(number: int) -> tuple[Image.Image, Image.Image, Box, Color, int]:
    """Make page `number` without and with a frame, the frame's inside, its colour, and the width of its line."""
    rng = np.random.default_rng([11, number])
    color: Color = ("red", "green", "blue")[number % 3]
    shade = SHADES[color][int(rng.integers(len(SHADES[color])))]
    page, boxes = written(rng)
    box, width = around(boxes, rng), int(rng.integers(2, 6))
    return page, draw(page, box, shade, width), box, color, width


@pytest.mark.parametrize("change", ["none", "jpeg", "blur", "smaller"])
def test_frames_are_found_and_pages_without_one_have_none(change: str) -> None:
    changes = {"jpeg": jpeg, "blur": lambda p: p.filter(ImageFilter.GaussianBlur(1.0)), "smaller": half}
    missed, invented, count = [], [], 24
    for number in range(count):
        page, framed, box, color, _ = case(number)
        if change != "none":
            page, framed = changes[change](page), changes[change](framed)
        if change == "smaller":
            box = tuple(value * 2 // 3 for value in box)
        missed += [number] if not near(frame.find(framed, color), box, 4) else []
        invented += [number] if frame.find(page, color) else []
    assert len(missed) <= 1
    assert not invented


def test_tilted_frames_are_found() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for number in range(18):
        _, framed, box, color, width = case(number)
        turned = framed.rotate(float(rng.uniform(-1.8, 1.8)), Image.Resampling.BICUBIC, fillcolor=(245, 245, 245))
        slack = 0.032 * max(turned.size) / 2 + width
        found += near(frame.find(turned, color), box, slack)
    assert found >= 17


@pytest.mark.parametrize("side", range(4))
def test_a_frame_may_lack_one_side(side: int) -> None:
    page, framed, box, color, width = case(1)
    left, top, right, bottom = (box[0] - width, box[1] - width, box[2] + width, box[3] + width)
    gone = (
        (left, top, right, box[1]), (left, box[3], right, bottom), (left, top, box[0], bottom), (box[2], top, right, bottom),
    )[side]  # fmt: skip
    framed.paste(page.crop(gone), gone[:2])
    assert near(frame.find(framed, color), box, 6)


def test_a_broken_frame_is_found() -> None:
    page, framed, box, color, width = case(4)
    for x in (box[0] + 40, (box[0] + box[2]) // 2):
        for y in (box[1] - width, box[3]):
            hole = (x, y, x + 14, y + width)
            framed.paste(page.crop(hole), hole[:2])
    assert near(frame.find(framed, color), box, 4)


@pytest.mark.parametrize("color", COLORS)
def test_letters_of_the_same_colour_are_no_frame(color: Color) -> None:
    invented = missed = 0
    for number in range(8):
        rng = np.random.default_rng([5, number])
        shade = SHADES[color][number % len(SHADES[color])]
        page, boxes = written(rng, ink=shade)
        box = around(boxes, rng)
        invented += frame.find(page, color) is not None
        missed += not near(frame.find(draw(page, box, shade, 3), color), box, 4)
    assert (invented, missed) == (0, 0)


def test_other_colours_are_passed_over() -> None:
    page, boxes = written(np.random.default_rng(8))
    first, last = boxes[0], boxes[-1]
    decoy = draw(draw(page, first, (230, 20, 20), 3), last, (20, 40, 230), 3)
    assert near(frame.find(decoy, "red"), first, 3)
    assert near(frame.find(decoy, "blue"), last, 3)
    assert frame.find(decoy, "green") is None
    assert frame.find(draw(page, first, (255, 165, 0), 3), "red") is None  # orange


def test_the_larger_of_two_frames_counts() -> None:
    page, boxes = written(np.random.default_rng(9))
    small, large = boxes[0], (boxes[2][0], boxes[2][1] - 2, page.width - 30, boxes[-1][3] + 4)
    both = draw(draw(page, small, (230, 20, 20), 3), large, (230, 20, 20), 3)
    assert near(frame.find(both, "red"), large, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 2), (40, 40)])
def test_pictures_without_room_and_pictures_of_one_colour_hold_no_frame(size: tuple[int, int]) -> None:
    for paper in ("white", "red", "black"):
        assert frame.find(Image.new("RGB", size, paper), "red") is None


def test_a_photograph_in_the_colour_is_searched_in_bounded_time() -> None:
    rng = np.random.default_rng(2)
    wild = rng.integers(0, 256, (900, 1200, 3)).astype(np.uint8)
    wild[:, :, 0] |= 128
    frame.find(Image.fromarray(wild), "red")
    assert len(frame._runs(np.ones((5000, 300), dtype=bool), 10)) == frame.MOST_RUNS


def test_a_large_picture_gives_its_own_pixels() -> None:
    _, framed, box, color, _ = case(7)
    large = framed.resize((framed.width * 7, framed.height * 7), Image.Resampling.BICUBIC)
    assert near(frame.find(large, color), tuple(7 * v for v in box), 20)


def test_the_cut_holds_no_rest_of_the_frame() -> None:
    _, framed, _, color, _ = case(2)
    turned = framed.rotate(1.2, Image.Resampling.BICUBIC, fillcolor=(245, 245, 245))
    inside, notice = frame.crop(turned, color)
    assert notice.startswith("frame_found:")
    strong = frame._strength(inside, color) > frame.LEVELS[0]
    assert strong.mean() < 0.002


def test_lines_are_read_inside_of_the_frame_alone() -> None:
    page, boxes = written(np.random.default_rng(12))
    pair = (boxes[1][0] - 4, boxes[1][1] - 4, max(boxes[1][2], boxes[2][2]) + 4, boxes[2][3] + 4)
    framed = draw(page, pair, (230, 20, 20), 3)
    assert len(cut([page], Task(), WIDE)) == len(boxes)
    assert len(cut([framed], Task(color="red"), WIDE)) == 2
    assert len(cut([page], Task(box=pair, box_mode="prompt"), WIDE)) == 2
    assert len(cut([page], Task(color="red"), WIDE)) == len(boxes)


def test_the_reading_says_what_was_found(lines: GotOcr) -> None:
    page, boxes = written(np.random.default_rng(12))
    box = (boxes[1][0] - 4, boxes[1][1] - 4, boxes[1][2] + 4, boxes[1][3] + 4)
    found = lines.read(draw(page, box, (20, 40, 230), 3), color="blue", max_new_tokens=4)
    (notice,) = (text for text in found.notices if text.startswith("frame"))
    assert near(tuple(map(int, notice.removeprefix("frame_found:").split(","))), box, 3)
    assert "frame_not_found" in lines.read(page, color="blue", max_new_tokens=4).notices
    assert lines.read(page, box=(5, 5), box_mode="prompt", max_new_tokens=4).notices[0] == "untrained_mode:box"
    asked = lines.read(page, box=box, box_mode="prompt", max_new_tokens=4)
    assert not [notice for notice in asked.notices if notice.startswith("untrained")]
