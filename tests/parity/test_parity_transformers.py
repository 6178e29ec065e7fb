"""Our corridor against transformers', from the picture to the last greedy token, on the same tiny random weights."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from got_ocr import pixels, prompt, tiles
from got_ocr.model.got import GotModel
from got_ocr.task import Task

TOKENS = 64
BOX = (13, 20, 111, 187)
BOXES = (BOX, (0, 1, 2, 3), (0, 0, 640, 128), (1, 0, 129, 120))  # one in each picture


@dataclass(frozen=True)
class Case:
    """One kind of request: our task, and the words by which the reference is asked for the same."""

    name: str
    task: Task
    words: dict[str, Any] = field(default_factory=dict)
    pages: int = 1


CASES = (
    Case("plain", Task()),
    Case("format", Task("format"), {"format": True}),
    Case("box", Task(box=BOX, box_mode="prompt"), {"box": list(BOX)}),
    Case("colour", Task(color="green"), {"color": "green"}),
    Case("crop", Task("format", crop=True), {"format": True, "crop_to_patches": True, "max_patches": 6}),
    Case("multi-page", Task("format", multi_page=True), {"format": True, "multi_page": True}, pages=3),
)


def reference_inputs(oracle: Any, case: Case, images: list[Image.Image]) -> Any:
    words = {key: list(value) if isinstance(value, list) else value for key, value in case.words.items()}
    picture = images if case.pages > 1 else images[0]
    return oracle.processor(picture, return_tensors="pt", num_image_tokens=4, **words)


def batch_inputs(oracle: Any, images: list[Image.Image]) -> Any:
    """Ask about a box in each picture, so that the prompts differ in length."""
    boxes = [list(box) for box in BOXES[: len(images)]]
    return oracle.processor(images, return_tensors="pt", num_image_tokens=4, box=boxes, padding=True)


def our_tiles(model: GotModel, case: Case, images: list[Image.Image]) -> list[Tensor]:
    spec = model.config.spec
    cut = [tiles.crop_tiles(image, spec, 6) if case.task.crop else (tiles.whole(image, spec),) for image in images]
    return [torch.from_numpy(pixels.normalise(tile)) for group in cut for tile in group]


def our_ids(oracle: Any, case: Case, images: list[Image.Image], count: int) -> list[int]:
    return list(prompt.build(oracle.tokenizer, case.task, 4 * count, images[0].size, "hf").ids)


def greedy(model: GotModel, rows: list[list[int]], features: list[Tensor], steps: int) -> Tensor:
    """Decode rows of unequal length together through the cache: (B, steps)."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    cache = model.new_cache(len(rows), ids.shape[1] + steps)
    scores = model.prefill(ids, lengths, torch.cat(features), cache)
    out = []
    for step in range(steps):
        out.append(scores.argmax(-1))
        scores = model.step(out[-1], cache, int(lengths.max()) + step + 1)
    return torch.stack(out, 1)


