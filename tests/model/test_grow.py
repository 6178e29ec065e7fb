"""Weights carried over into a network with higher tiles and more words: what the old one computed, the new one computes."""

from dataclasses import replace

import pytest
import torch

from got_ocr.errors import ModelError
from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.got import GotModel
from got_ocr.model.grow import grow

VISION = VisionConfig((32, 128), (32, 8), 16, 2, 2, 24, (1, 8), (1,), 8, ((1, 1), (1, 2)))
SMALL = GotConfig(VISION, DecoderConfig(40, 16, 1, 2, 24, context=64), 39, "small", "lines", 1, ("plain",))
HIGH = replace(SMALL, vision=replace(VISION, image=(96, 128), strides=((3, 1), (1, 2))), line_height=32)


def random(config: GotConfig) -> GotModel:
    model, rng = GotModel(config), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=rng) * 0.3)
    return model.eval()


def test_a_strip_looks_the_same_to_a_network_for_higher_tiles() -> None:
    model = random(SMALL)
    grown = grow(model, HIGH, [[i] for i in range(40)])
    strip = torch.rand(2, 3, 32, 96)
    assert torch.allclose(model.encode(strip), grown.encode(strip), atol=1e-6)
    assert grown.encode(torch.rand(1, 3, 96, 96)).shape == (1, 6, 16)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6])
def test_tokens_are_counted_as_the_encoder_makes_them(rows: int) -> None:
    config = replace(HIGH, vision=replace(HIGH.vision, image=(192, 128)))
    height = 32 * rows
    assert random(config).encode(torch.rand(1, 3, height, 64)).shape[1] == config.spec.tokens(height, 64)
    assert config.spec.line == 32


def test_ids_may_move_and_new_ones_begin_as_the_mean_of_what_they_stand_for() -> None:
    model = random(SMALL)
    config = replace(SMALL, decoder=replace(SMALL.decoder, vocab=42), image_token=41)
    places = [*range(38), 40, 41]  # old ids 38 and 39 moved up by two
    grown = grow(model, config, [[i] for i in range(38)] + [[3, 5], [7], [38], [39]])
    ids = torch.tensor([[1, 37, 38, 4]])
    moved = torch.tensor([[places[int(i)] for i in ids[0]]])
    assert torch.allclose(model(ids, None), grown(moved, None)[..., places], atol=1e-5)
    old, new = model.decoder.embed.weight, grown.decoder.embed.weight
    assert torch.allclose(new[38], (old[3] + old[5]) / 2)
    assert torch.equal(new[39], old[7])


def test_positions_beyond_the_old_ones_begin_as_the_last() -> None:
    model = random(HIGH)
    grown = grow(model, replace(HIGH, vision=replace(HIGH.vision, image=(192, 128))), [[i] for i in range(40)])
    old, new = model.vision.pos_embed, grown.vision.pos_embed
    assert torch.equal(new[:, :3], old)
    assert torch.equal(new[:, 5], old[:, 2])
    rel, wide = model.vision.layers[1].attn.rel_pos_h, grown.vision.layers[1].attn.rel_pos_h
    assert wide.shape[0] == 11
    assert torch.equal(wide[3:8], rel)
    assert torch.equal(wide[0], rel[0])
    back = grow(grown, HIGH, [[i] for i in range(40)])
    assert all(torch.equal(value, back.state_dict()[name]) for name, value in model.state_dict().items())


def test_other_layers_are_refused() -> None:
    ids = [[i] for i in range(40)]
    with pytest.raises(ModelError, match="layers are others"):
        grow(random(SMALL), replace(SMALL, vision=replace(VISION, layers=3)), ids)
    with pytest.raises(ModelError, match="has the shape"):
        grow(random(SMALL), replace(SMALL, vision=replace(VISION, mlp=32)), ids)
    with pytest.raises(ModelError, match="names 39 ids, the model 40"):
        grow(random(SMALL), SMALL, ids[:39])
    with pytest.raises(ModelError, match="names 40 ids"):
        grow(random(SMALL), SMALL, [*ids[:39], []])
