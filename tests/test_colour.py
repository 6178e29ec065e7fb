"""One golden per image mode: what its pixels are in RGB."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from got_ocr.colour import BAND_ROWS, to_rgb, to_rgb_plainly

SIZE = (12, BAND_ROWS + 9)  # more than one band of rows


def flat(mode: str, value: object) -> Image.Image:
    return Image.new(mode, SIZE, value)  # type: ignore[arg-type]


def palette(colours: list[int], transparency: object = None, mode: str = "P") -> Image.Image:
    image = Image.new("P", SIZE, 0)
    image.putpalette(colours)
    if transparency is not None:
        image.info["transparency"] = transparency
    return image.convert(mode) if mode != "P" else image


def only_colour(image: Image.Image) -> tuple[int, int, int]:
    assert image.mode == "RGB"
    assert image.size == SIZE
    assert image.info == {}
    colours = image.getcolors()
    assert colours is not None
    assert len(colours) == 1
    return colours[0][1]  # type: ignore[return-value]


def grey_colour(value: int) -> tuple[int, int, int]:
    return (value, value, value)


def with_transparency(image: Image.Image, transparency: object) -> Image.Image:
    image.info["transparency"] = transparency
    return image


GOLDEN = [
    ("1 black", flat("1", 0), (0, 0, 0)),
    ("1 white", flat("1", 1), (255, 255, 255)),
    ("L", flat("L", 77), (77, 77, 77)),
    ("L transparent", with_transparency(flat("L", 77), 77), (255, 255, 255)),
    ("L opaque beside a transparent value", with_transparency(flat("L", 77), 78), (77, 77, 77)),
    ("P", palette([10, 20, 30]), (10, 20, 30)),
    ("P transparent index", palette([10, 20, 30], 0), (255, 255, 255)),
    ("P half transparent", palette([0, 0, 0], bytes([128])), (127, 127, 127)),
    ("PA", palette([10, 20, 30], bytes([0]), "PA"), (255, 255, 255)),
    ("LA opaque", flat("LA", (77, 255)), (77, 77, 77)),
    ("LA half", flat("LA", (0, 51)), (204, 204, 204)),
    ("RGB", flat("RGB", (1, 2, 3)), (1, 2, 3)),
    ("RGB transparent colour", with_transparency(flat("RGB", (1, 2, 3)), (1, 2, 3)), (255, 255, 255)),
    ("RGBA transparent black", flat("RGBA", (0, 0, 0, 0)), (255, 255, 255)),
    ("RGBA half", flat("RGBA", (255, 0, 0, 51)), (255, 204, 204)),
    ("RGBX", flat("RGBX", (1, 2, 3, 0)), (1, 2, 3)),
    ("CMYK white", flat("CMYK", (0, 0, 0, 0)), (255, 255, 255)),
    ("CMYK black", flat("CMYK", (0, 0, 0, 255)), (0, 0, 0)),
    ("CMYK cyan", flat("CMYK", (255, 0, 0, 0)), (0, 255, 255)),
    ("YCbCr", flat("YCbCr", (255, 128, 128)), (255, 255, 255)),
    ("I;16", flat("I;16", 0x8180), (0x81, 0x81, 0x81)),
    ("I;16 white", flat("I;16", 65535), (255, 255, 255)),
    ("I;16 transparent", with_transparency(flat("I;16", 300), 300), (255, 255, 255)),
    ("I;16B", flat("I;16B", 0x8180), (0x81, 0x81, 0x81)),
    ("I of eight bits", flat("I", 200), (200, 200, 200)),
    ("I of sixteen bits", flat("I", 65535), (255, 255, 255)),
    ("F of a unit", flat("F", 1.0), (255, 255, 255)),
    ("F of eight bits", flat("F", 128.0), (128, 128, 128)),
    ("F that is no number", flat("F", float("nan")), (255, 255, 255)),
    ("F constant below zero", flat("F", -3.0), (0, 0, 0)),
]


@pytest.mark.parametrize(("image", "expected"), [case[1:] for case in GOLDEN], ids=[case[0] for case in GOLDEN])
def test_mode_has_one_defined_colour(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert only_colour(to_rgb(image)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.0, 255.0], [0, 100, 255]),
        ([0.0, 32768.0, 65535.0], [0, 128, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 5e5, 1e6], [0, 128, 255]),
        ([0.0, float("inf"), float("-inf")], [0, 255, 0]),
        ([-3e38, 0.0, 3e38], [0, 128, 255]),
    ],
)
def test_floats_are_scaled_by_the_range_that_holds_them(values: list[float], expected: list[int]) -> None:
    row = np.repeat(np.asarray(values, np.float32), 4)
    image = Image.fromarray(np.tile(row, (BAND_ROWS + 3, 1)))
    assert np.asarray(to_rgb(image))[0, ::4, 0].tolist() == expected


def test_integers_below_zero_use_their_own_range() -> None:
    image = Image.fromarray(np.asarray([[-100, 0, 155]] * 9, np.int32))
    assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 100, 255]


def test_bands_cover_every_row_once() -> None:
    values = np.arange(SIZE[1] * SIZE[0], dtype=np.uint32).reshape(SIZE[1], SIZE[0]) * 17 % 65536
    image = Image.fromarray(values.astype(np.uint16))
    assert np.array_equal(np.asarray(to_rgb(image))[..., 1], values >> 8)


def test_twelve_bit_samples_keep_their_high_bits() -> None:
    assert only_colour(to_rgb(flat("I;16", 4095), depth=12)) == (255, 255, 255)
    assert only_colour(to_rgb(flat("I;16", 0x810), depth=12)) == (0x81, 0x81, 0x81)


@pytest.mark.parametrize(
    ("lab", "rgb", "tolerance"),
    [
        ((255, 128, 128), (255, 255, 255), 1),
        ((0, 128, 128), (0, 0, 0), 1),
        ((137, 128, 128), (128, 128, 128), 1),
        # The primaries of sRGB in D50 Lab; near zero one step of Lab is many steps of sRGB.
        ((round(54.29 * 2.55), 128 + 81, 128 + 70), (255, 0, 0), 24),
        ((round(29.57 * 2.55), 128 + 68, 128 - 112), (0, 0, 255), 24),
    ],
)
def test_lab_is_read_as_d50(lab: tuple[int, int, int], rgb: tuple[int, int, int], tolerance: int) -> None:
    image = Image.merge("LAB", [Image.new("L", (8, 8), value) for value in lab])
    assert np.abs(np.asarray(to_rgb(image)).astype(int) - rgb).max() <= tolerance


def test_black_text_on_transparent_ground_stays_readable() -> None:
    image = Image.new("RGBA", (200, 60), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((10, 10), "GOT", fill=(0, 0, 0, 255), font_size=32)
    grey = np.asarray(to_rgb(image).convert("L"))
    assert grey.max() == 255
    assert grey.min() == 0
    assert np.asarray(to_rgb_plainly(image)).max() == 0, "what other ports make of it"


def test_plain_conversion_clips_sixteen_bits_and_leaves_its_source_alone() -> None:
    image = with_transparency(palette([10, 20, 30]), bytes([0]))
    assert only_colour(to_rgb_plainly(image)) == (10, 20, 30)
    assert image.info["transparency"] == bytes([0])
    assert only_colour(to_rgb_plainly(flat("I;16", 300))) == (255, 255, 255)


def test_source_is_never_changed() -> None:
    image = flat("RGB", (1, 2, 3))
    image.info["comment"] = "kept"
    converted = to_rgb(image)
    converted.putpixel((0, 0), (9, 9, 9))
    assert image.getpixel((0, 0)) == (1, 2, 3)
    assert image.info == {"comment": "kept"}


@pytest.mark.parametrize(
    ("mode", "values"), [("I;16", (0, 0x8180, 65535)), ("F", (0.0, 0.5, 1.0)), ("F", (-5.0, 10.0, 25.0))]
)
def test_values_that_stand_for_ink_are_turned_round(mode: str, values: tuple[float, ...]) -> None:
    array = np.array([values], np.uint16 if mode == "I;16" else np.float32)
    plain = np.asarray(to_rgb(Image.fromarray(array)))[0, :, 0].astype(int)
    turned = np.asarray(to_rgb(Image.fromarray(array), white_is_zero=True))[0, :, 0].astype(int)
    assert plain.tolist()[::2] == [0, 255]
    assert (abs(plain + turned - 255) <= 1).all()
