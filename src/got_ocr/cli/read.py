"""`got-ocr read SOURCE...`: pictures, PDFs and folders in, text out. Text on standard output, everything else on standard error."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from got_ocr.cli.aliases import add_aliases, apply_aliases
from got_ocr.cli.pages import FORMATS, PageWriter, thumbnail
from got_ocr.errors import GotOcrError, InvalidValue, OutputError, RemoteError

if TYPE_CHECKING:
    from got_ocr.image import Source
    from got_ocr.ocr import GotOcr, Job, Options
    from got_ocr.profiles import Profile
    from got_ocr.reading import Reading
    from got_ocr.remote import Reads, Remote
    from got_ocr.task import Task

    Plan = Callable[[Sequence[Source], Task, Profile, str | None], Iterator[tuple[str, int, Job | GotOcrError]]]

SOME_PAGES_NOT_OK = 3
KEY = "GOT_OCR_API_KEY"
SAID = {
    "loop": "the model repeated itself and was stopped: text may be missing here",
    "truncated": "the answer reached its limit and was cut: try --crop, or a higher --max-new-tokens",
    "empty": "nothing to read was found",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "read",
        help="read pictures, PDFs and folders",
        epilog="exit status 3: some page failed, ran in a loop or was cut",
    )
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="picture, PDF, TIFF or folder; - for standard input"
    )
    add = parser.add_argument
    add("--model", "-m", help="folder, `bundled`, or Hub id such as stepfun-ai/GOT-OCR-2.0-hf (downloaded once)")
    add("--revision", help="revision of a Hub model")
    add("--offline", action="store_true", help="never ask the Hub: a model that is not here is an error")
    add("--server", metavar="URL", help="let a `got-ocr serve` read, such as http://127.0.0.1:8000")
    add("--api-key", metavar="KEY", help=f"the server's; better put into the environment as {KEY}")
    add("--mode", choices=("plain", "format"), default=None, help="plain text, or Mathpix Markdown / LaTeX")
    add("--box", metavar="X1,Y1,X2,Y2", help="read this region (pixels)")
    add("--box-mode", choices=("prompt", "crop"), default="crop", help="name the box to the model, or cut it out first")
    add("--color", choices=("red", "green", "blue"), help="read inside the frame of this colour")
    add("--crop", action="store_true", help="cut a large picture into tiles")
    add("--max-tiles", type=int, metavar="N", help="most tiles of one picture under --crop")
    add("--multi-page", action="store_true", help="read all pages as one text")
    add("--pages", metavar="R", help="pages of a document, such as 1-3,7")
    add("--to", choices=FORMATS, default=None, help="output form (default txt); json is one line a page")
    add("--side-by-side", action="store_true", help="show the picture beside its text (with --to html)")
    add("-o", "--output", type=Path, metavar="PATH", help="write here instead of standard output")
    add("--device", default="auto", help="auto, cpu, cuda or mps")
    add("--dtype", default="auto", help="auto, float32, bfloat16, float16, or int8 or int4 weights")
    add(
        "--profile",
        choices=("safe", "reference", "hf"),
        default="safe",
        help="rules: ours, the original's, transformers'",
    )
    add("--max-new-tokens", type=int, metavar="N", help="most tokens of a page (default 4096, or the server's own)")
    add("--draft", choices=("auto", "none", "ngram"), default="auto", help="guesses that save time and change no text")
    add("--stream", action="store_true", help="print text as it is written")
    add("--batch-size", type=int, default=8, metavar="N", help="pages read side by side (default 8); each takes memory")
    add("--quiet", "-q", action="store_true", help="no notices and no progress")
    add_aliases(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status: 0, the error's own where the only page failed, 3 where any page is not ok."""
    from got_ocr.generate import MAX_NEW_TOKENS
    from got_ocr.ocr import Options, plan
    from got_ocr.profiles import profile

    apply_aliases(args)
    if args.stream and args.to not in (None, "txt"):
        raise InvalidValue("--stream prints plain text; leave --to out")
    if args.side_by_side and args.to != "html":
        raise InvalidValue("--side-by-side goes with --to html")
    if args.batch_size < 1:
        raise InvalidValue("--batch-size is at least 1")
    most = MAX_NEW_TOKENS if args.max_new_tokens is None else args.max_new_tokens
    options = Options(profile(args.profile), most, args.draft)
    with _reader(args) as reader:
        return _run(args, options, list(_jobs(args, options, reader.plan if reader else plan)), reader)


def _run(
    args: argparse.Namespace,
    options: "Options",
    jobs: "list[tuple[str, int, Job | GotOcrError]]",
    reader: "Reads | None",
) -> int:
    """Read what was planned; return the exit status."""
    with _output(args.output) as out:
        model = reader or _load(args)
        if model.notice and not args.quiet:
            print(f"got-ocr: {model.notice}", file=sys.stderr)
        writer = PageWriter(args.to or "txt", out)
        ends = list(_ends(model, jobs, options, args, writer))
        writer.close()
    bad = [end for end in ends if end]
    if not bad:
        return 0
    alike = len(ends) == 1 or set(ends) == {RemoteError.exit_code}  # the latter: the server was never there
    return bad[0] if alike else SOME_PAGES_NOT_OK


