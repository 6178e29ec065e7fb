"""Which characters labels may hold, and how text is brought to them. Knows no font file, corpus or picture."""

import re
import unicodedata
from functools import lru_cache

ASCII = "".join(chr(code) for code in range(0x20, 0x7F))
MARKS = "“”‘’–—…•·©®™°±×÷§¶†‡€£¥¢½¼¾«»¿¡"
LETTERS = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ"
LATIN = frozenset(ASCII + MARKS + LETTERS)

_FOLDS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "–": "-", "—": "--", "…": "...", "•": "*", "·": "*",
    "−": "-", "‐": "-", "‑": "-", "―": "--", "×": "x", "÷": "/", "«": '"', "»": '"', "½": "1/2", "¼": "1/4", "¾": "3/4",
    "™": "(TM)", "©": "(C)", "®": "(R)", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ø": "o", "Ø": "O",
    "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl",
}  # fmt: skip
_SPACES = re.compile(r"\s+")


def fold(text: str, allowed: frozenset[str]) -> str:
    """Replace each character outside `allowed` by its plain spelling, or drop it where it has none that is allowed."""
    if allowed.issuperset(text):
        return text
    return "".join(char if char in allowed else _plain(char, allowed) for char in text)


@lru_cache(maxsize=4096)
def _plain(char: str, allowed: frozenset[str]) -> str:
    spelled = _FOLDS.get(char) or unicodedata.normalize("NFKD", char)
    kept = "".join(part for part in spelled if part in allowed)
    return kept if kept.strip() or char.isspace() else ""


def clean(text: str, allowed: frozenset[str] = LATIN) -> str:
    """Normalise to NFC, fold to `allowed`, leave single spaces only and none at the ends."""
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return _SPACES.sub(" ", fold(text, allowed)).strip()
