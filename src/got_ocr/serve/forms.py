"""Forms: multipart bodies with files, and url-encoded ones, parsed from memory. Nothing is written to disk.

Knows no field of any request.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from got_ocr.serve.problems import InvalidRequest

MAX_FIELDS = 64
MAX_NAME = 100
MAX_HEADER = 4096


@dataclass(slots=True)
class Form:
    """fields: texts by name, the last wins. files: (field, bytes) in order; their names and types are not kept."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    data: bytearray = field(default_factory=bytearray)


class _Collector:
    """Gather what the parser reports."""

    def __init__(self, max_parts: int) -> None:
        self.form = Form()
        self.ended = False
        self._part = _Part()
        self._parts = 0
        self._max_parts = max_parts

    def on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._max_parts:
            raise InvalidRequest(f"a form has at most {self._max_parts} parts")
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._grow(self._part.name, data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._grow(self._part.value, data[start:end])

    def on_header_end(self) -> None:
        part = self._part
        part.headers[bytes(part.name).lower()] = bytes(part.value)
        part.name.clear()
        part.value.clear()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._part.data += data[start:end]

    def on_part_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        kind, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"")
        if kind != b"form-data" or len(name) > MAX_NAME:
            raise InvalidRequest("every part of a form has a name of decent length")
        if not name:
            return
        if options.get(b"filename") == b"" and not self._part.data:
            return  # what a browser sends for a file field that was left empty
        if b"filename" in options or b"content-type" in self._part.headers:
            self.form.files.append((_text(name), bytes(self._part.data)))
        else:
            self.form.fields[_text(name)] = _text(bytes(self._part.data))

    def on_end(self) -> None:
        self.ended = True

    def _grow(self, buffer: bytearray, data: bytes) -> None:
        buffer += data
        if len(buffer) > MAX_HEADER:
            raise InvalidRequest("a part of the form has too long a header")


def parse_multipart(body: bytes, content_type: str, max_files: int) -> Form:
    """Parse multipart/form-data. Raises InvalidRequest."""
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    boundary = parse_options_header(content_type.encode("latin-1"))[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise InvalidRequest("the form names no boundary")
    collector = _Collector(MAX_FIELDS + max_files + 1)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": collector.on_part_begin,
            "on_header_field": collector.on_header_field,
            "on_header_value": collector.on_header_value,
            "on_header_end": collector.on_header_end,
            "on_part_data": collector.on_part_data,
            "on_part_end": collector.on_part_end,
            "on_end": collector.on_end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise InvalidRequest("the form is broken") from None
    if not collector.ended:
        raise InvalidRequest("the form ends early")
    return collector.form


def parse_urlencoded(body: bytes) -> Form:
    """Parse application/x-www-form-urlencoded. Raises InvalidRequest."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest("the form is broken") from None
    return Form({name[:MAX_NAME]: value for name, value in pairs})


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("a field of the form is not UTF-8") from None
