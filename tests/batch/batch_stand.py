"""What the batch tests stand on: a scripted engine, documents, and a program that runs a batch and can be killed.

Run as `python batch_stand.py SOURCE OUT '{"delay": 0.01, ...}'`.
"""

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from got_ocr.batch import Batch, Seen, Settings, State, interruptible, launcher, listed, supervise, work
from got_ocr.batch.journal import lengths
from got_ocr.batch.processes import _main
from got_ocr.batch.supervisor import Launch, Process
from got_ocr.errors import GotOcrError, ImageCorrupt
from got_ocr.reading import Reading
from got_ocr.task import Task

HERE = Path(__file__)


class Script:
    """Read a page as its file's name says: loop, cut, sideways, corrupt, bug, crash, hang, killed, blank; else plainly."""

    reads = frozenset({"plain", "format", "crop"})

    def __init__(self, log: Path | None = None, delay: float = 0.0) -> None:
        self.log, self.delay = log, delay
        self.asked: list[tuple[str, int, Task]] = []

    def __call__(self, pages: Sequence[Seen], task: Task) -> list[Reading]:
        return [self.one(seen, task) for seen in pages]

    def one(self, seen: Seen, task: Task) -> Reading:
        name, number = seen.page.source, seen.page.number
        self.asked.append((name, number, task))
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{name} {number}\n")
        if self.delay:
            time.sleep(self.delay)
        self.trouble(name, number)
        text = f"Text of {name}, page {number}: ünïcode 漢字 😀 <b>&amp; $x^2$."
        status = "ok"
        upright = seen.picture.image.width <= seen.picture.image.height
        if name.startswith("loop"):
            status = "ok" if task.crop else "loop"
        elif name.startswith("cut") or (name.startswith("sideways") and not upright):
            status = "truncated"
        elif name.startswith("blank"):
            text, status = "", "empty"
        return Reading(text, status, (1, 2), 3, 0.1, number, name, "fake", ("noticed",))

    def trouble(self, name: str, number: int) -> None:
        if name.startswith("corrupt") and number % 2 == 0:
            raise ImageCorrupt("broken by script")
        if name.startswith("bug"):
            raise RuntimeError("/home/secret 0xdeadbeef")
        if name.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if name.startswith("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("hang"):
            time.sleep(600)


def picture(path: Path, shade: int = 255, size: tuple[int, int] = (30, 40)) -> Path:
    """Write a small picture, each shade another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade % 256, shade // 256, 7)).save(path, "PNG")
    return path


def tiff(path: Path, pages: int, shade: int = 0) -> Path:
    """Write a TIFF of several pages, no two alike."""
    frames = [Image.new("L", (24, 32), (shade + number) % 256) for number in range(pages)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def folder(path: Path, pages: int) -> Path:
    """Fill a folder: two in five pages in TIFFs, the others single pictures, some of them in folders inside."""
    path.mkdir(parents=True)
    for number in range(pages * 3 // 5):
        picture(path / f"part{number % 3}" / f"page{number}.png", number)
    rest = pages - pages * 3 // 5
    for number in range(0, rest, 10):
        tiff(path / f"book{number}.tif", min(10, rest - number), number)
    return path


def batch(source: Path | Sequence[str], out: Path, **changes: object) -> Batch:
    """Describe a batch as the command line does."""
    sources = [str(source)] if isinstance(source, Path) else source
    journal = State(out).journal
    since = lengths(journal) if journal.is_dir() else {}
    entries = tuple(listed(sources, out))
    return Batch(entries, out, **{"since": since, "silence": 30.0, **changes})  # type: ignore[arg-type]


def run_here(job: Batch, engine: Script | None = None) -> Script:
    """Run one worker in this process."""
    engine = engine or Script()
    State(job.out).make()
    work(job, lambda: engine)
    return engine


def outputs(out: Path) -> dict[str, bytes]:
    """Read every output, the summary among them."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".got-ocr-batch" not in path.parts
    }


def events(out: Path, kind: str) -> list[dict]:
    """Read all events of a kind from the journals; torn lines are left out."""
    found = []
    for path in sorted(State(out).journal.iterdir()):
        for line in path.read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                event = json.loads(line[9:])
                found += [event] if event["e"] == kind else []
    return found


def worker(job: Batch, name: str, number: int, how: dict) -> int:
    """Be one worker process with the scripted engine."""
    if how.get("most_bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (how["most_bytes"], how["most_bytes"]))
    log = Path(how["log"]) if how.get("log") else None
    try:
        work(job, partial(Script, log, how.get("delay", 0.0)), name)
    except GotOcrError as error:
        print(f"{error} [{error.code}]", file=sys.stderr)
        return error.exit_code
    return 0


def forked(job: Batch, how: dict) -> Launch:
    """Start workers by forking, which is quick; the real launcher has tests of its own."""
    context = multiprocessing.get_context("fork")

    def launch(name: str, number: int) -> Process:
        process = context.Process(target=_main, args=(worker, job, name, number, how))
        process.start()
        return process

    return launch


def main(source: str, out: str, how: dict) -> int:
    """Run a batch: with `workers` 0 in this process, else supervised."""
    settings = Settings(ladder=tuple(how.get("ladder", ())))
    changes = {key: how[key] for key in ("formats", "silence", "retry_failed", "group") if key in how}
    if "formats" in changes:
        changes["formats"] = tuple(changes["formats"])
    job = batch([source], Path(out), settings=settings, **changes)
    if how.get("workers", 1) == 0:
        State(job.out).make()
        return worker(job, f"solo-{os.getpid()}-{time.time_ns()}", 0, how)
    with interruptible():
        try:
            limit = how.get("page_seconds")
            launch = forked(job, how) if how.get("forked") else launcher(worker, job, how)
            status, summary = supervise(job, launch, workers=how.get("workers", 1), page_seconds=limit)
        except KeyboardInterrupt:
            return 130
    print(json.dumps(summary.pages if summary else {}))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
