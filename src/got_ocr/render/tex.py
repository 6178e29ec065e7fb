"""TikZ -> SVG by an installed TeX, for those who ask for it: the check before, the call, the gate behind.

TeX is a programming language and the text is untrusted. Only commands on a list get through, none that defines, loads,
reads or writes; the child process (tex_child.py) runs without a shell, in a folder of its own, within limits; what it
draws passes the gate that every SVG passes. Knows no page.
"""

import re
from functools import lru_cache
from shutil import which

from got_ocr.errors import MissingDependency, RenderFailed
from got_ocr.render import symbols
from got_ocr.render.child import run_child
from got_ocr.render.markup import Markup
from got_ocr.render.sanitize import SVG, Node, clean, parse, serialise

MAX_TIKZ = 20_000
TEX_SECONDS = 4.5  # wall time of TeX and of the converter together
_COMMAND = re.compile(r"\\([a-zA-Z@]+|.)", re.S)
_PICTURE = re.compile(r"\\begin\s*\{tikzpicture\}.*?\\end\s*\{tikzpicture\}", re.S)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{([^{}]*)\}")
_ENVIRONMENTS = frozenset(
    ("tikzpicture", "scope", "array", "matrix", "pmatrix", "bmatrix", "vmatrix", "cases", "aligned", "tabular")
)
# Spellings of characters by code, and the keys of TikZ that read or write files, run programs or hold code. Patterns
# and shades do not pass the gate behind; our own renderer draws them.
_REFUSED = re.compile(
    r"\^\^|/\.|\b(?:execute|exec|code|handlers?|externali[sz]e|file|function|gnuplot|raw|import|pattern|shad\w+)\b",
    re.I,
)
_DRAWING = """
    begin end draw fill filldraw node coordinate path clip foreach x y z
    frac dfrac tfrac sqrt text textbf textit textrm mathrm mathbf mathbb mathcal mathit overline underline vec hat bar
    tilde dot ddot widehat overrightarrow angle circ degree left right big Big bigg Bigg bigl bigr displaystyle textstyle
    scriptstyle tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge bfseries itshape bf it rm centering
    quad qquad sin cos tan cot sec csc ln log exp lim max min pi boldsymbol operatorname mid ldots cdots vdots pgfmathsetmacro
    hline cline multicolumn i j k n t r s a b c p q u v w
"""
_SIGNS = frozenset("\\{}$%&#_ ,;:!|-/()[]'\"`^~=.<>*")


def to_svg(source: str, prefix: str = "") -> Markup:
    """Return the first picture of a source as one `<svg>`.

    Raises RenderFailed for a text that is not let through or that TeX refuses, MissingDependency without TeX, ChildCrashed
    or DeadlineExceeded.
    """
    if not available():
        raise MissingDependency("drawing by TeX needs latex, TikZ and dvisvgm (Debian: texlive-pictures, dvisvgm)")
    answer = run_child("got_ocr.render.tex_child", checked(source), "TeX", TEX_SECONDS)
    svg = clean(parse(answer), SVG, prefix or "t-")
    _frame(svg)
    return serialise(svg)


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether the programs are on the path."""
    return which("latex") is not None and which("dvisvgm") is not None


def checked(source: str) -> str:
    """Return the first picture of a source. Raises RenderFailed where it holds anything that is not on the lists."""
    text = re.sub(r"(?<!\\)%[^\n]*", "", source)
    found = _PICTURE.search(text)
    if found is None or len(found.group()) > MAX_TIKZ:
        raise RenderFailed(f"TeX draws a whole tikzpicture of at most {MAX_TIKZ} characters")
    picture = found.group()
    wrong = [name for name in _COMMAND.findall(picture) if not _known(name)]
    wrong += [name for name in _ENVIRONMENT.findall(picture) if name.rstrip("*") not in _ENVIRONMENTS]
    if wrong or _REFUSED.search(picture) or any(ord(char) < 32 and char not in "\n\t" for char in picture):
        raise RenderFailed("this drawing holds a command that is not given to TeX")
    return picture


def _known(name: str) -> bool:
    if len(name) == 1 and not name.isalpha():
        return name in _SIGNS
    return name in _names() or name in symbols.greek() or name in symbols.maths()


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(_DRAWING.split())


def _frame(svg: Node) -> None:
    """Give the drawing a size of its own and a name."""
    box = svg.attributes.get("viewBox", "").split()
    if len(box) != 4:
        raise RenderFailed("a drawing came back without a size")
    svg.attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": " ".join(box),
        "width": box[2],
        "height": box[3],
        "color": "#000000",
        "role": "img",
        "aria-label": "Drawing",
    }
