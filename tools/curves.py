"""Draw how a run learned: `python tools/curves.py runs/printed/log.jsonl [MORE.jsonl ...] -o src/got_ocr/bundled/curves.svg`.

Loss a token and CTC a byte over the steps, on a logarithmic scale, averaged over short stretches; stages and runs that followed each
other are set apart by lines. `--cer STEP=report.json` adds the character error rate that `got-ocr eval` wrote for the model of a step.
The same files give the same bytes. Needs matplotlib.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

POINTS = 240  # of a curve
SIZE = (7.2, 3.4)  # inches


@dataclass(frozen=True, slots=True)
class Curve:
    """What a run logged, one number a step: steps counted through all runs, and where each stage begins."""

    steps: list[int]
    loss: list[float]
    ctc: list[float]
    stages: list[tuple[int, str]]


def read(files: list[Path]) -> Curve:
    """Read logs of runs that followed each other; a run whose steps begin again is counted on."""
    curve = Curve([], [], [], [])
    offset = 0
    for file in files:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        if rows and curve.steps and rows[0]["step"] + offset <= curve.steps[-1]:
            offset = curve.steps[-1] + 1 - rows[0]["step"]
        for row in rows:
            step = row["step"] + offset
            if not curve.stages or curve.stages[-1][1] != row["stage"]:
                curve.stages.append((step, row["stage"]))
            curve.steps.append(step)
            curve.loss.append(row["loss"])
            curve.ctc.append(row["ctc"])
    return curve


def averaged(values: list[float], width: int) -> list[float]:
    """Average stretches of `width` values."""
    return [sum(values[i : i + width]) / len(values[i : i + width]) for i in range(0, len(values), width)]


def draw(curve: Curve, rates: list[tuple[int, float]], out: Path) -> None:
    """Draw the curves into an SVG file."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "got-ocr", "svg.fonttype": "none", "font.size": 9, "path.simplify": True})
    figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
    width = max(1, len(curve.steps) // POINTS)
    steps = averaged([float(step) for step in curve.steps], width)
    axes.plot(steps, averaged(curve.loss, width), label="loss a token (nats)", color="#1b6ca8", linewidth=1.2)
    if any(curve.ctc):
        floor = [max(value, 1e-3) for value in averaged(curve.ctc, width)]
        axes.plot(steps, floor, label="CTC a byte (nats)", color="#c8553d", linewidth=1.0)
    if rates:
        at, values = zip(*sorted(rates), strict=True)
        axes.plot(at, values, "o-", label="character error rate", color="#2f7d32", markersize=4, linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    for step, name in curve.stages:
        axes.axvline(step, color="#999999", linewidth=0.6, linestyle=":")
        axes.annotate(name, (step, 1.0), xycoords=("data", "axes fraction"), xytext=(2, -9), textcoords="offset points")
    axes.grid(alpha=0.25, which="major")
    axes.legend(frameon=False, loc="center right")
    figure.savefig(out, format="svg", metadata={"Date": None})


def rate(text: str) -> tuple[int, float]:
    """Read STEP=report.json: the step and the error rate over all kinds of the first reader in it."""
    step, _, file = text.partition("=")
    scores = json.loads(Path(file).read_text("utf-8"))["scores"]
    return int(step), max(scores[0]["figures"]["cer"]["value"], 1e-3)


def main() -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("logs", nargs="+", type=Path, help="log.jsonl of the runs, in their order")
    parser.add_argument("--cer", action="append", default=[], type=rate, metavar="STEP=report.json")
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    draw(read(args.logs), args.cer, args.out)
    print(f"{args.out}: {args.out.stat().st_size / 1000:.0f} kB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
