"""What is counted, in Prometheus' form. Labels are routes, codes and statuses of ours, never anything a client wrote."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """Count. One a service, with a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "got_ocr_requests", "Requests answered", ("route", "method", "status", "code"), registry=self.registry
        )
        self._latency = Histogram(
            "got_ocr_request_seconds", "From a request's first byte to its answer's last", ("route",),
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._readings = Counter(
            "got_ocr_readings", "Readings by how they ended", ("stop", "code"), registry=self.registry
        )
        self._tokens = Counter("got_ocr_tokens", "Tokens that the model wrote", registry=self.registry)
        self._pages = Counter("got_ocr_pages", "Pages read, whole or in part", registry=self.registry)
        self._model_seconds = Counter(
            "got_ocr_model_seconds", "Time of the model; tokens by this are its tokens a second", registry=self.registry
        )
        self._waiting = self._times("got_ocr_queue_seconds", "From a page's decoding to the model's turn for it")
        self._first = self._times(
            "got_ocr_first_token_seconds", "From a page's begin, decoding and queue included, to its first text"
        )
        self._gauges: dict[str, Gauge] = {}

    def _times(self, name: str, help_text: str) -> Histogram:
        return Histogram(name, help_text, buckets=SECONDS, registry=self.registry)

    def request(self, route: str, method: str, status: int, code: str, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(route, method, str(status), code).inc()
        self._latency.labels(route).observe(seconds)

    def reading(self, stop: str, code: str, tokens: int = 0, pages: int = 0, seconds: float = 0.0) -> None:
        """Count a reading. seconds: of the model."""
        self._readings.labels(stop, code).inc()
        self._tokens.inc(tokens)
        self._pages.inc(pages)
        self._model_seconds.inc(seconds)

    def waited(self, seconds: float) -> None:
        """Count the time that a page waited for the model."""
        self._waiting.observe(seconds)

    def first_token(self, seconds: float) -> None:
        """Count the time that a page's first piece of text took."""
        self._first.observe(seconds)

    def set(self, name: str, help_text: str, value: float) -> None:
        """Set a gauge."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(f"got_ocr_{name}", help_text, registry=self.registry)
        self._gauges[name].set(value)

    def write(self) -> bytes:
        """Write everything in Prometheus' text form."""
        return generate_latest(self.registry)
