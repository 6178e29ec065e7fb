"""Which offline texts there are, and how a passage is drawn from them. Knows no font, picture or layout.

Each corpus is what a Debian package installs; none is shipped with this project. `heldout` holds whole corpora that
training never sees. Where nothing is installed, a few hundred sentences built from our own word list stand in.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from got_ocr.data import cache, extract, own_text
from got_ocr.data.charset import alphabet, clean
from got_ocr.errors import InvalidValue

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "heldout", "all")
_CORPUS_VERSION = 9
_MOST_CHARS = 3_000_000
_LONGEST = 2000
_AFTER_STOP = re.compile(r"[。！？；]")
# A space between two ideographs is a line break of the file; one beside a full-width mark is of no use.
_BETWEEN = re.compile(
    r"(?<=[\u3001-\u9fff，。；：？！）”’]) (?=[\u3001-\u9fff（“‘])|(?<=[“‘（《]) | (?=[”’）》，。；：？！])"
)
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
    language: str = "en"

    def files(self) -> list[Path]:
        """List the installed files, sorted; a root of `python:NAME` is the folder of that package."""
        root = Path(self.root)
        if self.root.startswith("python:"):
            spec = find_spec(self.root.removeprefix("python:"))
            root = Path(spec.origin).parent if spec and spec.origin else root
        return sorted(path for path in root.glob(self.pattern) if path.is_file()) if root.is_dir() else []


_DICT, _SHARE, _DOC = "/usr/share/dictd", "/usr/share", "/usr/share/doc"
_FORTUNES = "/usr/share/games/fortunes"
CORPORA = (
    Corpus("gcide", "dict-gcide", "GPL-3+", "train", 2, _DICT, "gcide.dict.dz", extract.dictionary),
    Corpus("foldoc", "dict-foldoc", "GFDL-1.2+", "train", 1.5, _DICT, "foldoc.dict.dz", extract.dictionary),
    Corpus("wordnet", "dict-wn", "WordNet", "train", 1.5, _DICT, "wn.dict.dz", extract.wordnet),
    Corpus("jargon", "jargon-text", "Public domain", "train", 2, _DOC, "jargon-text/jargon.txt.gz", extract.plain),
    Corpus("perl", "perl-doc", "Artistic or GPL-1+", "train", 2, _SHARE, "perl/5.*.*/pod/perl[a-z]*.pod", extract.pod),
    Corpus(
        "handbook", "debian-handbook", "GPL-2+ or CC-BY-SA-3.0", "train", 3, _DOC, "debian-handbook/html/en-US/*.html",
        extract.html,
    ),
    Corpus("debian", "doc-debian", "Various, free", "train", 0.5, _DOC, "debian/*gz", extract.plain),
    Corpus("policy", "debian-policy", "GPL-2+", "train", 1, _DOC, "debian-policy/policy.html/*.html", extract.html),
    Corpus("reference", "debian-reference-en", "GPL-2+", "train", 1, _SHARE, "debian-reference/ch*.html", extract.html),
    Corpus("python", "python3.11-doc", "PSF-2.0", "train", 2, _DOC, "python3.11/html/*/*.html", extract.html),
    Corpus("manpages", "manpages", "Various, free", "train", 1, _SHARE, "man/man[257]/*.gz", extract.man),
    Corpus("fortunes", "fortunes", "Various, free", "heldout", 3, _FORTUNES, "*[a-z]", extract.fortunes),
    Corpus("debian-faq", "debian-faq", "GPL-2+", "heldout", 1, _DOC, "debian/FAQ/*.html", extract.html),
    Corpus("fortunes-zh", "fortunes-zh", "GPL-2+", "train", 3, _FORTUNES, "chinese", extract.fortunes_zh, "zh"),
    Corpus("words-zh", "jieba (PyPI)", "MIT", "train", 1.5, "python:jieba", "dict.txt", extract.words_zh, "zh"),
    Corpus("poems-zh", "fortunes-zh", "GPL-2+", "train", 1, _FORTUNES, "*00", extract.fortunes_zh, "zh"),
    Corpus(
        "handbook-zh", "debian-handbook", "GPL-2+ or CC-BY-SA-3.0", "heldout", 1, _DOC,
        "debian-handbook/html/zh-CN/*.html", extract.html, "zh",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """Hold one corpus in memory: cleaned paragraphs, NFC, single spaces, label alphabet only."""

    name: str
    licence: str
    weight: float
    paragraphs: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the paragraphs."""
        return hashlib.sha256("\n".join(self.paragraphs).encode()).hexdigest()


