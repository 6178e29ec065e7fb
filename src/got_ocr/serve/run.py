"""From settings to a running service and back to an exit status. Knows sockets and signals; prints nothing itself."""

import asyncio
import socket
from collections.abc import Callable

from got_ocr.errors import GotOcrError, InvalidValue
from got_ocr.serve import guard, log
from got_ocr.serve.app import build
from got_ocr.serve.service import Service
from got_ocr.serve.settings import Settings

Announce = Callable[[str], None]


def serve(settings: Settings, announce: Announce) -> int:
    """Serve until a signal ends it; return 0. announce: told the address once it listens, and the model once it is loaded.

    Raises InvalidValue where the address cannot be used, ModelError classes where the model cannot be loaded.
    """
    log.set_up(settings.log_level)
    listening = _listen(settings.host, settings.port)
    try:
        return asyncio.run(_serve(settings, listening, announce))
    finally:
        listening.close()


async def _serve(settings: Settings, listening: socket.socket, announce: Announce) -> int:
    failures: list[GotOcrError] = []
    service = Service(settings, on_fatal=failures.append)
    service.open_jobs()
    server = guard.Server(guard.Config(build(service), settings), service.drain)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announce(f"listening on http://{host}:{listening.getsockname()[1]}")
    watch = asyncio.create_task(_watch(service, server, failures, announce))
    try:
        await server.serve(sockets=[listening])
    finally:
        watch.cancel()
        service.kill_at_exit()
    if failures:
        raise failures[0]
    return 0


async def _watch(service: Service, server: guard.Server, failures: list[GotOcrError], announce: Announce) -> None:
    """Say when the model is there; end the service when it never will be."""
    while not service.fleet.ready:
        if failures:
            server.should_exit = True
            return
        await asyncio.sleep(0.05)
    model = service.fleet.model
    if model is not None:
        announce(f"ready: {model.name}" + (f" ({model.notice})" if model.notice else ""))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=guard.BACKLOG)
    except OSError:
        raise InvalidValue("this address and port cannot be listened on: is another program using them?") from None
    listening.setblocking(False)
    return listening
