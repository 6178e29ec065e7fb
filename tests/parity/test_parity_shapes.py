"""Encoder and logits against transformers over shapes: windows that pad or cover the grid, global layers anywhere."""

from pathlib import Path

import pytest
import torch

from got_ocr.model.configs import read_config, write_config
from got_ocr.model.weights import load_model

SHAPES = {  # image, window, global layers, vision heads, decoder heads
    "padded windows": (128, 3, [1], 4, 4),
    "small tile": (64, 3, [0], 2, 6),
    "windows that fit": (128, 4, [2], 1, 1),
    "padded on a large grid": (192, 5, [0, 2], 8, 2),
    "window larger than the grid": (64, 14, [2], 4, 3),
    "no global layer": (128, 3, [], 4, 4),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@torch.inference_mode()
def test_shapes_agree(shape: tuple[int, int, list[int], int, int], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    image, window, layers, vision_heads, heads = shape
    config = transformers.GotOcr2Config(
        vision_config={
            "hidden_size": 32,
            "output_channels": 16,
            "num_hidden_layers": 3,
            "num_attention_heads": vision_heads,
            "image_size": image,
            "patch_size": 16,
            "window_size": window,
            "global_attn_indexes": layers,
            "mlp_dim": 40,
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": 100,
            "hidden_size": 48,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": heads,
            "num_key_value_heads": heads,
            "rope_theta": 10_000.0 * heads,
            "rms_norm_eps": 1e-5,
            "tie_word_embeddings": True,
        },
        image_token_index=99,
        attn_implementation="eager",
    )
    network = transformers.GotOcr2ForConditionalGeneration(config).eval()
    generator = torch.Generator().manual_seed(image + window)
    for name, value in network.named_parameters():
        centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        value.copy_(torch.randn(value.shape, generator=generator) * 0.2 + centre)
    network.tie_weights()
    network.save_pretrained(tmp_path)
    ours = load_model(tmp_path)

    pixels = torch.randn(2, 3, image, image, generator=generator)
    features = ours.encode(pixels)
    expected = network.model.get_image_features(pixels).pooler_output
    assert expected.abs().max() > 0.5
    assert (features - expected).abs().max() < 1e-4
    words = torch.randint(0, 99, (2, 30), generator=generator)
    ids = torch.cat((words[:, :7], torch.full((2, features.shape[1]), 99), words[:, 7:]), 1)
    logits = network(input_ids=ids, pixel_values=pixels).logits
    assert (ours(ids, features.flatten(0, 1)) - logits).abs().max() < 1e-4

    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert read_config("hf", write_config("hf", ours.config, "float32"), shapes) == ours.config
