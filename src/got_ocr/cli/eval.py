"""`got-ocr eval`: read a benchmark or synthesised pictures with a model and its peers, print what both scorers say.

Answers go to a JSON-lines file and are taken from there when the command is run again, so a broken run goes on where it
stopped and the model is loaded only when a question is open.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from got_ocr.errors import UsageError
from got_ocr.task import Task

if TYPE_CHECKING:
    from got_ocr.eval.benches import Example, Picture
    from got_ocr.eval.predict import Prediction, Reader
    from got_ocr.eval.report import Report
    from got_ocr.eval.score import Row
    from got_ocr.reading import Reading

    Answers = Iterator[tuple[Example, Prediction]]

_DRAWS = 1000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    from got_ocr.profiles import PROFILES

    parser = subparsers.add_parser("eval", help="score a model on a benchmark or on synthesised pictures")
    source = parser.add_argument_group("what is read")
    source.add_argument("bench", nargs="?", type=Path, help="benchmark: a .json or .jsonl file, or a folder of .jsonl")
    source.add_argument("--images", type=Path, help="folder of the benchmark's pictures (default: beside the file)")
    source.add_argument("--kind", help="kind of rows that name none (default: the file's name)")
    source.add_argument("--mode", choices=("plain", "format"), help="ask this of every row, whatever its prompt says")
    source.add_argument("--recipe", help="synthesise pictures instead: a recipe's name or TOML file")
    source.add_argument("--count", type=int, default=100, help="how many to synthesise (default: 100)")
    source.add_argument("--seed", type=int, default=0, help="seed of the pictures and of the intervals (default: 0)")
    source.add_argument("--limit", type=int, help="stop after this many questions")
    source.add_argument("--chunk", metavar="K/N", help="take only part K of N, for several machines; join their files")
    reader = parser.add_argument_group("who reads")
    reader.add_argument("--model", help="folder or Hub name of the weights (default: the bundled model)")
    reader.add_argument("--no-model", action="store_true", help="no model: --predictions, --answers and peers alone")
    reader.add_argument(
        "--peer", action="append", default=[], help="also tesseract[:LANGUAGES] or rapidocr; repeatable"
    )
    reader.add_argument("--answers", type=Path, help="also another program's result file: rows of image, label, answer")
    reader.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    reader.add_argument("--dtype", default="auto", help="auto, float32, bfloat16, int8 or int4")
    reader.add_argument("--profile", choices=PROFILES, default="safe", help="rules of reading (default: safe)")
    reader.add_argument("--max-new-tokens", type=int, default=4096, help="longest answer (default: 4096)")
    output = parser.add_argument_group("what is written")
    output.add_argument(
        "--predictions", type=Path, help="file of answers, resumed (default: predictions.jsonl in --out)"
    )
    output.add_argument("--retry-failed", action="store_true", help="ask failed pictures again when resuming")
    output.add_argument("--out", type=Path, help="folder for report.md, report.json and the answers")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status: 0, or 3 when a picture failed."""
    from got_ocr.eval.report import to_markdown, write

    _check(args)
    with tempfile.TemporaryDirectory() as scratch:
        rows = _rows(args, args.predictions or (args.out or Path(scratch)) / "predictions.jsonl")
    if not rows:
        raise UsageError("nothing to score: the benchmark is empty, or --limit or --chunk leaves nothing")
    report = _report(args, rows)
    print(to_markdown(report), end="")
    if args.out:
        for path in write(report, args.out):
            print(path, file=sys.stderr)
    return 3 if any(scores.failed for scores in report.scores) else 0


def _check(args: argparse.Namespace) -> None:
    if (args.bench is None) == (args.recipe is None):
        raise UsageError("name a benchmark file or --recipe, one of the two")
    if args.no_model and not args.peer and args.answers is None and args.predictions is None:
        raise UsageError("--no-model needs --peer, --answers or --predictions: nobody is left to read")
    if args.count < 1 or (args.limit is not None and args.limit < 1) or args.seed < 0:
        raise UsageError("--count and --limit are at least 1, --seed is not negative")
    if args.recipe is not None and (args.images is not None or args.answers is not None):
        raise UsageError("--images and --answers belong to a benchmark file, not to --recipe")
    _chunk(args.chunk)


def _chunk(text: str | None) -> tuple[int, int]:
    """Return (offset, step) of the chunk `K/N`."""
    if text is None:
        return 0, 1
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise UsageError("--chunk is K/N with K from 1 to N, such as 1/8")
    return int(part) - 1, int(parts)


def _examples(args: argparse.Namespace) -> Iterator["Example"]:
    from got_ocr.eval.benches import read_bench

    everything = _synthesised(args) if args.recipe else read_bench(args.bench, args.images, args.kind, args.mode)
    offset, step = _chunk(args.chunk)
    return islice(islice(everything, args.limit), offset, None, step)


def _synthesised(args: argparse.Namespace) -> Iterator["Example"]:
    from got_ocr.data.build import build, recipe
    from got_ocr.eval.benches import Example

    made = recipe(args.recipe)
    for index in range(args.count):
        sample = build(made, args.seed, index)
        task = sample.task if args.mode is None else replace(sample.task, mode=args.mode)
        yield Example(f"{made.name}/{args.seed}/{index:06d}", sample.images, task, sample.target, sample.kind)


