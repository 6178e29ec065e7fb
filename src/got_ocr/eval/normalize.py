"""How text is made comparable before the corrected scorer looks at it.

Every step is a named field, so that a report can say what was done to both sides. The paper's scorer uses none of this.
Knows no metric, token or benchmark.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from got_ocr.errors import InvalidValue

Spaces = Literal["keep", "collapse", "drop"]

_SPACES: tuple[str, ...] = ("keep", "collapse", "drop")


@dataclass(frozen=True, slots=True)
class Normalization:
    """Say which differences between two texts do not count.

    spaces: `keep` only unifies line ends, `collapse` turns every run of white space (line breaks too) into one blank
    and trims the ends, `drop` removes white space. nfkc: fold compatibility forms (full-width letters, ligatures)
    together; off by default, since reading a full-width comma as a plain one is an error of the reader.
    """

    spaces: Spaces = "collapse"
    nfkc: bool = False

    def __post_init__(self) -> None:
        if self.spaces not in _SPACES:
            raise InvalidValue(f"spaces is one of {', '.join(_SPACES)}; not {self.spaces!r}")

    def apply(self, text: str) -> str:
        """Return the comparable form of `text`."""
        if self.nfkc:
            text = unicodedata.normalize("NFKC", text)
        if self.spaces == "keep":
            return text.replace("\r\n", "\n").replace("\r", "\n")
        return (" " if self.spaces == "collapse" else "").join(text.split())

    def describe(self) -> str:
        """Say in one phrase what `apply` does, for reports."""
        spaces = {"keep": "white space kept", "collapse": "white space collapsed", "drop": "white space dropped"}
        return spaces[self.spaces] + (", NFKC" if self.nfkc else ", no unicode folding")
