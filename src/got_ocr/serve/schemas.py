"""The bodies of requests and answers. Requests are strict: no text passes for a number, no number for a truth value.

Knows fields and their ranges, not what is done with them.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from got_ocr.serve.problems import InvalidField, InvalidRequest, Problem

MAX_PROMPT = 4096
PICTURE = "a picture, PDF or TIFF: base64, a data URL of base64, or (where the server allows it) an http(s) address"
_OUT_OF_RANGE = (
    "greater_than",
    "less_than",
    "literal_error",
    "too_long",
    "too_short",
    "string_too_long",
    "string_pattern",
)
_SHOWN = 5

Body = TypeVar("Body", bound=BaseModel)


def _whole(value: object) -> object:
    """Take 5.0 for 5, as JSON does not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
Picture = Annotated[str, Field(min_length=1, description=PICTURE, json_schema_extra={"format": "picture"})]
Coordinate = Annotated[int, Field(ge=0, le=30_000), WHOLE]
BoxField = Annotated[list[Coordinate], Field(min_length=2, max_length=4)]
PagesField = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[0-9,\- ]+$")]


StopText = Annotated[str, Field(min_length=1, max_length=64)]


def _listed(value: object) -> object:
    """Take one text for a list of one."""
    return [value] if isinstance(value, str) else value


class _Strict(BaseModel):
    """Take every field to the letter. Unknown ones are refused here, and passed over in `_Open`."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class _Open(_Strict):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class LegacyRequest(_Strict):
    """The body of `POST /ocr`, as public write-ups of GOT services have it; `pages` is for PDFs."""

    image: Picture
    ocr_type: Literal["ocr", "format"] = "ocr"
    ocr_box: Annotated[str, Field(max_length=64)] | BoxField | None = None
    ocr_color: Literal["red", "green", "blue", ""] | None = None
    render: bool = False
    save_render_file: Annotated[str, Field(max_length=1000)] | None = None
    pages: PagesField | None = None


class TaskFields(_Open):
    """What is asked of the pictures; see the command `got-ocr read`."""

    mode: Literal["plain", "format"] = "plain"
    box: BoxField | None = None
    box_mode: Literal["prompt", "crop"] = "crop"
    color: Literal["red", "green", "blue"] | None = None
    crop: bool = False
    max_tiles: Annotated[int, Field(ge=1, le=64), WHOLE] | None = None
    multi_page: bool = False
    pages: PagesField | None = None
    password: Annotated[str, Field(max_length=256)] | None = None
    dpi: Annotated[float, Field(ge=10, le=2400)] | None = None
    profile: Literal["safe", "reference", "hf"] = "safe"
    max_new_tokens: Annotated[int, Field(ge=1, le=32768), WHOLE] | None = None
    deadline: Annotated[float, Field(gt=0, le=86400)] | None = None


class ReadRequest(TaskFields):
    """The body of `POST /v1/ocr`. One of `image` and `images` is given."""

    image: Picture | None = None
    images: Annotated[list[Picture], Field(min_length=1, max_length=1000)] | None = None
    stream: bool = False
    token_ids: bool = False


class JobRequest(TaskFields):
    """The body of `POST /v1/jobs`: one document."""

    image: Picture


class RenderRequest(_Strict):
    """The body of `POST /v1/render`."""

    text: Annotated[str, Field(max_length=1_000_000)]
    kind: Literal["auto", "markdown", "table", "tikz", "kern", "smiles", "chart"] = "auto"
    to: Literal["html", "fragment", "svg", "png", "md", "gfm"] = "html"
    title: Annotated[str, Field(max_length=200)] = "Reading"


class PreviewRequest(_Strict):
    """The body of `POST /v1/preview`."""

    image: Picture
    page: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = 1
    password: Annotated[str, Field(max_length=256)] | None = None


class ImageUrl(_Open):
    """A picture of a message."""

    url: Picture
    detail: Literal["auto", "low", "high"] | None = None


class FileData(_Open):
    """A document of a message."""

    file_data: Picture
    filename: Annotated[str, Field(max_length=255)] | None = None


class TextPart(_Open):
    """Words of a message."""

    type: Literal["text"]
    text: Annotated[str, Field(max_length=MAX_PROMPT)]


class ImagePart(_Open):
    """A picture of a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


