"""What schemathesis must know beyond JSON Schema: what a picture is, and which fields go together."""

from typing import Any

import schemathesis
from hypothesis import strategies as st
from serve_kit import b64, picture, png

PICTURES = [picture(), picture(90, 60), "data:image/png;base64," + b64(png())]
EXCLUSIVE = ("box", "color", "crop", "multi_page")

schemathesis.openapi.format("picture", st.sampled_from(PICTURES))
for kind in (
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/tiff",
    "image/avif",
    "application/pdf",
):
    schemathesis.openapi.media_type(kind, st.just(png()))


def has_large_numbers(value: Any) -> bool:
    """Say whether an integer of more than 64 bits is anywhere in a body: JSON Schema knows no such bound."""
    if isinstance(value, dict):
        return any(has_large_numbers(item) for item in value.values())
    if isinstance(value, list):
        return any(has_large_numbers(item) for item in value)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def possible(fields: dict[str, Any]) -> bool:
    """Say whether a task is one that can be asked of this picture."""
    box = fields.get("box", fields.get("ocr_box"))
    if isinstance(box, list) and (len(box) == 3 or (len(box) == 4 and not (box[0] < box[2] and box[1] < box[3]))):
        return False
    if isinstance(box, str) and box:
        return False
    seconds = fields.get("deadline")
    return (
        sum(bool(fields.get(name)) for name in EXCLUSIVE) < 2
        and not (box and fields.get("ocr_color"))
        and not fields.get("pages")
        and not (isinstance(seconds, int | float) and seconds < 60)  # 504 is what is to come, then
    )


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Leave out what the schema allows and the words of the documentation do not."""
    if not isinstance(body, dict) or context.operation is None:
        return True
    if has_large_numbers(body):
        return False
    path = context.operation.path
    if path == "/v1/chat/completions":
        messages = body.get("messages")
        asked = body.get("got_ocr") or {}
        return possible(body) and possible(asked if isinstance(asked, dict) else {}) and has_picture(messages)
    if path == "/v1/preview" and isinstance(body.get("page"), int | float):
        return body["page"] <= 1
    if path == "/v1/render":
        return body.get("to") not in ("png", "svg")
    if path == "/v1/ocr" and "file" not in body:
        return possible(body) and (body.get("image") is None) != (body.get("images") is None)
    return possible(body)


def has_picture(messages: Any) -> bool:
    """Say whether a message of the user carries a picture; for bodies that are no chat, do not judge."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return True
    return any(
        message.get("role") == "user"
        and isinstance(message.get("content"), list)
        and any(isinstance(part, dict) and part.get("type") in ("image_url", "file") for part in message["content"])
        for message in messages
    )


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Give a chat a picture: few random ones have one."""
    if isinstance(body, dict) and context.operation is not None and context.operation.path == "/v1/chat/completions":
        messages = body.get("messages")
        if isinstance(messages, list) and messages and not has_picture(messages):
            part = {"type": "image_url", "image_url": {"url": PICTURES[0]}}
            return {**body, "model": "got-ocr", "messages": [*messages[:63], {"role": "user", "content": [part]}]}
        return {**body, "model": "got-ocr"} if isinstance(body.get("model"), str) and body["model"] else body
    return body
