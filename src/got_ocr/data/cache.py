"""Small files that are costly to make again: the font index and the cleaned corpora. Knows no font, corpus or picture.

An entry is one JSON file named by its kind and by a digest of what it was made from, so a stale entry is never read.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from got_ocr.errors import OutputError

PARTIAL = ".partial"


def folder() -> Path:
    """Name the cache folder: `GOT_OCR_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("GOT_OCR_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "got-ocr"


def digest(*parts: object) -> str:
    """Hash the parts' JSON to 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def stamps(paths: list[Path]) -> list[tuple[str, int, int]]:
    """List (path, size, mtime in nanoseconds) of files, what an entry's digest is made from."""
    stats = [(path, path.stat()) for path in paths]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]


def read(kind: str, key: str) -> object | None:
    """Return the entry, or None where there is none or it cannot be read."""
    path = folder() / f"{kind}-{key}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except (OSError, ValueError):
        return None


def write(kind: str, key: str, value: object) -> None:
    """Write the entry whole or not at all; a folder that cannot be written only costs the time to make it again."""
    path = folder() / f"{kind}-{key}.json"
    try:
        replace(path, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
    except OutputError:
        return


def replace(path: Path, data: bytes) -> None:
    """Put bytes at `path` whole or not at all, flushed to the disk. Raises OutputError."""
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; when the block ends well, flush it to the disk and move it there.

    Raises OutputError where the system refuses. A process that is killed leaves at most a file that ends in `PARTIAL`.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PARTIAL, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path.name}: {error.strerror or 'the system refused'}") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
