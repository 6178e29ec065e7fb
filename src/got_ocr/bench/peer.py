"""One contender in a process of its own: questions come as JSON lines, answers go as JSON lines. Compares nothing.

A peer is a program that answers the three questions below. One written in Python calls `serve` with what opens a folder as a
backend, and need not have PyTorch; one of another language answers by itself:

    {"open": {"folder", "dtype", "image_token", "clock", "batches", "page_tokens"}}  ->  {"seconds", "peak", "jobs": [names]}
    {"run": name}  ->  {"seconds", "peak"}: of a decode job, seconds per id
    {"ids": true}  ->  {"ids": {rows: [ids]}}: what the decode jobs wrote so far

peak: the most bytes of memory so far, or null. The inputs are those of `sides.Side`. Threads come as OMP_NUM_THREADS. A question
that cannot be answered gets {"error": text}; at the end of input the program ends.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from got_ocr.backends.base import Backend
from got_ocr.bench.memory import peak_memory
from got_ocr.bench.sides import Job, Side, jobs
from got_ocr.errors import GotOcrError, InvalidValue

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
Opener = Callable[[Path, str], Backend]  # folder, dtype


def serve(opener: Opener, questions: IO[str] | None = None, answers: IO[str] | None = None) -> int:
    """Answer until the questions end; return the exit status. By default on standard input and output."""
    asked, told = questions or sys.stdin, answers or _own_output()
    contender = Contender(opener)
    for line in asked:
        try:
            answer = contender.answer(json.loads(line))
        except GotOcrError as error:
            answer = {"error": str(error)}
        told.write(json.dumps(answer) + "\n")
        told.flush()
    return 0


def _own_output() -> IO[str]:
    """Keep standard output for answers: what libraries print goes to standard error."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


class Scores:
    """Scores of the next ids, (B, W), as an array or tensor of the peer's library."""

    def __init__(self, logits: Any) -> None:
        self._logits = logits

    def best(self, banned: Sequence[Collection[int]]) -> list[int]:
        """Choose the best ids; a peer bans none."""
        chosen: list[int] = self._logits.argmax(-1).tolist()
        return chosen


class Contender:
    """Hold what was opened."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._side: Side | None = None
        self._jobs: Mapping[str, Job] = {}

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one question. Raises InvalidValue for one that is none of the three."""
        if "open" in question:
            return self._open(question["open"])
        if question.get("run") in self._jobs:
            seconds = self._jobs[question["run"]]()
            return {"seconds": seconds, "peak": peak_memory()}
        if "ids" in question and self._side is not None:
            return {"ids": self._side.ids}
        raise InvalidValue("this is no question of a benchmark, or nothing was opened")

    def _open(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        start = time.perf_counter()
        backend = self._opener(Path(plan["folder"]), plan["dtype"])
        seconds = time.perf_counter() - start
        self._side = Side(backend, plan["image_token"], CLOCKS[plan["clock"]])
        self._jobs = jobs(self._side, tuple(plan["batches"]), plan["page_tokens"])
        return {"seconds": seconds, "peak": peak_memory(), "jobs": list(self._jobs)}


def open_ours(folder: Path, dtype: str) -> Backend:
    """Open a model as everything else does."""
    from got_ocr.backends.torch import open_backend

    return open_backend(folder, "cpu", dtype)


def open_plain(folder: Path, dtype: str) -> Backend:
    """Open a model in its plain form."""
    from got_ocr.backends.torch import DTYPES, TorchBackend
    from got_ocr.model.quantise import quantise_model
    from got_ocr.model.weights import load_model

    model = load_model(folder, dtype=DTYPES.get(dtype, DTYPES["bfloat16"]))
    if dtype not in DTYPES:
        quantise_model(model, dtype)
    return TorchBackend(model)


OURS: Mapping[str, Opener] = {"got-ocr": open_ours, "plain": open_plain}

if __name__ == "__main__":
    sys.exit(serve(OURS[sys.argv[1]]))
