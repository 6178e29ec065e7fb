"""Draw LaTeX as pictures by an installed TeX: the second renderer of formulas and tables, beside typst.

Every body becomes one page of one run, cut to its ink: latex, dvisvgm without fonts, resvg. The markup is our own; TeX
runs without a shell and in a folder of its own all the same. Knows no formula, table or label.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from shutil import which

import numpy as np
from PIL import Image

from got_ocr.data.sources.rasterise import rasterise
from got_ocr.errors import MissingDependency, PageRenderFailed

_SECONDS = 120
_POINTS = 10.0  # of the body type, as the class sets it
# Boxes are shipped out one by one, so that no page is broken and none is filled up.
_DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath,amssymb,multirow}
\parindent0pt \parskip0pt \hsize=100cm \textwidth=100cm
\newsavebox{\sample}
\begin{document}
%s
\end{document}
"""
_PAGE = r"\sbox{\sample}{%s}\shipout\copy\sample" + "\n"
_HEAD = re.compile(r"\A.*?<svg[^>]*?viewBox='(?P<box>\S+ \S+ (?P<width>[\d.]+) (?P<height>[\d.]+))'[^>]*>", re.S)
_NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether latex and dvisvgm are installed."""
    return which("latex") is not None and which("dvisvgm") is not None


def draw(bodies: Sequence[str], size: float, margin: int = 8, ink: int = 0, paper: int = 255) -> list[Image.Image]:
    """Typeset bodies in one run and return their pictures, RGB.

    size: pixels of the body type. margin: bare pixels on every side. ink, paper: grey levels. Raises MissingDependency
    without TeX and PageRenderFailed when it refuses a body.
    """
    if not available():
        raise MissingDependency("this renderer needs latex and dvisvgm (Debian: texlive-latex-extra, dvisvgm)")
    pages = _DOCUMENT.replace("%s", "".join(_PAGE.replace("%s", body) for body in bodies))
    with tempfile.TemporaryDirectory(prefix="got-ocr-tex-") as name:
        folder = Path(name)
        (folder / "page.tex").write_text(pages, encoding="utf-8")
        _run(["latex", "-no-shell-escape", "-interaction=batchmode", "-halt-on-error", "page.tex"], folder)
        convert = ["dvisvgm", "--no-fonts", "--exact-bbox", "--bbox=min", "--verbosity=0", "--page=1-"]
        _run([*convert, "--output=%9p.svg", "page.dvi"], folder)
        drawings = [path.read_text("utf-8") for path in sorted(folder.glob("*.svg"))]
    if len(drawings) != len(bodies):
        raise PageRenderFailed("TeX drew another number of pages than it was given")
    return [_picture(svg, size, margin, ink, paper) for svg in drawings]


def _run(command: list[str], folder: Path) -> None:
    paths = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "openin_any": "p", "openout_any": "p"}
    paths |= dict.fromkeys(("MKTEXTFM", "MKTEXMF", "MKTEXPK"), "0")  # a font that is not installed is not made
    try:
        # S603: a fixed command; what is drawn lies in a file.
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, env=paths, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PageRenderFailed("TeX could not be run to its end") from error
    if done.returncode:
        raise PageRenderFailed("TeX refused the markup of a page; report its seed")


def _picture(svg: str, size: float, margin: int, ink: int, paper: int) -> Image.Image:
    """Rasterise, spread between ink and paper, and add the margin."""
    found = _HEAD.match(svg)
    if found is None:
        raise PageRenderFailed("TeX drew a page without ink")
    scale = size / _POINTS
    width, height = (max(1, round(float(found[side]) * scale)) for side in ("width", "height"))
    # The rasteriser wants the size in pixels.
    sized = f'<svg {_NAMES} width="{width}" height="{height}" viewBox="{found["box"]}">' + svg[found.end() :]
    grey = np.asarray(rasterise(sized).convert("L"), dtype=np.int32)
    levels = ink + grey * (paper - ink) // 255
    framed = np.pad(levels, margin, constant_values=paper).astype(np.uint8)
    return Image.fromarray(framed).convert("RGB")
