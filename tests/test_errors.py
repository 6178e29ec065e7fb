"""The exception tree: drawn in the docstring, one code for each class, every exit and HTTP status in its range."""

import inspect
import re

from got_ocr import errors

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.GotOcrError)]


def test_the_docstring_draws_every_class() -> None:
    drawn = set(re.findall(r"\b[A-Z][A-Za-z]+\b", errors.__doc__ or ""))
    assert {kind.__name__ for kind in CLASSES} <= drawn


def test_codes_are_words_of_their_own() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(?:_[a-z]+)*", code) for code in codes)


def test_statuses() -> None:
    assert all(1 <= kind.exit_code <= 11 and 400 <= kind.http_status <= 504 for kind in CLASSES)
    assert errors.RenderFailed("x").exit_code == errors.InputError.exit_code
    assert errors.RenderFailed.http_status == 422
