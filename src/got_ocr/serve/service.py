"""Everything that the routes need, made from the settings, with its beginning and its end. Knows no HTTP."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass

from got_ocr.errors import GotOcrError, OutputError
from got_ocr.serve.chores import Chores, Limits
from got_ocr.serve.fleet import Fleet
from got_ocr.serve.jobs import Jobs
from got_ocr.serve.jobstore import JobStore
from got_ocr.serve.metrics import Metrics
from got_ocr.serve.problems import NotReady
from got_ocr.serve.reader import Reader
from got_ocr.serve.room import Places, Vault
from got_ocr.serve.settings import Settings

ANYONE = "anyone"  # the owner where no keys are set
DRAIN_TICK = 0.02
SPARE_FILE = 1 << 20

log = logging.getLogger("got_ocr.serve")


class Keys:
    """Tell who asks by their API key. Keys are kept as digests, and all are compared whichever fits."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._digests = tuple(hashlib.sha256(key.encode()).digest() for key in keys)

    def owner(self, key: str | None) -> str | None:
        """Give the owner's name, one that tells nothing of the key; None for a key that is missing or wrong."""
        if not self._digests:
            return ANYONE
        given = hashlib.sha256((key or "").encode("utf-8", "replace")).digest()
        fits = [hmac.compare_digest(given, digest) for digest in self._digests]
        return hashlib.sha256(b"owner" + given).hexdigest()[:32] if any(fits) else None


@dataclass(slots=True)
class State:
    """Where the service is in its life."""

    draining: bool = False
    fatal: GotOcrError | None = None


class Service:
    """Hold the parts. `start` inside a running event loop; `drain`, then `stop`."""

    def __init__(self, settings: Settings, on_fatal: Callable[[GotOcrError], None] | None = None) -> None:
        self.settings = settings
        self.state = State()
        self.keys = Keys(settings.keys())
        self.metrics = Metrics()
        places = settings.places
        self.places = Places(places, settings.per_key or places, settings.workers)
        self.side_places = Places(places, settings.per_key or places, settings.renderers)  # previews, renderings, jobs
        self.vault = Vault(settings.memory, settings.memory // 2)
        self.decoders = Chores(settings.decoders, _limits(settings, "decode"))
        self.renderers = Chores(settings.renderers, _limits(settings, "render"))
        self._on_fatal = on_fatal
        self.fleet = Fleet(settings.workers, _which(settings), self._fatal)
        self.jobs: Jobs | None = None
        self.reader = Reader(self.decoders, self.fleet, self.places, self.metrics, settings.max_pages)

    def open_jobs(self) -> None:
        """Open the folder of jobs. Raises OutputError where the one that was named cannot be used."""
        store = _open_store(self.settings)
        if store is not None:
            self.jobs = Jobs(store, self.reader, self.vault, self.settings)

    def start(self) -> None:
        """Start the processes; the model loads in the background."""
        self.decoders.start()
        self.renderers.start()
        self.fleet.start()
        if self.jobs is not None:
            self.jobs.start()

    async def stop(self) -> None:
        """End every process."""
        if self.jobs is not None:
            await self.jobs.stop()
        await asyncio.gather(self.fleet.stop(), self.decoders.stop(), self.renderers.stop())

    def kill_at_exit(self) -> None:
        """End every process without an event loop."""
        for part in (self.fleet, self.decoders, self.renderers):
            part.kill_at_exit()

    async def drain(self) -> None:
        """Take nothing new, wait for what is under way, and end what takes too long."""
        self.state.draining = True
        self.places.closed = self.side_places.closed = True
        if self.jobs is not None:
            await self.jobs.pause()
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.drain
        while self.places.taken + self.side_places.taken and loop.time() < end:
            await asyncio.sleep(DRAIN_TICK)
        self.reader.end_all()
        end = loop.time() + 1.0
        while self.places.taken + self.side_places.taken and loop.time() < end:
            await asyncio.sleep(DRAIN_TICK)

    @property
    def ready(self) -> bool:
        """Say whether a request would be read now."""
        return self.fleet.ready and not self.state.draining

    def check_ready(self) -> None:
        """Raise NotReady unless `ready`."""
        if self.state.draining:
            raise NotReady("the service is shutting down", retry_after=5.0)
        if not self.fleet.ready:
            raise NotReady("the model is being loaded", retry_after=2.0)

    def observe(self) -> None:
        """Bring the gauges up to date."""
        told = (
            ("ready", "Whether requests are read", float(self.ready)),
            ("requests_inside", "Requests under way or waiting", float(self.places.taken)),
            ("queue_length", "Readings that wait for the model", float(self.fleet.waiting())),
            ("bytes_held", "Bytes of bodies and pictures held", float(self.vault.held)),
            ("requests_refused", "Requests refused for want of a place", float(self.places.refused)),
            ("model_restarts", "Model processes that ended", float(self.fleet.restarts)),
            ("decoder_restarts", "Decoding processes that had to be replaced", float(self.decoders.replaced)),
            ("renderer_restarts", "Rendering processes that had to be replaced", float(self.renderers.replaced)),
        )
        for name, help_text, value in told:
            self.metrics.set(name, help_text, value)

    def _fatal(self, error: GotOcrError) -> None:
        self.state.fatal = error
        if self._on_fatal is not None:
            self._on_fatal(error)


def _limits(settings: Settings, role: str) -> Limits:
    if role == "decode":
        file = settings.max_pixels * 3 + SPARE_FILE
        return Limits(role, settings.decode_memory, file, settings.decode_seconds, settings.max_pixels)
    return Limits(role, settings.render_memory, 64 << 20, settings.render_seconds, settings.max_pixels)


def _which(settings: Settings) -> dict[str, object]:
    """Say what the model's process runs."""
    return {
        "engine": settings.engine,
        "script": settings.script,
        "model": settings.model,
        "device": settings.device,
        "dtype": settings.dtype,
        "revision": settings.revision,
    }


def _open_store(settings: Settings) -> JobStore | None:
    """Open the folder of jobs. The one that was asked for must work; without the usual one there are no jobs."""
    try:
        return JobStore(settings.jobs_folder, settings.max_jobs, settings.jobs_bytes)
    except OutputError:
        if settings.jobs_dir is not None:
            raise
        log.warning("no folder for jobs: /v1/jobs is switched off")
        return None
