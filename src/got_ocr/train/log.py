"""What a run tells: one JSON line a step in a file, and now and then a line for people. Knows no network."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path


class Progress:
    """Write every step to `path`; hand a progress line with rate and expected end to `note`."""

    def __init__(self, path: Path, steps: int, note: Callable[[str], None]) -> None:
        self._path = path
        self._steps = steps
        self._note = note
        self._window: list[tuple[float, float, int, float]] = []  # loss, ctc, samples, seconds
        self._samples = 0

    def add(self, row: Mapping[str, object], samples: int, seconds: float, *, show: bool) -> None:
        """Log one step; `show` hands out the progress line over the steps since the last one."""
        line = {**row, "samples": samples, "seconds": round(seconds, 4), "time": round(time.time(), 1)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._samples += samples
        self._window.append((float(str(row["loss"])), float(str(row["ctc"])), samples, seconds))
        if show:
            self._note(self._line(int(str(row["step"])), str(row["stage"]), float(str(row["lr"]))))
            self._window.clear()

    def _line(self, step: int, stage: str, lr: float) -> str:
        count = len(self._window)
        loss, ctc, samples, seconds = (sum(column) for column in zip(*self._window, strict=True))
        left = (self._steps - step) * seconds / count
        return (
            f"{stage} {step}/{self._steps}  loss {loss / count:.3f}  ctc {ctc / count:.3f}  lr {lr:.1e}  "
            f"{samples / seconds:.1f} samples/s  ends in {left / 60:.0f} min"
        )
