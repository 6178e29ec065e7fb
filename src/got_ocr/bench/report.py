"""Figures to a table (Markdown) and to JSON. Knows nothing of how they were measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from got_ocr.bench.machine import BUSY, Machine
from got_ocr.bench.run import Timing, Timings

NOT_IDLE = {
    "wall": "**The machine was not idle: do not quote these figures.**",
    "processor": "**The machine was not idle: these figures compare with each other only.**",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Hold one run. limits: least seconds of each job on this machine. agreement: see `run.agreement`.

    load: seconds and the process's peak bytes after it, by side. peak: of the whole run. busy: share of the processors that
    others used before and after, None if unknown.
    """

    machine: Machine
    model: str
    dtype: str
    clock: str
    rounds: int
    timings: Timings
    limits: Mapping[str, float]
    load: Mapping[str, tuple[float, int | None]]
    peak: int | None
    busy: tuple[float | None, float | None]
    agreement: float | None

    @property
    def disturbed(self) -> bool:
        """Say whether others kept the machine busy."""
        return any(share is not None and share > BUSY for share in self.busy)


def to_json(report: Report) -> dict[str, Any]:
    """Write everything as JSON values; seconds of a decode job are per id."""
    data = {name: value for name, value in asdict(report).items() if name != "timings"}
    timings = {
        job: {side: {"median": t.median, "spread": t.spread, "seconds": list(t.seconds)} for side, t in by_side.items()}
        for job, by_side in report.timings.items()
    }
    return {**data, "disturbed": report.disturbed, "timings": timings}


def to_markdown(report: Report) -> str:
    """Write a table: one row a job, one column a side, the limit, and what share of it the first side reaches."""
    sides = list(next(iter(report.timings.values())))
    heads = ["", *sides, "spread", *([f"{sides[1]} / {sides[0]}"] if len(sides) > 1 else []), "limit", "of limit"]
    lines = [*_head(report), "", _row(heads), _row(["---"] * len(heads))]
    lines += [_row(_cells(job, by_side, report.limits.get(job), sides)) for job, by_side in report.timings.items()]
    lines += ["", *(_loading(side, *found) for side, found in report.load.items())]
    if report.peak is not None:
        lines += [f"Peak memory of the whole run, all sides together: {_mebibytes(report.peak)}."]
    if report.agreement is not None:
        lines += [f"Equal ids, {sides[0]} and {sides[1]}, each following its own: {100 * report.agreement:.2f} %."]
    return "\n".join(lines) + "\n"


def _head(report: Report) -> list[str]:
    m = report.machine
    busy = ", ".join("unknown" if share is None else f"{100 * share:.0f} %" for share in report.busy)
    lines = [
        f"# {report.model}, {report.dtype}, CPU",
        "",
        f"{m.processor}, {m.cores} cores, {m.threads} threads; {m.system}, PyTorch {m.torch}.",
        f"Measured ceilings: {m.bandwidth / 1e9:.1f} GB/s read, {m.flops / 1e12:.2f} TFLOP/s {report.dtype}.",
        f"{report.clock.capitalize()} time, median of {report.rounds} rounds, sides alternating; "
        "spread is (largest - smallest) / median over rounds, of the first side. "
        f"Others used {busy} of the machine before and after.",
    ]
    return [*lines, "", NOT_IDLE[report.clock]] if report.disturbed else lines


def _cells(job: str, by_side: Mapping[str, Timing], limit: float | None, sides: list[str]) -> list[str]:
    first = by_side[sides[0]]
    cells = [job, *(show(job, by_side[s].median) if s in by_side else "" for s in sides), f"{100 * first.spread:.0f} %"]
    if len(sides) > 1:
        cells.append(f"{by_side[sides[1]].median / first.median:.2f}x" if sides[1] in by_side else "")
    return [*cells, *(("", "") if limit is None else (show(job, limit), f"{100 * limit / first.median:.0f} %"))]


def show(job: str, seconds: float) -> str:
    """Write a job's seconds as people quote them: ids a second for decoding, else seconds or milliseconds."""
    if job.startswith("decode"):
        return f"{1 / seconds:.1f} tok/s"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _loading(side: str, seconds: float, peak: int | None) -> str:
    memory = "" if peak is None else f", then at most {_mebibytes(peak)} in the process"
    return f"Loading {side}: {seconds:.1f} s{memory}."


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
