"""The labels of a chart while it is planned: each text becomes a strip once. Knows no chart."""

from collections.abc import Sequence

from got_ocr.chart.plan import Heads
from got_ocr.chart.words import WORDS, Letters, Text, group, strip_of
from got_ocr.labels import Label
from got_ocr.lines import Box
from got_ocr.spec import ModelSpec

MOST_LABELS = 150


class Sheet:
    """Collects texts that are to be read, in a fixed order."""

    def __init__(self, spec: ModelSpec, shrink: float) -> None:
        self._spec, self._shrink = spec, shrink
        self._found: Letters | None = None
        self._labels: list[Label] = []
        self._known: dict[Text, int] = {}

    @property
    def labels(self) -> tuple[Label, ...]:
        """All strips so far."""
        return tuple(self._labels)

    def take(self, found: Letters) -> None:
        """Take the letters that texts are made of."""
        self._found = found

    def label(self, text: Text) -> int:
        """Make a strip of a text; give its number."""
        if text not in self._known and self._found is not None:
            self._known[text] = len(self._labels)
            self._labels.append(strip_of(self._found, text, self._spec, self._shrink))
        return self._known.get(text, 0)

    def heads(self, found: Letters, free: Sequence[int], plot: Box, upright: Text | None) -> Heads:
        """Sort the texts that belong to nothing else: over the plot, under it, along its left edge."""
        texts = [text for text in group(found, free, WORDS) if text.box[2] - text.box[0] > found.unit][:20]
        over = sorted((t for t in texts if t.middle[1] < plot[1]), key=lambda t: t.middle[1])
        under = sorted((t for t in texts if t.middle[1] > plot[3]), key=lambda t: t.middle[1])
        return Heads(
            tuple(self.label(text) for text in over),
            tuple(self.label(text) for text in under),
            (self.label(upright),) if upright else (),
        )
