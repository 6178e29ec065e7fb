"""The flags of the original scripts and of PaddleMIX, taken by `got-ocr read` as other names of its own.

Original: `--model-name --image-file --type --render`. PaddleMIX: `--model_name_or_path --image_file --ocr_type --multi_crop --multi_page`.
"""

import argparse

from got_ocr.errors import InvalidValue


def add_aliases(parser: argparse.ArgumentParser) -> None:
    """Add the other names."""
    other = parser.add_argument_group("names of the original scripts and of PaddleMIX")
    add = other.add_argument
    add("--model-name", "--model_name_or_path", dest="alias_model", help=argparse.SUPPRESS)
    add("--image-file", "--image_file", dest="alias_source", metavar="FILE", help="same as SOURCE")
    add("--type", "--ocr_type", dest="alias_type", choices=("ocr", "format"), help="ocr: --mode plain")
    add("--multi_crop", dest="alias_crop", action="store_true", help="same as --crop")
    add("--multi_page", dest="multi_page", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    add("--render", action="store_true", help="same as --to html")


def apply_aliases(args: argparse.Namespace) -> None:
    """Fill our own arguments from the other names. Raises InvalidValue where both are given and differ."""
    if args.alias_model:
        args.model = _one_of(args.model, args.alias_model, "--model")
    if args.alias_source:
        args.sources = [*args.sources, args.alias_source]
    if args.alias_type:
        args.mode = _one_of(args.mode, "plain" if args.alias_type == "ocr" else "format", "--mode")
    if args.render:
        args.to = _one_of(args.to, "html", "--to")
    args.crop = args.crop or args.alias_crop


def _one_of(ours: str | None, theirs: str, flag: str) -> str:
    if ours is not None and ours != theirs:
        raise InvalidValue(f"{flag} is given twice, as {ours!r} and as {theirs!r}")
    return theirs
