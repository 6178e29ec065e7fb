"""Benchmarks as published, read into `Example`s: pictures, what is asked, the true text, the kind.

Layouts: a JSON list or JSONL of conversation rows ({"image", "conversations": [{"from": "human", "value"}, {"from":
"gpt", "value"}]}; `image` may be a list of pages; `id` and `kind` are optional), ChartSE rows ({"images", "gts":
{...}}), and a folder of JSONL files in either layout. A row that does not fit stops the reading: a benchmark with
rows left out is another benchmark. Knows no model or score.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from PIL import Image

from got_ocr import image
from got_ocr.errors import GotOcrError, InputError, InputNotFound
from got_ocr.task import Box, Color, Mode, Task

Picture = Path | Image.Image

_MAX_FILE_BYTES = 1 << 30
_COLOR = re.compile(r"\[\s*(red|green|blue)\s*\]", re.I)
_BOX = re.compile(r"\[\s*(\d+)\s*,\s*(\d+)\s*(?:,\s*(\d+)\s*,\s*(\d+)\s*)?\]")


@dataclass(frozen=True, slots=True)
class Example:
    """One question of a benchmark. images: paths, or pictures made on the spot. id: unique within the benchmark."""

    id: str
    images: tuple[Picture, ...]
    task: Task
    reference: str
    kind: str

    def key(self) -> str:
        """Name this question, pictures included, in 16 hex digits: an answer under another key is to something else."""
        facts = [self.id, repr(self.task), self.reference, *(_fingerprint(picture) for picture in self.images)]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=True).encode("ascii")).hexdigest()[:16]


def _fingerprint(picture: Picture) -> str:
    if isinstance(picture, Image.Image):
        return hashlib.sha256(f"{picture.mode} {picture.size}".encode() + picture.tobytes()).hexdigest()
    try:
        with picture.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""  # reading it will say what is wrong


def read_bench(
    source: Path, images: Path | None = None, kind: str | None = None, mode: Mode | None = None
) -> Iterator[Example]:
    """Read a benchmark file or folder lazily.

    images: folder of the pictures; by default beside the file. kind: name for rows that give none; by default the
    file's stem. mode: ask every row for `plain` or `format`, whatever its prompt says. Raises InputNotFound and
    InputError.
    """
    root = images if images is not None else (source if source.is_dir() else source.parent)
    seen: set[str] = set()
    for file in _files(source):
        for number, row in _rows(file):
            example = _example(row, number, file.stem, root, kind or file.stem)
            if example.id in seen:
                raise InputError(f"row {number} of {file.name} has the 'id' of an earlier row")
            seen.add(example.id)
            yield example if mode is None else replace(example, task=replace(example.task, mode=mode))


def read_answers(file: Path) -> dict[tuple[str, str], str]:
    """Read another program's answers by (picture's file name without folders, true text).

    Rows are {"image" or "imagename", "answer"} with an optional "label" (the original's result files); without a
    label the true text is "". Raises InputError for a second answer to the same question.
    """
    answers: dict[tuple[str, str], str] = {}
    for number, row in _rows(file):
        name, label, answer = row.get("image", row.get("imagename")), row.get("label", ""), row.get("answer")
        if not (isinstance(name, str) and isinstance(label, str) and isinstance(answer, str)):
            raise InputError(f"row {number} of {file.name} needs texts under 'image' and 'answer'")
        question = (Path(name).name, label)
        if question in answers:
            raise InputError(f"row {number} of {file.name} answers the question of an earlier row again")
        answers[question] = answer
    return answers


def task_of_prompt(prompt: str, size: Callable[[], tuple[int, int]]) -> Task:
    """Turn a prompt's words into a `Task`.

    size: gives the (width, height) of the upright picture, called only for a box, whose thousandths become pixels.
    """
    mode: Mode = "format" if "format" in prompt.lower() else "plain"
    if "across multi pages" in prompt:
        return Task(mode=mode, multi_page=True)
    if "patch reference" in prompt:
        return Task(mode=mode, crop=True)
    if color := _COLOR.search(prompt):
        return Task(mode=mode, color=cast(Color, color[1].lower()))
    if box := _BOX.search(prompt):
        numbers = [int(n) for n in box.groups() if n is not None]
        return Task(mode=mode, box=_pixels(numbers, size()), box_mode="prompt")
    return Task(mode=mode)


def _pixels(thousandths: list[int], size: tuple[int, int]) -> Box:
    """Find pixels that become these thousandths again when the prompt is written (rounded up: prompts round down)."""
    if any(n > 1000 for n in thousandths):
        raise InputError("a box in a prompt holds thousandths, none over 1000")
    limits = size * (len(thousandths) // 2)
    values = [-(-n * limit // 1000) for n, limit in zip(thousandths, limits, strict=True)]
    if len(values) == 2:
        return values[0], values[1]
    left, top = (min(v, limit - 1) for v, limit in zip(values[:2], size, strict=True))
    return left, top, max(values[2], left + 1), max(values[3], top + 1)


def _files(source: Path) -> list[Path]:
    if not source.exists():
        raise InputNotFound(f"no such benchmark: {source.name}")
    if not source.is_dir():
        return [source]
    files = sorted(source.glob("*.jsonl"))
    if not files:
        raise InputError(f"the folder {source.name} holds no .jsonl file: name the benchmark's JSON file itself")
    return files


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (number from 1, row) of a JSON list or of JSON lines."""
    if not file.is_file():
        raise InputNotFound(f"no such file: {file.name}")
    if file.stat().st_size > _MAX_FILE_BYTES:
        raise InputError(f"{file.name} is over 1 GiB: cut it into several files")
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    if file.suffix == ".jsonl":
        lines = enumerate(text.split("\n"), 1)
        parsed: object = [_parse(line, f"line {i} of {file.name}") for i, line in lines if line.strip()]
    else:
        parsed = _parse(text, file.name)
    if not isinstance(parsed, list):
        raise InputError(f"{file.name} holds no JSON list of rows")
    for number, row in enumerate(parsed, 1):
        if not isinstance(row, dict):
            raise InputError(f"row {number} of {file.name} is no JSON object")
        yield number, row


def _parse(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{where} is not valid JSON") from None


def _example(row: Mapping[str, Any], number: int, stem: str, root: Path, kind: str) -> Example:
    where = f"row {number} of {stem}"
    named = row.get("image", row.get("images"))
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n for n in names):
        raise InputError(f"{where} needs a file name, or a list of them, under 'image'")
    paths = tuple(_inside(root, name, where) for name in names)
    prompt, reference = _question(row, where)
    try:
        task = task_of_prompt(prompt, lambda: image.load(paths[0]).image.size)
    except GotOcrError as error:
        raise InputError(f"{where}: {error}") from None
    return Example(
        id=str(row.get("id", f"{stem}/{number:05d}/{names[0]}")),
        images=paths,
        task=task,
        reference=reference,
        kind=str(row.get("kind", kind)),
    )


def _question(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Return (prompt, true text) of a conversation or of a ChartSE row."""
    if isinstance(row.get("gts"), dict):
        return "OCR with format: ", json.dumps(row["gts"], ensure_ascii=False)
    turns = row.get("conversations")
    values = [t.get("value") for t in turns[:2] if isinstance(t, dict)] if isinstance(turns, list) else []
    if len(values) == 2 and isinstance(values[0], str) and isinstance(values[1], str):
        return values[0], values[1]
    raise InputError(f"{where} needs 'conversations' with a human and a gpt text, or 'gts'")


def _inside(root: Path, name: str, where: str) -> Path:
    """Join a row's file name to the picture folder; a benchmark never reaches outside it."""
    path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"{where} names a picture outside the picture folder: give names below --images")
    return path
