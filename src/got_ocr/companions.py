"""The small files beside the weights: vocabulary, preprocessing and generation settings, as each layout expects them.

Copies what is there when the layout stays the same; translates the vocabulary when it changes. Knows no tensor. Never
copies code.
"""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from got_ocr import pixels
from got_ocr.errors import ModelError
from got_ocr.model.config import GotConfig
from got_ocr.model.layouts import LayoutName
from got_ocr.model.tensors import write_text, write_whole
from got_ocr.tokenizer import Tokenizer

KEPT = (
    "*.tiktoken",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "chat_template.jinja",
    "CARD.md",
)
TIKTOKEN = {"native": "vocab.tiktoken", "original": "qwen.tiktoken"}


def copy_companions(source: Path, target: Path) -> list[str]:
    """Copy the known small files byte for byte; return their names."""
    found = sorted({path for pattern in KEPT for path in source.glob(pattern) if path.is_file()})
    for path in found:
        write_whole(target / path.name, partial(shutil.copyfile, path))
    return [path.name for path in found]


def write_companions(source: Path, target: Path, layout: LayoutName, config: GotConfig) -> list[str]:
    """Write what a layout expects beside its weights, from another layout's folder; return the names.

    Raises ModelError where the source has no vocabulary, or another model's.
    """
    tokenizer = Tokenizer.load(source)
    if tokenizer.image != config.image_token:
        raise ModelError(f"the vocabulary's image token is {tokenizer.image}, the model's is {config.image_token}")
    if layout != "hf":
        write_whole(target / TIKTOKEN[layout], tokenizer.save_tiktoken)
        return [TIKTOKEN[layout]]
    files = {
        "tokenizer_config.json": _tokenizer_config(),
        "special_tokens_map.json": _special_tokens(),
        "preprocessor_config.json": _preprocessor(config),
        "generation_config.json": _generation(tokenizer),
    }
    write_whole(target / "tokenizer.json", tokenizer.save_tokenizer_json)
    for name, content in files.items():
        write_text(target / name, json.dumps(content, indent=2) + "\n")
    return ["tokenizer.json", *files]


def _special_tokens() -> dict[str, Any]:
    return dict.fromkeys(("bos_token", "eos_token", "pad_token"), "<|endoftext|>")


def _tokenizer_config() -> dict[str, Any]:
    return {
        **_special_tokens(),
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": 8000,
        "processor_class": "GotOcr2Processor",
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def _preprocessor(config: GotConfig) -> dict[str, Any]:
    height, width = config.vision.image
    return {
        "crop_to_patches": False,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": list(pixels.MEAN),
        "image_processor_type": "GotOcr2ImageProcessor",
        "image_std": list(pixels.STD),
        "max_patches": 12,
        "min_patches": 1,
        "processor_class": "GotOcr2Processor",
        "resample": 3,  # bicubic
        "rescale_factor": 1 / 255,
        "size": {"height": height, "width": width},
    }


def _generation(tokenizer: Tokenizer) -> dict[str, Any]:
    return {"do_sample": False, "eos_token_id": tokenizer.end, "max_new_tokens": 4096, "pad_token_id": tokenizer.pad}
