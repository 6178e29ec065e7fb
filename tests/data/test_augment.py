"""Effects: pure, repeatable, and never past what a person can read."""

import numpy as np
import pytest

from got_ocr.data import augment


def picture() -> np.ndarray:
    """Black bars of letter-like size on white."""
    pixels = np.full((120, 200, 3), 250, dtype=np.uint8)
    for left in range(20, 180, 14):
        pixels[30:90, left : left + 5] = 10
    return pixels


def ink_and_paper(pixels: np.ndarray) -> tuple[float, float]:
    columns = np.array([left + step for left in range(20, 180, 14) for step in (1, 2, 3)])
    bare = np.array([left + step for left in range(20, 166, 14) for step in (8, 9, 10)])
    return float(pixels[40:80][:, columns].mean()), float(pixels[40:80][:, bare].mean())


@pytest.mark.parametrize("name", sorted(augment.EFFECTS))
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_effects_are_pure_and_repeatable(name, strength):
    before = picture()
    effect = augment.EFFECTS[name]
    pixels = before.copy()
    first = effect(pixels, np.random.default_rng(5), strength)
    assert first.shape == before.shape
    assert first.dtype == np.uint8
    assert np.array_equal(pixels, before)
    assert np.array_equal(first, effect(pixels, np.random.default_rng(5), strength))


@pytest.mark.parametrize("name", sorted(set(augment.EFFECTS) - {"skew", "perspective"}))
def test_strokes_stand_out_at_full_strength(name):
    for seed in range(25):
        dark, light = ink_and_paper(augment.EFFECTS[name](picture(), np.random.default_rng(seed), 1.0))
        assert light - dark > 90, seed


@pytest.mark.parametrize("name", sorted(augment.EFFECTS))
def test_every_effect_changes_the_picture(name):
    before = picture()
    assert any(
        not np.array_equal(augment.EFFECTS[name](before, np.random.default_rng(s), 1.0), before) for s in range(5)
    )


@pytest.mark.parametrize("name", augment.WEAR_NAMES)
def test_wear_keeps_size_and_readability(name):
    for seed in range(25):
        worn = augment.wear(picture(), np.random.default_rng(seed), 0.7, name)
        assert worn.shape == (120, 200, 3)
        dark, light = ink_and_paper(worn)
        assert light - dark > 70, seed


def test_tiny_pictures_survive():
    for name, effect in augment.EFFECTS.items():
        for shape in ((1, 1, 3), (2, 9, 3), (9, 2, 3)):
            assert effect(np.full(shape, 200, np.uint8), np.random.default_rng(0), 1.0).shape == shape, name
