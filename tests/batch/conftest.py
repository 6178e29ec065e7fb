"""Fixtures of the batch tests: a folder to work in, on a memory file system where there is one."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # batch_stand is a module for the worker processes as well
_MEMORY = Path("/dev/shm")  # noqa: S108


@pytest.fixture
def room() -> Iterator[Path]:
    """Give an empty folder where forcing bytes to the disk costs nothing."""
    folder = Path(tempfile.mkdtemp(prefix="got-ocr-", dir=_MEMORY if _MEMORY.is_dir() else None)).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
