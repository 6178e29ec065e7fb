"""`got-ocr bench`: measure this machine, with random weights of the published size or with a model.

`--peer` runs others beside it, alternating: the plain network, or any program that answers as `got_ocr.bench.peer` says. Writes
JSON and Markdown on request, and joins what several runs wrote.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from got_ocr.bench.report import Report


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("bench", help="measure how fast a model runs on this machine's CPU")
    parser.add_argument("--model", help="a folder or a name, as for read; without it random weights are measured")
    parser.add_argument("--size", default="580m", help="of random weights: 580m or tiny (default 580m)")
    parser.add_argument("--dtype", default="bfloat16", help="float32, bfloat16 (default), int8 or int4")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each job (default 5)")
    parser.add_argument("--batches", type=_numbers, default=(1, 4, 16), help="rows decoded together (default 1,4,16)")
    parser.add_argument("--page-tokens", type=int, default=100, help="ids of the page read end to end; 0 leaves it out")
    parser.add_argument("--threads", type=int, help="threads of PyTorch (default: what PyTorch takes)")
    parser.add_argument(
        "--clock", default="wall", help="wall (default), or processor where others keep the machine busy"
    )
    parser.add_argument("--jobs", default=None, help="only these of preprocess,encode,prefill,decode,page")
    parser.add_argument(
        "--peer", action="append", default=[], help="also measure: plain, a Python file, or a command; may be repeated"
    )
    parser.add_argument(
        "--join", type=Path, nargs="+", metavar="JSON", help="measure nothing; join what earlier runs wrote"
    )
    parser.add_argument("--out", type=Path, metavar="NAME", help="also write NAME.json and NAME.md")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from got_ocr.bench import report

    kinds = args.jobs.split(",") if args.jobs else ()
    found = report.join([report.from_json(_read(path)) for path in args.join], kinds) if args.join else _measure(args)
    table = report.to_markdown(found)
    print(table, end="")
    if args.out is not None:
        _write(args.out, json.dumps(report.to_json(found), indent=1) + "\n", table)
    return 0


def _measure(args: argparse.Namespace) -> "Report":
    import torch

    from got_ocr import hub
    from got_ocr.bench import main

    if args.threads:
        torch.set_num_threads(args.threads)
    plan = main.Plan(
        hub.resolve(args.model).path if args.model else None,
        args.size,
        args.dtype,
        args.rounds,
        args.batches,
        args.page_tokens,
        tuple(args.jobs.split(",")) if args.jobs else main.KINDS,
        args.clock,
    )
    return main.bench(plan, args.peer, lambda what: print(what, file=sys.stderr))


def _read(path: Path) -> dict[str, Any]:
    from got_ocr.errors import InvalidValue

    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        data = None
    if not isinstance(data, dict):
        raise InvalidValue(f"{path.name} holds no figures that bench wrote")
    return data


def _write(name: Path, data: str, table: str) -> None:
    from got_ocr.errors import OutputError

    try:
        name.with_name(name.name + ".json").write_text(data, "utf-8")
        name.with_name(name.name + ".md").write_text(table, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write the figures (system error {error.errno})") from None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
