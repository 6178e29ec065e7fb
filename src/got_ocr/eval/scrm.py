"""SCRM: how many points of a chart were recovered, at three tolerances.

A point matches when its names and its value agree within the tolerance; a chart's similarity is matched points over
all points of both sides; average precision is the share of the thresholds 0.50, 0.55 ... 0.95 that the similarity
reaches, averaged over charts. An answer that cannot be parsed reaches none, which equals ChartSE's rule of
multiplying the precision of the parsed ones with the parsed fraction. Sources: StructChart, arXiv 2309.11268;
OneChart, arXiv 2404.09987 (ChartSE). Knows no file or report.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from got_ocr.eval.charts import FLAT, Chart, Triple, parse_chart
from got_ocr.eval.metrics import edits


@dataclass(frozen=True, slots=True)
class Tolerance:
    """edits: most edits between the joined names. relative: most relative error of the value."""

    edits: int
    relative: float


STRICT = Tolerance(0, 0.0)
SLIGHT = Tolerance(2, 0.05)
HIGH = Tolerance(5, 0.1)

Similarity = Callable[[Chart, Chart, Tolerance], float]


class Precision(NamedTuple):
    """Share of the thresholds reached by one chart, at each tolerance."""

    strict: float
    slight: float
    high: float


class ChartScore(NamedTuple):
    """One chart.

    parsed: the answer could be read at all. published: as ChartSE counts. corrected: see `corrected_similarity`.
    """

    parsed: bool
    published: Precision
    corrected: Precision


def score_chart(prediction: str, reference: str) -> ChartScore | None:
    """Score one answer; None when the reference itself is no chart (such a picture has no score)."""
    true = parse_chart(reference)
    if true is None:
        return None
    guessed = parse_chart(prediction)
    if guessed is None:
        return ChartScore(False, Precision(0, 0, 0), Precision(0, 0, 0))
    nothing = Precision(0, 0, 0)
    # an answer without titles counts as unparsable in the published scorer only
    published = _precision(guessed, true, published_similarity, _PUBLISHED) if guessed.titled else nothing
    return ChartScore(True, published, _precision(guessed, true, corrected_similarity, _CORRECTED))


# `arange` puts 0.8 a hair above 4/5, so four points of five miss that threshold in the published figures.
_PUBLISHED: tuple[float, ...] = tuple(float(t) for t in np.arange(0.5, 1.0, 0.05))
_CORRECTED: tuple[float, ...] = tuple(t / 20 for t in range(10, 20))


def _precision(guessed: Chart, true: Chart, similarity: Similarity, thresholds: Sequence[float]) -> Precision:
    shares = []
    for tolerance in (STRICT, SLIGHT, HIGH):
        reached = similarity(guessed, true, tolerance)
        shares.append(sum(reached >= t for t in thresholds) / len(thresholds))
    return Precision(*shares)


def published_similarity(guessed: Chart, true: Chart, tolerance: Tolerance) -> float:
    """Compare two charts as ChartSE's scorer does.

    Names of a point are put in alphabetical order only as far as both sides have points, and the category of a guess
    becomes `value` where the true point of the same position is flat. Several guesses may match one true point (the
    similarity can pass 1), and names match whenever one contains the other.
    """
    predicted, reference = guessed.published_triples(), true.published_triples()
    for i in range(min(len(predicted), len(reference))):
        if reference[i].second == FLAT and FLAT not in (predicted[i].first, predicted[i].second):
            predicted[i] = Triple(predicted[i].first, FLAT, predicted[i].value)
        predicted[i], reference[i] = _sorted_names(predicted[i]), _sorted_names(reference[i])
    ours, theirs = set(predicted), set(reference)
    matched = {p for p in ours if any(_published_match(p, r, tolerance) for r in theirs)}
    union = len(ours | theirs) - len(matched - (ours & theirs))
    return len(matched) / union if union else 0.0


def _sorted_names(triple: Triple) -> Triple:
    first, second = sorted((triple.first, triple.second))
    return Triple(first, second, triple.value)


def _published_match(predicted: Triple, reference: Triple, tolerance: Tolerance) -> bool:
    ours, theirs = predicted.first + predicted.second, reference.first + reference.second
    if not (isinstance(predicted.value, float) and isinstance(reference.value, float)):
        return edits(f"{ours}{predicted.value}", f"{theirs}{reference.value}") <= tolerance.edits
    error = abs(predicted.value - reference.value) / (abs(reference.value) + 0.000001)
    if error > tolerance.relative:
        return False
    return ours in theirs or theirs in ours or edits(ours, theirs) <= tolerance.edits


def corrected_similarity(guessed: Chart, true: Chart, tolerance: Tolerance) -> float:
    """Compare two charts with every point used once; between 0 and 1.

    Names of every point are put in order, a flat reference takes the category away from every guess, and the largest
    one-to-one matching counts. Names match by edits alone, one holding the other is not enough.
    """
    predicted, reference = guessed.triples(), true.triples()
    if all(r.second == FLAT for r in reference):
        predicted = [Triple(p.first, FLAT, p.value) for p in predicted]
    predicted, reference = [_sorted_names(p) for p in predicted], [_sorted_names(r) for r in reference]
    links = [[j for j, r in enumerate(reference) if _match(p, r, tolerance)] for p in predicted]
    matched = _matching(links, len(reference))
    return matched / (len(predicted) + len(reference) - matched)


def _match(predicted: Triple, reference: Triple, tolerance: Tolerance) -> bool:
    if isinstance(predicted.value, float) and isinstance(reference.value, float):
        # a hair more: 1.05 is within 5 % of 1, whatever binary fractions say
        allowed = tolerance.relative * abs(reference.value) * (1 + 1e-9)
        if abs(predicted.value - reference.value) > allowed:
            return False
        texts = ("", "")
    else:
        texts = (str(predicted.value), str(reference.value))
    ours, theirs = f"{predicted.first}\n{predicted.second}", f"{reference.first}\n{reference.second}"
    return edits(ours + texts[0], theirs + texts[1]) <= tolerance.edits


def _matching(links: Sequence[Sequence[int]], rights: int) -> int:
    """Count the pairs of a largest one-to-one matching; breadth-first augmenting paths, no recursion."""
    owner: list[int | None] = [None] * rights
    count = 0
    for left in range(len(links)):
        came: dict[int, int] = {}  # right node -> left node that reached it
        queue, free = [left], None
        while queue and free is None:
            node = queue.pop(0)
            for right in links[node]:
                if right in came:
                    continue
                came[right] = node
                holder = owner[right]
                if holder is None:
                    free = right
                    break
                queue.append(holder)
        if free is not None:
            _flip(owner, came, free, left)
            count += 1
    return count


def _flip(owner: list[int | None], came: dict[int, int], right: int, start: int) -> None:
    """Hand each right node of the path found to the left node that reached it, back to `start`."""
    while True:
        left = came[right]
        previous = next((r for r, holder in enumerate(owner) if holder == left), None)
        owner[right] = left
        if left == start or previous is None:
            return
        right = previous
