"""Measure the GPU's form in one run of about eight minutes: is it right, how fast is it, does it reach its goals?

Run `python benchmarks/gpu.py --out benchmarks/results/NAME` on a machine with one CUDA device. Every job is a process of its own with
a time limit, so that one that fails or hangs costs no other its figures; JSON and Markdown are written after every job.
`--jobs kernels,decode` runs some. `--dry-run` runs every job on the CPU with a tiny network and means nothing but that the
script works. What each job does stands in `gpu_jobs.py`.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch
from gpu_jobs import JOBS, Lab

GOALS = {  # figure: (at least or at most, goal)
    "encoder batch 16, ms a tile": ("<=", 2.5),
    "encoder batch 16, times transformers": (">=", 10.0),
    "decode batch 1, tok/s": (">=", 2600.0),
    "decode batch 1, times transformers": (">=", 20.0),
    "pages/s, best": (">=", 30.0),
    "pages/s, eight bits, best": (">=", 48.0),
    "training, samples/s": (">=", 58.0),
}
Found = dict[str, dict[str, object]]


def run_all(names: list[str], limit: float, out: Path | None, dry: bool) -> Found:
    """Run jobs one after another; write what is known after each."""
    found: Found = {}
    begun = time.monotonic()
    for name in names:
        left = limit - (time.monotonic() - begun)
        budget = min(JOBS[name].seconds, left)
        print(f"{name}: at most {budget:.0f} s", file=sys.stderr, flush=True)
        start = time.monotonic()
        found[name] = here(name, dry) if dry else apart(name, budget) if left > 10 else {"failed": "no time was left"}
        found[name]["seconds"] = round(time.monotonic() - start, 1)
        print(f"  {found[name]}", file=sys.stderr, flush=True)
        against_peer(found)
        if out is not None:
            out.with_name(out.name + ".json").write_text(json.dumps(found, indent=1) + "\n")
            out.with_name(out.name + ".md").write_text(table(found, dry))
    return found


def here(name: str, dry: bool) -> dict[str, object]:
    """Run one job in this process."""
    try:
        return dict(JOBS[name].run(Lab(dry)))
    except Exception as error:  # whatever a driver or a compiler raises: the next job goes on
        return {"failed": f"{type(error).__name__}: {str(error)[:300]}"}


def apart(name: str, seconds: float) -> dict[str, object]:
    """Run one job in a process of its own, whose last line of output is what it found."""
    command = [sys.executable, __file__, "--only", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as late:
        return {"failed": f"took longer than {seconds:.0f} s", **partial(late.stdout)}
    found = partial(done.stdout)
    return found if done.returncode == 0 else {"failed": done.stderr[-500:], **found}


def partial(printed: str | bytes | None) -> dict[str, object]:
    """Join the figures that a job printed, one JSON object a line."""
    text = printed.decode() if isinstance(printed, bytes) else printed or ""
    found: dict[str, object] = {}
    for line in text.splitlines():
        if line.startswith("{"):
            found |= json.loads(line)
    return found


def figures(found: Found) -> dict[str, object]:
    """Put all jobs' figures side by side."""
    return {key: value for job in found.values() for key, value in job.items() if key not in ("seconds", "failed")}


def against_peer(found: Found) -> None:
    """Say how many times faster than transformers, where both have been measured."""
    known = figures(found)
    pairs = [
        (
            "encoder batch 16, times transformers",
            "transformers encoder batch 16, ms a tile",
            "encoder batch 16, ms a tile",
        ),
        ("decode batch 1, times transformers", "decode batch 1, tok/s", "transformers decode batch 1, tok/s"),
    ]
    for name, above, below in pairs:
        one, other = known.get(above), known.get(below)
        if isinstance(one, float) and isinstance(other, float) and other > 0:
            found.setdefault("peer", {})[name] = round(one / other, 2)


def table(found: Found, dry: bool) -> str:
    """Write Markdown: goals first, then every figure by job."""
    known = figures(found)
    lines = [
        "# GPU" + (" (dry run on the CPU: figures mean nothing)" if dry else ""),
        "",
        "| goal | figure | reached |",
    ]
    lines += ["| --- | --- | --- |"]
    for name, (sign, goal) in GOALS.items():
        value = known.get(name)
        reached = "not measured"
        if isinstance(value, float | int):
            reached = "yes" if (value <= goal if sign == "<=" else value >= goal) else "no"
        lines.append(f"| {name} {sign} {goal:g} | {'' if value is None else value} | {reached} |")
    for job, values in found.items():
        lines += ["", f"## {job}", "", *(f"* {key}: {value}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="where to write NAME.json and NAME.md")
    parser.add_argument("--jobs", default=",".join(JOBS), help=f"some of {', '.join(JOBS)}")
    parser.add_argument("--limit", type=float, default=480, help="seconds in all")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with a tiny network")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        lab = Lab(args.dry_run, say=lambda found: print(json.dumps(found), flush=True))
        print(json.dumps(JOBS[args.only].run(lab)), flush=True)
        return 0
    names = args.jobs.split(",")
    unknown = set(names) - set(JOBS)
    if unknown:
        parser.error(f"no such jobs: {', '.join(sorted(unknown))}")
    if not args.dry_run and not torch.cuda.is_available():
        parser.error("there is no CUDA device here; --dry-run shows that the jobs run, with figures that mean nothing")
    found = run_all(names, args.limit, args.out, args.dry_run)
    print(table(found, args.dry_run), end="")
    return 1 if any("failed" in values for values in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
