"""Measure how many samples a second each source of the synthesis engine writes on one core.

Run `python benchmarks/synth.py [CASE ...] [--seconds S]`. Rates are by processor time of this process, so that a busy
machine disturbs them little; the first samples, which load fonts and texts, are not counted. Last, the PNG writer.
"""

import argparse
import statistics
import sys
import time

from got_ocr.data.build import SOURCES, generator, recipe, source
from got_ocr.data.rows import png
from got_ocr.errors import GotOcrError

PAGE = {"width": [1024, 1024], "height": [1024, 1024]}
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "text, one line": ("text", {"lines": [1, 1], "chars": [2, 84]}),
    "text, 1-8 lines": ("text", {"lines": [1, 8], "chars": [8, 72], "sizes": [14, 48]}),
    "page 1024x1024, worn": ("page", PAGE | {"wear": "mixed"}),
    "page 1024x1024, clean": ("page", PAGE | {"wear": "none"}),
    "page zh 1024x1024": ("page", PAGE | {"language": "zh", "fonts": "zh", "sizes": [18, 30]}),
    **{name: (name, {}) for name in SOURCES if name not in ("text", "page")},
}


def rate(name: str, options: dict[str, object], seconds: float) -> tuple[float, float, float]:
    """Return samples a second, lines a second and megapixels a sample."""
    write = source(name, options)
    for index in range(10):
        write(generator("warm", 0, index))
    lines = count = 0
    sizes: list[float] = []
    began = time.process_time()
    while time.process_time() - began < seconds:
        sample = write(generator("bench", 0, count))
        count += 1
        lines += len(sample.lines)
        sizes.append(sum(image.width * image.height for image in sample.images) / 1e6)
    spent = time.process_time() - began
    return count / spent, lines / spent, statistics.mean(sizes)


def main() -> int:
    """Print one row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="cases whose name begins so")
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    import cv2

    cv2.setNumThreads(1)
    print(f"{'case':24} {'samples/s':>10} {'lines/s':>10} {'Mpixel':>8}")
    for title, (name, options) in CASES.items():
        if args.only and not title.startswith(tuple(args.only)):
            continue
        try:
            samples, lines, size = rate(name, options, args.seconds)
        except GotOcrError as error:
            print(f"{title:24} {error}", file=sys.stderr)
            continue
        print(f"{title:24} {samples:10.1f} {lines:10.1f} {size:8.2f}", flush=True)
    image = recipe("pages-en").parts[0].write(generator("png", 0, 1)).images[0]
    began = time.process_time()
    for _ in range(10):
        png(image)
    print(f"{'PNG of a page':24} {10 / (time.process_time() - began):10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
