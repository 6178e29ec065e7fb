"""Start workers as processes of their own: deaf to Ctrl-C, which their parent hears for them, and never left without it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from types import FrameType
from typing import TypeVar

from got_ocr.batch.job import Batch
from got_ocr.batch.supervisor import Launch, Process

INTERRUPTED = 130
T = TypeVar("T")


def launcher(target: Callable[[Batch, str, int, T], int], batch: Batch, how: T) -> Launch:
    """Give what starts a worker: a new process that calls target(batch, name, number, how) and exits with its answer."""
    context = multiprocessing.get_context("spawn")  # a fork would share PDFium's and torch's state

    def launch(name: str, number: int) -> Process:
        process = context.Process(target=_main, args=(target, batch, name, number, how), name=f"got-ocr-{number}")
        # A terminal sends Ctrl-C to all processes at once: these inherit that it is ignored.
        with _heard(signal.SIGINT, signal.SIG_IGN):
            process.start()
        return process

    return launch


@contextmanager
def interruptible() -> Iterator[None]:
    """Take a request to end (SIGTERM) as Ctrl-C is taken, so that what is held is given back."""
    with _heard(signal.SIGTERM, _interrupt):
        yield


def _main(target: Callable[[Batch, str, int, T], int], batch: Batch, name: str, number: int, how: T) -> None:
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_watch_parent, name="parent", daemon=True).start()
    sys.exit(target(batch, name, number, how))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the second one must not break off what the first began
    sys.exit(INTERRUPTED)


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(INTERRUPTED)  # as a kill would, which every write is made for


@contextmanager
def _heard(number: int, handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    """Handle a signal so for a while; only the main thread may, and in another nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
