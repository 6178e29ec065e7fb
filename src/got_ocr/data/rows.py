"""A sample as files: pictures as PNG bytes and one JSON row. Knows no folder, archive or worker.

The row is that of the original training data (`image` and two `conversations`), with the kind, the lines and the task
kept beside it. What is asked in the model's words comes in as a callable, for those words belong to the prompt.
"""

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from got_ocr.data.sample import Sample
from got_ocr.task import Task

if TYPE_CHECKING:
    from PIL.Image import Image

Query = Callable[[Task, tuple[int, int]], str]


def pictures(sample: Sample, number: int) -> dict[str, bytes]:
    """Name and encode the pictures: `000007.png`, or `000007/0.png` and on for several."""
    stem = f"{number:06}"
    if len(sample.images) == 1:
        return {f"{stem}.png": png(sample.images[0])}
    return {f"{stem}/{rank}.png": png(image) for rank, image in enumerate(sample.images)}


def png(image: "Image") -> bytes:
    """Encode as PNG, fast rather than small."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def row(sample: Sample, number: int, query: Query) -> str:
    """Write the JSON row of a sample; several pictures are named by their folder, as the original does."""
    stem = f"{number:06}"
    asked = "<image>\n" + query(sample.task, sample.images[0].size)
    fields = {
        "image": f"{stem}.png" if len(sample.images) == 1 else stem,
        "conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": sample.target}],
        "kind": sample.kind,
        "task": task(sample.task),
        "lines": [{"text": line.text, "box": list(line.box)} for line in sample.lines],
        "meta": dict(sample.meta),
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def task(asked: Task) -> dict[str, object]:
    """List the fields of a task that differ from their defaults."""
    plain, box = Task(), None if asked.box is None else list(asked.box)
    fields: dict[str, object] = {
        "mode": asked.mode,
        "box": box,
        "box_mode": asked.box_mode,
        "color": asked.color,
        "crop": asked.crop,
        "multi_page": asked.multi_page,
    }
    defaults = {"mode": plain.mode, "box": None, "box_mode": plain.box_mode, "color": None, "crop": False}
    return {key: value for key, value in fields.items() if value != defaults.get(key, False)}
