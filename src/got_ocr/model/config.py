"""Sizes of a GOT network. Frozen values and their JSON form; knows no tensor and no file.

The defaults are the published 560,528,640-parameter model (paper section 3.2); the bundled small model and the tiny
twins in tests are other values of the same fields.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from got_ocr.errors import ModelError
from got_ocr.spec import ModelSpec, Tiling

T = TypeVar("T")
Pair = tuple[int, int]  # (vertical, horizontal) everywhere
MOST = 1 << 20  # no whole number of a configuration is larger; a hostile file cannot ask for the moon


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """Size the ViTDet encoder and the two down-sampling convolutions. Pairs are (vertical, horizontal).

    image: largest input in pixels. strides: of the two convolutions behind the neck (GOT: (2, 2) twice).
    """

    image: Pair = (1024, 1024)
    patch: Pair = (16, 16)
    width: int = 768
    layers: int = 12
    heads: int = 12
    mlp: int = 3072
    window: Pair = (14, 14)
    global_layers: tuple[int, ...] = (2, 5, 8, 11)
    neck: int = 256
    strides: tuple[Pair, Pair] = ((2, 2), (2, 2))
    eps: float = 1e-6

    @property
    def grid(self) -> Pair:
        """Count the patches of the largest input."""
        return self.image[0] // self.patch[0], self.image[1] // self.patch[1]

    @property
    def cell(self) -> Pair:
        """Measure the pixels behind one image token."""
        (s1v, s1h), (s2v, s2h) = self.strides
        return self.patch[0] * s1v * s2v, self.patch[1] * s1h * s2h


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Size the Qwen-style decoder: all heads are key/value heads, the output head is tied to the embedding.

    quantization: int8, int4 (see `got_ocr.model.quant`), or empty for plain numbers.
    """

    vocab: int = 151860
    width: int = 1024
    layers: int = 24
    heads: int = 16
    mlp: int = 2816
    eps: float = 1e-6
    rope_theta: float = 1e6
    context: int = 32768
    quantization: str = ""


@dataclass(frozen=True, slots=True)
class GotConfig:
    """Size the whole network and say how its pictures are cut (see `got_ocr.spec.ModelSpec`)."""

    vision: VisionConfig = field(default_factory=VisionConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    image_token: int = 151859
    name: str = "GOT-OCR2_0"
    tiling: str = "whole"
    tiles_per_prompt: int = 64
    reads: tuple[str, ...] = ("plain", "format", "box", "color", "crop", "multi_page")
    figure_tokens: int = 0
    line_height: int = 0

    def __post_init__(self) -> None:
        v, d = self.vision, self.decoder
        sizes = [*v.image, *v.patch, *v.window, *v.strides[0], *v.strides[1], v.width, v.layers, v.heads, v.mlp, v.neck]
        sizes += [d.vocab, d.width, d.layers, d.heads, d.mlp, d.context, self.tiles_per_prompt]
        if min(sizes) < 1 or min(v.eps, d.eps, d.rope_theta) <= 0:
            raise ModelError("model configuration: every size is at least 1, eps and rope_theta are above 0")
        problems = [
            (v.image[0] % v.cell[0] or v.image[1] % v.cell[1], "vision.image is a multiple of patch x strides"),
            (v.width % v.heads, "vision.width is a multiple of vision.heads"),
            (d.width % d.heads or (d.width // d.heads) % 2, "decoder.width / decoder.heads is an even whole number"),
            (max(v.layers, d.layers) > 128, "vision.layers and decoder.layers are at most 128"),
            (not 0 <= self.image_token < d.vocab, "image_token lies inside the vocabulary"),
            (d.quantization not in ("", "int8", "int4"), "decoder.quantization is one of int8, int4 or empty"),
            (self.tiling not in ("whole", "lines"), "tiling is one of whole, lines"),
            (self.line_height % v.patch[0] or self.line_height > v.image[0], "line_height is some rows of patches"),
        ]
        broken = [rule for bad, rule in problems if bad]
        if broken:
            raise ModelError("model configuration: expected that " + "; ".join(broken))

    @property
    def spec(self) -> ModelSpec:
        """Say what the pictures and prompts of this model are like."""
        tiling: Tiling = "lines" if self.tiling == "lines" else "whole"
        v = self.vision
        return ModelSpec(
            self.name, v.image, v.cell, tiling, self.tiles_per_prompt, self.decoder.context, frozenset(self.reads),
            self.figure_tokens, self.line_height,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Write the fields as JSON values."""
        return {"model_type": "got-ocr", **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "GotConfig":
        """Read what `to_json` wrote; absent fields keep their defaults.

        Raises ModelError that names an unknown or mistyped field.
        """
        rest = {key: value for key, value in data.items() if key not in ("model_type", "vision", "decoder")}
        vision = _take(VisionConfig, data.get("vision", {}), "vision.")
        decoder = _take(DecoderConfig, data.get("decoder", {}), "decoder.")
        return _take(cls, {**rest, "vision": vision, "decoder": decoder}, "")


def _take(kind: type[T], data: Any, where: str) -> T:
    if not isinstance(data, Mapping):
        raise ModelError(f"model configuration: {where.rstrip('.')} should be a table of fields")
    hints = get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise ModelError(f"model configuration: unknown fields: {', '.join(where + name for name in unknown[:20])}")
    return kind(**{key: _fit(value, hints[key], where + key) for key, value in data.items()})


def _fit(value: Any, hint: Any, where: str) -> Any:
    """Turn a JSON value into what a field holds (lists into tuples), or raise ModelError."""
    if is_dataclass(hint):
        return value
    parts = get_args(hint)
    if parts and isinstance(value, list | tuple):
        kinds = (parts[0],) * len(value) if parts[1:] == (...,) else parts
        if len(kinds) == len(value):
            return tuple(_fit(item, kind, where) for item, kind in zip(value, kinds, strict=True))
    elif (hint is str and isinstance(value, str)) or (hint is int and type(value) is int and 0 <= value <= MOST):
        return value
    elif hint is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    raise ModelError(f"model configuration: {where} has a value of the wrong kind")
