"""The process that runs Verovio: kern on stdin, one SVG on stdout. Started by child.py, and imported by nothing that runs on.

Limits its own memory and processor time before the library is loaded, since the library may abort or run away.
"""

import os
import re
import sys

from got_ocr.render.child import MISSING, REFUSED
from got_ocr.render.limits import CHILD_MEMORY, CHILD_SECONDS, MAX_OUTPUT

# The options of the reference's own page, but for the height: it grows with the score, so that nothing is cut off.
_OPTIONS = {
    "pageWidth": 2100,
    "pageHeight": 60_000,
    "adjustPageHeight": True,
    "adjustPageWidth": True,
    "footer": "none",
    "header": "none",
    "barLineWidth": 0.5,
    "beamMaxSlope": 15,
    "staffLineWidth": 0.2,
    "spacingStaff": 6,
    "inputFrom": "humdrum",
    "xmlIdSeed": 1,
}


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    seconds = int(CHILD_SECONDS) + 1
    for what, most in (
        (resource.RLIMIT_AS, CHILD_MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, ceiling = resource.getrlimit(what)
        resource.setrlimit(what, (most if ceiling == resource.RLIM_INFINITY else min(most, ceiling), ceiling))


def with_sign(mei: str) -> str:
    """Show common and cut time: the library's kern reader hides the sign of the first bar behind an empty mensuration."""
    mei = re.sub(r"<mensur [^>]*/>", "", mei)
    return re.sub(r'(<meterSig [^>]*?) visible="false"', r"\1", mei)


def engraved(text: str) -> bytes | None:
    """Return one SVG; None where the library does not take the text. Raises ImportError without the library."""
    import verovio

    toolkit = verovio.toolkit()
    toolkit.setOptions(_OPTIONS)
    if not toolkit.loadData(text):
        return None
    if "*met(c" in text.split("\n=", 1)[0]:
        toolkit.setOptions({"inputFrom": "mei"})
        if not toolkit.loadData(with_sign(str(toolkit.getMEI()))):
            return None
    if toolkit.getPageCount() < 1:
        return None
    svg = str(toolkit.renderToSVG(1)).encode("utf-8", "replace")
    return svg if len(svg) <= 4 * MAX_OUTPUT else None


def main() -> int:
    """Read, draw, answer; return the exit status."""
    _limit()
    answer = os.dup(1)
    # The library prints on its own: that goes nowhere, ours goes to the kept descriptor.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        svg = engraved(text)
    except ImportError:
        return MISSING
    if svg is None:
        return REFUSED
    with os.fdopen(answer, "wb") as stream:
        stream.write(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
