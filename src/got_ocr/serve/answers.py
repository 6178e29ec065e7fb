"""What a reading becomes on its way out: pieces while it is written, one `PageResult` at its end. Knows no HTTP."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from got_ocr.errors import GotOcrError

Stop = Literal["end", "length", "repetition", "deadline", "shutdown", "stop_string", "error"]
_STOPS: dict[str, Stop] = {
    "ok": "end",
    "empty": "end",
    "truncated": "length",
    "loop": "repetition",
    "deadline": "deadline",
    "shutdown": "shutdown",
    "stop_string": "stop_string",
}
_COMPLETE = ("end", "stop_string")


@dataclass(frozen=True, slots=True)
class Begun:
    """The request left the queue: from here on it is being read. readings: how many there will be."""

    readings: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of the reading number `index` (from 0), as it was written."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """One reading. document, page: count from 1. pages: of its document. stop: what ended it."""

    document: int
    page: int
    pages: int
    text: str
    status: str
    stop: Stop
    model: str
    tokens: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    notices: tuple[str, ...] = ()
    width: int | None = None
    height: int | None = None
    token_ids: tuple[int, ...] = ()
    error: GotOcrError | None = None

    @property
    def truncated(self) -> bool:
        """Say whether the text is anything else than what the model ended by itself."""
        return self.stop not in _COMPLETE

    @property
    def finish_reason(self) -> str:
        """Give OpenAI's word for the end."""
        if self.stop == "error":
            return "error"
        return "length" if self.truncated else "stop"

    def to_json(self, *, token_ids: bool = False) -> dict[str, Any]:
        """Write what `schemas.PageAnswer` describes."""
        error = {"code": self.error.code, "message": str(self.error)} if self.error else None
        fields = asdict(replace(self, error=None))
        stop = fields.pop("stop")
        ids = list(fields.pop("token_ids"))
        return {
            **fields,
            "notices": list(self.notices),
            "truncated": self.truncated,
            "empty": not self.text.strip(),
            "finish_reason": self.finish_reason,
            "stop_detail": stop,
            "token_ids": ids if token_ids else None,
            "error": error,
        }


class Until:
    """Pass text on up to the first of some stop strings, holding back what may be the beginning of one."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._kept = max((len(stop) for stop in stops), default=1) - 1
        self.text = ""
        self.hit = False
        self._passed = 0

    def push(self, piece: str) -> str:
        """Take a piece; return what may be passed on by now."""
        before = max(len(self.text) - self._kept, 0)
        self.text += piece
        found = [at for stop in self._stops if (at := self.text.find(stop, before)) >= 0]
        if found:
            self.hit, self.text = True, self.text[: min(found)]
        return self._pass(len(self.text) if self.hit else len(self.text) - self._kept)

    def rest(self) -> str:
        """Return what was held back, at the end."""
        return self._pass(len(self.text))

    def _pass(self, end: int) -> str:
        start, self._passed = self._passed, max(end, self._passed)
        return self.text[start : self._passed]


def stop_of(status: str) -> Stop:
    """Say what ended a reading of this status."""
    return _STOPS[status]


def join(results: list[PageResult]) -> str:
    """Give the text of all readings."""
    return "\n\n".join(result.text for result in results)
