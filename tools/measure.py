"""Measure a model on every held-out list: `python tools/measure.py [--model DIR] [--only RECIPE ...] [--peers]`.

Runs `got-ocr eval` for each list of `benchmarks/targets.toml`, one after another; answers are kept under --work, so that a broken run
goes on where it stopped and only open questions are asked. The reports are copied into --results, from where `tools/card.py` takes its
figures. With --peers, Tesseract and RapidOCR read the same pages in the same run, where they are installed.
"""

import argparse
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGETS = ROOT / "benchmarks" / "targets.toml"
RESULTS = ROOT / "benchmarks" / "results" / "bundled"


def lists(file: Path) -> dict[str, list[str]]:
    """Read the lists: recipe -> the arguments that `got-ocr eval` gets for it; targets that share a list ask once."""
    table = tomllib.loads(file.read_text("utf-8"))
    found: dict[str, list[str]] = {}
    for row in table["target"]:
        here = ["--recipe", row["recipe"], "--count", str(row["count"]), "--seed", str(table["seed"])]
        found.setdefault(row["recipe"], here)
    return found


def peers(file: Path, recipe: str) -> list[str]:
    """List the peers that read a list as well, as arguments."""
    rows = tomllib.loads(file.read_text("utf-8"))["target"]
    names = dict.fromkeys(name for row in rows if row["recipe"] == recipe for name in row.get("peers", ()))
    return [part for name in names for part in ("--peer", name)]


def main() -> int:
    """Run the command; return the exit status: of the last list that failed, else 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default="bundled", help="folder of the model (default: the bundled one)")
    parser.add_argument("--only", nargs="+", default=[], metavar="RECIPE", help="these lists alone")
    parser.add_argument("--count", type=int, help="the first COUNT pictures of each list alone, for a quick look")
    parser.add_argument("--peers", action="store_true", help="also Tesseract and RapidOCR, where a list names them")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "measure", help="answers, resumed")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the reports are kept")
    args = parser.parse_args()
    status = 0
    for recipe, asked in lists(TARGETS).items():
        if args.only and recipe not in args.only:
            continue
        folder = args.work / recipe
        command = [
            sys.executable,
            "-m",
            "got_ocr.cli.main",
            "eval",
            *asked,
            "--model",
            args.model,
            "--out",
            str(folder),
        ]
        command += ["--limit", str(args.count)] if args.count else []
        command += peers(TARGETS, recipe) if args.peers else []
        done = subprocess.run(command, check=False).returncode  # noqa: S603  # our own command
        status = done or status
        if done in (0, 3) and (folder / "report.json").is_file():
            args.results.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "report.json", args.results / f"{recipe}.json")
    return status


if __name__ == "__main__":
    sys.exit(main())
