"""Model folders: strict opening, every error with a name, round trips without a lost bit."""

import json
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, safe_open, save_file
from torch import Tensor

from got_ocr.errors import InvalidWeights, ModelError, ModelNotFound, OutputError, UnsafeWeights
from got_ocr.model.config import GotConfig, VisionConfig
from got_ocr.model.got import GotModel
from got_ocr.model.layouts import LayoutName
from got_ocr.model.weights import load_model, open_checkpoint, save_model

LAYOUTS: tuple[LayoutName, ...] = ("native", "original", "hf")


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert set(one) == set(other)
    assert [name for name in one if one[name].dtype != other[name].dtype or not one[name].equal(other[name])] == []


def edit_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = {name: value.clone() for name, value in load_file(folder / "model.safetensors").items()}
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def edit_config(folder: Path, **fields: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_round_trip_is_bit_equal(tiny: GotModel, tmp_path: Path, layout: LayoutName, dtype: torch.dtype) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    save_model(tiny, one, layout, dtype=dtype)
    model = load_model(one)
    assert model.dtype == dtype
    assert model.config == tiny.config
    assert_same(dict(model.state_dict()), dict(tiny.to(dtype).state_dict()))
    save_model(model, two, layout)
    assert_same(load_file(one / "model.safetensors"), load_file(two / "model.safetensors"))
    assert (one / "config.json").read_bytes() == (two / "config.json").read_bytes()
    with safe_open(two / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_every_layout_converts_to_every_other(tiny: GotModel, tmp_path: Path) -> None:
    route: tuple[LayoutName, ...] = ("original", "hf", "native", "hf", "original", "native", "original")
    model = tiny
    for number, layout in enumerate(route):
        save_model(model, tmp_path / str(number), layout)
        model = load_model(tmp_path / str(number))
        assert model.config == tiny.config
    assert_same(dict(model.state_dict()), dict(tiny.state_dict()))
    assert_same(load_file(tmp_path / "0" / "model.safetensors"), load_file(tmp_path / "6" / "model.safetensors"))


def test_original_names_and_head_are_as_published(tiny: GotModel, original: Path) -> None:
    tensors = load_file(original / "model.safetensors")
    tower = "model.vision_tower_high."
    block = f"{tower}blocks.2."
    assert {
        "lm_head.weight",
        "model.embed_tokens.weight",
        "model.norm.weight",
        "model.mm_projector_vary.bias",
        "model.layers.1.self_attn.q_proj.bias",
        "model.layers.1.self_attn.o_proj.weight",
        "model.layers.1.input_layernorm.weight",
        "model.layers.1.post_attention_layernorm.weight",
        "model.layers.1.mlp.down_proj.weight",
        *(f"{tower}{name}" for name in ("patch_embed.proj.bias", "pos_embed", "net_2.weight", "net_3.weight")),
        *(f"{tower}neck.{name}" for name in ("0.weight", "1.bias", "2.weight", "3.weight")),
        *(f"{block}{name}" for name in ("norm1.bias", "attn.qkv.bias", "attn.proj.weight", "attn.rel_pos_h")),
        *(f"{block}{name}" for name in ("attn.rel_pos_w", "norm2.weight", "mlp.lin1.bias", "mlp.lin2.weight")),
    } <= set(tensors)
    assert len(tensors) == len(tiny.state_dict()) + 1
    assert tensors["lm_head.weight"].equal(tensors["model.embed_tokens.weight"])


def test_unknown_fields_and_a_missing_head_survive(original: Path, tmp_path: Path) -> None:
    edit_config(original, freeze_vision_tower=False, auto_map={"AutoModel": "modeling_GOT.X"}, sliding_window=32768)
    edit_weights(original, lambda tensors: tensors.pop("lm_head.weight"))
    save_model(load_model(original), tmp_path / "again", "original", like=original)
    assert (tmp_path / "again" / "config.json").read_bytes() == (original / "config.json").read_bytes()
    assert_same(load_file(original / "model.safetensors"), load_file(tmp_path / "again" / "model.safetensors"))
    save_model(load_model(original), tmp_path / "half", "original", like=original, dtype=torch.float16)
    raw = json.loads((tmp_path / "half" / "config.json").read_text())
    assert (raw["torch_dtype"], raw["auto_map"]) == ("float16", {"AutoModel": "modeling_GOT.X"})


def test_python_files_beside_the_weights_never_run(original: Path) -> None:
    edit_config(original, auto_map={"AutoConfig": "modeling_evil.Config", "AutoModel": "modeling_evil.Model"})
    (original / "modeling_evil.py").write_text(f"open({str(original / 'ran')!r}, 'w')")
    load_model(original)
    assert not (original / "ran").exists()
    assert "modeling_evil" not in sys.modules


def test_tensors_stay_mapped_and_the_file_stays_untouched(original: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.is_file():
        pytest.skip("needs /proc to see what is mapped")
    before = (original / "model.safetensors").read_bytes()
    model = load_model(original)
    assert str(original / "model.safetensors") in maps.read_text()
    with torch.no_grad():
        model.connector.weight.zero_()
    assert (original / "model.safetensors").read_bytes() == before


def _drop_two(tensors: dict[str, Tensor]) -> None:
    del tensors["model.norm.weight"], tensors["model.vision_tower_high.pos_embed"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.pop("model.norm.weight"), "1 tensor .*missing model.norm.weight"),
        (lambda t: t.update({"model.surprise": torch.zeros(2)}), "unexpected model.surprise"),
        (lambda t: t.update({"model.norm.weight": torch.zeros(31)}), r"model.norm.weight is \[31\] instead of \[32\]"),
        (
            lambda t: t["model.norm.weight"].fill_(float("nan")),
            "model.norm.weight with NaN|NaN or infinity: model.norm",
        ),
        (lambda t: t["model.layers.1.mlp.up_proj.weight"][3, 4].fill_(float("-inf")), "infinity: .*1.mlp.up_proj"),
        (lambda t: t["lm_head.weight"][5, 6].add_(1), "lm_head.weight differs from model.embed_tokens.weight"),
        (lambda t: t.update({"lm_head.weight": torch.zeros(3, 2)}), "lm_head.weight differs"),
        (lambda t: t.update({"model.norm.weight": torch.zeros(32, dtype=torch.float16)}), "several types"),
        (lambda t: t.update({"model.norm.weight": torch.zeros(32, dtype=torch.int8)}), "norm.weight.* F32"),
        (lambda t: t.pop("model.vision_tower_high.pos_embed"), "pos_embed"),
        (lambda t: t.pop("model.vision_tower_high.blocks.1.attn.rel_pos_w"), "blocks.1.attn.rel_pos_w"),
        (_drop_two, "pos_embed"),
    ],
)
def test_wrong_tensors_are_named(original: Path, change: Callable[[dict[str, Tensor]], object], named: str) -> None:
    edit_weights(original, change)
    with pytest.raises(InvalidWeights, match=named):
        load_model(original)


def test_many_wrong_tensors_are_counted(tiny: GotModel, tmp_path: Path) -> None:
    save_model(tiny, tmp_path)
    edit_weights(tmp_path, lambda tensors: [tensors.pop(name) for name in list(tensors)[:30]])
    with pytest.raises(InvalidWeights, match=r"30 tensors .* and 10 more"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"num_key_value_heads": 2}, "num_key_value_heads"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"use_sliding_window": True}, "use_sliding_window"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings"),
        ({"rope_scaling": {"type": "yarn"}}, "rope_scaling"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"layer_types": ["sliding_attention"]}, "layer_types"),
        ({"image_token_len": 256}, "image_token_len"),
        ({"num_hidden_layers": "2"}, "num_hidden_layers"),
        ({"rope_theta": None}, "rope_theta"),
        ({"hidden_size": 1 << 19, "num_attention_heads": 1, "num_key_value_heads": 1}, "configuration"),
        ({"model_type": "llama"}, "model_type"),
        ({"model_type": ["GOT"]}, "model_type"),
    ],
)
def test_unsupported_fields_are_named(original: Path, fields: dict[str, Any], named: str) -> None:
    edit_config(original, **fields)
    with pytest.raises(ModelError, match=named):
        load_model(original)


