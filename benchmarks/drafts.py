"""What drafts bring: `python benchmarks/drafts.py cost|replay|bundled`. Needs no trained weights of the published size.

cost: the published decoder with random weights: what a pass over K ids takes, and how fast an answer is written whose draft is
right with a given probability at each id. replay: no model: passes that a text of a PDF page, or the answer itself, saves where
the answer is known. bundled: the bundled model on one born-digital page, with and without drafts.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from got_ocr.backends.torch import DTYPES, TorchBackend
from got_ocr.drafts import MOST, Draft, DraftName, NgramDraft, Pace, TextDraft
from got_ocr.generate import Outcome, Request, finish, generate

PROMPT = 287
WIDTHS = (1, 2, 4, 8, 12, 16, 24, 32)
END = -1  # never written


@dataclass
class Forced:
    """Propose a known answer, each id right with a probability, at the pace of the real drafts."""

    answer: Sequence[int]
    right: float
    pace: Pace
    rng: np.random.Generator

    def propose(self, ids: Sequence[int]) -> Sequence[int]:
        """Guess what follows."""
        known = self.answer[len(ids) : len(ids) + self.pace.width(ids)]
        return self.pace.made(ids, [i if self.rng.random() < self.right else (i + 1) % 1000 for i in known])


def decoder(dtype: torch.dtype) -> TorchBackend:
    """Build the published decoder with random weights behind a tiny encoder, in its fast form."""
    from got_ocr.model.config import GotConfig, VisionConfig
    from got_ocr.model.fast.pick import fast_model
    from got_ocr.model.got import GotModel

    config = GotConfig(vision=VisionConfig((64, 64), (16, 16), 16, 1, 1, 16, (2, 2), (), 8))
    with torch.device("meta"):
        model = GotModel(config)
    model = model.to(dtype).to_empty(device="cpu")
    noise = torch.randn(1 << 20, generator=torch.Generator().manual_seed(1)).to(dtype)
    with torch.no_grad():
        for number, (name, value) in enumerate(model.named_parameters()):
            if value.dim() == 1:
                value.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
                continue
            flat, scale = value.view(-1), 0.02 if "embed" in name else value[0].numel() ** -0.5
            for start in range(0, flat.numel(), noise.numel()):
                part = flat[start : start + noise.numel()]
                part.copy_(noise.roll(number * 7919 + start // 1000)[: part.numel()])
            value.mul_(scale)
    return TorchBackend(fast_model(model))


def cost(dtype: str, ids: int, rates: Sequence[float], most: int, repeats: int, rounds: int) -> None:
    """Time passes over K ids and forced drafts."""
    backend = decoder(DTYPES[dtype])
    rng = np.random.default_rng(1)
    prompt = [int(i) for i in rng.integers(0, 150_000, PROMPT)]
    rows = backend.start([prompt], [[]], 512)
    rows.prefill()
    times = {width: list[float]() for width in WIDTHS}
    for round_ in range(repeats + 1):
        for width in WIDTHS:
            start = time.perf_counter()
            chosen = [5] * width
            scores = rows.extend([chosen]) if width > 1 else [rows.step(chosen)]
            for one in scores:
                one.best([()])
            if round_:
                times[width].append(time.perf_counter() - start)
            rows.forget([width])
    passes = {width: 1000 * statistics.median(found) for width, found in times.items()}
    tell(kind="pass", dtype=dtype, ms={k: round(v, 2) for k, v in passes.items()},
         times_one={k: round(v / passes[1], 2) for k, v in passes.items()})  # fmt: skip
    # A ban of single ids: random weights say one word for ever otherwise.
    asked = Request(prompt, [], END, ban=1, watch=False, max_new_tokens=ids)
    plain, _ = timed(backend, asked, None)
    took: dict[float | None, list[float]] = {right: [] for right in (None, *rates)}
    ends: dict[float | None, Outcome] = {None: plain}
    for _ in range(rounds):
        for right, found in took.items():
            draft = None if right is None else Forced(plain.ids, right, Pace(most), np.random.default_rng(2))
            ends[right], seconds = timed(backend, asked, draft)
            found.append(seconds)
    alone = statistics.median(took[None])
    for right, outcome in ends.items():
        median = statistics.median(took[right])
        tell(kind="answer", dtype=dtype, right=right, most=most, equal=equal(plain, outcome), steps=outcome.steps or ids,
             tok_s=round(ids / median, 1), spread=round((max(took[right]) - min(took[right])) / median, 2),
             faster=round(alone / median, 2))  # fmt: skip


def timed(backend: TorchBackend, asked: Request, draft: Draft | None) -> tuple[Outcome, float]:
    """Write one answer: how it ended, and the seconds behind its first id, which the prompt gives."""
    running = generate(backend, [replace(asked, draft=draft)])
    next(running)
    start = time.perf_counter()
    (outcome,) = finish(running)
    return outcome, time.perf_counter() - start


def replay(vocabulary: str, each: int, most: int) -> None:
    """Count the ids a pass where the answer is known: labels of synthesised samples, and pages of a PDF with a text layer."""
    from got_ocr import hub, pdf
    from got_ocr.data.build import generator, source
    from got_ocr.tokenizer import Tokenizer

    tokenizer = Tokenizer.load(hub.resolve(vocabulary).path)
    for name in ("text", "document", "table", "formula", "music", "chart"):
        labels = [source(name, {})(generator("drafts", 1, number)).target for number in range(each)]
        passes = [follow(NgramDraft(most), [*tokenizer.encode(label), tokenizer.end]) for label in labels]
        tell(kind="replay", draft="ngram", answers=name, **summed(passes))
    page = born_digital(columns=2)
    layer, prose = pdf.text(page, 0, None), "\n".join(paragraphs())
    rng = np.random.default_rng(4)
    answers = {
        "line by line": layer.replace("\r\n", "\n").replace("\x02", "-").replace("\ufffe", "-"),
        "paragraphs": prose,
    }
    for name, answer in answers.items():
        for wrong in (0.0, 0.01, 0.03):
            said = "".join(chr(97 + int(rng.integers(26))) if rng.random() < wrong else c for c in answer)
            draft = TextDraft(tokenizer, lambda: layer, most)
            passed = follow(draft, [*tokenizer.encode(said), tokenizer.end])
            tell(kind="replay", draft="text layer", answers=name, wrong_letters=wrong, **summed([passed]))


def summed(passes: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Join (ids, passes) of some answers."""
    ids, steps = (sum(part) for part in zip(*passes, strict=True))
    return {"ids": ids, "steps": steps, "ids_a_step": round(ids / steps, 2)}


