"""`got-ocr batch SOURCE... -o OUT`: many documents to files, with several workers, over days and over crashes."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from got_ocr.errors import GotOcrError, InvalidValue, UsageError

if TYPE_CHECKING:
    from got_ocr.batch import Batch, Engine, Progress, Seen, Settings, Summary
    from got_ocr.hub import Found
    from got_ocr.ocr import GotOcr
    from got_ocr.reading import Reading
    from got_ocr.task import Task

UNLOCK = "GOT_OCR_PASSWORD"  # where the environment may hold the password
_SHOWN = 20  # rows of what is not in order, on the terminal
_LINE_SECONDS = 30.0  # between lines of progress where no terminal shows a bar


@dataclass(frozen=True, slots=True)
class How:
    """Say how a worker opens the model. devices: one for each worker in turn. workers: on this machine."""

    model: Path
    devices: tuple[str, ...]
    workers: int


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = subparsers.add_parser("batch", help="read many documents to files; goes on after a stop")
    add = parser.add_argument
    add(
        "sources", nargs="+", metavar="SOURCE", help="picture, PDF, TIFF, folder (with those inside), glob or @list.txt"
    )
    add("-o", "--out", type=Path, required=True, metavar="OUT", help="folder for outputs, summary and journal")
    add("--to", default="txt", metavar="LIST", help="out of txt, md, gfm, html, json, pdf; joined by commas")
    add("--workers", type=int, default=1, metavar="N", help="processes that read (default 1)")
    add("--batch-size", type=int, default=1, metavar="N", help="pages that a worker reads side by side (default 1)")
    add("--resume", action="store_true", help="go on with what OUT holds, or join others that work on it")
    add("--retry-failed", action="store_true", help="read pages again that an earlier run failed on")
    add("--pages", metavar="R", help="pages of each document, such as 1-3,7")
    add(
        "--max-page-error-rate",
        type=float,
        default=1.0,
        metavar="F",
        help="write no output of a document with a greater share of pages that are not ok (default 1: write all)",
    )
    add("--page-timeout", type=float, metavar="S", help="give a page up after so many seconds")
    add("--lease-seconds", type=float, default=20.0, metavar="S", help="silence after which another takes a page over")
    add(
        "--pdf-text",
        choices=("keep", "replace"),
        default="keep",
        help="under --to pdf, of pages that have text already",
    )
    _add_reading(parser)
    parser.set_defaults(func=run)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how pages are read; a change of any of these reads them again").add_argument
    add("--model", "-m", help="folder, `bundled`, or Hub id such as stepfun-ai/GOT-OCR-2.0-hf (downloaded once)")
    add("--revision", help="revision of a Hub model")
    add("--mode", choices=("plain", "format"), default="plain", help="plain text, or Mathpix Markdown / LaTeX")
    add("--box", metavar="X1,Y1,X2,Y2", help="read this region of every page (pixels)")
    add("--box-mode", choices=("prompt", "crop"), default="crop", help="name the box to the model, or cut it out first")
    add("--color", choices=("red", "green", "blue"), help="read inside the frame of this colour")
    add("--crop", action="store_true", help="cut a large picture into tiles")
    add("--max-tiles", type=int, metavar="N", help="most tiles of one picture under --crop")
    add("--password", metavar="P", help=f"of PDFs that need one; better put into the environment as {UNLOCK}")
    add("--dpi", type=float, metavar="N", help="of PDF pages (default: 200, less for very large ones)")
    add(
        "--ladder", default="crop,dpi,turn", metavar="LIST", help="tried on pages that ran in circles or were cut; none"
    )
    add(
        "--profile",
        choices=("safe", "reference", "hf"),
        default="safe",
        help="rules: ours, the original's, transformers'",
    )
    add("--max-new-tokens", type=int, default=4096, metavar="N")
    add("--device", default="auto", help="auto, cpu, cuda, mps; or one for each worker: cuda:0,cuda:1")
    add("--dtype", default="auto", help="auto, float32, bfloat16, float16, or int8 or int4 weights")
    add("--quiet", "-q", action="store_true", help="no progress and no notices")


def run(args: argparse.Namespace) -> int:
    """Run the command; return the exit status: 0, 3 when some pages are not ok, 5 when the disk takes no more."""
    from got_ocr import hub
    from got_ocr.batch import State, interruptible, launcher, supervise

    _check(args)
    formats = _list(args.to)
    if "pdf" in formats:
        from got_ocr.batch import searchable

        searchable.check()
    batch = _batch(args, formats)  # before a model is looked for, which may mean a download
    if State(args.out).is_begun and not args.resume:
        raise UsageError(
            "the output folder holds an earlier run: pass --resume to go on with it, or name another folder"
        )
    found = _model(args)
    batch = replace(batch, settings=replace(batch.settings, model=hub.fingerprint(found.path)))
    how = How(found.path, _list(args.device), args.workers)
    launch = launcher(_worker, batch, how)
    try:
        with interruptible(), _shown(args.quiet) as show:
            status, summary = supervise(batch, launch, workers=args.workers, note=show, page_seconds=args.page_timeout)
    except KeyboardInterrupt:
        print("got-ocr: stopped; the same command with --resume goes on", file=sys.stderr)
        raise
    if summary is not None:
        _tell(summary, args)
    return status


def _check(args: argparse.Namespace) -> None:
    from got_ocr.document import DPI_RANGE

    if not 1 <= args.workers <= 256:
        raise InvalidValue("the number of workers lies between 1 and 256")
    if not 1 <= args.max_new_tokens <= 32768:
        raise InvalidValue("max_new_tokens lies between 1 and 32768")
    if args.dpi is not None and not DPI_RANGE[0] <= args.dpi <= DPI_RANGE[1]:
        raise InvalidValue(f"the resolution lies between {DPI_RANGE[0]} and {DPI_RANGE[1]} dpi")
    if args.page_timeout is not None and not args.page_timeout > 0:
        raise InvalidValue("the time for a page is more than 0 seconds")


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _model(args: argparse.Namespace) -> "Found":
    from got_ocr import hub

    found = hub.resolve(args.model, revision=args.revision)
    if found.notice and not args.quiet:
        print(f"got-ocr: {found.notice}", file=sys.stderr)
    return found


def _batch(args: argparse.Namespace, formats: tuple[str, ...]) -> "Batch":
    from got_ocr.batch import Batch, State, listed
    from got_ocr.batch.journal import lengths

    journal = State(args.out).journal
    return Batch(
        entries=tuple(listed(args.sources, args.out)),
        out=args.out,
        settings=_settings(args),
        formats=formats,
        chosen=args.pages,
        group=args.batch_size,
        retry_failed=args.retry_failed,
        most_errors=args.max_page_error_rate,
        replace_text=args.pdf_text == "replace",
        silence=args.lease_seconds,
        since=lengths(journal) if journal.is_dir() else {},
        password=args.password or os.environ.get(UNLOCK) or None,
    )


def _settings(args: argparse.Namespace) -> "Settings":
    from got_ocr.batch import Settings
    from got_ocr.ocr import parse_box
    from got_ocr.profiles import profile
    from got_ocr.task import Task

    return Settings(
        task=Task(
            args.mode, parse_box(args.box) if args.box else None, args.box_mode, args.color, args.crop, args.max_tiles
        ),
        profile=args.profile,
        dtype=args.dtype,
        max_new_tokens=args.max_new_tokens,
        dpi=args.dpi,
        ladder=() if args.ladder == "none" else _list(args.ladder),
        reference=profile(args.profile).ports_pixels,
    )


def _worker(batch: "Batch", name: str, number: int, how: How) -> int:
    """Be one worker process; return its exit status."""
    from got_ocr.batch import work

    try:
        work(batch, partial(_engine, batch.settings, number, how), name)
    except GotOcrError as error:
        print(f"got-ocr: {error} [{error.code}]", file=sys.stderr)
        return error.exit_code
    return 0


def _engine(settings: "Settings", number: int, how: How) -> "Engine":
    """Open the model for one worker; on the CPU each takes its share of the cores."""
    import torch

    from got_ocr.backends.torch import pick_device
    from got_ocr.ocr import GotOcr

    device = pick_device(how.devices[number % len(how.devices)] if how.devices else "auto")
    if device == "cpu":
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // how.workers))
    return _Reader(GotOcr.load(how.model, device=device, dtype=settings.dtype), settings)


class _Reader:
    """Read decoded pages with a loaded model."""

    def __init__(self, model: "GotOcr", settings: "Settings") -> None:
        self._model, self._settings = model, settings

    @property
    def reads(self) -> frozenset[str]:
        return self._model.spec.reads

    def __call__(self, pages: "Sequence[Seen]", task: "Task") -> "Sequence[Reading]":
        if task.box is not None or task.color is not None:  # which are asked for page by page
            return [self._one(seen, task) for seen in pages]
        return self._model.read_many(
            [seen.picture.image for seen in pages],
            batch_size=len(pages),
            mode=task.mode,
            crop=task.crop,
            max_tiles=task.max_tiles,
            profile=self._settings.profile,
            max_new_tokens=self._settings.max_new_tokens,
        )

    def _one(self, seen: "Seen", task: "Task") -> "Reading":
        from got_ocr.reading import Reading

        reading = self._model.read(
            seen.picture.image,
            mode=task.mode,
            box=task.box,
            box_mode=task.box_mode,
            color=task.color,
            profile=self._settings.profile,
            max_new_tokens=self._settings.max_new_tokens,
        )
        if not isinstance(reading, Reading):
            raise GotOcrError("one page gave several readings")
        return reading


@contextmanager
def _shown(quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """Show progress on standard error: a bar to a person, a line now and then to a file."""
    if quiet:
        yield lambda progress: None
    elif not sys.stderr.isatty():
        yield _Lines()
    else:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), transient=True, refresh_per_second=4) as live:
            yield lambda progress: live.update(Text(_line(progress)))


class _Lines:
    """Print a line of progress when it is time."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: "Progress") -> None:
        if time.monotonic() - self._last >= _LINE_SECONDS:
            self._last = time.monotonic()
            print(_line(progress), file=sys.stderr, flush=True)