@pytest.mark.parametrize(
    ("part", "fields", "named"),
    [
        ("text_config", {"num_key_value_heads": 2}, "text_config.num_key_value_heads"),
        ("text_config", {"model_type": "qwen3"}, "text_config.model_type"),
        ("text_config", {"rope_parameters": {"rope_type": "yarn"}}, "text_config.rope_parameters.rope_type"),
        ("text_config", {"head_dim": 16}, "text_config.head_dim"),
        ("vision_config", {"use_rel_pos": False}, "vision_config.use_rel_pos"),
        ("vision_config", {"hidden_act": "relu"}, "vision_config.hidden_act"),
        ("vision_config", {"image_size": [128, 64]}, "vision_config.image_size"),
        ("vision_config", {"global_attn_indexes": "1"}, "vision_config.global_attn_indexes"),
    ],
)
def test_unsupported_hf_fields_are_named(
    tiny: GotModel, tmp_path: Path, part: str, fields: dict[str, Any], named: str
) -> None:
    save_model(tiny, tmp_path, "hf")
    edit_config(tmp_path, **{part: {**json.loads((tmp_path / "config.json").read_text())[part], **fields}})
    with pytest.raises(ModelError, match=named):
        load_model(tmp_path)


def test_older_rope_field_counts(tiny: GotModel, tmp_path: Path) -> None:
    save_model(tiny, tmp_path, "hf")
    text = json.loads((tmp_path / "config.json").read_text())["text_config"]
    del text["rope_parameters"]
    edit_config(tmp_path, text_config={**text, "rope_theta": 500.0})
    assert load_model(tmp_path).config.decoder.rope_theta == 500.0


