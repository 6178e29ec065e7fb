"""From the files of a documentation package to raw paragraphs. Knows the formats.

Knows no corpus, alphabet or picture.
"""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

_BLANK = re.compile(r"\n\s*\n")
_BLOCKS = frozenset({"p", "li", "h1", "h2", "h3", "h4", "dt", "dd", "td", "th", "blockquote", "div"})
_SKIPPED = frozenset({"script", "style", "pre", "nav"})
_POD_CODE = re.compile(r"[A-Z]<(<+ )?([^<>]*)( >+)?>")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_DRAWN = re.compile(r"[\u2500-\u257f|+]")
_MAN_FONT = re.compile(r"\\f(\[[A-Z]*\]|.)")
_MAN_ESCAPES = {
    "\\-": "-",
    "\\&": "",
    "\\e": "\\",
    "\\(aq": "'",
    "\\(dq": '"',
    "\\|": "",
    "\\^": "",
    "\\ ": " ",
    "\\(bu": "•",
}


def read(path: Path) -> str:
    """Read a text file, gzipped (dictzip too) or not, as UTF-8; a file that cannot be read is empty."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix in (".gz", ".dz") else path.read_bytes()
    except (OSError, EOFError):
        return ""
    return data.decode("utf-8", errors="ignore")


def plain(path: Path) -> list[str]:
    """Split at empty lines; drawings and tables of plain text are left out."""
    return [part for part in _BLANK.split(read(path)) if _prose(part)]


def _prose(part: str) -> bool:
    letters = sum(char.isalpha() or char == " " for char in part)
    return letters > 0.75 * len(part) and "   " not in re.sub(r"\n\s+", "\n", part).strip()


def dictionary(path: Path) -> list[str]:
    """Split a dictionary of the dict format into its definitions and quotations."""
    text = re.sub(r"\[1913 Webster\]|\[PJC\]|\[WordNet [\d.]+\]", "\n", read(path))
    return [part.replace("{", "").replace("}", "") for part in _BLANK.split(text) if _prose(part)]


def wordnet(path: Path) -> list[str]:
    """Split WordNet's glosses: one numbered sense each, without its synonyms."""
    text = re.sub(r"\[(syn|ant):[^\]]*\]", "", read(path))
    parts = re.split(r"\n(?=\S)|\n\s+(?:[a-z]+ )?\d+: ", text)
    return [part for part in parts if _prose(part)]


def fortunes(path: Path) -> list[str]:
    """Split a fortune file at its percent lines and empty lines."""
    if path.name in ("art", "ascii-art", "chinese", "song100", "tang300"):
        return []
    return [part for cookie in read(path).split("\n%\n") for part in _BLANK.split(cookie) if _prose(part)]


def fortunes_zh(path: Path) -> list[str]:
    """Split a Chinese fortune file; colours and drawn tables are left out, lines of a paragraph are joined."""
    text = _COLOR.sub("", read(path))
    parts = [part for cookie in re.split(r"\n%\s*\n", text) for part in _BLANK.split(cookie)]
    return [part for part in parts if not _DRAWN.search(part)]


def words_zh(path: Path) -> list[str]:
    """Make paragraphs of unrelated words from a jieba dictionary, so that rare ideographs occur."""
    words = [line.split(" ")[0] for line in read(path).splitlines()]
    words = [word for word in words if len(word) > 1 and all("\u4e00" <= char <= "\u9fff" for char in word)]
    step = 7919  # a prime, so that neighbours in the dictionary come far apart
    mixed = [words[rank * step % len(words)] for rank in range(len(words))] if words else []
    rows = [mixed[at : at + 14] for at in range(0, len(mixed), 14)]
    return ["".join(word + ("，", "", "、", "。")[rank % 4] for rank, word in enumerate(row)) + "。" for row in rows]


def pod(path: Path) -> list[str]:
    """Take the prose of a Perl document: no commands, no verbatim paragraphs, codes unwrapped."""
    if "=encoding" in (text := read(path)) and "utf8" not in text[:400].lower() and "latin" not in text[:400].lower():
        return []
    parts = [part for part in _BLANK.split(text) if part[:1] not in ("=", " ", "\t", "")]
    # Escapes, index entries and links carry no text of their own.
    parts = [part for part in parts if not re.search(r"[EXZL]<", part)]
    for _ in range(3):
        parts = [_POD_CODE.sub(r"\2", part) for part in parts]
    return parts


def man(path: Path) -> list[str]:
    """Take the filled text of a manual page in `man` or `mdoc` markup, as far as it is plain."""
    parts: list[str] = [""]
    for line in read(path).splitlines():
        if line.startswith((".", "'")):
            inline = re.match(r"\.(B|I|BR|IR|RB|RI|BI|IB) (.*)", line)
            if inline is None:
                parts.append("")
            elif inline[1] in ("B", "I"):
                parts[-1] += " " + inline[2].replace('"', "")
            else:
                parts[-1] += " " + "".join(re.findall(r'"[^"]*"|\S+', inline[2])).replace('"', "")
        else:
            parts[-1] += " " + line
    return [text for part in parts if _prose(text := _man_text(part))]


def _man_text(part: str) -> str:
    part = _MAN_FONT.sub("", part)
    for escape, char in _MAN_ESCAPES.items():
        part = part.replace(escape, char)
    return "" if "\\" in part or "%" in part[:3] else part


class _Blocks(HTMLParser):
    """Collect the text of block elements, leaving out code and navigation."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skip = 0
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skip += 1
        elif tag in _BLOCKS:
            self.parts.append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skip = max(0, self._skip - 1)
        elif tag in _BLOCKS:
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open and not self._skip and self.parts:
            self.parts[-1] += data


def html(path: Path) -> list[str]:
    """Take the paragraphs, headings, list items and table cells of an HTML page."""
    parser = _Blocks()
    parser.feed(read(path))
    return [part.replace("¶", "") for part in parser.parts if part.strip()]