def _line(progress: "Progress") -> str:
    about = "" if progress.exact else "about "
    rate = f"{progress.rate:.2f} pages/s" if progress.rate >= 0.1 else f"{progress.rate * 60:.2f} pages/min"
    text = f"{progress.done} of {about}{progress.pages} pages, {rate}"
    if progress.left is not None:
        minutes, seconds = divmod(round(progress.left), 60)
        end = time.strftime("%a %H:%M", time.localtime(time.time() + progress.left))
        text += f", {about}{minutes // 60}:{minutes % 60:02}:{seconds:02} left (until {end})"
    return text + (f", {progress.not_ok} not ok" if progress.not_ok else "")


def _tell(summary: "Summary", args: argparse.Namespace) -> None:
    from got_ocr.batch.names import SUMMARY

    if not args.quiet:
        for row in summary.bad[:_SHOWN]:
            print(f"got-ocr: {json.dumps(row, ensure_ascii=False)}", file=sys.stderr)
        if len(summary.bad) > _SHOWN:
            print(f"got-ocr: and {len(summary.bad) - _SHOWN} more: see {SUMMARY}", file=sys.stderr)
    pages = ", ".join(f"{count} {status}" for status, count in sorted(summary.pages.items())) or "none"
    others = {name: getattr(summary, name) for name in ("failed", "skipped", "withheld", "unwritten")}
    extra = "".join(f", {count} {name}" for name, count in others.items() if count)
    print(f"pages: {pages}; documents: {summary.documents}{extra}; {args.out / SUMMARY}")
