"""What a set of samples was made from: fonts, texts, licences, versions. Knows no folder, archive or worker."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from got_ocr.data import corpus, fonts
from got_ocr.data.build import Recipe
from got_ocr.data.sample import Sample

_LIBRARIES = (
    "numpy", "pillow", "opencv-python-headless", "fonttools", "rdkit", "verovio", "matplotlib", "typst", "resvg-py",
)  # fmt: skip


def facts(sample: Sample) -> dict[str, object]:
    """Take the facts of one sample that a manifest keeps: its kind and its fonts."""
    used = sample.meta.get("fonts", [])
    listed = used if isinstance(used, list | tuple) else []
    return {"kinds": {sample.kind: 1}, "fonts": [font for font in listed if isinstance(font, Mapping)]}


def merged(notes: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """Merge facts: kinds are counted, fonts listed once, by file name and style."""
    kinds: Counter[str] = Counter()
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for note in notes:
        kinds.update(note["kinds"])
        found.update({(str(font.get("file")), str(font.get("style"))): font for font in note["fonts"]})
    return {"kinds": dict(sorted(kinds.items())), "fonts": [dict(found[key]) for key in sorted(found)]}


def whole(recipe: Recipe, notes: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """Write the facts of a finished job: kinds, fonts with the SHA-256 of their files, corpora, versions."""
    both = merged(notes)
    paths = {Path(font.path).name: Path(font.path) for font in fonts.index()}
    listed = both["fonts"] if isinstance(both["fonts"], list) else []
    known = [{**font, "sha256": _hash(paths[font["file"]])} if font.get("file") in paths else font for font in listed]
    return {"package": "got-ocr", "kinds": both["kinds"], "fonts": known, **_made_from(recipe)}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _made_from(recipe: Recipe) -> dict[str, object]:
    texts = {text.name: text for split, language in _splits(recipe) for text in corpus.load(split, language)}
    rows = [{"name": text.name, "licence": text.licence, "sha256": text.digest} for _, text in sorted(texts.items())]
    return {"corpora": rows, "libraries": _versions()}


def _splits(recipe: Recipe) -> set[tuple[str, str]]:
    """List the (split, language) pairs that the sources of a recipe read."""
    pairs: set[tuple[str, str]] = set()
    for part in recipe.parts:
        if not dataclasses.is_dataclass(part.write) or isinstance(part.write, type):
            continue
        options = dataclasses.asdict(part.write)
        if "corpus" in options:
            pairs.add((str(options["corpus"]), str(options.get("language", "en"))))
    return pairs


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
