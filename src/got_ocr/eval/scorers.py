"""Two scorers side by side: the one behind the published figures, quirks included, and a corrected one.

Each scores one (prediction, reference) pair and says in `note` what it does, so that no figure is shown without its
rule. Knows no file, model or report.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from got_ocr.eval import metrics
from got_ocr.eval.normalize import Normalization
from got_ocr.eval.tokens import Unit, token_pair

_INLINE = re.compile(r"\\\((.*?)(?<!\\)\\\)")
_DISPLAY = re.compile(r"\\\[(.+?)(?<!\\)\\\]")
_TABLE = re.compile(r"\\begin\{tabular\}(.+?)(?:\\end\{tabular\}|$)", re.S)


@dataclass(frozen=True, slots=True)
class PaperScore:
    """What the published scorer says of one pair; f1, precision and recall are None when a side is white space only."""

    edit_distance: float
    f1: float | None
    precision: float | None
    recall: float | None
    bleu: float
    meteor: float | None


@dataclass(frozen=True, slots=True)
class PaperScorer:
    """Score as the published figures were scored.

    The two texts change places: what was read is taken as the reference and the true text as the hypothesis, so
    "precision" is the recall, "recall" the precision, and BLEU and METEOR look at the pair from the wrong side. Edit
    distance and F1 are symmetric and survive. Pairs with an empty side are left out, which rewards a reader that
    stays silent.
    """

    name: ClassVar[str] = "paper"
    note: ClassVar[str] = (
        "paper: the published rules, for comparison with published figures. Prediction and reference are swapped, "
        "pairs with an empty side are skipped, edit distance is divided by the longer text, F1 compares sets of unique "
        "tokens; text is compared as it is."
    )

    def score(self, prediction: str, reference: str, unit: Unit = "words") -> PaperScore | None:
        """Score one pair; None when it is skipped."""
        if not prediction or not reference:
            return None
        hypothesis, truth = reference, prediction  # the published swap
        guessed, true = token_pair(hypothesis, truth, unit)
        overlap = metrics.unique_overlap(guessed, true)
        return PaperScore(
            edit_distance=metrics.normalized_edit_distance(hypothesis, truth),
            f1=overlap.f1 if overlap else None,
            precision=overlap.precision if overlap else None,
            recall=overlap.recall if overlap else None,
            bleu=metrics.bleu(guessed, true),
            meteor=metrics.meteor(guessed, true),
        )


@dataclass(frozen=True, slots=True)
class CorrectedScore:
    """What the corrected scorer says of one pair; edits and length (of the reference) are in characters."""

    edits: int
    length: int
    cer: float
    wer: float
    edit_distance: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class CorrectedScorer:
    """Score every pair, from the right side, after a named normalisation; silence counts as full error."""

    normalization: Normalization = field(default_factory=Normalization)
    name: ClassVar[str] = "corrected"

    @property
    def note(self) -> str:
        """Say what this scorer does."""
        return (
            "corrected: nothing is swapped or skipped, an empty or failed reading counts as full error, CER is edits "
            "over the reference's length (micro: over all pictures of the kind together; macro: mean over pictures), "
            "F1 compares tokens with their counts; both texts are normalised first "
            f"({self.normalization.describe()})."
        )

    def score(self, prediction: str, reference: str, unit: Unit = "words") -> CorrectedScore:
        """Score one pair."""
        prediction, reference = self.normalization.apply(prediction), self.normalization.apply(reference)
        # jieba returns blanks as tokens; the same text with other spacing must not score differently here
        guessed, true = ([t for t in side if not t.isspace()] for side in token_pair(prediction, reference, unit))
        overlap = metrics.multiset_overlap(guessed, true)
        return CorrectedScore(
            edits=metrics.edits(prediction, reference),
            length=len(reference),
            cer=metrics.error_rate(prediction, reference),
            wer=metrics.error_rate(guessed, true),
            edit_distance=metrics.normalized_edit_distance(prediction, reference),
            precision=overlap.precision,
            recall=overlap.recall,
            f1=overlap.f1,
        )


def split_formatted(page: str) -> dict[str, str]:
    r"""Cut a formatted page into the three texts that the paper scores separately, as its scorer does.

    `text` is the whole page (formulas and tables stay in), `formula` the insides of \(...\) joined by line breaks
    followed at once by those of \[...\], `table` the insides of every tabular, an unclosed one up to the end.
    """
    return {
        "text": page.strip(),
        "formula": "\n".join(_INLINE.findall(page)) + "\n".join(_DISPLAY.findall(page)),
        "table": "\n".join(_TABLE.findall(page)),
    }


def micro_cer(scores: Sequence[CorrectedScore]) -> float | None:
    """Divide all edits by all reference characters; None when there is no reference character."""
    length = sum(s.length for s in scores)
    return sum(s.edits for s in scores) / length if length else None


def mean(values: Sequence[float | None]) -> float | None:
    """Average what is there; None for nothing."""
    kept = [v for v in values if v is not None]
    return sum(kept) / len(kept) if kept else None
