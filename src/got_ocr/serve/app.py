"""The application: routes, their descriptions, and the gate around them. The one table of what can be asked of the service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from pydantic import BaseModel
from starlette.types import ASGIApp

from got_ocr import __version__
from got_ocr.serve import schemas
from got_ocr.serve.desk import Desk
from got_ocr.serve.fetch import Fetcher
from got_ocr.serve.gate import Gate
from got_ocr.serve.health import HealthRoutes
from got_ocr.serve.intake import Intake
from got_ocr.serve.job_routes import JobRoutes
from got_ocr.serve.openai import OpenAiRoutes
from got_ocr.serve.pages import STATIC, PageRoutes
from got_ocr.serve.routes import ReadRoutes
from got_ocr.serve.service import Service


class Application(FastAPI):
    """FastAPI without its own error pages: everything that is raised reaches the gate."""

    service: Service

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
    _add_routes(app, service)
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    settings = service.settings
    fetcher = Fetcher(settings.fetch_hosts, settings.max_image) if settings.fetch_hosts else None
    desk = Desk(service, Intake(settings, fetcher))
    read, health, openai, jobs, pages = (
        ReadRoutes(desk),
        HealthRoutes(service),
        OpenAiRoutes(desk),
        JobRoutes(desk),
        PageRoutes(desk),
    )
    get, post = _adder(app, "GET"), _adder(app, "POST")
    post("/ocr", read.legacy, takes=schemas.LegacyRequest, gives=schemas.LegacyAnswer)
    post("/v1/ocr", read.read, takes=schemas.ReadRequest, gives=schemas.ReadAnswer)
    post("/v1/chat/completions", openai.chat, takes=schemas.ChatRequest)
    get("/v1/models", openai.models)
    get("/v1/models/{name:path}", openai.model)
    post("/v1/jobs", jobs.create, takes=schemas.JobRequest)
    get("/v1/jobs", jobs.list)
    get("/v1/jobs/{job}", jobs.get)
    get("/v1/jobs/{job}/result", jobs.result)
    post("/v1/jobs/{job}/cancel", jobs.cancel)
    _adder(app, "DELETE")("/v1/jobs/{job}", jobs.delete)
    post("/v1/render", pages.render, takes=schemas.RenderRequest)
    post("/v1/preview", pages.preview, takes=schemas.PreviewRequest)
    for path in STATIC:
        get(path, pages.static)
    get("/livez", health.live)
    get("/healthz", health.live)
    get("/readyz", health.ready)
    get("/metrics", health.metrics)


def _adder(app: FastAPI, method: str) -> Callable[..., None]:
    def add(
        path: str,
        endpoint: Callable[..., Any],
        takes: type[BaseModel] | None = None,
        gives: type[BaseModel] | None = None,
    ) -> None:
        extra: dict[str, Any] = {}
        if takes is not None:
            content = {"application/json": {"schema": takes.model_json_schema()}}
            extra["requestBody"] = {"required": True, "content": content}
        app.add_api_route(path, endpoint, methods=[method], openapi_extra=extra, response_model=None)

    return add
