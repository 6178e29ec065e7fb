"""How the service and its processes speak: one line of JSON a message, with open files beside it. No pickle.

Bytes and pixels travel as anonymous files (in memory where the system can), never through a message: the service hands
them on without reading them. Knows no meaning of any message.
"""

import json
import mmap
import os
import socket
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from typing import Any

MAX_LINE = 4 << 20
MAX_FILES = 250  # the kernel takes 253

Message = dict[str, Any]


def anonymous(data: bytes = b"") -> int:
    """Open an anonymous file that holds `data`; it is gone when the last process closes it."""
    if sys.platform == "linux":
        file = os.memfd_create("got-ocr", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as unlinked:
            file = os.dup(unlinked.fileno())
    try:
        write_all(file, data)
    except BaseException:
        os.close(file)
        raise
    return file


def write_all(file: int, data: bytes | memoryview) -> None:
    """Write everything at the file's position."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def read_all(file: int) -> bytes:
    """Read the whole file, from its beginning."""
    size = os.fstat(file).st_size
    if size == 0:
        return b""
    with mmap.mmap(file, size, prot=mmap.PROT_READ) as view:
        return view[:]


def encode(message: Message, files: Sequence[int]) -> bytes:
    """Write a message's line."""
    return json.dumps({**message, "files": len(files)}, ensure_ascii=True, allow_nan=False).encode() + b"\n"


class Line:
    """The far end: read messages and answer them, one after another."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._files: deque[int] = deque()

    def receive(self) -> tuple[Message, list[int]] | None:
        """Wait for a message and the files beside it; None when the service is gone."""
        while b"\n" not in self._buffer:
            data, files, _, _ = socket.recv_fds(self._sock, 1 << 16, MAX_FILES)
            self._files.extend(files)
            if not data or len(self._buffer) > MAX_LINE:
                return None
            self._buffer += data
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        message: Message = json.loads(line)
        return message, [self._files.popleft() for _ in range(message["files"])]

    def send(self, message: Message) -> None:
        """Answer."""
        self._sock.sendall(encode(message, ()))


def inherited(number: str) -> Line:
    """Open the line whose number came as a process's argument."""
    sock = socket.socket(fileno=int(number))
    sock.setblocking(True)
    return Line(sock)