@lru_cache(maxsize=8)
def load(split: str, language: str = "en") -> tuple[Text, ...]:
    """Load the installed corpora of a split (`train`, `heldout`, `all`); our own sentences where none is installed.

    Raises InvalidValue for another split or language.
    """
    if split not in SPLITS:
        raise InvalidValue(f"corpus split is one of {', '.join(SPLITS)}; not {split!r}")
    alphabet(language)
    wanted = (corpus for corpus in CORPORA if corpus.language == language and split in ("all", corpus.split))
    present = tuple(text for text in map(_load_one, wanted) if text.paragraphs)
    own = own_text.sentences if language == "en" else own_text.chinese_sentences
    return present or (Text("own", "Apache-2.0", 1.0, own(split == "heldout")),)


@lru_cache(maxsize=32)
def _load_one(corpus: Corpus) -> Text:
    files = corpus.files()
    key = cache.digest(_CORPUS_VERSION, corpus.name, cache.stamps(files))
    rows = cache.read(f"corpus-{corpus.name}", key) if files else []
    if not isinstance(rows, list):
        rows = _trim(_wanted((raw for path in files for raw in corpus.paragraphs(path)), corpus.language))
        cache.write(f"corpus-{corpus.name}", key, rows)
    return Text(corpus.name, corpus.licence, corpus.weight, tuple(rows))


def _wanted(raw: Iterable[str], language: str) -> list[str]:
    """Clean the paragraphs; drop the short ones, the repeated ones and those that are largely of another alphabet."""
    allowed, least = alphabet(language), 24 if language == "en" else 12
    seen: dict[str, None] = {}
    for paragraph in raw:
        text = clean(paragraph, allowed)
        if language == "zh":
            text = _BETWEEN.sub("", text)
            if sum(char > "\u4e00" for char in text) * 2 < len(text):
                continue
        if len(text) >= least:
            seen.setdefault(text[:_LONGEST])
    return list(seen)


def _trim(rows: list[str]) -> list[str]:
    """Keep every n-th paragraph, so that one corpus costs a few megabytes at most."""
    total = sum(map(len, rows))
    step = max(1, -(-total // _MOST_CHARS))
    return rows[::step]


@lru_cache(maxsize=8)
def _shares(split: str, language: str) -> tuple[float, ...]:
    weights = [text.weight for text in load(split, language)]
    total = sum(weights)
    return tuple(sum(weights[: rank + 1]) / total for rank in range(len(weights)))


def paragraph(split: str, rng: "np.random.Generator", language: str = "en") -> str:
    """Draw one paragraph: the corpus by its weight, then any paragraph of it."""
    texts, point = load(split, language), rng.random()
    pairs = zip(texts, _shares(split, language), strict=True)
    text = next((text for text, share in pairs if point < share), texts[-1])
    return text.paragraphs[int(rng.integers(len(text.paragraphs)))]


def passage(split: str, rng: "np.random.Generator", length: int, language: str = "en") -> str:
    """Draw at least `length` characters of running text, beginning at a sentence or, as often, at any word."""
    text = paragraph(split, rng, language)
    parts = [text[_start(text, rng, language) :]]
    size, joint = len(parts[0]), " " if language == "en" else ""
    while size < length:
        parts.append(paragraph(split, rng, language))
        size += len(joint) + len(parts[-1])
    return joint.join(parts)


def _start(text: str, rng: "np.random.Generator", language: str) -> int:
    if rng.random() < 0.5:
        sentence = _FIRST_LETTER if language == "en" else _AFTER_STOP
        starts = [0] + [match.end() for match in sentence.finditer(text) if match.end() < len(text)]
    elif language == "en":
        starts = [0] + [at + 1 for at, char in enumerate(text) if char == " "]
    else:
        starts = [at for at, char in enumerate(text) if char > "\u4e00"] or [0]
    return starts[int(rng.integers(len(starts)))]


def word(split: str, rng: "np.random.Generator") -> str:
    """Draw one English word as it stands in the text, with its punctuation."""
    words = paragraph(split, rng).split(" ")
    return words[int(rng.integers(len(words)))]
