"""What comes out: the text of a page and how its reading ended. Knows no model."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "loop", "truncated", "empty"]

# From best to worst: a reading of several parts ended as its worst part did.
_ORDER: tuple[Status, ...] = ("empty", "ok", "loop", "truncated")


@dataclass(frozen=True, slots=True)
class Reading:
    """One page (or several pages read as one).

    status: `ok` the model ended its answer; `loop` it repeated itself, was stopped and cut back to one period; `truncated` the
    token limit cut it; `empty` there was nothing to read. tokens: ids that the model wrote, the end among them, before
    any cut; token_ids: the ids behind `text`. seconds: wall time. page: counts from 1. notices: what the user should know.
    steps: passes of the model for its tokens, fewer where drafts were right; 0 if nobody counted.
    """

    text: str
    status: Status
    token_ids: tuple[int, ...]
    tokens: int
    seconds: float
    page: int
    source: str
    model: str
    notices: tuple[str, ...] = ()
    steps: int = 0


def worst(statuses: list[Status]) -> Status:
    """Join the statuses of parts; no part at all is `empty`."""
    return max(statuses, key=_ORDER.index, default="empty")
