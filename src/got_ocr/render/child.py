"""Runs a drawing library in a process of its own: a hostile text may end that process, never ours.

The child gets its text on stdin and answers on stdout. Knows no library.
"""

import os
import subprocess
import sys

from got_ocr.errors import ChildCrashed, DeadlineExceeded, MissingDependency, RenderFailed
from got_ocr.render.limits import CHILD_SECONDS

MISSING = 86  # exit status of a child whose library is not installed
REFUSED = 87  # exit status of a child whose library did not take the text
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "HOME")


def run_child(module: str, text: str, library: str, seconds: float = CHILD_SECONDS) -> str:
    """Return what a child module answers.

    Raises DeadlineExceeded over its time, ChildCrashed when it dies, MissingDependency and RenderFailed when it says so.
    """
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    # The child finds the same packages, and nothing in the folder that it happens to run in.
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-P", "-B", "-m", module]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module; the text goes in by stdin
            command,
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeadlineExceeded(f"the drawing took longer than {seconds:g} seconds") from error
    if done.returncode == MISSING:
        raise MissingDependency(f"this drawing needs the package {library}: pip install 'got-ocr[render]'")
    if done.returncode == REFUSED:
        raise RenderFailed(f"{library} does not take this text")
    if done.returncode != 0:
        raise ChildCrashed(f"{library} crashed on this text")
    return done.stdout.decode("utf-8", "replace")
