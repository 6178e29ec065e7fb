"""Fixtures: services with a scripted engine, each in its own process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

for package in ("fastapi", "uvicorn", "pydantic_settings", "prometheus_client", "python_multipart", "httpx", "psutil"):
    pytest.importorskip(package, reason="the service's packages are not installed: pip install 'got-ocr[serve]'")

import httpx  # noqa: E402
from serve_kit import Running, Start, check_leaks, start_service  # noqa: E402


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services that end with the test."""
    started: list[Running] = []

    def begin(script: dict[str, Any] | None = None, wait: bool = True, **settings: Any) -> Running:
        running = start_service(tmp_path, script, wait, **settings)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.stop()
        check_leaks("".join(running.lines[1:]).encode())


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for every test that changes nothing in it."""
    running = start_service(tmp_path_factory.mktemp("shared"), decoders=2)
    yield running
    running.stop()
    check_leaks("".join(running.lines[1:]).encode())


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with one place: whoever comes while it is taken is sent away."""
    running = start_service(tmp_path_factory.mktemp("narrow"), queue=0)
    yield running
    running.stop()
    check_leaks("".join(running.lines[1:]).encode())


@pytest.fixture
def client(shared: Running) -> Iterator[httpx.Client]:
    with shared.client() as client:
        yield client
