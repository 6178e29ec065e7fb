"""The fast encoders, in PyTorch and compiled, against the plain one."""

from functools import partial

import pytest
import torch
from fast_kit import DECODERS, LINES, VISIONS, gap, network, pixels
from torch import Tensor

from got_ocr.model.config import VisionConfig
from got_ocr.model.fast import native_vision, pick, vision
from got_ocr.model.fast.native_vision import NativeVision, can_see
from got_ocr.model.fast.pick import FastGot, fast_model
from got_ocr.model.fast.spend import shared
from got_ocr.model.fast.vision import FastVision
from got_ocr.model.got import GotModel
from got_ocr.model.vision import relative_bias

SIZES = {  # of tiles: the largest, and smaller ones where the grid may be cut
    "padded windows": [(128, 128), (64, 96), (64, 64)],
    "whole windows": [(64, 64), (32, 64)],
    "windows larger than the grid": [(64, 64)],
    "flat windows": [(64, 96), (32, 16)],
    "lines": [(32, 256), (32, 8), (32, 136)],
    "large grid": [(512, 640)],
}


FORMS = {"compiled": NativeVision, "packed": FastVision, "unpacked": partial(FastVision, packed=False)}


def fast_vision(form: str, plain: GotModel) -> FastVision:
    """Build one form of the fast encoder and leave the plain one whole."""
    if form == "compiled" and not can_see(plain.config.vision):
        pytest.skip("the kernels are not built here, or do not take this encoder")
    with torch.no_grad():
        return FORMS[form](shared(plain).vision)


def through(form: str, plain: GotModel, tiles: Tensor) -> Tensor:
    """Encode with one form of the fast encoder."""
    return plain.connect(fast_vision(form, plain)(tiles))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", VISIONS)
def test_float32_features_equal_the_plain_ones(name: str, form: str) -> None:
    plain = network(VISIONS[name], DECODERS["tiny"], 3)
    fast = fast_vision(form, plain)
    for seed, (height, width) in enumerate(SIZES[name]):
        for count in (1, 3) if name != "large grid" else (1,):
            tiles = pixels(count, height, width, seed)
            with torch.inference_mode():
                assert gap(fast(tiles), plain.vision(tiles)) <= 1e-4


@pytest.mark.parametrize("form", ["compiled", "packed"])
@pytest.mark.parametrize("seed", range(12))
def test_float32_features_equal_over_random_shapes(seed: int, form: str) -> None:
    draw = torch.Generator().manual_seed(seed)

    def pick(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=draw))

    heads = pick(1, 4)
    grid, patch = (pick(2, 9), pick(2, 12)), (pick(1, 5), pick(1, 5))
    config = VisionConfig(
        (grid[0] * patch[0], grid[1] * patch[1]), patch, heads * pick(1, 6), 3, heads, pick(1, 50),
        (pick(1, 6), pick(1, 6)), (pick(0, 2),), pick(1, 9), ((1, 1), (1, 1)),
    )  # fmt: skip
    plain = network(config, DECODERS["tiny"], seed)
    tiles = pixels(pick(1, 4), pick(1, grid[0]) * patch[0], pick(1, grid[1]) * patch[1], seed)
    with torch.inference_mode():
        assert gap(through(form, plain, tiles), plain.encode(tiles)) <= 1e-4


