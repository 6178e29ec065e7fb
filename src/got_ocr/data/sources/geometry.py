"""Pictures of school geometry with their TikZ: triangles, circles, solids, axes and graphs.

Holds the loop that draws one construction after another until the labels of one lie clear of its lines. Label and
picture come from the same tree (`geometry_tree`). Knows no augmentation and no model.
"""

from dataclasses import dataclass

import numpy as np

from got_ocr.data.sample import Sample
from got_ocr.data.sources import (
    geometry_axes,
    geometry_chain,
    geometry_circles,
    geometry_solids,
    geometry_triangles,
)
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.sources.geometry_sketch import new_sketch
from got_ocr.data.sources.geometry_svg import label_boxes, new_look, svg
from got_ocr.data.sources.geometry_tree import Figure
from got_ocr.data.sources.rasterise import rasterise
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

_ATTEMPTS = 100
_ALL = (
    *geometry_triangles.CONSTRUCTIONS,
    *geometry_circles.CONSTRUCTIONS,
    *geometry_solids.CONSTRUCTIONS,
    *geometry_axes.CONSTRUCTIONS,
    *geometry_chain.CONSTRUCTIONS,
    *geometry_chain.CONSTRUCTIONS,
)
NAMES: tuple[str, ...] = tuple(dict.fromkeys(c.__name__ for c in _ALL))


@dataclass(frozen=True, slots=True)
class GeometrySource:
    """Make samples of kind `geometry`.

    extent: longer side of a figure in centimetres (axes keep one centimetre to the unit). plain: chance of black lines
    only. hand: chance of a free-hand look. only: names of constructions to draw (see NAMES), all when empty.
    clean_fraction, strength, wear: as in `finish`. Raises
    InvalidValue for unknown names.
    """

    extent: float = 6.0
    plain: float = 0.65
    hand: float = 0.12
    only: tuple[str, ...] = ()
    clean_fraction: float = 0.7
    strength: float = 0.4
    wear: str = "light"

    def __post_init__(self) -> None:
        unknown = set(self.only) - set(NAMES)
        if unknown:
            raise InvalidValue(f"unknown constructions {sorted(unknown)}; known are {', '.join(NAMES)}")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Draw one figure; the same generator state gives the same bytes."""
        name, figure = self.figure(rng)
        look = new_look(rng, self.hand)
        labels = label_boxes(figure, look)
        meta = {"construction": name, "font": look.font, "hand": look.wobble > 0, "labels": labels}
        finish = Finish(self.clean_fraction, self.strength, self.wear)
        worn = touch(rng, rasterise(svg(figure, look)), finish, 0.35 * look.scale)
        return Sample((worn,), str(figure), "geometry", Task(mode="format"), meta=meta)

    def figure(self, rng: np.random.Generator) -> tuple[str, Figure]:
        """Make one figure tree, with the name of its construction."""
        chosen = [c for c in _ALL if not self.only or c.__name__ in self.only]
        for _ in range(_ATTEMPTS):
            construct = chosen[int(rng.integers(len(chosen)))]
            sketch = new_sketch(rng, self.plain)
            construct(sketch)
            figure = sketch.figure(self.extent)
            if figure is not None:
                return construct.__name__, figure
        raise InvalidValue("no figure of these constructions can be labelled clearly; allow more of them")
