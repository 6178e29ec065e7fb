"""`got-ocr convert SRC DST --layout original|hf|native [--dtype ...]`: write a model folder in another layout, or quantised."""

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("convert", help="write a model folder in another layout or with quantised weights")
    parser.add_argument("source", help="a model folder, a Hub repository (org/name), or `bundled`")
    parser.add_argument("target", type=Path, help="the folder to write")
    parser.add_argument(
        "--layout",
        choices=("native", "original", "hf"),
        help="hf is what transformers reads; quantised weights are native and need not say so",
    )
    parser.add_argument(
        "--dtype", choices=("float32", "bfloat16", "float16", "int8", "int4"), help="default: as stored"
    )
    parser.add_argument("--revision", help="of a Hub repository")
    parser.add_argument("--offline", action="store_true", help="never download")
    parser.add_argument("--force", action="store_true", help="overwrite a model that is already in the target")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    import torch

    from got_ocr import hub
    from got_ocr.companions import copy_companions, write_companions
    from got_ocr.errors import InvalidValue, UsageError
    from got_ocr.model.layouts import LayoutName
    from got_ocr.model.quant import SCHEMES
    from got_ocr.model.quantise import quantise_model
    from got_ocr.model.weights import load_model, open_checkpoint, save_model

    scheme = args.dtype if args.dtype in SCHEMES else ""
    if args.layout is None and not scheme:
        raise UsageError("name the layout to write with --layout, or quantise with --dtype int8 or int4")
    layout: LayoutName = args.layout or "native"
    found = hub.resolve(args.source, revision=args.revision, offline=args.offline)
    if found.notice:
        print(found.notice, file=sys.stderr)
    if args.target.resolve() == found.path.resolve():
        raise InvalidValue("the target is the source: name another folder")
    if (args.target / "config.json").exists() and not args.force:
        raise InvalidValue("the target already holds a model: name another folder, or pass --force")
    for name, folder in {"": found.path, **hub.parts(found.path)}.items():
        checkpoint = open_checkpoint(folder)
        model = load_model(folder, dtype=getattr(torch, args.dtype) if args.dtype and not scheme else None)
        if scheme:
            quantise_model(model, scheme)
        target = args.target / name
        save_model(model, target, layout, like=folder)
        if checkpoint.layout.name == layout:
            files = copy_companions(folder, target)
        else:
            files = write_companions(folder, target, layout, checkpoint.config)
        for file in ("config.json", "model.safetensors", *files):
            print(f"{hub.sha256(target / file)}  {target / file}")
    return 0
