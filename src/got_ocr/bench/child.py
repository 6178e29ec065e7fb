"""Contenders as child processes: start one, ask it, end it. What the questions are stands in `peer.py`."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from got_ocr.bench.peer import OURS
from got_ocr.bench.sides import Job
from got_ocr.errors import ChildCrashed, InvalidValue


@dataclass(frozen=True, slots=True)
class Load:
    """Say what opening cost. start: seconds from the process's start until its model is there, `seconds` of them for the model.

    peak: bytes after that; most: bytes at the end of the run; None if unknown.
    """

    start: float
    seconds: float
    peak: int | None
    most: int | None


class Child:
    """Run one contender. Ends with the `with` block."""

    def __init__(self, name: str, command: list[str], threads: int) -> None:
        self.name = name
        self._began = time.perf_counter()
        self._most: int | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            )
        except OSError:
            raise InvalidValue(f"the peer {name[:40]} cannot be started: name a command or a Python file") from None

    def open(self, plan: Mapping[str, Any]) -> Mapping[str, Job]:
        """Let it open the model; give its jobs by name."""
        told = self._ask({"open": plan})
        self._load = Load(time.perf_counter() - self._began, told["seconds"], told["peak"], None)
        return {name: partial(self._run, name) for name in told["jobs"]}

    def load(self) -> Load:
        """Say what opening cost, and the most memory since."""
        return Load(self._load.start, self._load.seconds, self._load.peak, self._most)

    def ids(self) -> dict[int, list[int]]:
        """Give what its decode jobs wrote, by rows."""
        return {int(rows): ids for rows, ids in self._ask({"ids": True})["ids"].items()}

    def _run(self, job: str) -> float:
        told = self._ask({"run": job})
        self._most = told["peak"]
        return float(told["seconds"])

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(json.dumps(question) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
        except (OSError, ValueError):
            raise ChildCrashed(f"{self.name[:40]} ended without an answer; what it wrote above may say why") from None
        if "error" in answer:
            raise ChildCrashed(f"{self.name[:40]}: {answer['error']}")
        return answer

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def command(peer: str) -> tuple[str, list[str]]:
    """Say what a peer is called and how it is started: got-ocr, plain, a Python file, its name in benchmarks/, or a command."""
    if peer in OURS:
        return peer, [sys.executable, "-m", "got_ocr.bench.peer", peer]
    beside = Path("benchmarks") / f"{peer}_peer.py"
    words = [str(beside)] if beside.is_file() else shlex.split(peer)
    if not words:
        raise InvalidValue("a peer is plain, a Python file, or a command")
    name = next((Path(word).stem for word in reversed(words) if word.endswith(".py")), Path(words[0]).name)
    return name.removesuffix("_peer"), [sys.executable, *words] if words[0].endswith(".py") else words
