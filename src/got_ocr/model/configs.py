"""Configurations of foreign checkpoints <-> GotConfig. Knows no file and no tensor's values (only shapes).

Absent fields mean what transformers takes them for. Every field that would make another network is checked: a
checkpoint that this package would read wrongly is refused with the field's name.
Source: transformers' GotOcr2Config and Qwen2Config; the original config.json.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from got_ocr.errors import InvalidWeights, ModelError
from got_ocr.model.config import DecoderConfig, GotConfig, VisionConfig
from got_ocr.model.layouts import LayoutName

Shapes = Mapping[str, tuple[int, ...]]  # by the layout's own names

IMAGE_TOKEN = 151859
EPS = 1e-6  # of the encoder's norms: fixed in the original, and in transformers for the neck
STRIDES = ((2, 2), (2, 2))
TOWER = "model.vision_tower_high."

# What Qwen2Config means by an absent field.
QWEN: dict[str, Any] = {
    "vocab_size": 151936,
    "hidden_size": 4096,
    "intermediate_size": 22016,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "hidden_act": "silu",
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "use_sliding_window": False,
}
# What GotOcr2Config means by an absent text_config, and what this package writes.
GOT_TEXT: dict[str, Any] = {
    **QWEN,
    "vocab_size": 151860,
    "hidden_size": 1024,
    "intermediate_size": 2816,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "rope_theta": 1e6,
}
GOT_VISION: dict[str, Any] = {
    "hidden_size": 768,
    "output_channels": 256,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "num_channels": 3,
    "image_size": 1024,
    "patch_size": 16,
    "hidden_act": "gelu",
    "layer_norm_eps": EPS,
    "qkv_bias": True,
    "use_abs_pos": True,
    "use_rel_pos": True,
    "window_size": 14,
    "global_attn_indexes": [2, 5, 8, 11],
    "mlp_dim": 3072,
}


@dataclass(frozen=True, slots=True)
class Fields:
    """Read fields of one JSON object and say in errors where they stand."""

    values: Mapping[str, Any]
    where: str

    def number(self, name: str) -> int:
        """Take a whole number; a square pair counts as one."""
        value = self.values[name]
        if isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
            value = value[0]
        if type(value) is not int:
            raise ModelError(f"config.json: {self.where}{name} should be a whole number")
        return value

    def real(self, name: str) -> float:
        """Take a number."""
        value = self.values[name]
        if type(value) not in (int, float):
            raise ModelError(f"config.json: {self.where}{name} should be a number")
        return float(value)

    def require(self, name: str, *allowed: Any) -> None:
        """Refuse a field that stands there with another value. Raises ModelError."""
        if name in self.values and self.values[name] not in allowed:
            raise ModelError(f"config.json: {self.where}{name} is not supported: expected {json.dumps(allowed[0])}")


def read_config(layout: LayoutName, raw: Mapping[str, Any], shapes: Shapes) -> GotConfig:
    """Turn a layout's config.json into ours. shapes: of the stored tensors. Raises ModelError, InvalidWeights."""
    Fields(raw, "").require("quantization_config", None)
    return {"native": _read_native, "original": _read_original, "hf": _read_hf}[layout](raw, shapes)


def write_config(layout: LayoutName, config: GotConfig, dtype: str) -> dict[str, Any]:
    """Write a complete config.json of a layout. dtype: as torch spells it ("bfloat16"). Raises ModelError.

    The error names the field that the layout has no place for.
    """
    if layout == "native":
        return config.to_json()
    _check_expressible(layout, config)
    return _write_original(config, dtype) if layout == "original" else _write_hf(config, dtype)


def _read_native(raw: Mapping[str, Any], shapes: Shapes) -> GotConfig:
    return GotConfig.from_json(raw)


def _read_hf(raw: Mapping[str, Any], shapes: Shapes) -> GotConfig:
    text = _table(raw, "text_config", GOT_TEXT, QWEN)
    vision = _table(raw, "vision_config", GOT_VISION, GOT_VISION)
    tied = raw.get("tie_word_embeddings", text.values.get("tie_word_embeddings", True))
    Fields({"tie_word_embeddings": tied}, "").require("tie_word_embeddings", True)
    text.require("model_type", "qwen2")
    key = "image_token_index" if "image_token_index" in raw else "image_token_id"
    image_token = Fields({key: IMAGE_TOKEN, **raw}, "").number(key)
    return GotConfig(_vision(vision), _decoder(text), image_token)


