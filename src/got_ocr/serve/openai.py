"""`POST /v1/chat/completions` and `GET /v1/models`: what OpenAI's clients say, for a model that only reads.

Pictures come from the last message of the user that has any. Its words are never handed to the model: they only choose
between the ways of reading, and `got_ocr` in the body chooses more exactly. Knows nothing of reading itself.
"""

import json
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from got_ocr.errors import GotOcrError
from got_ocr.serve.answers import Begun, PageResult, Piece, join
from got_ocr.serve.asking import make_ask
from got_ocr.serve.desk import Desk, Visitor
from got_ocr.serve.flow import EventStream, until_gone
from got_ocr.serve.problems import InvalidRequest, NotReady, UnknownModel, body
from got_ocr.serve.reader import Ask, Emit, Event
from got_ocr.serve.room import Hold
from got_ocr.serve.schemas import (
    MAX_PROMPT,
    ChatMessage,
    ChatRequest,
    FilePart,
    ImagePart,
    TaskFields,
    TextPart,
    validate,
)

ALIAS = "got-ocr"
OWNER = "got-ocr"
DONE = b"data: [DONE]\n\n"
_BOX = re.compile(r"\[\s*(\d{1,5}(?:\s*,\s*\d{1,5}){1,3})\s*\]")
_COLOR = re.compile(r"\[\s*(red|green|blue)\s*\]")
_WORDS = (
    ("mode", "format", re.compile(r"\b(format\w*|markdown|latex|mathpix)\b")),
    ("crop", True, re.compile(r"\b(patch reference|crop)\b")),
    ("multi_page", True, re.compile(r"\b(multi[- ]?pages?|across pages)\b")),
)


class OpenAiRoutes:
    """Answer OpenAI's clients."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._born = int(time.time())

    async def models(self, request: Request) -> Response:
        """List the model, by its own name and as `got-ocr`."""
        return JSONResponse({"object": "list", "data": [self._model(name) for name in self._names()]})

    async def model(self, request: Request) -> Response:
        """Describe one name of the model."""
        return JSONResponse(self._model(self._named(request.path_params["name"])))

    async def chat(self, request: Request) -> Response:
        """Read the pictures of a message, at once or as server-sent events."""
        desk = self._desk
        async with AsyncExitStack() as stack:
            visitor = await stack.enter_async_context(desk.admit(request))
            received = await desk.intake.receive(request, visitor.hold, forms=False)
            asked = validate(ChatRequest, received.fields)
            model = self._named(asked.model)
            message = _message(asked.messages)
            texts = _pictures(message)
            ask = self._ask(asked, message)
            head = {"id": "chatcmpl-" + secrets.token_hex(12), "created": int(time.time()), "model": model}
            if asked.stream:
                usage = asked.stream_options is not None and bool(asked.stream_options.include_usage)
                writer = _Chunks(visitor, head, usage)
                kept = stack.pop_all()
                return EventStream(lambda emit: self._read(texts, ask, visitor.hold, emit), writer, kept, visitor.note)
            results = await until_gone(request.receive, self._read(texts, ask, visitor.hold))
            visitor.note(results)
        return JSONResponse(_completion(head, results), headers=desk.ignored(ChatRequest, received.fields))

    async def _read(
        self, texts: Sequence[tuple[str, str]], ask: Ask, hold: Hold, emit: Emit = lambda _: None
    ) -> list[PageResult]:
        held = await self._desk.intake.pictures(texts, (), hold)
        return await self._desk.service.reader.read(held, ask, hold, emit)

    def _ask(self, asked: ChatRequest, message: ChatMessage) -> Ask:
        fields = asked.got_ocr or _from_words(_words(message))
        most = asked.max_completion_tokens or asked.max_tokens
        if most is not None:
            fields = fields.model_copy(update={"max_new_tokens": most})
        return replace(make_ask(fields, self._desk.service.settings), stop=tuple(asked.stop or ()))

    def _names(self) -> list[str]:
        model = self._desk.service.fleet.model
        if model is None:
            raise NotReady("the model is being loaded", retry_after=2.0)
        return list(dict.fromkeys((model.name, ALIAS)))

    def _named(self, name: str) -> str:
        if name not in self._names():
            raise UnknownModel("this model is not served here; GET /v1/models lists what is", param="model")
        return name

    def _model(self, name: str) -> dict[str, object]:
        return {"id": name, "object": "model", "created": self._born, "owned_by": OWNER}


class _Chunks:
    """Write events as the chunks of a chat completion."""

    def __init__(self, visitor: Visitor, head: dict[str, object], usage: bool) -> None:
        self._visitor = visitor
        self._head = {**head, "object": "chat.completion.chunk"}
        self._usage = usage
        self._index = 0
        self._sent = ""

    def event(self, event: Event) -> bytes:
        """Write the role when reading begins, then every piece of text."""
        if isinstance(event, Begun):
            return self._chunk({"role": "assistant", "content": ""}, None)
        if not isinstance(event, Piece):
            return b""
        gap = "\n\n" * (event.index - self._index)
        self._index = event.index
        self._sent += gap + event.text
        return self._chunk({"content": gap + event.text}, None)

    def end(self, results: list[PageResult]) -> bytes:
        """Write how it ended; and the text itself where what was sent is not all and nothing else than it."""
        told = _told(results)
        text = join(results)
        if text != self._sent.strip():
            told["text"] = text
        last = self._chunk({}, _finish(results), {"got_ocr": told})
        if self._usage:
            last += _data({**self._head, "choices": [], "usage": _usage(results)})
        return last + DONE

    def failed(self, error: GotOcrError) -> bytes:
        """Write an error in the middle of a stream."""
        return _data(body(error, self._visitor.request_id))

    def _chunk(self, delta: dict[str, str], finish: str | None, more: dict[str, object] | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**self._head, "choices": [choice], **(more or {})})


def _data(data: object) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _completion(head: dict[str, object], results: list[PageResult]) -> dict[str, object]:
    message = {"role": "assistant", "content": join(results), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(results)}
    return {
        **head,
        "object": "chat.completion",
        "choices": [choice],
        "usage": _usage(results),
        "got_ocr": _told(results),
    }


def _told(results: list[PageResult]) -> dict[str, object]:
    """Say what OpenAI's form has no place for."""
    readings = [result.to_json() for result in results]
    return {"truncated": any(result.truncated for result in results), "readings": readings}


