"""What the routes share: letting a request in, asking the reader, drawing a text. Knows no single route."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request

from got_ocr.errors import ChildCrashed, GotOcrError, RenderFailed
from got_ocr.serve.answers import PageResult
from got_ocr.serve.gate import Visit
from got_ocr.serve.intake import Intake
from got_ocr.serve.room import Hold
from got_ocr.serve.service import Service

NOTE = "x-ignored-fields"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request that was let in."""

    request_id: str
    owner: str
    hold: Hold
    facts: dict[str, object]

    def note(self, results: list[PageResult]) -> None:
        """Add what was read to the log line: counts, sizes and ends, no content."""
        first = results[0] if results else None
        self.facts.update(
            readings=len(results),
            tokens=sum(result.tokens for result in results),
            stops=sorted({result.stop for result in results}),
            size=[first.width, first.height] if first else None,
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A rendered text. error: the code of what stood in the way."""

    content: bytes
    kind: str
    error: str | None


class Desk:
    """Serve the routes."""

    def __init__(self, service: Service, intake: Intake) -> None:
        self.service = service
        self.intake = intake

    @asynccontextmanager
    async def admit(self, request: Request) -> AsyncIterator[Visitor]:
        """Let a request in, with a place and a hold of its own. Raises NotReady, Overloaded or RateLimited before its body is read."""
        visit = visit_of(request)
        self.service.check_ready()
        with self.service.places.enter(visit.owner), self.service.vault.open() as hold:
            yield Visitor(visit.request_id, visit.owner, hold, visit.facts)

    @asynccontextmanager
    async def visit(self, request: Request) -> AsyncIterator[Visitor]:
        """Let a request in that needs no model: it takes one of as many places, but not one of a reading."""
        visit = visit_of(request)
        with self.service.side_places.enter(visit.owner), self.service.vault.open() as hold:
            yield Visitor(visit.request_id, visit.owner, hold, visit.facts)

    async def draw(self, text: str, *, kind: str, to: str, title: str, hold: Hold) -> Drawn:
        """Render a text in a limited process; what brings that down leaves the escaped text. Raises InvalidValue, RenderFailed."""
        source, target = hold.file(text.encode()), hold.file()
        fatal = RenderFailed("this text takes more time or memory than drawing it may take")
        order = {"do": "render", "kind": kind, "to": to, "title": title, "unforeseen": "render_failed"}
        try:
            answer = await self.service.renderers.run(order, [source, target], fatal)
        except (RenderFailed, ChildCrashed) as error:
            if to not in ("html", "fragment"):
                raise
            return Drawn(_plain(text, error, title, whole=to == "html"), "markdown", error.code)
        hold.grow(target)
        return Drawn(hold.read(target), answer["kind"], answer["error"])

    async def html(self, text: str) -> str:
        """Render a text as a page."""
        with self.service.vault.open() as hold:
            return (await self.draw(text, kind="auto", to="html", title="Reading", hold=hold)).content.decode()

    def ignored(self, schema: type[BaseModel], fields: Mapping[str, object]) -> dict[str, str]:
        """Tell how many fields were passed over, in a header; none where all were understood."""
        count = len(fields.keys() - schema.model_fields.keys())
        return {NOTE: str(count)} if count else {}


def visit_of(request: Request) -> Visit:
    """Give what the gate knows of a request."""
    visit: Visit = request.scope["state"]["visit"]
    return visit


def _plain(text: str, error: GotOcrError, title: str, *, whole: bool) -> bytes:
    from got_ocr.render.failure import fallback
    from got_ocr.render.limits import MAX_FALLBACK
    from got_ocr.render.markup import legal
    from got_ocr.render.page import Sheet, page

    text = legal(text)
    body = fallback(text, error, MAX_FALLBACK)
    return (page([Sheet("markdown", body, "")], title) if whole else str(body)).encode()
