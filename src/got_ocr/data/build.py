"""(recipe, seed, index) -> Sample, the same bytes every time.

Knows the sources by name and loads each when it is first used.
"""

import dataclasses
import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from got_ocr.data.sample import Sample
from got_ocr.errors import InvalidValue, MissingDependency

if TYPE_CHECKING:
    import numpy as np

Source = Callable[["np.random.Generator"], Sample]

# Each source lives in a file of its own name as a class called after it: `text` in text.py is TextSource.
SOURCES = (
    "text", "page", "region", "crop", "multipage", "scene", "formula", "table", "document", "chart", "molecule",
    "music",
    "geometry",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a mixture with its weight; options as given, for the manifest."""

    source: str
    weight: float
    options: Mapping[str, object]
    write: Source


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named mixture of sources."""

    name: str
    parts: tuple[Part, ...]

    @property
    def facts(self) -> dict[str, object]:
        """List what a manifest should say of the recipe."""
        rows = [{"source": p.source, "weight": p.weight, "options": dict(p.options)} for p in self.parts]
        return {"name": self.name, "mix": rows}

    def __post_init__(self) -> None:
        if not self.parts or any(part.weight < 0 for part in self.parts) or not any(part.weight for part in self.parts):
            raise InvalidValue(f"recipe {self.name!r} needs at least one part of a weight above 0, and none below")


def source(name: str, options: Mapping[str, object]) -> Source:
    """Make a source of the registry with its options. Raises InvalidValue naming what is allowed."""
    kind = source_class(name)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(options) - set(fields))
    if unknown:
        raise InvalidValue(f"source {name!r} has no option {', '.join(unknown)}; it has {', '.join(sorted(fields))}")
    made: Source = kind(**{key: _value(name, fields[key], value) for key, value in options.items()})
    return made


@lru_cache(maxsize=64)
def source_class(name: str) -> type[Any]:
    """Import the class of a source.

    Raises InvalidValue for an unknown one, MissingDependency where it cannot be loaded.
    """
    if name not in SOURCES:
        raise InvalidValue(f"source is one of {', '.join(SOURCES)}; not {name!r}")
    try:
        module = import_module(f"got_ocr.data.sources.{name}")
    except ImportError as error:
        raise MissingDependency(f"source {name!r} cannot be loaded; install got-ocr[synth]") from error
    kind: type[Any] = getattr(module, f"{name.capitalize()}Source")
    return kind


def _value(name: str, field: "dataclasses.Field[Any]", value: object) -> object:
    """Bring a TOML value to the option's kind, judged by its default: pairs stay pairs, whole numbers may be fractions."""
    default = field.default
    if default is dataclasses.MISSING or default is None:
        return _frozen(value)
    found = _like(default, _frozen(value))
    if found is None:
        raise InvalidValue(f"option {field.name} of source {name!r} looks like {default!r}; not {value!r}")
    return found


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _like(model: object, value: object) -> object | None:
    """Return the value in the model's kind, or None where it is of another. Tuples of words, and those that are empty in the model,
    may hold any number of words but none.
    """
    if isinstance(model, tuple) and isinstance(value, tuple):
        words = not model or isinstance(model[0], str)
        models = ("",) * len(value) if words else model
        items = [_like(one, item) for one, item in zip(models, value, strict=False)]
        return tuple(items) if items and len(value) == len(models) and None not in items else None
    if type(model) is float and type(value) is int:
        return float(value)
    return value if type(model) is type(value) else None


def parse(text: str, name: str) -> Recipe:
    """Read a recipe from TOML: `[[mix]]` tables of source, weight and options, or of recipe and weight.

    Raises InvalidValue.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValue(f"recipe {name!r} is not valid TOML") from error
    mix = table.get("mix")
    if set(table) - {"name", "about", "mix"} or not isinstance(mix, list):
        raise InvalidValue(f"recipe {name!r} holds name, about and [[mix]] tables, nothing else")
    parts = (_included(name, row) if "recipe" in row else (_part(name, row),) for row in mix)
    return Recipe(str(table.get("name", name)), tuple(part for some in parts for part in some))


def _included(name: str, row: Mapping[str, Any]) -> tuple[Part, ...]:
    """Read a row that names a recipe that ships: its parts, their weights scaled to the row's."""
    weight = row.get("weight", 1.0)
    if set(row) - {"recipe", "weight"} or not isinstance(row["recipe"], str) or not isinstance(weight, int | float):
        raise InvalidValue(f"a [[mix]] table of recipe {name!r} that names a recipe holds a weight beside it, no more")
    if row["recipe"] == name:
        raise InvalidValue(f"recipe {name!r} cannot hold itself")
    parts = recipe(row["recipe"]).parts
    total = sum(part.weight for part in parts)
    return tuple(dataclasses.replace(part, weight=part.weight * weight / total) for part in parts)


def _part(name: str, row: Mapping[str, Any]) -> Part:
    if set(row) - {"source", "weight", "options"} or "source" not in row:
        raise InvalidValue(f"a [[mix]] table of recipe {name!r} holds source, weight and options; not {sorted(row)}")
    weight, options = row.get("weight", 1.0), row.get("options", {})
    if not isinstance(weight, int | float) or not isinstance(options, dict):
        raise InvalidValue(f"in recipe {name!r}, weight is a number and options a table")
    return Part(row["source"], float(weight), options, source(row["source"], options))


def recipes() -> tuple[str, ...]:
    """Name the recipes that ship."""
    folder = resources.files("got_ocr.data") / "recipes"
    return tuple(sorted(entry.name[: -len(".toml")] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def recipe(name: str) -> Recipe:
    """Load a recipe that ships, or one from a TOML file. Raises InvalidValue."""
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise InvalidValue(f"there is no recipe file {path.name!r}")
        return parse(path.read_text(encoding="utf-8"), path.stem)
    if name not in recipes():
        raise InvalidValue(f"recipe is one of {', '.join(recipes())}, or a .toml file; not {name!r}")
    text = (resources.files("got_ocr.data") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, name)


def generator(name: str, seed: int, index: int) -> "np.random.Generator":
    """Make the generator of one sample: a Philox stream of its own for every (name, seed, index)."""
    import numpy as np

    word = int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "little")
    key = np.array([word, seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    counter = np.array([0, 0, 0, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def build(recipe: Recipe, seed: int, index: int) -> Sample:
    """Write sample `index` of a recipe. Raises InvalidValue for a negative index."""
    if index < 0:
        raise InvalidValue(f"index is 0 or more; not {index}")
    rng = generator(recipe.name, seed, index)
    return choose(recipe.parts, rng.random()).write(rng)


def choose(parts: Sequence[Part], point: float) -> Part:
    """Pick the part that a point of [0, 1) falls on."""
    total = sum(part.weight for part in parts)
    reached = 0.0
    for part in parts:
        reached += part.weight / total
        if point < reached:
            return part
    return next(part for part in reversed(parts) if part.weight)