@pytest.mark.parametrize("layout", ["original", "hf"])
def test_a_layout_refuses_what_it_has_no_place_for(tiny: GotModel, tmp_path: Path, layout: LayoutName) -> None:
    vision = replace(tiny.config.vision, image=(32, 256), patch=(8, 16), strides=((2, 2), (2, 1)), window=(4, 8))
    model = GotModel(replace(tiny.config, vision=vision, tiling="lines"))
    named = "vision.image, vision.patch, vision.window, vision.strides, tiling"
    with pytest.raises(ModelError, match=named):
        save_model(model, tmp_path / "new", layout)
    assert not (tmp_path / "new").exists()
    save_model(model, tmp_path / "new")
    assert load_model(tmp_path / "new").config == model.config


def test_pickles_are_never_opened(original: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (original / "ran",))

    (original / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    load_model(original)  # safetensors beside it are enough
    (original / "model.safetensors").unlink()
    with pytest.raises(UnsafeWeights, match=r"pytorch_model\.bin"):
        load_model(original)
    (original / "config.json").unlink()
    with pytest.raises(UnsafeWeights):
        load_model(original)
    assert not (original / "ran").exists()


@pytest.mark.parametrize(
    "index",
    [
        {"weight_map": {"a": "../model-1.safetensors"}},
        {"weight_map": {"a": "/etc/passwd"}},
        {"weight_map": {"a": "model-1.bin"}},
        {"weight_map": {"a": 3}},
        {"weight_map": []},
        {"weight_map": {}},
        {"weight_map": {"a": "model-1.safetensors"}},
    ],
)
def test_hostile_index_is_refused(original: Path, index: dict[str, Any]) -> None:
    (original / "model.safetensors").unlink()
    (original / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InvalidWeights):
        load_model(original)


def test_a_tensor_in_two_shards_is_refused(original: Path) -> None:
    tensors = load_file(original / "model.safetensors")
    (original / "model.safetensors").unlink()
    save_file(tensors, original / "a.safetensors")
    save_file({"model.norm.weight": tensors["model.norm.weight"]}, original / "b.safetensors")
    index = {"weight_map": {**dict.fromkeys(tensors, "a.safetensors"), "model.norm.weight": "b.safetensors"}}
    (original / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InvalidWeights, match=r"model\.norm\.weight lies in more than one shard"):
        load_model(original)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff\xfe", "[" * 100_000, '{"model_type": NaN}', "9" * 5000])
def test_broken_configuration_is_refused(original: Path, text: str) -> None:
    (original / "config.json").write_text(text, "latin-1")
    with pytest.raises(ModelError):
        load_model(original)


def test_missing_parts_are_said(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        load_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(GotConfig().to_json()))
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load_model(tmp_path)


def test_a_failed_save_leaves_the_old_file(tiny: GotModel, original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch

    def torn(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "no space left")

    before = (original / "model.safetensors").read_bytes()
    monkeypatch.setattr(safetensors.torch, "save_file", torn)
    with pytest.raises(OutputError, match="28"):
        save_model(tiny, original, "original")
    assert (original / "model.safetensors").read_bytes() == before
    assert sorted(path.name for path in original.iterdir()) == ["config.json", "model.safetensors"]


def test_dtype_is_changed_when_asked(original: Path) -> None:
    assert load_model(original, dtype=torch.bfloat16).dtype == torch.bfloat16
    assert open_checkpoint(original).dtype == torch.float32


def test_default_vision_sizes_are_read_off_the_tensors(tmp_path: Path) -> None:
    """Sizes of the published encoder, which the original's config.json does not hold."""
    from got_ocr.model.configs import read_config, write_config
    from got_ocr.model.layouts import ORIGINAL

    with torch.device("meta"):
        state = GotModel(GotConfig()).state_dict()
    shapes = {ORIGINAL.theirs(name): tuple(value.shape) for name, value in state.items()}
    config = read_config("original", write_config("original", GotConfig(), "bfloat16"), shapes)
    assert config == GotConfig()
    assert config.vision == VisionConfig()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such modes")
def test_weights_are_as_readable_as_other_files(tiny: GotModel, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save_model(tiny, tmp_path / "made", "native")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir() if path.is_file()}
    assert modes == {0o640}
