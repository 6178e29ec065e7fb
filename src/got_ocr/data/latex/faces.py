"""Which mathematics fonts may draw a formula. Knows the tree and the fonts; draws nothing.

The font that the typst wheel carries draws every command. Others are taken where they are installed, and only for
formulas whose signs they have and whose alphabets they tell apart from each other as the first one does.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from got_ocr.data import fonts
from got_ocr.data.latex import symbols, tree

EMBEDDED = "New Computer Modern Math"
# Family to the alphabets that it draws differently: its \mathcal looks like the \mathscr of others.
OTHERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Latin Modern Math": frozenset({"mathscr"}),
        "STIX Math": frozenset({"mathscr", "mathcal"}),
        "DejaVu Math TeX Gyre": frozenset({"mathscr", "mathcal"}),
    }
)


def choose(rng: np.random.Generator, node: tree.Node, share: float) -> tuple[str, tuple[Path, ...]]:
    """Choose a family and its files for a formula: one that is installed with probability `share`, else the
    embedded one.
    """
    chosen = rng.random() < share
    fitting = [font for font in installed() if draws(font, node)]
    place = int(rng.integers(max(len(fitting), 1)))
    if not chosen or not fitting:
        return EMBEDDED, ()
    return fitting[place].family, (Path(fitting[place].path),)


@lru_cache(maxsize=1)
def installed() -> tuple[fonts.Font, ...]:
    """List the mathematics fonts of the machine that are known here, by family."""
    found = {font.family: font for font in fonts.index() if font.family in OTHERS and not font.italic}
    return tuple(found[family] for family in sorted(found))


def draws(font: fonts.Font, node: tree.Node) -> bool:
    """Say whether a font has every sign of a formula and none of the alphabets that it confuses."""
    for part in tree.walk(node):
        if isinstance(part, tree.Styled) and part.command in OTHERS[font.family]:
            return False
        if isinstance(part, tree.Symbol) and not _has(font, symbols.SYMBOLS[part.command]):
            return False
    return True


def _has(font: fonts.Font, char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in font.ranges)
