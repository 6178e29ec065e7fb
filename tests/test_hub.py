"""Where models are found: the order, the checks, and never the network unless a repository is named."""

import hashlib
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from got_ocr import hub
from got_ocr.errors import InvalidWeights, ModelError, ModelNotFound, RemoteError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OFFICIAL = "stepfun-ai/GOT-OCR2_0"


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty Hub cache, no bundled model, no environment, and no network."""
    import huggingface_hub.constants

    def refuse(*args: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub.resources, "files", lambda package: tmp_path / "package")
    monkeypatch.delenv(hub.VARIABLE, raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tmp_path


def fill(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights of " + folder.name.encode())
    return folder


def cache(world: Path, repository: str) -> Path:
    """Lay out a repository as the Hub client's cache does."""
    home = world / "cache" / ("models--" + repository.replace("/", "--"))
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    return fill(home / "snapshots" / COMMIT)


def bundle(world: Path) -> Path:
    folder = fill(world / "package" / "bundled")
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    (folder / "checksums.json").write_text(json.dumps(sums))
    return folder


def test_order(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNotFound, match=hub.OFFICIAL[0]):
        hub.resolve()
    bundled = bundle(world)
    found = hub.resolve()
    assert (found.path, found.origin) == (bundled, "bundled")
    assert "bundled" in found.notice
    assert hub.OFFICIAL[0] in found.notice
    cached = cache(world, OFFICIAL)
    assert hub.resolve() == hub.Found(cached, OFFICIAL, "cache", f"using {OFFICIAL} at {COMMIT} from the local cache")
    named = fill(world / "named")
    monkeypatch.setenv(hub.VARIABLE, str(named))
    assert hub.resolve() == hub.Found(named, "named", "environment")
    asked = fill(world / "asked")
    assert hub.resolve(asked) == hub.resolve(str(asked)) == hub.Found(asked, "asked", "folder")
    assert hub.resolve("bundled") == hub.Found(bundled, "bundled", "bundled")
    assert [model.origin for model in hub.found_models()] == ["environment", "cache", "bundled"]


def test_best_official_checkpoint_comes_first(world: Path) -> None:
    for repository in reversed(hub.OFFICIAL):
        cache(world, repository)
        assert hub.resolve().name == repository


def test_broken_off_download_is_passed_over(world: Path) -> None:
    folder = cache(world, OFFICIAL)
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}))
    (folder / "1.safetensors").write_bytes(b"")
    assert hub.found_models() == []
    (folder / "2.safetensors").write_bytes(b"")
    assert [model.path for model in hub.found_models()] == [folder]
    index.write_text("nonsense")
    assert hub.found_models() == []


@pytest.mark.parametrize("damage", ["edit", "delete", "add", "add below", "checksums"])
def test_damaged_bundle_is_refused(world: Path, damage: str) -> None:
    folder = bundle(world)
    {
        "edit": lambda: (folder / "model.safetensors").write_bytes(b"other"),
        "delete": (folder / "model.safetensors").unlink,
        "add": lambda: (folder / "extra.json").write_text("{}"),
        "add below": lambda: fill(folder / "music"),
        "checksums": (folder / "checksums.json").unlink,
    }[damage]()
    for where in (None, "bundled"):
        with pytest.raises(InvalidWeights, match="damaged"):
            hub.resolve(where)


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    folder, copy = fill(tmp_path / "here" / "one"), fill(tmp_path / "there" / "one")
    (copy / "notes.md").write_text("beside the point")
    (copy / "checksums.json").write_text("{}")
    assert hub.fingerprint(copy) == hub.fingerprint(folder)
    fill(copy / "music")
    with_part = hub.fingerprint(copy)
    assert with_part != hub.fingerprint(folder)
    (copy / "music" / "model.safetensors").write_bytes(b"another")
    assert hub.fingerprint(copy) not in (with_part, hub.fingerprint(folder))


def test_a_part_reads_one_kind(tmp_path: Path) -> None:
    folder = fill(tmp_path / "one")
    for name in ("music", "notes"):
        fill(folder / name)
    (folder / "table").mkdir()
    assert hub.parts(folder) == {"music": folder / "music"}


@pytest.mark.parametrize("where", ["nowhere", "./org/name", "../up", "a/b/c", "org/na me", "/abs/olute", "-x/y", ""])
def test_what_is_no_repository_is_never_downloaded(world: Path, where: str) -> None:
    with pytest.raises(ModelNotFound):
        hub.resolve(where)


def test_a_file_is_explained(world: Path) -> None:
    with pytest.raises(ModelNotFound, match="folder that it lies in"):
        hub.resolve(fill(world / "model") / "model.safetensors")


def test_bundled_asked_for_but_absent(world: Path) -> None:
    with pytest.raises(ModelNotFound, match="no bundled model"):
        hub.resolve("bundled")


def test_offline_uses_the_cache_alone(world: Path) -> None:
    with pytest.raises(ModelNotFound, match="not in the local cache"):
        hub.resolve("org/name", offline=True)
    folder = cache(world, "org/name")
    assert hub.resolve("org/name", offline=True).path == folder
    assert hub.resolve("org/name", revision=COMMIT).path == folder
    with pytest.raises(ModelNotFound):
        hub.resolve("org/name", revision="other", offline=True)


def test_a_folder_goes_before_a_repository_of_its_name(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world)
    fill(world / "org" / "name")
    assert hub.resolve("org/name").origin == "folder"


def test_download_takes_neither_pickles_nor_code(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    calls: list[tuple[Any, ...]] = []

    def download(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        calls.append((repository, revision, allow_patterns))
        return str(fill(world / COMMIT))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    found = hub.resolve("org/name", revision="v1")
    assert calls == [("org/name", "v1", ["*.safetensors", "*.json", "*.tiktoken"])]
    assert (found.name, found.origin) == ("org/name", "hub")
    assert COMMIT in found.notice
    assert hub.sha256(found.path / "model.safetensors") in found.notice


def test_failed_downloads_are_typed(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    secret = "https://user:token@hub.example/10.0.0.1"  # noqa: S105
    response: Any = type("Response", (), {"headers": {}, "request": None, "status_code": 404, "text": ""})()

    def failing(error: Exception) -> Any:
        def download(*args: Any, **kwargs: Any) -> str:
            raise error

        return download

    for error, expected in (
        (RepositoryNotFoundError(secret, response=response), ModelNotFound),
        (LocalEntryNotFoundError(secret), RemoteError),
        (OSError(secret), RemoteError),
    ):
        monkeypatch.setattr(huggingface_hub, "snapshot_download", failing(error))
        with pytest.raises(expected) as caught:
            hub.resolve("org/name")
        assert "example" not in str(caught.value)


def test_a_repository_without_safetensors_is_refused(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    (world / "empty").mkdir()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **kwargs: str(world / "empty"))
    with pytest.raises(ModelError, match="safetensors"):
        hub.resolve("org/name")


def test_import_is_light() -> None:
    check = (
        "import sys, got_ocr.hub; sys.exit(any(m in sys.modules for m in ('torch', 'huggingface_hub', 'safetensors')))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
