"""One part of a page, asked for by its box or by a coloured frame around it. Knows no model and writes no prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from got_ocr.data import printed_page
from got_ocr.data.printed_page import PageLine
from got_ocr.data.sample import Line, Sample
from got_ocr.errors import InvalidValue
from got_ocr.task import COLORS, Color, Task

if TYPE_CHECKING:
    import numpy as np

    from got_ocr.data.ink import Pixels

Box = tuple[int, int, int, int]
_FRAMES: dict[str, tuple[int, int, int]] = {"red": (230, 20, 20), "green": (20, 170, 40), "blue": (20, 40, 230)}


@dataclass(frozen=True, slots=True)
class RegionSource(printed_page.PageStyle):
    """Write region samples: the options are those of data.printed_page.PageStyle, and how the region is shown.

    colored: share asked for by a frame; the others are asked for by their box in the prompt. single: share of regions
    that are a single line; the others are one to three paragraphs. jitter: most pixels by which each side of a box is
    off, as by hand. decoys: chance of frames in other colours around other parts.
    """

    gap: float = 1.0
    colored: float = 0.5
    single: float = 0.25
    jitter: int = 0
    decoys: float = 0.5

    def __post_init__(self) -> None:
        printed_page.PageStyle.__post_init__(self)
        if self.jitter < 0:
            raise InvalidValue(f"jitter is 0 or more pixels; not {self.jitter}")

    def __call__(self, rng: "np.random.Generator") -> Sample:
        """Write one page and ask for one part of it."""
        from PIL import Image

        page, picked = self._page(rng)
        region = tuple(page.lines[rank] for rank in picked)
        height, width = page.pixels.shape[:2]
        colored = rng.random() < self.colored
        pad = int(rng.integers(2, 7))
        while pad and not _clear(page.lines, picked, pad + 4 * colored):
            pad -= 1
        box = _grown(_union(region), pad, width, height)
        if colored:
            pixels, task = self._framed(page, picked, box, rng)
        else:
            pixels, task = page.pixels, Task(box=_jittered(box, self.jitter, rng, width, height), box_mode="prompt")
        target = printed_page.label(region, self.breaks, self.language)
        rows = tuple(Line(line.text, line.box) for line in region)
        facts: dict[str, object] = {"fonts": [font.facts for font in page.fonts], "region": list(box)}
        return Sample((Image.fromarray(pixels),), target, "region", task=task, lines=rows, meta=facts)

    def _page(self, rng: "np.random.Generator") -> tuple[printed_page.Page, tuple[int, ...]]:
        for _ in range(16):
            page = printed_page.write(self, rng)
            picked = _pick(page.lines, rng, rng.random() < self.single)
            if picked:
                return page, picked
        raise InvalidValue("these page options leave no room for a single paragraph; give more width, height or fill")

    def _framed(
        self, page: printed_page.Page, picked: Sequence[int], box: Box, rng: "np.random.Generator"
    ) -> "tuple[Pixels, Task]":
        """Draw the frame, and perhaps decoys in the other colours."""
        colors = _visible(page.pixels, rng)
        pixels = page.pixels.copy()
        if rng.random() < self.decoys:
            taken = [box]
            for color in colors[1:]:
                other = _pick(page.lines, rng, False)
                spot = _grown(_union([page.lines[rank] for rank in other]), 2, pixels.shape[1], pixels.shape[0])
                if not set(other) & set(picked) and not any(_meet(spot, one) for one in taken):
                    _frame(pixels, spot, color, rng)
                    taken.append(spot)
        _frame(pixels, box, colors[0], rng)
        return pixels, Task(color=colors[0])


def _pick(lines: Sequence[PageLine], rng: "np.random.Generator", single: bool) -> tuple[int, ...]:
    """Choose lines that a box can hold without touching others: one line, or one to three neighbouring paragraphs."""
    blocks = sorted({line.block for line in lines})
    for _ in range(24 if blocks else 0):
        if single:
            ranks: tuple[int, ...] = (int(rng.integers(len(lines))),)
        else:
            first = int(rng.integers(len(blocks)))
            wanted = set(blocks[first : first + 1 + int(rng.choice(3, p=(0.6, 0.25, 0.15)))])
            ranks = tuple(rank for rank, line in enumerate(lines) if line.block in wanted)
        if _clear(lines, ranks, 0):
            return ranks
    return ()


def _clear(lines: Sequence[PageLine], picked: Sequence[int], pad: int) -> bool:
    left, top, right, bottom = _union([lines[rank] for rank in picked])
    box = (left - pad, top - pad, right + pad, bottom + pad)
    chosen = set(picked)
    return not any(_meet(box, line.box) for rank, line in enumerate(lines) if rank not in chosen)


def _union(lines: Sequence[PageLine]) -> Box:
    boxes = [line.box for line in lines]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _grown(box: Box, pad: int, width: int, height: int) -> Box:
    return max(0, box[0] - pad), max(0, box[1] - pad), min(width, box[2] + pad), min(height, box[3] + pad)


def _jittered(box: Box, jitter: int, rng: "np.random.Generator", width: int, height: int) -> Box:
    if not jitter:
        return box
    left, top, right, bottom = (
        side + int(off) for side, off in zip(box, rng.integers(-jitter, jitter + 1, size=4), strict=True)
    )
    left, top = min(max(0, left), width - 2), min(max(0, top), height - 2)
    return left, top, min(max(left + 1, right), width), min(max(top + 1, bottom), height)


def _visible(pixels: "Pixels", rng: "np.random.Generator") -> list[Color]:
    """Shuffle the colours; one that is lost on this paper comes last."""
    import numpy as np

    paper = np.median(pixels[::16, ::16].reshape(-1, 3), axis=0)
    order = [COLORS[rank] for rank in rng.permutation(3)]
    order.sort(key=lambda name: bool(np.abs(np.subtract(_FRAMES[name], paper)).sum() < 150))
    return order


def _frame(pixels: "Pixels", box: Box, color: str, rng: "np.random.Generator") -> None:
    """Draw a frame just outside the box, 2 to 4 pixels thick."""
    import cv2

    shade = tuple(
        int(min(255, max(0, value + off))) for value, off in zip(_FRAMES[color], rng.integers(-20, 21, 3), strict=True)
    )
    thick = int(rng.integers(2, 5))
    cv2.rectangle(
        pixels, (box[0] - thick // 2, box[1] - thick // 2), (box[2] + thick // 2, box[3] + thick // 2), shade, thick
    )
