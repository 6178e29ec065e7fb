"""Whole pages of text: heads, headings, columns of paragraphs, page numbers; every line with its place.

Knows fonts, corpora and layout; knows no task and no sample. A page is laid out as strips of ink on a bare canvas, then
turned, painted and worn; boxes go along.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from got_ocr.data import augment, columns, corpus, fonts, geometry, ink, paper
from got_ocr.data.charset import alphabet, clean
from got_ocr.errors import InvalidValue

if TYPE_CHECKING:
    import numpy as np

    from got_ocr.data.ink import Pixels, Points, Strip

BREAKS = ("lines", "paragraphs")


@dataclass(frozen=True, slots=True)
class PageStyle:
    """Say what pages are like; every pair is (least, most).

    fonts: pool; corpus: split; language: en or zh. width, height: of the page in pixels. sizes: body type in pixels.
    columns: how many. fill: share of the height that text may take. heading: chance of a heading before a paragraph.
    furniture: chance of each of head line and page number. hyphenation: share of pages with broken words. gap: chance that
    paragraphs are set apart by space and not by indent. ligatures: share of pages drawn with the ligatures of their font.
    breaks: the label has every printed `lines` or whole `paragraphs`. wear, strength: see data.augment.wear. angle: largest
    turn in degrees. bend: chance of a perspective view. most_chars: end of the text, 0 for a full page.
    """

    fonts: str = "train"
    corpus: str = "train"
    language: str = "en"
    width: tuple[int, int] = (850, 1100)
    height: tuple[int, int] = (1000, 1400)
    sizes: tuple[int, int] = (16, 28)
    columns: tuple[int, int] = (1, 2)
    fill: tuple[float, float] = (0.5, 1.0)
    heading: float = 0.12
    furniture: float = 0.4
    hyphenation: float = 0.25
    gap: float = 0.5
    ligatures: float = 0.25
    breaks: str = "lines"
    wear: str = "mixed"
    strength: float = 0.6
    angle: float = 1.2
    bend: float = 0.1
    most_chars: int = 0

    def __post_init__(self) -> None:
        if self.breaks not in BREAKS:
            raise InvalidValue(f"breaks is one of {', '.join(BREAKS)}; not {self.breaks!r}")
        if self.wear not in augment.WEAR_NAMES:
            raise InvalidValue(f"wear is one of {', '.join(augment.WEAR_NAMES)}; not {self.wear!r}")
        for name in ("width", "height", "sizes", "columns", "fill"):
            least, most = getattr(self, name)
            if not 0 < least <= most:
                raise InvalidValue(f"{name} is (least, most) with 0 < least <= most; not {(least, most)}")


@dataclass(frozen=True, slots=True)
class PageLine:
    """One printed line in reading order. block: lines of one paragraph, heading or margin share a number."""

    text: str
    box: tuple[int, int, int, int]
    block: int
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A finished page: pixels (H, W, 3) RGB, its lines in reading order and the fonts used."""

    pixels: "Pixels"
    lines: tuple[PageLine, ...]
    fonts: tuple[fonts.Font, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A strip on the canvas: its text, its ink's left and top edge, its block."""

    text: str
    strip: "Strip"
    left: int
    top: int
    block: int
    broken: bool


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What one page has drawn by lot: its size, type and habits. Lengths in pixels."""

    width: int
    height: int
    body: fonts.Font
    bold: fonts.Font
    size: int
    pitch: float
    margins: tuple[int, int, int, int]
    columns: int
    justified: bool
    hyphenate: bool
    gap: bool
    ligated: bool
    allowed: frozenset[str]
    cases: "dict[tuple[str, int], ink.Case]"

    def case(self, face: fonts.Font, size: int) -> ink.Case:
        """Return the case of a face and size; a page uses two or three."""
        key = (face.path, size)
        if key not in self.cases:
            self.cases[key] = ink.Case(fonts.load(face, size))
        return self.cases[key]


def write(style: PageStyle, rng: "np.random.Generator") -> Page:
    """Write one page; every character of its lines is drawn by its font."""
    return write_many(style, rng, 1)[0]


def write_many(style: PageStyle, rng: "np.random.Generator", count: int) -> tuple[Page, ...]:
    """Write the pages of one document: they share size, type and habits, but not how they lie and wear."""
    sheet = _draw_lots(style, rng)
    return tuple(_finish(style, sheet, _fill(style, sheet, rng), rng) for _ in range(count))


def _draw_lots(style: PageStyle, rng: "np.random.Generator") -> _Sheet:
    width, height = _between(rng, style.width), _between(rng, style.height)
    body = fonts.pick(style.fonts, rng)
    size = _between(rng, style.sizes)
    sides = [int(value * width) for value in rng.uniform(0.03, 0.12, size=2)]
    ends = [int(value * height) for value in rng.uniform(0.05, 0.11, size=2)]
    wanted = _between(rng, style.columns)
    # A column holds some twenty letters at least.
    fitting = max(1, min(wanted, int((width - sum(sides)) / (11 * size))))
    return _Sheet(
        width=width,
        height=height,
        body=body,
        bold=_bold(body, style.fonts),
        size=size,
        pitch=size * float(rng.uniform(1.15, 1.6)),
        margins=(sides[0], ends[0], sides[1], ends[1]),
        columns=fitting,
        justified=rng.random() < 0.5,
        hyphenate=style.language == "en" and rng.random() < style.hyphenation,
        gap=rng.random() < style.gap,
        ligated=rng.random() < style.ligatures,
        allowed=fonts.covered(body, alphabet(style.language)),
        cases={},
    )


def _between(rng: "np.random.Generator", limits: tuple[int, int]) -> int:
    return int(rng.integers(limits[0], limits[1] + 1))


@lru_cache(maxsize=2048)
def _bold(body: fonts.Font, pool: str) -> fonts.Font:
    """Find the heavier upright face of a family, or the face itself."""
    family = next(group for group in fonts.families(pool) if body in group)
    heavy = [font for font in family if 600 <= font.weight <= 800 and not font.italic]
    return heavy[0] if heavy else body


def _fill(style: PageStyle, sheet: _Sheet, rng: "np.random.Generator") -> list[_Placed]:
    """Set the page in reading order: head, heading, columns, foot."""
    left, top, right, bottom = sheet.margins
    placed: list[_Placed] = []
    head = int(2.2 * sheet.size)
    if rng.random() < style.furniture:
        placed += _margin_line(style, sheet, rng, max(sheet.size, top - head), block=0)
    inner = sheet.width - left - right
    gutter = int(sheet.size * rng.uniform(1.6, 3.0))
    wide = (inner - gutter * (sheet.columns - 1)) // sheet.columns
    end = top + int((sheet.height - top - bottom) * rng.uniform(*style.fill))
    budget = style.most_chars or 10**9
    for column in range(sheet.columns):
        start = (left + column * (wide + gutter), top)
        block = placed[-1].block + 1 if placed else 1
        rows = _column(style, sheet, rng, start, wide, end, block, budget)
        budget -= sum(len(row.text) + 1 for row in rows)
        placed += rows
    if rng.random() < style.furniture and placed:
        foot = min(sheet.height - sheet.size, sheet.height - bottom + int(1.6 * sheet.size))
        placed += _page_number(sheet, rng, foot, placed[-1].block + 1)
    return placed


def _column(
    style: PageStyle,
    sheet: _Sheet,
    rng: "np.random.Generator",
    start: tuple[int, int],
    width: int,
    end: int,
    block: int,
    budget: int,
) -> list[_Placed]:
    """Fill one column with paragraphs until its end, or until the budget of characters is spent."""
    placed: list[_Placed] = []
    base = float(start[1] + sheet.size)
    for number in range(200):
        if rng.random() < style.heading or (number == 0 and rng.random() < style.heading):
            text = _short(style, rng, 60 if style.language == "en" else 22)
            spot = (start[0], base + 0.5 * sheet.pitch, width, end)
            rows, base = _paragraph(style, sheet, text, spot, block, heading=True)
            placed += rows
            block += 1
        text = corpus.paragraph(style.corpus, rng, style.language)
        rows, base = _paragraph(style, sheet, text, (start[0], base, width, end), block, heading=False)
        placed += rows
        block += 1
        base += (0.4 + 0.6 * rng.random()) * sheet.pitch if sheet.gap else 0.0
        spent = sum(len(row.text) + 1 for row in placed)
        if base > end or spent > budget:
            break
    reached = itertools.accumulate(len(row.text) + 1 for row in placed)
    return [
        row
        for row, used in zip(placed, reached, strict=True)
        if row.top + row.strip.ink.shape[0] <= end and used <= budget
    ]


def _short(style: PageStyle, rng: "np.random.Generator", most: int) -> str:
    """Draw a few words, 12 to `most` characters."""
    text = corpus.passage(style.corpus, rng, most, style.language)[: int(rng.integers(12, most))]
    return text.rsplit(" ", 1)[0]


def _paragraph(
    style: PageStyle, sheet: _Sheet, text: str, spot: tuple[int, float, int, int], block: int, heading: bool
) -> tuple[list[_Placed], float]:
    """Set one paragraph at a spot: left edge, first base line, width and the end of the column.

    Returns its strips, as far down as the column goes, and the next base line.
    """
    left, base, width, end = spot
    face = sheet.bold if heading else sheet.body
    # The heavier face may lack what the plain one has.
    allowed = fonts.covered(face, sheet.allowed)
    text = clean(text, allowed)
    case = sheet.case(face, round(sheet.size * 1.25) if heading else sheet.size)
    indent = 0.0 if heading or sheet.gap else 1.4 * sheet.size
    if style.language == "zh":
        rows = columns.chinese(text, width, case.length, indent)
    else:
        rows = columns.english(text, width, case.length, sheet.hyphenate and not heading, indent)
    placed = []
    for rank, row in enumerate(rows):
        if base > end:
            break
        shift = indent if rank == 0 else 0.0
        stretch = sheet.justified and not heading and not row.last
        drawn = fonts.ligated(row.text, face) if sheet.ligated else row.text
        strip = case.line(drawn, width - shift if stretch else None)
        if strip is not None:
            x, y = left + round(shift) + strip.left, round(base) + strip.top
            placed.append(_Placed(row.text, strip, x, y, block, row.broken))
        base += sheet.pitch * (1.25 if heading else 1.0)
    return placed, base


def _margin_line(style: PageStyle, sheet: _Sheet, rng: "np.random.Generator", base: int, block: int) -> list[_Placed]:
    text = clean(_short(style, rng, 44 if style.language == "en" else 22), sheet.allowed)
    font = fonts.load(sheet.body, max(12, round(sheet.size * 0.85)))
    strip = ink.strip(text, font) if text else None
    if strip is None or strip.ink.shape[1] > sheet.width - sheet.margins[0] - sheet.margins[2]:
        return []
    return [_Placed(text, strip, _aligned(sheet, rng, strip), base + strip.top, block, False)]


def _page_number(sheet: _Sheet, rng: "np.random.Generator", base: int, block: int) -> list[_Placed]:
    number = int(rng.integers(1, 600))
    text = (f"{number}", f"- {number} -", f"{number}", f"{number}/{number + int(rng.integers(1, 90))}")[number % 4]
    strip = ink.strip(text, fonts.load(sheet.body, max(12, round(sheet.size * 0.9))))
    return [] if strip is None else [_Placed(text, strip, _aligned(sheet, rng, strip), base + strip.top, block, False)]


def _aligned(sheet: _Sheet, rng: "np.random.Generator", strip: "Strip") -> int:
    room = sheet.width - sheet.margins[0] - sheet.margins[2] - strip.ink.shape[1]
    return sheet.margins[0] + int(room * (0.0, 0.5, 1.0)[int(rng.integers(3))])


def _finish(style: PageStyle, sheet: _Sheet, placed: list[_Placed], rng: "np.random.Generator") -> Page:
    """Ink the strips, turn the canvas, paint and wear it."""
    import numpy as np

    inside = [row for row in placed if _inside(row, sheet)]
    canvas = np.zeros((sheet.height, sheet.width), dtype=np.uint8)
    for row in inside:
        ink.place(canvas, row.strip.ink, row.left, row.top)
    matrix = _view(style, sheet, rng)
    size = (sheet.width, sheet.height)
    boxes = [_box(row, matrix, size) for row in inside]
    if matrix is not None:
        canvas = geometry.warp(canvas, matrix, size, 0)
    ground, color = paper.colors(rng)
    pixels = paper.printed(rng, canvas, ground, color)
    pixels = augment.wear(pixels, rng, style.strength * min(1.0, sheet.size / 26), style.wear)
    lines = tuple(PageLine(row.text, box, row.block, row.broken) for row, box in zip(inside, boxes, strict=True))
    return Page(pixels, lines, tuple(dict.fromkeys((sheet.body, sheet.bold))))


def _inside(row: _Placed, sheet: _Sheet) -> bool:
    height, width = row.strip.ink.shape
    return row.left >= 0 and row.top >= 0 and row.left + width <= sheet.width and row.top + height <= sheet.height


def _view(style: PageStyle, sheet: _Sheet, rng: "np.random.Generator") -> "geometry.Matrix | None":
    """Draw the turn or bend of a page; None for a page that lies straight."""
    if rng.random() < style.bend:
        return geometry.perspective(rng, sheet.width, sheet.height, 0.025)
    if style.angle and rng.random() < 0.35:
        return geometry.turn(sheet.width, sheet.height, float(rng.uniform(-style.angle, style.angle)))
    return None


def _box(row: _Placed, matrix: "geometry.Matrix | None", size: tuple[int, int]) -> tuple[int, int, int, int]:
    if matrix is None:
        height, width = row.strip.ink.shape
        return row.left, row.top, row.left + width, row.top + height
    import cv2

    # No straight-line view moves a point of the inside to the edge.
    hull: Points = cv2.convexHull(ink.outline(row.strip.ink, row.left, row.top))[:, 0]
    return ink.box(geometry.move(hull, matrix), *size)


def label(lines: tuple[PageLine, ...], breaks: str, language: str) -> str:
    """Join lines to a label: one row per printed line, or one per paragraph with broken words made whole."""
    if breaks == "lines":
        return "\n".join(line.text for line in lines)
    rows: list[str] = []
    for rank, line in enumerate(lines):
        before = lines[rank - 1] if rank else None
        if before is None or before.block != line.block:
            rows.append(line.text)
        elif before.broken:
            rows[-1] = rows[-1][:-1] + line.text
        else:
            rows[-1] += (" " if language == "en" else "") + line.text
    return "\n".join(rows)
