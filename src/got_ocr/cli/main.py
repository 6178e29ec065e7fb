"""The command line's door: finds the command, turns errors into one line and an exit status. Loads no torch to print help."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from got_ocr import __version__, cli
from got_ocr.errors import GotOcrError

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = argparse.ArgumentParser(prog="got-ocr", description="Read pictures with GOT-OCR 2.0.")
    top.add_argument("--version", action="version", version=f"got-ocr {__version__}")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # Every file of this room that can add a parser is a command.
    for entry in iter_modules(cli.__path__):
        module = import_module(f"got_ocr.cli.{entry.name}")
        if hasattr(module, "add_parser"):
            module.add_parser(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status (see `got_ocr.errors`)."""
    args = parser().parse_args(argv)
    try:
        status: int = args.func(args)
        sys.stdout.flush()
    except GotOcrError as error:
        print(f"got-ocr: {error} [{error.code}]", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; write nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main())
