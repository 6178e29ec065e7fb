"""From answers to figures: each pair through both scorers and the scores of its kind, then means and intervals by kind.

Knows how a figure is made up of single scores; no file, no model, no layout of a report.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from got_ocr.eval.benches import Example
from got_ocr.eval.intervals import Interval, mean_interval, ratio_interval
from got_ocr.eval.molecule import score_molecule
from got_ocr.eval.predict import FAILED, UNSUPPORTED, Prediction
from got_ocr.eval.scorers import (
    CorrectedScore,
    CorrectedScorer,
    PaperScore,
    PaperScorer,
    mean,
    micro_cer,
    split_formatted,
)
from got_ocr.eval.scrm import score_chart
from got_ocr.eval.teds import score_tables
from got_ocr.eval.tokens import unit_of

ALL = "all"

# The status of a reading whose text went round in circles.
LOOP = "loop"

_PAPER = ("edit_distance", "f1", "precision", "recall", "bleu", "meteor")
_CORRECTED = ("wer", "edit_distance", "precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Row:
    """One scored picture (or set of pages) of one reader. special: scores of its kind, by name."""

    kind: str
    reader: str
    status: str
    pictures: int
    seconds: float
    paper: PaperScore | None
    corrected: CorrectedScore
    special: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over `n` pictures; value is None when none of them has this score."""

    value: float | None
    n: int
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class KindScores:
    """What one reader reaches on one kind.

    n: pictures scored, failed ones among them. failed, unsupported (left out of n), paper_skipped: counts. statuses:
    how many readings ended how. loops: share of n that ended in repetition. seconds: wall time per picture, failed ones
    aside. figures: by name; `paper_` marks the published rules.
    """

    kind: str
    reader: str
    n: int
    failed: int
    unsupported: int
    paper_skipped: int
    statuses: Mapping[str, int]
    loops: float
    seconds: float | None
    figures: Mapping[str, Figure]


def score_row(
    example: Example, prediction: Prediction, corrected: CorrectedScorer | None = None, paper: PaperScorer | None = None
) -> Row:
    """Score one answer with both scorers and with what its kind adds (tables, charts, molecules, parts of a page)."""
    corrected, paper = corrected or CorrectedScorer(), paper or PaperScorer()
    unit = unit_of(example.kind)
    return Row(
        kind=example.kind,
        reader=prediction.reader,
        status=prediction.status,
        pictures=len(example.images),
        seconds=prediction.seconds,
        paper=paper.score(prediction.text, example.reference, unit),
        corrected=corrected.score(prediction.text, example.reference, unit),
        special=_special(example, prediction.text, paper),
    )


def _special(example: Example, text: str, paper: PaperScorer) -> dict[str, float]:
    found: dict[str, float] = {}
    reference, kind = example.reference, example.kind.lower()
    if reference.lstrip().startswith("{") and (chart := score_chart(text, reference)) is not None:
        found["chart_parsed"] = float(chart.parsed)
        found |= {f"paper_chart_ap_{n}": v for n, v in chart.published._asdict().items()}
        found |= {f"chart_ap_{n}": v for n, v in chart.corrected._asdict().items()}
    if "smiles" in kind or "molec" in kind or reference.startswith("<smiles>"):
        molecule = score_molecule(text, reference)
        found["smiles_match"] = float(molecule.same)
        if molecule.similarity is not None:
            found["tanimoto"] = molecule.similarity
    if (tables := score_tables(text, reference)) is not None:
        found |= {"teds": tables.teds, "teds_structure": tables.structure}
    if example.task.mode == "format":
        found |= _parts(text, reference, paper)
    return found


def _parts(text: str, reference: str, paper: PaperScorer) -> dict[str, float]:
    """Score formulas and tables of a formatted page apart, as published (skipped when a side has none)."""
    found: dict[str, float] = {}
    ours, true = split_formatted(text), split_formatted(reference)
    for part in ("formula", "table"):
        score = paper.score(ours[part], true[part])
        if score is not None:
            found[f"paper_{part}_edit_distance"] = score.edit_distance
            if score.f1 is not None:
                found[f"paper_{part}_f1"] = score.f1
    return found


def summarize(rows: Sequence[Row], rng: np.random.Generator, draws: int = 1000) -> tuple[KindScores, ...]:
    """Gather rows by kind and reader, in order of appearance; `all` closes the list for readers of several kinds."""
    groups: dict[tuple[str, str], list[Row]] = {}
    readers: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.reader), []).append(row)
        readers.setdefault(row.reader, []).append(row)
    scores = [_kind(kind, reader, group, rng, draws) for (kind, reader), group in groups.items()]
    for reader, group in readers.items():
        if len({row.kind for row in group}) > 1:
            scores.append(_kind(ALL, reader, group, rng, draws))
    return tuple(scores)


def _kind(kind: str, reader: str, group: Sequence[Row], rng: np.random.Generator, draws: int) -> KindScores:
    rows = [row for row in group if row.status != UNSUPPORTED]
    done = [row for row in rows if row.status != FAILED]
    pictures = sum(row.pictures for row in done)
    return KindScores(
        kind=kind,
        reader=reader,
        n=len(rows),
        failed=len(rows) - len(done),
        unsupported=len(group) - len(rows),
        paper_skipped=sum(row.paper is None for row in rows),
        statuses=dict(Counter(row.status for row in group)),
        loops=sum(row.status == LOOP for row in rows) / len(rows) if rows else 0.0,
        seconds=sum(row.seconds for row in done) / pictures if pictures else None,
        figures=_figures(rows, rng, draws, special=kind != ALL),
    )


def _figures(rows: Sequence[Row], rng: np.random.Generator, draws: int, special: bool) -> dict[str, Figure]:
    corrected = [row.corrected for row in rows]
    edits, lengths = [float(s.edits) for s in corrected], [float(s.length) for s in corrected]
    figures = {"cer": Figure(micro_cer(corrected), len(rows), ratio_interval(edits, lengths, rng, draws))}
    columns: dict[str, list[float | None]] = {"cer_macro": [s.cer for s in corrected]}
    columns |= {name: [getattr(s, name) for s in corrected] for name in _CORRECTED}
    kept = [row.paper for row in rows if row.paper is not None]
    columns |= {f"paper_{name}": [getattr(s, name) for s in kept] for name in _PAPER}
    if special:
        names = dict.fromkeys(name for row in rows for name in row.special)
        columns |= {name: [row.special.get(name) for row in rows] for name in names}
    for name, column in columns.items():
        values = [v for v in column if v is not None]
        figures[name] = Figure(mean(values), len(values), mean_interval(values, rng, draws))
    return figures
