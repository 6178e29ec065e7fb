"""The process that runs TeX: one checked tikzpicture on stdin, one SVG on stdout. Started by child.py, never imported.

No shell escape, files below its own folder only (`openin_any`, `openout_any` paranoid), and limits on memory, processor
time and file size that latex and dvisvgm inherit. The folder goes with the process.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from got_ocr.render.child import REFUSED
from got_ocr.render.limits import CHILD_MEMORY, MAX_OUTPUT

_SECONDS = 4  # of wall time for both programs, and of processor time for each
_FILE_BYTES = 32 << 20
# The driver comes first: with it, drawing commands become SVG and PostScript is never run.
_PAGE = r"""\def\pgfsysdriver{pgfsys-dvisvgm.def}
\documentclass{article}
\usepackage{amsmath,amssymb}
\usepackage{tikz}
\usetikzlibrary{arrows,arrows.meta,angles,quotes,calc,patterns,positioning,intersections,shapes.geometric,decorations.markings}
\pagestyle{empty}
\begin{document}
%s
\end{document}
"""


def limit() -> None:
    """Limit this process and those that it starts."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for what, most in (
        (resource.RLIMIT_AS, CHILD_MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
    ):
        _, ceiling = resource.getrlimit(what)
        resource.setrlimit(what, (most if ceiling == resource.RLIM_INFINITY else min(most, ceiling), ceiling))


def run(command: list[str], folder: Path, end: float) -> bool:
    """Run a program in the folder until a time of the clock; say whether it went well."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TEXMFHOME": str(folder / "none"),
        "openin_any": "p",
        "openout_any": "p",
        "shell_escape": "f",
        "TEXINPUTS": ".:",
        **dict.fromkeys(("MKTEXTFM", "MKTEXMF", "MKTEXPK"), "0"),  # no program of TeX's own is run
    }
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the text lies in a file
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=max(0.1, end - time.monotonic()),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Read, typeset, convert, answer; return the exit status."""
    limit()
    picture = sys.stdin.buffer.read().decode("utf-8", "replace")
    with tempfile.TemporaryDirectory(prefix="got-ocr-tex-") as name:
        folder = Path(name)
        (folder / "page.tex").write_text(_PAGE.replace("%s", picture), encoding="utf-8")
        typeset = ["latex", "-no-shell-escape", "-interaction=batchmode", "-halt-on-error", "page.tex"]
        convert = ["dvisvgm", "--no-fonts", "--no-specials=ps,em,tpic,html,pdf", "--bbox=preview", "--exact-bbox"]
        convert += ["--verbosity=0", "--output=page.svg", "page.dvi"]
        drawn, end = folder / "page.svg", time.monotonic() + _SECONDS
        if not all(run(command, folder, end) for command in (typeset, convert)) or not drawn.is_file():
            return REFUSED
        svg = drawn.read_bytes()
    if len(svg) > 4 * MAX_OUTPUT:
        return REFUSED
    sys.stdout.buffer.write(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
