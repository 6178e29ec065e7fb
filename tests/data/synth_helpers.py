"""Helpers of the synthesis engine's tests: forgetting what was loaded, and skipping where a machine lacks fonts."""

import pytest

from got_ocr.data import corpus, fonts
from got_ocr.errors import MissingDependency


def forget() -> None:
    """Empty every loader, so that a changed environment is seen."""
    for loader in (
        fonts.index,
        fonts.pool,
        fonts.families,
        fonts.covered,
        fonts.ligatures,
        fonts._small,
        fonts._large,
        corpus.load,
        corpus._load_one,
    ):
        loader.cache_clear()
    corpus._shares.cache_clear()


def pool_or_skip(name: str) -> str:
    """Return the pool's name where the machine has a font of it, else skip the test."""
    try:
        fonts.pool(name)
    except MissingDependency as error:
        pytest.skip(str(error))
    return name
