"""One process of ours, seen from the service: start it, speak to it, end it. Knows no meaning of any message.

A child runs a module of this package in a session of its own, with a chosen environment, with nothing on its standard
streams, and with one socket. When the service is gone the socket ends, and so does the child.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

from got_ocr.errors import ChildCrashed, MissingDependency
from got_ocr.serve.wire import MAX_LINE, Message, encode

# What a process needs to find Python and its packages; keys and tokens are not among them.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def environment(extra: Mapping[str, str], *, whole: bool = False) -> dict[str, str]:
    """Choose a child's environment: what it needs to start, or (for the model) all but the service's own keys."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if (whole and not name.startswith("GOT_OCR_API_KEY")) or name in PASSED_ON
    }
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **extra}


class Child:
    """A running process. Create it with `Child.start`."""

    def __init__(self, process: subprocess.Popen[bytes], sock: socket.socket) -> None:
        self._process = process
        self._sock = sock
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ending: asyncio.Task[int] | None = None

    @classmethod
    async def start(cls, module: str, arguments: Sequence[str], env: Mapping[str, str]) -> "Child":
        """Start `python -m module FD arguments...`. Raises ChildCrashed where no process can be started."""
        if sys.platform == "win32":
            raise MissingDependency("the service runs on Linux and macOS; on Windows run it in WSL or a container")
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.to_thread(_open, module, theirs, arguments, env)
        except (OSError, RuntimeError, subprocess.SubprocessError):  # no process, or no thread to start one from
            ours.close()
            raise ChildCrashed("the system starts no further process") from None
        finally:
            theirs.close()
        child = cls(process, ours)
        ours.setblocking(False)
        child._reader, child._writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE)
        return child

    @property
    def pid(self) -> int:
        """Give the process's number."""
        return self._process.pid

    def alive(self) -> bool:
        """Say whether the process still runs, as far as is known."""
        return self._ending is None and self._reader is not None and not self._reader.at_eof()

    def send(self, message: Message, files: Sequence[int] = ()) -> None:
        """Send a message and the open files beside it; raises ChildCrashed when the child is gone."""
        try:
            # Straight to the socket: its stream has no way to pass files, and never has anything else to write.
            sent = socket.send_fds(self._sock, [encode(message, files)], list(files))
        except OSError:
            raise ChildCrashed("the process that did this work has ended") from None
        if sent < len(encode(message, files)):
            raise ChildCrashed("the process that did this work takes no more messages")

    async def receive(self) -> Message:
        """Wait for the next message; raises ChildCrashed when the child is gone."""
        assert self._reader is not None  # noqa: S101  # set by start
        try:
            line = await self._reader.readline()
        except (OSError, ValueError):
            line = b""
        if not line.endswith(b"\n"):
            raise ChildCrashed("the process that did this work has ended")
        message: Message = json.loads(line)
        return message

    def kill(self) -> None:
        """End the process and those that it started, now; the rest is done in the background."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> int:
        status = self._process.poll()  # before the signal: what ended it by itself is worth knowing
        self._signal()
        if self._writer is not None:
            self._writer.close()
        return await asyncio.to_thread(self._process.wait) if status is None else status

    def kill_at_exit(self) -> None:
        """End the process without an event loop."""
        self._signal()

    async def ended(self) -> int:
        """End the process unless it has ended; give its exit status, the signal's number below zero where one ended it."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())
        return await asyncio.shield(self._ending)

    def _signal(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                self._process.kill()


def _open(
    module: str, theirs: socket.socket, arguments: Sequence[str], env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    number = theirs.fileno()
    return subprocess.Popen(  # noqa: S603  # our own module, no shell
        [sys.executable, "-P", "-m", module, str(number), *arguments],
        env=dict(env),
        pass_fds=(number,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
