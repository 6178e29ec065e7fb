"""Grids, tiles and regions; compared with the transformers processor where it is installed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from got_ocr import image, pixels, tiles
from got_ocr.errors import InvalidValue
from got_ocr.spec import ModelSpec

SIDE = st.integers(1, 9000)


def spec_of(height: int, width: int) -> ModelSpec:
    return ModelSpec("test", (height, width), (16, 16), "whole", 13, 4096, frozenset({"plain"}))


def gradient(width: int, height: int) -> Image.Image:
    """Draw a picture whose colour tells the place: red grows to the right, green downwards."""
    red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.dstack([red, green, np.full_like(red, 90)]).astype(np.uint8))


@given(SIDE, SIDE, st.integers(1, 64), st.integers(0, 63), st.sampled_from([(1024, 1024), (384, 384), (64, 512)]))
@settings(max_examples=300, deadline=None, database=None, derandomize=True)
def test_grid_is_the_one_that_transformers_chooses(
    width: int, height: int, most: int, fewer: int, tile: tuple[int, int]
) -> None:
    oracle = pytest.importorskip("transformers.models.got_ocr2.image_processing_pil_got_ocr2")
    least = max(most - fewer, 1)
    expected = oracle.get_optimal_tiled_canvas((height, width), tile, least, most)
    assert tiles.grid_for(width, height, least, most, tile) == expected


@pytest.mark.parametrize(("width", "height"), [(512, 512), (1024, 1024), (1500, 1500), (3000, 3000), (1600, 800)])
def test_grid_ties_go_the_way_of_transformers(width: int, height: int) -> None:
    oracle = pytest.importorskip("transformers.models.got_ocr2.image_processing_pil_got_ocr2")
    for most in range(1, 20):
        expected = oracle.get_optimal_tiled_canvas((height, width), (1024, 1024), 1, most)
        assert tiles.grid_for(width, height, 1, most, (1024, 1024)) == expected


@given(SIDE, SIDE, st.integers(1, 64))
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_grid_keeps_its_bounds(width: int, height: int, most: int) -> None:
    columns, rows = tiles.grid_for(width, height, 1, most, (1024, 1024))
    assert 1 <= columns * rows <= most


@pytest.mark.parametrize(
    ("size", "most", "grid"),
    [((8, 20000), 6, (1, 6)), ((20000, 8), 6, (6, 1)), ((3000, 3000), 9, (3, 3)), ((500, 500), 9, (1, 1))],
)
def test_grid_of_extreme_shapes(size: tuple[int, int], most: int, grid: tuple[int, int]) -> None:
    assert tiles.grid_for(*size, 1, most, (1024, 1024)) == grid


@pytest.mark.parametrize(("least", "most"), [(0, 4), (5, 4), (1, 0)])
def test_grid_refuses_impossible_bounds(least: int, most: int) -> None:
    with pytest.raises(InvalidValue):
        tiles.grid_for(100, 100, least, most, (64, 64))


def test_whole_has_exactly_the_size_of_the_spec() -> None:
    assert tiles.whole(gradient(301, 77), spec_of(64, 512)).size == (512, 64)


def test_crop_tiles_are_cut_row_by_row_and_the_whole_comes_last() -> None:
    cut = tiles.crop_tiles(gradient(900, 600), spec_of(64, 64), 6)
    assert len(cut) == 7
    assert {tile.size for tile in cut} == {(64, 64)}
    centres = [tile.getpixel((32, 32))[:2] for tile in cut]
    assert centres[0][0] < centres[1][0] < centres[2][0]
    assert centres[0][1] < centres[3][1]
    assert centres[3][0] == centres[0][0]
    assert np.abs(np.subtract(centres[6], (128, 128))).max() <= 3


def test_crop_tiles_together_are_the_resized_picture() -> None:
    picture = gradient(700, 500)
    cut = tiles.crop_tiles(picture, spec_of(32, 48), 12)
    columns, rows = tiles.grid_for(700, 500, 1, 12, (32, 48))
    assert len(cut) == columns * rows + 1
    canvas = np.vstack([np.hstack([np.asarray(t) for t in cut[r * columns : (r + 1) * columns]]) for r in range(rows)])
    expected = picture.resize((columns * 48, rows * 32), Image.Resampling.BICUBIC)
    assert np.array_equal(canvas, np.asarray(expected))


def test_a_single_tile_gets_no_thumbnail() -> None:
    assert len(tiles.crop_tiles(gradient(100, 100), spec_of(64, 64), 1)) == 1


def test_tiles_take_a_picture_or_its_image() -> None:
    loaded = image.load(gradient(100, 50))
    spec = spec_of(64, 64)
    assert np.array_equal(np.asarray(tiles.whole(loaded, spec)), np.asarray(tiles.whole(loaded.image, spec)))


@pytest.mark.parametrize(
    ("crop", "size"), [(False, (640, 480)), (True, (640, 480)), (True, (300, 900)), (True, (90, 90))]
)
def test_pixels_are_those_of_transformers(crop: bool, size: tuple[int, int]) -> None:
    oracle = pytest.importorskip("transformers.models.got_ocr2.image_processing_pil_got_ocr2")
    rng = np.random.default_rng(3)
    noise = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    processor = oracle.GotOcr2ImageProcessorPil(size={"height": 128, "width": 128}, max_patches=6)
    expected = np.asarray(processor(noise, crop_to_patches=crop)["pixel_values"])
    loaded, spec = image.load(noise, reference=True), spec_of(128, 128)
    cut = tiles.crop_tiles(loaded, spec, 6) if crop else (tiles.whole(loaded, spec),)
    ours = np.stack([pixels.normalise(tile) for tile in cut])
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() <= 1e-5


def test_region_is_cut_and_clamped() -> None:
    picture = gradient(100, 50)
    assert np.array_equal(np.asarray(tiles.region(picture, (10, 5, 30, 25))), np.asarray(picture)[5:25, 10:30])
    assert tiles.region(picture, (90, 40, 500, 500)).size == (10, 10)
    assert tiles.region(image.load(picture), (0, 0, 100, 50)).size == (100, 50)


@pytest.mark.parametrize("box", [(100, 0, 120, 20), (0, 50, 20, 60)])
def test_region_outside_of_the_picture_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidValue, match="100 x 50"):
        tiles.region(gradient(100, 50), box)


def test_region_of_a_point_names_the_way_out() -> None:
    with pytest.raises(InvalidValue, match="box_mode=prompt"):
        tiles.region(gradient(100, 50), (3, 4))