def _table(raw: Mapping[str, Any], name: str, whole: Mapping[str, Any], defaults: Mapping[str, Any]) -> Fields:
    found = raw.get(name)
    if found is None:
        return Fields(whole, name + ".")
    if not isinstance(found, dict):
        raise ModelError(f"config.json: {name} should be a table of fields")
    return Fields({**defaults, **found}, name + ".")


def _vision(fields: Fields) -> VisionConfig:
    for name in ("num_channels", "hidden_act", "layer_norm_eps", "qkv_bias", "use_abs_pos", "use_rel_pos"):
        fields.require(name, GOT_VISION[name])
    layers = fields.values["global_attn_indexes"]
    if not isinstance(layers, list) or any(type(layer) is not int for layer in layers):
        raise ModelError(f"config.json: {fields.where}global_attn_indexes should be a list of whole numbers")
    image, patch, window = (fields.number(name) for name in ("image_size", "patch_size", "window_size"))
    return VisionConfig(
        image=(image, image),
        patch=(patch, patch),
        width=fields.number("hidden_size"),
        layers=fields.number("num_hidden_layers"),
        heads=fields.number("num_attention_heads"),
        mlp=fields.number("mlp_dim"),
        window=(window, window),
        global_layers=tuple(layers),
        neck=fields.number("output_channels"),
    )


