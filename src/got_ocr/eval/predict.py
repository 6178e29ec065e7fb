"""What a reader answered, kept as JSON lines: resumable, append-only, one row an answer.

A row is written in one piece as soon as it is known, so a killed run loses the picture it was at and nothing else.
Knows readers only as callables; no model, no score.
"""

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from got_ocr.errors import GotOcrError, InputError, InputNotFound, MissingDependency, ModelError, OutputError
from got_ocr.eval.benches import Example, Picture
from got_ocr.task import Task

FAILED = "failed"
UNSUPPORTED = "unsupported"


class Answer(NamedTuple):
    """What a reader returns.

    status: how reading ended; `UNSUPPORTED` says that this reader cannot be asked that. seconds: wall time.
    """

    text: str
    status: str
    seconds: float


Reader = Callable[[tuple[Picture, ...], Task], tuple[str, str, float]]
Opener = Callable[[], Reader]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row of the file.

    key: see `Example.key`. settings: what else decides the reader's answer (weights, longest answer). error: the code
    of our error class when status is `failed`.
    """

    id: str
    key: str
    reader: str
    settings: str
    text: str
    status: str
    seconds: float
    error: str = ""


def predict(
    examples: Iterable[Example],
    open_reader: Opener,
    file: Path,
    reader: str,
    settings: str = "",
    retry_failed: bool = False,
) -> Iterator[tuple[Example, Prediction]]:
    """Answer every example, taking answers that `file` already has; yields each with its example, in order.

    Answers of the same reader, settings and question are taken over. open_reader: called once, at the first open
    question; what it raises stops the run. retry_failed: ask failed ones again. A picture that fails is recorded and
    does not stop the run; a reader that lost its model or program does (ModelError, MissingDependency). Raises
    OutputError when the file cannot be written, InputError when it is no file of predictions.
    """
    mend(file)
    read: Reader | None = None
    known = {p.key: p for p in read_predictions(file) if (p.reader, p.settings) == (reader, settings)}
    for example in examples:
        key = example.key()
        found = known.get(key)
        if found is None or (retry_failed and found.status == FAILED):
            read = read or open_reader()
            failed = Prediction(example.id, key, reader, settings, "", FAILED, 0.0, GotOcrError.code)
            found = _ask(example, read, failed)
            append(file, found)
        yield example, found


def recorded(
    examples: Iterable[Example], predictions: Iterable[Prediction], reader: str
) -> Iterator[tuple[Example, Prediction]]:
    """Pair every example with the newest answer to it, as answers of `reader`; a missing answer is `failed`."""
    known = {p.key: replace(p, reader=reader) for p in predictions}
    for example in examples:
        yield example, known.get(example.key()) or _missing(example, reader)


def given(
    examples: Iterable[Example], answers: Mapping[tuple[str, str], str], reader: str
) -> Iterator[tuple[Example, Prediction]]:
    """Pair every example with what another program wrote down (see `benches.read_answers`); no answer is `failed`."""
    for example in examples:
        first = example.images[0]
        name = first.name if isinstance(first, Path) else example.id
        text = answers.get((name, example.reference), answers.get((name, "")))
        found = _missing(example, reader)
        yield example, found if text is None else replace(found, text=text, status="given", error="")


def _missing(example: Example, reader: str) -> Prediction:
    return Prediction(example.id, example.key(), reader, "", "", FAILED, 0.0, InputNotFound.code)


def _ask(example: Example, read: Reader, failed: Prediction) -> Prediction:
    """Fill in the answer; `failed` is what is said when there is none."""
    try:
        text, status, seconds = read(example.images, example.task)
    except (ModelError, MissingDependency):
        raise  # not this picture's fault, and true for every other: the run must say so and stop
    except GotOcrError as error:
        return replace(failed, error=error.code)
    except Exception:  # a run over thousands of pictures outlives a bug at one; the code tells it from a bad picture
        return failed
    return replace(failed, text=text, status=status, seconds=round(seconds, 4), error="")


def read_predictions(file: Path) -> Iterator[Prediction]:
    """Read the rows in order; nothing for a missing file. A torn last line (no line end) is left out.

    Raises InputError for any other line that is no prediction.
    """
    if not file.exists():
        return
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                return
            if line.strip():
                yield _row(line, f"line {number} of {file.name}")


def _row(line: bytes, where: str) -> Prediction:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{where} is not valid JSON") from None
    if not isinstance(row, Mapping):
        raise InputError(f"{where} is no prediction")
    texts = [row.get(name) for name in ("id", "key", "reader", "settings", "text", "status")]
    seconds: Any = row.get("seconds")
    error = row.get("error", "")
    timed = isinstance(seconds, int | float) and math.isfinite(seconds)
    if not timed or not all(isinstance(v, str) for v in (*texts, error)):
        raise InputError(f"{where} is no prediction: it needs id, key, reader, settings, text, status and seconds")
    identity, key, reader, settings, text, status = map(str, texts)
    return Prediction(identity, key, reader, settings, text, status, float(seconds), str(error))


def mend(file: Path) -> None:
    """Cut a torn last line off, so that the next row starts on a line of its own."""
    if not file.exists():
        return
    try:
        with file.open("r+b") as stream:
            whole = _whole_lines(stream.read())
            stream.truncate(whole)
    except OSError:
        raise OutputError(f"cannot write the predictions file {file.name}") from None


def _whole_lines(data: bytes) -> int:
    return data.rfind(b"\n") + 1


def append(file: Path, prediction: Prediction) -> None:
    """Add one row in a single write to the end of the file."""
    line = (json.dumps(asdict(prediction), ensure_ascii=False) + "\n").encode("utf-8", errors="replace")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            written = os.write(handle, line)
        finally:
            os.close(handle)
    except OSError:
        raise OutputError(f"cannot write the predictions file {file.name}") from None
    if written != len(line):
        raise OutputError(f"the disk took only a part of a row of {file.name}: make room and start again")
