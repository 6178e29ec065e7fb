"""Draw the worst readings of an evaluation: `python tools/failures.py RECIPE predictions.jsonl -o failures.png [--count 12]`.

The pictures are made again from the recipe, seed and number in each answer's id. Of pages and blocks the worst single lines are shown
(at most one a picture), else the whole picture: the picture, what is printed (+) and what was read (-). The same files give the same bytes.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from got_ocr.data.build import build, recipe
from got_ocr.data.sample import Sample

WIDTH, TALLEST, EDGE = 900, 90, 8  # pixels of the sheet, of a picture in it, around it
LETTERS, MOST = 15, 110  # size of the type; characters of a text that are shown


@dataclass(frozen=True, slots=True)
class Failure:
    """One wrong line: how wrong (edits over length), its picture, the truth and the reading."""

    error: float
    picture: Image.Image
    truth: str
    reading: str


def worst(sample: Sample, reading: str) -> Failure:
    """Find the worst line of a sample, or take it as a whole where it has no lines."""
    if not sample.lines:
        return Failure(_error(reading, sample.target), sample.images[0], sample.target, reading)
    read = reading.split("\n")
    pairs = [(line, _nearest(line.text, rank, read)) for rank, line in enumerate(sample.lines)]
    line, said = max(pairs, key=lambda pair: _error(pair[1], pair[0].text))
    left, top, right, bottom = line.box
    picture = sample.images[0]
    box = (max(0, left - 4), max(0, top - 4), min(picture.width, right + 4), min(picture.height, bottom + 4))
    return Failure(_error(said, line.text), picture.crop(box), line.text, said)


def _nearest(text: str, rank: int, read: list[str]) -> str:
    """Take the reading's line that is most like a printed one, of those about where it should stand."""
    near = read[max(0, rank - 3) : rank + 4] or [""]
    return min(near, key=lambda said: _error(said, text))


def _error(said: str, truth: str) -> float:
    return Levenshtein.distance(said, truth) / max(1, len(truth))


def sheet(failures: list[Failure]) -> Image.Image:
    """Lay failures below each other."""
    font = ImageFont.load_default(LETTERS)
    pictures = [_fitted(failure.picture) for failure in failures]
    step = round(LETTERS * 1.35)
    heights = [picture.height + 2 * step + 2 * EDGE for picture in pictures]
    page = Image.new("RGB", (WIDTH, sum(heights) + EDGE), "white")
    pen, top = ImageDraw.Draw(page), EDGE
    for failure, picture, height in zip(failures, pictures, heights, strict=True):
        page.paste(picture, (EDGE, top))
        below = top + picture.height + 2
        for mark, text, colour in (("+", failure.truth, "#1f5f2a"), ("-", failure.reading, "#a02020")):
            pen.text((EDGE, below), f"{mark} {_short(text)}", colour, font)
            below += step
        pen.line((0, top + height - EDGE, WIDTH, top + height - EDGE), "#dddddd")
        top += height
    return page


def _fitted(picture: Image.Image) -> Image.Image:
    scale = min(1.0, (WIDTH - 2 * EDGE) / picture.width, TALLEST / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _short(text: str) -> str:
    text = " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")
    return text if len(text) <= MOST else text[: MOST - 1] + "\u00b7\u00b7\u00b7"


def answers(file: Path, reader: str) -> dict[tuple[int, int], str]:
    """Read (seed, number) -> text of the newest answers of a reader."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    found = {}
    for row in rows:
        if row["reader"] == reader:
            _, seed, number = row["id"].rsplit("/", 2)
            found[int(seed), int(number)] = row["text"]
    return found


def main() -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("predictions", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--reader", default="bundled")
    parser.add_argument("--count", type=int, default=12, help="how many are shown (default: 12)")
    parser.add_argument("--of", type=int, default=1000, help="look at so many answers at most (default: 1000)")
    args = parser.parse_args()
    made = recipe(args.recipe)
    texts = sorted(answers(args.predictions, args.reader).items())[: args.of]
    found = [worst(build(made, *place), text) for place, text in texts]
    found.sort(key=lambda failure: -failure.error)
    shown = [failure for failure in found if failure.error > 0][: args.count]
    if not shown:
        print("nothing was read wrongly", file=sys.stderr)
        return 1
    sheet(shown).quantize(48, dither=Image.Dither.NONE).save(args.out, optimize=True)
    print(f"{args.out}: {len(shown)} of {len(found)}, {args.out.stat().st_size / 1000:.0f} kB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