def _decoder(fields: Fields) -> DecoderConfig:
    """Read the fields of a Qwen2 configuration, refusing what would be another network."""
    heads, width = fields.number("num_attention_heads"), fields.number("hidden_size")
    fields.require("num_key_value_heads", heads, None)
    fields.require("hidden_act", "silu")
    fields.require("use_sliding_window", False)
    fields.require("head_dim", width // max(heads, 1), None)
    fields.require("rope_scaling", None, {"type": "default"}, {"rope_type": "default"})
    types = fields.values.get("layer_types")
    if types is not None and (not isinstance(types, list) or any(kind != "full_attention" for kind in types)):
        raise ModelError(f"config.json: {fields.where}layer_types is not supported: expected full_attention everywhere")
    return DecoderConfig(
        vocab=fields.number("vocab_size"),
        width=width,
        layers=fields.number("num_hidden_layers"),
        heads=heads,
        mlp=fields.number("intermediate_size"),
        eps=fields.real("rms_norm_eps"),
        rope_theta=_rope_theta(fields),
        context=fields.number("max_position_embeddings"),
    )


def _rope_theta(fields: Fields) -> float:
    """Take the base from `rope_parameters` (newer releases) or from `rope_theta`."""
    found = fields.values.get("rope_parameters")
    if found is None:
        return fields.real("rope_theta")
    if not isinstance(found, dict):
        raise ModelError(f"config.json: {fields.where}rope_parameters should be a table of fields")
    rope = Fields({"rope_theta": fields.values["rope_theta"], **found}, fields.where + "rope_parameters.")
    rope.require("rope_type", "default")
    rope.require("partial_rotary_factor", 1.0)
    return rope.real("rope_theta")


def _read_original(raw: Mapping[str, Any], shapes: Shapes) -> GotConfig:
    fields = Fields({**QWEN, "im_patch_token": IMAGE_TOKEN, **raw}, "")
    fields.require("tie_word_embeddings", True)
    vision = _vision_from_shapes(shapes)
    y, x = (grid // 4 for grid in vision.grid)
    fields.require("image_token_len", y * x)
    return GotConfig(vision, _decoder(fields), fields.number("im_patch_token"))


def _vision_from_shapes(shapes: Shapes) -> VisionConfig:
    """Read the encoder's sizes off the tensors: the original keeps them in its code (ViT-B at 1024 pixels)."""
    width, _, *patch = _shape(shapes, TOWER + "patch_embed.proj.weight", 4)
    _, *grid, _ = _shape(shapes, TOWER + "pos_embed", 4)
    mlp, _ = _shape(shapes, TOWER + "blocks.0.mlp.lin1.weight", 2)
    neck, *_ = _shape(shapes, TOWER + "neck.0.weight", 4)
    numbers = {
        int(found.group(1)) for name in shapes if (found := re.match(re.escape(TOWER) + r"blocks\.(\d{1,6})\.", name))
    }
    reach = {i: _reach(shapes, i) for i in sorted(numbers)[:1000]}
    windowed = [size for size in reach.values() if size != tuple(grid)]
    head = _shape(shapes, TOWER + "blocks.0.attn.rel_pos_h", 2)[1]
    return VisionConfig(
        image=(grid[0] * patch[0], grid[1] * patch[1]),
        patch=(patch[0], patch[1]),
        width=width,
        layers=max(numbers) + 1,
        heads=width // max(head, 1),
        mlp=mlp,
        window=windowed[0] if windowed else VisionConfig().window,
        global_layers=tuple(i for i, size in reach.items() if size == tuple(grid)),
        neck=neck,
    )


def _reach(shapes: Shapes, layer: int) -> tuple[int, int]:
    """Say over how many patches a layer's relative positions reach, (vertical, horizontal)."""
    tall, wide = (_shape(shapes, f"{TOWER}blocks.{layer}.attn.rel_pos_{axis}", 2)[0] for axis in "hw")
    return (tall + 1) // 2, (wide + 1) // 2


def _shape(shapes: Shapes, name: str, rank: int) -> tuple[int, ...]:
    if len(shapes.get(name, ())) != rank:
        raise InvalidWeights(f"1 tensor is missing or of a wrong shape: {name}")
    return shapes[name]


def _check_expressible(layout: LayoutName, config: GotConfig) -> None:
    """Raise ModelError that names every field which the published layouts have no place for."""
    v = config.vision
    lost = [f"vision.{name}" for name in ("image", "patch", "window") if len(set(getattr(v, name))) > 1]
    lost += ["vision.strides"] if v.strides != STRIDES else []
    lost += ["vision.eps"] if v.eps != EPS else []
    lost += ["decoder.quantization"] if config.decoder.quantization else []
    lost += ["tiling"] if config.tiling != "whole" else []
    if lost:
        raise ModelError(
            f"the {layout} layout has no place for {', '.join(lost)}: "
            f"it holds plain numbers, square tiles read whole, strides of 2 and eps {EPS}"
        )


def _write_decoder(config: DecoderConfig) -> dict[str, Any]:
    return {
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "initializer_range": 0.02,
        "intermediate_size": config.mlp,
        "max_position_embeddings": config.context,
        "max_window_layers": 21,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.heads,
        "rms_norm_eps": config.eps,
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": True,
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": config.vocab,
    }


def _write_original(config: GotConfig, dtype: str) -> dict[str, Any]:
    y, x = (grid // 4 for grid in config.vision.grid)
    return {
        "architectures": ["GOTQwenForCausalLM"],
        "model_type": "GOT",
        **_write_decoder(config.decoder),
        "sliding_window": config.decoder.context,
        "torch_dtype": dtype,
        "im_start_token": config.image_token - 2,
        "im_end_token": config.image_token - 1,
        "im_patch_token": config.image_token,
        "image_token_len": y * x,
        "use_im_start_end": True,
    }


def _write_hf(config: GotConfig, dtype: str) -> dict[str, Any]:
    v, d = config.vision, config.decoder
    rope = {"rope_theta": d.rope_theta, "rope_type": "default"}
    text = {"model_type": "qwen2", **_write_decoder(d), "rope_parameters": rope, "sliding_window": None}
    vision = {
        **GOT_VISION,
        "model_type": "got_ocr2_vision",
        "hidden_size": v.width,
        "output_channels": v.neck,
        "num_hidden_layers": v.layers,
        "num_attention_heads": v.heads,
        "image_size": v.image[0],
        "patch_size": v.patch[0],
        "window_size": v.window[0],
        "global_attn_indexes": list(v.global_layers),
        "mlp_dim": v.mlp,
    }
    return {
        "architectures": ["GotOcr2ForConditionalGeneration"],
        "model_type": "got_ocr2",
        "dtype": dtype,
        "image_seq_length": 576,  # transformers' default; no code reads it
        "image_token_index": config.image_token,
        "tie_word_embeddings": True,
        "text_config": text,
        "vision_config": vision,
    }
