"""`got-ocr serve`: read pictures over HTTP, with a web page. Arguments win over GOT_OCR_* variables."""

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("serve", help="answer over HTTP, with a web page", argument_default=None)
    add = parser.add_argument
    add("--model", "-m", help="folder, `bundled`, or Hub id, as for `got-ocr read`")
    add("--revision", help="revision of a Hub model")
    add("--host", help="address to listen on (default 127.0.0.1: this machine only)")
    add("--port", type=int, help="port (default 8000)")
    add("--device", help="auto, cpu, cuda or mps")
    add("--dtype", help="auto, float32, bfloat16, float16, or int8 or int4 weights")
    add("--workers", type=int, metavar="N", help="processes that hold the model (default 1)")
    add("--queue", type=int, metavar="N", help="requests that may wait (default 32); more are told to come back")
    add("--deadline", type=float, metavar="SECONDS", help="longest time for one request (default 600)")
    add("--max-pages", type=int, metavar="N", help="most pages of one request (default 200)")
    add("--max-new-tokens", type=int, metavar="N", help="most tokens of one page (default 4096)")
    add("--api-key-file", type=Path, metavar="FILE", help="keys that are let in, one a line; or set GOT_OCR_API_KEYS")
    add("--allow-anonymous", action="store_true", default=None, help="serve beyond this machine without keys")
    add("--allowed-hosts", metavar="A,B", help="names that the service answers for")
    add(
        "--fetch-hosts",
        metavar="A,B",
        help="hosts that pictures may be fetched from (default none; * for any public one)",
    )
    add("--jobs-dir", type=Path, metavar="DIR", help="where jobs are kept")
    add("--log-level", choices=("debug", "info", "warning", "error"), help="default info")
    add("--engine", choices=("model", "scripted"), help=argparse.SUPPRESS)
    add("--script", help=argparse.SUPPRESS)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    try:
        from got_ocr.serve import settings as setting
        from got_ocr.serve.run import serve
    except ImportError as error:
        if (error.name or "").startswith("got_ocr"):
            raise
        from got_ocr.errors import MissingDependency

        raise MissingDependency("serving needs more packages: pip install 'got-ocr[serve]'") from None
    names = set(setting.Settings.model_fields)
    given = {name: value for name, value in vars(args).items() if name in names and value is not None}
    return serve(setting.load(given), lambda text: print(f"got-ocr: {text}", file=sys.stderr, flush=True))