class FilePart(_Open):
    """A document of a message."""

    type: Literal["file"]
    file: FileData


ContentPart = Annotated[TextPart | ImagePart | FilePart, Field(discriminator="type")]


class ChatMessage(_Open):
    """One message. Only those of the user are read: pictures, and what is asked of them."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[str, Field(max_length=MAX_PROMPT)] | list[ContentPart] | None = None


class StreamOptions(_Open):
    """How to stream."""

    include_usage: bool | None = None


class ChatRequest(_Open):
    """The body of `POST /v1/chat/completions`; fields that mean nothing here are passed over."""

    model: Annotated[str, Field(min_length=1, max_length=256)]
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=64)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1, le=32768), WHOLE] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=32768), WHOLE] | None = None
    n: Annotated[int, Field(ge=1, le=1), WHOLE] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    logprobs: Literal[False] | None = None
    stop: Annotated[list[StopText], Field(max_length=4), BeforeValidator(_listed)] | None = None
    got_ocr: TaskFields | None = None


class ErrorDetail(BaseModel):
    """What went wrong."""

    type: str
    code: str
    message: str
    param: str | None
    request_id: str


class ErrorAnswer(BaseModel):
    """Every answer that is no success."""

    error: ErrorDetail


class PageError(BaseModel):
    """Why one page of several failed."""

    code: str
    message: str


class PageAnswer(BaseModel):
    """One page (or several read as one). `truncated` says that the text is not what the model would have ended with."""

    document: int
    page: int
    pages: int
    text: str
    status: Literal["ok", "loop", "truncated", "empty", "deadline", "shutdown", "failed"]
    truncated: bool
    empty: bool
    finish_reason: Literal["stop", "length", "error"]
    stop_detail: Literal["end", "length", "repetition", "deadline", "shutdown", "stop_string", "error"]
    tokens: int
    prompt_tokens: int
    seconds: float
    model: str
    notices: list[str]
    width: int | None = None
    height: int | None = None
    token_ids: list[int] | None = None
    error: PageError | None = None


class ReadAnswer(BaseModel):
    """The answer of `POST /v1/ocr`: `text` is that of all readings, with an empty line between them."""

    request_id: str
    model: str
    text: str
    truncated: bool
    readings: list[PageAnswer]


class LegacyAnswer(BaseModel):
    """The answer of `POST /ocr`."""

    text: str
    status: str
    truncated: bool
    notices: list[str]
    html: str | None = None
    readings: list[PageAnswer]


class JobAnswer(BaseModel):
    """How far a job is."""

    id: str
    object: Literal["job"]
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    created_at: float
    updated_at: float
    pages_total: int | None
    pages_done: int
    pages_failed: int
    error: PageError | None


class JobList(BaseModel):
    """One's jobs."""

    object: Literal["list"]
    data: list[JobAnswer]


class JobResult(JobAnswer):
    """What a job has read."""

    text: str
    truncated: bool
    readings: list[PageAnswer]


class ModelAnswer(BaseModel):
    """A name of the model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """The names of the model."""

    object: Literal["list"]
    data: list[ModelAnswer]


class ChatAnswer(BaseModel):
    """The answer of `POST /v1/chat/completions`, in OpenAI's form."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, int]
    got_ocr: dict[str, Any]


class Health(BaseModel):
    """That it works."""

    status: Literal["ok"]


def validate(schema: type[Body], value: object) -> Body:
    """Hold a parsed body against its schema. Raises InvalidRequest, or InvalidField where only a range is left."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise _problem(error.errors(include_url=False, include_input=False, include_context=False)) from None


def _problem(errors: Sequence[Any]) -> Problem:
    """Say what is wrong without repeating anything of the request, a field's own name apart."""
    told = [(_path(error), error["msg"] if error["type"] != "value_error" else "is not allowed") for error in errors]
    text = "; ".join(f"{path}: {said}" for path, said in told[:_SHOWN])[:1500]
    ranges = all(error["type"].startswith(_OUT_OF_RANGE) for error in errors)
    return (InvalidField if ranges else InvalidRequest)(text, param=told[0][0][:200])


def _path(error: Any) -> str:
    parts = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        parts[-1] = "(unknown field)"
    return ".".join(parts) or "body"
