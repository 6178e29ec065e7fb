"""Pictures of sheet music with their **kern: one to four staves, engraved by Verovio.

Holds the loop that composes until a page holds the score. The label is written from the same tree that was composed.
Knows no augmentation and no model.
"""

from dataclasses import dataclass

import numpy as np

from got_ocr.data.sample import Sample
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.sources.music_compose import compose, new_style
from got_ocr.data.sources.music_engrave import engrave_svg, new_look, systems
from got_ocr.data.sources.music_kern import kern, parts
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class MusicSource:
    """Make samples of kind `music`.

    fonts: the engraver's fonts, `train`, `heldout` or `all`.
    bars: least and most bars. notes: about how many events a score may have, all staves together. max_chars: longest
    label. clean_fraction, strength, wear: as in `finish`.
    """

    fonts: str = "train"
    bars: tuple[int, int] = (2, 16)
    notes: int = 240
    max_chars: int = 4000
    clean_fraction: float = 0.7
    strength: float = 0.4
    wear: str = "light"

    def __post_init__(self) -> None:
        if not 1 <= self.bars[0] <= self.bars[1]:
            raise InvalidValue("bars are the least and the most, at least 1")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Compose and engrave one score; the same generator state gives the same bytes."""
        for _ in range(_ATTEMPTS):
            style = new_style(rng, self.bars, self.notes)
            score = compose(rng, style)
            text = kern(score)
            look = new_look(rng, self.fonts)
            svg = engrave_svg(text, look) if len(text) <= self.max_chars else None
            if svg is not None:
                image = rasterise(svg)
                meta: dict[str, object] = {"font": look.font, "staves": len(style.clefs), "bars": style.bars}
                meta["parts"] = parts(score, systems(svg))
                finish = Finish(self.clean_fraction, self.strength, self.wear)
                worn = touch(rng, image, finish, look.staff)
                return Sample((worn,), text, "music", Task(mode="format"), meta=meta)
        raise InvalidValue("no score fits these options; allow more characters or fewer bars")
