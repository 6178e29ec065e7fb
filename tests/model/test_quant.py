"""Quantised weights: what they stand for, files of them, hostile files of them, networks with them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from fast_kit import DECODERS, LINES, gap, network
from safetensors.torch import load_file, save_file
from test_fast_decoder import prompts, run

from got_ocr.errors import InvalidValue, InvalidWeights, ModelError
from got_ocr.model.config import GotConfig
from got_ocr.model.fast.pick import fast_model
from got_ocr.model.got import GotModel
from got_ocr.model.quant import GROUP, SCHEMES, Quantised, quantise
from got_ocr.model.quantise import dense_model, quantise_model
from got_ocr.model.weights import load_model, open_checkpoint, save_model

ERRORS = {"int8": 0.010, "int4": 0.12}  # root mean square of the error, in parts of the weights'


def draw(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", [(64, 256), (3, 31), (1, 1), (33, 97)])
def test_a_matrix_is_nearly_what_it_was(scheme: str, shape: tuple[int, int]) -> None:
    weight = draw(*shape) * torch.logspace(-3, 3, shape[0])[:, None]
    made = quantise(weight, scheme)
    error = (made.dense() - weight) / weight.pow(2).mean(1, keepdim=True).sqrt()
    assert made.dense().shape == weight.shape
    assert error.pow(2).mean().sqrt() <= ERRORS[scheme]


def test_int8_is_within_half_a_step() -> None:
    weight = draw(20, 300)
    made = quantise(weight, "int8")
    assert ((made.dense() - weight).abs() <= made.scales[:, None] * 0.5001).all()
    assert made.values.abs().amax(1).tolist() == [127] * 20


def test_int4_packs_the_even_inputs_low() -> None:
    weight = torch.zeros(1, GROUP)
    weight[0, :3] = torch.tensor([-8.0, 5.0, 3.0])
    made = quantise(weight, "int4")
    assert made.values[0, :2].tolist() == [0 | (5 + 8) << 4, (3 + 8) | 8 << 4]
    assert torch.equal(made.dense(), weight)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_row_of_zeros_stays_zero(scheme: str) -> None:
    weight = draw(3, 70)
    weight[1] = 0
    dense = quantise(weight, scheme).dense()
    assert dense[1].abs().max() == 0
    assert torch.isfinite(dense).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_large_matrices_are_quantised_in_pieces(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = draw(50, 40)
    whole = quantise(weight, scheme)
    monkeypatch.setattr("got_ocr.model.quant.AT_ONCE", 100)
    parts = quantise(weight, scheme)
    assert torch.equal(whole.values, parts.values)
    assert torch.equal(whole.scales, parts.scales)


def quantised(scheme: str, seed: int = 1, name: str = "odd", dtype: torch.dtype = torch.float32) -> GotModel:
    model = network(LINES, DECODERS[name], seed, dtype)
    quantise_model(model, scheme)
    return model


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_holds_the_very_same_network(scheme: str, tmp_path: Path) -> None:
    model = quantised(scheme)
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.config == model.config
    assert again.config.decoder.quantization == scheme
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
        assert again.state_dict()[name].dtype == value.dtype
    ids, sizes = prompts(model, [5, 3], 1)
    with torch.inference_mode():
        assert gap(run(again, ids, sizes, [])[0], run(model, ids, sizes, [])[0]) == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_not_quantised_follows_the_number_format(scheme: str, tmp_path: Path) -> None:
    save_model(quantised(scheme), tmp_path, dtype=torch.bfloat16)
    assert open_checkpoint(tmp_path).dtype == torch.bfloat16
    model = load_model(tmp_path, dtype=torch.float32)
    assert model.dtype == torch.float32
    assert model.decoder.embed.weight.dtype == torch.float32
    kinds = {value.dtype for name, value in model.state_dict().items() if name.endswith(".scales")}
    assert kinds == {torch.float32} | ({torch.float16} if scheme == "int4" else set())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("packed", [None, False])
def test_the_fast_form_agrees(scheme: str, packed: bool | None) -> None:
    """The kernels round activations to eight bits, so that they are a little off; PyTorch's form is not."""
    model = quantised(scheme, name="bundled")
    ids, sizes = prompts(model, [7, 4, 9], 2)
    with torch.inference_mode():
        wanted = run(model, ids, sizes, list(prompts(model, [3] * 3, 3)[0]))
        got = run(fast_model(model, packed=packed), ids, sizes, list(prompts(model, [3] * 3, 3)[0]))
    for one, other in zip(got, wanted, strict=True):
        assert (one - other).pow(2).mean().sqrt() <= (0.05 if packed is None else 1e-4) * other.std()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_dense_network_stands_for_the_same(scheme: str) -> None:
    model = quantised(scheme)
    ids, sizes = prompts(model, [5, 3], 1)
    with torch.inference_mode():
        wanted = run(model, ids, sizes, [])[0]
        dense_model(model)
        assert model.config == GotConfig(LINES, DECODERS["odd"], image_token=60)
        assert gap(run(model, ids, sizes, [])[0], wanted) == 0


def test_schemes_are_not_mixed() -> None:
    model = quantised("int8")
    quantise_model(model, "int8")
    with pytest.raises(ModelError, match="int8 already"):
        quantise_model(model, "int4")
    with pytest.raises(InvalidValue):
        quantise_model(model, "int2")


def test_other_layouts_have_no_place(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"decoder\.quantization"):
        save_model(quantised("int8"), tmp_path, "hf")


VALUES, SCALES = "decoder.layers.1.attn.k_proj.values", "decoder.layers.1.attn.k_proj.scales"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t[SCALES].flatten().fill_(torch.nan), "NaN or infinity.*k_proj.scales"),
        (lambda t: t.update({SCALES: t[SCALES][:-1].clone()}), "k_proj.scales is"),
        (lambda t: t.update({VALUES: t[VALUES][:, :-1].clone()}), "k_proj.values is"),
        (lambda t: t.update({VALUES: t[VALUES].float()}), "k_proj.values is not one of"),
        (lambda t: t.update({SCALES: t[SCALES].bfloat16()}), "k_proj.scales is not one of"),
        (
            lambda t: t.update({"decoder.norm.weight": torch.ones(30, dtype=torch.int8)}),
            "norm.weight is not one of F32",
        ),
        (lambda t: t.pop(SCALES), "missing .*k_proj.scales"),
        (lambda t: t.update({"decoder.layers.1.attn.k_proj.weight": torch.zeros(30, 30)}), "unexpected"),
    ],
)
def test_broken_files_are_refused(scheme: str, change: object, said: str, tmp_path: Path) -> None:
    save_model(quantised(scheme), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    change(tensors)  # type: ignore[operator]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(InvalidWeights, match=said):
        load_model(tmp_path)


def test_numbers_of_both_halves_come_back() -> None:
    values = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (5, 32), dtype=np.uint8))
    made = Quantised("int4", 64, values, torch.ones(5, 2, dtype=torch.float16))
    numbers = made.numbers()
    assert torch.equal((numbers[:, ::2] + 8) | (numbers[:, 1::2] + 8) << 4, values.view(torch.int8))
    assert torch.equal(made.dense(), numbers.float())
