"""`got-ocr read SOURCE...`: pictures, PDFs and folders in, text out. Text on standard output, everything else on standard error."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from got_ocr.cli.aliases import add_aliases, apply_aliases
from got_ocr.errors import GotOcrError, InvalidValue, OutputError

if TYPE_CHECKING:
    from got_ocr.ocr import GotOcr, Job, Options
    from got_ocr.reading import Reading

SOME_PAGES_FAILED = 3
FORMATS = ("txt", "md", "html", "json")


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be read, and why."""

    source: str
    page: int
    error: GotOcrError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("read", help="read pictures, PDFs and folders")
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="picture, PDF, TIFF or folder; - for standard input"
    )
    add = parser.add_argument
    add("--model", "-m", help="folder, `bundled`, or Hub id such as stepfun-ai/GOT-OCR-2.0-hf (downloaded once)")
    add("--revision", help="revision of a Hub model")
    add("--mode", choices=("plain", "format"), default=None, help="plain text, or Mathpix Markdown / LaTeX")
    add("--box", metavar="X1,Y1,X2,Y2", help="read this region (pixels)")
    add("--box-mode", choices=("prompt", "crop"), default="crop", help="name the box to the model, or cut it out first")
    add("--color", choices=("red", "green", "blue"), help="read inside the frame of this colour")
    add("--crop", action="store_true", help="cut a large picture into tiles")
    add("--max-tiles", type=int, metavar="N", help="most tiles of one picture under --crop")
    add("--multi-page", action="store_true", help="read all pages as one text")
    add("--pages", metavar="R", help="pages of a document, such as 1-3,7")
    add("--to", choices=FORMATS, default=None, help="output form (default txt); json is one line a page")
    add("-o", "--output", type=Path, metavar="PATH", help="write here instead of standard output")
    add("--device", default="auto", help="auto, cpu, cuda or mps")
    add("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    add(
        "--profile",
        choices=("safe", "reference", "hf"),
        default="safe",
        help="rules: ours, the original's, transformers'",
    )
    add("--max-new-tokens", type=int, default=4096, metavar="N")
    add("--stream", action="store_true", help="print text as it is written")
    add("--quiet", "-q", action="store_true", help="no notices and no progress")
    add_aliases(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status: 0, the error's own for a single page, 3 when some of several pages failed."""
    from got_ocr.ocr import GotOcr, Options
    from got_ocr.profiles import profile

    apply_aliases(args)
    if args.stream and args.to not in (None, "txt"):
        raise InvalidValue("--stream prints plain text; leave --to out")
    options = Options(profile(args.profile), args.max_new_tokens)
    jobs = list(_jobs(args, options))
    model = GotOcr.load(args.model, device=args.device, dtype=args.dtype, revision=args.revision)
    if model.notice and not args.quiet:
        print(f"got-ocr: {model.notice}", file=sys.stderr)
    with _output(args.output) as out:
        results = list(_readings(model, jobs, options, args, out))
        if args.to == "html":
            out.write(_page(results))
    failures = [result for result in results if isinstance(result, Failure)]
    if not failures:
        return 0
    return failures[0].error.exit_code if len(results) == 1 else SOME_PAGES_FAILED


def _jobs(args: argparse.Namespace, options: "Options") -> "Iterator[tuple[str, int, Job | GotOcrError]]":
    """Name every page to read, decoded one by one later; what cannot even be opened comes as its error."""
    from got_ocr.ocr import parse_box, plan
    from got_ocr.task import Task

    if not args.sources:
        raise InvalidValue("name at least one picture, PDF or folder (or - for standard input)")
    box = parse_box(args.box) if args.box else None
    task = Task(args.mode or "plain", box, args.box_mode, args.color, args.crop, args.max_tiles, args.multi_page)
    sources = [sys.stdin.buffer.read() if source == "-" else source for source in args.sources]
    yield from plan(sources, task, options.profile, args.pages)


def _readings(
    model: "GotOcr",
    jobs: "list[tuple[str, int, Job | GotOcrError]]",
    options: "Options",
    args: argparse.Namespace,
    out: IO[str],
) -> "Iterator[Reading | Failure]":
    with _progress(len(jobs), args.quiet) as advance:
        for source, page, job in jobs:
            try:
                if isinstance(job, GotOcrError):
                    raise job
                result: Reading | Failure = _one(model, job, options, args, out)
            except GotOcrError as error:
                result = Failure(source, page, error)
                where = f"{source}, page {page}" if len(jobs) > 1 else source
                print(f"got-ocr: {where}: {error} [{error.code}]", file=sys.stderr)
            _emit(result, args, out, first=advance() == 1)
            yield result


def _one(model: "GotOcr", job: "Job", options: "Options", args: argparse.Namespace, out: IO[str]) -> "Reading":
    """Read one page, printing its pieces as they come under --stream, and say what its user should know."""
    from got_ocr.reading import Reading

    reading: Reading | None = None
    for piece in model.stream_job(job, options) if args.stream else iter([model.read_job(job, options)]):
        if isinstance(piece, Reading):
            reading = piece
        else:
            out.write(piece)
            out.flush()
    assert reading is not None  # noqa: S101  # both ways end with a Reading
    if not args.quiet:
        for notice in (*reading.notices, *([reading.status] if reading.status != "ok" else [])):
            print(f"got-ocr: {reading.source}, page {reading.page}: {notice}", file=sys.stderr)
    return reading


def _emit(result: "Reading | Failure", args: argparse.Namespace, out: IO[str], *, first: bool) -> None:
    """Write one page in the form asked for."""
    if args.to == "json":
        out.write(json.dumps(_record(result), ensure_ascii=False) + "\n")
    elif isinstance(result, Failure) or args.to == "html":
        return
    elif args.stream:
        out.write("\n")
    else:
        out.write(("" if first else "\n") + result.text + "\n")
    out.flush()


def _record(result: "Reading | Failure") -> dict[str, object]:
    if isinstance(result, Failure):
        error = {"code": result.error.code, "message": str(result.error)}
        return {"source": result.source, "page": result.page, "status": "failed", "error": error}
    return asdict(result)


def _page(results: "list[Reading | Failure]") -> str:
    from got_ocr.render import render_pages

    pages = [(r.text if not isinstance(r, Failure) else f"[{r.error.code}] {r.error}", None) for r in results]
    return render_pages(pages, "got-ocr")


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str]]:
    """Give standard output, or a file that replaces `path` only when everything is written."""
    if path is None:
        yield sys.stdout
        return
    work = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with work.open("w", encoding="utf-8") as file:
            yield file
        os.replace(work, path)
    except OSError as error:
        raise OutputError(f"cannot write {path.name} (system error {error.errno})") from None
    finally:
        work.unlink(missing_ok=True)


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator["Advance"]:
    """Show a bar on standard error for several pages, when a person is watching."""
    if total < 2 or quiet or not sys.stderr.isatty():
        yield Advance(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield Advance(lambda: bar.advance(task))


class Advance:
    """Count finished pages and move the bar, where there is one."""

    def __init__(self, move: "object") -> None:
        self._move = move
        self._count = 0

    def __call__(self) -> int:
        self._count += 1
        if callable(self._move):
            self._move()
        return self._count
