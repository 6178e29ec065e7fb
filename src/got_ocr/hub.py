"""Where weights live: a folder, the Hub (only when asked), the Hub's local cache, the bundled model. Offline first.

Finds and verifies folders; opens no tensor, and importing it loads neither torch nor the Hub client. Nothing is ever
downloaded unless the user names a repository.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from got_ocr.errors import InvalidWeights, ModelError, ModelNotFound, RemoteError
from got_ocr.spec import FORMATTED

Origin = Literal["folder", "hub", "environment", "cache", "bundled"]

VARIABLE = "GOT_OCR_MODEL"
BUNDLED = "bundled"  # the name by which a user asks for the bundled model
OFFICIAL = ("stepfun-ai/GOT-OCR-2.0-hf", "stepfun-ai/GOT-OCR2_0", "ucaslcl/GOT-OCR2_0")
SUMS = "checksums.json"  # of the bundled model: {name: sha256}
WANTED = ("*.safetensors", "*.json", "*.tiktoken")  # neither pickles nor code
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
FULL_MODEL = (
    f"For the 580M GOT-OCR 2.0 weights pass the model {OFFICIAL[0]} (downloads 1.1 GB once), "
    f"or a folder that holds them, or set {VARIABLE} to either."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A model folder. origin: how it was found. notice: what the user should know about the choice, or ""."""

    path: Path
    name: str
    origin: Origin
    notice: str = ""


def resolve(where: str | Path | None = None, *, revision: str | None = None, offline: bool = False) -> Found:
    """Find the model that is meant; the first that applies wins.

    1. `where`: a folder, `bundled`, or a Hub repository "org/name" (downloaded unless cached; never with `offline`).
    2. The same from the environment variable GOT_OCR_MODEL. 3. An official checkpoint in the Hub's local cache.
    4. The bundled model. Raises ModelNotFound, RemoteError, InvalidWeights (a file differs from its checksum).
    """
    if where is not None and str(where):
        return _named(where, "folder", revision, offline)
    named = os.environ.get(VARIABLE)
    if named:
        return _named(named, "environment", revision, offline)
    found = next(_cached_official(), None) or _bundled()
    if found is None:
        raise ModelNotFound("no model was found: none was named, none is cached and none is bundled. " + FULL_MODEL)
    if found.origin == "bundled":
        verify_bundled(found.path)
    return found


def found_models() -> list[Found]:
    """List every model that `resolve` would choose without a name, best first, and without the network."""
    models: list[Found] = []
    named = os.environ.get(VARIABLE)
    if named and Path(named).expanduser().is_dir():
        models.append(Found(Path(named).expanduser(), Path(named).name, "environment"))
    models.extend(_cached_official())
    bundled = _bundled()
    return [*models, bundled] if bundled else models


def parts(folder: Path) -> dict[str, Path]:
    """Find the models inside a model's folder that read one kind in its place, by the names of the kinds."""
    return {kind: folder / kind for kind in sorted(FORMATTED) if (folder / kind / "config.json").is_file()}


def fingerprint(folder: Path) -> str:
    """Name a model by what is in its files and those of its parts, wherever they lie.

    What is said of a model (its card, and the sums that cover the card) is no part of it.
    """
    held = [folder, *parts(folder).values()]
    found = {path for place in held for pattern in WANTED for path in place.glob(pattern) if path.is_file()}
    files = sorted(path for path in found if path.name != SUMS)
    lines = "".join(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(where: str | Path, origin: Origin, revision: str | None, offline: bool) -> Found:
    folder = Path(where).expanduser()
    if folder.is_dir():
        return Found(folder, folder.resolve().name, origin)
    if where == BUNDLED:
        return _asked_bundled()
    if isinstance(where, str) and REPOSITORY.fullmatch(where):
        return _from_hub(where, revision, offline)
    raise ModelNotFound(
        "the model is neither a folder nor a Hub repository (org/name)"
        + (": it is a file; name the folder that it lies in" if folder.is_file() else "")
    )


def _asked_bundled() -> Found:
    found = _bundled()
    if found is None:
        raise ModelNotFound("this installation carries no bundled model. " + FULL_MODEL)
    verify_bundled(found.path)
    return Found(found.path, found.name, "bundled")


def _from_hub(repository: str, revision: str | None, offline: bool) -> Found:
    """Take a repository that the user named from the cache, or else download it."""
    cached = _cached(repository, revision)
    if cached is not None:
        return Found(cached, repository, "cache", f"{repository} at {cached.name} from the local cache")
    if offline:
        raise ModelNotFound(f"{repository} is not in the local cache, and downloading is switched off")
    path = _download(repository, revision)
    if not _is_complete(path):
        raise ModelError(f"{repository} holds no config.json with safetensors weights")
    hashes = "; ".join(f"{file.name} sha256 {sha256(file)}" for file in sorted(path.glob("*.safetensors")))
    return Found(path, repository, "hub", f"downloaded {repository} at {path.name}: {hashes}")


def _download(repository: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(WANTED)))
    except GatedRepoError:
        raise ModelNotFound(f"{repository} asks for a login at the Hub before it may be downloaded") from None
    except (RepositoryNotFoundError, RevisionNotFoundError):
        raise ModelNotFound(f"the Hub has no repository {repository}, or not this revision of it") from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError):
        raise RemoteError(f"{repository} could not be downloaded: the Hub was not reached or refused") from None


def _cached_official() -> Iterator[Found]:
    for repository in OFFICIAL:
        path = _cached(repository, None)
        if path is not None:
            yield Found(path, repository, "cache", f"using {repository} at {path.name} from the local cache")


def _cached(repository: str, revision: str | None) -> Path | None:
    """Find a repository's whole snapshot in the local cache; never uses the network."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repository, "config.json", revision=revision)
    folder = Path(config).parent if isinstance(config, str) else None
    return folder if folder is not None and _is_complete(folder) else None


def _is_complete(folder: Path) -> bool:
    """Say whether a snapshot has its configuration and all its weights (a download may have been broken off)."""
    index = folder / "model.safetensors.index.json"
    if not (folder / "config.json").is_file():
        return False
    if not index.is_file():
        return (folder / "model.safetensors").is_file()
    shards = _read_texts(index, "weight_map").values()
    return bool(shards) and all((folder / Path(shard).name).is_file() for shard in shards)


def _bundled() -> Found | None:
    # A package inside a zip has no folder to map weights from: then there is no bundled model.
    folder = Path(str(resources.files("got_ocr") / "bundled"))
    if not (folder / "config.json").is_file():
        return None
    return Found(folder, BUNDLED, "bundled", "using the small bundled model. " + FULL_MODEL)


def verify_bundled(folder: Path) -> None:
    """Check every file against its checksum. Raises InvalidWeights that names those that differ."""
    listed = _read_texts(folder / SUMS, None)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SUMS}
    wrong = [name for name in sorted(present | set(listed)) if not _matches(folder / name, listed.get(name))]
    if wrong:
        raise InvalidWeights(f"the bundled model is damaged ({', '.join(wrong[:5])}): install the package again")


def _matches(path: Path, expected: str | None) -> bool:
    return expected is not None and path.is_file() and sha256(path) == expected


def _read_texts(path: Path, key: str | None) -> dict[str, str]:
    """Read a JSON table of texts, or the one under `key`; anything else reads as empty."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    table = data.get(key) if key is not None and isinstance(data, dict) else data
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        return {}
    return table
