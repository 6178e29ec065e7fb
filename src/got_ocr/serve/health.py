"""`/livez`, `/readyz`, `/healthz`: open to everyone, and silent about everything but life. `/metrics`: for key holders."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from got_ocr.serve.service import Service


class HealthRoutes:
    """Answer whether the service lives and works."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def live(self, request: Request) -> Response:
        """Say that the process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """Say whether a request would be read now: 200, or 503 while the model loads or the service shuts down."""
        self._service.check_ready()
        return JSONResponse({"status": "ok"})

    async def metrics(self, request: Request) -> Response:
        """Give the counters in Prometheus' form."""
        self._service.observe()
        return Response(self._service.metrics.write(), media_type=CONTENT_TYPE_LATEST)