def _rows(args: argparse.Namespace, file: Path) -> list["Row"]:
    """Let every reader answer and score what it says, one example in memory at a time."""
    from got_ocr.eval.score import score_row

    rows = []
    for name, answers in _readers(args, file):
        for count, (example, prediction) in enumerate(answers, 1):
            rows.append(score_row(example, prediction))
            if sys.stderr.isatty():
                print(f"\r{name}: {count}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return rows


def _readers(args: argparse.Namespace, file: Path) -> Iterator[tuple[str, "Answers"]]:
    from got_ocr.eval.benches import read_answers
    from got_ocr.eval.peers import peer
    from got_ocr.eval.predict import given, predict

    # All looked up before the first one reads for hours: a missing program or model shows now.
    peers = [(name, partial(_same, peer(name))) for name in args.peer]
    answers = None if args.answers is None else read_answers(args.answers)
    if args.no_model:
        yield from _recorded(args, file)
    else:
        yield _model(args, file)
    for name, opener in peers:
        yield name, predict(_examples(args), opener, file, name, retry_failed=args.retry_failed)
    if answers is not None:
        yield args.answers.stem, given(_examples(args), answers, args.answers.stem)


def _same(reader: "Reader") -> "Reader":
    return reader


def _recorded(args: argparse.Namespace, file: Path) -> Iterator[tuple[str, "Answers"]]:
    """Take the readers that `--predictions` already holds, peers that read anew aside."""
    from got_ocr.eval.predict import read_predictions, recorded

    groups: dict[tuple[str, str], list[Prediction]] = {}
    for prediction in read_predictions(file):
        if prediction.reader not in args.peer:
            groups.setdefault((prediction.reader, prediction.settings), []).append(prediction)
    readers = [reader for reader, _ in groups]
    for (reader, settings), predictions in groups.items():
        name = reader if readers.count(reader) == 1 else f"{reader} ({settings})"
        yield name, recorded(_examples(args), predictions, name)


def _model(args: argparse.Namespace, file: Path) -> tuple[str, "Answers"]:
    """Read with the model; it is loaded at the first open question."""
    from got_ocr.eval.predict import predict
    from got_ocr.hub import fingerprint, resolve

    found = resolve(args.model)
    settings = f"weights {fingerprint(found.path)}, {args.dtype}, {args.profile}, {args.max_new_tokens} tokens"
    opener = partial(_open, found.path, args)
    return found.name, predict(_examples(args), opener, file, found.name, settings, args.retry_failed)


def _open(folder: Path, args: argparse.Namespace) -> "Reader":
    """Load the model and wrap it into a reader; pages that belong together are read as one, others one by one."""
    from got_ocr.ocr import GotOcr
    from got_ocr.reading import worst

    model = GotOcr.load(folder, device=args.device, dtype=args.dtype)

    def read(images: tuple["Picture", ...], task: Task) -> tuple[str, str, float]:
        start = time.perf_counter()
        readings: list[Reading] = []
        for source in [list(images)] if task.multi_page else images:
            found = model.read(
                source,
                mode=task.mode,
                box=task.box,
                box_mode=task.box_mode,
                color=task.color,
                crop=task.crop,
                max_tiles=task.max_tiles,
                multi_page=task.multi_page,
                profile=args.profile,
                max_new_tokens=args.max_new_tokens,
            )
            readings += found if isinstance(found, list) else [found]
        seconds = time.perf_counter() - start
        return "\n".join(r.text for r in readings), worst([r.status for r in readings]), seconds

    return read


def _report(args: argparse.Namespace, rows: list["Row"]) -> "Report":
    import numpy as np

    from got_ocr.eval.report import Report
    from got_ocr.eval.score import summarize

    bench = f"{args.recipe}, {args.count} pictures" if args.recipe else args.bench.name
    scores = summarize(rows, np.random.default_rng(args.seed), _DRAWS)
    names = {name for s in scores for name, figure in s.figures.items() if figure.value is not None}
    return Report(bench, args.seed, _DRAWS, scores, tuple(_notes(names)))


def _notes(figures: set[str]) -> Iterator[str]:
    """Say the rule behind each figure that is shown, and why one is missing."""
    from got_ocr.eval.metrics import meteor_reason
    from got_ocr.eval.molecule import molecule_reason
    from got_ocr.eval.scorers import CorrectedScorer, PaperScorer

    yield PaperScorer.note
    yield CorrectedScorer().note
    if (reason := meteor_reason()) is not None:
        yield f"METEOR is not reported: {reason}."
    if "teds" in figures:
        yield "teds: tree-edit-distance similarity of tables; teds_structure looks at rows, cells and spans alone."
    if "chart_parsed" in figures:
        yield "chart_ap: SCRM average precision at 0.50 to 0.95; paper_chart_ap follows ChartSE's matching."
    if "smiles_match" in figures and (reason := molecule_reason()) is not None:
        yield f"smiles_match: {reason}."
