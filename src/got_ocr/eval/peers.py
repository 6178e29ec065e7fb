"""Other programs as readers of the same pictures: Tesseract (a program) and RapidOCR (a package).

Both get the picture upright and in RGB, as the model does, cut to the box when one is asked for. They know neither
frames in a colour nor formatted output: a colour is `unsupported`, a formatted page is read as plain text. Knows no
score.
"""

import importlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from got_ocr import image
from got_ocr.errors import ChildCrashed, DeadlineExceeded, InvalidValue, MissingDependency
from got_ocr.eval.benches import Picture
from got_ocr.eval.predict import UNSUPPORTED, Answer, Reader
from got_ocr.task import Task

PEERS = ("tesseract", "rapidocr")

_TIMEOUT = 120


def peer(name: str) -> Reader:
    """Return a reader by name: `tesseract`, `tesseract:LANGUAGES` (such as eng+chi_sim) or `rapidocr`.

    Raises InvalidValue for another name, MissingDependency where the program or package is absent.
    """
    program, _, languages = name.partition(":")
    if program == "tesseract":
        return tesseract(languages or "eng")
    if name == "rapidocr":
        return rapidocr()
    raise InvalidValue(f"a peer is one of {', '.join(PEERS)} (or tesseract:LANGUAGES); not {name!r}")


def tesseract(languages: str = "eng") -> Reader:
    """Read with the Tesseract program: one uniform block of text (page segmentation mode 6)."""
    program = shutil.which("tesseract")
    if program is None:
        raise MissingDependency("the program tesseract is not installed (Debian: apt install tesseract-ocr)")
    if not all(part and part.replace("_", "").isalnum() for part in languages.split("+")):
        raise InvalidValue("languages of tesseract are names joined by +, such as eng+chi_sim")

    def read(picture: Image.Image) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.png"
            picture.save(path)
            return _run([program, str(path), "stdout", "--psm", "6", "-l", languages])

    return _reader(read)


def rapidocr() -> Reader:
    """Read with the RapidOCR package; its lines are joined in the order in which it returns them."""

    def read(picture: Image.Image) -> str:
        import numpy as np

        found = engine(np.asarray(picture)[:, :, ::-1])  # (H, W, RGB) -> BGR, as the package takes arrays
        return "\n".join(found.txts or ())

    engine = _rapidocr()
    return _reader(read)


@lru_cache(maxsize=1)
def _rapidocr() -> Any:
    try:
        package = importlib.import_module("rapidocr")
    except ImportError:
        raise MissingDependency("RapidOCR is not installed: pip install rapidocr onnxruntime") from None
    return package.RapidOCR(params={"Global.log_level": "error"})  # by default it logs every model file that it opens


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
