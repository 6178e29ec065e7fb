"""Rounds of jobs: every job of every side in turn (A-B-A-B), medians and spreads. Knows no model and no clock."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from got_ocr.bench.sides import Job


@dataclass(frozen=True, slots=True)
class Timing:
    """Hold the seconds of one job on one side, one for each round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Give the middle value."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Say how far the rounds lie apart: (largest - smallest) / median."""
        return (max(self.seconds) - min(self.seconds)) / self.median


Timings = dict[str, dict[str, Timing]]  # by job, then by side


def measure(
    sides: Mapping[str, Mapping[str, Job]], rounds: int, tell: Callable[[str], None] = lambda _: None
) -> Timings:
    """Run every job `rounds` times on every side, sides alternating; one run before them is not counted."""
    names = list(next(iter(sides.values())))
    found: Timings = {}
    for name in names:
        tell(name)
        found[name] = {side: Timing(times) for side, times in _alternate(sides, name, rounds).items()}
    return found


def _alternate(sides: Mapping[str, Mapping[str, Job]], name: str, rounds: int) -> dict[str, tuple[float, ...]]:
    present = {side: jobs[name] for side, jobs in sides.items() if name in jobs}
    for job in present.values():
        job()
    turns = [{side: job() for side, job in present.items()} for _ in range(rounds)]
    return {side: tuple(turn[side] for turn in turns) for side in present}


def agreement(first: Mapping[int, Sequence[int]], second: Mapping[int, Sequence[int]]) -> float | None:
    """Say what share of the ids that the first side wrote the second wrote too, at the same places; None without any."""
    pairs = [(a, b) for rows in first if rows in second for a, b in zip(first[rows], second[rows], strict=False)]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None
