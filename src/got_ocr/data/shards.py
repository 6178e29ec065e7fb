"""Samples written to a folder or to archives, part by part, so that a killed run goes on where it stopped.

A part is a run of samples. It is whole when its note in `parts/` exists: everything else of it is on the disk before
that. Every file is put in place whole; the same job always ends in the same bytes. Knows no source and no model.
"""

import hashlib
import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from got_ocr.data import cache, manifest, rows
from got_ocr.data.build import Recipe, build
from got_ocr.data.sample import Sample
from got_ocr.errors import ChildCrashed, InvalidValue

Note = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Say what to write: `count` samples of a recipe.

    packed: archives of `part` samples each instead of loose files. version: of this package, for the manifest; another
    version may write other bytes, so it does not go on with a folder.
    """

    recipe: Recipe
    seed: int
    count: int
    out: Path
    packed: bool = False
    part: int = 256
    version: str = ""

    def __post_init__(self) -> None:
        if self.count < 1 or self.part < 1:
            raise InvalidValue("count and part are 1 or more")

    @property
    def parts(self) -> int:
        """Count the parts."""
        return -(-self.count // self.part)

    def numbers(self, part: int) -> range:
        """List the sample numbers of a part."""
        return range(part * self.part, min(self.count, (part + 1) * self.part))

    @property
    def facts(self) -> dict[str, object]:
        """List what makes two jobs the same."""
        size = {"count": self.count, "packed": self.packed, "part": self.part}
        return {"recipe": self.recipe.facts, "seed": self.seed, "version": self.version, **size}


def write(job: Job, query: rows.Query, workers: int = 1, note: Note | None = None) -> Path:
    """Write what is not there yet, then the rows and the manifest; return the manifest's path.

    query: the model's words for a task. note: told the samples that are done and all. Raises InvalidValue where the
    folder holds another job, OutputError and ChildCrashed.
    """
    _claim(job)
    todo = [part for part in range(job.parts) if not _note_of(job, part).exists()]
    done = job.count - sum(len(job.numbers(part)) for part in todo)
    if note is not None:
        note(done, job.count)
    for part in _made(job, query, todo, workers):
        done += len(job.numbers(part))
        if note is not None:
            note(done, job.count)
    return _finish(job)


def _made(job: Job, query: rows.Query, todo: list[int], workers: int) -> Iterator[int]:
    if workers <= 1 or len(todo) <= 1:
        for part in todo:
            yield make_part(job, query, part)
        return
    context = get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(todo)), context, initializer=_settle, initargs=(os.getpid(),))
    try:
        yield from _answers(pool, job, query, todo)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _answers(pool: Executor, job: Job, query: rows.Query, todo: list[int]) -> Iterator[int]:
    try:
        for future in as_completed([pool.submit(make_part, job, query, part) for part in todo]):
            yield future.result()
    except BrokenProcessPool as error:
        raise ChildCrashed("a synthesis worker died; run the same command again to go on") from error


def _settle(parent: int) -> None:
    """Prepare a worker: one thread each, and an end when the run that started it was killed."""
    import cv2

    cv2.setNumThreads(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _note_of(job: Job, part: int) -> Path:
    return job.out / "parts" / f"{part:05}.json"


def _rows_of(job: Job, part: int) -> Path:
    return job.out / "parts" / f"{part:05}.jsonl"


def _claim(job: Job) -> None:
    """Mark the folder as this job's and sweep what a killed run left half written."""
    path = job.out / "job.json"
    mark = _json(job.facts)
    if path.exists():
        if path.read_bytes() != mark:
            raise InvalidValue(f"{job.out} holds another job; name another folder")
    elif job.out.is_dir() and any(not entry.name.endswith(cache.PARTIAL) for entry in job.out.iterdir()):
        raise InvalidValue(f"{job.out} is not empty and holds no job; name another folder")
    else:
        cache.replace(path, mark)
    for leftover in job.out.rglob(f".*{cache.PARTIAL}"):
        leftover.unlink(missing_ok=True)


def make_part(job: Job, query: rows.Query, part: int) -> int:
    """Write one part and, last, its note; returns its number."""
    notes: list[dict[str, object]] = []
    name = f"shard-{part:05}.tar" if job.packed else f"parts/{part:05}.jsonl"
    with cache.replacing(job.out / name) as file:
        if job.packed:
            _write_tar(file, job, query, part, notes)
        else:
            _write_rows(file, job, query, part, notes)
    note = {"name": name, "sha256": sha256(job.out / name), "samples": len(notes), **manifest.merged(notes)}
    cache.replace(_note_of(job, part), _json(note))
    return part


def _write_rows(file: BinaryIO, job: Job, query: rows.Query, part: int, notes: list[dict[str, object]]) -> None:
    """Write pictures as files of their own and their rows into one file; add each sample's facts to the notes."""
    for number, sample in _samples(job, part):
        for path, data in rows.pictures(sample, number).items():
            cache.replace(job.out / path, data)
        file.write((rows.row(sample, number, query) + "\n").encode())
        notes.append(manifest.facts(sample))


def _write_tar(file: BinaryIO, job: Job, query: rows.Query, part: int, notes: list[dict[str, object]]) -> None:
    """Write pictures and rows into one archive without times or owners; add each sample's facts to the notes."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, sample in _samples(job, part):
            for path, data in rows.pictures(sample, number).items():
                _pack(tar, path, data)
            _pack(tar, f"{number:06}.json", rows.row(sample, number, query).encode())
            notes.append(manifest.facts(sample))


def _samples(job: Job, part: int) -> Iterator[tuple[int, Sample]]:
    for number in job.numbers(part):
        yield number, build(job.recipe, job.seed, number)


def _pack(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # Names of one sample differ in their ending only, as readers of such archives expect.
    info = tarfile.TarInfo(name.replace("/", "."))
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finish(job: Job) -> Path:
    """Join the rows of loose files and write the manifest."""
    notes = [json.loads(_note_of(job, part).read_bytes()) for part in range(job.parts)]
    files = [{"name": note["name"], "sha256": note["sha256"], "samples": note["samples"]} for note in notes]
    if not job.packed:
        with cache.replacing(job.out / "data.jsonl") as file:
            for part in range(job.parts):
                file.write(_rows_of(job, part).read_bytes())
        files = [{"name": "data.jsonl", "sha256": sha256(job.out / "data.jsonl"), "samples": job.count}]
    path = job.out / "manifest.json"
    cache.replace(path, _json({**job.facts, "files": files, **manifest.whole(job.recipe, notes)}))
    return path


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
