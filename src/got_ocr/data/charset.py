"""Which characters labels may hold, and how text is brought to them. Knows no font file, corpus or picture."""

import re
import unicodedata
from functools import lru_cache

from got_ocr.errors import InvalidValue

ASCII = "".join(chr(code) for code in range(0x20, 0x7F))
MARKS = "“”‘’–—…•·©®™°±×÷§¶†‡€£¥¢½¼¾«»¿¡"
LETTERS = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ"
LANGUAGES = ("en", "zh")
LATIN = frozenset(ASCII + MARKS + LETTERS)

CJK_MARKS = "，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～％"

_FOLDS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "–": "-", "—": "--", "…": "...", "•": "*", "·": "*",
    "−": "-", "‐": "-", "‑": "-", "―": "--", "×": "x", "÷": "/", "«": '"', "»": '"', "½": "1/2", "¼": "1/4", "¾": "3/4",
    "™": "(TM)", "©": "(C)", "®": "(R)", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ß": "ss", "ø": "o", "Ø": "O",
    "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl",
}  # fmt: skip
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=1)
def chinese() -> frozenset[str]:
    """Return the characters of GB 2312, its usual marks and printable ASCII: 6,763 ideographs."""
    codes = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    ideographs = "".join(code.decode("gb2312", errors="ignore") for code in codes)
    return frozenset(ASCII + CJK_MARKS + ideographs)


def alphabet(language: str) -> frozenset[str]:
    """Return the label alphabet of a language, `en` or `zh`. Raises InvalidValue for another."""
    if language not in LANGUAGES:
        raise InvalidValue(f"language is one of {', '.join(LANGUAGES)}; not {language!r}")
    return LATIN if language == "en" else chinese()


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