def _finish(results: list[PageResult]) -> str:
    return "length" if any(result.truncated for result in results) else "stop"


def _usage(results: list[PageResult]) -> dict[str, int]:
    prompt, written = sum(r.prompt_tokens for r in results), sum(r.tokens for r in results)
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def _message(messages: Sequence[ChatMessage]) -> ChatMessage:
    """Find the message to read. Raises InvalidRequest."""
    for message in reversed(messages):
        if message.role == "user" and _pictures(message):
            return message
    raise InvalidRequest("no message of the user carries a picture (image_url or file)", param="messages")


def _parts(message: ChatMessage) -> list[TextPart | ImagePart | FilePart]:
    return message.content if isinstance(message.content, list) else []


def _pictures(message: ChatMessage) -> list[tuple[str, str]]:
    """List (place, picture) of a message's parts."""
    found = []
    for at, part in enumerate(_parts(message)):
        if isinstance(part, ImagePart):
            found.append((f"messages.content.{at}", part.image_url.url))
        elif isinstance(part, FilePart):
            found.append((f"messages.content.{at}", part.file.file_data))
    return found


def _words(message: ChatMessage) -> str:
    words = " ".join(part.text for part in _parts(message) if isinstance(part, TextPart))
    return words[:MAX_PROMPT].lower()


def _from_words(words: str) -> TaskFields:
    """Choose the way of reading by the words that the model's own prompts have; others mean plain text."""
    box, color = _BOX.search(words), _COLOR.search(words)
    fields: dict[str, object] = {name: value for name, value, pattern in _WORDS if pattern.search(words)}
    if box is not None:
        fields.update(box=[int(part) for part in box[1].split(",")], box_mode="prompt")
    if color is not None:
        fields["color"] = color[1]
    return validate(TaskFields, fields)
