"""Pictures of molecules with their SMILES: real ones, recombined ones, edited ones and ones grown atom by atom.

Holds the mixture and the loop that asks for a structure until one can be drawn cleanly. The label is read back from the
drawing's own coordinates and wedges (`molecule_draw`), so what the picture does not show is not in the label. Knows no
font search, no augmentation and no model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from got_ocr.data.sample import Sample
from got_ocr.data.sources import molecule_build as build
from got_ocr.data.sources.finish import Finish, touch
from got_ocr.data.sources.molecule_draw import Drawing, Mol, draw, quiet
from got_ocr.data.sources.molecule_pool import split_smiles
from got_ocr.errors import InvalidValue
from got_ocr.task import Task

_ATTEMPTS = 200
_ORIGINS = ("real", "crossed", "edited", "grown", "assembled")


@dataclass(frozen=True, slots=True)
class MoleculeSource:
    """Make samples of kind `molecule`.

    weights: how often a structure is real, crossed (two real ones recombined), edited (a real one changed), grown (atom
    by atom) or assembled (scaffold and substituents). max_atoms: most heavy atoms. max_parts: most disconnected parts
    (salts). corpus: split of the real structures, from which those crossed and edited are made
    as well. flat: chance that wedges are left out. invent: chance that open stereo centres get a random configuration.
    isotope: chance of one labelled isotope. max_side: longest side of the picture in pixels. clean_fraction, strength,
    wear: as in `finish`. Raises InvalidValue for weights that are not five numbers with a positive sum.
    """

    weights: tuple[float, ...] = (0.45, 0.2, 0.15, 0.08, 0.12)
    max_atoms: int = 48
    max_parts: int = 2
    corpus: str = "train"
    flat: float = 0.3
    invent: float = 0.6
    isotope: float = 0.01
    max_side: int = 1024
    clean_fraction: float = 0.7
    strength: float = 0.4
    wear: str = "light"

    def __post_init__(self) -> None:
        if len(self.weights) != len(_ORIGINS) or min(self.weights) < 0 or sum(self.weights) <= 0:
            raise InvalidValue("weights are five numbers, none negative, for real, crossed, edited, grown, assembled")
        if self.max_atoms < 3:
            raise InvalidValue("max_atoms is at least 3")
        Finish(self.clean_fraction, self.strength, self.wear)

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Draw one molecule; the same generator state gives the same bytes."""
        makers = self._makers()
        p = np.asarray(self.weights) / sum(self.weights)
        with quiet():
            for _ in range(_ATTEMPTS):
                origin = str(rng.choice(_ORIGINS, p=p))
                drawing = self._try(rng, makers[origin])
                if drawing is not None:
                    licence = "own" if origin in ("grown", "assembled") else "BSD-3-Clause (rdkit wheel)"
                    labels = [[*(round(side, 1) for side in label.box), label.text] for label in drawing.labels]
                    meta = {"origin": origin, "licence": licence, "atoms": len(drawing.atoms), **drawing.style}
                    meta["labels"] = labels
                    finish = Finish(self.clean_fraction, self.strength, self.wear)
                    worn = touch(rng, drawing.image, finish, drawing.letters)
                    return Sample((worn,), drawing.smiles, "molecule", Task(mode="format"), meta=meta)
        raise InvalidValue("no molecule fits these options; raise max_atoms")

    def _makers(self) -> dict[str, Callable[[np.random.Generator], Mol | None]]:
        pool = split_smiles(self.corpus)
        return {
            "real": partial(build.real, pool=pool),
            "crossed": partial(build.crossed, pool=pool),
            "edited": partial(build.edited, pool=pool),
            "grown": partial(build.grown, max_atoms=self.max_atoms),
            "assembled": build.assembled,
        }

    def _try(self, rng: np.random.Generator, make: Callable[[np.random.Generator], Mol | None]) -> Drawing | None:
        mol = make(rng)
        if mol is None or not build.fits(mol, self.max_atoms, self.max_parts):
            return None
        if rng.random() < self.isotope:
            mol = build.with_isotope(rng, mol)
        mol = build.without_stereo(mol) if rng.random() < self.flat else build.with_stereo(rng, mol, self.invent)
        return draw(rng, mol, self.max_side)