def reference_greedy(oracle: Any, inputs: Any) -> Tensor:
    words = {"do_sample": False, "max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "eos_token_id": None}
    out: Tensor = oracle.network.generate(**inputs, **words, pad_token_id=oracle.tokenizer.pad)
    return out[:, inputs["input_ids"].shape[1] :]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@torch.inference_mode()
def test_picture_to_tokens_equal(oracle: Any, case: Case, pictures: list[Image.Image]) -> None:
    images = pictures[: case.pages]
    inputs = reference_inputs(oracle, case, images)
    ours = our_tiles(oracle.ours, case, images)
    assert len(ours) == inputs["pixel_values"].shape[0]
    assert (len(ours) > 1) == (case.name in ("crop", "multi-page"))
    assert (torch.stack(ours) - inputs["pixel_values"]).abs().max() < 1e-5
    ids = our_ids(oracle, case, images, len(ours))
    assert ids == inputs["input_ids"][0].tolist()

    features = oracle.ours.encode_many(ours)
    expected = oracle.network.model.get_image_features(inputs["pixel_values"]).pooler_output
    assert (torch.stack(features) - expected).abs().max() < 1e-4
    logits = oracle.ours(torch.tensor([ids]), torch.cat(features))
    assert (logits - oracle.network(**inputs).logits).abs().max() < 1e-4

    tokens = greedy(oracle.ours, [ids], features, TOKENS)
    assert tokens.tolist() == reference_greedy(oracle, inputs).tolist()
    assert len(set(tokens[0].tolist())) > 20, "the random network repeats itself: equality would prove little"


@torch.inference_mode()
def test_batch_of_unequal_pictures_equal(oracle: Any, pictures: list[Image.Image]) -> None:
    inputs = batch_inputs(oracle, pictures)
    rows, features = [], []
    for image, box in zip(pictures, BOXES, strict=True):
        case = Case("", Task(box=box, box_mode="prompt"))
        row_tiles = our_tiles(oracle.ours, case, [image])
        rows.append(our_ids(oracle, case, [image], 1))
        features.append(torch.cat(oracle.ours.encode_many(row_tiles)))
    assert len({len(row) for row in rows}) > 1
    for row, ids, mask in zip(rows, inputs["input_ids"], inputs["attention_mask"], strict=True):
        assert row == ids[mask == 1].tolist()
    assert greedy(oracle.ours, rows, features, TOKENS).tolist() == reference_greedy(oracle, inputs).tolist()


@torch.inference_mode()
def test_batch_rows_do_not_see_each_other(oracle: Any, pictures: list[Image.Image]) -> None:
    first, second = (our_ids(oracle, case, pictures[:1], 1) for case in (CASES[0], CASES[2]))
    features = [oracle.ours.encode_many(our_tiles(oracle.ours, CASES[0], [image]))[0] for image in pictures[:3]]
    together = greedy(oracle.ours, [first, second], [features[0], features[1]], TOKENS)
    other = greedy(oracle.ours, [first, second], [features[0], features[2]], TOKENS)
    assert together[0].equal(other[0])
    assert not together[1].equal(other[1])
    assert together[0].equal(greedy(oracle.ours, [first], [features[0]], TOKENS)[0])


@torch.inference_mode()
def test_original_text_ids_equal_the_reference_tokenizer(oracle: Any, case: Case, fast_tokenizer: Any) -> None:
    size = (300, 200)
    query = prompt.query(case.task, size)
    assert (
        query
        == {
            "plain": "OCR: ",
            "format": "OCR with format: ",
            "box": "[43, 100, 370, 935] OCR: ",
            "colour": "[green] OCR: ",
            "crop": "OCR with format upon the patch reference: ",
            "multi-page": "OCR with format across multi pages: ",
        }[case.name]
    )
    system = "You should follow the instructions carefully and explain your answers in detail."
    text = f"<|im_start|>system\n{system}<|im_end|><|im_start|>user\n<img>{'<imgpad>' * 8}</img>\n{query}<|im_end|>"
    expected = fast_tokenizer(text + "<|im_start|>assistant\n")["input_ids"]
    assert list(prompt.build(oracle.tokenizer, case.task, 8, size).ids) == expected


@pytest.mark.parametrize(
    "text", ["Hello, 2024-10-31!", "数学 12345 和 ½ é\n\n  x", "\\frac{1}{2} & <|im_end|x 🎼", "a\r\n\tb  c"]
)
def test_text_ids_equal_the_reference_tokenizer(oracle: Any, fast_tokenizer: Any, text: str) -> None:
    assert oracle.tokenizer.encode(text) == fast_tokenizer(text)["input_ids"]
    assert oracle.tokenizer.decode(oracle.tokenizer.encode(text)) == text


def test_loss_and_gradients_equal(oracle: Any, pictures: list[Image.Image]) -> None:
    inputs = batch_inputs(oracle, pictures[:2])
    # Padded on the right, as in training.
    rows = [ids[mask == 1] for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    labels = torch.where(mask == 1, ids, -100)
    labels[:, :20] = -100
    oracle.network.zero_grad()
    oracle.ours.zero_grad()
    expected = oracle.network(
        input_ids=ids, attention_mask=mask, pixel_values=inputs["pixel_values"], labels=labels
    ).loss
    loss = oracle.ours.loss(ids, oracle.ours.encode(inputs["pixel_values"]).flatten(0, 1), labels)
    assert abs(loss.item() - expected.item()) < 1e-5
    expected.backward()
    loss.backward()
    theirs = dict(oracle.network.named_parameters())
    pairs = {
        "decoder.embed.weight": "model.language_model.embed_tokens.weight",
        "vision.pos_embed": "model.vision_tower.pos_embed",
        "vision.layers.0.attn.rel_pos_h": "model.vision_tower.layers.0.attn.rel_pos_h",
        "vision.layers.1.attn.rel_pos_w": "model.vision_tower.layers.1.attn.rel_pos_w",
        "vision.patch_embed.weight": "model.vision_tower.patch_embed.projection.weight",
    }
    for ours, name in pairs.items():
        gradient, other = oracle.ours.get_parameter(ours).grad, theirs[name].grad
        assert gradient is not None
        assert float((gradient - other).abs().max()) < 1e-4 * float(other.abs().max()) + 1e-7
