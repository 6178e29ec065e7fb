"""The GPU's form on a CUDA device: every kernel is used, recorded steps write the same ids, streams and eight bits work."""

import pytest
import torch
from fast_kit import DECODERS, LINES, VISIONS, network, pixels

from got_ocr.model.config import DecoderConfig, VisionConfig
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel
from got_ocr.model.gpu.choose import choose, prove
from got_ocr.model.gpu.gate import try_eight
from got_ocr.model.gpu.got import GpuGot
from got_ocr.model.gpu.graphs import Rule, Steps

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
# The sizes of the published network, with few layers and a small vocabulary.
PUBLISHED = (
    VisionConfig(layers=3, global_layers=(2,)),
    DecoderConfig(vocab=2000, layers=2),
)


def there(plain: GotModel, dtype: torch.dtype) -> tuple[GotModel, GpuGot]:
    plain = plain.to("cuda", dtype)
    fast = fast_model(plain)
    assert isinstance(fast, GpuGot)
    return plain, fast


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_no_kernel_is_left_out(dtype: torch.dtype) -> None:
    pytest.importorskip("triton", reason="needs Triton")
    choice = prove(network(*PUBLISHED, 1).config, torch.device("cuda"), dtype)
    assert choice.left_out == ()
    assert choice.ops.name == "Triton"


@pytest.mark.parametrize("name", VISIONS)
def test_features_equal_the_plain_ones(name: str) -> None:
    plain, gpu = there(network(VISIONS[name], DECODERS["tiny"], 1), torch.float32)
    tiles = pixels(2, *VISIONS[name].image, 3).cuda()
    with torch.inference_mode():
        assert (gpu.encode(tiles) - plain.encode(tiles)).abs().max() <= 1e-3


@torch.inference_mode()
def test_published_sizes_are_as_near_to_float32_as_the_plain_form() -> None:
    exact = network(*PUBLISHED, 1).cuda()
    tiles = pixels(2, 1024, 1024, 3).cuda()
    wanted = exact.encode(tiles)
    plain, gpu = there(network(*PUBLISHED, 1), torch.bfloat16)
    errors = [(m.encode(tiles.bfloat16()).float() - wanted).pow(2).mean() for m in (plain, gpu)]
    assert errors[1] <= 1.25 * errors[0]


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 40])
def test_recorded_steps_write_the_plain_networks_ids(rows: int) -> None:
    plain, gpu = there(network(LINES, DECODERS["bundled"], 1), torch.float32)
    with torch.no_grad():
        plain.decoder.embed.weight.mul_(0.1)
    gpu = GpuGot(plain, choose(plain.config, torch.device("cuda"), torch.float32).ops).eval()
    prompts = [[(7 * row + i) % 1000 for i in range(1 + row % 5)] for row in range(rows)]
    told = []
    for model, record in ((gpu, True), (gpu, False)):
        steps = Steps(model, 400, size=16, record=record)
        steps.admit(range(rows), prompts, None, [Rule(-1, 90, row % 4) for row in range(rows)])
        steps.run(range(rows), 100)
        told.append([heard.ids for heard in steps.report(range(rows), 90).read()])
    assert told[0] == told[1]
    assert all(len(ids) == 90 for ids in told[0])
    for row in range(0, rows, 4):  # those without a ban
        assert told[0][row] == greedy(plain, prompts[row], 90)


@torch.inference_mode()
def greedy(model: GotModel, prompt: list[int], count: int) -> list[int]:
    cache = model.new_cache(1, len(prompt) + count)
    scores = model.prefill(torch.tensor([prompt]).cuda(), torch.tensor([len(prompt)]).cuda(), None, cache)
    ids: list[int] = []
    for i in range(count):
        ids.append(int(scores.argmax()))
        scores = model.step(torch.tensor(ids[-1:]).cuda(), cache, len(prompt) + i + 1)
    return ids


def test_eight_bits_choose_nearly_the_same() -> None:
    gpu = there(network(*PUBLISHED, 1), torch.bfloat16)[1]
    gate = try_eight(gpu, [[1, 2, 3], [4, 5, 6, 7]], None, 40)
    assert gate.agreement >= 0.8
    assert 0 < gate.gap < 0.2


def test_tiles_are_encoded_beside_and_waited_for() -> None:
    import numpy as np

    from got_ocr.backends.cuda import CudaBackend
    from got_ocr.backends.torch import TorchBackend

    plain, gpu = there(network(LINES, DECODERS["tiny"], 1), torch.float32)
    rng = np.random.default_rng(1)
    tiles = [rng.integers(0, 256, (3, 32, width), dtype=np.uint8) for width in (64, 128, 64, 32, 64)]
    for one, other in zip(CudaBackend(gpu).encode(tiles), TorchBackend(plain).encode(tiles), strict=True):
        assert (one.settled() - other).abs().max() <= 1e-3
