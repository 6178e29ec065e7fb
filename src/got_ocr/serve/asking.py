"""From checked fields to what the reader takes. Knows ranges that depend on the settings; knows no HTTP."""

from got_ocr.serve.problems import InvalidField
from got_ocr.serve.reader import Ask
from got_ocr.serve.schemas import TaskFields
from got_ocr.serve.settings import Settings
from got_ocr.task import Box, Task


def make_ask(asked: TaskFields, settings: Settings) -> Ask:
    """Turn checked fields into what the reader takes. Raises InvalidField, and InvalidValue for what no model can be asked."""
    most = settings.max_new_tokens
    if asked.max_new_tokens is not None and asked.max_new_tokens > most:
        raise InvalidField(f"max_new_tokens is at most {most}", param="max_new_tokens")
    if asked.box is not None and len(asked.box) == 3:
        raise InvalidField("a box is x1,y1,x2,y2 (or x,y) in whole pixels", param="box")
    box: Box | None = tuple(asked.box) if asked.box else None  # type: ignore[assignment]
    return Ask(
        task=Task(asked.mode, box, asked.box_mode, asked.color, asked.crop, asked.max_tiles, asked.multi_page),
        pages=asked.pages,
        password=asked.password,
        dpi=asked.dpi,
        profile=asked.profile,
        max_new_tokens=asked.max_new_tokens or most,
        seconds=min(asked.deadline or settings.deadline, settings.deadline),
    )
