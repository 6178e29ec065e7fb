"""Which offline texts there are, and how a passage is drawn from them. Knows no font, picture or layout.

Each corpus is what a Debian package installs; none is shipped with this project. `heldout` holds whole corpora that
training never sees. Where nothing is installed, a few hundred sentences built from our own word list stand in.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from got_ocr.data import cache, extract
from got_ocr.data.charset import clean
from got_ocr.data.own_text import sentences
from got_ocr.errors import InvalidValue

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "heldout", "all")
_CORPUS_VERSION = 5
_MOST_BYTES = 3_000_000
_FIRST_LETTER = re.compile(r"(?<=[.!?]) (?=[A-Z“\"(])")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Name one offline text: where its package puts it, its licence, its split and how often it is drawn.

    pattern: glob under `root`. paragraphs: turns the files into raw paragraphs.
    """

    name: str
    package: str
    licence: str
    split: str
    weight: float
    root: str
    pattern: str
    paragraphs: Callable[[Path], list[str]]

    def files(self) -> list[Path]:
        """List the installed files, sorted."""
        root = Path(self.root)
        return sorted(path for path in root.glob(self.pattern) if path.is_file()) if root.is_dir() else []


CORPORA = (
    Corpus("gcide", "dict-gcide", "GPL-3.0+", "train", 2, "/usr/share/dictd", "gcide.dict.dz", extract.dictionary),
    Corpus("foldoc", "dict-foldoc", "GFDL-1.2+", "train", 1.5, "/usr/share/dictd", "foldoc.dict.dz",
    extract.dictionary),
    Corpus("wordnet", "dict-wn", "WordNet", "train", 1.5, "/usr/share/dictd", "wn.dict.dz", extract.wordnet),
    Corpus("jargon", "jargon-text", "Public domain", "train", 2, "/usr/share/doc/jargon-text", "jargon.txt.gz",
    extract.plain),
    Corpus("perl", "perl-doc", "Artistic or GPL-1+", "train", 2, "/usr/share/perl", "5.*.*/pod/perl[a-z]*.pod",
    extract.pod),
    Corpus(
        "handbook", "debian-handbook", "GPL-2+ or CC-BY-SA-3.0", "train",
        3, "/usr/share/doc/debian-handbook/html/en-US",
        "*.html", extract.html,
    ),
    Corpus("debian", "doc-debian", "Various, free", "train", 0.5, "/usr/share/doc/debian", "*gz", extract.plain),
    Corpus("policy", "debian-policy", "GPL-2+", "train", 1, "/usr/share/doc/debian-policy/policy.html", "*.html",
    extract.html),
    Corpus("reference", "debian-reference-en", "GPL-2+", "train", 1, "/usr/share/debian-reference", "ch*.html",
    extract.html),
    Corpus("python", "python3.11-doc", "PSF-2.0", "train", 2, "/usr/share/doc/python3.11/html", "*/*.html",
    extract.html),
    Corpus("manpages", "manpages", "Various, free", "train", 1, "/usr/share/man", "man[257]/*.gz", extract.man),
    Corpus("fortunes", "fortunes", "Various, see the package", "heldout", 3, "/usr/share/games/fortunes", "*[a-z]",
    extract.fortunes),
    Corpus("debian-faq", "debian-faq", "GPL-2+", "heldout", 1, "/usr/share/doc/debian/FAQ", "*.html", extract.html),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """Hold one corpus in memory: cleaned paragraphs, NFC, single spaces, label alphabet only."""

    name: str
    licence: str
    weight: float
    paragraphs: tuple[str, ...]


@lru_cache(maxsize=8)
def load(split: str) -> tuple[Text, ...]:
    """Load the installed corpora of a split (`train`, `heldout`, `all`); our own sentences where none is installed.

    Raises InvalidValue for another split.
    """
    if split not in SPLITS:
        raise InvalidValue(f"corpus split is one of {', '.join(SPLITS)}; not {split!r}")
    texts = [_load_one(corpus) for corpus in CORPORA if split in ("all", corpus.split)]
    present = tuple(text for text in texts if text.paragraphs)
    return present or (Text("own", "Apache-2.0", 1.0, sentences(held_out=split == "heldout")),)


@lru_cache(maxsize=32)
def _load_one(corpus: Corpus) -> Text:
    files = corpus.files()
    key = cache.digest(_CORPUS_VERSION, corpus.name, cache.stamps(files))
    rows = cache.read(f"corpus-{corpus.name}", key) if files else []
    if not isinstance(rows, list):
        rows = _trim(_wanted(raw for path in files for raw in corpus.paragraphs(path)))
        cache.write(f"corpus-{corpus.name}", key, rows)
    return Text(corpus.name, corpus.licence, corpus.weight, tuple(rows))


def _wanted(raw: "object") -> list[str]:
    seen: dict[str, None] = {}
    for paragraph in raw:  # type: ignore[attr-defined]
        text = clean(paragraph)
        if len(text) >= 24 and len(text) * 0.97 <= len(paragraph.strip()) * 1.2:
            seen.setdefault(text[:2000])
    return list(seen)


def _trim(rows: list[str]) -> list[str]:
    """Keep every n-th paragraph, so that one corpus costs a few megabytes at most."""
    total = sum(map(len, rows))
    step = max(1, -(-total // _MOST_BYTES))
    return rows[::step]


@lru_cache(maxsize=8)
def _shares(split: str) -> tuple[float, ...]:
    weights = [text.weight for text in load(split)]
    total = sum(weights)
    return tuple(sum(weights[: rank + 1]) / total for rank in range(len(weights)))


def paragraph(split: str, rng: "np.random.Generator") -> str:
    """Draw one paragraph: the corpus by its weight, then any paragraph of it."""
    texts, point = load(split), rng.random()
    text = next((text for text, share in zip(texts, _shares(split), strict=True) if point < share), texts[-1])
    return text.paragraphs[int(rng.integers(len(text.paragraphs)))]


def passage(split: str, rng: "np.random.Generator", length: int) -> str:
    """Draw at least `length` characters of running text, beginning at a sentence or, as often, at any word."""
    text = paragraph(split, rng)
    starts = [match.end() for match in _FIRST_LETTER.finditer(text)] if rng.random() < 0.5 else []
    if not starts:
        starts = [0] if rng.random() < 0.5 else [at + 1 for at, char in enumerate(text) if char == " "]
    start = starts[int(rng.integers(len(starts)))] if starts else 0
    parts = [text[start:]]
    size = len(parts[0])
    while size < length:
        parts.append(paragraph(split, rng))
        size += len(parts[-1]) + 1
    return " ".join(parts)


def word(split: str, rng: "np.random.Generator") -> str:
    """Draw one word as it stands in the text, with its punctuation."""
    words = paragraph(split, rng).split(" ")
    return words[int(rng.integers(len(words)))]
