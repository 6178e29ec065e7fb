"""The application: the one table of what can be asked of the service, and the gate around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.types import ASGIApp

from got_ocr import __version__
from got_ocr.serve import schemas
from got_ocr.serve.describe import STREAM, Entry, Param, openapi
from got_ocr.serve.desk import Desk
from got_ocr.serve.fetch import Fetcher
from got_ocr.serve.gate import Gate
from got_ocr.serve.health import HealthRoutes
from got_ocr.serve.intake import Intake
from got_ocr.serve.job_routes import FORMATS, PARTIAL, JobRoutes
from got_ocr.serve.openai import OpenAiRoutes
from got_ocr.serve.pages import STATIC, PageRoutes
from got_ocr.serve.routes import ReadRoutes
from got_ocr.serve.service import Service

TEXT: dict[str, Any] = {"type": "string"}
JOB: tuple[Param, ...] = (("job", "path", {"type": "string", "pattern": "^job_[0-9a-f]{32}$"}),)
RESULT: tuple[Param, ...] = (
    *JOB,
    ("format", "query", {"enum": list(FORMATS)}),
    ("partial", "query", {"enum": list(PARTIAL)}),
)
DRAWN = ("text/html", "text/markdown", "image/svg+xml", "image/png")


class Application(FastAPI):
    """FastAPI without its own error pages: everything that is raised reaches the gate."""

    service: Service
    described: dict[str, Any]

    def openapi(self) -> dict[str, Any]:
        """Give the description of what can be asked."""
        return self.described

    def build_middleware_stack(self) -> ASGIApp:
        """Put the gate around the routes."""
        return Gate(AsyncExitStackMiddleware(self.router), self.service)


def build(service: Service) -> Application:
    """Make the application of a service; its start and stop are those of the application."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    app = Application(
        title="got-ocr", version=__version__, lifespan=life, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.service = service
    entries = _entries(service)
    for entry in entries:
        methods: list[str] = [entry.method, *(["HEAD"] if entry.method == "GET" else [])]
        app.add_api_route(entry.path, entry.endpoint, methods=methods, response_model=None)
    described = [entry for entry in entries if entry.path not in STATIC]
    app.described = openapi(described, service.settings.max_new_tokens)
    return app


def _entries(service: Service) -> list[Entry]:
    """List everything that can be asked."""
    settings = service.settings
    fetcher = Fetcher(settings.fetch_hosts, settings.max_image) if settings.fetch_hosts else None
    desk = Desk(service, Intake(settings, fetcher))
    pages = PageRoutes(desk)
    return [
        *_reading(desk),
        *_jobs(JobRoutes(desk)),
        Entry("POST", "/v1/render", pages.render, schemas.RenderRequest, types=DRAWN),
        Entry("POST", "/v1/preview", pages.preview, schemas.PreviewRequest, types=("image/jpeg",), upload=True),
        *(Entry("GET", path, pages.static) for path in STATIC),
        *_health(HealthRoutes(service)),
    ]


def _reading(desk: Desk) -> list[Entry]:
    read, openai = ReadRoutes(desk), OpenAiRoutes(desk)
    return [
        Entry(
            "POST",
            "/ocr",
            read.legacy,
            schemas.LegacyRequest,
            schemas.LegacyAnswer,
            upload=True,
            types=("text/plain",),
        ),
        Entry("POST", "/v1/ocr", read.read, schemas.ReadRequest, schemas.ReadAnswer, upload=True, types=(STREAM,)),
        Entry("POST", "/v1/chat/completions", openai.chat, schemas.ChatRequest, schemas.ChatAnswer, types=(STREAM,)),
        Entry("GET", "/v1/models", openai.models, gives=schemas.ModelList),
        Entry(
            "GET", "/v1/models/{name:path}", openai.model, gives=schemas.ModelAnswer, params=(("name", "path", TEXT),)
        ),
    ]


def _jobs(jobs: JobRoutes) -> list[Entry]:
    told, one = schemas.JobAnswer, "/v1/jobs/{job}"
    return [
        Entry("POST", "/v1/jobs", jobs.create, schemas.JobRequest, told, status=202, upload=True),
        Entry("GET", "/v1/jobs", jobs.list, gives=schemas.JobList),
        Entry("GET", one, jobs.get, gives=told, params=JOB),
        Entry("DELETE", one, jobs.delete, status=204, params=JOB),
        Entry("POST", f"{one}/cancel", jobs.cancel, gives=told, params=JOB),
        Entry(
            "GET",
            f"{one}/result",
            jobs.result,
            gives=schemas.JobResult,
            types=("text/plain", *DRAWN[:2]),
            params=RESULT,
        ),
    ]


def _health(health: HealthRoutes) -> list[Entry]:
    checks = (("/livez", health.live), ("/healthz", health.live), ("/readyz", health.ready))
    return [
        *(Entry("GET", path, endpoint, gives=schemas.Health) for path, endpoint in checks),
        Entry("GET", "/metrics", health.metrics, types=("text/plain",)),
    ]
