"""`got-ocr synth RECIPE --count N --out DIR`: write samples of a recipe.

`--preview FILE` shows every source on one page.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("synth", help="write synthesised training or test data")
    parser.add_argument("recipe", nargs="?", help="name of a recipe that ships, or a TOML file; see --list")
    parser.add_argument("--list", action="store_true", help="name the recipes that ship")
    parser.add_argument("--count", type=int, default=100, help="samples to write (default 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--out", type=Path, help="folder for the pictures, data.jsonl and manifest.json")
    parser.add_argument("--shards", action="store_true", help="write tar archives instead of loose files")
    parser.add_argument("--part", type=int, default=256, help="samples that are written and resumed together")
    parser.add_argument(
        "--preview", type=Path, metavar="HTML", help="write a page that shows the recipe or all sources"
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from got_ocr.data import build
    from got_ocr.errors import UsageError

    if args.list:
        print("\n".join(build.recipes()))
        return 0
    if args.preview is not None:
        return _preview(args)
    if args.recipe is None or args.out is None:
        raise UsageError("synth needs a recipe and --out; or --list, or --preview")
    from got_ocr import __version__
    from got_ocr.data.shards import Job, write
    from got_ocr.prompt import query

    job = Job(build.recipe(args.recipe), args.seed, args.count, args.out, args.shards, args.part, __version__)
    print(write(job, query, args.workers, _progress()))
    return 0


def _preview(args: argparse.Namespace) -> int:
    from got_ocr.data import build, cache, preview
    from got_ocr.render import render

    def drawn(text: str) -> str:
        return str(render(text))

    if args.recipe is None:
        entries = preview.of_sources(args.seed)
    else:
        entries = preview.of_recipe(build.recipe(args.recipe), args.seed, min(args.count, 48))
    cache.replace(args.preview, preview.page(entries, drawn).encode("utf-8"))
    print(args.preview)
    return 0


def _progress() -> "Callable[[int, int], None]":
    """Make a note that prints how far the run is and how fast it goes since it was started."""
    began = time.monotonic()
    first: list[int] = []

    def note(done: int, total: int) -> None:
        first.append(done)
        spent = time.monotonic() - began
        rate = (done - first[0]) / spent if spent > 0 else 0.0
        print(f"{done}/{total} samples, {rate:.1f}/s", file=sys.stderr, flush=True)

    return note
