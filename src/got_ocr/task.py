"""What is asked of a picture: the mode, the region, the cut. Frozen and validated; knows no picture, model or prompt text."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from got_ocr.errors import InvalidValue

Color = Literal["red", "green", "blue"]
Mode = Literal["plain", "format"]
BoxMode = Literal["prompt", "crop"]
Box = tuple[int, int] | tuple[int, int, int, int]

COLORS: tuple[str, ...] = get_args(Color)


@dataclass(frozen=True, slots=True)
class Task:
    """Say what to read.

    mode: `plain` text or `format` (Mathpix Markdown / LaTeX). box: pixels of the upright picture, (x1, y1, x2, y2) or a point
    (x, y). box_mode: `prompt` writes the box into the query as trained, `crop` cuts the region out first. color: read inside
    the frame drawn in that colour. crop: cut a large picture into up to max_tiles tiles. multi_page: several pictures are one text.
    Raises InvalidValue for combinations that no checkpoint was trained on. Source: paper section 3.3, original demo scripts.
    """

    mode: Mode = "plain"
    box: Box | None = None
    box_mode: BoxMode = "crop"
    color: Color | None = None
    crop: bool = False
    max_tiles: int | None = None
    multi_page: bool = False

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise InvalidValue(f"mode is one of plain, format; not {self.mode!r}")
        if self.box_mode not in get_args(BoxMode):
            raise InvalidValue(f"box mode is one of prompt, crop; not {self.box_mode!r}")
        if self.color is not None and self.color not in COLORS:
            raise InvalidValue(f"color is one of red, green, blue; not {self.color!r}")
        if self.max_tiles is not None and not 1 <= self.max_tiles <= 64:
            raise InvalidValue("max_tiles lies between 1 and 64")
        _check_box(self.box)
        exclusive = [name for name, on in self._exclusive() if on]
        if len(exclusive) > 1:
            raise InvalidValue(f"{' and '.join(exclusive)} cannot be asked for together")

    def _exclusive(self) -> tuple[tuple[str, bool], ...]:
        return (
            ("box", self.box is not None),
            ("color", self.color is not None),
            ("crop", self.crop),
            ("multi_page", self.multi_page),
        )

    @property
    def asks(self) -> str:
        """Name the request as `ModelSpec.reads` does."""
        return next((name for name, on in self._exclusive() if on), self.mode)


def _check_box(box: Box | None) -> None:
    if box is None:
        return
    if len(box) not in (2, 4) or any(isinstance(v, bool) or not isinstance(v, int) or v < 0 for v in box):
        raise InvalidValue("box is x1,y1,x2,y2 (or x,y for a point) in whole pixels, none negative")
    if len(box) == 4 and not (box[0] < box[2] and box[1] < box[3]):
        raise InvalidValue("box needs x1 < x2 and y1 < y2")


def parse_box(text: str) -> Box:
    """Read "x1,y1,x2,y2" or "x,y", with or without brackets. Raises InvalidValue."""
    parts = text.strip().strip("[]()").replace(" ", "").split(",")
    if len(parts) not in (2, 4) or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise InvalidValue(f"a box is x1,y1,x2,y2 (or x,y for a point) in whole pixels; not {text[:40]!r}")
    numbers = tuple(int(part) for part in parts)
    return numbers if len(numbers) == 4 else (numbers[0], numbers[1])


def chat_mode(ocr_type: str) -> Mode:
    """Translate the original's `ocr_type`. Raises InvalidValue."""
    if ocr_type == "ocr":
        return "plain"
    if ocr_type == "format":
        return "format"
    raise InvalidValue(f"ocr_type is one of ocr, format; not {ocr_type!r}")


def chat_color(ocr_color: str) -> Color | None:
    """Translate the original's `ocr_color`, "" for none. Raises InvalidValue."""
    if ocr_color and ocr_color not in COLORS:
        raise InvalidValue(f"ocr_color is one of {', '.join(COLORS)}; not {ocr_color[:20]!r}")
    return cast(Color, ocr_color) if ocr_color else None
