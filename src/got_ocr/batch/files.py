"""Writes that neither a kill, a full disk nor a second writer can tear. Knows paths and bytes alone.

A file is written under a name of its own in the scratch folder, forced to the disk, and then appears under its real name in
one step: `replace` puts it in the place of what is there, `create` refuses where something is there already.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TypeVar

from got_ocr.errors import OutputError, OutputRefused

T = TypeVar("T")

# A disk in such a state takes no further page either: the run stops, and goes on when it has been mended.
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
# File systems without hard links (FAT, some network shares) answer so.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EACCES})


class Disk:
    """Write below `root` as the worker `name`; scratch files lie in `scratch`, on the same file system."""

    def __init__(self, root: Path, scratch: Path, name: str) -> None:
        self._root = root
        self._scratch = scratch
        self._name = name
        self._numbers = count()
        with told(scratch.name):
            make_folder(scratch)

    def replace(self, target: Path, data: bytes) -> None:
        """Put a whole file in the place of `target`. Raises OutputRefused outside of `root`, OutputError for the disk."""
        with told(target.name):
            self._inside(target)
            make_folder(target.parent)
            self._placed(data, lambda work: os.replace(work, target))
            sync_folder(target.parent)

    def create(self, target: Path, data: bytes) -> bool:
        """Create a whole file; False, and nothing changed, where one is there already. Raises OutputError.

        Its bytes are forced to the disk, its name is not: a power cut may lose it, which the journal then tells.
        """
        with told(target.name):
            self._inside(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            return self._placed(data, lambda work: _link(work, target, data))

    def _placed(self, data: bytes, place: Callable[[Path], T]) -> T:
        """Write a scratch file and give it its place; once more where it was swept away as that of a dead worker."""
        for last in (False, True):
            work = self._written(data)
            try:
                return place(work)
            except FileNotFoundError:
                if last or work.exists():
                    raise
            finally:
                work.unlink(missing_ok=True)
        raise AssertionError  # the second attempt returns or raises

    def _written(self, data: bytes) -> Path:
        work = self._scratch / f"{self._name}.{next(self._numbers)}"
        try:
            with work.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            work.unlink(missing_ok=True)
            raise
        return work

    def _inside(self, target: Path) -> None:
        """Hold the target, with every link on its way followed, below the root."""
        if not target.parent.resolve().is_relative_to(self._root.resolve()):
            raise OutputRefused(f"{_shown(target.name)} would lie outside of the output folder")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each forced to the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems refuse it for folders
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what the system refuses into OutputError: OutputRefused where it concerns this one file alone."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK:
            what = (
                "the disk is full, read-only or failing"
                if error.errno != errno.EFBIG
                else "a file may not grow so large"
            )
            raise OutputError(f"{what}: cannot write {_shown(name)} (system error {error.errno})") from None
        raise OutputRefused(f"cannot write {_shown(name)} (system error {error.errno})") from None


def _link(work: Path, target: Path, data: bytes) -> bool:
    try:
        os.link(work, target)
    except FileExistsError:
        # Over a network the answer to a link that was made can be lost and the call repeated.
        return work.stat().st_nlink == 2
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _claimed(target, data)
    return True


def _claimed(target: Path, data: bytes) -> bool:
    """Create exclusively without hard links. A kill may leave a part, which its own checksum gives away."""
    try:
        with target.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return False
    return True


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)
