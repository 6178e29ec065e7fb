"""Jobs on disk: one SQLite file and one input file a job, so that a restart loses nothing. Blocking; used by one thread.

A page's result is written in one transaction; what is in the table is done, whatever happens next. Knows no reading.
"""

import contextlib
import fcntl
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from got_ocr.errors import OutputError
from got_ocr.serve.problems import Overloaded

Status = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
ID_BYTES = 16
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, status TEXT NOT NULL,
  ask TEXT NOT NULL, bytes INTEGER NOT NULL, pages INTEGER, code TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS results (
  job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, page INTEGER NOT NULL, ok INTEGER NOT NULL,
  result TEXT NOT NULL, PRIMARY KEY (job, page));
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs(status, created);
"""
_COLUMNS = (
    "id, owner, created, updated, status, ask, pages, code, message, "
    "(SELECT count(*) FROM results WHERE job = jobs.id), (SELECT count(*) FROM results WHERE job = jobs.id AND NOT ok)"
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. pages: how many readings it will have, None until counted. done, failed: how many there are."""

    id: str
    owner: str
    created: float
    updated: float
    status: Status
    ask: dict[str, Any]
    pages: int | None
    code: str | None
    message: str | None
    done: int
    failed: int


class JobStore:
    """Keep jobs in a folder that belongs to this process alone. most, most_bytes: jobs and input bytes kept at a time."""

    def __init__(self, folder: Path, most: int, most_bytes: int) -> None:
        self._inputs = folder / "inputs"
        self._most = most
        self._most_bytes = most_bytes
        try:
            self._inputs.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chmod(folder, 0o700)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._db = sqlite3.connect(folder / "jobs.sqlite", isolation_level=None, check_same_thread=False)
            os.chmod(folder / "jobs.sqlite", 0o600)
            self._db.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
                + _SCHEMA
            )
        except BlockingIOError:
            raise OutputError("another service keeps its jobs in this folder: name another one") from None
        except (OSError, sqlite3.Error):
            raise OutputError("jobs cannot be kept in this folder: it must be writable") from None
        self._recover()

    def close(self) -> None:
        """Close everything."""
        self._db.close()
        os.close(self._lock)

    def _recover(self) -> None:
        """Queue again what was running, and sweep inputs that no job owns."""
        with self._writing() as db:
            db.execute("UPDATE jobs SET status = 'queued' WHERE status = 'running'")
            known = {row[0] for row in db.execute("SELECT id FROM jobs WHERE status = 'queued'")}
        for path in self._inputs.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Change the tables, wholly or not at all. Raises OutputError."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except (sqlite3.Error, OSError):
            raise OutputError("the job could not be kept: the disk is full or not writable") from None

    def create(self, owner: str, ask: dict[str, Any], data: bytes) -> Job:
        """Keep a new job. Raises Overloaded where too many are kept, OutputError where the disk refuses."""
        job_id, now = "job_" + secrets.token_hex(ID_BYTES), time.time()
        with self._writing() as db:
            count, held = db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM jobs").fetchone()
            if count >= self._most or held + len(data) > self._most_bytes:
                raise Overloaded(
                    "as many jobs are kept as may be: fetch and delete those that are done", retry_after=30.0
                )
            self._write_input(job_id, data)
            row = (job_id, owner, now, now, "queued", json.dumps(ask), len(data))
            db.execute("INSERT INTO jobs (id, owner, created, updated, status, ask, bytes) VALUES (?,?,?,?,?,?,?)", row)
        return Job(job_id, owner, now, now, "queued", ask, None, None, None, 0, 0)

    def _write_input(self, job_id: str, data: bytes) -> None:
        work = self._inputs / f"{job_id}.tmp"
        file = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            os.replace(work, self._inputs / job_id)
        finally:
            work.unlink(missing_ok=True)

    def data(self, job_id: str) -> bytes:
        """Read a job's input. Raises OutputError where it is gone."""
        try:
            return (self._inputs / job_id).read_bytes()
        except OSError:
            raise OutputError("the job's document is no longer there") from None

    def get(self, job_id: str, owner: str) -> Job | None:
        """Find one of an owner's jobs."""
        return next(self._select("WHERE id = ? AND owner = ?", (job_id, owner)), None)

    def of(self, owner: str) -> list[Job]:
        """List an owner's jobs, the newest first."""
        return list(self._select("WHERE owner = ? ORDER BY created DESC", (owner,)))

    def take(self) -> Job | None:
        """Take the oldest queued job and mark it as running."""
        with self._writing() as db:
            job = next(self._select("WHERE status = 'queued' ORDER BY created LIMIT 1", ()), None)
            if job is not None:
                db.execute("UPDATE jobs SET status = 'running', updated = ? WHERE id = ?", (time.time(), job.id))
        return job

    def counted(self, job_id: str, pages: int) -> None:
        """Note how many readings a job will have."""
        with self._writing() as db:
            db.execute("UPDATE jobs SET pages = ?, updated = ? WHERE id = ?", (pages, time.time(), job_id))

    def add(self, job_id: str, page: int, result: dict[str, Any]) -> None:
        """Keep the result of one page; one that is there already stays."""
        row = (job_id, page, result["error"] is None, json.dumps(result, ensure_ascii=False))
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO results (job, page, ok, result) VALUES (?,?,?,?)", row)
            db.execute("UPDATE jobs SET updated = ? WHERE id = ?", (time.time(), job_id))

    def finished_pages(self, job_id: str) -> set[int]:
        """List the pages that have results."""
        return {row[0] for row in self._db.execute("SELECT page FROM results WHERE job = ?", (job_id,))}

    def results(self, job_id: str) -> list[dict[str, Any]]:
        """Read the results there are, in the order of pages."""
        rows = self._db.execute("SELECT result FROM results WHERE job = ? ORDER BY page", (job_id,))
        return [json.loads(row[0]) for row in rows]

    def release(self, job_id: str) -> None:
        """Queue a running job again."""
        with self._writing() as db:
            db.execute("UPDATE jobs SET status = 'queued' WHERE id = ? AND status = 'running'", (job_id,))

    def finish(self, job_id: str, status: Status, code: str | None = None, message: str | None = None) -> bool:
        """End a job, forget its document and what was asked; return whether it had not ended before."""
        with self._writing() as db:
            changed = db.execute(
                "UPDATE jobs SET status = ?, code = ?, message = ?, updated = ?, ask = '{}', bytes = 0 "
                "WHERE id = ? AND status IN ('queued', 'running')",
                (status, code, message, time.time(), job_id),
            ).rowcount
        (self._inputs / job_id).unlink(missing_ok=True)
        return changed > 0

    def delete(self, job_id: str) -> None:
        """Forget a job and its results."""
        with self._writing() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        (self._inputs / job_id).unlink(missing_ok=True)

    def sweep(self, before: float) -> int:
        """Forget the jobs that ended before a time; return how many."""
        with self._writing() as db:
            sql = f"DELETE FROM jobs WHERE updated < ? AND status IN {ENDED!r}"  # noqa: S608  # our own constant
            return db.execute(sql, (before,)).rowcount

    def _select(self, where: str, values: tuple[object, ...]) -> Iterator[Job]:
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM jobs {where}", values):  # noqa: S608  # our own constants
            job_id, owner, created, updated, status, ask, pages, code, message, done, failed = row
            yield Job(job_id, owner, created, updated, status, json.loads(ask), pages, code, message, done, failed)
