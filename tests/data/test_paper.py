"""Paper and colours: contrast is readable, painting mixes rightly."""

import numpy as np
import pytest

from got_ocr.data import paper


def test_contrast_is_that_of_wcag():
    assert paper.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert paper.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_colors_are_always_readable_and_sometimes_light_on_dark():
    rng = np.random.default_rng(3)
    drawn = [paper.colors(rng) for _ in range(600)]
    assert min(paper.contrast(*pair) for pair in drawn) >= 4.5
    dark = sum(paper.luminance(ground) < paper.luminance(ink) for ground, ink in drawn)
    assert 20 < dark < 120


def test_a_sheet_stays_near_its_colour():
    for seed in range(30):
        sheet = paper.sheet(np.random.default_rng(seed), 90, 70, (200, 190, 180))
        assert sheet.shape == (70, 90, 3)
        assert np.abs(sheet.reshape(-1, 3).mean(axis=0) - (200, 190, 180)).max() < 14


def test_paint_mixes_by_coverage():
    sheet = np.full((1, 3, 3), 200, dtype=np.uint8)
    mixed = paper.paint(sheet, np.array([[0, 255, 128]], dtype=np.uint8), (40, 0, 90))
    assert mixed[0, 0].tolist() == [200, 200, 200]
    assert mixed[0, 1].tolist() == [40, 0, 90]
    assert np.abs(mixed[0, 2].astype(int) - (120, 100, 145)).max() <= 2
    assert sheet.max() == sheet.min() == 200


def test_printing_is_painting_on_a_sheet():
    """The way in bands and by a table gives the bytes of the plain one."""
    ink = np.zeros((300, 700), dtype=np.uint8)
    ink[100:180:3, 20:600:7] = np.random.default_rng(1).integers(0, 256, size=(27, 83), dtype=np.uint8)
    for seed in range(24):
        ground, color = paper.colors(np.random.default_rng(seed))
        sheet = paper.sheet(np.random.default_rng(seed), 700, 300, ground)
        plain = np.asarray(paper.printed(np.random.default_rng(seed), ink, ground, color))
        assert np.array_equal(plain, paper.paint(sheet, ink, color)), seed


def test_bands_cover_every_row_once():
    for height, width in ((1, 1), (1024, 1024), (7, 100_000), (3000, 40)):
        rows = [row for band in paper.bands(height, width) for row in range(height)[band]]
        assert rows == list(range(height))


def test_noise_begins_again_beyond_its_tile():
    tile = paper._tile()
    side = tile.shape[0]
    cut = paper.noise_at((side - 3, side - 2), slice(5, 40), 4000)
    rows, columns = (np.arange(5, 40) + side - 3) % side, (np.arange(4000) + side - 2) % side
    assert np.array_equal(cut, tile[rows][:, columns])


@pytest.mark.parametrize("size", [(10, 10), (1031, 5), (3000, 40), (40, 3000)])
def test_noise_has_any_size_and_unit_spread(size):
    tile = paper.noise(np.random.default_rng(0), *size)
    assert tile.shape == size[::-1]
    assert tile.std() == pytest.approx(1, abs=0.25)
