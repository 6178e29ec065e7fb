"""`got-ocr train RECIPE --out DIR [--resume]`: train a model from a TOML recipe."""

import argparse
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
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    import torch

    from got_ocr.backends.torch import pick_device
    from got_ocr.train.loop import train
    from got_ocr.train.recipe import load_recipe

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = load_recipe(args.recipe)
    folder = train(
        recipe,
        args.out,
        base=args.recipe.parent,
        device=pick_device(args.device),
        resume=args.resume,
        note=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(folder)
    return 0
