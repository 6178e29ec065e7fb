"""Charts: made-up numbers, their dictionary as the label, a drawing by matplotlib or by our own SVG as the picture.

Knows no way of filling, writing or drawing: those are in `data.charts` and `data.tools`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from got_ocr.data.charts import fill, label, look, noted, svg
from got_ocr.data.charts.figure import KINDS, Chart, Label
from got_ocr.data.sample import Sample
from got_ocr.data.sources import lettering
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.data.tools import matplotlib
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

_SHARES = (0.3, 0.15, 0.09, 0.24, 0.12, 0.1)
_DIGITS = "0123456789.-%"


@dataclass(frozen=True, slots=True)
class ChartSource:
    """Draw charts.

    kinds: which of bar, barh, stacked, line, pie, scatter. valued: share with their values printed beside the marks,
    where they fit. svg: share drawn by our own SVG, the rest by matplotlib. zh: share of Chinese charts (none where no
    Chinese font is installed). fonts, corpus: pool and split. clean_fraction, strength, wear: as in `finish`.
    """

    kinds: tuple[str, ...] = KINDS
    valued: float = 0.55
    svg: float = 0.6
    zh: float = 0.15
    fonts: str = "train"
    corpus: str = "train"
    clean_fraction: float = 0.6
    strength: float = 0.4
    wear: str = "light"

    def __post_init__(self) -> None:
        if not self.kinds or set(self.kinds) - set(KINDS):
            raise InvalidValue(f"kinds of charts are {', '.join(KINDS)}; not {', '.join(self.kinds) or 'none'}")
        if any(not 0 <= share <= 1 for share in (self.zh, self.valued, self.svg)):
            raise InvalidValue("zh, valued and svg of a chart source lie between 0 and 1")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Make up and draw one chart."""
        shares = np.array([_SHARES[KINDS.index(kind)] for kind in self.kinds])
        kind = self.kinds[int(rng.choice(len(self.kinds), p=shares / shares.sum()))]
        chinese = lettering.chinese(self.fonts)
        language = "zh" if rng.random() < self.zh and chinese else "en"
        chart = fill.chart(rng, kind, language, self.corpus, bool(rng.random() < self.valued))
        own = bool(rng.random() < self.svg)
        text = "".join((*chart.words, chart.source_mark, _DIGITS))
        pool = chinese if language == "zh" else self.fonts
        font = lettering.covering(rng, pool, text, lambda font: own or matplotlib.usable(font))
        chosen = look.choose(rng, chart, font)
        picture, labels = _own(chart, chosen) if own else matplotlib.drawn(chart, chosen)
        worn = touch(rng, picture, Finish(self.clean_fraction, self.strength, self.wear), chosen.size)
        meta: dict[str, object] = {"fonts": [font.facts], "language": language, "chart": kind, "valued": chart.valued}
        meta["engine"] = "svg" if own else "matplotlib"
        meta["labels"] = [[*one[1:], one.words] for one in labels]
        return Sample((worn,), label.dictionary(chart), "chart", Task(mode="format"), meta=meta)


def _own(chart: Chart, chosen: look.Look) -> tuple[Image.Image, list[Label]]:
    """Draw by our own SVG."""
    drawing = svg.write(chart, chosen)
    return rasterise(drawing), noted.labels(drawing)
