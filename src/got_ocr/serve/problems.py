"""What the service itself may refuse, and the one form that every refusal takes. Knows no framework.

A message is a fixed sentence with numbers of our own in it: never the request's content, never a library's words.
"""

from collections.abc import Iterator

from got_ocr.errors import GotOcrError


class Problem(GotOcrError):
    """Report a request that the service refuses. param: the field meant. retry_after: seconds, for what may be tried again."""

    http_status = 400

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.retry_after = retry_after


class BodyTooLarge(Problem):
    """Report a body over the limit."""

    code = "body_too_large"
    http_status = 413


class HeadersTooLarge(Problem):
    """Report headers over their limits."""

    code = "headers_too_large"
    http_status = 431


class RequestTimeout(Problem):
    """Report a body that came too slowly."""

    code = "request_timeout"
    http_status = 408


class UnsupportedMediaType(Problem):
    """Report a body of a type that the route does not take."""

    code = "unsupported_media_type"
    http_status = 415


class InvalidJson(Problem):
    """Report a body that is not the JSON that is taken here."""

    code = "invalid_json"


class InvalidRequest(Problem):
    """Report a body that does not fit its schema."""

    code = "invalid_request"
    http_status = 422


class InvalidField(Problem):
    """Report a value out of its range."""

    code = "invalid_value"


class InvalidBase64(Problem):
    """Report a picture that is not base64."""

    code = "invalid_base64"


class InvalidDataUrl(Problem):
    """Report a data URL that is broken or carries no base64."""

    code = "invalid_data_url"


class RemoteImagesDisabled(Problem):
    """Report an address while fetching is switched off."""

    code = "remote_images_disabled"


class UrlNotAllowed(Problem):
    """Report an address that is not fetched; one text for every reason."""

    code = "url_not_allowed"

    def __init__(self) -> None:
        super().__init__("this address is not fetched: it is not on the list of hosts, or not a public one")


class UrlFetchFailed(Problem):
    """Report an allowed address that gave no picture."""

    code = "url_fetch_failed"


class Unauthorized(Problem):
    """Report a missing or wrong key; one text for both."""

    code = "unauthorized"
    http_status = 401

    def __init__(self) -> None:
        super().__init__("a valid API key is needed")


class CrossSite(Problem):
    """Report a request that another site's page sent."""

    code = "cross_site"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("requests from pages of other sites are refused")


class BadHost(Problem):
    """Report a Host header that is not on the list."""

    code = "bad_host"
    http_status = 421

    def __init__(self) -> None:
        super().__init__("this server does not answer for that host")


class NotFound(Problem):
    """Report what does not exist, or is another user's."""

    code = "not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("there is nothing here")


class UnknownModel(Problem):
    """Report a model name that is not served."""

    code = "model_not_found"
    http_status = 404


class MethodNotAllowed(Problem):
    """Report a method that the route does not have."""

    code = "method_not_allowed"
    http_status = 405

    def __init__(self, allow: str = "") -> None:
        super().__init__("this method is not taken here")
        self.allow = allow


class NotFinished(Problem):
    """Report a result that is asked for too early."""

    code = "not_finished"
    http_status = 409


class Overloaded(Problem):
    """Report that every place in the queue is taken."""

    code = "overloaded"
    http_status = 429
    retryable = True


class RateLimited(Problem):
    """Report that one key holds all the places that it may."""

    code = "rate_limited"
    http_status = 429
    retryable = True


class NotReady(Problem):
    """Report that the model is not there yet, or no longer."""

    code = "not_ready"
    http_status = 503
    retryable = True


class ClientGone(Exception):
    """Say that nobody waits for the answer any more."""


def error_type(status: int) -> str:
    """Give OpenAI's word for a class of errors."""
    words = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
    return words.get(status, "invalid_request_error" if status < 500 else "server_error")


def body(error: GotOcrError, request_id: str) -> dict[str, object]:
    """Write the answer's body."""
    return {
        "error": {
            "type": error_type(error.http_status),
            "code": error.code,
            "message": str(error),
            "param": error.param if isinstance(error, Problem) else None,
            "request_id": request_id,
        }
    }


def retry_after(error: GotOcrError) -> float | None:
    """Give the seconds to wait before another attempt; None where another attempt is of no use."""
    if not error.retryable:
        return None
    wait = error.retry_after if isinstance(error, Problem) else None
    return 1.0 if wait is None else wait


def rebuild(code: str, message: str) -> GotOcrError:
    """Make the error again that another process sent as its code and message."""
    kind = next((found for found in _every(GotOcrError) if found.code == code), GotOcrError)
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    if isinstance(error, Problem):
        error.param, error.retry_after = None, None
    return error


def _every(kind: type[GotOcrError]) -> Iterator[type[GotOcrError]]:
    """List an error class and those under it; the library's own come before the service's of the same code."""
    yield kind
    for below in sorted(kind.__subclasses__(), key=lambda found: issubclass(found, Problem)):
        yield from _every(below)
