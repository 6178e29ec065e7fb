"""What the documentation says is what there is: routes, settings, codes; and the container's files name real things."""

import re
import tomllib
from pathlib import Path

import pytest

from got_ocr.cli import serve as command
from got_ocr.errors import GotOcrError
from got_ocr.serve import problems, schemas
from got_ocr.serve.app import build
from got_ocr.serve.pages import STATIC
from got_ocr.serve.service import Service
from got_ocr.serve.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "serve.md").read_text("utf-8")
INNER = {"host", "port", "model", "revision", "device", "dtype", "engine", "script", "allow_anonymous"}


def test_every_route_is_told() -> None:
    app = build(Service(load({"engine": "scripted"})))
    paths = {route.path for route in app.routes} - set(STATIC)  # type: ignore[attr-defined]
    for path in paths:
        told = path.replace("{job}", "job_...").replace("/{name:path}", "")
        assert told in TEXT, path
    assert {path.replace("{name:path}", "{name}") for path in paths} == {*app.openapi()["paths"], "/openapi.json"}


def test_the_description_has_this_services_limits() -> None:
    described = build(Service(load({"engine": "scripted", "max_new_tokens": 77}))).openapi()["components"]["schemas"]
    told = [
        form["maximum"]
        for schema in described.values()
        for name, field in schema.get("properties", {}).items()
        if name in ("max_new_tokens", "max_tokens", "max_completion_tokens")
        for form in field["anyOf"]
        if form["type"] == "integer"
    ]
    assert len(told) >= 5
    assert set(told) == {77}


def test_every_setting_is_told() -> None:
    told = set(re.findall(r"`([A-Z_]+)`", TEXT.partition("## Settings")[2]))
    assert {name.upper() for name in set(Settings.model_fields) - INNER} - told == set()


def test_every_code_is_told() -> None:
    table = TEXT.partition("## Errors")[2].partition("## Settings")[0]
    own = {kind.code for kind in problems._every(problems.Problem)} - {"internal"}
    assert own - set(re.findall(r"[a-z]+[a-z0-9_]+", table)) == set()


def test_every_field_is_told() -> None:
    for name in schemas.ReadRequest.model_fields:
        assert f"`{name}`" in TEXT, name
    for name in ("text", "status", "truncated", "finish_reason", "stop_detail", "tokens", "notices", "error"):
        assert f"`{name}`" in TEXT


def test_arguments_are_settings() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["serve"])
    names = set(vars(args)) - {"func"}
    assert names <= set(Settings.model_fields)
    assert all(getattr(args, name) is None for name in names)


def test_codes_have_one_status_each() -> None:
    """A client may switch on the code alone."""
    statuses: dict[str, set[int]] = {}
    for kind in set(problems._every(GotOcrError)) - {problems.Problem}:
        statuses.setdefault(kind.code, set()).add(kind.http_status)
    shared = {code: found for code, found in statuses.items() if len(found) > 1}
    assert shared == {}


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml"])
def test_the_containers_files_name_real_settings(file: str) -> None:
    names = set(re.findall(rf"{PREFIX}([A-Z_]+)", (ROOT / file).read_text("utf-8"))) - {"MEM_LIMIT"}
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)


def test_the_container_holds_what_it_copies() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in ignored
    copied = {
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {"pyproject.toml", "constraints.txt", "src", project["project"]["readme"], "LICENSE"}
    if "custom" in project["tool"]["hatch"]["build"].get("hooks", {}):
        needed.add("hatch_build.py")
    assert needed <= copied
    assert any(line.startswith("USER ") and "root" not in line for line in lines)
    assert any(line.startswith("HEALTHCHECK") for line in lines)
