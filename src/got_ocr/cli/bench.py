"""`got-ocr bench`: measure this machine, with random weights of the published size or with a model.

`--peer plain` runs the plain network beside the fast one, alternating. Writes JSON and Markdown on request.
"""

import argparse
import json
import sys
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("bench", help="measure how fast a model runs on this machine's CPU")
    parser.add_argument("--model", help="a folder or a name, as for read; without it random weights are measured")
    parser.add_argument("--size", default="580m", help="of random weights: 580m or tiny (default 580m)")
    parser.add_argument("--dtype", default="bfloat16", help="float32 or bfloat16 (default)")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each job (default 5)")
    parser.add_argument("--batches", type=_numbers, default=(1, 4, 16), help="rows decoded together (default 1,4,16)")
    parser.add_argument("--page-tokens", type=int, default=100, help="ids of the page read end to end; 0 leaves it out")
    parser.add_argument("--threads", type=int, help="threads of PyTorch (default: what PyTorch takes)")
    parser.add_argument(
        "--clock", default="wall", help="wall (default), or processor where others keep the machine busy"
    )
    parser.add_argument("--peer", choices=("plain",), help="measure the plain network too, alternating")
    parser.add_argument("--out", type=Path, metavar="NAME", help="also write NAME.json and NAME.md")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    import torch

    from got_ocr import hub
    from got_ocr.bench import main, report

    plan = main.Plan(
        hub.resolve(args.model).path if args.model else None,
        args.size,
        args.dtype,
        args.rounds,
        args.batches,
        args.page_tokens,
        clock=args.clock,
    )
    if args.threads:
        torch.set_num_threads(args.threads)
    openers = {"got-ocr": main.open_ours} | ({"plain": main.open_plain} if args.peer else {})
    found = main.bench(plan, openers, lambda what: print(what, file=sys.stderr))
    table = report.to_markdown(found)
    print(table, end="")
    if args.out is not None:
        _write(args.out, json.dumps(report.to_json(found), indent=1) + "\n", table)
    return 0


def _write(name: Path, data: str, table: str) -> None:
    from got_ocr.errors import OutputError

    try:
        name.with_name(name.name + ".json").write_text(data, "utf-8")
        name.with_name(name.name + ".md").write_text(table, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write the figures (system error {error.errno})") from None


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
