"""`POST /ocr` and `POST /v1/ocr`: read pictures, at once or as a stream.

Knows the two bodies and what they mean; reading is `reader`'s, waiting is `flow`'s.
"""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from got_ocr.errors import GotOcrError, InvalidValue
from got_ocr.serve.answers import Begun, PageResult, Piece, join
from got_ocr.serve.asking import make_ask
from got_ocr.serve.desk import Desk, Visitor
from got_ocr.serve.flow import EventStream, until_gone
from got_ocr.serve.problems import InvalidField, InvalidRequest, body
from got_ocr.serve.reader import Ask, Emit, Event
from got_ocr.serve.room import Hold
from got_ocr.serve.schemas import LegacyRequest, ReadRequest, TaskFields, validate
from got_ocr.task import parse_box

IGNORED = "ignored:save_render_file"


class ReadRoutes:
    """Answer what reads pictures."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def legacy(self, request: Request) -> Response:
        """Read one picture or document and answer with its text; fields as public write-ups of GOT services have them."""
        desk = self._desk
        async with desk.admit(request) as visitor:
            received = await desk.intake.receive(request, visitor.hold)
            asked = validate(LegacyRequest, {**received.fields, **({"image": "upload"} if received.files else {})})
            texts = [] if received.files else [("image", asked.image)]
            ask = make_ask(_legacy_fields(asked), desk.service.settings)
            work = self._read(texts, received.files, ask, visitor.hold)
            results = await until_gone(request.receive, work)
            visitor.note(results)
            text, notices = join(results), [IGNORED] if asked.save_render_file is not None else []
            if "text/plain" in request.headers.get("accept", ""):
                return PlainTextResponse(text)
            html = await until_gone(request.receive, desk.html(text)) if asked.render else None
        return JSONResponse(
            {
                "text": text,
                "status": _worst(results),
                "truncated": any(result.truncated for result in results),
                "notices": notices,
                "html": html,
                "readings": [result.to_json() for result in results],
            }
        )

    async def read(self, request: Request) -> Response:
        """Read pictures and documents in any mode, at once or as server-sent events."""
        desk = self._desk
        async with AsyncExitStack() as stack:
            visitor = await stack.enter_async_context(desk.admit(request))
            received = await desk.intake.receive(request, visitor.hold)
            asked = validate(ReadRequest, received.fields)
            texts = _texts(asked)
            ask = make_ask(asked, desk.service.settings)
            if asked.stream:
                kept = stack.pop_all()
                return EventStream(
                    lambda emit: self._read(texts, received.files, ask, visitor.hold, emit),
                    _Events(visitor, asked.token_ids),
                    kept,
                    visitor.note,
                )
            results = await until_gone(request.receive, self._read(texts, received.files, ask, visitor.hold))
            visitor.note(results)
        return JSONResponse(
            _answer(visitor, results, asked.token_ids), headers=desk.ignored(ReadRequest, received.fields)
        )

    async def _read(
        self,
        texts: Sequence[tuple[str, str]],
        files: Sequence[bytes],
        ask: Ask,
        hold: Hold,
        emit: Emit = lambda _: None,
    ) -> list[PageResult]:
        held = await self._desk.intake.pictures(texts, files, hold)
        return await self._desk.service.reader.read(held, ask, hold, emit)


class _Events:
    """Write events as `begun`, `piece`, `reading`, and `end` or `error`."""

    def __init__(self, visitor: Visitor, token_ids: bool) -> None:
        self._visitor = visitor
        self._token_ids = token_ids

    def event(self, event: Event) -> bytes:
        if isinstance(event, Piece):
            return _sse("piece", {"index": event.index, "text": event.text})
        if isinstance(event, Begun):
            return _sse("begun", {"request_id": self._visitor.request_id, "readings": event.readings})
        return _sse("reading", event.to_json(token_ids=self._token_ids))

    def end(self, results: list[PageResult]) -> bytes:
        truncated = any(result.truncated for result in results)
        return _sse("end", {"status": _worst(results), "truncated": truncated, "readings": len(results)})

    def failed(self, error: GotOcrError) -> bytes:
        return _sse("error", body(error, self._visitor.request_id))


def _sse(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _answer(visitor: Visitor, results: list[PageResult], token_ids: bool) -> dict[str, object]:
    return {
        "request_id": visitor.request_id,
        "model": results[0].model if results else "",
        "text": join(results),
        "truncated": any(result.truncated for result in results),
        "readings": [result.to_json(token_ids=token_ids) for result in results],
    }


def _worst(results: Sequence[PageResult]) -> str:
    """Give the status of the whole: that of the first reading that did not end well."""
    return next((r.status for r in results if r.truncated), results[0].status if results else "empty")


def _texts(asked: ReadRequest) -> list[tuple[str, str]]:
    if asked.image is not None and asked.images is not None:
        raise InvalidRequest("give image or images, not both", param="images")
    if asked.image is not None:
        return [("image", asked.image)]
    return [(f"images.{at}", text) for at, text in enumerate(asked.images or ())]


def _legacy_fields(asked: LegacyRequest) -> TaskFields:
    """Say in our words what the write-ups' fields mean. The box is named to the model, as there."""
    return TaskFields(
        mode="plain" if asked.ocr_type == "ocr" else "format",
        box=_legacy_box(asked.ocr_box),
        box_mode="prompt",
        color=asked.ocr_color or None,
        pages=asked.pages,
    )


def _legacy_box(box: str | list[int] | None) -> list[int] | None:
    if isinstance(box, list) or not box:
        return box or None
    try:
        return list(parse_box(box))
    except InvalidValue:
        raise InvalidField("a box is x1,y1,x2,y2 (or x,y) in whole pixels", param="ocr_box") from None
