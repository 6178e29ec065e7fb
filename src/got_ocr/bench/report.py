"""Figures to a table (Markdown), to JSON and back, and several runs as one. Knows nothing of how they were measured."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from got_ocr.bench.child import Load
from got_ocr.bench.machine import BUSY, Machine
from got_ocr.bench.run import Timing, Timings
from got_ocr.errors import InvalidValue

Number = TypeVar("Number", int, float)

NOT_IDLE = {
    "wall": "**The machine was not idle: do not quote these figures.**",
    "processor": "**The machine was not idle: these figures compare with each other only.**",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Hold one run. limits: least seconds of each job on this machine. load: what opening cost, by side.

    busy: share of the processors that others used before and after, None if unknown. agreement: by side but the first, see
    `run.agreement`.
    """

    machine: Machine
    model: str
    dtype: str
    clock: str
    rounds: int
    timings: Timings
    limits: Mapping[str, float]
    load: Mapping[str, Load]
    busy: tuple[float | None, float | None]
    agreement: Mapping[str, float | None]

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


def from_json(data: Mapping[str, Any]) -> Report:
    """Read what `to_json` gave. Raises InvalidValue for anything else."""
    try:
        timings = {
            job: {side: Timing(tuple(map(float, t["seconds"]))) for side, t in by_side.items()}
            for job, by_side in data["timings"].items()
        }
        plain = {name: data[name] for name in ("model", "dtype", "clock", "rounds", "limits", "agreement")}
        load = {side: Load(**found) for side, found in data["load"].items()}
        return Report(
            machine=Machine(**data["machine"]),
            timings=timings,
            load=load,
            busy=(data["busy"][0], data["busy"][1]),
            **plain,
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise InvalidValue("this file holds no figures that bench wrote") from None


def join(reports: Sequence[Report], kinds: Sequence[str] = ()) -> Report:
    """Make one report of several runs of the same model, format and clock: ceilings and limits are the best seen.

    kinds: of jobs that are kept, as their names begin; all by default. Seconds of a job that several runs have stand together.
    Raises InvalidValue where the runs do not belong together.
    """
    first = reports[0]
    if len({(r.model, r.dtype, r.clock, r.machine.processor, r.machine.threads) for r in reports}) > 1:
        raise InvalidValue("only runs of one model, number format, clock, processor and number of threads are joined")
    timings: Timings = {}
    for report in reports:
        kept = {job: found for job, found in report.timings.items() if not kinds or job.split()[0] in kinds}
        for job, by_side in kept.items():
            sides = timings.setdefault(job, {})
            for side, timing in by_side.items():
                sides[side] = Timing((*(sides[side].seconds if side in sides else ()), *timing.seconds))
    limits: dict[str, float] = {}
    for report in reports:
        limits |= {job: min(seconds, limits.get(job, seconds)) for job, seconds in report.limits.items()}
    if not timings:
        raise InvalidValue("the runs have none of these jobs")
    limits = {job: seconds for job, seconds in limits.items() if job in timings}
    best = replace(
        first.machine,
        bandwidth=max(r.machine.bandwidth for r in reports),
        flops=max(r.machine.flops for r in reports),
    )
    names = dict.fromkeys(side for report in reports for side in report.load)
    load = {side: _join_loads([r.load[side] for r in reports if side in r.load]) for side in names}
    shares = {side: [r.agreement[side] for r in reports if side in r.agreement] for side in list(names)[1:]}
    agreement = {side: min((s for s in found if s is not None), default=None) for side, found in shares.items()}
    return replace(
        first, machine=best, timings=timings, limits=limits, load=load, rounds=max(r.rounds for r in reports),
        busy=(_worst([r.busy[0] for r in reports]), _worst([r.busy[1] for r in reports])), agreement=agreement,
    )  # fmt: skip


def _join_loads(loads: Sequence[Load]) -> Load:
    """Take the fastest start and the most memory."""
    quick = min(loads, key=lambda load: load.start)
    return replace(quick, peak=_worst([load.peak for load in loads]), most=_worst([load.most for load in loads]))


def _worst(values: Sequence[Number | None]) -> Number | None:
    return max((value for value in values if value is not None), default=None)


def to_markdown(report: Report) -> str:
    """Write a table: one row a job, one column a side, the limit, and what share of it the first side reaches."""
    sides = list(report.load)
    heads = ["", *sides, "spread", *(f"{side} / {sides[0]}" for side in sides[1:]), "limit", "of limit"]
    lines = [*_head(report), "", _row(heads), _row(["---"] * len(heads))]
    lines += [_row(_cells(job, by_side, report.limits.get(job), sides)) for job, by_side in report.timings.items()]
    lines += ["", *(_loading(side, found) for side, found in report.load.items())]
    lines += [
        f"Equal ids, {sides[0]} and {side}, each following its own: {100 * share:.2f} %."
        for side, share in report.agreement.items()
        if share is not None
    ]
    return "\n".join(lines) + "\n"


def _arithmetic(m: Machine, dtype: str) -> str:
    if m.products is None:
        return f"{m.flops / 1e12:.2f} TFLOP/s {dtype}"
    return f"{m.flops / 1e12:.2f} TFLOP/s bfloat16, {m.products / 1e12:.2f} TOP/s {dtype} weights"


def _head(report: Report) -> list[str]:
    m = report.machine
    busy = ", ".join("unknown" if share is None else f"{100 * share:.0f} %" for share in report.busy)
    lines = [
        f"# {report.model}, {report.dtype}, CPU",
        "",
        f"{m.processor}, {m.cores} cores, {m.threads} threads; {m.system}, PyTorch {m.torch}.",
        f"Measured ceilings: {m.bandwidth / 1e9:.1f} GB/s read, {_arithmetic(m, report.dtype)}.",
        f"{report.clock.capitalize()} time, median of {report.rounds} rounds, sides alternating; "
        "spread is (largest - smallest) / median over rounds, of the first side. "
        f"Others used {busy} of the machine before and after.",
    ]
    return [*lines, "", NOT_IDLE[report.clock]] if report.disturbed else lines


def _cells(job: str, by_side: Mapping[str, Timing], limit: float | None, sides: list[str]) -> list[str]:
    first = by_side[sides[0]]
    cells = [job, *(show(job, by_side[s].median) if s in by_side else "" for s in sides), f"{100 * first.spread:.0f} %"]
    cells += [f"{by_side[s].median / first.median:.2f}x" if s in by_side else "" for s in sides[1:]]
    return [*cells, *(("", "") if limit is None else (show(job, limit), f"{100 * limit / first.median:.0f} %"))]


def show(job: str, seconds: float) -> str:
    """Write a job's seconds as people quote them: ids a second for decoding, else seconds or milliseconds."""
    if job.startswith("decode"):
        return f"{1 / seconds:.1f} tok/s"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _loading(side: str, load: Load) -> str:
    line = f"{side}: model loaded in {load.seconds:.1f} s, {load.start:.1f} s after its process began"
    if load.peak is not None:
        line += f"; at most {_mebibytes(load.peak)} of memory by then"
    return line + (f", {_mebibytes(load.most)} in the whole run." if load.most is not None else ".")


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
