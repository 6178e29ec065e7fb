"""`got-ocr vocab RECIPE --out DIR`: learn a byte-pair vocabulary from the labels of a synthesis recipe."""

import argparse
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("vocab", help="learn a byte-pair vocabulary from a synthesis recipe's labels")
    parser.add_argument("recipe", help="name or TOML file of a synthesis recipe")
    parser.add_argument("--count", type=int, default=6000, help="samples to read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--size", type=int, default=807, help="pieces, 256 bytes among them; special tokens come on top"
    )
    parser.add_argument(
        "--start", type=Path, help="folder of a vocabulary whose pieces keep their ids; learn on from it"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder that receives vocab.tiktoken")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from got_ocr.data.build import build, recipe
    from got_ocr.data.vocabulary import extend, learn
    from got_ocr.errors import InvalidValue, OutputError
    from got_ocr.prompt import SYSTEM
    from got_ocr.tokenizer import Tokenizer

    if args.count < 1:
        raise InvalidValue("--count is at least 1")
    source = recipe(args.recipe)
    texts = [build(source, args.seed, index).target for index in range(args.count)]
    # The words around every question are worth whole pieces: they stand in each prompt.
    texts += [f"system\n{SYSTEM}", "user\n", "\nOCR with format: ", "assistant\n"] * max(50, args.count // 20)
    ranks = extend(Tokenizer.load(args.start).ranks, texts, args.size) if args.start else learn(texts, args.size)
    tokenizer, path = Tokenizer(ranks), args.out / "vocab.tiktoken"
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        tokenizer.save_tiktoken(path)
    except OSError as error:
        raise OutputError(f"cannot write {path.name} (system error {error.errno})") from None
    print(path)
    return 0
