"""`got-ocr train RECIPE --out DIR [--resume]`: train a model from a TOML recipe."""

import argparse
import math
import sys
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("train", help="train a model from a recipe (TOML)")
    parser.add_argument("recipe", type=Path, help="the recipe; its paths are relative to its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the log, checkpoints and the model")
    parser.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint in --out")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of the training process (0: all cores)")
    parser.add_argument(
        "--minutes", type=float, help="save and leave after so many minutes; --resume goes on as if nothing had been"
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status: 0, or 11 when its time was up before its end."""
    import torch

    from got_ocr.backends.torch import pick_device
    from got_ocr.errors import DeadlineExceeded, InvalidValue
    from got_ocr.train.loop import train
    from got_ocr.train.recipe import load_recipe

    if args.minutes is not None and not 0 < args.minutes < math.inf:
        raise InvalidValue("--minutes is more than 0")
    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = load_recipe(args.recipe)
    finished = train(
        recipe,
        args.out,
        base=args.recipe.parent,
        device=pick_device(args.device),
        resume=args.resume,
        minutes=math.inf if args.minutes is None else args.minutes,
        note=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(args.out / "model")
    return 0 if finished else DeadlineExceeded.exit_code