@contextmanager
def _reader(args: argparse.Namespace) -> "Iterator[Remote | None]":
    """Give who reads elsewhere, where a server is named. Raises InvalidValue for what only a model here can be told."""
    if args.server is None:
        yield None
        return
    from got_ocr.client import Client
    from got_ocr.remote import Remote

    if args.model or args.revision:
        raise InvalidValue("a server reads with its own model: leave --model and --revision out, or --server")
    with Client(args.server, args.api_key or os.environ.get(KEY) or None) as client:
        yield Remote(client, args.profile, args.max_new_tokens)


def _load(args: argparse.Namespace) -> "GotOcr":
    from got_ocr.ocr import GotOcr

    return GotOcr.load(args.model, device=args.device, dtype=args.dtype, revision=args.revision, offline=args.offline)


def _jobs(args: argparse.Namespace, options: "Options", plan: "Plan") -> "Iterator[tuple[str, int, Job | GotOcrError]]":
    """Name every page to read, decoded one by one later; what cannot even be opened comes as its error."""
    from got_ocr.ocr import parse_box
    from got_ocr.task import Task

    if not args.sources:
        raise InvalidValue("name at least one picture, PDF or folder (or - for standard input)")
    if args.sources.count("-") > 1:
        raise InvalidValue("standard input (-) can be read once only")
    box = parse_box(args.box) if args.box else None
    task = Task(args.mode or "plain", box, args.box_mode, args.color, args.crop, args.max_tiles, args.multi_page)
    sources = [_standard_input(args) if source == "-" else source for source in args.sources]
    yield from plan(sources, task, options.profile, args.pages)


def _standard_input(args: argparse.Namespace) -> "Source":
    """Give what comes in: the bytes where they are sent elsewhere, after they were looked at here."""
    from got_ocr.image import Limits, read_bytes

    return read_bytes(sys.stdin.buffer, Limits())[0] if args.server else sys.stdin.buffer


def _ends(
    model: "Reads",
    jobs: "list[tuple[str, int, Job | GotOcrError]]",
    options: "Options",
    args: argparse.Namespace,
    writer: PageWriter,
) -> Iterator[int]:
    """Read and write page after page; give what each alone would make of the exit status."""
    with _progress(len(jobs), args.quiet) as advance:
        readings = _readings(model, [job for _, _, job in jobs], options, args, writer)
        for (source, page, job), reading in zip(jobs, readings, strict=True):
            where = f"{source}, page {page}" if len(jobs) > 1 else source
            if isinstance(reading, GotOcrError):
                print(f"got-ocr: {where}: {reading} [{reading.code}]", file=sys.stderr)
                writer.failure(source, page, reading)
                yield reading.exit_code
            else:
                beside = job if args.side_by_side and not isinstance(job, GotOcrError) else None
                picture = thumbnail(beside.pages[0].load().image) if beside else None
                writer.reading(reading, printed=args.stream, picture=picture)
                said = [*reading.notices, *([SAID[reading.status]] if reading.status in SAID else [])]
                for notice in [] if args.quiet else said:
                    print(f"got-ocr: {where}: {notice}", file=sys.stderr)
                yield 0 if reading.status in ("ok", "empty") else SOME_PAGES_NOT_OK
            advance()


def _readings(
    model: "Reads",
    planned: "list[Job | GotOcrError]",
    options: "Options",
    args: argparse.Namespace,
    writer: PageWriter,
) -> "Iterator[Reading | GotOcrError]":
    """Read pages, several side by side unless their text is streamed; an error stands for a page that failed."""
    if len(planned) > 1 and not args.stream:
        yield from model.read_jobs(planned, options, args.batch_size)
        return
    for job in planned:
        yield _read(model, job, options, writer if args.stream else None)


def _read(
    model: "Reads", job: "Job | GotOcrError", options: "Options", streamed: PageWriter | None
) -> "Reading | GotOcrError":
    """Read one page; where it is streamed, print its pieces as they come."""
    from got_ocr.reading import Reading

    if isinstance(job, GotOcrError):
        return job
    try:
        if streamed is None:
            return model.read_job(job, options)
        for piece in model.stream_job(job, options):
            if isinstance(piece, Reading):
                return piece
            streamed.piece(piece)
    except GotOcrError as error:
        return error
    return GotOcrError("the page ended without a reading")


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str]]:
    """Give standard output, or a file that replaces `path` only when everything is written."""
    if path is None:
        yield sys.stdout
        return
    if not path.name or os.path.isdir(path):
        raise OutputError(f"cannot write {path.name or path}: it is a folder")
    work = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with work.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(work, path)
    except OSError as error:
        raise OutputError(f"cannot write {path.name} (system error {error.errno})") from None
    finally:
        with suppress(OSError):
            work.unlink()


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a bar on standard error for several pages, when a person is watching; give what moves it."""
    if total < 2 or quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda: bar.advance(task)
