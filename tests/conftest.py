"""What many tests share: a small vocabulary, tiny random models of both kinds, and a backend that follows a script."""

import signal
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr.errors import NumericError
from got_ocr.ocr import GotOcr
from got_ocr.spec import ModelSpec
from got_ocr.tokenizer import Tokenizer

# A shell starts its background jobs deaf to Ctrl-C, and so would be every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TEXTS = (
    "system\nYou should follow the instructions carefully and explain your answers in detail.",
    "user\n\nOCR: OCR with format: upon the patch reference: across multi pages: assistant\n",
    "the quick brown fox jumps over the lazy dog. The end of the line, and of the page; 0 1 2 3 4 5 6 7 8 9",
)


@pytest.fixture(scope="session")
def small() -> Tokenizer:
    """Learn a vocabulary of 380 pieces, in which whole words stand beside single bytes."""
    from got_ocr.data.vocabulary import learn

    return Tokenizer(learn(TEXTS * 5, 380))


@pytest.fixture(scope="session")
def qwen_file() -> Path:
    """Find the Qwen vocabulary that the dashscope package carries."""
    spec = find_spec("dashscope")
    if spec is None or spec.origin is None:
        pytest.skip("needs the dashscope package for the real vocabulary (pip install dashscope)")
    return Path(spec.origin).parent / "resources" / "qwen.tiktoken"


@pytest.fixture(scope="session")
def qwen(qwen_file: Path) -> Tokenizer:
    return Tokenizer.load(qwen_file.parent)


def save_random(folder: Path, tokenizer: Tokenizer, vision: Any, tiling: str, reads: tuple[str, ...]) -> Path:
    """Write a model folder with every parameter random."""
    import torch

    from got_ocr.model.config import DecoderConfig, GotConfig
    from got_ocr.model.got import GotModel
    from got_ocr.model.weights import save_model

    torch.set_num_threads(1)  # models this small are slower on more, and test processes stand side by side
    decoder = DecoderConfig(vocab=len(tokenizer), width=32, layers=2, heads=4, mlp=40, context=640)
    config = GotConfig(vision, decoder, tokenizer.image, f"tiny-{tiling}", tiling, 8, reads)
    model, generator = GotModel(config), torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, value in model.named_parameters():
            # Sizes under which answers depend on the picture and do not run in circles at once.
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            value.copy_(torch.randn(value.shape, generator=generator) * (0.3 if "embed" in name else 0.5) + centre)
    save_model(model, folder)
    tokenizer.save_tiktoken(folder / "vocab.tiktoken")
    return folder


@pytest.fixture(scope="session")
def whole_folder(small: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a tiny model that squeezes a picture into one tile of 128 pixels: four image tokens."""
    from got_ocr.model.config import VisionConfig

    vision = VisionConfig((128, 128), (16, 16), 16, 3, 2, 24, (3, 3), (1,), 8)
    reads = ("plain", "format", "box", "color", "crop", "multi_page")
    return save_random(tmp_path_factory.mktemp("whole"), small, vision, "whole", reads)


@pytest.fixture(scope="session")
def lines_folder(small: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a tiny model that reads one line a tile, up to 32 x 256 pixels."""
    from got_ocr.model.config import VisionConfig

    vision = VisionConfig((32, 256), (32, 8), 16, 2, 2, 24, (1, 8), (1,), 8, ((1, 1), (1, 2)))
    return save_random(tmp_path_factory.mktemp("lines"), small, vision, "lines", ("plain",))


@pytest.fixture(scope="session")
def whole(whole_folder: Path) -> GotOcr:
    return GotOcr.load(whole_folder, device="cpu")


@pytest.fixture(scope="session")
def lines(lines_folder: Path) -> GotOcr:
    return GotOcr.load(lines_folder, device="cpu")


@dataclass
class Script:
    """A backend that writes what it is told: an answer for each prompt in the order in which rows are opened.

    None in an answer stands for scores that are no numbers; after an answer's end comes `end` for ever.
    """

    spec: ModelSpec
    end: int
    answers: list[Iterable[int | None]] = field(default_factory=list)
    prompts: list[list[int]] = field(default_factory=list)
    tiles: list[tuple[int, ...]] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    steps: int = 0
    spare: int = 7  # written instead of a banned id

    def encode(self, tiles: Sequence[np.ndarray]) -> list[int]:
        self.tiles += [tile.shape for tile in tiles]
        return [self.spec.tokens(tile.shape[1], tile.shape[2]) for tile in tiles]

    def start(self, prompts: Sequence[Sequence[int]], features: Sequence[Sequence[int]], room: int) -> "ScriptRows":
        self.prompts += [list(prompt) for prompt in prompts]
        self.rooms.append(room)
        mine, self.answers = self.answers[: len(prompts)], self.answers[len(prompts) :]
        return ScriptRows(self, [chain(answer, repeat(self.end)) for answer in mine])


@dataclass
class ScriptRows:
    backend: Script
    answers: list[Iterator[int | None]]

    def prefill(self) -> "ScriptRows":
        return self

    def step(self, ids: Sequence[int]) -> "ScriptRows":
        assert len(ids) == len(self.answers)
        self.backend.steps += 1
        return self

    def best(self, banned: Sequence[Collection[int]]) -> list[int]:
        assert len(banned) == len(self.answers)
        tokens = [next(answer) for answer in self.answers]
        if None in tokens:
            raise NumericError("no numbers")
        pairs = zip(tokens, banned, strict=True)
        return [self.backend.spare if token in forbidden else token for token, forbidden in pairs if token is not None]


WHOLE = ModelSpec("script", (128, 128), (64, 64), "whole", 8, 2000, frozenset({"plain", "format"}))
LINES = ModelSpec("script-lines", (32, 256), (32, 16), "lines", 2, 2000, frozenset({"plain"}))


@pytest.fixture
def script(small: Tokenizer) -> Script:
    """Make a scripted backend of the kind that squeezes a picture into one tile."""
    return Script(WHOLE, small.end)


@pytest.fixture
def line_script(small: Tokenizer) -> Script:
    """Make a scripted backend of the kind that reads lines, two a prompt."""
    return Script(LINES, small.end)


def drawn(text: str, size: tuple[int, int], ink: str, paper: str, at: tuple[int, int] = (10, 8)) -> Image.Image:
    """Draw lines of text with the face that Pillow carries."""
    image = Image.new("RGB", size, paper)
    ImageDraw.Draw(image).multiline_text(at, text, ink, ImageFont.load_default(20), spacing=10)
    return image


@pytest.fixture(scope="session")
def page() -> Image.Image:
    """Draw three lines of text, dark on white."""
    return drawn("the first line\nand a second one\nthe third", (220, 120), "black", "white")


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Draw pictures of unequal sizes and numbers of lines."""
    texts = ("one line", "two lines\nof text", "and\nthree\nlines", "many\nmore\nlines\nof\ntext")
    sizes = ((120, 40), (150, 80), (100, 110), (300, 200))
    return [drawn(text, size, "black", "white") for text, size in zip(texts, sizes, strict=True)]
