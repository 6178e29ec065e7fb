"""What the tests of the synthesis engine share: a bare machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from synth_helpers import forget

from got_ocr.data import corpus, fonts


@pytest.fixture(scope="session")
def bare_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name a cache folder that the tests of a bare machine share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, bare_cache: Path) -> Iterator[None]:
    """Pretend that the machine has no font and no text but what Python packages carry."""
    folder = fonts._matplotlib_folder()
    assert folder, "the synth extra brings matplotlib and its fonts"
    monkeypatch.setenv("GOT_OCR_FONTS", str(folder[0]))
    monkeypatch.setenv("GOT_OCR_CACHE", str(bare_cache))
    monkeypatch.setattr(corpus, "CORPORA", ())
    forget()
    yield
    monkeypatch.undo()
    forget()
