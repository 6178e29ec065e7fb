"""`got-ocr render`: a text file, as the model wrote it, into a page, drawing, picture or Markdown."""

import argparse
import sys
from pathlib import Path

from got_ocr.errors import InputNotFound, InvalidValue, OutputError

KINDS = ("auto", "markdown", "table", "tikz", "kern", "smiles", "chart")
FORMS = {"html": ".html", "svg": ".svg", "png": ".png", "md": ".md", "gfm": ".md"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the program's."""
    parser = subparsers.add_parser(
        "render", help="draw text, tables, formulas, charts, molecules, music and geometry that were read"
    )
    parser.add_argument("file", help="text file, or - for standard input")
    parser.add_argument(
        "--kind", choices=KINDS, default="auto", help="what the text is (default: found out from the text)"
    )
    parser.add_argument("--to", choices=tuple(FORMS), default="html", help="form to write (default: %(default)s)")
    parser.add_argument("-o", "--out", help="file to write, or - for standard output (default: beside the input)")
    parser.add_argument(
        "--side-by-side", metavar="PICTURE", help="PNG or JPEG that was read, shown beside the text (html only)"
    )
    parser.add_argument("--title", help="title of the page (default: the file's name)")
    parser.add_argument("--tex", action="store_true", help="let an installed TeX draw TikZ (default: our own renderer)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Render one file; return 0, or 3 where the text could only be shown as it was written."""
    from got_ocr.render import render_pages, render_result

    if args.side_by_side and args.to != "html":
        raise InvalidValue("--side-by-side goes with --to html")
    text = _read(args.file)
    title = args.title or ("Reading" if args.file == "-" else Path(args.file).name)
    if args.side_by_side:
        picture = _bytes(args.side_by_side)
        _write(_target(args), render_pages([(text, picture)], title, kind=args.kind))
        return 0
    made = render_result(text, kind=args.kind, to=args.to, title=title, tex=args.tex)
    _write(_target(args), made.content)
    if made.error is not None:
        print(f"got-ocr render: shown as it was written ({made.error}); the output says why", file=sys.stderr)
        return 3
    return 0


def _read(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else _bytes(name)
    return data.decode("utf-8-sig", "replace")


def _bytes(name: str) -> bytes:
    path = Path(name)
    if not path.is_file():
        raise InputNotFound("the file does not exist or is no regular file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputNotFound("the file cannot be read") from error


def _target(args: argparse.Namespace) -> str:
    if args.out:
        return str(args.out)
    return "-" if args.file == "-" else str(Path(args.file).with_suffix(FORMS[args.to]))


def _write(target: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise OutputError("the output file cannot be written") from error
