"""Write measured figures into the bundled model's card: `python tools/card.py [--results DIR] [--check]`.

Takes the reports of `tools/measure.py` and writes two tables into `src/got_ocr/bundled/CARD.md`, between the marks `<!-- targets -->`
and `<!-- comparison -->` and their ends: every target with its figure, met or not, and all readers of the same pages side by side.
Nothing else of the card is touched. After it, `python tools/bundle.py FOLDER` seals the folder anew. --check writes nothing, and fails
where the card does not say what the reports say.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CARD = ROOT / "src" / "got_ocr" / "bundled" / "CARD.md"
TARGETS = ROOT / "benchmarks" / "targets.toml"
RESULTS = ROOT / "benchmarks" / "results" / "bundled"
NAMES = {"tesseract": "Tesseract 5 (--psm 3)", "tesseract:eng:7": "Tesseract 5 (--psm 7)", "rapidocr": "RapidOCR"}


def reports(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the reports: recipe -> the scores of each reader, of each kind."""
    return {file.stem: json.loads(file.read_text("utf-8"))["scores"] for file in sorted(folder.glob("*.json"))}


def targets_table(rows: list[dict[str, Any]], found: dict[str, list[dict[str, Any]]], reader: str) -> str:
    """Write the table of targets: goal, figure with its interval, and whether it is met."""
    lines = [
        "| held-out list | figure | target | measured | 95 % interval | pictures | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        goal = row.get("most", row.get("least"))
        sign = "" if goal is None else "<= " if "most" in row else ">= "
        head = f"| {row['name']} (`{row['recipe']}`) | {row['figure']} | {sign}{_short(goal)} "
        scores = [score for score in found.get(row["recipe"], []) if score["reader"] == reader]
        value, interval = _figure(scores[0], row["figure"]) if scores else (None, None)
        if value is None:
            lines.append(f"{head}| not measured | | | |")
            continue
        met = goal is not None and (value <= goal if "most" in row else value >= goal)
        word = "" if goal is None else "met" if met else "**not met**"
        between = "" if interval is None else f"{_short(interval[0])} - {_short(interval[1])}"
        lines.append(f"{head}| {_short(value)} | {between} | {scores[0]['n']} | {word} |")
    return "\n".join(lines)


def comparison_table(found: dict[str, list[dict[str, Any]]], reader: str) -> str:
    """Write one row a list and reader, for the lists that several readers read."""
    lines = [
        "| pictures | reader | CER | 95 % interval | word F1 | pictures read | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    for recipe, scores in found.items():
        if len({score["reader"] for score in scores}) < 2:
            continue
        for score in scores:
            cer, interval = _figure(score, "cer")
            f1, _ = _figure(score, "f1")
            name = "this model" if score["reader"] == reader else NAMES.get(score["reader"], score["reader"])
            between = "" if interval is None else f"{_short(interval[0])} - {_short(interval[1])}"
            row = (f"`{recipe}`", name, _short(cer), between, _short(f1), str(score["n"]), str(score["failed"]))
            lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) if len(lines) > 2 else "No list was read by several readers yet."


def _figure(score: dict[str, Any], name: str) -> tuple[float | None, tuple[float, float] | None]:
    if name == "loops":
        return float(score["loops"]), None
    figure = score["figures"].get(name) or {"value": None, "interval": None}
    interval = figure["interval"]
    if isinstance(interval, dict):
        interval = (interval["low"], interval["high"])
    return figure["value"], interval


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def filled(card: str, tables: dict[str, str]) -> str:
    """Put tables between their marks. Raises SystemExit where a mark is missing."""
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        if not pattern.search(card):
            raise SystemExit(f"the card has no part <!-- {name} --> ... <!-- /{name} -->")
        card = pattern.sub(lambda match, text=table: match[1] + text + "\n" + match[2], card)
    return card


def main() -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--card", type=Path, default=CARD)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--reader", default="bundled", help="the name that the model has in the reports")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the card is out of date")
    args = parser.parse_args()
    rows, found = tomllib.loads(TARGETS.read_text("utf-8"))["target"], reports(args.results)
    tables = {"targets": targets_table(rows, found, args.reader), "comparison": comparison_table(found, args.reader)}
    old = args.card.read_text("utf-8")
    new = filled(old, tables)
    if args.check:
        return int(old != new)
    args.card.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
