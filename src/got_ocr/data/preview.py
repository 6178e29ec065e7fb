"""One page of HTML with samples of every source, to be looked at. Knows no renderer: that comes in as a callable.

The page needs nothing from outside: pictures are in it, scripts are not.
"""

import base64
import html
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from got_ocr.data.build import SOURCES, Recipe, build, generator, source
from got_ocr.data.rows import task
from got_ocr.data.sample import Sample
from got_ocr.errors import GotOcrError

if TYPE_CHECKING:
    from PIL.Image import Image

Render = Callable[[str], str]
_STYLE = """body{font:15px sans-serif;margin:2em;background:#f4f4f2;color:#111}
section{display:flex;gap:1em;flex-wrap:wrap;margin:0 0 1.5em;padding:1em;background:#fff;border:1px solid #ccc}
section>div{flex:1 1 22em;min-width:0}img{max-width:100%;border:1px solid #ddd}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font-size:13px}iframe{width:100%;height:24em;border:1px solid
#ddd} small{color:#555}@media(max-width:600px){body{margin:.7em}section>div{flex-basis:100%}}"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to show: a sample, or why there is none."""

    title: str
    sample: Sample | None
    reason: str = ""


def of_sources(seed: int, each: int = 3) -> list[Entry]:
    """Write `each` samples of every source with its default options."""
    return [_entry(name, seed, number) for name in SOURCES for number in range(each)]


def _entry(name: str, seed: int, number: int) -> Entry:
    try:
        return Entry(f"{name} {number}", source(name, {})(generator(f"preview-{name}", seed, number)))
    except GotOcrError as error:
        return Entry(f"{name} {number}", None, str(error))


def of_recipe(recipe: Recipe, seed: int, count: int = 12) -> list[Entry]:
    """Write the first samples of a recipe."""
    return [Entry(f"{recipe.name} {number}", build(recipe, seed, number)) for number in range(count)]


def page(entries: Iterable[Entry], render: Render | None = None) -> str:
    """Write the page. render: label -> a whole HTML page, shown in a frame without scripts beside picture and label."""
    body = "\n".join(_section(entry, render) for entry in entries)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>Samples</title>'
        f"<style>{_STYLE}</style></head><body><h1>Samples</h1>\n{body}\n</body></html>\n"
    )


def _section(entry: Entry, render: Render | None) -> str:
    title = html.escape(entry.title)
    sample = entry.sample
    if sample is None:
        return f"<section><div><b>{title}</b><p>{html.escape(entry.reason)}</p></div></section>"
    asked = html.escape(str(task(sample.task) or "plain"))
    shown = "".join(f'<img alt="picture of {title}" src="{_uri(image)}">' for image in sample.images[:4])
    drawn = "" if render is None else f"<div>{_frame(sample.target, render)}</div>"
    label = f"<pre>{html.escape(sample.target)}</pre>"
    return f"<section><div><b>{title}</b> <small>{asked}</small><br>{shown}</div><div>{label}</div>{drawn}</section>"


def _frame(text: str, render: Render) -> str:
    try:
        inner = render(text)
    except GotOcrError as error:
        return f"<p>{html.escape(str(error))}</p>"
    return f'<iframe sandbox="" srcdoc="{html.escape(inner, quote=True)}"></iframe>'


def _uri(image: "Image") -> str:
    small = image.copy()
    small.thumbnail((1100, 1100))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
