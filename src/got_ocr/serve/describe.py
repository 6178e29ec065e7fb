"""The service's description of itself, in the form of OpenAPI 3.1, made from the one table of entries. Knows no service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.requests import Request

from got_ocr import __version__
from got_ocr.serve.forms import MAX_NAME
from got_ocr.serve.schemas import ErrorAnswer

Endpoint = Callable[[Request], Any]
TOKEN_LIMITS = {"max_new_tokens", "max_tokens", "max_completion_tokens"}
REFERENCE = "#/components/schemas/{model}"
Param = tuple[str, Literal["path", "query"], dict[str, Any]]
PICTURES = "image/png, image/jpeg, image/webp, image/gif, image/bmp, image/tiff, image/avif, application/pdf"
STREAM = "text/event-stream"
BINARY = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be asked. takes, gives: bodies. upload: whether a form with a file does as well.

    types: what comes back where that is no JSON. params: (name, place, schema) of what stands in the address.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    endpoint: Endpoint
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200
    upload: bool = False
    types: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()

    @property
    def summary(self) -> str:
        """Give the first line of what the endpoint says of itself."""
        return (self.endpoint.__doc__ or "").strip().splitlines()[0]


def openapi(entries: Sequence[Entry], most_tokens: int) -> dict[str, Any]:
    """Describe the entries. most_tokens: of one page, as this service is set."""
    bodies: set[tuple[type[BaseModel], JsonSchemaMode]] = {(ErrorAnswer, "serialization")}
    bodies |= {(entry.takes, "validation") for entry in entries if entry.takes}
    bodies |= {(entry.gives, "serialization") for entry in entries if entry.gives}
    ordered = sorted(bodies, key=lambda body: body[0].__name__)
    _, definitions = models_json_schema(ordered, ref_template=REFERENCE)
    for schema in definitions["$defs"].values():
        for name in TOKEN_LIMITS & schema.get("properties", {}).keys():
            for form in schema["properties"][name].get("anyOf", ()):
                if form["type"] == "integer":
                    form["maximum"] = most_tokens
    paths: dict[str, dict[str, Any]] = {}
    for entry in entries:
        paths.setdefault(entry.path.replace(":path}", "}"), {})[entry.method.lower()] = _operation(entry)
    key = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "got-ocr", "version": __version__, "description": "Read pictures with GOT-OCR 2.0."},
        "paths": paths,
        "components": {"schemas": definitions["$defs"], "securitySchemes": {"key": key}},
        "security": [{"key": []}, {}],
    }


def _operation(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": entry.summary,
        "operationId": f"{entry.method.lower()}{entry.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "responses": {str(entry.status): _answer(entry), "default": _error()},
    }
    if entry.params:
        found["parameters"] = [
            {"name": name, "in": place, "required": place == "path", "schema": schema}
            for name, place, schema in entry.params
        ]
    if entry.takes is not None:
        found["requestBody"] = {"required": True, "content": _content(entry, entry.takes)}
    return found


def _content(entry: Entry, takes: type[BaseModel]) -> dict[str, Any]:
    """Say what bodies are taken: JSON, and a form that carries the file itself."""
    content: dict[str, Any] = {"application/json": {"schema": _ref(takes)}}
    if entry.upload:
        said = "The other fields are those of the JSON body, as text."
        form: dict[str, Any] = {
            "type": "object",
            "properties": {"file": BINARY},
            "required": ["file"],
            "propertyNames": {"pattern": f"^[A-Za-z0-9_]{{1,{MAX_NAME}}}$"},
            "description": said,
        }
        if takes.model_config.get("extra") == "forbid":
            form["additionalProperties"] = False
        content["multipart/form-data"] = {"schema": form, "encoding": {"file": {"contentType": PICTURES}}}
    return content


def _answer(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {"schema": {} if kind == STREAM else {"type": "string"}} for kind in entry.types}
    if entry.gives is not None:
        content["application/json"] = {"schema": _ref(entry.gives)}
    told: dict[str, Any] = {"description": "What was asked for"}
    return {**told, "content": content} if content else told


def _error() -> dict[str, Any]:
    return {"description": "Why not", "content": {"application/json": {"schema": _ref(ErrorAnswer)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}
