"""The command line's door: finds the command, turns errors into one line and an exit status. Loads no torch to print help."""

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules

from got_ocr import __version__, cli
from got_ocr.errors import GotOcrError, OutputError

INTERRUPTED = 130
DEBUG = "GOT_OCR_DEBUG"  # set in the environment to see where an internal error came from
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


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
    _never_choke_on_a_letter()
    try:
        args = parser().parse_args(argv)
        status: int = args.func(args)
        sys.stdout.flush()
    except SystemExit:  # the parser has printed help, or what is wrong
        _let_go_of_output()
        raise
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has left
        _let_go_of_output()
        return 0
    except Exception as error:  # the last door: what passes it would print a trace
        if os.environ.get(DEBUG):
            raise
        return _told(error)
    return status


def _told(error: Exception) -> int:
    """Say in one line what went wrong; give its exit status."""
    if isinstance(error, OSError) and error.errno in DISK:
        error = OutputError(f"cannot write the output (system error {error.errno})")
    if not isinstance(error, GotOcrError):
        # The text of an error that we did not write may carry addresses and paths.
        error = GotOcrError(f"internal error ({type(error).__name__}); set {DEBUG}=1 to see where")
    print(f"got-ocr: {error} [{error.code}]", file=sys.stderr)
    _let_go_of_output()
    return error.exit_code


def _never_choke_on_a_letter() -> None:
    """Write letters that the output's encoding lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_output() -> None:
    """Drop what standard output no longer takes, or the interpreter would complain of it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
