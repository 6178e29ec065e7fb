"""Numbers for one pair of texts: error rates, edit distances, token overlap, BLEU, METEOR.

Pure functions, nothing swapped: the prediction comes first, the reference second. Knows no scorer, benchmark or
aggregate.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from got_ocr.errors import MissingDependency

_EXTRA = "pip install 'got-ocr[eval]'"


class Overlap(NamedTuple):
    """Shared tokens as precision (share of the prediction), recall (share of the reference) and their harmonic mean."""

    precision: float
    recall: float
    f1: float


def edits(prediction: Sequence[str], reference: Sequence[str]) -> int:
    """Count the fewest insertions, deletions and substitutions that turn one sequence into the other."""
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise MissingDependency(f"edit distances need rapidfuzz: {_EXTRA}") from None
    return int(Levenshtein.distance(prediction, reference))


def error_rate(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Divide the edits by the reference's length: character error rate of strings, word error rate of word lists.

    May exceed 1. An empty reference has no rate: 0 for an empty prediction, else 1, so that one invented page does not
    outweigh all others in a mean.
    """
    if not reference:
        return float(bool(prediction))
    return edits(prediction, reference) / len(reference)


def normalized_edit_distance(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Divide the edits by the longer length; between 0 and 1, symmetric."""
    longest = max(len(prediction), len(reference))
    return edits(prediction, reference) / longest if longest else 0.0


def unique_overlap(prediction: Sequence[str], reference: Sequence[str]) -> Overlap | None:
    """Compare the sets of tokens, blind to order and repetition; None when a side has no token."""
    if not prediction or not reference:
        return None
    guessed, true = set(prediction), set(reference)
    return _overlap(len(guessed & true), len(guessed), len(true))


def multiset_overlap(prediction: Sequence[str], reference: Sequence[str]) -> Overlap:
    """Compare the tokens with their counts, blind to order: a word read twice but printed once costs precision."""
    if not prediction and not reference:
        return Overlap(1.0, 1.0, 1.0)
    shared = (Counter(prediction) & Counter(reference)).total()
    return _overlap(shared, len(prediction), len(reference))


def _overlap(shared: int, guessed: int, true: int) -> Overlap:
    if not shared:
        return Overlap(0.0, 0.0, 0.0)
    precision, recall = shared / guessed, shared / true
    return Overlap(precision, recall, 2 * precision * recall / (precision + recall))


def bleu(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Compute sentence BLEU of up to four-grams, equal weights, no smoothing (nltk's default, as published)."""
    try:
        from nltk.translate.bleu_score import sentence_bleu
    except ImportError:
        raise MissingDependency(f"BLEU needs nltk: {_EXTRA}") from None
    if not prediction or not reference:
        return 0.0
    with warnings.catch_warnings():  # short texts share no four-gram: nltk warns at each, and returns about 0
        warnings.simplefilter("ignore")
        return float(sentence_bleu([list(reference)], list(prediction)))


@lru_cache(maxsize=1)
def meteor_reason() -> str | None:
    """Say why METEOR cannot be computed here, or None when it can. Looks on the disk only and never downloads."""
    try:
        import nltk.data
    except ImportError:
        return f"nltk is not installed ({_EXTRA})"
    for name in ("corpora/wordnet.zip", "corpora/wordnet"):
        try:
            nltk.data.find(name)
        except LookupError:
            continue
        return None
    return "the WordNet data of nltk (corpora/wordnet) is not on this machine"


def meteor(prediction: Sequence[str], reference: Sequence[str]) -> float | None:
    """Compute METEOR with nltk's defaults; None where `meteor_reason` gives a reason."""
    if meteor_reason() is not None:
        return None
    from nltk.translate.meteor_score import meteor_score

    return float(meteor_score([list(reference)], list(prediction)))
