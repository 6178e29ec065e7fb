"""Measure the readers of drawings without a model: `python tools/drawings.py molecule [--count 60] [--seed 5] [--options '...']`.

Every label gets the text that the drawing's source says stands there, so that what is wrong is the structure's fault. Prints the figure
that the kind's target names, and which of the readers take how many pictures of other kinds for theirs (`--others`).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from got_ocr.data.build import build, recipe
from got_ocr.data.sample import Sample
from got_ocr.drawings import READERS
from got_ocr.eval.metrics import normalized_edit_distance
from got_ocr.eval.molecule import score_molecule
from got_ocr.eval.scrm import score_chart
from got_ocr.hub import resolve
from got_ocr.labels import Drawing
from got_ocr.model.config import GotConfig
from got_ocr.train.examples import named

OTHERS = ("formula", "text", "scene", "page", "table", "music", "chart", "molecule", "geometry")


def samples(kind: str, options: str, seed: int, count: int) -> Iterator[Sample]:
    """Make samples of one source."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{kind}.toml"
        file.write_text(f'[[mix]]\nsource = "{kind}"\noptions = {{ {options} }}\n', "utf-8")
        made = recipe(str(file))
        for number in range(count):
            yield build(made, seed, number)


def told(drawing: Drawing, sample: Sample) -> str:
    """Write a drawing down with the texts that its source says stand in it."""
    labels = cast("list[list[Any]]", sample.meta["labels"])
    return drawing.write([named(label.box, labels) or "" for label in drawing.labels])


def score(kind: str, text: str, target: str) -> float:
    """Score as the target of the kind does: share of exact molecules, AP at slight tolerance, edit distance."""
    if kind == "molecule":
        return float(score_molecule(text, target).same)
    if kind == "chart":
        found = score_chart(text, target)
        return 0.0 if found is None else found.corrected.slight
    return normalized_edit_distance(text, target)


def main() -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("kind", choices=sorted(READERS))
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--options", default="", help="of the source, as in a recipe: clean_fraction = 1.0")
    parser.add_argument("--others", action="store_true", help="count false alarms on other kinds instead")
    args = parser.parse_args()
    config = GotConfig.from_json(json.loads((resolve("bundled").path / "config.json").read_text("utf-8")))
    read = READERS[args.kind]
    for kind in [k for k in OTHERS if k != args.kind] if args.others else []:
        made = [s.images[0] for s in samples(kind, "", args.seed, args.count)]
        started = time.process_time()
        alarms = sum(read(picture, config.spec) is not None for picture in made)
        print(f"{kind}: {alarms} of {len(made)}, {(time.process_time() - started) / len(made):.3f} s a picture")
    if args.others:
        return 0
    figures, refused = [], 0
    for sample in samples(args.kind, args.options, args.seed, args.count):
        drawing = read(sample.images[0], config.spec)
        refused += drawing is None
        figures.append(score(args.kind, told(drawing, sample) if drawing is not None else "", sample.target))
    print(f"{args.kind}: {sum(figures) / len(figures):.3f} over {len(figures)} pictures, {refused} of them refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