def follow(draft: Draft, ids: Sequence[int]) -> tuple[int, int]:
    """Write a known answer with a draft as `generate` does: (ids, passes)."""
    done, steps = 1, 1
    while done < len(ids):
        guess = draft.propose(ids[:done])
        done += next((i for i, g in enumerate(guess) if done + i >= len(ids) or g != ids[done + i]), len(guess)) + 1
        steps += 1
    return len(ids), steps


def paragraphs() -> list[str]:
    """Give some prose of this repository."""
    text = (Path(__file__).parents[1] / "docs" / "train.md").read_text("utf-8")
    blocks = [" ".join(block.split()) for block in text.split("\n\n")]
    return [block for block in blocks if block[0].isalpha() and len(block) > 200][:8]


def born_digital(columns: int) -> bytes:
    """Typeset the prose as one PDF page, justified and hyphenated."""
    import typst

    blocks = "\n\n".join(f"#{json.dumps(block, ensure_ascii=False)}" for block in paragraphs())
    head = f"#set page(width: 20cm, height: 29cm, columns: {columns})\n#set par(justify: true)\n"
    return bytes(typst.compile((head + "#set text(size: 11pt, hyphenate: true)\n" + blocks).encode(), format="pdf"))


def bundled(rounds: int) -> None:
    """Stream one born-digital page with the bundled model, with and without its text layer in turn."""
    from got_ocr.ocr import GotOcr

    model, page = GotOcr.load("bundled", device="cpu"), born_digital(columns=1)
    choices: tuple[DraftName, ...] = ("none", "ngram", "auto")
    seconds = {choice: list[float]() for choice in choices}
    texts, steps, tokens = set[str](), dict[str, int](), 0
    for _ in range(rounds):
        for choice in choices:
            *_, reading = model.stream(page, draft=choice)
            if not isinstance(reading, str):
                seconds[choice].append(reading.seconds)
                texts.add(reading.text)
                steps[choice], tokens = reading.steps, reading.tokens
    for choice in choices:
        tell(kind="bundled", draft=choice, equal=len(texts) == 1, ids=tokens, ids_a_step=round(tokens / steps[choice], 2),
             seconds=round(statistics.median(seconds[choice]), 3))  # fmt: skip


def equal(one: Outcome, two: Outcome) -> str:
    """Say how many ids are the same before the first that differs."""
    same = next((i for i, (a, b) in enumerate(zip(one.ids, two.ids, strict=False)) if a != b), len(one.ids))
    return f"{same}/{len(one.ids)}"


def tell(**figures: Any) -> None:
    """Print one line of figures."""
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("cost", "replay", "bundled"))
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="bfloat16")
    parser.add_argument("--ids", type=int, default=200)
    parser.add_argument("--rates", type=float, nargs="*", default=(1.0, 0.95, 0.8, 0.5, 0.0))
    parser.add_argument("--most", type=int, default=MOST)
    parser.add_argument("--vocabulary", default="bundled", help="model folder whose vocabulary `replay` uses")
    parser.add_argument("--each", type=int, default=20, help="samples of each source in `replay`")
    parser.add_argument("--repeats", type=int, default=7, help="of each width in `cost`, of each draft in `bundled`")
    parser.add_argument("--rounds", type=int, default=3, help="of all answers in `cost`, in turn")
    given = parser.parse_args()
    parts: dict[str, Callable[[], None]] = {
        "cost": lambda: cost(given.dtype, given.ids, given.rates, given.most, given.repeats, given.rounds),
        "replay": lambda: replay(given.vocabulary, given.each, given.most),
        "bundled": lambda: bundled(given.repeats),
    }
    parts[given.part]()


if __name__ == "__main__":
    main()
