"""The layout of scores: Markdown for people, JSON for programs. Knows figures by name; no text, model or picture."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from got_ocr.errors import OutputError
from got_ocr.eval.score import Figure, KindScores

FORMAT = 1  # of the JSON report; raised when a name in it changes its meaning

_MAIN = ("cer", "paper_edit_distance", "edit_distance", "paper_f1", "f1")
_TITLE = (
    *("kind", "reader", "n", "CER", "95 %", "edit distance (paper)", "edit distance (corrected)"),
    *("F1 (paper)", "F1 (corrected)", "loops %", "failed", "s/picture"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be shown. notes: one for each rule that the figures follow and for each figure that is missing."""

    bench: str
    seed: int
    draws: int
    scores: tuple[KindScores, ...]
    notes: tuple[str, ...]


def to_markdown(report: Report) -> str:
    """Write the report as Markdown: the main table, readers beside each other, further scores, notes."""
    readers = list(dict.fromkeys(s.reader for s in report.scores))
    parts = [f"# Scores: {_cell(report.bench)}", _table(_TITLE, [_main_row(s) for s in report.scores])]
    if len(readers) > 1:
        parts += ["## Readers side by side", _side_by_side(report.scores, readers)]
    further = _further(report.scores)
    if further:
        parts += ["## Further scores", _table(("kind", "reader", "score", "n", "value", "95 %"), further)]
    interval = f"95 %: bootstrap over pictures, {report.draws} draws, seed {report.seed}."
    parts += ["## How to read this", "\n".join(f"- {note}" for note in (*report.notes, interval))]
    return "\n\n".join(parts) + "\n"


def to_json(report: Report) -> str:
    """Write the report as JSON: everything that the Markdown shows, unrounded."""
    return json.dumps({"format": FORMAT, **asdict(report)}, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `report.md` and `report.json` into `folder`, each whole or not at all; returns the two paths."""
    paths = folder / "report.md", folder / "report.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, (to_markdown(report), to_json(report)), strict=True):
            partial = path.with_suffix(path.suffix + ".tmp")
            with partial.open("w", encoding="utf-8", errors="replace") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
    except OSError:
        raise OutputError(f"cannot write the report into {folder.name}") from None
    return paths


def _main_row(s: KindScores) -> list[str]:
    figures = [_number(s.figures.get(name)) for name in _MAIN]
    seconds = "-" if s.seconds is None else f"{s.seconds:.2f}"
    tail = [f"{100 * s.loops:.1f}", str(s.failed), seconds]
    return [_cell(s.kind), _cell(s.reader), str(s.n), figures[0], _range(s.figures.get("cer")), *figures[1:], *tail]


def _side_by_side(scores: Sequence[KindScores], readers: Sequence[str]) -> str:
    """One row a kind, for each reader its CER and F1."""
    found = {(s.kind, s.reader): s for s in scores}
    rows = []
    for kind in dict.fromkeys(s.kind for s in scores):
        row = [_cell(kind)]
        for reader in readers:
            s = found.get((kind, reader))
            cer, f1 = (s.figures.get("cer"), s.figures.get("f1")) if s else (None, None)
            row += [f"{_number(cer)} {_range(cer)}".removesuffix(" -"), _number(f1)]
        rows.append(row)
    return _table(("kind", *(f"{name} {_cell(reader)}" for reader in readers for name in ("CER", "F1"))), rows)


def _further(scores: Sequence[KindScores]) -> list[list[str]]:
    rows = []
    for s in scores:
        for name, figure in s.figures.items():
            if name not in _MAIN and figure.value is not None:
                kind, reader = _cell(s.kind), _cell(s.reader)
                rows.append([kind, reader, name, str(figure.n), _number(figure), _range(figure)])
    return rows


def _number(figure: Figure | None) -> str:
    return "-" if figure is None or figure.value is None else f"{figure.value:.3f}"


def _range(figure: Figure | None) -> str:
    if figure is None or figure.interval is None:
        return "-"
    return f"[{figure.interval.low:.3f}, {figure.interval.high:.3f}]"


def _cell(text: str) -> str:
    """Keep a name from breaking the table that it stands in."""
    return " ".join(text.split()).replace("|", "\\|") or "-"


def _table(title: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table with columns padded to equal width, so that it reads well as plain text too."""
    widths = [max(len(row[i]) for row in (title, *rows)) for i in range(len(title))]
    lines = [title, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)
