"""Other programs as readers of the same pictures: Tesseract (a program) and RapidOCR (a package, run as a program).

Both get the picture upright and in RGB, as the model does, cut to the box when one is asked for. They know neither
frames in a colour nor formatted output: a colour is `unsupported`, a formatted page is read as plain text. Knows no
score.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

from PIL import Image

from got_ocr import image
from got_ocr.errors import ChildCrashed, DeadlineExceeded, InvalidValue, MissingDependency
from got_ocr.eval.benches import Picture
from got_ocr.eval.predict import UNSUPPORTED, Answer, Reader
from got_ocr.task import Task

PEERS = ("tesseract", "rapidocr")

RAPIDOCR_PYTHON = "GOT_OCR_RAPIDOCR_PYTHON"  # a Python that has rapidocr, where ours has not

_TIMEOUT = 120


def peer(name: str) -> Reader:
    """Return a reader by name: `tesseract`, `tesseract:LANGUAGES` (such as eng+chi_sim), `tesseract:LANGUAGES:PSM` or `rapidocr`.

    PSM: Tesseract's page segmentation mode; 3 (pages, its default) where none is named, 7 is for single lines. Raises InvalidValue
    for another name, MissingDependency where the program or package is absent.
    """
    program, _, rest = name.partition(":")
    if program == "tesseract":
        languages, _, mode = rest.partition(":")
        return tesseract(languages or "eng", mode or "3")
    if name == "rapidocr":
        return rapidocr()
    raise InvalidValue(f"a peer is one of {', '.join(PEERS)} (or tesseract:LANGUAGES:PSM); not {name!r}")


def tesseract(languages: str = "eng", mode: str = "3") -> Reader:
    """Read with the Tesseract program. mode: its page segmentation mode, 0 to 13."""
    program = shutil.which("tesseract")
    if program is None:
        raise MissingDependency("the program tesseract is not installed (Debian: apt install tesseract-ocr)")
    if not all(part and part.replace("_", "").isalnum() for part in languages.split("+")):
        raise InvalidValue("languages of tesseract are names joined by +, such as eng+chi_sim")
    if mode not in map(str, range(14)):
        raise InvalidValue("the page segmentation mode of tesseract is a number from 0 to 13")

    def read(picture: Image.Image) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.png"
            picture.save(path)
            return _run([program, str(path), "stdout", "--psm", mode, "-l", languages])

    return _reader(read)


def rapidocr() -> Reader:
    """Read with the RapidOCR package in a process of its own; its lines are joined in the order in which it returns them."""
    python = os.environ.get(RAPIDOCR_PYTHON) or (sys.executable if find_spec("rapidocr") else None)
    if python is None:
        raise MissingDependency(
            f"RapidOCR is not installed: pip install rapidocr onnxruntime, or set {RAPIDOCR_PYTHON} to a Python that has it"
        )
    child = _Child([python, str(Path(__file__).with_name("rapidocr_child.py"))])

    def read(picture: Image.Image) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.png"
            picture.save(path)
            return "\n".join(map(str, child.ask(str(path))))

    return _reader(read)


class _Child:
    """A program that answers one JSON line for each that it gets; it ends when this process lets go of it."""

    def __init__(self, command: list[str]) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603  # no shell; our own script, a Python that the user named
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        except OSError:
            raise MissingDependency(f"{Path(command[0]).name} cannot be started") from None
        self._process, self._in, self._out = process, cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        try:
            self._answer()  # it says that it is ready, so that opening its models is nobody's reading time
        except ChildCrashed:
            raise MissingDependency("RapidOCR cannot be opened: are rapidocr and onnxruntime whole?") from None

    def ask(self, question: object) -> Any:
        """Send a question and wait for its answer."""
        try:
            self._in.write(json.dumps(question) + "\n")
            self._in.flush()
        except OSError:
            raise ChildCrashed("the program of a peer ended") from None
        return self._answer()

    def _answer(self) -> Any:
        if not select.select([self._out], [], [], _TIMEOUT)[0]:
            self._process.kill()
            raise DeadlineExceeded(f"the program of a peer took over {_TIMEOUT} s for one picture")
        line = self._out.readline()
        if not line.endswith("\n"):
            raise ChildCrashed("the program of a peer ended")
        return json.loads(line)


def _reader(read: Callable[[Image.Image], str]) -> Reader:
    """Wrap a function of one upright picture into a reader of pages."""

    def answer(pictures: tuple[Picture, ...], task: Task) -> Answer:
        if task.color is not None or (task.box is not None and len(task.box) != 4):
            return Answer("", UNSUPPORTED, 0.0)
        start = time.perf_counter()
        pages = [image.load(p).image for p in pictures]
        if task.box is not None:
            pages = [p.crop(task.box) for p in pages]
        text = "\n".join(read(p).strip() for p in pages)
        return Answer(text, "ok", time.perf_counter() - start)

    return answer


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603  # no shell, own file
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(f"{Path(command[0]).name} took over {_TIMEOUT} s for one picture") from None
    except OSError:
        raise MissingDependency(f"{Path(command[0]).name} cannot be started") from None
    if done.returncode != 0:
        raise ChildCrashed(
            f"{Path(command[0]).name} ended with status {done.returncode}: is its language data installed?"
        )
    return done.stdout.decode("utf-8", errors="replace")
