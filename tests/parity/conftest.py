"""The oracle: transformers' GotOcr2 with tiny random weights and the real vocabulary."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from got_ocr.model.got import GotModel
from got_ocr.model.weights import load_model
from got_ocr.tokenizer import SPECIALS, Tokenizer

VISION = {
    "hidden_size": 32,
    "output_channels": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": 128,
    "patch_size": 16,
    "window_size": 3,  # does not divide the grid of 8: padding takes part
    "global_attn_indexes": [1],
    "mlp_dim": 48,
}
TEXT = {
    "model_type": "qwen2",
    "vocab_size": 151860,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 1024,
    "rope_theta": 1e6,
    "tie_word_embeddings": True,
}
IMAGE_TOKENS = 4  # of a 128-pixel tile


@dataclass(frozen=True)
class Oracle:
    """The reference network and processor, the folder they were saved to, and our network opened from it."""

    network: Any
    processor: Any
    folder: Path
    ours: GotModel
    tokenizer: Tokenizer


def randomise(network: torch.nn.Module, seed: int) -> None:
    """Fill every parameter, since the reference starts relative positions and most of the encoder at zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            value.copy_(torch.randn(value.shape, generator=generator) * 0.25 + centre)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def vocabulary() -> Path:
    """Find the Qwen vocabulary that the dashscope package carries."""
    spec = find_spec("dashscope")
    if spec is None or spec.origin is None:
        pytest.skip("needs the dashscope package for the real vocabulary (pip install dashscope)")
    return Path(spec.origin).parent / "resources" / "qwen.tiktoken"


@pytest.fixture(scope="session")
def fast_tokenizer(vocabulary: Path) -> Any:
    """Build transformers' tokenizer from the vocabulary, with none of our code."""
    os.environ["TIKTOKEN_CACHE_DIR"] = ""
    transformers = pytest.importorskip("transformers")
    from transformers.convert_slow_tokenizer import TikTokenConverter

    converter = TikTokenConverter(vocab_file=str(vocabulary), extra_special_tokens=list(SPECIALS))
    end = "<|endoftext|>"
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=converter.converted(),
        model_input_names=["input_ids", "attention_mask"],
        pad_token=end,
        bos_token=end,
        eos_token=end,
        padding_side="left",
    )


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory, vocabulary: Path, fast_tokenizer: Any) -> Oracle:
    transformers = pytest.importorskip("transformers")
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    config = transformers.GotOcr2Config(vision_config=VISION, text_config=TEXT, attn_implementation="eager")
    network = transformers.GotOcr2ForConditionalGeneration(config).eval()
    randomise(network, 1)
    network.tie_weights()
    folder = tmp_path_factory.mktemp("oracle")
    network.save_pretrained(folder)
    images = GotOcr2ImageProcessorPil(size={"height": 128, "width": 128})
    processor = transformers.GotOcr2Processor(image_processor=images, tokenizer=fast_tokenizer)
    tokenizer = Tokenizer.load(vocabulary.parent)
    return Oracle(network, processor, folder, load_model(folder), tokenizer)


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Draw pictures of unequal sizes with something to see in each."""
    return [_picture(seed, size) for seed, size in enumerate(((300, 200), (97, 333), (640, 128), (129, 127)))]


def _picture(seed: int, size: tuple[int, int]) -> Image.Image:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(int(v) for v in rng.integers(160, 256, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = int(rng.integers(size[0])), int(rng.integers(size[1]))
        draw.line(
            (x, y, x + int(rng.integers(40)), y + int(rng.integers(20))), tuple(rng.integers(0, 200, 3).tolist()), 2
        )
    return image
