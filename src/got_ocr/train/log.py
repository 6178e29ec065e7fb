"""What a run tells: one JSON line a step in a file, and now and then a line for people. Knows no network."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path


class Progress:
    """Write every step to `path`; hand a progress line with rate and expected end to `note`."""

    def __init__(self, path: Path, steps: int, note: Callable[[str], None]) -> None:
        self._path = path
        self._steps = steps
        self._note = note
        self._window: list[tuple[float, float, int, float, float]] = []  # loss, ctc, samples, seconds, waited

    def add(self, row: Mapping[str, object], samples: int, seconds: float, waited: float = 0.0, *, show: bool) -> None:
        """Log one step; `show` hands out the progress line over the steps since the last one.

        waited: how many of the seconds went by until its data was there; a run that waits much needs more workers or a larger model.
        """
        clock = {"seconds": round(seconds, 4), "waited": round(waited, 4), "time": round(time.time(), 1)}
        line = {**row, "samples": samples, **clock}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._window.append((float(str(row["loss"])), float(str(row["ctc"])), samples, seconds, waited))
        if show:
            self._note(self._line(int(str(row["step"])), str(row["stage"]), float(str(row["lr"]))))
            self._window.clear()

    def go_back(self, step: int) -> None:
        """Drop the lines of steps after `step`, which are going to be done again, and a line that was cut short."""
        if not self._path.exists():
            return
        text = self._path.read_text("utf-8")
        kept = "".join(row for row in text.splitlines(keepends=True) if row.endswith("\n") and _step_of(row) <= step)
        if kept != text:
            work = self._path.with_suffix(".tmp")
            work.write_text(kept, "utf-8")
            os.replace(work, self._path)

    def _line(self, step: int, stage: str, lr: float) -> str:
        count = len(self._window)
        loss, ctc, samples, seconds, waited = (sum(column) for column in zip(*self._window, strict=True))
        left = (self._steps - step) * seconds / count
        return (
            f"{stage} {step}/{self._steps}  loss {loss / count:.3f}  ctc {ctc / count:.3f}  lr {lr:.1e}  "
            f"{samples / seconds:.1f} samples/s  waits {100 * waited / seconds:.0f} %  ends in {left / 60:.0f} min"
        )


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 1 << 62  # no line of ours
