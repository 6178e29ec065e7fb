"""Text in a scene: signs, labels and captions on textured ground, bent, outlined, shaded.

Knows no page and no model.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from got_ocr.data import augment, backdrop, fonts, geometry, ink, paper, wording
from got_ocr.data.charset import alphabet
from got_ocr.data.fonts import Font
from got_ocr.data.sample import Line, Sample
from got_ocr.errors import InvalidValue

if TYPE_CHECKING:
    import numpy as np

    from got_ocr.data.ink import Inked, Pixels
    from got_ocr.data.paper import Color

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Item:
    """One text in the scene: its lines, the box that it takes up and its font."""

    lines: tuple[Line, ...]
    box: Box
    font: Font


@dataclass(frozen=True, slots=True)
class SceneSource:
    """Write scene text samples; every pair is (least, most).

    fonts: pool; handwriting: share of texts in handwriting fonts, English alone; corpus: split; language: en or zh.
    width, height: of the picture. items: how many texts, each of `lines` lines of `chars` characters. sizes: of the type
    in pixels. slices: share of pictures that are cut to a single text. curved, bent: chance of a curved base line and of
    a perspective view. contrast: least contrast ratio between a text and the ground behind it. strength: of the wear.
    """

    fonts: str = "train"
    handwriting: float = 0.08
    corpus: str = "train"
    language: str = "en"
    width: tuple[int, int] = (480, 1024)
    height: tuple[int, int] = (360, 900)
    items: tuple[int, int] = (1, 6)
    lines: tuple[int, int] = (1, 3)
    chars: tuple[int, int] = (2, 26)
    sizes: tuple[int, int] = (18, 88)
    slices: float = 0.3
    curved: float = 0.2
    bent: float = 0.5
    contrast: float = 3.0
    strength: float = 0.6

    def __post_init__(self) -> None:
        alphabet(self.language)
        for name in ("width", "height", "items", "lines", "chars", "sizes"):
            least, most = getattr(self, name)
            if not 1 <= least <= most:
                raise InvalidValue(f"{name} is (least, most) with 1 <= least <= most; not {(least, most)}")

    def __call__(self, rng: "np.random.Generator") -> Sample:
        """Write one scene; its texts are read from top to bottom, and from left to right where they stand level."""
        from PIL import Image

        alone = rng.random() < self.slices
        width, height = (int(rng.integers(low, high + 1)) for low, high in (self.width, self.height))
        pixels = backdrop.make(rng, width, height)
        found: list[_Item] = []
        wanted = 1 if alone else int(rng.integers(self.items[0], self.items[1] + 1))
        for _ in range(wanted * 4):
            item = self._item(pixels, rng, [item.box for item in found], 1 if alone else self.lines[1])
            found += [item] if item else []
            if len(found) == wanted:
                break
        if not found:
            return self(rng)
        ordered = _reading_order(found)
        lines = tuple(line for item in ordered for line in item.lines)
        if alone:
            pixels, lines = _sliced(pixels, lines, ordered[0].box, rng)
        pixels = augment.wear(pixels, rng, self.strength * 0.8, ("none", "light", "photo")[int(rng.integers(3))])
        target = "\n".join(line.text for line in lines)
        facts: dict[str, object] = {"fonts": [item.font.facts for item in ordered]}
        return Sample((Image.fromarray(pixels),), target, "scene", lines=lines, meta=facts)

    def _item(self, pixels: "Pixels", rng: "np.random.Generator", taken: list[Box], most_lines: int) -> _Item | None:
        """Put one text into a free place of the picture; None where it does not fit."""
        chinese = self.language == "zh"
        written = rng.random() < self.handwriting and not chinese and fonts.available("handwriting")
        font = fonts.pick("handwriting" if written else self.fonts, rng)
        size = round(math.exp(rng.uniform(math.log(self.sizes[0]), math.log(self.sizes[1]))))
        count = int(rng.integers(min(self.lines[0], most_lines), most_lines + 1))
        allowed = fonts.covered(font, alphabet(self.language))
        write = wording.chinese_lines if chinese else wording.lines
        texts = write(rng, self.corpus, count, self.chars, allowed, 0.6)
        align = ("left", "center", "center", "right")[int(rng.integers(4))]
        inked, shown = ink.block(texts, fonts.load(font, size), size * float(rng.uniform(1.1, 1.6)), align)
        if not shown:
            return None
        inked = self._shaped(inked, rng, size)
        spot = _spot(inked, pixels, rng, taken)
        if spot is None:
            return None
        self._lay(pixels, inked, spot, rng, size)
        left, top, right, bottom = spot
        rows = tuple(
            Line(text, _moved(ink.box(points, right - left, bottom - top), left, top))
            for text, points in zip(shown, inked.outlines, strict=True)
        )
        return _Item(rows, spot, font)

    def _shaped(self, inked: "Inked", rng: "np.random.Generator", size: int) -> "Inked":
        """Curve the base line, turn the text and look at it from the side."""
        import numpy as np

        if len(inked.outlines) == 1 and rng.random() < self.curved:
            inked = _curved(inked, float(rng.uniform(-0.9, 0.9)) * size)
        height, width = inked.ink.shape
        matrix = np.eye(3)
        if rng.random() < self.bent:
            matrix = geometry.perspective(rng, width, height, 0.16)
        angle = float(rng.normal(0, 5)) if rng.random() < 0.6 else 0.0
        edge = max(3, size // 6)
        turn = geometry.turn(width, height, max(-15.0, min(15.0, angle)))
        return ink.turned(inked, turn @ matrix, (edge, edge, edge, edge))

    def _lay(self, pixels: "Pixels", inked: "Inked", spot: Box, rng: "np.random.Generator", size: int) -> None:
        """Paint a text into its place with an outline, a shadow or a plate where the ground is restless."""
        import cv2
        import numpy as np

        left, top, right, bottom = spot
        view = pixels[top:bottom, left:right]
        restless = float(view.std(axis=(0, 1)).mean()) > 26
        style = ("plain", "plain", "outline", "shadow", "plate")[int(rng.integers(5))]
        if restless and style in ("plain", "shadow"):
            style = "outline" if rng.random() < 0.5 else "plate"
        ground = _color_of(view)
        if style == "plate":
            ground, _ = paper.colors(rng)
            view[:] = cv2.addWeighted(view, 0.12, np.full_like(view, ground), 0.88, 0)
        color = _readable(rng, ground, self.contrast)
        if style in ("outline", "shadow"):
            edge = max(1, size // 18)
            halo = cv2.dilate(inked.ink, np.ones((2 * edge + 1, 2 * edge + 1), dtype=np.uint8))
            if style == "shadow":
                halo = geometry.warp(inked.ink, geometry.shift(edge, edge), (right - left, bottom - top), 0) // 2
            view[:] = paper.paint(view, halo, (0, 0, 0) if paper.luminance(color) > 0.3 else (255, 255, 255))
        view[:] = paper.paint(view, inked.ink, color)


def _curved(inked: "Inked", rise: float) -> "Inked":
    """Bend the base line to an arc that rises by `rise` pixels in the middle."""
    import cv2
    import numpy as np

    height, width = inked.ink.shape
    extra = math.ceil(abs(rise))
    columns = np.arange(width, dtype=np.float32)
    lift = -rise * np.sin(np.pi * columns / max(1, width)) + max(0.0, rise)
    y = np.arange(height + extra, dtype=np.float32)[:, None] - lift[None]
    x = np.broadcast_to(columns, y.shape).astype(np.float32)
    bent = cv2.remap(inked.ink, x, y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    moved = tuple(_lifted(points, rise, width) for points in inked.outlines)
    return ink.Inked(bent, moved)


def _lifted(points: "ink.Points", rise: float, width: int) -> "ink.Points":
    import numpy as np

    moved = points.copy()
    moved[:, 1] += (-rise * np.sin(np.pi * points[:, 0] / max(1, width)) + max(0.0, rise)).astype(np.float32)
    return moved


def _spot(inked: "Inked", pixels: "Pixels", rng: "np.random.Generator", taken: list[Box]) -> Box | None:
    """Find a place where the text meets no other."""
    height, width = inked.ink.shape
    room_x, room_y = pixels.shape[1] - width - 8, pixels.shape[0] - height - 8
    if room_x < 0 or room_y < 0:
        return None
    for _ in range(12):
        left, top = 4 + int(rng.integers(room_x + 1)), 4 + int(rng.integers(room_y + 1))
        box = (left, top, left + width, top + height)
        if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            return box
    return None


def _moved(box: Box, left: int, top: int) -> Box:
    return box[0] + left, box[1] + top, box[2] + left, box[3] + top


def _color_of(view: "Pixels") -> "Color":
    red, green, blue = (int(value) for value in view.mean(axis=(0, 1)))
    return red, green, blue


def _readable(rng: "np.random.Generator", ground: "Color", least: float) -> "Color":
    """Draw a colour that stands out from the ground by the least contrast; black or white where lots fail."""
    for _ in range(8):
        red, green, blue = (int(value) for value in rng.integers(0, 256, size=3))
        if paper.contrast((red, green, blue), ground) >= least:
            return red, green, blue
    return max(((0, 0, 0), (255, 255, 255)), key=lambda color: paper.contrast(color, ground))


def _reading_order(found: list[_Item]) -> list[_Item]:
    """Sort texts from top to bottom; those whose middles lie within each other's height stand level."""
    rows: list[list[_Item]] = []
    for item in sorted(found, key=lambda one: one.box[1] + one.box[3]):
        last = rows[-1][0].box if rows else None
        middle = (item.box[1] + item.box[3]) / 2
        if last is not None and last[1] < middle < last[3]:
            rows[-1].append(item)
        else:
            rows.append([item])
    return [item for row in rows for item in sorted(row, key=lambda one: one.box[0])]


def _sliced(
    pixels: "Pixels", lines: tuple[Line, ...], box: Box, rng: "np.random.Generator"
) -> "tuple[Pixels, tuple[Line, ...]]":
    """Cut the picture to one text with a little ground around it."""
    height, width = pixels.shape[:2]
    grow = [int(value) for value in rng.uniform(0, 10, size=4)]
    left, top = max(0, box[0] - grow[0]), max(0, box[1] - grow[1])
    right, bottom = min(width, box[2] + grow[2]), min(height, box[3] + grow[3])
    cut = pixels[top:bottom, left:right].copy()
    return cut, tuple(Line(line.text, _moved(line.box, -left, -top)) for line in lines)
