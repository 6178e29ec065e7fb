"""Parts of a path that stand for other text: loops inside it and `let` definitions. Knows the path's state."""

import re
from typing import TYPE_CHECKING

from got_ocr.errors import RenderFailed
from got_ocr.render.tikz.statements import loop_at, loop_values

if TYPE_CHECKING:
    from got_ocr.render.tikz.path import PathReader

_LET = re.compile(r"\\([pn])\s*(\d|\{[^{}]{1,20}\})\s*=\s*")
_LET_USE = re.compile(r"\\([xypn])\s*(\d|\{[^{}]{1,20}\})")
_COMMA = re.compile(r"\s*,")
_IN = re.compile(r"\s*in(?![a-zA-Z])")


def write_out_loop(reader: "PathReader", match: re.Match[str]) -> None:
    """Write a loop's turns out into the path. Raises RenderFailed."""
    statement, end = loop_at(reader.source, reader.at)
    if statement is None:
        raise RenderFailed("a loop of the drawing cannot be read")
    turns = [_turn(reader, statement.text, values) for values in loop_values(statement.name, statement.options)]
    reader.continue_with(" ".join(turns) + " " + reader.text[end:])


def _turn(reader: "PathReader", body: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        body = re.sub(rf"\\{name}(?![a-zA-Z])", value.replace("\\", r"\\"), body)
    reader.nodes.canvas.budget.take(1 + len(body) // 100)
    return body


def write_out_let(reader: "PathReader", match: re.Match[str]) -> None:
    """Put `\\p1 = (..)`, `\\n1 = {..}` into the rest of the path as lengths. Raises RenderFailed."""
    values: dict[str, str] = {}
    while head := _LET.match(reader.text, reader.source.skip_space(reader.at)):
        reader.at, key = head.end(), head[2].strip("{}")
        if head[1] == "p":
            x, y = reader.nodes.names.place(_used(reader.parenthesised() or "", values), reader.style).point
            values |= {f"x{key}": f"({x:.4f}pt)", f"y{key}": f"({y:.4f}pt)", f"p{key}": f"{x:.4f}pt,{y:.4f}pt"}
        else:
            content, reader.at = reader.source.braced(reader.at) or ("", reader.at)
            value = reader.nodes.names.look.value(_used(content, values))
            values[f"n{key}"] = f"({value.number:.4f}{'pt' if value.length else ''})"
        comma = _COMMA.match(reader.text, reader.at)
        reader.at = comma.end() if comma else reader.at
    end = _IN.match(reader.text, reader.at)
    if end is None:
        raise RenderFailed("a definition inside a path of the drawing cannot be read")
    reader.continue_with(_used(reader.text[end.end() :], values))


def _used(text: str, values: dict[str, str]) -> str:
    return _LET_USE.sub(lambda match: values.get(match[1] + match[2].strip("{}"), match.group()), text)