def test_small_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, tiles = network(VISIONS["padded windows"], DECODERS["tiny"], 4), pixels(5, 128, 128, 4)
    with torch.inference_mode():
        wanted = plain.encode(tiles)
        for scores, rows, together in ((1, 7, 64), (1000, 100, 130), (20_000, 1, 1)):
            monkeypatch.setattr(vision, "SCORES_AT_ONCE", scores)
            monkeypatch.setattr(vision, "ROWS_AT_ONCE", rows)
            monkeypatch.setattr(vision, "PATCHES_AT_ONCE", together)
            assert gap(through("packed", plain, tiles), wanted) <= 1e-4


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["lines", "padded windows", "large grid"])
def test_bfloat16_features_are_as_near_to_float32_as_the_plain_ones(name: str, form: str) -> None:
    exact = network(VISIONS[name], DECODERS["tiny"], 6)
    half = network(VISIONS[name], DECODERS["tiny"], 6, torch.bfloat16)
    tiles = pixels(1 if name == "large grid" else 4, *SIZES[name][0], 6)
    with torch.inference_mode():
        wanted = exact.encode(tiles)
        plain = (half.encode(tiles.bfloat16()).float() - wanted).pow(2).mean().sqrt()
        fast = (through(form, half, tiles.bfloat16()).float() - wanted).pow(2).mean().sqrt()
    assert fast <= 1.25 * plain


def test_relative_terms_read_in_place_equal_the_gathered_bias() -> None:
    q = torch.randn(2, 3 * 5, 4)
    rel_h, rel_w = torch.randn(13, 4), torch.randn(9, 4)  # made for grids of up to 7 x 5
    wanted = relative_bias(q[None], rel_h, rel_w, (3, 5))[0]
    grid = q.view(2, 3, 5, 4)
    by_row = vision.vertical(vision.distances(grid, vision.flipped(rel_h)), 3)
    by_col = vision.horizontal(vision.distances(grid, vision.flipped(rel_w)), 5)
    assert gap((by_row[..., :, None] + by_col[..., None, :]).reshape(2, 15, 15), wanted) <= 1e-5


def test_tiles_of_several_sizes_keep_their_places() -> None:
    plain = network(LINES, DECODERS["tiny"], 8)
    tiles = [pixels(1, 32, width, width)[0] for width in (64, 256, 64, 8, 256)]
    with torch.inference_mode():
        for got, wanted in zip(fast_model(plain).encode_many(tiles), plain.encode_many(tiles), strict=True):
            assert gap(got, wanted) <= 1e-4


def test_threads_change_nothing() -> None:
    """Pieces of rows and windows are the same whoever takes them."""
    plain, tiles = network(VISIONS["padded windows"], DECODERS["tiny"], 5), pixels(3, 128, 128, 5)
    fast, before, found = fast_vision("compiled", plain), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            with torch.inference_mode():
                found.append(fast(tiles))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, found[0]) for one in found)


def test_numbers_that_are_none_stay_none() -> None:
    """A broken picture or weight is not turned into numbers on the way."""
    plain, tiles = network(LINES, DECODERS["tiny"], 5), pixels(1, 32, 64, 5)
    tiles[0, 0, 3, 3] = torch.nan
    with torch.inference_mode():
        assert torch.isnan(fast_vision("compiled", plain)(tiles)).all()


def test_no_tile_gives_no_feature() -> None:
    plain = network(LINES, DECODERS["tiny"], 5)
    with torch.inference_mode():
        assert fast_vision("compiled", plain)(torch.zeros(0, 3, 32, 64)).shape[0] == 0


def test_an_odd_head_width_has_no_compiled_form_but_a_fast_one(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = VisionConfig((32, 32), (8, 8), 15, 2, 3, 20, (2, 2), (1,), 4)
    assert not can_see(odd)
    assert type(fast_model(network(odd, DECODERS["tiny"], 1)).vision) is FastVision
    monkeypatch.setattr(native_vision, "_kernels", lambda: None)
    assert not can_see(LINES)
    monkeypatch.setattr(pick, "can_see", native_vision.can_see)
    assert type(fast_model(network(LINES, DECODERS["tiny"], 1)).vision) is FastVision


def test_there_is_no_fast_form_of_float16() -> None:
    plain = network(LINES, DECODERS["tiny"], 9, torch.float16)
    assert fast_model(plain) is plain
    assert isinstance(fast_model(network(LINES, DECODERS["tiny"], 9)), FastGot)
