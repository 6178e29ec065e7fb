"""What is tried on a page that ran in circles or was cut off: in crops, drawn larger, turned. Knows no model and no file.

A rung is taken only when its reading ended by itself; where none does, the first reading stands with its status.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from got_ocr.batch.records import Failure
from got_ocr.errors import InvalidValue
from got_ocr.image import Picture
from got_ocr.reading import Reading
from got_ocr.task import Task

BROKEN = ("loop", "truncated")
_LARGER_DPI = 300.0
# A page read the wrong way round may end early with next to nothing: that is no better than what it would replace.
_LEAST_TURNED = 40  # characters
_TURNS = {
    "turn90": Image.Transpose.ROTATE_270,
    "turn270": Image.Transpose.ROTATE_90,
    "turn180": Image.Transpose.ROTATE_180,
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One other way to read a page. dpi: None as before. turn: clockwise, "" for none."""

    name: str
    task: Task
    dpi: float | None = None
    turn: str = ""


def rungs(
    names: Sequence[str], task: Task, *, reads: Collection[str], is_pdf: bool, dpi: float | None
) -> Iterator[Rung]:
    """Name the rungs that are another way for this page: a picture cannot be drawn larger, a crop not cropped again.

    A box is in pixels of the page as it was read first: such a page is neither drawn larger nor turned.

    reads: the kinds of request that the model was trained for.
    """
    for name in names:
        if name == "crop" and not task.crop and "crop" in reads:
            try:
                yield Rung(name, replace(task, crop=True))
            except InvalidValue:
                continue  # asked together with a colour
        elif task.box is not None:
            continue
        elif name == "dpi" and is_pdf and (dpi is None or dpi < _LARGER_DPI):
            yield Rung(name, task, dpi=_LARGER_DPI)
        elif name == "turn":
            yield from (Rung(turn, task, turn=turn) for turn in _TURNS)


def turned(picture: Picture, turn: str) -> Picture:
    """Turn a picture; "" leaves it."""
    return replace(picture, image=picture.image.transpose(_TURNS[turn])) if turn else picture


def climb(
    first: Reading, attempt: Callable[[Rung], Reading | Failure], ladder: Iterator[Rung]
) -> tuple[Reading, str, list[tuple[str, str]]]:
    """Give (reading, its rung or "", (rung, status) of every attempt); no attempts are named for a sound first reading."""
    if first.status not in BROKEN:
        return first, "", []
    tried: list[tuple[str, str]] = [("", first.status)]
    for rung in ladder:
        reading = attempt(rung)
        tried.append((rung.name, reading.code if isinstance(reading, Failure) else reading.status))
        if isinstance(reading, Failure) or reading.status != "ok":
            continue
        if not rung.turn or len(reading.text) >= _LEAST_TURNED:
            return reading, rung.name, tried
    return first, "", tried
